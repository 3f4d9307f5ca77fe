"""Rules for days, months and years that are named: "2 July", "5/12/2019", "Friday", "the 4th of next month"."""

from dataclasses import replace
from datetime import date as date_of_calendar
from datetime import timedelta

from time_expressions.calendar import full_year, nth_weekday, on, resolved, unit_span
from time_expressions.chart import Grammar
from time_expressions.meanings import Grain, Partial, Reading, Span, Spans, Unit

GRAMMAR = Grammar()
rule = GRAMMAR.rule

# ---- the parts of a date


@rule("dom", "<dd>", "the? <digit nth>", "the? <nth word>", "<count word>", "the <nth> day")
def day_of_month(_: Reading, day: int) -> int | None:
    """Read a day of a month; only with a month beside it does it stand for one."""
    return day if 1 <= day <= 31 else None


@rule("year", "<yyyy>", "<year word>")
def plain_year(_: Reading, year: int) -> int:
    """Read a year in full."""
    return year


@rule("year part", ",? <year>", "of|in <year>", ",? of|in? the? year? <year>")
def year_beside_date(_: Reading, year: int) -> int:
    """Read the year of a date."""
    return year


@rule("year part", "of <two digits>", "' ~<two digits>", "of ' ~<two digits>")
def short_year_beside_date(reading: Reading, short: int) -> int:
    """Read a year by its last two digits, never in the future."""
    return full_year(short, reading.today)


# ---- dates in digits


@rule("iso date", "<yyyy> ~- ~<dd> ~- ~<dd>")
@rule("date", "<yyyy> ~/ ~<dd> ~/ ~<dd>", "<yyyy> ~. ~<dd> ~. ~<dd>", "<yyyy> <two digits> <two digits>")
def year_month_day(_: Reading, year: int, month: int, day: int) -> Partial | None:
    """Read an ISO date, with other signs too."""
    return Partial(year, month, day) if on(year, month, day) else None


@rule("date", "<yyyymmdd>")
def run_together(_: Reading, digits: str) -> Partial | None:
    """Read an ISO date without signs."""
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    return Partial(year, month, day) if 1900 <= year < 2100 and on(year, month, day) else None


@rule("digits in some order", "<dd> ~/ ~<dd> ~/ ~<yyyy>", "<dd> ~- ~<dd> ~- ~<yyyy>", "<dd> / <dd> / <yyyy>")
def digits_with_year(reading: Reading, first: int, second: int, year: int) -> Partial | None:
    """Read a date whose order of day and month the conventions tell, unless only one order is possible."""
    return _in_some_order(reading, first, second, year)


@rule("dotted date", "<dd> ~. ~<dd> ~. ~<yyyy>")
def dotted_with_year(_: Reading, day: int, month: int, year: int) -> Partial | None:
    """Read a date with dots, which is written day first wherever it is written at all."""
    return _valid(year, month, day) or _valid(year, day, month)


@rule("digits in some order", "<dd> ~/ ~<dd> ~/ ~<two digits>", "<dd> ~- ~<dd> ~- ~<two digits>")
def digits_with_short_year(reading: Reading, first: int, second: int, short: int) -> Partial | None:
    """Read a date with the last digits of its year."""
    return _in_some_order(reading, first, second, full_year(short, reading.today))


@rule("date", "<digits in some order>", "<iso date>", "<dotted date>", "<named date>")
def whole_date(_: Reading, date: Partial) -> Partial:
    """Take a whole date for a date."""
    return date


@rule("slashed", "<dd> ~/ ~<dd>")
@rule("dashed", "<dd> ~- ~<dd>")
@rule("dotted digits", "<dd> ~. ~<dd>")
def digits_without_year(reading: Reading, first: int, second: int) -> Partial | None:
    """Read two numbers that may be a day and a month, if more speaks for it."""
    if (first, second) == (24, 7):
        return None  # around the clock
    found = _in_some_order(reading, first, second, 2000)  # a leap year: the 29th of February is possible
    return Partial(None, found.month, found.day) if found else None


@rule("full dotted", "<dd> ~. ~<dd> ~.")
def dotted_without_year(_: Reading, day: int, month: int) -> Partial | None:
    """Read "9.11.", day first as wherever both dots are written, if more speaks for a date."""
    return _valid(None, month, day) or _valid(None, day, month)


