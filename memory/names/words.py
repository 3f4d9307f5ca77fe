"""Cut names, and the texts that speak of them, into the words by which people are called.

A name is written with tags, emoji and letters from all over Unicode ("[Mod] Cleo", "the_real_eve", "d.e.n.i.s#1234"),
and called by any of its words. Both sides are cut in the same way, so that a run of words is compared as one key.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from memory.stop_words import FUNCTION_WORDS
from time_expressions.folding import FoldedText, Token, folded


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TAGS = _words("""
    mod mods moderator admin admins administrator staff owner founder team crew clan guild bot official member members
    vip dev lead chief boss guest user helper support booster
    away afk brb bbl busy offline online back soon gone sleeping asleep working holiday holidays vacation leave ooo dnd
    sick lurking here
    real actual original old new only just
    mr mrs ms miss mx dr prof sir lady lord
    xx xxx x ttv yt twitch gg lvl level
    he him his she her hers they them theirs
""")
"""Words, folded, that stand in names and call nobody: ranks, states, titles."""

_MOST_WORDS = 12  # of a name; what follows them is not looked up
_LONGEST_RUN = 4  # words of a name by which somebody is called, unless by all of them
_MOST_SPELT = 24  # single letters that are one word
_SHORTEST_SPELT = 3  # single letters in a row that are one word: "d.e.n.i.s"
_REMEMBERED = 10_000  # characters

BREAKS = frozenset(',;:?!"<>\n')
"""Signs that end a name in a sentence."""

_LETTER_NAME = re.compile(
    r"(?:LATIN LETTER SMALL CAPITAL|NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL LETTER) (?P<letter>[A-Z])"
)
"""Unicode's names of letters that look like Latin ones and have no decomposition."""


@dataclass(frozen=True, slots=True)
class Part:
    """One or more words that are written together, from a token of a text to before another."""

    first: int
    after: int
    words: tuple[str, ...]


class NameText:
    """A text cut into the words of which names in it may be made."""

    def __init__(self, text: FoldedText) -> None:
        self.parts = list(_parts(text.tokens))
        self._joins = [
            not any(text.word(at) in BREAKS for at in range(left.after, right.first))
            for left, right in zip(self.parts, self.parts[1:], strict=False)
        ]
        self._at = {part.first: index for index, part in enumerate(self.parts)}

    def part_at(self, token: int) -> int | None:
        """Return the number of the part that begins at a token."""
        return self._at.get(token)

    def keys(self, index: int, longest: int) -> Iterator[tuple[int, str]]:
        """Yield the runs of at most `longest` parts from one on, the shortest first: the token behind it, and its key.

        A run ends where a comma or the like does.
        """
        words: list[str] = []
        for at in range(index, min(len(self.parts), index + longest)):
            words += self.parts[at].words
            yield self.parts[at].after, " ".join(words)
            if at >= len(self._joins) or not self._joins[at]:
                return


def name_keys(name: str) -> list[str]:
    """Return all by which the bearer of a name may be called, as keys: the whole name first, when it has words."""
    plain = _plain(name)
    whole = _words_in(plain)
    keys = [" ".join(whole), *_run_keys(whole)]
    split = [piece for word in whole_words(plain) for piece in _pieces(word) if piece and not piece.isdecimal()]
    if (split := split[:_MOST_WORDS]) != whole:
        keys += [" ".join(split), *_run_keys(split)]
    if len(whole) > 1:
        keys.append("".join(whole))
    return [key for key in dict.fromkeys(keys) if key]


def whole_key(name: str) -> str:
    """Return the key of a whole name; empty when it has no words."""
    return " ".join(_words_in(_plain(name)))


def sign_key(name: str) -> str:
    """Return the key of a name that has no words, only signs."""
    text = FoldedText(name)
    return text.key(0, len(text))


def whole_words(name: str) -> list[str]:
    """Return the words of a name as they are written."""
    return [name[token.start : token.end] for token in FoldedText(name).tokens if token.is_word]


