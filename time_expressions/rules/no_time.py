"""Rules for what is named like a time and is none: "31 November", "25:00", "the fifth Sunday of last month".

No part of it may be taken for a time of its own: who asks for 31 November does not mean all of November.
"""

from time_expressions.calendar import nth_weekday, on
from time_expressions.chart import Grammar
from time_expressions.meanings import NO_TIME, Grain, NoTime, Reading, Span

GRAMMAR = Grammar()
rule = GRAMMAR.rule

_A_LEAP_YEAR = 2000


@rule("no time", "<dom> of? <month>", "<dd> ~. <month>", "<dom> ~-|/ ~<month>", "<dom> of? <month> ~.? <year part>")
@rule("no time", "<dom> ~-|/ ~<month> ~-|/ ~<year>", "on <dd> <month>")
def day_month(_: Reading, day: int, month: int, year: int | None = None) -> NoTime | None:
    """Read "31 November", "29 Feb 2025"."""
    return NO_TIME if on(year or _A_LEAP_YEAR, month, day) is None else None


@rule(
    "no time", "<month> ~.? the? <dom>", "<month> ~.? the? <dom> <year part>", "<month> ~-|/ ~<dom>", "on <month> <dd>"
)
def month_day(reading: Reading, month: int, day: int, year: int | None = None) -> NoTime | None:
    """Read "Nov 31", "February 29, 2025"."""
    return day_month(reading, day, month, year)


@rule("no time", "<dd> ~/|-|. ~<dd> ~/|-|. ~<yyyy>")
def digits_with_year(_: Reading, first: int, second: int, year: int) -> NoTime | None:
    """Read "31/11/2026"."""
    return NO_TIME if on(year, first, second) is None and on(year, second, first) is None else None


@rule("no time", "<yyyy> ~/|-|. ~<dd> ~/|-|. ~<dd>")
def iso_date(_: Reading, year: int, month: int, day: int) -> NoTime | None:
    """Read "2026-13-01"."""
    return NO_TIME if on(year, month, day) is None else None


@rule("no time", "<yyyy> ~- ~<dd>")
def iso_month(_: Reading, __: int, month: int) -> NoTime | None:
    """Read "2026-13"."""
    return None if 1 <= month <= 12 else NO_TIME


@rule("no clock", "<dd> ~: ~<two digits>", "<dd> ~: ~<two digits> [am|pm]")
def clock(_: Reading, hour: int, minute: int, half: str = "") -> NoTime | None:
    """Read "25:00"."""
    return NO_TIME if hour > 24 or minute > 59 or (hour == 24 and minute) or (hour > 12 and half == "am") else None


@rule("no clock", "<dd> [am|pm]")
def hour(_: Reading, hour: int, __: str) -> NoTime | None:
    """Read "25pm"."""
    return NO_TIME if hour > 24 else None


@rule("no time", "<day part or day> ,? at|from|between|until|before|after|since? <no clock>")
@rule("no time", "at|from|between|until|before|after|since? <no clock> ,? on|of? <day part or day>")
def clock_of_day(_: Reading, *__: object) -> NoTime:
    """Read "yesterday at 25:00"."""
    return NO_TIME


@rule("no time", "the? <nth> <weekday> of|in|from? <stretch>")
def nth_weekday_of(_: Reading, nth: int, weekday: int, span: Span) -> NoTime | None:
    """Read "the fifth Sunday of last month", which had four."""
    return NO_TIME if span.grain >= Grain.MONTH and nth_weekday(span, weekday, nth) is None else None


@rule("no time", "the? <digit nth> day? of|in <stretch>", "the? <nth word> day? of|in <stretch>")
def nth_day_of(_: Reading, nth: int, span: Span) -> NoTime | None:
    """Read "the 31st of last month", which had thirty days."""
    if span.start is None or span.end is None or span.grain is not Grain.MONTH:
        return None
    return NO_TIME if nth > (span.end.date() - span.start.date()).days else None


@rule("no time", "q ~<count>", "quarter <count>", "the? <digit nth> quarter")
def quarter(_: Reading, number: int) -> NoTime | None:
    """Read "Q5"."""
    return None if 1 <= number <= 4 else NO_TIME


@rule("no time", "the? week|wk number? <count>", "calendar week <count>", "<yyyy> ~-? ~w ~<count>")
def week(_: Reading, *numbers: int) -> NoTime | None:
    """Read "week 54"."""
    return None if 1 <= numbers[-1] <= 53 else NO_TIME


@rule("no time", "<no time> ,|of|in? <year part>", "<no time> ,|of|in|from? <week span>", "<no time> ,|of|in? <span>")
@rule("not placed", "in|at|during|one? the? <part> <week span>")
@rule("no time", "<weekday> ,|.? <no time>", "the? <part> of|on <no time>", "<no time> at|in? <part>")
@rule("no time", "<weekday> <part> ,? <no time>", "<no time> ,? at|from|between? <clock>", "<clock> on <no time>")
@rule("no time", "from|between? <no time> to|till|until|through|-|~|and <any>", "<no time> to|until|-|~ <range date>")
@rule("no time", "from|between? <any> to|till|until|through|-|~ <no time>", "between <any> and <no time>")
@rule("no time", "from|between <range date> to|till|until|through|-|~|and <no time>", "<range day> -|~ <no time>")
def with_no_time(_: Reading, *__: object) -> NoTime:
    """Read "from 31 November to 3 December": no end without a beginning."""
    return NO_TIME
