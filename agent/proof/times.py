"""Read the clock times and dates of a text, and which days a message speaks of."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import TypeVar

from agent.proof.number_words import LANGUAGES, phrases
from agent.proof.word_lists import listed
from time_expressions.tokens import Token

_HALF_DAY, _DAY = 12, 24
_YEARS = range(1900, 2200)
_TWO_DIGITS = 2
_YEAR_DIGITS = 4


def _numbered(lists: str, first: int) -> Mapping[str, int]:
    return MappingProxyType(
        {word: number for number, words in enumerate(lists.split("|"), start=first) for word in words.split()}
    )


MONTHS = _numbered(
    "january jan januar janvier enero gennaio janeiro januari|february feb februar fevrier fevr febrero febbraio"
    " fevereiro februari|march mar marz mars marzo marco maart|april apr avril abril aprile"
    "|may mai mayo maggio maio mei"
    "|june jun juni juin junio giugno junho|july jul juli juillet julio luglio julho"
    "|august aug aout agosto augustus|september sep sept septembre septiembre settembre setembro"
    "|october oct oktober okt octobre octubre ottobre outubro|november nov novembre noviembre novembro"
    "|december dec dezember dez decembre diciembre dicembre dezembro",
    1,
)
"""The names of months, folded, of the languages that dates are read in."""

_NOT_ALONE = frozenset(listed("may mar mars jan mai mei sep sept dec marco jun jul nov oct apr feb aug avril abril"))
"""Names of months that are words or names too, or short for them: they count beside a day or a year alone."""

WEEKDAYS = _numbered(
    "monday montag lundi lunes lunedi maandag|tuesday dienstag mardi martes martedi dinsdag"
    "|wednesday mittwoch mercredi miercoles mercoledi woensdag|thursday donnerstag jeudi jueves giovedi donderdag"
    "|friday freitag vendredi viernes venerdi vrijdag|saturday samstag sonnabend samedi sabado sabato zaterdag"
    "|sunday sonntag dimanche domingo domenica zondag",
    0,
)
_SHORT_WEEKDAYS = _numbered("mon|tue tues|wed|thu thur thurs|fri|sat|sun", 0)

_DAYS_FROM_NOW: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(listed("today tonight heute hoy aujourd'hui oggi hoje vandaag"), 0),
        **dict.fromkeys(listed("yesterday gestern hier ayer ieri ontem gisteren"), -1),
        **dict.fromkeys(listed("tomorrow demain domani amanha ubermorgen"), 1),
        "vorgestern": -2, "ubermorgen": 2,
    }
)  # fmt: skip
_ALSO_TOMORROW = frozenset(["morgen", "manana"])  # or a morning
_NOON: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(listed("noon midday mittag mittags midi mediodia mezzogiorno"), 12)
    | dict.fromkeys(listed("midnight mitternacht minuit medianoche mezzanotte"), 0)
)
_PM, _AM = frozenset(["pm", "p"]), frozenset(["am", "a"])
_OCLOCK = frozenset(["o'clock", "oclock", "uhr", "heures", "heure"])
_SPOKEN_BEFORE_MINUTES = frozenset(["uhr", "heure", "heures"])
_OF = frozenset([".", "of", "de", "d'", "du", "di", "º", "°"])
_ENDS = frozenset(["st", "nd", "rd", "th", "er", "re"])


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day; one that is not `sure` may be before noon or after. It stands in these tokens."""

    hour: int
    minute: int
    is_sure: bool
    first: int = 0
    end: int = 0
    is_duration_too: bool = False
    """Whether it may be a number of hours: "3 h"."""

    def is_same(self, other: "Clock") -> bool:
        """Return whether both may be the same time: "three o'clock" is 15:00."""
        if self.minute != other.minute:
            return False
        if self.is_sure and other.is_sure:
            return self.hour % _DAY == other.hour % _DAY
        return self.hour % _HALF_DAY == other.hour % _HALF_DAY


