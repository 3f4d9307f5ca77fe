"""Choose, from all that the grammar finds in a text, the phrases that stand for a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from time_expressions.chart import LONGEST_TEXT, Chart, Grammar, Item
from time_expressions.conventions import OURS, Conventions, date_order
from time_expressions.disambiguation import direction_of, stands
from time_expressions.folding import Span as TextSpan
from time_expressions.knowledge import asks_for_knowledge
from time_expressions.lexicon import lexical_items
from time_expressions.meanings import NO_TIME, Reading, Span
from time_expressions.named_things import is_introduced_by_about, is_topic
from time_expressions.rules import (
    as_of,
    clock,
    counted,
    dates,
    foreign_dates,
    named_days,
    no_time,
    periods,
    ranges,
    relative,
)
from time_expressions.rules.counted import Counted
from time_expressions.rules.frames import Frames
from time_expressions.tokens import Token, tokens_of
from time_expressions.typos import spelt_out
from time_expressions.window import Window
from time_expressions.zone_items import zone_items

GRAMMAR = Grammar(
    dates.GRAMMAR,
    relative.GRAMMAR,
    periods.GRAMMAR,
    named_days.GRAMMAR,
    clock.GRAMMAR,
    ranges.GRAMMAR,
    counted.GRAMMAR,
    no_time.GRAMMAR,
    foreign_dates.GRAMMAR,
    as_of.GRAMMAR,
)

_BEST_FIRST = (
    "no time", "as of", "discussions", "last time", "iso range", "time range", "hour range", "part span", "day",
    "time span", "moment", "week span", "span", "range", "weekday span", "bare month", "bare year", "slashed span",
    "dashed span", "bare half", "bare week", "day of month", "day before", "the unit", "days", "day numbers",
    "not placed",
)  # fmt: skip
"""The categories that may stand for a time; of two readings of the same words the earlier one is taken."""

_IN_DIGITS = ("digits in some order", "slashed", "dashed", "dotted digits")
"""Dates in digits whose day and month only a convention tells apart."""


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase with its place in the text, and what it means; `order_mattered` as in `TimePhrase`."""

    phrase: str
    start: int
    end: int
    meaning: Span | Counted
    order_mattered: bool = False


def phrases_of(text: str, *, now: datetime, conventions: Conventions) -> list[Found]:
    """Return the phrases of time in a text, in its order; `now` carries the asker's zone."""
    tokens = spelt_out(tokens_of(text)[:LONGEST_TEXT], GRAMMAR)
    reading = Reading(now, conventions, looks=direction_of(tokens))
    zones = zone_items(tokens, reading.zone) if conventions.zones_count else ()
    names = (*named_days.holiday_items(tokens), *foreign_dates.foreign_items(tokens))
    chart = Chart(tokens, [*lexical_items(tokens), *names, *zones])
    chart.fill(GRAMMAR, reading, beside=Frames(tokens, GRAMMAR).beside)
    items = (item for category in _BEST_FIRST for item in chart.items(category))
    standing = [item for item in items if stands(item, tokens)]
    chosen = _spoken_of(_chosen(standing), tokens)
    in_digits = [date for category in _IN_DIGITS for date in chart.items(category)]
    return [
        _found(item, meaning, tokens, text, order_mattered=_order_matters(item, in_digits, chart, reading))
        for item in chosen
        for meaning in _meanings(item.value)
    ]


def _spoken_of(chosen: Sequence[Item], tokens: Sequence[Token]) -> list[Item]:
    """Return the items without those that are what is asked about: "yesterday about the Monday meeting"."""
    times = [item for item in chosen if not is_topic(item, tokens)]
    spoken_of = [item for item in times if not is_introduced_by_about(item, tokens)]
    return spoken_of or times


def _order_matters(item: Item, in_digits: Sequence[Item], chart: Chart, reading: Reading) -> bool:
    """Return whether a phrase holds a date in digits that stands elsewhere by the other order of day and month."""
    if not any(item.start <= date.start and date.end <= item.end for date in in_digits):
        return False
    conventions = replace(reading.conventions, month_first=not reading.conventions.month_first)
    again = chart.read_again(item.start, item.end, GRAMMAR, replace(reading, conventions=conventions))
    return item not in again.items(item.category, start=item.start, end=item.end)


