"""Change one thing in an answer: a number, a name, a date, a time of day, a negation, or another word."""

import re
from calendar import day_name
from collections.abc import Callable, Sequence
from random import Random
from types import MappingProxyType

from bench.mutations.true_answers import TrueAnswer

_NUMBER = re.compile(r"(?<![\w.:/\[#-])\d{1,3}(?:[.,]\d{1,3})*(?![\w:\]/-])")
_DIGITS = re.compile(r"\d")
_NUMBER_WORD = re.compile(r"\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|hundred)\b")
_NUMBER_WORDS = tuple("two three four five six seven eight nine ten twelve twenty thirty".split())  # noqa: SIM905
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAY_NAMES = tuple(day_name)
_MONTH = re.compile(rf"\b(?:{'|'.join(_MONTHS)})\b")
_DAY_NAME = re.compile(rf"\b(?:{'|'.join(_DAY_NAMES)})\b", re.IGNORECASE)
_DAY_OF_MONTH = re.compile(rf"\b(?P<day>\d{{1,2}})(?= (?:{'|'.join(_MONTHS)})\b)")
_CLOCK = re.compile(r"(?<![\w:.])(?P<hour>\d{1,2}):(?P<minute>\d\d)(?![\w:])")
_DENIED = re.compile(r"(?: not\b|n't\b)")
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|will|would|should|could|can|must|(?:has|have|had)(?= been|\s\w{2,12}e[dn]\b)|said that)\b"
    r"(?! not\b|n't)"
)
_TOLD = MappingProxyType({"said that": "did not say that"})
_PLAIN = re.compile(r"(?<![\w'\u2019])[a-z]{5,14}(?![\w'\u2019])")
_MARK = re.compile(r"\[[^\]]*\]")

Change = Callable[[TrueAnswer, Random, Sequence[str]], str | None]
"""Returns a changed answer, None where it has nothing of the kind; it gets the names, or the words, of the chat."""


def number(answer: TrueAnswer, random: Random, _: Sequence[str]) -> str | None:
    """Change a number that is no part of a date or a time of day."""
    places = [found for found in _NUMBER.finditer(answer.text) if not _is_dated(answer.text, found)]
    if places and (not _NUMBER_WORD.search(_words(answer.text)) or random.random() < 0.7):
        return _put(answer.text, chosen := random.choice(places), _other_digits(chosen[0], random))
    words = [found for found in _NUMBER_WORD.finditer(answer.text) if not _is_in_mark(answer.text, found)]
    if not words:
        return None
    chosen = random.choice(words)
    return _put(answer.text, chosen, random.choice([word for word in _NUMBER_WORDS if word != chosen[0]]))


def name(answer: TrueAnswer, random: Random, names: Sequence[str]) -> str | None:
    """Put somebody else of the chat in the place of an author."""
    authors = {message.author_name for message in answer.cited}
    others = [other for other in names if other not in authors]
    present = [author for author in sorted(authors) if _named(author, answer.text)]
    if not present or not others:
        return None
    found = _named(random.choice(present), answer.text)
    other = random.choice(others)
    return _put(answer.text, found, other[:1].upper() + other[1:]) if found else None


def date(answer: TrueAnswer, random: Random, _: Sequence[str]) -> str | None:
    """Change a day, a month or a weekday."""
    days = list(_DAY_OF_MONTH.finditer(answer.text))
    behind_days = {day.end() + 1 for day in days}
    months = [one for one in _MONTH.finditer(answer.text) if one[0] != "May" or one.start() in behind_days]
    changes = [
        *(_put(answer.text, day, str(_other(int(day["day"]), 28, random))) for day in days),
        *(_put(answer.text, month, _another(month[0], _MONTHS, random)) for month in months),
        *(_put(answer.text, day, _another(day[0], _DAY_NAMES, random)) for day in _DAY_NAME.finditer(answer.text)),
    ]
    return random.choice(changes) if changes else None


def time(answer: TrueAnswer, random: Random, _: Sequence[str]) -> str | None:
    """Change a time of day."""
    found = list(_CLOCK.finditer(answer.text))
    if not found:
        return None
    chosen = random.choice(found)
    hour = (int(chosen["hour"]) + random.choice([1, 2, 3, 5])) % 24
    return _put(answer.text, chosen, f"{hour:02}:{chosen['minute']}")


def negation(answer: TrueAnswer, random: Random, _: Sequence[str]) -> str | None:
    """Take a negation out, or put one in."""
    denied = [found for found in _DENIED.finditer(answer.text) if not _is_in_mark(answer.text, found)]
    if len(denied) == 1:
        return _put(answer.text, denied[0], "")
    if denied:
        return None
    places = [found for found in _AUXILIARY.finditer(answer.text) if not _is_in_mark(answer.text, found)]
    if not places:
        return None
    chosen = random.choice(places)
    return _put(answer.text, chosen, _TOLD.get(chosen[0], f"{chosen[0]} not"))


def other_word(answer: TrueAnswer, random: Random, words: Sequence[str]) -> str | None:
    """Put another word of the chat in the place of a telling one: what proof is known not to notice."""
    places = [found for found in _PLAIN.finditer(answer.text) if not _is_in_mark(answer.text, found)]
    if not places:
        return None
    chosen = random.choice(places)
    others = [word for word in words if word[-2:] == chosen[0][-2:] and word != chosen[0]]
    return _put(answer.text, chosen, random.choice(others)) if others else None


CHANGES: MappingProxyType[str, Change] = MappingProxyType(
    {"number": number, "name": name, "date": date, "time of day": time, "negation": negation}
)


def plain_words(texts: Sequence[str]) -> list[str]:
    """Return the words in small letters of some texts, each once."""
    return sorted({word for text in texts for word in _PLAIN.findall(text)})


def _other_digits(text: str, random: Random) -> str:
    places = [found.start() for found in _DIGITS.finditer(text)]
    at = random.choice(places)
    digit = random.choice([digit for digit in "123456789" if digit != text[at]])
    return f"{text[:at]}{digit}{text[at + 1 :]}"


def _another(name: str, names: Sequence[str], random: Random) -> str:
    return random.choice([other for other in names if other.lower() != name.lower()])


def _other(number: int, most: int, random: Random) -> int:
    return random.choice([other for other in range(1, most + 1) if other != number])


def _put(text: str, found: re.Match[str], replacement: str) -> str:
    return f"{text[: found.start()]}{replacement}{text[found.end() :]}"


def _named(author: str, text: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w){re.escape(author)}(?!\w)", text, re.IGNORECASE)


def _is_dated(text: str, found: re.Match[str]) -> bool:
    around = text[max(0, found.start() - 12) : found.end() + 12]
    is_date = _DAY_OF_MONTH.match(text, found.start()) or re.search(rf"(?:{'|'.join(_MONTHS)}) {found[0]}", around)
    return bool(is_date) or _is_in_mark(text, found)


def _is_in_mark(text: str, found: re.Match[str]) -> bool:
    return any(mark.start() <= found.start() < mark.end() for mark in _MARK.finditer(text))


def _words(text: str) -> str:
    return _MARK.sub("", text)
