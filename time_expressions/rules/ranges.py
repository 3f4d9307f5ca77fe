"""Rules for stretches with two ends, or with one: "from May to July", "since Friday", "before 5pm"."""

from dataclasses import replace
from datetime import datetime, timedelta

from time_expressions.calendar import nth_weekday, on, resolved, resolved_after, unit_span
from time_expressions.chart import Grammar
from time_expressions.meanings import Amount, Clock, Grain, Partial, Reading, Span, Unit, add_months
from time_expressions.rules.clock import day_of, minutes_of

GRAMMAR = Grammar()
rule = GRAMMAR.rule

# ---- what a range may begin or end with


@rule("any", "<span>", "<day>", "<week span>", "<part span>", "<bare month>", "<bare year>", "<weekday span>")
@rule(
    "any", "<slashed span>", "<day of month>", "<moment>", "on <day>", "on <weekday span>", "<day before>", "the <day>"
)
def anything(_: Reading, span: Span) -> Span:
    """Take any time for an end of a range."""
    return span


@rule("range date", "<date>", "<day date>", "<month date>", "<slashed>", "on <date>", "this|last <slashed>")
@rule("range date", "<weekday date>", "this|next|last? <weekday date> <slashed>", "the <month date>")
def date_with_gaps(_: Reading, *dates: Partial) -> Partial:
    """Take a date that its other end may complete."""
    return dates[-1]


@rule("range date", "this <month>")
def month_of_this_year(reading: Reading, month: int) -> Partial:
    """Read "this May"."""
    return Partial(reading.today.year, month)


@rule("range date", "<month>", "<month> ~.")
def month_with_gaps(_: Reading, month: int) -> Partial:
    """Take a month that its other end may complete."""
    return Partial(month=month)


@rule("range date", "the? year? <yyyy>", "<year word>")
def year_in_range(_: Reading, year: int) -> Partial | None:
    """Take a year."""
    return Partial(year=year) if 1900 <= year < 2100 else None


@rule("numbered day", "<digit nth>")
@rule("range day", "<dom>")
def day_with_gaps(_: Reading, day: int) -> Partial:
    """Take a day whose month the other end tells."""
    return Partial(day=day)


# ---- from one to another


@rule(
    "range",
    "from? <range date> to|till|til|until|thru|through|-|~ <range date>",
    "between <range date> and|-|to|through|~ <range date>",
)
@rule("range", "from <range day> to|till|until|through|- <range date>", "between <range day> and|-|to <range date>")
@rule(
    "range", "from? <range date> to|till|until|through|thru|-|~ <range day>", "between <range date> and|- <range day>"
)
@rule(
    "range",
    "<range day> .? -|~|bis <range date>",
    "<range day> to|through|thru <range date>",
    "<range day> ~/ ~<day date>",
    "<range day> ~/ ~<named date>",
    "<day date> ~/ ~<range day>",
    "in <range date> through|to <range date>",
)
@rule("range", "from <dashed> ~- ~<date>", "from <date> ~-? <date>")
@rule("range", "the? <numbered day> to|till|until|through|thru|-|~ the? <numbered day>")
@rule("range", "<full dotted> -|~|to|bis <dotted>", "from|between <dotted> to|until|till|and|-|~ <dotted>")
@rule(
    "range",
    "<dotted> -|~|to|until|bis <dotted date>",
    "<range day> ~. -|~|bis <dotted>",
    "<range day> ~. -|~|bis <dotted date>",
)
@rule("iso range", "<iso date> ~/ ~<iso date>", "<iso date> ~/ ~<range day>", "<month date> ~/ ~<month date>")
def between_dates(reading: Reading, first: Partial, last: Partial) -> Span | None:
    """Read "Nov 18 to Dec 19, 2015": what one end leaves out the other tells; the last one comes after the first."""
    if last == Partial(day=last.day) and first.month is None and first != Partial(day=first.day):
        return None  # no day of a month, but a second number
    start, last = _start(reading, first, last)
    if start is None or start.start is None:
        return None
    end = resolved_after(reading, last, start.start.date())
    return _between(reading, start, end) if end else None


@rule("range", "from? <month> .? <dom> -|to|until|till|through|thru|~ <dom> <year part>")
def days_of_month_of_year(reading: Reading, month: int, first: int, last: int, year: int) -> Span | None:
    """Read "Nov 9-15, 2025"."""
    start, end = on(year, month, first), on(year, month, last)
    return reading.days(start, end + timedelta(days=1)) if start and end and start <= end else None


@rule("range", "from <any> to|till|until|through|- <range date>", "between <any> and|- <range date>")
@rule("range", "<moment> to|till|until|through|-|~ <range date>")
def from_span_to_date(reading: Reading, start: Span, last: Partial) -> Span | None:
    """Read "between now and November 15th": the date comes after the start."""
    first = start.moment or start.start
    if first is None or last.year is not None:
        return None
    end = resolved_after(reading, last, first.date())
    return _between(reading, start, end) if end else None


