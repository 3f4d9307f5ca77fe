"""Fold Unicode for comparison, and cut texts into the words and signs that are compared.

People do not type a name as it is written: "zoe" for "Zoë", "strasse" for "Straße", and for "Irmak" it with no dot.
Everything that compares names of people, channels and time zones, or words, compares what `folded` makes of them.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_SIGNIFICANT_MARKS = (0, 7, 8, 9)
"""Combining classes of marks that make another letter: vowels of Indian scripts, nukta, kana voicing, virama."""

_ONE_LETTER = {
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    **dict(zip("łŁøØđĐ", "lLoOdD", strict=True)),
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{MODIFIER LETTER APOSTROPHE}": "'",
}
"""Characters that have no decomposition and are still typed as plain ones."""

_REMEMBERED = 10_000  # characters; a conversation has hundreds, and Unicode a million

_ASCII_WORD = re.compile(r"\w+", re.ASCII)
_ASCII_TOKEN = re.compile(r"\w+|[^\w\s]", re.ASCII)


class _Marks(dict[int, str | None]):
    """A table for `str.translate` that takes accents and invisible characters out; it is filled as it is used."""

    def __missing__(self, code: int) -> str | None:
        letter = chr(code)
        kept = None if _is_ignored(letter) else _ONE_LETTER.get(letter, letter)
        if len(self) < _REMEMBERED:
            self[code] = kept
        return kept


def _is_ignored(letter: str) -> bool:
    """Return whether a character counts for nothing: an accent, a joiner, a variation selector, an enclosing mark."""
    if unicodedata.category(letter) in {"Cf", "Me"} or unicodedata.name(letter, "").startswith("VARIATION SELECTOR"):
        return True
    return unicodedata.combining(letter) not in _SIGNIFICANT_MARKS


_MARKS = _Marks()


def folded(text: str) -> str:
    """Return a text as it is compared: without width, case and accents, Turkish i's as one letter.

    It is not shown to anybody, and its characters do not stand where they stood.
    """
    if text.isascii():
        return text.lower()
    # Marks go first: to put long runs of them in order takes quadratic time.
    plain = unicodedata.normalize("NFKD", text.translate(_MARKS)).translate(_MARKS)
    return unicodedata.normalize("NFKD", plain.casefold()).translate(_MARKS)


Span = tuple[int, int]
"""Where a phrase begins in a text, and where what follows it begins."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a sign, folded, with where it stands; `glued` when no space is before it."""

    folded: str
    start: int
    end: int
    glued: bool
    is_word: bool


def tokens_of(text: str) -> list[Token]:
    """Return the words and the signs of a text in its order; accents belong to the letter that they follow."""
    tokens: list[Token] = []
    for start, end, is_word in _ascii_pieces(text) if text.isascii() else _pieces(text):
        glued = bool(tokens) and tokens[-1].end == start
        tokens.append(Token(folded(text[start:end]), start, end, glued, is_word))
    return tokens


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return [token.folded for token in tokens_of(text) if token.is_word]


def _ascii_pieces(text: str) -> Iterator[tuple[int, int, bool]]:
    for found in _ASCII_TOKEN.finditer(text):
        start, end = found.span()
        yield start, end, _kind(text[start]) == "word"


def _pieces(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield where each word and sign begins and ends, and whether it is a word, in one pass over the text."""
    start, current = 0, "space"
    for position, letter in enumerate(text):
        kind = _kind(letter)
        if kind == "mark" or (kind == current == "word"):
            continue
        if current != "space":
            yield start, position, current == "word"
        start, current = position, kind
    if current != "space":
        yield start, len(text), current == "word"


@lru_cache(_REMEMBERED)
def _kind(letter: str) -> str:
    if letter.isalnum() or letter == "_":
        return "word"
    if letter.isspace():
        return "space"
    return "mark" if unicodedata.category(letter) in {"Mn", "Mc", "Me", "Cf"} else "sign"


class FoldedText:
    """A text cut into tokens, of which any stretch can be compared with a name at the price of a slice.

    Spaces count as one, and only whether there is one: "Ben  Stone" is "ben stone", and "ben-stone" is another name.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self._begins: list[int] = []
        self._ends: list[int] = []
        parts: list[str] = []
        length = 0
        for token in self.tokens:
            if parts and not token.glued:
                parts.append(" ")
                length += 1
            self._begins.append(length)
            parts.append(token.folded)
            length += len(token.folded)
            self._ends.append(length)
        self._joined = "".join(parts)

    def __len__(self) -> int:
        return len(self.tokens)

    def key(self, first: int, after: int) -> str:
        """Return the tokens from `first` to before `after` as one text."""
        return self._joined[self._begins[first] : self._ends[after - 1]] if first < after else ""

    def word(self, index: int) -> str:
        """Return the token at an index; empty before the first and after the last."""
        return self.tokens[index].folded if 0 <= index < len(self.tokens) else ""

    def is_apart(self, index: int) -> bool:
        """Return whether there is a token at an index with a space before it."""
        return 0 <= index < len(self.tokens) and not self.tokens[index].glued
