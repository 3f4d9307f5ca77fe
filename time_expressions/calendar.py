"""Find the days, weeks, months and years that words point at."""

from collections.abc import Iterator
from datetime import date, timedelta

from time_expressions.meanings import (
    DAYS_IN,
    MONTHS_IN,
    Edge,
    Grain,
    Partial,
    Reading,
    Span,
    Unit,
    add_months,
    days_in_month,
)

_GRAINS = {
    Unit.DAY: Grain.DAY,
    Unit.BUSINESS_DAY: Grain.DAY,
    Unit.WEEKEND: Grain.WEEK,
    Unit.WEEK: Grain.WEEK,
    Unit.FORTNIGHT: Grain.WEEK,
    Unit.MONTH: Grain.MONTH,
    Unit.QUARTER: Grain.MONTH,
    Unit.HALF: Grain.MONTH,
    Unit.YEAR: Grain.YEAR,
    Unit.DECADE: Grain.MANY,
    Unit.CENTURY: Grain.MANY,
}
_YEARS_SEARCHED = 15
"""Far enough back for a 29th of February and for every weekday on a given day of a month."""


def grain_of(unit: Unit) -> Grain:
    """Return how finely a unit names time."""
    return _GRAINS.get(unit, Grain.HOUR)


def on(year: int, month: int, day: int) -> date | None:
    """Return a date, None where the calendar has none such."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def monday_of(day: date) -> date:
    """Return the Monday of a day's week; weeks begin on Monday (ISO 8601)."""
    return day - timedelta(days=day.weekday())


def first_week_of(first: date) -> date:
    """Return the Monday of the first week that has most of its days on or after `first` (ISO 8601)."""
    return monday_of(first + timedelta(days=3))


def unit_start(day: date, unit: Unit) -> date:
    """Return the first day of the unit that a day is in."""
    if unit in (Unit.WEEK, Unit.FORTNIGHT):
        return monday_of(day)
    if unit is Unit.WEEKEND:
        return monday_of(day) + timedelta(days=5)
    if unit in MONTHS_IN and unit is not Unit.CENTURY and unit is not Unit.DECADE:
        months = MONTHS_IN[unit]
        return date(day.year, (day.month - 1) // months * months + 1, 1)
    if unit in MONTHS_IN:
        years = MONTHS_IN[unit] // 12
        return date(day.year // years * years, 1, 1)
    return day


def unit_span(reading: Reading, day: date, unit: Unit, *, away: int = 0) -> Span:
    """Return the unit that is `away` units from the one a day is in: 0 that one, -1 the one before."""
    start = unit_start(day, unit)
    if unit in MONTHS_IN:
        first = add_months(start, away * MONTHS_IN[unit])
        return reading.days(first, add_months(first, MONTHS_IN[unit]), grain_of(unit))
    step = DAYS_IN.get(unit, 1)
    first = start + timedelta(days=away * step)
    length = 2 if unit is Unit.WEEKEND else step
    return reading.days(first, first + timedelta(days=length), grain_of(unit))


def year_span(reading: Reading, year: int, years: int = 1) -> Span:
    """Return a year, or some from it on."""
    grain = Grain.YEAR if years == 1 else Grain.MANY
    return reading.days(date(year, 1, 1), date(year + years, 1, 1), grain)


def full_year(short: int, today: date) -> int:
    """Return the latest year, not after this one, that ends on two digits."""
    return today.year - (today.year - short) % 100


def nth_weekday(span: Span, weekday: int, nth: int) -> date | None:
    """Return the nth such weekday of a span, the last ones counted from -1; None when there are fewer."""
    if span.start is None or span.end is None:
        return None
    first = span.start.date() + timedelta(days=(weekday - span.start.weekday()) % 7)
    after = span.end.date()
    count = max(0, -((first - after).days // 7)) if first < after else 0
    index = nth - 1 if nth > 0 else count + nth
    return first + timedelta(weeks=index) if 0 <= index < count else None


def resolved(reading: Reading, partial: Partial) -> Span | None:
    """Return the latest span in the past or present that fits a date; one that names its year may be to come."""
    for span in _candidates(reading, partial):
        if span.start is not None and (span.start <= reading.now or partial.year is not None):
            return span
    return None


def resolved_after(reading: Reading, partial: Partial, start: date) -> Span | None:
    """Return the first span from a day on that fits a date with parts left out."""
    fitting = [
        span for span in _candidates(reading, partial, around=start) if span.start and span.start.date() >= start
    ]
    return min(fitting, key=lambda span: span.start or reading.now, default=None)


def _candidates(reading: Reading, partial: Partial, *, around: date | None = None) -> Iterator[Span]:
    """Yield the spans that fit, the latest first."""
    today = around or reading.today
    if partial.year is not None and partial.month is None and partial.day is None:
        yield year_span(reading, partial.year)
    elif partial.day is None and partial.weekday is not None:
        days = (today.weekday() - partial.weekday) % 7
        nearest = around + timedelta(days=-days % 7) if around else today - timedelta(days=days or 7)
        yield reading.days(nearest, nearest + timedelta(days=1))
    elif partial.day is None:
        yield from _months(reading, partial, today)
    else:
        yield from (reading.days(day, day + timedelta(days=1)) for day in _days(partial, today))


def _months(reading: Reading, partial: Partial, today: date) -> Iterator[Span]:
    years = (partial.year,) if partial.year is not None else (today.year + 1, today.year, today.year - 1)
    for year in years:
        yield unit_span(reading, date(year, partial.month or 1, 1), Unit.MONTH)


def _days(partial: Partial, today: date) -> Iterator[date]:
    years = (partial.year,) if partial.year is not None else range(today.year + 1, today.year - _YEARS_SEARCHED, -1)
    months = (partial.month,) if partial.month is not None else range(12, 0, -1)
    for year in years:
        for month in months:
            day = on(year, month, partial.day or 1)
            if day is not None and (partial.month is not None or partial.weekday in (None, day.weekday())):
                yield day


def thirds(reading: Reading, span: Span, edge: Edge) -> Span:
    """Return the beginning, middle or end of a span with both ends, and the moment that it is where one is meant."""
    assert span.start is not None  # noqa: S101 - only whole units have a beginning
    assert span.end is not None  # noqa: S101
    first, after = span.start.date(), span.end.date()
    start, end = _third(first, after, span.grain, edge)
    halfway = first + timedelta(days=(after - first).days // 2)
    moment = {Edge.START: first, Edge.MIDDLE: halfway, Edge.END: after}[edge]
    return Span(reading.midnight(start), reading.midnight(end), span.grain, edge, reading.midnight(moment))


def _third(first: date, after: date, grain: Grain, edge: Edge) -> tuple[date, date]:
    """Return ten days of a month, three of a week, and a third of the months of what is longer."""
    if grain is Grain.MONTH and (after - first).days == days_in_month(first):
        days = {Edge.START: (0, 10), Edge.MIDDLE: (9, 20), Edge.END: (20, (after - first).days)}[edge]
    elif grain is Grain.WEEK:
        days = {Edge.START: (0, 3), Edge.MIDDLE: (2, 5), Edge.END: (4, 7)}[edge]
    else:
        third = (after.year * 12 + after.month - first.year * 12 - first.month) // 3
        cuts = (first, add_months(first, third), add_months(first, 2 * third), after)
        return {Edge.START: cuts[:2], Edge.MIDDLE: cuts[1:3], Edge.END: cuts[2:]}[edge]
    return first + timedelta(days=days[0]), first + timedelta(days=days[1])
