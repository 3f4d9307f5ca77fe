"""Choose, from all that the grammar finds in a text, the phrases that stand for a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from memory.conventions import Conventions
from memory.times import clock, counted, dates, named_days, no_time, other_languages, periods, ranges, relative
from memory.times.chart import LONGEST_TEXT, Chart, Grammar, Item
from memory.times.counted import Counted
from memory.times.evidence import direction_of, stands
from memory.times.frames import Frames
from memory.times.lexicon import lexical_items
from memory.times.meanings import NO_TIME, Reading, Span
from memory.times.tokens import Token, tokens_of
from memory.times.topics import is_introduced_by_about, is_topic
from memory.times.typos import spelt_out
from memory.times.zones import zone_items

GRAMMAR = Grammar(
    dates.GRAMMAR,
    relative.GRAMMAR,
    periods.GRAMMAR,
    named_days.GRAMMAR,
    clock.GRAMMAR,
    ranges.GRAMMAR,
    counted.GRAMMAR,
    no_time.GRAMMAR,
    other_languages.GRAMMAR,
)

_BEST_FIRST = (
    "no time", "discussions", "last time", "iso range", "time range", "hour range", "part span", "day", "time span",
    "moment", "week span", "span", "range", "weekday span", "bare month", "bare year", "slashed span", "dashed span",
    "bare half", "bare week", "day of month", "day before", "the unit", "days", "day numbers", "not placed",
)  # fmt: skip
"""The categories that may stand for a time; of two readings of the same words the earlier one is taken."""

_IN_DIGITS = ("digits in some order", "slashed", "dashed", "dotted digits")
"""Dates in digits whose day and month only a convention tells apart."""


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase with its place in the text, and what it means; `order_mattered` as in `memory.windows.TimePhrase`."""

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
    names = (*named_days.holiday_items(tokens), *other_languages.foreign_items(tokens))
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
    """Tell whether a phrase holds a date in digits that stands elsewhere by the other order of day and month."""
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
        if all(item.end <= other.start or other.end <= item.start for other in taken):
            taken.append(item)
    return sorted(taken, key=lambda item: item.start)


def _found(item: Item, meaning: Span | Counted, tokens: Sequence[Token], text: str, *, order_mattered: bool) -> Found:
    last = item.end - 1 if tokens[item.end - 1].text != "." else item.end - 2
    start, end = tokens[item.start].start, tokens[last].end
    return Found(text[start:end], start, end, meaning, order_mattered)
