"""Record what is done for one answer: nested spans of time, with facts about each."""

import secrets
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

Fact = str | int | float | bool | None | tuple[str, ...]
"""What may be noted; anything richer is written as words first."""

TEXTS = frozenset({"answer", "message", "models_text", "query", "question", "topic", "words"})
"""Names of facts that repeat what people wrote: they are kept only where the operator says so."""

MOST_SPANS = 500
"""Spans of one trace; of more only the number is kept."""

LONGEST_TEXT = 2000
"""Characters of one fact."""


@dataclass(slots=True)
class Span:
    """A named stretch of the work, in seconds since its trace began, with its facts and the spans within it.

    `ended` is None while it lasts.
    """

    name: str
    started: float
    ended: float | None = None
    facts: dict[str, Fact] = field(default_factory=dict)
    parts: "list[Span]" = field(default_factory=list)
    keeps_texts: bool = False

    def note(self, **facts: Fact) -> None:
        """Add facts; those of TEXTS are dropped unless texts are kept, and long ones are cut."""
        for name, fact in facts.items():
            if name not in TEXTS or self.keeps_texts:
                self.facts[name] = fact[:LONGEST_TEXT] if isinstance(fact, str) else fact

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it lasts."""
        return None if self.ended is None else self.ended - self.started


class Trace:
    """All that is done for one answer, as a tree of spans under one id.

    `asked_by` and `asked_in` are the ids of the person and of the channel, `guild_id` that of its server, if it is in
    one. `clock` tells the time in seconds.
    """

    def __init__(
        self,
        *,
        keeps_texts: bool = False,
        asked_by: int = 0,
        asked_in: int = 0,
        guild_id: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.trace_id = secrets.token_hex(16)
        """32 hexadecimal digits, as W3C Trace Context has them."""
        self.keeps_texts = keeps_texts
        self.asked_by = asked_by
        self.asked_in = asked_in
        self.guild_id = guild_id
        self.root = Span("answer", 0.0, keeps_texts=keeps_texts)
        self.left_out = 0
        """How many spans were more than MOST_SPANS."""
        self._clock = clock
        self._began = clock()
        self._spans = 1

    def begin(self, name: str, within: Span) -> Span:
        """Return a new span within another one; it is no part of the trace when there are too many."""
        span = Span(name, self._now(), keeps_texts=self.keeps_texts)
        if self._spans < MOST_SPANS:
            self._spans += 1
            within.parts.append(span)
        else:
            self.left_out += 1
        return span

    def end(self, span: Span) -> None:
        """Note when a span ended."""
        span.ended = self._now()

    def _now(self) -> float:
        return self._clock() - self._began


_current: ContextVar[tuple[Trace, Span] | None] = ContextVar("current_span", default=None)


@contextmanager
def traced(trace: Trace) -> Generator[Span]:
    """Let everything within the block, and the tasks that it starts, be recorded in a trace; yield its root."""
    token = _current.set((trace, trace.root))
    try:
        yield trace.root
    finally:
        trace.end(trace.root)
        _current.reset(token)


@contextmanager
def span(name: str, **facts: Fact) -> Generator[Span]:
    """Record the block as a span of the answer that is being made; outside of every trace nothing is recorded.

    A block that raises notes the class of its error.
    """
    current = _current.get()
    if current is None:
        yield Span(name, 0.0)
        return
    trace, within = current
    entered = trace.begin(name, within)
    entered.note(**facts)
    token = _current.set((trace, entered))
    try:
        yield entered
    except BaseException as error:
        entered.note(error=type(error).__name__)
        raise
    finally:
        trace.end(entered)
        _current.reset(token)


async def spanned(name: str, pending: Awaitable[T]) -> T:
    """Return what is awaited, whose time is recorded as a span."""
    with span(name):
        return await pending


def note(**facts: Fact) -> None:
    """Note facts of the span that the caller is in; outside of every trace nothing is noted."""
    current = _current.get()
    if current is not None:
        current[1].note(**facts)
