"""Rules for time that is told from now on: "yesterday", "last week", "two days ago", "the past three months"."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from time_expressions.calendar import grain_of, monday_of, nth_weekday, resolved, unit_span
from time_expressions.chart import Grammar
from time_expressions.meanings import CLOCK_UNITS, Amount, Grain, Looks, Partial, Reading, Span, Spans, Unit
from time_expressions.numerals import VAGUE

GRAMMAR = Grammar()
rule = GRAMMAR.rule

_DAYS_FROM_TODAY = {"today": 0, "otd": 0, "yesterday": -1, "tomorrow": 1, "yday": -1}
_AWAY = {
    "this": 0, "current": 0, "present": 0, "same": 0, "last": -1, "past": -1, "previous": -1, "preceding": -1,
    "next": 1, "coming": 1, "following": 1, "upcoming": 1,
}  # fmt: skip

_MOST_DAYS = 53
"""Days that one phrase names: a weekday in a year."""

_LAST = ("last", "past", "previous", "preceding")

# ---- days


@rule("day", "[today|otd|yesterday|tomorrow|yday]", "[today|yesterday] 's", "the? current date|day")
def near_day(reading: Reading, word: str = "today") -> Span:
    """Read "yesterday"."""
    return _day(reading, _DAYS_FROM_TODAY[word])


@rule("day", "[today's|yesterday's|tomorrow's]")
def days_own(reading: Reading, word: str) -> Span:
    """Read "yesterday's"."""
    return _day(reading, _DAYS_FROM_TODAY[word.removesuffix("'s")])


@rule("day", "the? day before yesterday")
def before_yesterday(reading: Reading) -> Span:
    """Read "the day before yesterday"."""
    return _day(reading, -2)


@rule("day", "the? day after tomorrow")
def after_tomorrow(reading: Reading) -> Span:
    """Read "the day after tomorrow"."""
    return _day(reading, 2)


@rule("day before", "the previous|day before|day")
def day_before(reading: Reading) -> Span:
    """Read "the day before", said of nothing else."""
    return _day(reading, -1)


@rule("any", "now", "right now", "this moment", "the present")
def now(reading: Reading) -> Span:
    """Read "now", which bounds other times and names none by itself."""
    return Span(reading.now, reading.now, Grain.MOMENT)


# ---- weekdays


@rule("day", "the? [this|last|past|previous|next|coming] <weekday>", "this|the [past|last|coming] <weekday>")
def weekday_from_now(reading: Reading, word: str, weekday: int) -> Span:
    """Read "last Wednesday"."""
    nearest = Partial(weekday=weekday)
    span = resolved(reading, nearest)
    assert span is not None  # noqa: S101 - every week has one
    if word in ("next", "coming", "upcoming"):
        return _moved(reading, span, 7)
    if word in ("last", "previous") and not reading.conventions.last_weekday_is_nearest:
        monday = monday_of(reading.today) - timedelta(days=7)
        return _day_of(reading, monday + timedelta(days=weekday))
    if word == "this" and span.start is not None and span.start.date() < monday_of(reading.today):
        return span if reading.looks is Looks.BACK else _moved(reading, span, 7)
    return span


@rule("day", "this past <weekday>", "past <weekday>", "most recent <weekday>")
def nearest_weekday(reading: Reading, weekday: int) -> Span | None:
    """Read "this past Wednesday"."""
    return resolved(reading, Partial(weekday=weekday))


@rule("day", "the? <weekday> before last")
def weekday_before_last(reading: Reading, weekday: int) -> Span | None:
    """Read "the Tuesday before last"."""
    span = resolved(reading, Partial(weekday=weekday))
    return _moved(reading, span, -7) if span else None


@rule("day", "the? <weekday> after next")
def weekday_after_next(reading: Reading, weekday: int) -> Span | None:
    """Read "the Tuesday after next"."""
    span = resolved(reading, Partial(weekday=weekday))
    return _moved(reading, span, 14) if span else None


@rule("week span", "the? <week unit> after next")
@rule("span", "the? <long unit> after next")
def unit_after_next(reading: Reading, unit: Unit) -> Span:
    """Read "the week after next"."""
    return unit_span(reading, reading.today, unit, away=2)


@rule("day", "a week ago on? <weekday>", "<weekday> a week ago", "<weekday> of? the? week before last")
def weekday_a_week_ago(reading: Reading, weekday: int) -> Span | None:
    """Read "a week ago Tuesday"."""
    span = resolved(reading, Partial(weekday=weekday))
    return _moved(reading, span, -7) if span else None


# ---- one unit


@rule("week span", "the? [this|current|last|past|previous|next|coming] <week unit>", "[this|last|next] <week unit> 's")
def week_from_now(reading: Reading, word: str, unit: Unit) -> Span:
    """Read "last week", "this weekend"."""
    return _unit(reading, word, unit)


@rule("span", "[this|current|last|past|previous|preceding|next|coming] calendar? <long unit>")
@rule("span", "the [current|previous|preceding|next|coming|following] calendar? <long unit>")
def unit_from_now(reading: Reading, word: str, unit: Unit) -> Span:
    """Read "last month"."""
    return _unit(reading, word, unit)


@rule("week span", "the? <week unit> before last")
def week_before_last(reading: Reading, unit: Unit) -> Span:
    """Read "the week before last"."""
    return unit_span(reading, reading.today, unit, away=-2)


@rule("day before", "the <week unit> before")
def week_before(reading: Reading, unit: Unit) -> Span:
    """Read "the week before", said of nothing else."""
    return unit_span(reading, reading.today, unit, away=-1)


@rule("span", "the? <long unit> before last")
def unit_before_last(reading: Reading, unit: Unit) -> Span:
    """Read "the month before last"."""
    return unit_span(reading, reading.today, unit, away=-2)


@rule("the unit", "[for|in] the <unit>", "[during] the <unit>")
def the_unit(reading: Reading, _: str, unit: Unit) -> Span | None:
    """Read "for the week": the one that goes on."""
    return None if unit in CLOCK_UNITS else unit_span(reading, reading.today, unit)


@rule("week unit", "<unit>")
def week_unit(_: Reading, unit: Unit) -> Unit | None:
    """Take a week, a fortnight or a weekend."""
    return unit if unit in (Unit.WEEK, Unit.WEEKEND, Unit.FORTNIGHT) else None


@rule("long unit", "<unit>")
def long_unit(_: Reading, unit: Unit) -> Unit | None:
    """Take a month or what is longer."""
    return unit if grain_of(unit) >= Grain.MONTH else None


@rule("week span", "[this|last|next|previous] working|work|business week", "the working|work|business week")
def working_week(reading: Reading, word: str = "this") -> Span:
    """Read "this working week", Monday to Friday."""
    week = _unit(reading, word, Unit.WEEK)
    return replace(week, end=week.end - timedelta(days=2)) if week.end else week


# ---- amounts


@rule("amount", "<count> -? <unit>")
def amount(_: Reading, count: int, unit: Unit) -> Amount:
    """Read "three weeks"."""
    return Amount(((count, unit),))


@rule("amount", "a|an|one <unit>")
def one_unit(_: Reading, unit: Unit) -> Amount:
    """Read "a week"."""
    return Amount(((1, unit),))


@rule("amount", "<count> business|working|work day|days", "<count> weekdays")
def business_days(_: Reading, count: int) -> Amount:
    """Read "four business days"."""
    return Amount(((count, Unit.BUSINESS_DAY),))


@rule("amount", "a? [couple|few|several] of? <unit>", "the [few] <unit>")
def some(_: Reading, word: str, unit: Unit) -> Amount:
    """Read "a couple of weeks": two of them, and a few are three."""
    return Amount(((VAGUE[word], unit),))


@rule("amount", "<amount> ,|and? <amount>")
def amounts(_: Reading, first: Amount, second: Amount) -> Amount | None:
    """Read "three months and two weeks"."""
    falling = list(Unit).index(first.unit) > list(Unit).index(second.parts[0][1])
    return Amount(first.parts + second.parts) if falling and len(first.parts) < 4 else None


_A_HALF = 5  # tenths
_HALVES = {
    Unit.WEEK: (3, Unit.DAY),
    Unit.DECADE: (5, Unit.YEAR),
    Unit.MINUTE: (30, Unit.SECOND),
    Unit.YEAR: (6, Unit.MONTH),
    Unit.MONTH: (15, Unit.DAY),
    Unit.DAY: (12, Unit.HOUR),
    Unit.HOUR: (30, Unit.MINUTE),
}


@rule("amount", "a|an|one <unit> and a half", "<count> and a half <unit>")
def and_a_half(_: Reading, *given: int | Unit) -> Amount | None:
    """Read "a year and a half"."""
    unit = next(value for value in given if isinstance(value, Unit))
    count = next((value for value in given if not isinstance(value, Unit)), 1)
    return Amount(((count, unit), _HALVES[unit])) if unit in _HALVES else None


_QUARTERS = {Unit.YEAR: (3, Unit.MONTH), Unit.DAY: (6, Unit.HOUR), Unit.HOUR: (15, Unit.MINUTE)}


@rule("amount", "[a] quarter of an|a <unit>", "<count> quarters of an|a <unit>", "[quarter|quarters] of an|a <unit>")
def quarters_of_a_unit(_: Reading, count: str | int, unit: Unit) -> Amount | None:
    """Read "a quarter of an hour", "three quarters of an hour"."""
    if unit not in _QUARTERS:
        return None
    amount, finer = _QUARTERS[unit]
    return Amount(((amount * (count if isinstance(count, int) else 1), finer),))


@rule("amount", "<count> ~. ~<one digit> <unit>")
def decimal_amount(_: Reading, count: int, tenths: int, unit: Unit) -> Amount | None:
    """Read "1.5 hours"."""
    if tenths != _A_HALF or unit not in _HALVES:
        return None
    return Amount(((count, unit), _HALVES[unit])) if count else Amount((_HALVES[unit],))


@rule("amount", "half a|an <unit>")
def half_a_unit(_: Reading, unit: Unit) -> Amount | None:
    """Read "half a year"."""
    return Amount((_HALVES[unit],)) if unit in _HALVES else None


_LETTERS = {
    "d": Unit.DAY, "w": Unit.WEEK, "y": Unit.YEAR, "mo": Unit.MONTH, "mos": Unit.MONTH, "m": Unit.MINUTE,
    "s": Unit.SECOND,
}  # fmt: skip


@rule("amount", "<count> [d|w|mo|mos]", "<count> ~[d|w|mo|mos|y|m|s]")
def amount_by_letter(_: Reading, count: int, letter: str) -> Amount:
    """Read "2d", "1mo"; a single m is a minute."""
    return Amount(((count, _LETTERS[letter]),))


# ---- so long ago


_AGO = "about|around|roughly|some|exactly? <amount> ago|back|earlier"


@rule("day", _AGO)
def days_ago(reading: Reading, amount: Amount) -> Span | None:
    """Read "three days ago"."""
    if grain_of(amount.unit) is not Grain.DAY:
        return None
    return _day_of(reading, reading.shifted(reading.now, amount, -1).date())


def _ago(reading: Reading, amount: Amount) -> Span | None:
    return days_ago(reading, amount) if grain_of(amount.unit) is Grain.DAY else ago(reading, amount)


@rule("span", _AGO)
def ago(reading: Reading, amount: Amount) -> Span | None:
    """Read "two weeks ago": the week that holds that moment; what is told in hours or minutes is about that time."""
    moment = reading.shifted(reading.now, amount, -1)
    if amount.unit in CLOCK_UNITS:
        margin = min(timedelta(minutes=30), max(timedelta(minutes=2), (reading.now - moment) / 4))
        return Span(moment - margin, moment + margin, Grain.HOUR, moment=moment)
    return unit_span(reading, moment.date(), amount.unit) if grain_of(amount.unit) is not Grain.DAY else None


@rule("span", "about|around|roughly? <count> or|to|-|~ <count> <unit> ago|back")
def some_ago(reading: Reading, least: int, most: int, unit: Unit) -> Span | None:
    """Read "two or three weeks ago", "2-3 weeks ago": all of them."""
    first, last = (_ago(reading, Amount(((count, unit),))) for count in (most, least))
    if first is None or last is None or not least < most:
        return None
    return replace(first, end=last.end, moment=None)


@rule("span", "about|around? a|an|one <unit> or two ago|back", "one or two <unit> ago|back")
def one_or_two_ago(reading: Reading, unit: Unit) -> Span | None:
    """Read "a week or two ago": both of them."""
    return some_ago(reading, 1, 2, unit)


@rule("span", "the? last|past|previous <count> or|to|-|~ <count> <unit>")
def last_some(reading: Reading, _: int, most: int, unit: Unit) -> Span:
    """Read "the last 2-3 weeks": the longer one."""
    return _rolling(reading, Amount(((most, unit),)))


@rule("days", "the? last|past|previous <count> <weekdays>", "the? last|past [couple|few] of? <weekdays>")
def last_weekdays(reading: Reading, count: int | str, weekday: int) -> Spans | None:
    """Read "the last two Fridays", the earliest first."""
    number = VAGUE[count] if isinstance(count, str) else count
    nearest = resolved(reading, Partial(weekday=weekday))
    if nearest is None or not 1 <= number <= _MOST_DAYS:
        return None
    return tuple(_moved(reading, nearest, -7 * (number - 1 - nth)) for nth in range(number))


@rule("days", "the? [first|last|final] <count> <weekdays> of|in|from? the? <stretch>")
def some_weekdays_of(reading: Reading, word: str, count: int, weekday: int, span: Span) -> Spans | None:
    """Read "the last two Fridays of October"."""
    if not 1 <= count <= _MOST_DAYS or span.grain not in (Grain.MONTH, Grain.YEAR):
        return None
    numbers = range(1, count + 1) if word == "first" else range(-count, 0)
    days = [nth_weekday(span, weekday, number) for number in numbers]
    return tuple(_day_of(reading, day) for day in days if day) if None not in days else None


@rule("days", "all|on? the? <weekdays> of|in|during|from|over? the? <stretch>")
@rule("days", "every|each <weekday> of|in|during|from? the? <stretch>", "<stretch> on <weekdays>")
def weekdays_of(reading: Reading, first: int | Span, second: int | Span) -> Spans | None:
    """Read "every Friday last month", as far as they are over."""
    weekday, span = (first, second) if isinstance(first, int) else (second, first)
    if not isinstance(span, Span) or not isinstance(weekday, int):
        return None
    days = (nth_weekday(span, weekday, nth) for nth in range(1, _MOST_DAYS + 1))
    past = [_day_of(reading, day) for day in days if day is not None and day <= reading.today]
    return tuple(past) or None if span.grain in (Grain.WEEK, Grain.MONTH, Grain.YEAR) else None


@rule("span", "[fortnight|week|month|year] ago")
def one_ago(reading: Reading, word: str) -> Span | None:
    """Read "fortnight ago"."""
    return ago(reading, Amount(((1, Unit(word)),)))


@rule("day", "<count> <weekdays> ago|back", "a? [couple|few] of? <weekdays> ago|back")
def weekdays_ago(reading: Reading, given: int | str, weekday: int) -> Span | None:
    """Read "two Fridays ago"."""
    count = VAGUE[given] if isinstance(given, str) else given
    nearest = resolved(reading, Partial(weekday=weekday))
    return _moved(reading, nearest, -7 * (count - 1)) if nearest and 1 <= count <= 100 else None


@rule("day", "<amount> ago today", "<amount> before|prior <day>", "<amount> prior to <day>")
def amount_before_day(reading: Reading, amount: Amount, day: Span | None = None) -> Span | None:
    """Read "a week ago today", "two days before yesterday"."""
    if amount.unit in CLOCK_UNITS:
        return None
    start = (day or _day(reading, 0)).start
    return _day_of(reading, reading.shifted(start, amount, -1).date()) if start else None


@rule("day", "<amount> after|from|following <day>", "<amount> from|after now", "in <amount> since <any>")
def amount_after_day(reading: Reading, amount: Amount, day: Span | None = None) -> Span | None:
    """Read "three days after May 2nd"."""
    if amount.unit in CLOCK_UNITS:
        return None
    start = (day or _day(reading, 0)).start
    return _day_of(reading, reading.shifted(start, amount, 1).date()) if start else None


@rule("day", "the? <weekday> [before|after|following|preceding] <day>")
def weekday_beside(reading: Reading, weekday: int, word: str, day: Span) -> Span | None:
    """Read "the Friday before Easter": the nearest one that is not the day itself."""
    if day.start is None:
        return None
    away = (weekday - day.start.weekday()) % 7
    return _moved(reading, day, (away - 7) if word in ("before", "preceding") else (away or 7))


@rule("day", "the? day [before|after|following] <day>", "the? day [before|after|following] <weekday span>")
def day_beside(reading: Reading, word: str, day: Span) -> Span:
    """Read "the day after Christmas"."""
    return _moved(reading, day, -1 if word == "before" else 1)


@rule("week span", "the? week [before|after|following] <day>")
def week_beside(reading: Reading, word: str, day: Span) -> Span | None:
    """Read "the week before Christmas": the seven days up to it."""
    if day.start is None:
        return None
    named = day.start.date()
    first = named - timedelta(days=7) if word == "before" else named + timedelta(days=1)
    return reading.days(first, first + timedelta(days=7), Grain.WEEK)


@rule("day", "on? this|the same? day|date [last|previous] <unit>")
def same_day_of(reading: Reading, _: str, unit: Unit) -> Span:
    """Read "this day last year"."""
    return _day_of(reading, reading.shifted(reading.now, Amount(((1, unit),)), -1).date())


@rule("day", "this|the same? time [last|previous] <week unit>", "this|the same? time [last|previous] <long unit>")
def same_time_before(reading: Reading, word: str, unit: Unit) -> Span | None:
    """Read "this time last week": the same day of it; of last year it is the month."""
    return None if unit is Unit.YEAR else same_day_of(reading, word, unit)


@rule("span", "this|the same? time [last|previous] year")
def same_time_last_year(reading: Reading, _: str) -> Span:
    """Read "this time last year": the same month of it."""
    return unit_span(reading, reading.today, Unit.MONTH, away=-12)


@rule("day", "the? last|previous|past business|working|work day", "the? last|previous workday|weekday")
def last_working_day(reading: Reading) -> Span:
    """Read "the last working day"."""
    return _day_of(reading, reading.shifted(reading.now, Amount(((1, Unit.BUSINESS_DAY),)), -1).date())


@rule("span", "more|longer than <amount> ago", "over <amount> ago", "at least <amount> ago")
@rule("span", "more than <amount> before <day>", "more than <amount> prior to <day>")
def long_ago(reading: Reading, amount: Amount, day: Span | None = None) -> Span:
    """Read "more than two weeks ago"."""
    moment = reading.shifted(_floor(reading, amount, day), amount, -1)
    return Span(None, moment, grain_of(amount.unit))


@rule("span", "less than <amount> ago", "within <amount> of? now", "under <amount> ago")
def not_long_ago(reading: Reading, amount: Amount) -> Span:
    """Read "less than an hour ago"."""
    return _rolling(reading, amount)


# ---- the last so many


@rule("span", "the|this|these? last|past|previous|recent|preceding|prior <amount>")
@rule("span", "<count> last|past|previous <several units>", "the? last|past|previous [few|couple] of? <unit>")
def last_amount(reading: Reading, count: Amount | int | str, unit: Unit | None = None) -> Span:
    """Read "the last three days"; a count of quarters is of whole ones."""
    if isinstance(count, Amount):
        return _rolling(reading, count)
    number = VAGUE[count] if isinstance(count, str) else count
    return _rolling(reading, Amount(((number, unit or Unit.DAY),)))


@rule(
    "span",
    "the|this last|past <unit>",
    "this previous <unit>",
    "over|within|during the|this? last|past|previous <unit>",
)
@rule("span", "in|for the last|past <unit>", "past <unit>", "last hour")
def last_unit(reading: Reading, unit: Unit = Unit.HOUR) -> Span:
    """Read "over the last week": the seven days until now; a quarter is a whole one."""
    return _rolling(reading, Amount(((1, unit),)))


@rule("clock unit", "<unit>")
def clock_unit(_: Reading, unit: Unit) -> Unit | None:
    """Take hours, minutes and seconds."""
    return unit if unit in CLOCK_UNITS else None


@rule("span", "the? next|coming|following <amount>", "<amount> from now on", "within the? next? <amount>")
@rule("span", "the? next <clock unit>", "<count> next|coming|following|upcoming <unit>")
def next_amount(reading: Reading, amount: Amount | Unit | int, unit: Unit | None = None) -> Span:
    """Read "the next five minutes"."""
    if isinstance(amount, int):
        amount = Amount(((amount, unit or Unit.DAY),))
    amount = amount if isinstance(amount, Amount) else Amount(((1, amount),))
    return Span(reading.now, reading.shifted(reading.now, amount, 1), grain_of(amount.unit))


# ---- earlier and later in what goes on


@rule("span", "earlier|already in? <this>", "so far <this>", "<this> so far", "<this> already")
def earlier(reading: Reading, this: Span) -> Span | None:
    """Read "earlier today", "so far this year": until now."""
    if this.start is None or this.end is None:
        return None
    if this.grain is Grain.PART_OF_DAY:
        return replace(this, end=min(this.end, reading.now), earlier=True) if this.start < reading.now else None
    if this.end <= reading.now:
        first = this.start.date()
        half = first + (this.end.date() - first) // 2
        return replace(this, end=reading.midnight(half))
    return replace(this, end=reading.now, earlier=this.grain <= Grain.DAY)


@rule("span", "later in? <this>", "the? rest|remainder|remaining of <this>")
def later(reading: Reading, this: Span) -> Span | None:
    """Read "later this month": from now on."""
    if this.start is None or this.end is None or this.end <= reading.now:
        return None
    return replace(this, start=max(this.start, _today(reading)))


_TO_DATE = {
    "year": Unit.YEAR, "quarter": Unit.QUARTER, "month": Unit.MONTH, "week": Unit.WEEK,
    "ytd": Unit.YEAR, "qtd": Unit.QUARTER, "mtd": Unit.MONTH, "wtd": Unit.WEEK,
}  # fmt: skip


@rule("span", "this? [year|month|week|quarter] -? to -? date", "[ytd|qtd|mtd|wtd]")
def to_date(reading: Reading, word: str) -> Span:
    """Read "month to date"."""
    return replace(unit_span(reading, reading.today, _TO_DATE[word]), end=reading.now)


@rule("this", "<day>", "<week span>", "<span>", "the <week unit>", "the <long unit>", "<part span>")
def this(reading: Reading, what: Span | Unit | None = None) -> Span | None:
    """Take what can go on now."""
    if isinstance(what, Unit):
        return unit_span(reading, reading.today, what)
    return what


def _day(reading: Reading, away: int) -> Span:
    return _day_of(reading, reading.today + timedelta(days=away))


def _day_of(reading: Reading, day: date) -> Span:
    return reading.days(day, day + timedelta(days=1))


def _today(reading: Reading) -> datetime:
    return reading.midnight(reading.today)


def _moved(reading: Reading, span: Span, days: int) -> Span:
    assert span.start is not None  # noqa: S101 - a day has one
    return _day_of(reading, span.start.date() + timedelta(days=days))


def _unit(reading: Reading, word: str, unit: Unit) -> Span:
    away = _AWAY[word]
    if unit is Unit.WEEKEND and reading.today.weekday() < 5:
        over = word in _LAST or (word == "this" and reading.looks is not Looks.AHEAD)
        return unit_span(reading, reading.today, unit, away=-1 if over else max(away, 0))
    return unit_span(reading, reading.today, unit, away=away)


def _floor(reading: Reading, amount: Amount, day: Span | None) -> datetime:
    if day is not None and day.start is not None:
        return day.start
    return reading.now if amount.unit in CLOCK_UNITS else _today(reading)


def _rolling(reading: Reading, amount: Amount) -> Span:
    """Return an amount of time until now."""
    unit = amount.parts[0][1]
    if amount.unit in CLOCK_UNITS:
        return Span(reading.shifted(reading.now, amount, -1), reading.now, Grain.HOUR)
    if unit in (Unit.QUARTER, Unit.WEEKEND) and len(amount.parts) == 1:
        this = unit_span(reading, reading.today, unit)
        first = unit_span(reading, reading.today, unit, away=-amount.parts[0][0])
        last = unit_span(reading, reading.today, unit, away=-1)
        return Span(first.start, last.end if unit is Unit.WEEKEND else this.start, Grain.MONTH)
    start = reading.shifted(_today(reading), amount, -1)
    days = 1 if reading.conventions.rolling_includes_today else 0
    return Span(start, reading.midnight(reading.today + timedelta(days=days)), grain_of(amount.unit))
