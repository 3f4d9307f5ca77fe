"""Choose, from all that the grammar finds in a text, the phrases that stand for a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from memory.conventions import Conventions
from memory.times import clock, counted, dates, named_days, periods, ranges, relative
from memory.times.chart import Chart, Grammar, Item
from memory.times.counted import Counted
from memory.times.evidence import stands
from memory.times.lexicon import lexical_items
from memory.times.meanings import Reading, Span
from memory.times.tokens import Token, tokens_of
from memory.times.zones import zone_items

GRAMMAR = Grammar(
    dates.GRAMMAR,
    relative.GRAMMAR,
    periods.GRAMMAR,
    named_days.GRAMMAR,
    clock.GRAMMAR,
    ranges.GRAMMAR,
    counted.GRAMMAR,
)

_BEST_FIRST = (
    "discussions", "last time", "iso range", "time range", "hour range", "part span", "day", "time span", "moment",
    "week span", "span", "range", "weekday span", "bare month", "bare year", "slashed span", "dashed span",
    "day of month", "day before", "the unit",
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
    tokens = tokens_of(text)
    reading = Reading(now, conventions)
    zones = zone_items(tokens, reading.zone) if conventions.zones_count else ()
    chart = Chart(tokens, [*lexical_items(tokens), *named_days.holiday_items(tokens), *zones])
    chart.fill(GRAMMAR, reading)
    items = (item for category in _BEST_FIRST for item in chart.items(category))
    chosen = _chosen(item for item in items if stands(item, tokens))
    return [_found(item, tokens, text, order_mattered=_order_matters(item, chart, reading)) for item in chosen]


def _order_matters(item: Item, chart: Chart, reading: Reading) -> bool:
    """Tell whether a phrase holds a date in digits that stands elsewhere by the other order of day and month."""
    inside = (
        date
        for category in _IN_DIGITS
        for date in chart.items(category)
        if item.start <= date.start and date.end <= item.end
    )
    if not any(inside):
        return False
    conventions = replace(reading.conventions, month_first=not reading.conventions.month_first)
    again = chart.read_again(item.start, item.end, GRAMMAR, replace(reading, conventions=conventions))
    return item not in again.items(item.category, start=item.start, end=item.end)


def _chosen(items: Iterable[Item]) -> list[Item]:
    """Return the longest items that do not overlap, in the order of the text."""
    ranked = sorted(items, key=lambda item: (item.start - item.end, _BEST_FIRST.index(item.category)))
    taken: list[Item] = []
    for item in ranked:
        if all(item.end <= other.start or other.end <= item.start for other in taken):
            taken.append(item)
    return sorted(taken, key=lambda item: item.start)


def _found(item: Item, tokens: Sequence[Token], text: str, *, order_mattered: bool) -> Found:
    last = item.end - 1 if tokens[item.end - 1].text != "." else item.end - 2
    start, end = tokens[item.start].start, tokens[last].end
    return Found(text[start:end], start, end, item.value, order_mattered)