@rule(
    "range",
    "from <any> to|till|til|until|through|- <any>",
    "between <any> and|- <any>",
    "<day> to|till|until|through|- <day>",
)
@rule(
    "range",
    "<any> to|till|until|through now",
    "<span> to|till|until|through|- <span>",
    "<day> to|until|through|till <span>",
    "<moment> to|till|until|through|-|~|/ <moment>",
    "<weekday span> to|till|until|through|-|~ <moment>",
    "<moment> to|till|until|through|-|~ <day>",
    "<day> to|till|until|through|-|~ <moment>",
    "<any> -|~ now|today",
)
@rule("range", "from <any> to|until|till date|present", "<week span> to|through|until <week span>")
def between_spans(reading: Reading, start: Span, end: Span | None = None) -> Span | None:
    """Read "from the middle of March to the end of September"."""
    return _between(reading, start, end or Span(reading.now, reading.now, Grain.MOMENT))


@rule("range", "from? <weekday> to|through|until|till|thru|-|~ <weekday> of|from|in? <week span>")
@rule("range", "between <weekday> and|to|- <weekday> of|from|in? <week span>")
def weekdays_of_week(reading: Reading, first: int, last: int, week: Span) -> Span | None:
    """Read "Monday through Friday of last week"."""
    start, end = nth_weekday(week, first, 1), nth_weekday(week, last, 1)
    return reading.days(start, end + timedelta(days=1)) if start and end and start <= end else None


@rule("range", "since|after <time of range>")
def since_time_of_day(reading: Reading, clock: Clock) -> Span:
    """Read "since 9am", today's, or yesterday's when that is still to come."""
    start = reading.at(reading.today, clock.minutes)
    passed = start <= reading.now
    return Span(start if passed else reading.at(reading.today - timedelta(days=1), clock.minutes), None, Grain.HOUR)


@rule("range", "from <any> to|till|until|-|~ <time of range>", "between <any> and <time of range>")
@rule("range", "<moment> to|till|until|through|-|~ <time of range>")
def from_span_to_clock(reading: Reading, start: Span, clock: Clock) -> Span | None:
    """Read "between now and eight o'clock": the first time after the start that it is so late."""
    first = start.moment or start.start
    if first is None:
        return None
    ways = [clock] if clock.sure else [clock, clock.later()]
    moments = [reading.at(first.date(), way.minutes + day * 24 * 60, way.zone) for day in (0, 1) for way in ways]
    end = next((moment for moment in moments if moment > first), None)
    return Span(first, end, Grain.HOUR) if end else None


@rule("range", "from <clock> to|till|until now", "between <clock> and now")
def from_clock_to_now(reading: Reading, clock: Clock) -> Span | None:
    """Read "between eight o'clock and now"."""
    start = reading.at(reading.today, clock.minutes)
    return Span(start, reading.now, Grain.HOUR) if start < reading.now else None


# ---- with one end


@rule("range", "ever? since <any>", "from <any> on|onward|onwards|forward", "no earlier than <any>")
@rule("range", "starting|beginning on|from|in|with? <any>", "<any> or|and later|after|onward|onwards|newer|greater")
@rule("range", "on|in? <bare year> or|and later|after|greater|onwards", "year? greater than or equal <any>")
def since(_: Reading, span: Span) -> Span:
    """Read "since August"."""
    return _from(span.start if span.edge else span.moment or span.start, span)


@rule("range", "after <any>", "later than <any>", "newer than <any>", "year? greater than <any>")
def after(_: Reading, span: Span) -> Span | None:
    """Read "after February": what is named is over then."""
    return _from(span.moment or span.end, span) if span.end else None


@rule("range", "before|predating <any>", "prior to <any>", "earlier|older than <any>", "year? less than <any>")
def before(_: Reading, span: Span) -> Span | None:
    """Read "before the end of June"."""
    end = span.moment or span.start
    return Span(None, end, span.grain) if end else None


@rule("range", "> = <bare year>", "> ~= <bare year>")
def from_year(_: Reading, year: Span) -> Span:
    """Read ">= 2019"."""
    return replace(year, end=None)


@rule("range", "< = <bare year>", "< ~= <bare year>")
def until_year(_: Reading, year: Span) -> Span:
    """Read "<= 2019"."""
    return replace(year, start=None)


@rule("range", "by <any>", "no later than <any>", "not later than <any>", "as late as <any>")
@rule(
    "range",
    "until|till|til <any>",
    "up to <any>",
    "up until|till <any>",
    "through <any>",
    "<any> or|and before|earlier|older",
)
def until(reading: Reading, span: Span) -> Span | None:
    """Read "until Friday"."""
    end = span.moment or (span.end if reading.conventions.range_end_included else span.start)
    return Span(None, end, span.grain) if end else None


@rule("range", "till|to|until date", "up to|until now", "until|up to the present", "thus|so far")
def until_now(reading: Reading) -> Span:
    """Read "to date"."""
    return Span(None, reading.now, Grain.MOMENT)


