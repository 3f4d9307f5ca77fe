"""Read the times of other programs, and tell what had to be decided for it."""

import re
import reprlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil import parser

from promotion.cells import FORMULA_ERROR

SKIPPED = "times in an hour that the clock skips, read as if it had not"
REPEATED = "times in an hour that the clock repeats, taken as the first of the two"

_DISCORD_EPOCH_MS = 1_420_070_400_000
_FIRST_SNOWFLAKE = 1 << 55  # of April 2015, before there was a Discord: smaller numbers are ids of something else
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?(\d{9,10}|\d{12,13}|\d{15,16})(\.\d+)?", re.ASCII)
_UNITS = {10: 1, 13: 1_000, 16: 1_000_000}  # most digits of the number -> how many make a second
_NUMERIC_DATE = re.compile(
    r"(?P<one>\d{1,2})(?P<mark>[/.-])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d),?(?P<clock>\D.*)?",
    re.ASCII | re.DOTALL,
)
_CLOCK = re.compile(r"[\sT]+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,6})\d*)?)?(?:\s*([AaPp])\.?[Mm]\.?)?")  # any blank
_LONGEST = 200  # characters
_MIXED = "Some times are written day first and others month first"


@dataclass(frozen=True, slots=True)
class ReadTime:
    """A moment, in UTC, and what had to be decided to know it."""

    moment: datetime
    zone_used: bool = False
    clock: str | None = None
    """SKIPPED or REPEATED."""


def snowflake_time(message_id: int) -> datetime | None:
    """Return when a Discord message was sent, which its id tells; None for an id that is not Discord's."""
    if message_id < _FIRST_SNOWFLAKE:
        return None
    return _EPOCH + timedelta(milliseconds=(message_id >> 22) + _DISCORD_EPOCH_MS)


def read_time(text: str, *, zone: ZoneInfo, day_first: bool) -> ReadTime:
    """Return the moment that a text names; one without an offset is of `zone`. Raises ValueError with the reason."""
    text = text.strip()
    if FORMULA_ERROR.fullmatch(text):
        raise ValueError(f"{text} is what a spreadsheet leaves of a formula, not a time")
    if len(text) > _LONGEST:
        raise ValueError(f"{reprlib.repr(text)} is longer than any time")
    try:
        return _placed(_epoch_time(text) or _iso_time(text) or _numeric_date(text, day_first) or _spelt(text), zone)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a time that can be read ({error})") from error


def days_come_first(texts: Iterable[str]) -> bool:
    """Tell whether dates such as 03/04/2026 begin with the day; raise ValueError when the texts leave it open."""
    dates = [found for text in texts if (found := _NUMERIC_DATE.fullmatch(text.strip()))]
    day_first = any(int(date["one"]) > 12 or date["mark"] == "." for date in dates)  # nobody writes 4.3. month first
    month_first = any(int(date["two"]) > 12 for date in dates)
    if day_first and month_first:
        raise ValueError(_MIXED)
    if not day_first and not month_first and any(date["one"] != date["two"] for date in dates):
        example = next(date for date in dates if date["one"] != date["two"])
        date = "".join(example.group("one", "mark", "two", "mark", "year"))  # not what stands behind it
        raise ValueError(f"A time such as {date} may begin with the day or with the month")
    return day_first


def _placed(time: datetime, zone: ZoneInfo) -> ReadTime:
    """Return a time in UTC, of `zone` where it has no offset."""
    if time.tzinfo is not None:
        return ReadTime(time.astimezone(UTC))
    local = time.replace(tzinfo=zone)
    moment = local.astimezone(UTC)
    if local.utcoffset() == local.replace(fold=1).utcoffset():
        return ReadTime(moment, zone_used=True)
    skipped = moment.astimezone(zone).replace(tzinfo=None) != time
    return ReadTime(moment, zone_used=True, clock=SKIPPED if skipped else REPEATED)


def _epoch_time(text: str) -> datetime | None:
    """Return the time of a number of seconds, milliseconds or microseconds since 1970."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    per_second = next(unit for digits, unit in _UNITS.items() if len(found[1]) <= digits)
    whole, _, fraction = text.partition(".")
    microseconds = int(whole) * (1_000_000 // per_second)
    if fraction and per_second == 1:
        microseconds += int(f"{fraction:0<6}"[:6]) * (-1 if whole.startswith("-") else 1)
    return _EPOCH + timedelta(microseconds=microseconds)


def _iso_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _numeric_date(text: str, day_first: bool) -> datetime | None:
    """Return the time of a date in numbers that does not begin with the year."""
    found = _NUMERIC_DATE.fullmatch(text)
    clock = _CLOCK.fullmatch(found["clock"] or " 0:00") if found else None
    if found is None or clock is None:
        return None
    day, month = (found["one"], found["two"]) if day_first else (found["two"], found["one"])
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    hour, minute, second, fraction, half = clock.groups(default="")
    if half and not 1 <= int(hour) <= 12:
        raise ValueError("a clock of two halves has twelve hours")
    hours = int(hour) % 12 + 12 * (half in "Pp") if half else int(hour)
    return datetime(  # noqa: DTZ001 - `_placed` gives it its zone
        year, int(month), int(day), hours, int(minute), int(second or 0), int(f"{fraction:0<6}")
    )


def _spelt(text: str) -> datetime:
    """Return the time of a date with words, such as 3 November 2026 09:00; no part of it may be missing."""
    readings = set()
    with warnings.catch_warnings():
        warnings.simplefilter("error", parser.UnknownTimezoneWarning)
        for default in (datetime(2000, 1, 1), datetime(2001, 2, 2)):  # noqa: DTZ001 - stands for what is not said
            try:
                readings.add(parser.parse(text, default=default))
            except parser.UnknownTimezoneWarning as error:
                raise ValueError("its time zone is not known") from error
            except (ValueError, OverflowError):
                raise
            except Exception as error:  # the parser lets through what numbers without end and the like raise in it
                raise ValueError("it has parts that no time has") from error
    if len(readings) > 1:
        raise ValueError("it has no year, month or day")
    return readings.pop()