@rule("dotted", "<full dotted>", "<dotted digits>")
def dotted(_: Reading, date: Partial) -> Partial:
    """Take a date with one dot or two."""
    return date


@rule("month date", "<yyyy> ~- ~<dd>", "<yyyy> ~/ ~<dd>")
def year_and_month_digits(_: Reading, year: int, month: int) -> Partial | None:
    """Read a month in digits."""
    return Partial(year, month) if 1 <= month <= 12 and 1900 <= year < 2100 else None


@rule("month date", "<dd> ~- ~<yyyy>", "<dd> ~/ ~<yyyy>")
def month_and_year_digits(_: Reading, month: int, year: int) -> Partial | None:
    """Read a month in digits, with the year behind."""
    return Partial(year, month) if 1 <= month <= 12 and 1900 <= year < 2100 else None


# ---- dates with the month's name


@rule("named date", "<month> ~. <dom> <year part>", "<month> ,? <dom> <year part>", "<month> ~- ~<dom> ~- ~<year>")
def month_day_year(_: Reading, month: int, day: int, year: int) -> Partial | None:
    """Read "Dec. 31, 1994"."""
    return _valid(year, month, day)


@rule("date", "<month> <nth> <two digits>")
def month_day_short_year(reading: Reading, month: int, day: int, short: int) -> Partial | None:
    """Read "January first 12"."""
    return _valid(full_year(short, reading.today), month, day)


@rule("day date", "<month> ~. <dom>", "<month> ,? <dom>", "<month> ~/|- ~<dom>", "<month> the <dom>")
def month_day(_: Reading, month: int, day: int) -> Partial | None:
    """Read "May 29th"."""
    return _valid(None, month, day)


@rule(
    "named date",
    "<dom> of? <month> .? <year part>",
    "<dom> ~-|/ ~<month> ~-|/ ~<year>",
    "<dom> of? ,? <month> ,? <year>",
    "<dd> ~. <month> ~.? <year part>",
)
def day_month_year(_: Reading, day: int, month: int, year: int) -> Partial | None:
    """Read "15 April of 87"."""
    return _valid(year, month, day)


@rule("date", "<yyyy> ~-|/ ~<month> ~-|/ ~<dd>", "<yyyy> <month> <dom>")
def year_month_name_day(_: Reading, year: int, month: int, day: int) -> Partial | None:
    """Read "2019-aug-01"."""
    return _valid(year, month, day)


@rule("day date", "<dd> ~. <month>", "<dom> of? <month>", "<dom> ~-|/ ~<month>", "<dom> of the? month? of? <month>")
def day_month(_: Reading, day: int, month: int) -> Partial | None:
    """Read "the 29th of May"."""
    return _valid(None, month, day)


@rule("month date", "<month> ,? <year>", "<month> <year part>", "<month> ~-|/ ~<year>", "<month> ~. <year>")
def month_year(_: Reading, month: int, year: int) -> Partial:
    """Read "April of 1987"."""
    return Partial(year, month)


@rule("month date", "<year> ,? <month>", "<year> ~-|/ ~<month>")
def year_month(_: Reading, year: int, month: int) -> Partial:
    """Read "2017 April"."""
    return Partial(year, month)


# ---- weekdays, and dates that a weekday stands before


@rule("weekday date", "<weekday>", "<weekday> .")
def weekday(_: Reading, day: int) -> Partial:
    """Read "Friday"."""
    return Partial(weekday=day)


@rule("date", "<weekday> ~. ,? <dom>", "<weekday> ,? <digit nth>", "<weekday> the <nth>", "<weekday> <dd>")
def weekday_and_day(_: Reading, weekday: int, day: int) -> Partial | None:
    """Read "Monday 21": the latest that was a Monday."""
    return Partial(day=day, weekday=weekday) if 1 <= day <= 31 else None


@rule("date", "<weekday> ,|.|-? on|the? <day date>", "<weekday> ,|.|-? on|the? <date>", "<weekday> ,? <slashed>")
@rule("date", "<weekday> ( <day date> )", "<weekday> ( <date> )", "<weekday> ( <slashed> )")
def weekday_before_date(_: Reading, __: int, date: Partial) -> Partial:
    """Read "Friday, Jun 15": the date counts, for people err in weekdays more than in dates."""
    return date


