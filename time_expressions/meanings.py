"""What phrases of time stand for: spans of the calendar, dates with parts left out, times of day, amounts."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import Enum, IntEnum, StrEnum
from zoneinfo import ZoneInfo

from time_expressions.conventions import Conventions


class Unit(StrEnum):
    """A unit of time."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    BUSINESS_DAY = "business day"
    WEEKEND = "weekend"
    WEEK = "week"
    FORTNIGHT = "fortnight"
    MONTH = "month"
    QUARTER = "quarter"
    HALF = "half"
    YEAR = "year"
    DECADE = "decade"
    CENTURY = "century"


CLOCK_UNITS = frozenset({Unit.SECOND, Unit.MINUTE, Unit.HOUR})
MONTHS_IN = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.HALF: 6, Unit.YEAR: 12, Unit.DECADE: 120, Unit.CENTURY: 1200}
DAYS_IN = {Unit.DAY: 1, Unit.WEEKEND: 7, Unit.WEEK: 7, Unit.FORTNIGHT: 14}


class Grain(IntEnum):
    """How finely a span was named."""

    MOMENT = 0
    HOUR = 1
    PART_OF_DAY = 2
    DAY = 3
    WEEK = 4
    MONTH = 5
    YEAR = 6
    MANY = 7


class Edge(StrEnum):
    """The end of a span that is meant where one moment is wanted: "until the end of June"."""

    START = "start"
    MIDDLE = "middle"
    END = "end"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time [start, end) on the asker's clock; None leaves that end open.

    With an `edge` the words name the beginning, middle or end of something. `moment` is the time at which a range
    ends or begins that one of its ends names so ("until the end of June", "to Tuesday 9am"). `part` is the part of
    the day that they name, `earlier` tells that what is going on now is not meant. A `weekly` span was named by its
    weekday alone. One `as_of` its end asks for the state of that moment.
    """

    start: datetime | None
    end: datetime | None
    grain: Grain = Grain.DAY
    edge: Edge | None = None
    moment: datetime | None = None
    part: str = ""
    earlier: bool = False
    weekly: bool = False
    as_of: bool = False


Spans = tuple[Span, ...]
"""Several stretches of time that one phrase names: "the last two Fridays"."""


class NoTime(Enum):
    """What is named like a time, and is none: "31 November"."""

    NO_TIME = "no time"


NO_TIME = NoTime.NO_TIME


@dataclass(frozen=True, slots=True)
class Partial:
    """A date with parts left out: "May", "Friday", "the 4th", "2 July"."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None

    @property
    def grain(self) -> Grain:
        """How finely it names a date."""
        if self.day is not None or self.weekday is not None:
            return Grain.DAY
        return Grain.MONTH if self.month is not None else Grain.YEAR


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day, on the asker's clock or that of a `zone`; without `sure` it may be before or after noon."""

    hour: int
    minute: int = 0
    sure: bool = True
    zone: tzinfo | None = None

    @property
    def minutes(self) -> int:
        """Minutes since midnight."""
        return 60 * self.hour + self.minute

    def later(self) -> "Clock":
        """Return the same time on the other half of the dial, if it was before noon."""
        return replace(self, hour=self.hour + 12, sure=True) if self.hour < 12 else self


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of which units: three months and two weeks."""

    parts: tuple[tuple[int, Unit], ...]

    @property
    def unit(self) -> Unit:
        """The finest of its units."""
        return min((unit for _, unit in self.parts), key=list(Unit).index)


class Looks(Enum):
    """Which way from now a text looks."""

    BACK = "back"
    AHEAD = "ahead"


@dataclass(frozen=True, slots=True)
class Reading:
    """Whose clock and habits a text is read with, and which way it looks if its words tell."""

    now: datetime
    conventions: Conventions
    looks: Looks | None = None

    @property
    def today(self) -> date:
        """The day it is."""
        return self.now.date()

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the asker."""
        zone = self.now.tzinfo
        assert isinstance(zone, ZoneInfo)  # noqa: S101 - `windows.times_in` makes it so
        return zone

    def midnight(self, day: date) -> datetime:
        """Return the moment at which a day begins."""
        return datetime.combine(day, time(), self.zone)

    def at(self, day: date, minutes: int, zone: tzinfo | None = None) -> datetime:
        """Return a time of day on the wall clock, minutes after midnight; those past 24 hours fall on the next day.

        With a `zone` it is the wall clock there.
        """
        days, rest = divmod(minutes, 24 * 60)
        moment = datetime.combine(day + timedelta(days), time(rest // 60, rest % 60), zone or self.zone)
        return moment.astimezone(self.zone) if zone else moment

    def days(self, first: date, after: date, grain: Grain = Grain.DAY) -> Span:
        """Return the span of whole days from `first` to before `after`."""
        return Span(self.midnight(first), self.midnight(after), grain)

    def shifted(self, moment: datetime, amount: Amount, sign: int) -> datetime:
        """Return a moment an amount later (sign 1) or earlier (-1): hours as they pass, days as they are counted."""
        for count, unit in amount.parts:
            moment = _shifted(moment, sign * count, unit)
        return moment


def _shifted(moment: datetime, count: int, unit: Unit) -> datetime:
    if unit in CLOCK_UNITS:
        elapsed = timedelta(**{f"{unit.value}s": count})
        return (moment.astimezone(UTC) + elapsed).astimezone(moment.tzinfo)
    if unit is Unit.BUSINESS_DAY:
        return _after_business_days(moment, count)
    if unit in MONTHS_IN:
        return datetime.combine(add_months(moment.date(), count * MONTHS_IN[unit]), moment.timetz())
    return moment + timedelta(days=count * DAYS_IN[unit])


def _after_business_days(moment: datetime, count: int) -> datetime:
    step = 1 if count > 0 else -1
    for _ in range(min(abs(count), 3000)):
        moment += timedelta(days=step)
        while moment.weekday() >= 5:
            moment += timedelta(days=step)
    return moment


def add_months(day: date, months: int) -> date:
    """Return the same day some months later or earlier, or the last day of a month that has none such."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    return first.replace(day=min(day.day, days_in_month(first)))


def days_in_month(day: date) -> int:
    """Return how many days the month of a day has."""
    return (date(day.year + day.month // 12, day.month % 12 + 1, 1) - timedelta(days=1)).day
