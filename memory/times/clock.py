"""Rules for times of day: "5pm", "between 9 and 11:30", "yesterday morning", "late last night"."""

from dataclasses import replace
from datetime import date, timedelta

from memory.times.chart import Grammar
from memory.times.meanings import CLOCK_UNITS, Amount, Clock, Grain, Reading, Span

GRAMMAR = Grammar()
rule = GRAMMAR.rule

_PM = ("pm", "p")
_AFTER_NOON = ("afternoon", "evening", "night")

# ---- times


@rule("clock", "<dd> [am|pm]", "<dd> ~[a|p] ~. ~m ~.?", "<dd> [a|p] ~. ~m ~.?")
@rule("clock", "<dd> ~:|. ~<two digits> [am|pm]", "<dd> ~:|. ~<two digits> [a|p] ~. ~m ~.?")
@rule("clock", "<count word> [am|pm]")
def twelve_hours(_: Reading, hour: int, *rest: int | str) -> Clock | None:
    """Read "4:30pm"."""
    minute = rest[0] if isinstance(rest[0], int) else 0
    if not 1 <= hour <= 12 or minute > 59:
        return None
    return Clock(hour % 12 + (12 if rest[-1] in _PM else 0), minute)


@rule("clock", "<dd> ~: ~<two digits>", "<dd> ~: ~<two digits> ~: ~<two digits>", "<dd> ~h ~<two digits>")
def hour_and_minute(_: Reading, hour: int, minute: int, __: int = 0) -> Clock | None:
    """Read "14:30"; up to noon it may be meant for the afternoon."""
    return Clock(hour, minute, sure=hour > 12 or hour == 0) if hour < 24 and minute < 60 else None


@rule("dotted clock", "<dd> ~. ~<two digits>")
def dotted_hour_and_minute(_: Reading, hour: int, minute: int) -> Clock | None:
    """Read "9.30", which is a time only in a range of times."""
    return Clock(hour, minute, sure=hour > 12) if hour < 24 and minute < 60 else None


@rule("clock", "<dd> o'clock", "<count word> o'clock", "<dd> o ' clock")
def full_hour(_: Reading, hour: int) -> Clock | None:
    """Read "eight o'clock"."""
    return Clock(hour, sure=hour > 12) if hour <= 24 else None


@rule("clock", "noon", "midday", "12 noon")
def noon(_: Reading) -> Clock:
    """Read "noon"."""
    return Clock(12)


@rule("clock", "half past <hour>", "half past <hour> [am|pm]")
def half_past(_: Reading, hour: int, half: str = "") -> Clock:
    """Read "half past nine"."""
    return Clock(hour + (12 if half == "pm" and hour < 12 else 0), 30, sure=bool(half))


@rule("hour", "<dd>", "<count word>")
def bare_hour(_: Reading, hour: int) -> int | None:
    """Read a number as an hour."""
    return hour if 0 <= hour <= 24 else None


@rule("clock", "<clock> in the [morning|afternoon|evening]", "<clock> at [night]")
@rule("clock", "<hour> in the [morning|afternoon|evening]", "<hour> at [night]")
def hour_in_part(_: Reading, clock: Clock | int, part: str) -> Clock:
    """Read "2 in the afternoon"."""
    clock = clock if isinstance(clock, Clock) else Clock(clock)
    return replace(clock.later() if part in _AFTER_NOON and clock.hour < 12 else clock, sure=True)


@rule("clock", "around|about|approximately|roughly <clock>", "<clock> or so", "<clock> sharp")
def about(_: Reading, clock: Clock) -> Clock:
    """Read "around 2pm"."""
    return clock


@rule("time", "<clock>", "<dotted clock>", "<hour>")
def time_of_day(_: Reading, time: Clock | int) -> Clock:
    """Take a time that a range of times may begin or end with."""
    return time if isinstance(time, Clock) else Clock(time, sure=time > 12)


# ---- from one time to another


