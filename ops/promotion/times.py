"""Read the times of other programs, and say what had to be decided for it."""

import re
import reprlib
import warnings
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import parser

from ops.promotion.cells import FORMULA_ERROR
from ops.promotion.date_words import in_english

SKIPPED = "times in an hour that the clock skips, read as if it had not"
REPEATED = "times in an hour that the clock repeats, taken as the first of the two"

_DISCORD_EPOCH_MS = 1_420_070_400_000
_FIRST_SNOWFLAKE = 1 << 55  # of April 2015, before there was a Discord: smaller numbers are ids of something else
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?(\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19})(\.\d+)?", re.ASCII)
_UNITS = {10: 1, 13: 1_000, 16: 1_000_000, 19: 1_000_000_000}  # most digits of the number -> how many make a second
_SCIENTIFIC = re.compile(r"(-?\d)(?:[.,](\d{1,30}))?[eE]\+?(\d{1,2})", re.ASCII)
_ROUNDED_DIGITS = 6  # to which spreadsheets shorten a long number
_SERIAL = re.compile(r"\d{5}(?:[.,]\d{1,20})?", re.ASCII)
_SERIALS = range(32_874, 73_051)  # from 1990 to 2099
_PLACES_OF_MILLISECONDS = 8  # decimals of a day from which on it tells them
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - of spreadsheets, whose clock is that of the file
_NUMERIC_DATE = re.compile(
    r"(?P<one>\d{1,2})(?P<mark> ?[/.-]) ?(?P<two>\d{1,2})(?P=mark) ?(?P<year>\d{4}|\d\d)\.?,?(?P<clock>\D.*)?",
    re.ASCII | re.DOTALL,
)
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})(?P<mark>[/.-]) ?(?P<two>\d{1,2})(?P=mark) ?(?P<one>\d{1,2})\.?,?(?P<clock>\D.*)?",
    re.ASCII | re.DOTALL,
)
_CLOCK = re.compile(r"[\sT]+(\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:[.,](\d{1,6})\d*)?)?(?:\s*([AaPp])\.?\s?[Mm]\.?)?")
_CLOCK_FIRST = re.compile(r"(\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?[AP]M)?),? (\d.{5,40})", re.ASCII)
_CLOCK_WITH_H = re.compile(r"(?<!\d)(\d{1,2}) ?[hH](?: ?(\d\d)(?!\d)(?: ?m(?:in)?\b)?)?(?![A-Za-z\d])", re.ASCII)
_DOTTED_CLOCK = re.compile(r"(?<=[a-z\d,] )(\d{1,2})\.(\d\d)(?:\.(\d\d))?$", re.ASCII)
_MARKS = str.maketrans("\u00b7\u2022|", "   ")  # between a clock and a date
_ONLY_DIGITS = re.compile(r"(?:19|20)\d{10}(?:\d\d)?", re.ASCII)  # year, month, day, hour, minute and second in a row
_IN_BRACKETS = re.compile(r"\([^()]{0,100}\)$|\([^()\d]{1,20}\)")  # the name of a zone behind its offset, or a weekday
_NAMED_ZONE = re.compile(r"\s?\[?([A-Z][A-Za-z_]{1,30}/[A-Za-z_/+-]{1,40})\]?$")
_OFFSET = re.compile(r"\s?(?:GMT|UTC)?\s?([+\-\u2212])(\d\d?):?(\d\d)?$", re.ASCII)
_ZONE_WORD = re.compile(r"(?<![A-Za-z])([A-Z]{2,5}|Z)$", re.ASCII)
_HOURS_OF_ZONES = {
    **dict.fromkeys(("Z", "UTC", "GMT", "UT", "WET"), 0.0),
    **dict.fromkeys(("CET", "WEST", "BST", "MEZ"), 1.0),
    **dict.fromkeys(("CEST", "EET", "SAST", "MESZ", "CAT"), 2.0),
    **dict.fromkeys(("EEST", "MSK", "TRT", "EAT"), 3.0),
    "IRST": 3.5,
    "GST": 4.0,
    "PKT": 5.0,
    "NPT": 5.75,
    "WIB": 7.0,
    "ICT": 7.0,
    **dict.fromkeys(("SGT", "HKT", "AWST", "PHT", "WITA"), 8.0),
    **dict.fromkeys(("JST", "KST"), 9.0),
    "ACST": 9.5,
    "AEST": 10.0,
    "ACDT": 10.5,
    "AEDT": 11.0,
    "NZST": 12.0,
    "NZDT": 13.0,
    "HST": -10.0,
    "AKST": -9.0,
    "AKDT": -8.0,
    "PST": -8.0,
    "PDT": -7.0,
    "MST": -7.0,
    "MDT": -6.0,
    "CST": -6.0,
    "CDT": -5.0,
    "EST": -5.0,
    "EDT": -4.0,
    "AST": -4.0,
    "ADT": -3.0,
    "NST": -3.5,
    "NDT": -2.5,
    "ART": -3.0,
    "BRT": -3.0,
    "CLT": -4.0,
    "COT": -5.0,
    "PET": -5.0,
}
"""Hours before UTC of zones by their letters, those of North America as mails mean them (RFC 2822)."""

