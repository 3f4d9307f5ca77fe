"""Rules for times of day: "5pm", "between 9 and 11:30", "yesterday morning", "late last night"."""

from dataclasses import replace
from datetime import date, timedelta, tzinfo

from time_expressions.calendar import resolved
from time_expressions.chart import Grammar
from time_expressions.meanings import CLOCK_UNITS, Amount, Clock, Grain, Partial, Reading, Span
from time_expressions.numerals import TENS
from time_expressions.numerals import UNITS as NUMBERS

GRAMMAR = Grammar()
rule = GRAMMAR.rule

_PM = ("pm", "p")
_NOON, _DAY, _HALF_DAY = 12, 24, 12 * 60
_WITH_ZERO = 9  # the last hour that "0" before it makes one of the twenty-four
_AFTERNOON = range(1, 7)  # the hours that are after noon when nothing is said
_INTO_THE_NEXT_DAY = ("evening", "night")

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


@rule("clock", "<one digit> ~: ~<two digits>", "<one digit> ~h ~<two digits>")
def hour_and_minute(_: Reading, hour: int, minute: int) -> Clock | None:
    """Read "4:30"; it may be meant for the afternoon."""
    return Clock(hour, minute, sure=hour == 0) if minute < 60 else None


@rule("clock", "<two digits> ~: ~<two digits>", "<two digits> ~h ~<two digits>", "<two digits> ~: ~<two digits> h|uhr")
def two_digits_and_minute(_: Reading, hour: int, minute: int) -> Clock | None:
    """Read "14:30" or "04:30", from midnight to midnight; ten to twelve may be meant for the night."""
    return Clock(hour, minute, sure=not _WITH_ZERO < hour <= _NOON) if hour < _DAY and minute < 60 else None


@rule("clock", "<dd> ~: ~<two digits> ~: ~<two digits>", "<dd> ~: ~<two digits> ~: ~<two digits> ~. ~<digits>")
def to_the_second(_: Reading, hour: int, minute: int, second: int, __: str = "") -> Clock | None:
    """Read "14:30:59", to the minute."""
    return Clock(hour, minute) if hour < _DAY and minute < 60 and second < 60 else None


@rule("dotted clock", "<dd> ~. ~<two digits>")
def dotted_hour_and_minute(_: Reading, hour: int, minute: int) -> Clock | None:
    """Read "9.30", which is a time only in a range of times."""
    return Clock(hour, minute, sure=hour > _NOON) if hour < _DAY and minute < 60 else None


@rule("clock", "<dd> o'clock", "<count word> o'clock", "<dd> o ' clock")
def full_hour(_: Reading, hour: int) -> Clock | None:
    """Read "eight o'clock"."""
    return Clock(hour, sure=hour > _NOON) if hour <= _DAY else None


@rule("clock", "<dd> ~h")
def hour_by_letter(_: Reading, hour: int) -> Clock | None:
    """Read "14h"."""
    return Clock(hour, sure=hour > _NOON) if hour <= _DAY else None


@rule("clock", "noon", "midday", "12 noon")
def noon(_: Reading) -> Clock:
    """Read "noon"."""
    return Clock(_NOON)


@rule("midnight", "midnight", "12 midnight")
def midnight(_: Reading) -> Clock:
    """Read "midnight", where a time of day is wanted and not a part of the day."""
    return Clock(0)


@rule("clock", "half past <hour>", "half past <hour> [am|pm]", "half <count word>")
def half_past(_: Reading, hour: int, half: str = "") -> Clock | None:
    """Read "half past nine"."""
    return _beside_hour(hour, 30, half)


@rule("clock", "<count word> [fifteen|thirty]")
def hour_and_minutes_in_words(_: Reading, hour: int, minutes: str) -> Clock | None:
    """Read "one thirty"."""
    return _beside_hour(hour, (NUMBERS | TENS)[minutes], "") if hour <= _NOON else None


@rule("clock", "a? quarter past|after <hour>", "a? quarter past|after <hour> [am|pm]")
def quarter_past(_: Reading, hour: int, half: str = "") -> Clock | None:
    """Read "a quarter past nine"."""
    return _beside_hour(hour, 15, half)


@rule("clock", "a? quarter to|before|of <hour>", "a? quarter to|before|of <hour> [am|pm]")
def quarter_to(_: Reading, hour: int, half: str = "") -> Clock | None:
    """Read "a quarter to nine"."""
    return _beside_hour(hour, -15, half)


@rule("clock", "<count> minutes? past <hour>", "<count> minutes? past <hour> [am|pm]")
def minutes_past(_: Reading, minute: int, hour: int, half: str = "") -> Clock | None:
    """Read "ten past nine"."""
    return _beside_hour(hour, minute, half) if 0 < minute < 60 else None


