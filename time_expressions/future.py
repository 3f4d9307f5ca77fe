"""Read a text that states a time to come: "in 2 hours", "tomorrow at 9", "next Friday 18:00", "every Monday at 9".

Spans counted from now are read here. Everything else is read by the grammar, which takes a time that may be in the past
or the future to be past: "Friday" is the last one. So the text is read as somebody would mean it who writes it a day
later, two days, and so on; the first of these readings that is still to come is the next such time from now.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from time_expressions.conventions import Conventions
from time_expressions.find import TimePhrase, times_in
from time_expressions.folding import folded
from time_expressions.meanings import add_months
from time_expressions.numerals import TENS, UNITS
from time_expressions.stated import LONGEST

FURTHEST = timedelta(days=5 * 366)
"""How far ahead a time may be."""

MORNING = 9
"""The hour that is meant by a day, a week, a month or a morning of which none is named."""

_HOURS: MappingProxyType[tuple[int, int], int] = MappingProxyType(
    {
        (4, 8): MORNING,  # morning: from 4, for 8 hours
        (11, 3): 12,  # noon
        (12, 6): 14,  # afternoon
        (17, 5): 18,  # evening
        (17, 11): 20,  # tonight
        (20, 8): 21,  # night
        (23, 2): 24,  # midnight
    }
)
"""The hour that is meant by a part of a day, by the hour at which it begins and how many it has."""


class Repeat(StrEnum):
    """How often a time comes again."""

    DAILY = "every day"
    WEEKDAYS = "every weekday"
    WEEKLY = "every week"
    MONTHLY = "every month"
    YEARLY = "every year"


@dataclass(frozen=True, slots=True)
class FutureTime:
    """A moment to come, in the time zone of whoever stated it, and how often it comes again, if it does."""

    moment: datetime
    repeat: Repeat | None = None


NO_TIME = 'I do not understand "{}" as one time: write it as in "in 2 hours", "tomorrow at 9" or "next Friday 18:00".'
PAST = '"{}" is past, or has begun: write a time to come, as in "in 2 hours" or "tomorrow at 9".'
TOO_FAR = "That is more than 5 years ahead: choose a time before that."

_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+|[^\w\s]")
_AROUND_SIGNS = re.compile(r" ?([/.,:-]) ?")
_NUMBER = re.compile(r"\d{1,6}(?:[.,]\d{1,2})?")

_CLOCK_UNITS: MappingProxyType[str, timedelta] = MappingProxyType(
    {
        **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), timedelta(seconds=1)),
        **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), timedelta(minutes=1)),
        **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), timedelta(hours=1)),
    }
)
_DAY_UNITS: MappingProxyType[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("d", "day", "days"), 1),
        **dict.fromkeys(("w", "week", "weeks"), 7),
        **dict.fromkeys(("fortnight", "fortnights"), 14),
    }
)
_MONTH_UNITS: MappingProxyType[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("month", "months"), 1),
        **dict.fromkeys(("quarter", "quarters"), 3),
        **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 12),
    }
)
_ARTICLES: MappingProxyType[str, float] = MappingProxyType({"a": 1, "an": 1, "one": 1, "half": 0.5, "couple": 2})
_FILLERS = frozenset({"at", "on", "by", "around", "about", "the", "please", "and", "of", ",", ".", "!", "in", "for"})
_PAST_WORDS = frozenset({"ago", "last", "yesterday", "past", "previous", "earlier", "since"})
_OF_TODAY = frozenset({"today", "tonight", "now"})
_OF_THIS = frozenset({"morning", "noon", "afternoon", "evening", "night", "week", "month", "year"})
"""What begun already where it is this one, and is no other one: "this morning", said at noon."""

_REPEATED = frozenset({"every", "each"})
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT_WEEKDAYS: MappingProxyType[str, str] = MappingProxyType({day[:3]: day for day in _WEEKDAYS})
_PERIODS: MappingProxyType[str, Repeat] = MappingProxyType(
    {
        **dict.fromkeys(("day", "morning", "noon", "afternoon", "evening", "night", "midnight"), Repeat.DAILY),
        **dict.fromkeys(("weekday", "workday"), Repeat.WEEKDAYS),
        **dict.fromkeys(("week", "weekend", *_WEEKDAYS, *_SHORT_WEEKDAYS), Repeat.WEEKLY),
        "month": Repeat.MONTHLY,
        "year": Repeat.YEARLY,
    }
)


def future_time(text: str, *, now: datetime, time_zone: ZoneInfo, conventions: Conventions | None = None) -> FutureTime:
    """Return the time to come that a text states, as somebody in a time zone means it at an aware `now`.

    A day without an hour is meant at 9, a part of a day at an hour of it; an hour without a day when it comes next.
    Raises ValueError, with a sentence for whoever wrote the text, for what is no time to come, for several, and for one
    that is more than FURTHEST ahead.
    """
    stated = " ".join(text.split())
    shown = stated[:LONGEST]
    if not stated or len(stated) > LONGEST:
        raise ValueError(NO_TIME.format(shown))
    local = now.astimezone(time_zone)
    reader = _Reader(shown, local, conventions)
    words = [folded(word) for word in _WORD.findall(stated)]
    found = reader.repeated(words) or reader.counted(words) or reader.named(stated)
    if found is None:
        raise ValueError(NO_TIME.format(shown))
    if found.moment <= now:
        raise ValueError(PAST.format(shown))
    if found.moment - now > FURTHEST:
        raise ValueError(TOO_FAR)
    return found


def next_time(time_to_come: FutureTime, *, after: datetime) -> datetime | None:
    """Return when a time comes again after a moment, at the same hour of its zone's clocks; None if it does not."""
    start, repeat = time_to_come.moment, time_to_come.repeat
    if repeat is None:
        return None
    zone, first = start.tzinfo, start.date()
    days = max(0, (after.astimezone(zone).date() - first).days)
    for day in _days_of(repeat, first, days):
        moment = _existing(datetime.combine(day, start.time(), zone))
        if moment > after and moment > start:
            return moment
    return None