_INNER_ZONE = re.compile(r"\d\d ([A-Z]{2,5}) (?=\d{4}$)", re.ASCII)
_SEVERAL_ZONES = frozenset({"IST"})
_LONGEST = 200  # characters


@dataclass(frozen=True, slots=True)
class ReadTime:
    """A moment, in UTC, and what had to be decided to know it."""

    moment: datetime
    zone_used: bool = False
    clock: str | None = None
    """SKIPPED or REPEATED."""
    serial: bool = False
    """Whether it was a spreadsheet's number of days."""


@dataclass(frozen=True, slots=True)
class NumericDate:
    """A date such as 03/04/2026, of which nobody knows yet what its first number is."""

    one: int
    two: int
    year: int
    mark: str
    text: str


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
        if (time := _iso_time(text) or _epoch_time(text)) is not None:
            return _placed(time, zone)
        if (time := _serial_date(text)) is not None:
            return replace(_placed(time, zone), serial=True)
        return _read_written(text, zone, day_first)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a time that can be read ({error})") from error


def _read_written(text: str, zone: ZoneInfo, day_first: bool) -> ReadTime:
    """Return the moment of a date in words or numbers that is of no standard form."""
    text = " ".join(_IN_BRACKETS.sub(" ", text).translate(_MARKS).split())
    if found := _NAMED_ZONE.search(text):
        rest = text[: found.start()]
        named, offset = _zone_named(found[1]), None
    else:
        rest, offset = _without_offset(text, zone)
        named = zone
    rest = _CLOCK_WITH_H.sub(lambda found: f"{found[1]}:{found[2] or '00'}", rest)
    time = _iso_time(rest) or _numeric_date(rest, day_first)
    if time is None:
        rest = _CLOCK_FIRST.sub(r"\2 \1", _DOTTED_CLOCK.sub(_with_colons, in_english(rest)))
        time = _iso_time(rest) or _numeric_date(rest, day_first) or _spelt(rest, day_first)
    if offset is not None and time.tzinfo is None:
        time = time.replace(tzinfo=offset)
    return _placed(time, named)


def _with_colons(found: re.Match[str]) -> str:
    return ":".join(part for part in found.groups() if part)