def _words_in(name: str) -> list[str]:
    return [word for part in _parts(FoldedText(name).tokens) for word in part.words][:_MOST_WORDS]


def _run_keys(words: Sequence[str]) -> Iterator[str]:
    """Yield the runs of words, not the whole, that call somebody."""
    for first in range(len(words)):
        for after in range(first + 1, min(len(words), first + _LONGEST_RUN) + 1):
            run = words[first:after]
            if _begins(run) and (_calls(run[-1]) or len(run[-1]) == 1) and run != words:
                yield " ".join(run)


def _begins(run: Sequence[str]) -> bool:
    """Return whether a run may begin so: with a word that calls somebody, or with a letter before one ("O'Neil")."""
    is_letter = len(run[0]) == 1 and run[0].isalpha() and run[0] not in FUNCTION_WORDS
    return _calls(run[0]) or (is_letter and len(run) > 1 and _calls(run[1]))


def _calls(word: str) -> bool:
    """Return whether somebody may be called by this word of a longer name alone."""
    return len(word) > 1 and not word.isdecimal() and word not in FUNCTION_WORDS and word not in TAGS


def _parts(tokens: Sequence[Token]) -> Iterator[Part]:
    at = 0
    while at < len(tokens):
        if (end := _end_of_spelt(tokens, at)) is not None:
            yield Part(at, end, ("".join(token.folded for token in tokens[at:end] if token.is_word),))
            at = end
            continue
        if tokens[at].is_word and (words := tuple(word for word in _plain(tokens[at].folded).split("_") if word)):
            yield Part(at, at + 1, words)
        at += 1


def _end_of_spelt(tokens: Sequence[Token], at: int) -> int | None:
    """Return the token behind single letters that are glued by single signs: "d.e.n.i.s"; None when there are none."""
    if at and tokens[at].glued and tokens[at - 1].is_word:
        return None
    letters, end = 0, at
    while letters < _MOST_SPELT and end < len(tokens) and _is_letter(tokens[end]) and (end == at or tokens[end].glued):
        letters, at_sign = letters + 1, end + 1
        has_sign = at_sign + 1 < len(tokens) and tokens[at_sign].glued and not tokens[at_sign].is_word
        if not has_sign or not (_is_letter(tokens[at_sign + 1]) and tokens[at_sign + 1].glued):
            return at_sign if letters >= _SHORTEST_SPELT else None
        if tokens[at_sign].folded == "'":
            return None
        end = at_sign + 1
    return None


def _is_letter(token: Token) -> bool:
    return token.is_word and len(token.folded) == 1 and token.folded.isalpha()


def _pieces(word: str) -> Iterator[str]:
    """Yield the parts of a word, folded, that its capitals, digits or scripts mark: "DarkWolf", "ben99"."""
    piece = ""
    for letter, after in zip(word, f"{word[1:]} ", strict=True):
        begins_word = piece[-1:].isupper() and letter.isupper() and after.islower()
        if piece and (begins_word or _kind(letter) != _kind(piece[-1]) or (letter.isupper() and piece[-1].islower())):
            yield folded(piece)
            piece = ""
        piece += "" if letter == "_" else letter
    if piece:
        yield folded(piece)


@lru_cache(_REMEMBERED)
def _kind(letter: str) -> str:
    """Return the script of a letter, or that it is a digit."""
    return "DIGIT" if letter.isdecimal() else unicodedata.name(letter, "").partition(" ")[0]


def _plain(name: str) -> str:
    """Return a name in plain letters where it is written in those that only look like them."""
    if name.isascii():
        return name
    return unicodedata.normalize("NFKC", "".join(map(_letter, name)))


@lru_cache(_REMEMBERED)
def _letter(letter: str) -> str:
    found = _LETTER_NAME.fullmatch(unicodedata.name(letter, ""))
    return found["letter"].lower() if found else letter