@rule("date", "<weekday> <dashed>", "<weekday> <dotted>")
def weekday_before_dashes(reading: Reading, weekday: int, date: Partial) -> Partial | None:
    """Read "Friday 7-6", which is a date only where that day was a Friday."""
    span = resolved(reading, date)
    near = span and span.start and abs(span.start.date() - reading.today) <= timedelta(days=31)
    return date if near and span and span.start and span.start.weekday() == weekday else None


@rule("date", "<day date> ,? ( <weekday> )", "<day date> , a? <weekday>")
def weekday_after_date(_: Reading, date: Partial, __: int) -> Partial:
    """Read "June 15 (Friday)"."""
    return date


@rule("date", "<day date>", "this|next|last? <weekday date> <day date>")
def date_without_year(_: Reading, *parts: Partial) -> Partial:
    """Take a day and a month for a date."""
    return parts[-1]


@rule("date", "this|next|last|past <slashed>", "this|next|last|past <dashed>", "this|next|last|past <date>")
def date_with_idle_words(_: Reading, date: Partial) -> Partial:
    """Read "this 5/12"; the word adds nothing to a date."""
    return date


# ---- what a date stands for


@rule("day", "<date>")
@rule("weekday span", "<weekday date>")
@rule("slashed span", "<slashed>")
@rule("dashed span", "<dashed>", "<dotted>")
@rule("span", "<month date>")
def latest(reading: Reading, partial: Partial) -> Span | None:
    """Return the latest time that a date names."""
    span = resolved(reading, partial)
    return replace(span, weekly=partial == Partial(weekday=partial.weekday)) if span else None


@rule("bare month", "<month>", "<month> ~.", "the? month of <month>")
def month_alone(reading: Reading, month: int) -> Span | None:
    """Read "May", the latest one."""
    return resolved(reading, Partial(month=month))


@rule("span", "[this|last|past|previous|next] <month>")
def month_from_now(reading: Reading, word: str, month: int) -> Span | None:
    """Read "last May": the latest that is over; "this May" is the one of this year."""
    year = reading.today.year
    away = {"this": 0, "next": month <= reading.today.month}.get(word, -(month >= reading.today.month))
    return unit_span(reading, date_of_calendar(year + away, month, 1), Unit.MONTH)


@rule("day of month", "the <digit nth>", "the <dd>", "<digit nth>", "the <nth> day")
def day_alone(reading: Reading, day: int) -> Span | None:
    """Read "the 18th", the latest one."""
    return resolved(reading, Partial(day=day)) if 1 <= day <= 31 else None


@rule("day", "the? <nth> day? of the|this month")
def nth_day_of_this_month(reading: Reading, day: int) -> Span | None:
    """Read "the 26th day of the month"."""
    found = on(reading.today.year, reading.today.month, day)
    return reading.days(found, found + timedelta(days=1)) if found else None


@rule("day", "the? <nth> day? of|in <stretch>")
def nth_day(reading: Reading, nth: int, span: Span) -> Span | None:
    """Read "20th of the previous month", "the first day of 2019"."""
    if span.start is None or span.end is None or span.grain not in (Grain.WEEK, Grain.MONTH, Grain.YEAR):
        return None
    if span.grain is Grain.MONTH and span.start.day != 1:
        return None
    first = span.start.date() + timedelta(days=nth - 1)
    return reading.days(first, first + timedelta(days=1)) if first < span.end.date() else None


@rule("day", "the? last day of|in <stretch>")
def last_day(reading: Reading, span: Span) -> Span | None:
    """Read "the last day of May"."""
    if span.end is None or span.grain < Grain.WEEK:
        return None
    after = span.end.date()
    return reading.days(after - timedelta(days=1), after)


@rule("day", "the? <nth> <weekday> of|in|from? <stretch>", "<stretch> ,|on|'s? the? <nth> <weekday>")
def nth_weekday_of(reading: Reading, *given: int | Span) -> Span | None:
    """Read "the first Monday of last month", "last month's first Monday"."""
    (nth, weekday), (span,) = (
        [value for value in given if isinstance(value, int)],
        [value for value in given if isinstance(value, Span)],
    )
    day = nth_weekday(span, weekday, nth)
    return reading.days(day, day + timedelta(days=1)) if day else None


@rule("day", "the? [last|final] <weekday> of|in|from <stretch>")
def last_weekday_of(reading: Reading, _: str, weekday: int, span: Span) -> Span | None:
    """Read "the last Friday of October"."""
    day = nth_weekday(span, weekday, -1) if span.grain >= Grain.MONTH else None
    return reading.days(day, day + timedelta(days=1)) if day else None