def _zone_named(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("its time zone is not known") from error


def _without_offset(text: str, zone: ZoneInfo) -> tuple[str, tzinfo | None]:
    """Return a time without the offset or the letters of a zone behind it, and what they mean.

    Letters that `zone` itself goes by are of `zone`: CST is not the same in Chicago and in Shanghai.
    """
    found = _OFFSET.search(text)
    if found and ":" in text[: found.start()]:
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        return text[: found.start()], timezone(timedelta(minutes=minutes if found[1] == "+" else -minutes))
    found = _ZONE_WORD.search(text)
    if found is None or found[1] in {"AM", "PM"} or ":" not in text[: found.start()]:
        return _without_inner_zone(text, zone)
    return text[: found.start()].rstrip(), _zone_of_letters(found[1], zone)


def _without_inner_zone(text: str, zone: ZoneInfo) -> tuple[str, tzinfo | None]:
    """Return a time such as `Thu Nov 5 14:10:00 CET 2026` without the letters of its zone, and what they mean."""
    found = _INNER_ZONE.search(text)
    if found is None:
        return text, None
    return f"{text[: found.start(1)]}{text[found.end(1) + 1 :]}", _zone_of_letters(found[1], zone)


def _zone_of_letters(letters: str, zone: ZoneInfo) -> tzinfo:
    names = {datetime(2026, month, 15, tzinfo=zone).tzname(): month for month in (1, 7)}
    if letters in names:
        offset = datetime(2026, names[letters], 15, tzinfo=zone).utcoffset()
        return timezone(offset or timedelta(0))
    if letters in _SEVERAL_ZONES:
        raise ValueError(f"{letters} is the time of several zones: say which with --time-zone")
    if letters not in _HOURS_OF_ZONES:
        raise ValueError("its time zone is not known")
    return timezone(timedelta(hours=_HOURS_OF_ZONES[letters]))


def numeric_date_in(text: str) -> NumericDate | None:
    """Return the date of a time that is written in numbers and does not begin with the year; None for any other."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    found = _NUMERIC_DATE.fullmatch(text) or _NUMERIC_DATE.fullmatch(_CLOCK_FIRST.sub(r"\2 \1", text))
    if found is None:
        return None
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    date = "".join(found.group("one", "mark", "two", "mark", "year"))  # not what stands behind it
    return NumericDate(int(found["one"]), int(found["two"]), year, found["mark"], date)


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
    """Return the time of a number of seconds, milli-, micro- or nanoseconds since 1970, in any notation."""
    if found := _SCIENTIFIC.fullmatch(text):
        text = _plain_number(found)
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    per_second = next(unit for digits, unit in _UNITS.items() if len(found[1]) <= digits)
    microseconds = Decimal(text) * 1_000_000 / per_second
    return _EPOCH + timedelta(microseconds=int(microseconds))


def _plain_number(found: re.Match[str]) -> str:
    """Return a number in powers of ten written out; raise ValueError for one that was shortened to six digits."""
    digits = f"{found[1]}{found[2] or ''}"
    if len(digits.lstrip("-").rstrip("0")) >= _ROUNDED_DIGITS - 1 and len(digits.lstrip("-")) <= _ROUNDED_DIGITS:
        raise ValueError("a spreadsheet has rounded it: show the column as a number without decimals, and save again")
    number = Decimal(f"{found[1]}.{found[2] or '0'}").scaleb(int(found[3]))
    return f"{number:f}".rstrip("0").rstrip(".") if number % 1 else f"{number:.0f}"


def _serial_date(text: str) -> datetime | None:
    """Return the time of a spreadsheet's number of days, to the second or millisecond, as far as its digits reach."""
    if not _SERIAL.fullmatch(text):
        return None
    days = Decimal(text.replace(",", "."))
    if int(days) not in _SERIALS:
        return None
    places = len(text) - len("12345.")
    per_second = 1 if places < _PLACES_OF_MILLISECONDS else 1_000
    return _DAY_ZERO + timedelta(seconds=round(days * 86_400 * per_second) / per_second)


def _iso_time(text: str) -> datetime | None:
    if _ONLY_DIGITS.fullmatch(text):
        text = f"{text[:8]}T{text[8:]}"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _numeric_date(text: str, day_first: bool) -> datetime | None:
    """Return the time of a date in numbers."""
    found = _NUMERIC_DATE.fullmatch(text)
    first = day_first if found else True
    found = found or _YEAR_FIRST.fullmatch(text)
    clock = _CLOCK.fullmatch(found["clock"] or " 0:00") if found else None
    if found is None or clock is None:
        return None
    day, month = (found["one"], found["two"]) if first else (found["two"], found["one"])
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    hour, minute, second, fraction, half = clock.groups(default="")
    if half and not 1 <= int(hour) <= 12:
        raise ValueError("a clock of two halves has twelve hours")
    hours = int(hour) % 12 + 12 * (half in "Pp") if half else int(hour)
    return datetime(  # noqa: DTZ001 - `_placed` gives it its zone
        year, int(month), int(day), hours, int(minute), int(second or 0), int(f"{fraction:0<6}")
    )


def _spelt(text: str, day_first: bool) -> datetime:
    """Return the time of a date with words, such as 3 November 2026 09:00; no part of it may be missing."""
    readings = set()
    with warnings.catch_warnings():
        warnings.simplefilter("error", parser.UnknownTimezoneWarning)
        for default in (datetime(2000, 1, 1), datetime(2001, 2, 2)):  # noqa: DTZ001 - stands for what is not said
            try:
                readings.add(parser.parse(text, default=default, dayfirst=day_first and not text[:4].isdecimal()))
            except parser.UnknownTimezoneWarning as error:
                raise ValueError("its time zone is not known") from error
            except (ValueError, OverflowError):
                raise
            except Exception as error:  # the parser lets through what numbers without end and the like raise in it
                raise ValueError("it has parts that no time has") from error
    if len(readings) > 1:
        raise ValueError("it has no year, month or day")
    return readings.pop()