def _beside_hour(hour: int, minutes: int, half: str) -> Clock | None:
    """Return a time some minutes after an hour, or before it."""
    if not 1 <= hour <= _DAY:
        return None
    hour, minute = divmod(60 * (hour % 12 if half or hour < _NOON else hour) + minutes, 60)
    if half:
        return Clock((hour + 12 * (half == "pm")) % _DAY, minute)
    return Clock(hour % _DAY or _NOON, minute, sure=hour > _NOON)


@rule("hour", "<dd>", "<count word>")
def bare_hour(_: Reading, hour: int) -> int | None:
    """Read a number as an hour."""
    return hour if 0 <= hour <= _DAY else None


@rule("clock", "<clock> in the [morning|afternoon|evening]", "<clock> at [night]")
@rule("clock", "<hour> in the [morning|afternoon|evening]", "<hour> at [night]")
def hour_in_part(reading: Reading, clock: Clock | int, part: str) -> Clock:
    """Read "2 in the afternoon", "1 at night"."""
    clock = clock if isinstance(clock, Clock) else Clock(clock, sure=clock > _NOON)
    minutes = minutes_of(reading, clock, part) % (60 * _DAY)
    return replace(clock, hour=minutes // 60, sure=True)


@rule("clock", "around|about|approximately|roughly <clock>", "<clock> or so", "<clock> sharp")
def about(_: Reading, clock: Clock) -> Clock:
    """Read "around 2pm"."""
    return clock


@rule("time", "<clock>", "<dotted clock>", "<hour>", "<midnight>", "about|around <hour>")
def time_of_day(_: Reading, time: Clock | int) -> Clock:
    """Take a time that a range of times may begin or end with."""
    return time if isinstance(time, Clock) else Clock(time, sure=time > _NOON)


# ---- on another clock


@rule("clock", "<clock> <zone>", "<clock> ( <zone> )", "<hour> <clear zone>", "<clock> <plus offset>")
def clock_of_zone(_: Reading, clock: Clock | int, zone: tzinfo) -> Clock | None:
    """Read "5pm EST", "15:00Z"."""
    clock = clock if isinstance(clock, Clock) else Clock(clock, sure=clock > _NOON)
    return replace(clock, zone=zone) if clock.zone is None else None


@rule("clock", "<clock> my|our|local time")
def own_clock(_: Reading, clock: Clock) -> Clock:
    """Read "5pm my time"."""
    return clock


@rule("moment", "<moment> ,? <zone>", "<moment> ( <zone> )")
@rule("time span", "<time span> ,? <zone>", "<time span> ( <zone> )")
@rule("time range", "<time range> ,? <zone>", "<time range> ( <zone> )")
@rule("part span", "<part span> ,? <clear zone>", "<part span> ( <zone> )")
@rule("day", "<day> ,? <clear zone>", "<weekday span> ,? <clear zone>")
def span_of_zone(reading: Reading, span: Span, zone: tzinfo) -> Span | None:
    """Read "Tuesday at 9am Tokyo time": what was read as the asker's clock is that of the zone."""
    moments = {
        name: moment.replace(tzinfo=zone).astimezone(reading.zone)
        for name in ("start", "end", "moment")
        if (moment := getattr(span, name)) is not None
    }
    return replace(span, **moments)


@rule("moment", "<moment> my|our|local time")
@rule("time span", "<time span> my|our|local time")
def span_of_own_zone(_: Reading, span: Span) -> Span:
    """Read "Tuesday at 9am my time"."""
    return span


# ---- from one time to another


@rule("clocks", "from? <time> to|till|til|until|through|thru|-|~ <time>", "between <time> -|and|to|~ <time>")
@rule("clocks", "at <time> - <time>", "for <time> - <time>", "in <time> to <time>", "<clock> ~/ ~<clock>")
def from_to(_: Reading, start: Clock, end: Clock) -> tuple[Clock, Clock]:
    """Read "from 5 to 6pm": what is not said of one end follows from the other."""
    return replace(start, zone=start.zone or end.zone), replace(end, zone=end.zone or start.zone)


# ---- parts of the day


@rule("part span", "[this] <part>", "in [the] <part>")
def part_of_today(reading: Reading, word: str, part: str) -> Span | None:
    """Read "this morning", "in the morning"; without "this" the latest that has begun."""
    today = part_of(reading, reading.today, part)
    has_begun = today.start is not None and today.start <= reading.now
    return today if has_begun or word == "this" else part_of(reading, reading.today - timedelta(days=1), part)


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


@rule("part span", "<count> [mornings|afternoons|evenings|nights] ago|back")
@rule("part span", "a? couple of? [mornings|afternoons|evenings|nights] ago|back")
def parts_ago(reading: Reading, *given: int | str) -> Span:
    """Read "two nights ago"."""
    count = given[0] if isinstance(given[0], int) else 2
    return part_of(reading, reading.today - timedelta(days=count), str(given[-1]).removesuffix("s"))


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
def part_of_day(reading: Reading, first: Span | str, second: Span | str) -> Span | None:
    """Read "Tuesday afternoon"."""
    day, part = (first, second) if isinstance(first, Span) else (second, first)
    if not isinstance(day, Span) or day.start is None:
        return None
    return part_of(reading, day.start.date(), str(part), weekly=day.weekly)


@rule("time span", "<day like> in? the? <part> to|till|until|through|-|~ <part>")
@rule("time span", "from <day like> <part> to|till|until <part>", "from <part> to|till|until <part> <day like>")
def parts_of_day(reading: Reading, *given: Span | str) -> Span | None:
    """Read "yesterday morning to evening"."""
    (day,) = (value for value in given if isinstance(value, Span))
    if "noon" in given or "midnight" in given:
        return None  # those are times of day here
    first, last = (part_of(reading, day_of(day), str(part)) for part in given if not isinstance(part, Span))
    if first.start is None or last.end is None or first.start >= last.end:
        return None
    return Span(first.start, last.end, Grain.PART_OF_DAY)


@rule("part span", "<weekday> <part> ,|of|on? the? <date>", "<weekday> <part> ( <date> )")
def part_of_date(reading: Reading, _: int, part: str, date: Partial) -> Span | None:
    """Read "Sunday night, 7 June": the date counts."""
    day = resolved(reading, date)
    return part_of(reading, day.start.date(), part) if day and day.start else None


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


@rule("plus offset", "<offset>")
def offset_ahead(_: Reading, zone: tzinfo) -> tzinfo | None:
    """Take "+02:00" for a zone after any time; "-02:00" would be a range of times too."""
    return zone if (zone.utcoffset(None) or timedelta()) >= timedelta() else None


@rule("full clock", "<clock>")
def clock_of_date(_: Reading, clock: Clock) -> Clock:
    """Take a time of day behind a date and "T"."""
    return clock


@rule("full clock", "<clock> ~<offset>")
def clock_with_offset(_: Reading, clock: Clock, zone: tzinfo) -> Clock:
    """Read "15:00-05:00"."""
    return replace(clock, zone=zone)


@rule("moment", "<day> ~t ~<full clock>")
@rule("moment", "<day part or day> ,|at|-|@? ,? at|from|by? <clock>", "<clock> ,? on|of|in? the? <day part or day>")
@rule("moment", "<part span> at|around <midnight>", "at|around? <midnight> <part span>")
def moment(reading: Reading, first: Span | Clock, second: Span | Clock) -> Span | None:
    """Read "yesterday at 5pm": that hour, or that minute when minutes are told."""
    day, clock = (first, second) if isinstance(first, Span) else (second, first)
    if not isinstance(day, Span) or not isinstance(clock, Clock) or day.start is None:
        return None
    start = reading.at(day_of(day), minutes_of(reading, clock, day.part), clock.zone)
    after = start + timedelta(minutes=1 if clock.minute else 60)
    return Span(start, after, Grain.HOUR, moment=start, weekly=day.weekly)


@rule("moment", "<day part or day> ,? at|around|about|@ <hour>", "at|around|about|@ <hour> on|in? <day part or day>")
def moment_at_hour(reading: Reading, first: Span | int, second: Span | int) -> Span | None:
    """Read "Friday at 5"."""
    day, hour = (first, second) if isinstance(first, Span) else (second, first)
    if not isinstance(day, Span) or not isinstance(hour, int):
        return None
    return moment(reading, day, Clock(hour, sure=hour > _NOON))


@rule("time span", "<day part or day> ,? at|from|for|between? <clocks>", "<clocks> ,? on|of|in? the? <day part or day>")
@rule("time span", "<day part or day> , <clocks>")
def times_of_day(
    reading: Reading, first: Span | tuple[Clock, Clock], second: Span | tuple[Clock, Clock]
) -> Span | None:
    """Read "Monday 9 to 11"."""
    day, clocks = (first, second) if isinstance(first, Span) else (second, first)
    if not isinstance(day, Span) or isinstance(clocks, Span) or day.start is None:
        return None
    return _between_times(reading, day, clocks)


@rule("time span", "from <time> on? <day part or day> to|till|til|until|through|-|~ <time>")
def times_around_day(reading: Reading, start: Clock, day: Span, end: Clock) -> Span | None:
    """Read "from 11 last night until 2"."""
    return _between_times(reading, day, (start, end)) if day.start else None


@rule("time span", "<clocks>")
def times_of_today(reading: Reading, clocks: tuple[Clock, Clock]) -> Span | None:
    """Read "from 9am to 11:30", today, or yesterday when that is still to come."""
    if not any(clock.sure or clock.minute for clock in clocks):
        return None
    today = _between_times(reading, reading.days(reading.today, reading.today + timedelta(days=1)), clocks)
    if today.start is not None and today.start <= reading.now:
        return today
    return _between_times(reading, reading.days(reading.today - timedelta(days=1), reading.today), clocks)


@rule(
    "time span",
    "<day part or day> from|starting|at <clock> for <amount>",
    "<day part or day> for <amount> from|starting|at <clock>",
)
def so_long_from(reading: Reading, day: Span, first: Clock | Amount, second: Clock | Amount) -> Span | None:
    """Read "Friday from 9:30am for 7 hours"."""
    clock, amount = (first, second) if isinstance(first, Clock) else (second, first)
    if day.start is None or not isinstance(clock, Clock) or not isinstance(amount, Amount):
        return None
    start = reading.at(day_of(day), minutes_of(reading, clock, day.part), clock.zone)
    return Span(start, reading.shifted(start, amount, 1), Grain.HOUR) if amount.unit in CLOCK_UNITS else None


@rule("day part or day", "<day>", "<weekday span>", "<part span>", "<slashed span>", "<day of month>", "<dashed span>")
def day_or_part(_: Reading, span: Span) -> Span:
    """Take what a time of day may be of."""
    return span


def part_of(reading: Reading, day: date, part: str, *, weekly: bool = False) -> Span:
    """Return a part of a day, by the hours of the conventions."""
    first, after = reading.conventions.parts[part]
    start, end = reading.at(day, 60 * first), reading.at(day, 60 * after)
    return Span(start, end, Grain.PART_OF_DAY, part=part, weekly=weekly)


def day_of(span: Span) -> date:
    """Return the day that a day, or a part of one, belongs to: late in a night it is the one before."""
    assert span.start is not None  # noqa: S101 - a day has a beginning
    before = span.part == "night" and span.start.hour < _NOON
    return span.start.date() - timedelta(days=before)


def minutes_of(reading: Reading, clock: Clock, part: str) -> int:
    """Return a time of day in minutes after midnight, as it is meant of a part of the day or ("") of a whole one.

    It is the one on both halves of the dial that is nearest to the part: 1 of an evening or night is after midnight,
    and so more than 24 hours. Of a whole day the small hours are after noon, where the conventions say so.
    """
    if part not in reading.conventions.parts:
        afternoon = not clock.sure and clock.hour in _AFTERNOON and reading.conventions.bare_hours_are_afternoon
        return clock.minutes + (_HALF_DAY if afternoon else 0)
    possible = [clock.minutes]
    if not clock.sure and part != "morning":
        possible.append(clock.minutes + _HALF_DAY)
    if part in _INTO_THE_NEXT_DAY and clock.hour < _NOON:
        possible.append(clock.minutes + 2 * _HALF_DAY)
    first, after = reading.conventions.parts[part]
    return min(possible, key=lambda minutes: max(60 * first - minutes, minutes - 60 * after + 1, 0))


def settled(reading: Reading, clocks: tuple[Clock, Clock], part: str) -> tuple[int, int]:
    """Return both ends of a range in minutes after midnight, with the halves of the dial that are meant.

    An hour without "am" or "pm" takes the half of the other end if the range still runs forward, else the part of
    the day, if one is named; an end before its start is after noon, or on the next day.
    """
    start, end = clocks
    if not part and end.sure and not start.sure:
        start = _before(start, end)
    elif not part and not end.sure and (start.sure or start.hour not in _AFTERNOON):
        end = end.later() if end.minutes <= start.minutes else replace(end, sure=True)
    first, last = minutes_of(reading, start, part), minutes_of(reading, end, part)
    if last <= first and not end.sure and last + _HALF_DAY > first:
        return first, last + _HALF_DAY
    return first, last if last > first else last + 2 * _HALF_DAY


def _before(start: Clock, end: Clock) -> Clock:
    """Return a start on the half of the dial that its end tells: "11 to 2am" begins before midnight."""
    later = start.later()
    forward = start.hour < _NOON <= end.hour and later.minutes < end.minutes
    through_the_night = end.hour < _NOON and start.minutes >= end.minutes
    return later if forward or through_the_night else replace(start, sure=True)


def _between_times(reading: Reading, day: Span, clocks: tuple[Clock, Clock]) -> Span:
    first, last = settled(reading, clocks, day.part)
    date = day_of(day)
    return Span(
        reading.at(date, first, clocks[0].zone), reading.at(date, last, clocks[1].zone), Grain.HOUR, weekly=day.weekly
    )