def _meanings(value: Any) -> Sequence[Span | Counted]:
    """Return each meaning of an item on its own: none, one, or several days."""
    if value is NO_TIME:
        return ()
    return value if isinstance(value, tuple) and isinstance(value[0], Span) else (value,)


def _chosen(items: Iterable[Item]) -> list[Item]:
    """Return the longest items that do not overlap, in the order of the text."""
    ranked = sorted(items, key=lambda item: (item.start - item.end, _BEST_FIRST.index(item.category)))
    taken: list[Item] = []
    for item in ranked:
        if all(item.end <= chosen.start or chosen.end <= item.start for chosen in taken):
            taken.append(item)
    return sorted(taken, key=lambda item: item.start)


def _found(item: Item, meaning: Span | Counted, tokens: Sequence[Token], text: str, *, order_mattered: bool) -> Found:
    last = item.end - 1 if tokens[item.end - 1].text != "." else item.end - 2
    start, end = tokens[item.start].start, tokens[last].end
    return Found(text[start:end], start, end, meaning, order_mattered)


@dataclass(frozen=True, slots=True)
class TimePhrase:
    """A phrase, as it stands in the text, the window [start, end) that it means, and where in the text it stands.

    With `earlier` ("earlier today") the discussion that is going on now is not meant, whatever the window says.
    `order_mattered` when a date in digits is elsewhere by the other order of day and month ("10/11"). One `as_of` a
    moment, the end of its window, asks for what was known then.
    """

    phrase: str
    window: Window
    earlier: bool = False
    order_mattered: bool = False
    as_of: bool = False
    span: TextSpan = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class DiscussionPhrase:
    """A phrase that counts discussions: "in our first session", "two discussions ago".

    1 is the first discussion of a channel, -1 its latest and -2 the one before that; `first` to `last` are meant.
    """

    phrase: str
    first: int
    last: int
    span: TextSpan = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Times:
    """All that a text says of time, each in the order of the text."""

    windows: tuple[TimePhrase, ...] = ()
    discussions: tuple[DiscussionPhrase, ...] = ()


def times_in(text: str, *, now: datetime, time_zone: ZoneInfo, conventions: Conventions | None = None) -> Times:
    """Return what a text says of time, as somebody in `time_zone` means it who writes it at `now`.

    Days begin at midnight on the wall clock of the zone, so that one of them has 23 or 25 hours where the clocks
    change. `now` is an aware time. Without `conventions` they are ours, with days and months in the order that is
    usual in the zone.
    """
    if conventions is None:
        conventions = OURS.in_order(date_order(locale=None, time_zone=time_zone, setting=None))
    found = phrases_of(text, now=now.astimezone(time_zone), conventions=conventions)
    asks_what_was_known = asks_for_knowledge(tokens_of(text))
    times = (_time_phrase(phrase, phrase.meaning) for phrase in found if isinstance(phrase.meaning, Span))
    return Times(
        windows=tuple(_as_known_then(time, now) if asks_what_was_known else time for time in times),
        discussions=tuple(
            DiscussionPhrase(phrase.phrase, *phrase.meaning, span=(phrase.start, phrase.end))
            for phrase in found
            if not isinstance(phrase.meaning, Span)
        ),
    )


def _time_phrase(phrase: Found, span: Span) -> TimePhrase:
    return TimePhrase(
        phrase.phrase,
        Window(span.start, span.end),
        earlier=span.earlier,
        order_mattered=phrase.order_mattered,
        as_of=span.as_of,
        span=(phrase.start, phrase.end),
    )


def _as_known_then(time: TimePhrase, now: datetime) -> TimePhrase:
    """Return a phrase as the moment at which something was known, if it is over."""
    end = time.window.end
    return time if end is None or end >= now else replace(time, window=Window(None, end), as_of=True)