@rule("clocks", "from? <time> to|till|til|until|through|-|~ <time>", "between <time> -|and|to|~ <time>")
@rule("clocks", "at <time> - <time>", "for <time> - <time>", "in <time> to <time>")
def from_to(_: Reading, start: Clock, end: Clock) -> tuple[Clock, Clock]:
    """Read "from 5 to 6pm": what is not said of one end follows from the other."""
    return start, end


# ---- parts of the day


@rule("part span", "[this] <part>", "in [the] <part>")
def part_of_today(reading: Reading, word: str, part: str) -> Span | None:
    """Read "this morning", "in the morning"; without "this" the latest that has begun."""
    today = part_of(reading, reading.today, part)
    begun = today.start is not None and today.start <= reading.now
    return today if begun or word == "this" else part_of(reading, reading.today - timedelta(days=1), part)


@rule("part span", "tonight")
def tonight(reading: Reading) -> Span:
    """Read "tonight"."""
    evening = part_of(reading, reading.today, "evening")
    return replace(part_of(reading, reading.today, "night"), start=evening.start)


@rule(
    "part span",
    "the? last|yesterday|previous <part>",
    "yesterday 's <part>",
    "yesterday's <part>",
    "yesterday in the <part>",
)
def part_of_yesterday(reading: Reading, part: str) -> Span:
    """Read "last night"."""
    return part_of(reading, reading.today - timedelta(days=1), part)


@rule("part span", "the? night before last")
def night_before_last(reading: Reading) -> Span:
    """Read "the night before last"."""
    return part_of(reading, reading.today - timedelta(days=2), "night")


@rule("part span", "the? early|small|wee hours of <day like>")
def small_hours(reading: Reading, day: Span) -> Span | None:
    """Read "the early hours of Sunday": until six."""
    return replace(day, end=reading.at(day.start.date(), 6 * 60), grain=Grain.PART_OF_DAY) if day.start else None


@rule("part span", "overnight", "during the night")
def overnight(reading: Reading) -> Span:
    """Read "overnight", the latest night."""
    return part_of(reading, reading.today - timedelta(days=1), "night")


@rule(
    "part span",
    "<day> ,? in? the? <part>",
    "<weekday span> ,? in? the? <part>",
    "<day> at <part>",
    "<weekday span> at <part>",
)
@rule("part span", "the? <part> of|on <day like>", "at|around <part> on <day like>", "<slashed span> in? the? <part>")
def part_of_day(reading: Reading, one: Span | str, other: Span | str) -> Span | None:
    """Read "Tuesday afternoon"."""
    day, part = (one, other) if isinstance(one, Span) else (other, one)
    return part_of(reading, day.start.date(), str(part)) if isinstance(day, Span) and day.start else None


@rule("part span", "[early|late] on? in? <part span>", "[early|late] in? the? <part span>")
def early_or_late(_: Reading, word: str, span: Span) -> Span | None:
    """Read "late last night": the second half of it, an early one the first."""
    if span.start is None or span.end is None or span.edge:
        return None
    middle = span.start + (span.end - span.start) / 2
    middle = middle.replace(minute=0) - (timedelta(hours=1) if word == "late" and span.part == "night" else timedelta())
    return replace(span, end=middle) if word == "early" else replace(span, start=middle)


@rule("part span", "<weekday span> [early|late] <part>")
def early_or_late_on_day(reading: Reading, day: Span, word: str, part: str) -> Span | None:
    """Read "Friday late afternoon"."""
    span = part_of_day(reading, day, part)
    return early_or_late(reading, word, span) if isinstance(span, Span) else None


# ---- a day and a time of it


@rule("moment", "<day> ~t ~<clock>")
@rule("moment", "<day part or day> ,|at|-|@? ,? at|from|by? <clock>", "<clock> ,? on|of|in? the? <day part or day>")
def moment(reading: Reading, one: Span | Clock, other: Span | Clock) -> Span | None:
    """Read "yesterday at 5pm": that hour, or that minute when minutes are told."""
    day, clock = (one, other) if isinstance(one, Span) else (other, one)
    if not isinstance(day, Span) or not isinstance(clock, Clock) or day.start is None:
        return None
    clock = _fitting(clock, day)
    start = reading.at(day.start.date(), clock.minutes)
    return Span(start, start + timedelta(minutes=1 if clock.minute else 60), Grain.HOUR)


