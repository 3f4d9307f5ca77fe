"""The words of a text that say what it is about, as a question and a message are compared by them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from memory.folding import folded
from memory.messages import Message
from memory.stems import LANGUAGES, stems_of
from memory.topics import FUNCTION_WORDS, SAYING_WORDS

_MOST_READ = 4000  # characters of a text: twice the longest message
_WORD = re.compile(r"\w+(?:\.\w+)*")  # "0.4" is one
_LETTERS = re.compile(r"[^\W\d_]+")
_SHORTEST_PART = 2  # letters of a part of a name such as "kiln_shelf2.jpg"

_PICTURES = frozenset(["jpg", "jpeg", "png", "gif", "webp", "heic", "heif", "bmp", "avif", "tiff"])
_PICTURE_WORDS = frozenset(
    ["photo", "photos", "photograph", "photographs", "picture", "pictures", "image", "images", "pic", "pics"]
)
PICTURE = "picture"
"""What stands for all words for pictures, and for the endings of their files."""

_AUXILIARY = frozenset({"will"})  # which is a first name as well, where names are looked for

_SAME = MappingProxyType({**dict.fromkeys(_PICTURES | _PICTURE_WORDS, PICTURE), "screenshots": "screenshot"})


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word, folded, with what it may be without its ending."""

    text: str
    stems: frozenset[str]


def keywords_of(question: str) -> tuple[Keyword, ...]:
    """Return the words that say what a question is about, each once: "did", "about" and "said" do not."""
    words = list(_words(question[:_MOST_READ]))
    idle = _idle_words(words)
    telling = dict.fromkeys(_SAME.get(word, word) for word in words if word not in idle)
    return tuple(Keyword(word, stems_of(word)) for word in telling)


def all_stems(text: str) -> frozenset[str]:
    """Return the stems of all words of a text, and of the parts of the names of files in it."""
    return frozenset(stem for word in _words(text[:_MOST_READ]) for form in _forms(word) for stem in stems_of(form))


def stems_in(message: Message) -> frozenset[str]:
    """Return the stems of the words of a message and of the names of its files."""
    return all_stems(" ".join([message.content, *(file.name for file in message.attachments)]))


def with_other_words(question: str) -> str:
    """Return a question as the word index is asked it: with the word for pictures that stands for all of them."""
    words = set(_words(question[:_MOST_READ]))
    return question if PICTURE in words or _PICTURE_WORDS.isdisjoint(words) else f"{question} {PICTURE}"


def parts_of(name: str) -> list[str]:
    """Return the words that the name of a file is made of: "kiln", "shelf" and "picture" of "kiln_shelf2.jpg"."""
    parts = (part for part in _LETTERS.findall(folded(name)) if len(part) >= _SHORTEST_PART)
    return list(dict.fromkeys(PICTURE if part in _PICTURES else part for part in parts))


def _words(text: str) -> Iterator[str]:
    return (folded(word) for word in _WORD.findall(text))


def _forms(word: str) -> Iterator[str]:
    yield _SAME.get(word, word)
    if not word.isalpha():
        yield from parts_of(word)


def _idle_words(words: list[str]) -> frozenset[str]:
    """Return the words that tell nothing in the language of a question, which is English unless another has more."""
    english = FUNCTION_WORDS | SAYING_WORDS | _AUXILIARY
    best = max(LANGUAGES[1:], key=lambda language: _count(words, _stop_words(language)))
    foreign = _stop_words(best)
    return foreign | SAYING_WORDS if _count(words, foreign) > _count(words, english) else english


def _count(words: list[str], idle: frozenset[str]) -> int:
    return sum(word in idle for word in words)


@cache
def _stop_words(language: str) -> frozenset[str]:
    from stop_words import get_stop_words  # only a question needs it

    return frozenset(folded(word) for word in get_stop_words(language))
