"""Translate the words of written dates (months, weekdays, halves of the day) of many languages into English.

The names are those of the Unicode locale data, as programs write them in exports.
"""

import re
import unicodedata
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale

_LANGUAGES = (
    *("en", "fr", "de", "es", "pt", "it", "nl", "ca", "ro", "sv", "nb", "da", "fi", "et", "lv", "lt", "pl", "cs", "sk"),
    *("sl", "hr", "hu", "bg", "ru", "uk", "sr", "tr", "el", "he", "ar", "id", "ja", "zh", "ko"),
)
"""Those whose programs write years of the common calendar."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SHORTEST = 3  # letters of the beginning of a month's name that stand for it
_OTHER_HALVES = {
    "AM": ("\u51cc\u6668", "\u65e9\u4e0a", "\u6e05\u6668", "\u65e9\u6668"),
    "PM": ("\u4e2d\u5348", "\u665a\u4e0a", "\u508d\u665a", "\u6669\u4e0a"),
}
"""Chinese for other parts of the day, as chat programs write them."""

_POLISH_OR_CROATIAN = {"lis": (11, 10), "listopada": (11, 10), "lip": (7, 6)}
"""Names of one month in Polish, which puts no point behind the day, and of the one before in Croatian, which does."""

_FILLERS = frozenset(
    {"a", "alle", "as", "at", "de", "del", "den", "der", "di", "do", "dne", "du", "el", "h", "kl", "klo", "la", "las"}
    | {"le", "lo", "los", "o", "of", "om", "on", "ore", "the", "u", "uhr", "um", "van"}
    | {
        "\u0433\u043e\u0434",
        "\u0433\u043e\u0434\u0430",
        "\u0433",
        "\u0440",
        "\u0440\u043e\u043a\u0443",
        "\u0432",
        "\u043e",
    }
)
"""Words between the parts of a date, without accents; the last are Russian and Ukrainian for "year" and "at"."""

_WORD = re.compile(r"[^\W\d_]+\.?")
_INITIALS = re.compile(r"(?<![^\W_])([^\W\d_])\.\s?([^\W\d_])\b\.?")
_ORDINAL = re.compile(r"(?<=\d)(?:er|st|nd|rd|th|\.?º|ª|ος|η)(?![^\W\d_])", re.IGNORECASE)
_HALF_FIRST = re.compile(r"\b(AM|PM)\s*(\d{1,2}(?::\d{2}){1,2})")
_NUMBERED = str.maketrans({"\u5e74": "-", "\u6708": "-", "\u65e5": " ", "\ub144": "-", "\uc6d4": "-", "\uc77c": " "})
_NUMBERED |= str.maketrans({"\u6642": ":", "\u65f6": ":", "\uc2dc": ":", "\u5206": " ", "\ubd84": " "})
_GAPS = re.compile(r"-\s+")


def in_english(text: str) -> str:
    """Return a date with the months and halves of the day in English and without weekdays and small words.

    What is no such word stays as it is. Raises ValueError for a name that means one month here and another one there.
    """
    text = unicodedata.normalize("NFKC", text)
    if not text.isascii():
        text = _without_characters(text)
        text = "".join(str(digit) if (digit := unicodedata.decimal(one, None)) is not None else one for one in text)
    text = _ORDINAL.sub("", text)
    text = _INITIALS.sub(lambda found: _half_of(found[1] + found[2]) or found[0], text)
    words = [word[0] for word in _WORD.finditer(text)]
    has_month = any(_is_only_a_month(word) for word in words)
    text = _WORD.sub(lambda found: _translated(found, has_month=has_month), text)
    return " ".join(_HALF_FIRST.sub(r"\2 \1", text).split()).strip(" ,")


def _without_characters(text: str) -> str:
    """Return a date in which the characters for year, month, day, hour and half of the day are replaced."""
    for half, names in _halves_without_blanks().items():
        for name in names:
            text = text.replace(name, f" {half} ")
    return _GAPS.sub("-", text.translate(_NUMBERED))


def _translated(found: re.Match[str], *, has_month: bool) -> str:
    """Return a word of a date in English; raise ValueError for a month that nothing tells from another one."""
    word = found[0]
    plain = _plain(word)
    if plain in _FILLERS:
        return " "
    if half := _half_of(plain):
        return half
    months = _months().get(plain)
    is_weekday = plain in _weekdays()
    if months and not (is_weekday and has_month):
        if plain in _POLISH_OR_CROATIAN:
            polish, croatian = _POLISH_OR_CROATIAN[plain]
            months = frozenset({croatian if found.string[: found.start()].rstrip().endswith(".") else polish})
        if len(months) > 1:
            names = " or ".join(_MONTHS[month - 1] for month in sorted(months))
            raise ValueError(f"{word!r} is {names}, as the language is")
        return _MONTHS[min(months) - 1]
    return " " if is_weekday else word


def _is_only_a_month(word: str) -> bool:
    plain = _plain(word)
    return plain in _months() and plain not in _weekdays()


def _half_of(word: str) -> str:
    return _halves().get(_plain(word), "")


def _plain(name: str) -> str:
    """Return a name in small letters without accents and points."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


@cache
def _months() -> dict[str, frozenset[int]]:
    """Return which months a name may mean; a short beginning counts where no month is called so."""
    whole, begun = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    for locale in _locales():
        for month, name in (
            (month, name)
            for context in ("format", "stand-alone")
            for width in ("wide", "abbreviated")
            for month, name in locale.months[context][width].items()
        ):
            plain = _plain(name)
            if any(letter.isalpha() for letter in plain) and not plain[:1].isdigit():
                whole[plain].add(month)
                for end in range(_SHORTEST, len(plain)):
                    begun[plain[:end]].add(month)
    beginnings = {name: months for name, months in begun.items() if len(months) == 1 and name not in whole}
    return {name: frozenset(months) for name, months in (beginnings | whole).items()}


@cache
def _weekdays() -> frozenset[str]:
    return frozenset(
        _plain(name)
        for locale in _locales()
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated", "short")
        for name in locale.days[context].get(width, {}).values()
    )


@cache
def _halves() -> dict[str, str]:
    return {_plain(name): half for half, names in _names_of_halves().items() for name in names}


@cache
def _halves_without_blanks() -> dict[str, list[str]]:
    """Return the names of halves of the day in scripts that put no blanks around them."""
    return {
        half: sorted((name for name in names if name[0] >= "\u2e80"), key=len, reverse=True)
        for half, names in _names_of_halves().items()
    }


@cache
def _names_of_halves() -> dict[str, list[str]]:
    names: dict[str, list[str]] = {half: list(others) for half, others in _OTHER_HALVES.items()}
    for locale in _locales():
        for width in ("wide", "abbreviated"):
            periods = locale.day_periods["format"].get(width, {})
            for half in names:
                if half.lower() in periods:
                    names[half].append(unicodedata.normalize("NFKC", periods[half.lower()]))
    return names


@cache
def _locales() -> tuple["Locale", ...]:
    from babel import Locale  # loaded when a date has words that need it

    return tuple(Locale.parse(language) for language in _LANGUAGES)