def _days_of(repeat: Repeat, first: date, days: int) -> Iterator[date]:
    """Yield a few days on which a time comes again, the first of them not after the one `days` after the first."""
    if repeat in (Repeat.MONTHLY, Repeat.YEARLY):
        step = 12 if repeat is Repeat.YEARLY else 1
        begun = days // 31 // step * step
        yield from (add_months(first, months) for months in range(begun, begun + 5 * step + 6, step))
        return
    step = 7 if repeat is Repeat.WEEKLY else 1
    begun = days // step * step
    for ahead in range(begun, begun + 10 * step, step):
        day = first + timedelta(days=ahead)
        if repeat is not Repeat.WEEKDAYS or day.weekday() < 5:
            yield day


def _existing(local: datetime) -> datetime:
    """Return a time of a zone's clocks, or, where these are put forward past it, the moment at which they are."""
    return local.astimezone(UTC).astimezone(local.tzinfo)


class _Reader:
    """Reads a text at a moment of somebody's clock."""

    def __init__(self, text: str, now: datetime, conventions: Conventions | None) -> None:
        self._text = text
        self._now = now
        self._conventions = conventions

    def repeated(self, words: Sequence[str]) -> FutureTime | None:
        """Return the next time of "every Monday at 9"; None for a text that speaks of one time."""
        if not words or words[0] not in _REPEATED | {"daily", "weekly", "monthly"}:
            return None
        if words[0] in _REPEATED:
            name, rest = (words[1].removesuffix("s") if len(words) > 1 else ""), list(words[1:])
            repeat = _PERIODS.get(name) or (Repeat.YEARLY if len(words) > 2 else None)
            if name in ("day", "weekday", "workday", "week", "month", "year"):
                rest = rest[1:]
            elif name in _SHORT_WEEKDAYS:
                rest[0] = _SHORT_WEEKDAYS[name]
        else:
            repeat = {"daily": Repeat.DAILY, "weekly": Repeat.WEEKLY, "monthly": Repeat.MONTHLY}[words[0]]
            rest = list(words[1:])
        if repeat is None:
            raise ValueError(NO_TIME.format(self._text))
        first = self._first_of(repeat, _joined(rest))
        return FutureTime(first, repeat)

    def _first_of(self, repeat: Repeat, rest: str) -> datetime:
        found = self.named(rest or f"at {MORNING}:00")
        if found is None:
            raise ValueError(NO_TIME.format(self._text))
        moment = found.moment
        while repeat is Repeat.WEEKDAYS and moment.weekday() > 4:
            moment = _existing(moment + timedelta(days=1))
        return moment

    def counted(self, words: Sequence[str]) -> FutureTime | None:
        """Return the moment that is so far from now as "in 2 hours" says; None for a text that counts nothing."""
        at = 1 if words[:1] == ["in"] else 0
        span, at = _span(words, at)
        if span is None:
            return None
        if list(words[at : at + 2]) in (["from", "now"], ["time", "from"]):
            at += 2
        elif words[0] != "in":
            return None
        if span.is_too_long:
            raise ValueError(TOO_FAR)
        if all(word in _FILLERS for word in words[at:]):
            return FutureTime(span.after(self._now))
        if span.clock:
            raise ValueError(NO_TIME.format(self._text))
        day = span.after(self._now).date()
        return self.named(f"{day.isoformat()} {_joined(words[at:])}")

    def named(self, text: str) -> FutureTime | None:
        """Return the next time that the grammar reads in a text; None for what it does not read as one time."""
        words = {folded(word) for word in _WORD.findall(text)}
        if words & _PAST_WORDS:
            raise ValueError(PAST.format(self._text))
        only_now = bool(words & _OF_TODAY) or ("this" in words and bool(words & _OF_THIS))
        is_past = False
        for spoken in (text, f"today {text}", f"today at {text}"):
            for ahead in _looks(only_now=only_now):
                moment = self._read(spoken, self._now + ahead)
                if moment is None:
                    break
                if moment > self._now:
                    return FutureTime(moment)
                is_past = True
            if is_past:
                raise ValueError(PAST.format(self._text))
        return None

    def _read(self, text: str, now: datetime) -> datetime | None:
        found = times_in(text, now=now, time_zone=_zone_of(now), conventions=self._conventions).windows
        if len(found) != 1 or not _is_all(text, found[0]):
            return None
        return _moment(found[0], now, at_its_end="end" in folded(text).split())


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of time: months and days of the calendar, and a time by the clock."""

    months: int = 0
    days: int = 0
    clock: timedelta = timedelta(0)

    @property
    def is_too_long(self) -> bool:
        """Whether it leads beyond all that can be meant, and perhaps beyond the calendar."""
        return timedelta(days=28 * self.months + self.days) + self.clock > FURTHEST

    def after(self, moment: datetime) -> datetime:
        """Return the moment that is so much later: calendar days first, at the same hour."""
        day = add_months(moment.date(), self.months) + timedelta(days=self.days)
        later = _existing(datetime.combine(day, moment.time(), moment.tzinfo))
        return (later.astimezone(UTC) + self.clock).astimezone(moment.tzinfo)


_MOST_UNITS = 4  # "1 day, 2 hours, 30 minutes"


def _span(words: Sequence[str], at: int) -> tuple[_Span | None, int]:
    """Return the stretch of time that words from a position on count, and the position behind it."""
    span: _Span | None = None
    for _ in range(_MOST_UNITS):
        amount, after = _amount(words, at)
        unit = words[after] if amount is not None and after < len(words) else ""
        added = None if amount is None else _of_unit(amount, unit)
        if added is None:
            break
        span = _sum(span or _Span(), added)
        at = after + 1
        if (
            span.clock
            and unit.startswith("h")
            and words[at : at + 1]
            and words[at].isdecimal()
            and at + 1 == len(words)
        ):
            return _sum(span, _Span(clock=timedelta(minutes=int(words[at][:2])))), at + 1  # "1h30"
        while at < len(words) and words[at] in ("and", ","):
            at += 1
    return span, at


def _amount(words: Sequence[str], at: int) -> tuple[float | None, int]:
    """Return a number in digits or words and the position behind it: "2", "twenty five", "half an", "a couple of"."""
    word = words[at] if at < len(words) else ""
    if _NUMBER.fullmatch(word):
        return float(word.replace(",", ".")), at + 1
    if word in TENS:
        ones = UNITS.get(words[at + 1], 0) if at + 1 < len(words) else 0
        return TENS[word] + (ones if 0 < ones < 10 else 0), at + (2 if 0 < ones < 10 else 1)
    if word in UNITS and word != "one":
        return UNITS[word], at + 1
    if word not in _ARTICLES:
        return None, at
    amount, at = _ARTICLES[word], at + 1
    if word in ("a", "an") and words[at : at + 1] and words[at] in ("half", "couple"):
        amount, at = _ARTICLES[words[at]], at + 1
    while at < len(words) and words[at] in ("a", "an", "of"):
        at += 1
    return amount, at


def _of_unit(amount: float, unit: str) -> _Span | None:
    """Return so many of a unit; None for what is none, or for half a month."""
    if unit in _CLOCK_UNITS:
        return _Span(clock=amount * _CLOCK_UNITS[unit])
    days, months = amount * _DAY_UNITS.get(unit, 0), amount * _MONTH_UNITS.get(unit, 0)
    if unit in _DAY_UNITS:
        return _Span(days=int(days)) if days == int(days) else _Span(clock=timedelta(days=days))
    return _Span(months=int(months)) if months and months == int(months) else None


def _sum(first: _Span, second: _Span) -> _Span:
    return _Span(first.months + second.months, first.days + second.days, first.clock + second.clock)


def _looks(*, only_now: bool) -> Iterator[timedelta]:
    """Yield from how far ahead a text is read: a day at a time for a week, then by weeks, months and years."""
    days = [0] if only_now else [*range(9), *range(14, 36, 7), *range(60, 400, 28), *range(730, 1900, 365)]
    return (timedelta(days=ahead) for ahead in days)


def _moment(found: TimePhrase, now: datetime, *, at_its_end: bool) -> datetime | None:
    """Return the moment of a window at which something is to happen; None for one with an open end."""
    window = found.window
    if window.start is None or window.end is None:
        return None
    start, end = window.start.astimezone(now.tzinfo), window.end.astimezone(now.tzinfo)
    hours = round((end - start).total_seconds() / 3600)
    is_whole_days = start.time() == end.time() == time() and hours >= 23
    hour = MORNING if is_whole_days else _HOURS.get((start.hour, hours)) if hours > 1 else None
    if hour is None:
        return start
    first = end.date() - timedelta(days=1) if at_its_end and is_whole_days else start.date()
    day = first + timedelta(days=hour // 24)
    return _existing(datetime.combine(day, time(hour % 24), start.tzinfo))


def _is_all(text: str, found: TimePhrase) -> bool:
    """Return whether a text says nothing beside its phrase of time."""
    start, end = found.span
    return all(folded(word) in _FILLERS for word in _WORD.findall(f"{text[:start]} {text[end:]}"))


def _joined(words: Sequence[str]) -> str:
    """Return words as one text, with signs where they stood: "5 pm", "9:30", "24 . 12"."""
    return _AROUND_SIGNS.sub(r"\1", " ".join(words))


def _zone_of(moment: datetime) -> ZoneInfo:
    if not isinstance(moment.tzinfo, ZoneInfo):
        raise TypeError("a moment on somebody's clock has a named zone")
    return moment.tzinfo
