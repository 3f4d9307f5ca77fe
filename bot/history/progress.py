"""How far the reading of the past is, in numbers and in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from bot.history.source import PassedOver

_BAR = 20  # characters
_MOST_SHOWN = 10  # places that are passed over, by name
_FULL, _EMPTY = "\N{FULL BLOCK}", "\N{LIGHT SHADE}"


class Outcome(StrEnum):
    """How a reading of the past stands."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    """It ended before it was done, and goes on from there when it is run again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a reading of the past is.

    `messages_total` is about how many messages there are in all, None where that is not known; `per_second` counts the
    messages of the last half minute. `waits_for_memory` says that reading stands still until what was read is stored.
    """

    outcome: Outcome = Outcome.RUNNING
    places_done: int = 0
    places_total: int = 0
    recent_left: int = 0
    """Places whose last month is not read yet."""
    messages: int = 0
    messages_total: int | None = None
    per_second: float = 0.0
    waits_for_memory: bool = False
    passed_over: tuple[PassedOver, ...] = field(default=())

    @property
    def share(self) -> float | None:
        """Which part is done, from 0 to 1; None while nobody can tell."""
        if self.outcome is Outcome.FINISHED:
            return 1.0
        if self.messages_total:
            return min(0.99, self.messages / self.messages_total)
        return min(0.99, self.places_done / self.places_total) if self.places_total else None

    @property
    def time_left(self) -> timedelta | None:
        """About how long the rest takes; None while nobody can tell."""
        if self.outcome is not Outcome.RUNNING or not self.messages_total or self.per_second < 1:
            return None
        return timedelta(seconds=max(0, self.messages_total - self.messages) / self.per_second)


def describe(progress: Progress) -> str:
    """Return where a reading stands, in one line."""
    of_all = "" if progress.messages_total is None else f" of about {progress.messages_total:,}"
    parts = [f"{progress.messages:,}{of_all} messages", f"{progress.places_done:,} of {progress.places_total:,} places"]
    if progress.outcome is Outcome.RUNNING:
        parts += [f"{progress.per_second:,.0f} messages/s"] if progress.per_second >= 1 else []
        parts += [f"{_spoken(progress.time_left)} left"] if progress.time_left is not None else []
        parts += [f"the last month of {progress.recent_left:,} places to come"] if progress.recent_left else []
        parts += ["waiting until it is stored"] if progress.waits_for_memory else []
    return ", ".join(parts)


def bar(progress: Progress) -> str:
    """Return a bar of fixed width with its percentage; empty while nobody can tell how much there is."""
    share = progress.share
    if share is None:
        return ""
    full = round(share * _BAR)
    return f"{_FULL * full}{_EMPTY * (_BAR - full)} {share:.0%}"


def failures(passed_over: Sequence[PassedOver]) -> Iterator[str]:
    """Yield a line for each of the first places that were passed over, and one that counts the others."""
    for place in passed_over[:_MOST_SHOWN]:
        kind = "left for later" if place.for_later else "passed over"
        yield f"{place.name} is {kind}: {place.reason}"
    if (more := len(passed_over) - _MOST_SHOWN) > 0:
        yield f"and {more:,} more places"


def _spoken(time: timedelta) -> str:
    seconds = round(time.total_seconds())
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"
