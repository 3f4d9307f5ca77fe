"""Clean text that somebody else wrote: of what nobody sees in it, and of what would command a terminal."""

import re
import unicodedata
from functools import lru_cache

TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks, embeddings, overrides and isolates of the bidirectional algorithm (UAX #9, section 2)."""

MOST_MARKS = 4
"""Combining marks of one letter; Hebrew and Thai need three."""

APART = "\N{ZERO WIDTH SPACE}"
"""What keeps ticks in a block of code from ending it; it stays where it stands behind one."""

_LINE_ENDS = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_ASCII_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_JOINERS = frozenset("\u200c\u200d")  # Persian and emoji need one at a time
_VISIBLE_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2")
_FLAG = "\U0001f3f4"  # the tags behind it say whose flag it is
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f\u17b4\u17b5")
_NAME_LIMIT = 60  # characters
_REMEMBERED = 10_000  # characters
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")


def printable(text: str) -> str:
    """Return a text without the characters by which it could command a terminal or turn its lines around.

    Half a surrogate pair, which a language model may write and no stream takes, is left out too.
    """
    return "".join(letter for letter in text if letter in "\n\t" or not _commands(letter))


def visible(text: str) -> str:
    """Return a text without what is not seen in it, its lines ended by line feeds.

    Besides what `printable` leaves out these are characters without width, except a single joiner within a word or an
    emoji, and the combining marks beyond MOST_MARKS of one letter.
    """
    if text.isascii():  # as most are, and many are shown for one answer
        return _ASCII_COMMANDS.sub("", _LINE_ENDS.sub("\n", text))
    text = _LINE_ENDS.sub("\n", text)
    if all(map(_is_plain, set(text))):  # a quotation mark or an accent is all that most others have
        return text
    kept: list[str] = []
    marks = 0
    for letter in printable(text):
        category = unicodedata.category(letter)
        if category == "Cf" and not _is_needed(letter, kept):
            continue
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks <= MOST_MARKS:
            kept.append(letter)
    return "".join(kept)


@lru_cache(_REMEMBERED)
def _is_plain(letter: str) -> bool:
    """Return whether a character is seen wherever it stands, however often it comes."""
    return letter in "\n\t" or not (_commands(letter) or unicodedata.category(letter) in {"Cf", "Mn", "Me"})


def is_blank(text: str) -> bool:
    """Return whether a text, though it has characters, shows nothing."""
    return all(letter.isspace() or letter in _BLANK or unicodedata.category(letter) in {"Cf", "Mn"} for letter in text)


def _is_needed(letter: str, before: list[str]) -> bool:
    """Return whether a format character shows, or joins what stands before it."""
    if letter in _VISIBLE_FORMATS:
        return True
    last = before[-1] if before else " "
    if letter == APART:
        return last == "`"
    if letter in _JOINERS:
        return not (last.isspace() or last in _JOINERS)
    return "\U000e0020" <= letter <= "\U000e007f" and _FLAG in before[-7:]  # six tags and the flag


def _commands(letter: str) -> bool:
    return letter in TURNING or unicodedata.category(letter) in {"Cc", "Cs"}


def one_line(name: str) -> str:
    """Return a name of bounded length without line breaks."""
    return " ".join(without_controls(name).split())[:_NAME_LIMIT]


def without_controls(text: str) -> str:
    """Return a text without control characters, those that are space aside."""
    return _CONTROL.sub("", text)