@dataclass(frozen=True, slots=True)
class Day:
    """What a text says of a day: any of its year, month, day of the month and weekday, or how far from now it is."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    from_now: int | None = None

    def is_on(self, day: date, *, today: date) -> bool:
        """Return whether a day of the calendar is meant, when this is said `today`."""
        if self.from_now is not None:
            return day == today + timedelta(days=self.from_now)
        wanted = (self.year, self.month, self.day, self.weekday)
        having = (day.year, day.month, day.day, day.weekday())
        return all(want is None or want == have for want, have in zip(wanted, having, strict=True))


@dataclass(frozen=True, slots=True)
class DatePhrase:
    """A phrase that stands for a day, in one of several readings ("3/5"), in these tokens."""

    readings: tuple[Day, ...]
    first: int
    end: int
    may_be_numbers: bool = False
    """Whether it may be no date at all: "3/5"."""


_Phrase = TypeVar("_Phrase", DatePhrase, Clock)


def _found_in(
    tokens: Sequence[Token], phrase_at: Callable[[Sequence[Token], int], _Phrase | None]
) -> Iterator[_Phrase]:
    """Yield the phrases that begin at some token, in order; none begins within another."""
    at = 0
    while at < len(tokens):
        found = phrase_at(tokens, at)
        if found is not None:
            yield found
        at = found.end if found is not None else at + 1


# ---- dates


def dates_in(tokens: Sequence[Token]) -> Iterator[DatePhrase]:
    """Yield the phrases of a text that stand for days, in order."""
    return _found_in(tokens, _date_at)


def _date_at(tokens: Sequence[Token], at: int) -> DatePhrase | None:
    token = tokens[at]
    if token.is_number:
        return _in_digits(tokens, at) or _day_and_month(tokens, at)
    if not token.is_word:
        return None
    return _with_weekday(tokens, at) or _month_first(tokens, at) or _from_now(tokens, at)


def _in_digits(tokens: Sequence[Token], at: int) -> DatePhrase | None:
    """Read "2026-05-03", "3/5/2026", "3.5.2026" and "3/5"."""
    sign = _text(tokens, at + 1)
    if sign not in {"-", "/", "."} or not _are_glued(tokens, at + 1, at + 3) or not _is_number(tokens, at + 2):
        return None
    first, second = int(tokens[at].text[:9]), int(tokens[at + 2].text[:9])
    has_third = _text(tokens, at + 3) == sign and _are_glued(tokens, at + 3, at + 5) and _is_number(tokens, at + 4)
    if has_third:
        third = int(tokens[at + 4].text[:9])
        if first in _YEARS and len(tokens[at].text) == _YEAR_DIGITS:
            return _phrase(at, at + 5, Day(first, second, third))
        if third in _YEARS or len(tokens[at + 4].text) == _TWO_DIGITS:
            year = third if third in _YEARS else 2000 + third
            return _phrase(at, at + 5, Day(year, second, first), Day(year, first, second))
        return None
    if sign != "/":
        return None
    return _phrase(at, at + 3, Day(None, second, first), Day(None, first, second), may_be_numbers=True)


def _phrase(at: int, end: int, *readings: Day, may_be_numbers: bool = False) -> DatePhrase | None:
    known = tuple(day for day in readings if _is_possible(day))
    return DatePhrase(known, at, end, may_be_numbers) if known else None


def _is_possible(day: Day) -> bool:
    return (day.month is None or 1 <= day.month <= 12) and (day.day is None or 1 <= day.day <= 31)


def _day_and_month(tokens: Sequence[Token], at: int) -> DatePhrase | None:
    """Read "3 May", "3rd of May 2026", "3. Mai", "3 de mayo de 2026"."""
    position = at + 1
    if _text(tokens, position) in _ENDS and _are_glued(tokens, position, position + 1):
        position += 1
    if _text(tokens, position) in _OF:
        position += 1
    month = MONTHS.get(_text(tokens, position))
    if month is None or len(tokens[at].text) > _TWO_DIGITS:
        return None
    year, end = _year_behind(tokens, position + 1)
    return _phrase(at, end, Day(year, month, int(tokens[at].text)))


def _month_first(tokens: Sequence[Token], at: int) -> DatePhrase | None:
    """Read "May 3rd, 2026", "May 2026" and "May"."""
    month = MONTHS.get(tokens[at].text)
    if month is None:
        return None
    position = at + 2 if _text(tokens, at + 1) == "." and tokens[at + 1].glued else at + 1
    if _is_number(tokens, position) and len(tokens[position].text) <= _TWO_DIGITS:
        end = position + 1
        if _text(tokens, end) in _ENDS and tokens[end].glued:
            end += 1
        if _text(tokens, end) != ":" and 1 <= int(tokens[position].text) <= 31:
            year, end = _year_behind(tokens, end)
            return _phrase(at, end, Day(year, month, int(tokens[position].text)))
    year, end = _year_behind(tokens, at + 1)
    is_name = tokens[at].written[:1].isupper() and at > 0 and tokens[at].text not in {"mars", "jan", "mar", "mai"}
    if year is None and tokens[at].text in _NOT_ALONE and not is_name:
        return None
    return _phrase(at, end, Day(year, month))


def _year_behind(tokens: Sequence[Token], at: int) -> tuple[int | None, int]:
    position = at + 1 if _text(tokens, at) in {",", "de", "del", "of"} else at
    if _is_number(tokens, position) and len(tokens[position].text) == _YEAR_DIGITS:
        year = int(tokens[position].text)
        if year in _YEARS:
            return year, position + 1
    return None, at


def _with_weekday(tokens: Sequence[Token], at: int) -> DatePhrase | None:
    """Read "Friday", "Friday, 6 November" and "Fri 6 Nov"."""
    word = tokens[at].text
    weekday = WEEKDAYS.get(word, WEEKDAYS.get(word.removesuffix("'s"), WEEKDAYS.get(word.removesuffix("s"))))
    is_short = weekday is None
    if is_short:
        weekday = _SHORT_WEEKDAYS.get(word) if tokens[at].written[:1].isupper() else None
    if weekday is None:
        return None
    position = at + 1
    while _text(tokens, position) in {",", ".", "the", "den", "le", "el", "der", "dem"} and position < at + 3:
        position += 1
    if position < len(tokens) and not (is_short and position == len(tokens)):
        token = tokens[position]
        more = _day_and_month(tokens, position) or _in_digits(tokens, position) if token.is_number else None
        more = more or (_month_first(tokens, position) if token.is_word and token.text in MONTHS else None)
        if more and all(day.day for day in more.readings):
            readings = (Day(day.year, day.month, day.day, weekday) for day in more.readings)
            return DatePhrase(tuple(readings), at, more.end)
    return None if is_short else DatePhrase((Day(weekday=weekday),), at, at + 1)


def _from_now(tokens: Sequence[Token], at: int) -> DatePhrase | None:
    days = _DAYS_FROM_NOW.get(tokens[at].text)
    if days is not None:
        return DatePhrase((Day(from_now=days),), at, at + 1)
    return None


def also_tomorrow(tokens: Sequence[Token]) -> bool:
    """Return whether a text has a word that may mean tomorrow: "morgen", "mañana"."""
    return any(token.text in _ALSO_TOMORROW for token in tokens)


def days_from_now(tokens: Sequence[Token]) -> Iterator[int]:
    """Yield how many days from now a text names by counting: "in three days", "2 weeks ago", "vor zwei Tagen"."""
    for at, token in enumerate(tokens):
        days = _UNIT_DAYS.get(token.text)
        if days is None or not at:
            continue
        count = _small_number(tokens[at - 1])
        if count is None:
            continue
        before = {_text(tokens, at - 2), _text(tokens, at - 3)} if at > 1 else set()
        if _text(tokens, at + 1) in {"ago", "earlier", "before"} or not before.isdisjoint(("vor", "a", "hace")):
            yield -count * days
        if not before.isdisjoint(("in", "within", "dans", "en", "dentro", "another")):
            yield count * days


_UNIT_DAYS: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(listed("day days tag tage tagen jour jours dia dias"), 1)
    | dict.fromkeys(listed("week weeks woche wochen semaine semaines semana semanas"), 7)
)
_MOST_UNITS = 1000


def _small_number(token: Token) -> int | None:
    if token.is_number:
        value = int(token.text[:9])
        return value if value < _MOST_UNITS else None
    return next(
        (phrases(language)[(token.text,)] for language in LANGUAGES if (token.text,) in phrases(language)), None
    )


# ---- clocks


def clocks_in(tokens: Sequence[Token]) -> Iterator[Clock]:
    """Yield the times of day of a text, in order."""
    return _found_in(tokens, _clock_at)


def _clock_at(tokens: Sequence[Token], at: int) -> Clock | None:
    token = tokens[at]
    if _goes_on(tokens, at):
        return None
    if token.text in _NOON:
        return Clock(_NOON[token.text], 0, is_sure=True, first=at, end=at + 1)
    if token.text in {"half", "quarter", "halb", "viertel"}:
        return _fraction_of_an_hour(tokens, at)
    hour = int(token.text) if token.is_number and len(token.text) <= _TWO_DIGITS else None
    if hour is None and token.is_word:
        hour = _small_number(token)
        return _of_the_hour(tokens, at, hour) if hour is not None and hour <= _DAY else None
    if hour is None or hour > _DAY:
        return None
    return _with_minutes(tokens, at, hour) or _of_the_hour(tokens, at, hour)


def _goes_on(tokens: Sequence[Token], at: int) -> bool:
    """Return whether digits are the last part of a number: the 5 of "1.5 h"."""
    return _text(tokens, at - 1) in {".", ","} and _is_number(tokens, at - 2) and _are_glued(tokens, at - 1, at + 1)


def _with_minutes(tokens: Sequence[Token], at: int, hour: int) -> Clock | None:
    """Read "15:00", "3:30pm", "15h30", and "15.30 Uhr"."""
    sign = _text(tokens, at + 1)
    if sign not in {":", "h", "."} or not _are_glued(tokens, at + 1, at + 3) or not _is_number(tokens, at + 2):
        return None
    minute = int(tokens[at + 2].text[:9])
    end = at + 3
    if minute > 59 or len(tokens[at + 2].text) != _TWO_DIGITS:
        return None
    if _text(tokens, end) == ":" and _are_glued(tokens, end, end + 2) and _is_number(tokens, end + 1):
        end += 2
    half, after = _half_of_the_day(tokens, end)
    if sign == "." and not half and _text(tokens, end) not in _OCLOCK:
        return None
    if half:
        return Clock(_in_half(hour, half), minute, is_sure=True, first=at, end=after)
    end += _text(tokens, end) in _OCLOCK
    is_sure = hour > _HALF_DAY or len(tokens[at].text) == _TWO_DIGITS
    return Clock(hour, minute, is_sure=is_sure, first=at, end=end)


def _of_the_hour(tokens: Sequence[Token], at: int, hour: int) -> Clock | None:
    """Read "3pm", "three o'clock", "15 Uhr", "15h"."""
    half, after = _half_of_the_day(tokens, at + 1)
    if half and hour <= _HALF_DAY:
        return Clock(_in_half(hour, half), 0, is_sure=True, first=at, end=after)
    behind = _text(tokens, at + 1)
    if behind in _OCLOCK or (behind == "o" and _text(tokens, at + 3) == "clock"):
        end = at + 2 if behind in _OCLOCK else at + 4
        minute = int(tokens[end].text[:9]) if behind in _SPOKEN_BEFORE_MINUTES and _is_number(tokens, end) else 0
        if 0 < minute < 60:
            return Clock(hour, minute, is_sure=hour > _HALF_DAY, first=at, end=end + 1)
        return Clock(hour, 0, is_sure=hour > _HALF_DAY, first=at, end=end, is_duration_too=behind.startswith("heure"))
    if behind == "h" and tokens[at].is_number:
        return Clock(hour, 0, is_sure=hour > _HALF_DAY, first=at, end=at + 2, is_duration_too=True)
    return None


def _fraction_of_an_hour(tokens: Sequence[Token], at: int) -> Clock | None:
    """Read "half past three", "a quarter to four", "halb vier"."""
    word, between = tokens[at].text, _text(tokens, at + 1)
    position = at + 1 if word == "halb" else at + 2
    if position >= len(tokens) or (word != "halb" and between not in {"past", "to", "nach", "vor"}):
        return None
    hour = _small_number(tokens[position])
    if hour is None or not 1 <= hour <= _HALF_DAY:
        return None
    minutes = 60 * hour + {"half": 30, "halb": -30}.get(word, 15 if between in {"past", "nach"} else -15)
    half, end = _half_of_the_day(tokens, position + 1)
    if half:
        minutes += 12 * 60 if half == "pm" and hour < _HALF_DAY else 0
    return Clock(minutes // 60 % _DAY, minutes % 60, is_sure=bool(half), first=at, end=end)


def _half_of_the_day(tokens: Sequence[Token], at: int) -> tuple[str, int]:
    """Return "am" or "pm" where it stands, also as "p.m.", and the position behind it; empty where it does not."""
    word = _text(tokens, at)
    half = "pm" if word in _PM else "am" if word in _AM else ""
    if not half:
        return "", at
    if len(word) == _TWO_DIGITS:
        return half, at + 1
    if _text(tokens, at + 1) == "." and _text(tokens, at + 2) == "m" and _are_glued(tokens, at + 1, at + 3):
        return half, at + 3
    return "", at


def _in_half(hour: int, half: str) -> int:
    return hour % _HALF_DAY + (_HALF_DAY if half == "pm" else 0)


# ---- tokens


def _text(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].text if 0 <= at < len(tokens) else ""


def _is_number(tokens: Sequence[Token], at: int) -> bool:
    return 0 <= at < len(tokens) and tokens[at].is_number


def _are_glued(tokens: Sequence[Token], start: int, end: int) -> bool:
    return end <= len(tokens) and all(token.glued for token in tokens[start:end])