@rule("time range", "<timed day> ,? [after|past|since|from|before|by|until|till] about|around? <time of range>")
@rule("time range", "<timed day> [no] later than about? <time of range>")
@rule("hour range", "<timed day> ,? [after|since|before|by|until|till] about|around? <bare time>")
def day_bounded_by_time(reading: Reading, day: Span, word: str, clock: Clock) -> Span | None:
    """Read "Thursday before 5pm": within that day, unless the conventions leave the other end open."""
    if day.start is None or day.end is None:
        return None
    minutes = minutes_of(reading, clock, day.part)
    first = word in ("after", "past", "since", "from")
    if minutes == 0 and not first:
        minutes = 24 * 60  # until midnight: the one that ends the day
    moment = reading.at(day_of(day), minutes, clock.zone)
    stays = reading.conventions.bounds_stay_in_day
    if first:
        return _forward(moment, day.end if stays and word != "since" else None)
    return _forward(day.start if stays else None, moment)


def _forward(start: datetime | None, end: datetime | None) -> Span | None:
    return Span(start, end, Grain.HOUR) if start is None or end is None or start < end else None


@rule("time range", "[after|since|from|before|by|until|till] about|around? <time of range> on|of? <timed day>")
@rule("hour range", "[after|since|before|by|until|till] about|around? <bare time> on|of? <timed day>")
def bounded_by_time_of_day(reading: Reading, word: str, clock: Clock, day: Span) -> Span | None:
    """Read "before 5pm on Thursday"."""
    return day_bounded_by_time(reading, day, word, clock)


@rule(
    "time range",
    "<time of range> or|and later|after on|of? <timed day>",
    "<timed day> ,? <time of range> or|and later|after",
)
def time_or_later(reading: Reading, first: Span | Clock, second: Span | Clock) -> Span | None:
    """Read "3pm or later on Monday"."""
    day, clock = (first, second) if isinstance(first, Span) else (second, first)
    if not isinstance(day, Span) or not isinstance(clock, Clock):
        return None
    return day_bounded_by_time(reading, day, "after", clock)


@rule("timed day", "<day>", "<weekday span>", "<slashed span>", "<part span>", "<day of month>")
def timed_day(_: Reading, day: Span) -> Span:
    """Take a day that a time of day may bound."""
    return day


@rule("bare time", "<hour>")
def hour_of_range(_: Reading, hour: int) -> Clock:
    """Take an hour that bounds a day."""
    return Clock(hour, sure=hour > 12)


@rule("time of range", "<clock>", "<midnight>")
def time_of_range(_: Reading, clock: Clock) -> Clock:
    """Take a time of day that bounds a day."""
    return clock


# ---- so long from a day on


@rule(
    "range",
    "for? <amount> ,? starting|beginning on|from? <any>",
    "for <amount> ,? from <any>",
    "from <any> for <amount>",
)
def so_long_from(reading: Reading, first: Amount | Span, second: Amount | Span) -> Span | None:
    """Read "two weeks starting May 20th"."""
    amount, start = (first, second) if isinstance(first, Amount) else (second, first)
    if not isinstance(amount, Amount) or not isinstance(start, Span) or start.start is None:
        return None
    return Span(start.start, reading.shifted(start.start, amount, 1), start.grain)


@rule("range", "from now until|to <amount> later", "from now until|to <amount> from now")
def from_now_for(reading: Reading, amount: Amount) -> Span:
    """Read "from now until three minutes later"."""
    return Span(reading.now, reading.shifted(reading.now, amount, 1), Grain.HOUR)


def _start(reading: Reading, first: Partial, last: Partial) -> tuple[Span | None, Partial]:
    """Return the start of a range, and its last date with what follows from the first; a start is in the past."""
    completed, last = _completed(first, last)
    start = resolved(reading, completed) or resolved(reading, first)
    if start and start.end and start.end > reading.now and completed == Partial(month=completed.month):
        start = unit_span(reading, add_months(reading.today, -12), Unit.MONTH)  # "from November", said in November
    return start, last


def _completed(first: Partial, last: Partial) -> tuple[Partial, Partial]:
    """Return both ends of a range with what each takes over from the other."""
    if first.month is None and first.day is not None and last.month is not None:
        backwards = last.day is not None and first.day > last.day
        first = replace(first, month=(last.month - 2) % 12 + 1 if backwards else last.month)
    if first.year is None and last.year is not None and first.weekday is None:
        starts_later = (first.month or 1, first.day or 1) > (last.month or 12, last.day or 31)
        first = replace(first, year=last.year - 1 if starts_later else last.year)
    if first.month is not None and last.month is None and last.day is not None and first.year is not None:
        later = first.day is not None and last.day < first.day
        year, month = divmod(first.year * 12 + first.month - 1 + later, 12)
        last = replace(last, year=year, month=month + 1) if on(year, month + 1, last.day) else last
    return first, last


def _between(reading: Reading, start: Span, end: Span) -> Span | None:
    first = start.moment or start.start
    last = end.moment or (end.end if reading.conventions.range_end_included else end.start)
    if first is None or last is None:
        return None
    if last <= first and end.weekly:
        last += timedelta(weeks=1)  # "from Friday 3pm to Monday 9am": the Monday after that Friday
    if last <= first:
        return None
    return Span(first, last, min(start.grain, end.grain))


def _from(start: datetime | None, span: Span) -> Span:
    return replace(span, start=start, end=None, edge=None, moment=None, earlier=False)
