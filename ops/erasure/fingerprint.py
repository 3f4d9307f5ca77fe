"""Recognise a text that repeats what somebody has said, or names them.

What was said is kept as numbers: every run of SHINGLE words becomes one of 64 bits. Those of a hundred thousand
messages take a few megabytes, say nothing to a reader, and are forgotten with the process. A text repeats them

- when it has a run of SHINGLE words from one message: five in a row are seldom shared by chance, and most quotations
  that an answer cuts short still have them; a whole message of fewer words counts from SHORT characters on;
- when one of its lines, or what stands between quotes, is a whole message that is shorter than that;
- when it names the person, as each rendered quotation and source does, or holds their id or that of a message.

A script without blanks between words has a word in every character.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from memory.mentions import in_discord, readable
from memory.plain_text import one_line, visible

SHINGLE = 5
"""Words in a row that are taken for a repetition."""

SHORT = 12
"""Characters from which on a message of fewer than SHINGLE words is looked for anywhere in a text."""

Numbers = NDArray[np.uint64]

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
# Renderings add and take away such signs: escapes, joiners, what commands a terminal or turns its lines around.
_UNSEEN = re.compile("[\\\\\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_QUOTED = (re.compile(r'"(.+)"'), re.compile(r'"([^"]+)"'), re.compile(r"\d\d:\d\d: (.+)$"), re.compile(r"^> ?(.+)$"))
_ID = re.compile(r"(?<!\d)[1-9]\d{14,18}(?!\d)")  # of Discord's, not a number that somebody just mentions
_LONGEST_NAME = 10  # words of a name that are compared
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(slots=True)
class FingerprintBuilder:
    """Takes in what somebody has said, piece by piece."""

    user_ids: frozenset[int]
    message_ids: set[int] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    _forwards: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Of each forward the message that it is a copy of, and who has forwarded it."""
    _runs: bytearray = field(default_factory=bytearray)
    _lengths: set[int] = field(default_factory=set)
    _pieces: set[str] = field(default_factory=set)

    def add(self, text: str) -> None:
        """Take in a text as answers show it, or the name of a file."""
        for form in {in_discord(text), readable(text)}:
            self._add(form)

    def _add(self, text: str) -> None:
        shown = _shown(text)
        words = _WORD.findall(shown)
        if len(words) >= SHINGLE:
            self._add_runs(words, SHINGLE)
        elif words and len(shown) >= SHORT:
            self._add_runs(words, len(words))
        elif shown:
            self._pieces.add(_piece(words, shown))

    def add_message(self, message_id: int, author_name: str, texts: Iterable[str]) -> None:
        """Take in a message: who said it under which name, and its texts."""
        self.message_ids.add(message_id)
        self.names.add(author_name)
        for text in texts:
            self.add(text)

    def add_forward(self, message_id: int, forwarded_from: int, author_name: str) -> None:
        """Take in that a message, of whomever, is a copy of another one."""
        self._forwards[message_id] = forwarded_from, author_name

    def build(self) -> "Fingerprint":
        """Return what tells repetitions of all that was taken in."""
        copies = self._copies()
        symbols = set()
        # To name the author of a message is to repeat the person, and not the message.
        named = {*self.names, *map(one_line, self.names)} if self.user_ids else set()
        for name in named:
            words = _WORD.findall(_shown(name))[:_LONGEST_NAME]
            if words:
                self._add_runs(words, len(words))
            elif shown := _shown(name):
                symbols.add(shown)
        return Fingerprint(
            runs=np.unique(np.frombuffer(self._runs, dtype=np.uint64)),
            lengths=frozenset(self._lengths),
            pieces=frozenset(self._pieces),
            symbols=frozenset(symbols),
            user_ids=self.user_ids,
            message_ids=frozenset(self.message_ids | copies),
            names=frozenset(self.names),
            copies=frozenset(copies),
            copiers=frozenset(self._forwards[message_id][1] for message_id in copies),
        )

    def _copies(self) -> set[int]:
        """Return the forwards of what somebody has said, and the forwards of those."""
        copies_of: dict[int, list[int]] = {}
        for message_id, (forwarded_from, _) in self._forwards.items():
            copies_of.setdefault(forwarded_from, []).append(message_id)
        copies: set[int] = set()
        waiting = list(self.message_ids)
        while waiting:
            found = [copy for copy in copies_of.get(waiting.pop(), ()) if copy not in copies]
            copies.update(found)
            waiting += found
        return copies

    def _add_runs(self, words: list[str], length: int) -> None:
        self._lengths.add(length)
        self._runs += _runs(_numbers(words), length).tobytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What somebody has said, in numbers."""

    runs: Numbers
    lengths: frozenset[int]
    pieces: frozenset[str]
    symbols: frozenset[str]
    user_ids: frozenset[int]
    message_ids: frozenset[int]
    names: frozenset[str]
    copies: frozenset[int]
    """The messages of others that forward what the person has said."""
    copiers: frozenset[str]
    """The names under which those were sent."""

    def repeated_in(self, text: str) -> bool:
        """Return whether a text repeats a message, or names its author."""
        if self.pointed_at_in(text):
            return True
        shown = _shown(text)
        numbers = _numbers(_WORD.findall(shown))
        return (
            any(self._knows(_runs(numbers, length)) for length in self.lengths)
            or any(symbol in shown for symbol in self.symbols)
            or any(piece in self.pieces for piece in _pieces(text))
        )

    def pointed_at_in(self, text: str) -> bool:
        """Return whether a text holds the id of the person, or of one of their messages."""
        return any(int(found) in self.user_ids or int(found) in self.message_ids for found in _ID.findall(text))

    def _knows(self, runs: Numbers) -> bool:
        if not len(runs) or not len(self.runs):
            return False
        places = np.minimum(np.searchsorted(self.runs, runs), len(self.runs) - 1)
        return bool((self.runs[places] == runs).any())


def _shown(text: str) -> str:
    """Return a text as it is compared: without case, without what a rendering adds or hides."""
    return " ".join(_UNSEEN.sub("", unicodedata.normalize("NFKC", visible(text))).casefold().split())


def _numbers(words: list[str]) -> Numbers:
    """Return a number for each word, which means nothing to another process."""
    return np.fromiter((hash(word) & 0xFFFF_FFFF_FFFF_FFFF for word in words), dtype=np.uint64, count=len(words))


def _runs(numbers: Numbers, length: int) -> Numbers:
    """Return a number for every run of so many words."""
    count = len(numbers) - length + 1
    runs = np.full(max(0, count), length, dtype=np.uint64)
    for offset in range(length if count > 0 else 0):
        runs = runs * _FACTOR + numbers[offset : offset + count]
    return runs


def _pieces(text: str) -> Iterator[str]:
    """Yield the parts of a text that may be a whole message: its lines, and what stands between quotes in them."""
    for line in text.splitlines():
        found = (match for pattern in _QUOTED for match in pattern.findall(line))
        for part in (line, *found):
            shown = _shown(part)
            yield _piece(_WORD.findall(shown), shown)


def _piece(words: list[str], shown: str) -> str:
    """Return what a whole message is compared by: its words, or else its signs."""
    return " ".join(words) or shown