@rule("moment", "<day part or day> at|around|about <hour>", "at|around|about <hour> on? <day part or day>")
def moment_at_hour(reading: Reading, one: Span | int, other: Span | int) -> Span | None:
    """Read "Friday at 5"."""
    day, hour = (one, other) if isinstance(one, Span) else (other, one)
    if not isinstance(day, Span) or not isinstance(hour, int):
        return None
    return moment(reading, day, Clock(hour, sure=hour > 12))


@rule("time span", "<day part or day> ,? at|from|for|between? <clocks>", "<clocks> ,? on|of|in? the? <day part or day>")
@rule("time span", "<day part or day> , <clocks>")
def times_of_day(reading: Reading, one: Span | tuple[Clock, Clock], other: Span | tuple[Clock, Clock]) -> Span | None:
    """Read "Monday 9 to 11"."""
    day, clocks = (one, other) if isinstance(one, Span) else (other, one)
    if not isinstance(day, Span) or isinstance(clocks, Span) or day.start is None:
        return None
    start, end = settled(clocks, day)
    return Span(reading.at(day.start.date(), start.minutes), reading.at(day.start.date(), end.minutes), Grain.HOUR)


@rule("time span", "<clocks>")
def times_of_today(reading: Reading, clocks: tuple[Clock, Clock]) -> Span | None:
    """Read "from 9am to 11:30", today, or yesterday when that is still to come."""
    if not any(clock.sure or clock.minute for clock in clocks):
        return None
    start, end = settled(clocks, None)
    day = (
        reading.today if reading.at(reading.today, start.minutes) <= reading.now else reading.today - timedelta(days=1)
    )
    return Span(reading.at(day, start.minutes), reading.at(day, end.minutes), Grain.HOUR)


@rule(
    "time span",
    "<day part or day> from|starting|at <clock> for <amount>",
    "<day part or day> for <amount> from|starting|at <clock>",
)
def so_long_from(reading: Reading, day: Span, one: Clock | Amount, other: Clock | Amount) -> Span | None:
    """Read "Friday from 9:30am for 7 hours"."""
    clock, amount = (one, other) if isinstance(one, Clock) else (other, one)
    if day.start is None or not isinstance(clock, Clock) or not isinstance(amount, Amount):
        return None
    start = reading.at(day.start.date(), clock.minutes)
    return Span(start, reading.shifted(start, amount, 1), Grain.HOUR) if amount.unit in CLOCK_UNITS else None


@rule("day part or day", "<day>", "<weekday span>", "<part span>", "<slashed span>", "<day of month>", "<dashed span>")
def day_or_part(_: Reading, span: Span) -> Span:
    """Take what a time of day may be of."""
    return span


def part_of(reading: Reading, day: date, part: str) -> Span:
    """Return a part of a day, by the hours of the conventions."""
    first, after = reading.conventions.parts[part]
    return Span(reading.at(day, 60 * first), reading.at(day, 60 * after), Grain.PART_OF_DAY, part=part)


def settled(clocks: tuple[Clock, Clock], day: Span | None) -> tuple[Clock, Clock]:
    """Return both ends of a range with the halves of the dial that are meant.

    An hour without "am" or "pm" takes the half of the other end if the range still runs forward, else the part of
    the day, if one is named; an end before its start is after noon.
    """
    start, end = clocks
    if day is not None and day.part in _AFTER_NOON and not start.sure and not end.sure:
        start, end = start.later(), end.later()
    elif end.sure and not start.sure and end.hour >= 12 and start.hour < 12 and start.later().minutes < end.minutes:
        start = start.later()
    elif start.sure and not end.sure and end.minutes <= start.minutes:
        end = end.later()
    if end.minutes <= start.minutes:
        end = end.later() if end.later().minutes > start.minutes else Clock(end.hour + 24, end.minute)
    return start, end


def _fitting(clock: Clock, day: Span) -> Clock:
    return clock.later() if not clock.sure and day.part in _AFTER_NOON else clock