@rule(
    "day",
    "the? second|next|two to|from last <weekday> of|in|from? <stretch>",
    "the? penultimate <weekday> of|in <stretch>",
)
def last_weekday_but_one(reading: Reading, weekday: int, span: Span) -> Span | None:
    """Read "the second to last Friday of October"."""
    day = nth_weekday(span, weekday, -2) if span.grain >= Grain.MONTH else None
    return reading.days(day, day + timedelta(days=1)) if day else None


@rule("day", "<weekday> ,|-|of|from|in|on? the? <week span>", "<week span> ,|-|on|'s? <weekday>")
def weekday_of_week(reading: Reading, first: int | Span, second: int | Span) -> Span | None:
    """Read "Sunday from last week", "this week Monday"."""
    weekday, span = (first, second) if isinstance(first, int) else (second, first)
    if not isinstance(weekday, int) or not isinstance(span, Span):
        return None
    day = nth_weekday(span, weekday, 1)
    return reading.days(day, day + timedelta(days=1)) if day else None


# ---- several days of a month


@rule("days of month", "<dom> and|or the? <dom>", "<dom> , the? <dom>", "<dom> , and|or the? <dom>")
def two_days(_: Reading, first: int, second: int) -> tuple[int, ...] | None:
    """Read "3 and 5", where a month stands beside them."""
    return (first, second) if first < second else None


@rule("days of month", "<dom> , the? <days of month>")
def more_days(_: Reading, first: int, others: tuple[int, ...]) -> tuple[int, ...] | None:
    """Read "3, 5 and 7"."""
    return (first, *others) if first < others[0] else None


@rule("days", "<days of month> of? <month>", "<days of month> of? <month> <year part>")
@rule("days", "<days of month> of? <month> <yyyy>")
def days_before_month(reading: Reading, days: tuple[int, ...], month: int, year: int | None = None) -> Spans | None:
    """Read "the 3rd, 5th and 7th of November"."""
    spans = [resolved(reading, Partial(year, month, day)) for day in days if _valid(year, month, day)]
    found = tuple(span for span in spans if span is not None)
    return found if len(found) == len(days) else None


@rule("day numbers", "<month> ~.? the? <days of month>", "<month> the? <days of month> <year part>")
def days_behind_month(reading: Reading, month: int, days: tuple[int, ...], year: int | None = None) -> Spans | None:
    """Read "Nov 3, 5 and 7"."""
    return days_before_month(reading, days, month, year)


@rule("days", "on <slashed> and|or <slashed>", "on <slashed> , <slashed> ,? and|or <slashed>")
def slashed_days(reading: Reading, *dates: Partial) -> Spans | None:
    """Read "on 3/11, 5/11 and 7/11"."""
    spans = tuple(span for date in dates if (span := resolved(reading, date)) is not None)
    return spans if len(spans) == len(dates) else None


@rule("numbered days", "the? <digit nth> and|or|, the? <digit nth>")
def two_numbered(_: Reading, first: int, second: int) -> tuple[int, ...]:
    """Read "the 3rd and the 5th"."""
    return (first, second)


@rule("numbered days", "the? <digit nth> , and? the? <numbered days>")
def more_numbered(_: Reading, first: int, others: tuple[int, ...]) -> tuple[int, ...]:
    """Read "the 3rd, the 5th and the 7th"."""
    return (first, *others)


@rule("days", "on <numbered days>", "on <numbered days> of|in|, the? <stretch>", "<numbered days> of the? <stretch>")
def numbered_days(reading: Reading, days: tuple[int, ...], span: Span | None = None) -> Spans | None:
    """Read "on the 3rd and the 5th", "the 3rd and 5th of last month"."""
    if span is not None:
        found = [nth_day(reading, day, span) for day in days]
    else:
        found = [resolved(reading, Partial(day=day)) for day in days if 1 <= day <= 31]
    spans = tuple(value for value in found if isinstance(value, Span))
    return spans if len(spans) == len(days) else None


def _in_some_order(reading: Reading, first: int, second: int, year: int) -> Partial | None:
    month_first, day_first = _valid(year, first, second), _valid(year, second, first)
    return (month_first or day_first) if reading.conventions.month_first else (day_first or month_first)


def _valid(year: int | None, month: int, day: int) -> Partial | None:
    return Partial(year, month, day) if on(year or 2000, month, day) else None
