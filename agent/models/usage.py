"""Add up what a model is asked and what that takes: since the start, and in the last 24 hours."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.models.run import ModelRun

_PER = 1_000_000  # tokens, for which prices are given
_HOUR = 3600.0
_HOURS = 24
_LONGEST_PRICES = 2000  # characters


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost that a model reads, and that it writes, in whatever currency."""

    read: float
    written: float

    def of(self, run: ModelRun) -> float:
        """Return what a run has cost."""
        return (run.tokens_read * self.read + run.tokens_written * self.written) / _PER


def read_prices(setting: str) -> Mapping[str, Price]:
    """Return the prices of a setting, `openai:NAME=0.15/0.60` with commas between; raise ValueError for another."""
    if len(setting) > _LONGEST_PRICES:
        raise ValueError(f"prices have {_LONGEST_PRICES:,} characters at most")
    return dict(_price(entry) for entry in setting.split(",") if entry.strip())


def _price(entry: str) -> tuple[str, Price]:
    name, _, prices = entry.strip().rpartition("=")
    read, _, written = prices.partition("/")
    try:
        price = Price(float(read), float(written))
    except ValueError:
        price = Price(-1, -1)
    if not name or not 0 <= price.read < _PER or not 0 <= price.written < _PER:
        raise ValueError(
            f"{entry.strip()!r} is no price: write openai:NAME=0.15/0.60, for a million tokens read and written"
        )
    return name.strip(), price


@dataclass(slots=True)
class Usage:
    """Questions that a model has answered and not answered, the seconds of the answers, tokens, and what they cost."""

    answers: int = 0
    failures: int = 0
    seconds: float = 0.0
    tokens_read: int = 0
    tokens_written: int = 0
    cost: float = 0.0

    def add(self, other: "Usage") -> None:
        """Add another to this one."""
        self.answers += other.answers
        self.failures += other.failures
        self.seconds += other.seconds
        self.tokens_read += other.tokens_read
        self.tokens_written += other.tokens_written
        self.cost += other.cost

    @property
    def seconds_per_answer(self) -> float | None:
        """How long an answer takes on average; None without any."""
        return self.seconds / self.answers if self.answers else None


@dataclass(slots=True)
class UsageLog:
    """What one model has been asked, in sums by the hour of which the last 24 are kept.

    `clock` tells the time in seconds.
    """

    price: Price | None = None
    clock: Callable[[], float] = time.monotonic
    total: Usage = field(default_factory=Usage)
    """Since the start."""
    _hours: deque[tuple[int, Usage]] = field(default_factory=lambda: deque(maxlen=_HOURS))

    def note(self, run: ModelRun, *, seconds: float, answered: bool) -> Usage:
        """Add one question, and return what it took."""
        used = Usage(
            answers=int(answered),
            failures=int(not answered),
            seconds=seconds if answered else 0.0,
            tokens_read=run.tokens_read,
            tokens_written=run.tokens_written,
            cost=self.price.of(run) if self.price else 0.0,
        )
        self.total.add(used)
        hour = int(self.clock() // _HOUR)
        if not self._hours or self._hours[-1][0] != hour:
            self._hours.append((hour, Usage()))
        self._hours[-1][1].add(used)
        return used

    def of_a_day(self) -> Usage:
        """Return the sums of the last 24 hours, the one that has begun among them."""
        since = int(self.clock() // _HOUR) - _HOURS
        day = Usage()
        for hour, usage in self._hours:
            if hour > since:
                day.add(usage)
        return day
