"""Cut texts into keywords and stems, and weigh the keywords of a question by their inverse document frequency."""

import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType

from memory.file_names import PICTURE, PICTURE_ENDINGS, parts_of
from memory.message import Message
from memory.stop_words import FUNCTION_WORDS, SAYING_WORDS
from time_expressions.folding import folded, tokens_of, words_of

LANGUAGES = ("english", "german", "french", "spanish", "italian", "portuguese", "dutch")
"""Languages whose endings are known; the first one is what the word indexes read."""

_REMEMBERED = 20_000  # words: those of a few hundred messages
_LONGEST = 40  # letters of a word; what is longer is an address or a scream
_SHORTEST_FOREIGN = 5  # letters of a stem: shorter ones make one word of "hope" and "hop", "care" and "car"


def stems_of(word: str) -> frozenset[str]:
    """Return what a folded word may be without its ending; two words are forms of one when they share a stem.

    A stem that only another language than English knows counts when it is long: in any language short words are alike.
    """
    return _stems_of(word[:_LONGEST])


_STEMMING = threading.Lock()
"""A stemmer serves one thread at a time, and long results are compared beside the event loop."""


@lru_cache(_REMEMBERED)
def _stems_of(word: str) -> frozenset[str]:
    with _STEMMING:
        english, *others = (stem(word) for stem in _stemmers())
    return frozenset({english, *(stem for stem in others if len(stem) >= _SHORTEST_FOREIGN)})


@cache
def _stemmers() -> tuple[Callable[[str], str], ...]:
    from Stemmer import Stemmer  # only a question needs it

    return tuple(Stemmer(language).stemWord for language in LANGUAGES)


_MOST_READ = 4000  # characters of a text: twice the longest message
_WORD = re.compile(r"\w+(?:\.\w+)*")  # "0.4" is one

_PICTURE_WORDS = frozenset(
    ["photo", "photos", "photograph", "photographs", "picture", "pictures", "image", "images", "pic", "pics"]
)

_AUXILIARY = frozenset({"will"})  # which is a first name as well, where names are looked for

_SAME = MappingProxyType({**dict.fromkeys(PICTURE_ENDINGS | _PICTURE_WORDS, PICTURE), "screenshots": "screenshot"})


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word, folded, with what it may be without its ending."""

    text: str
    stems: frozenset[str]


def keywords_of(question: str) -> tuple[Keyword, ...]:
    """Return the words that say what a question is about, each once: "did", "about" and "said" do not."""
    words = list(_words(question[:_MOST_READ]))
    idle = _idle_words(words)
    keywords = dict.fromkeys(_SAME.get(word, word) for word in words if word not in idle)
    return tuple(Keyword(word, stems_of(word)) for word in keywords)


def all_stems(text: str) -> frozenset[str]:
    """Return the stems of all words of a text, and of the parts of the names of files in it."""
    return frozenset().union(*map(_stems_of_any, _tokens_in(text)))


def _tokens_in(text: str) -> set[str]:
    """Return the words of a text as they are written."""
    return set(_WORD.findall(text[:_MOST_READ]))


def _stems_of_any(token: str) -> frozenset[str]:
    return _stems_of_token(token) if len(token) <= _LONGEST else _compute_stems(token)


@lru_cache(_REMEMBERED)
def _stems_of_token(token: str) -> frozenset[str]:
    """Return the stems of a word as it is written; a search reads the same words in a hundred messages."""
    return _compute_stems(token)


def _compute_stems(token: str) -> frozenset[str]:
    return frozenset(stem for form in _forms(folded(token)) for stem in stems_of(form))


def stems_in(message: Message) -> frozenset[str]:
    """Return the stems of the words of a message and of the names of its files."""
    return all_stems(_all_words(message))


def _all_words(message: Message) -> str:
    return " ".join([message.content, *(file.name for file in message.attachments)])


def with_other_words(question: str) -> str:
    """Return a question as the word index is asked it: with the word for pictures that stands for all of them."""
    words = set(_words(question[:_MOST_READ]))
    return question if PICTURE in words or _PICTURE_WORDS.isdisjoint(words) else f"{question} {PICTURE}"


def _words(text: str) -> Iterator[str]:
    return (folded(word) for word in _WORD.findall(text))


def _forms(word: str) -> Iterator[str]:
    yield _SAME.get(word, word)
    if not word.isalpha():
        yield from parts_of(word)


def is_english(text: str) -> bool:
    """Return whether a text has at least as many idle words of English as of any other language."""
    return _foreign_idle_words(list(_words(text[:_MOST_READ]))) is None


_ENGLISH_IDLE = FUNCTION_WORDS | SAYING_WORDS | _AUXILIARY


def _idle_words(words: list[str]) -> frozenset[str]:
    """Return the words that tell nothing in the language of a question, which is English unless another has more."""
    foreign = _foreign_idle_words(words)
    return _ENGLISH_IDLE if foreign is None else foreign | SAYING_WORDS


def _foreign_idle_words(words: list[str]) -> frozenset[str] | None:
    """Return the idle words of the other language that has most of the words; None where English has as many."""
    best = max(LANGUAGES[1:], key=lambda language: _count(words, stop_words(language)))
    foreign = stop_words(best)
    return foreign if _count(words, foreign) > _count(words, _ENGLISH_IDLE) else None


def _count(words: list[str], idle: frozenset[str]) -> int:
    return sum(word in idle for word in words)


@cache
def stop_words(language: str) -> frozenset[str]:
    """Return the words of a language, folded, that say nothing of a topic."""
    from stop_words import get_stop_words  # only a question needs it

    return frozenset(folded(word) for word in get_stop_words(language))


@dataclass(frozen=True, slots=True)
class Weighed:
    """A keyword of a question: its weight, and whether any message has it."""

    keyword: Keyword
    weight: float = 1.0
    is_known: bool = True


def weighed(question: str, messages: Collection[Message]) -> tuple[Weighed, ...]:
    """Return the keywords of a question, weighed by their inverse document frequency among the candidates.

    The weight is that of BM25, ln(1 + (N - n + 0.5) / (n + 0.5)) where n of N messages have the word (Robertson and
    Zaragoza, "The Probabilistic Relevance Framework", 2009). The messages are the best for any of the words, so that a
    rare word which none of them has is in no message at all.
    """
    words = keywords_of(question)
    counts = _messages_having(words, messages) if words else []
    return tuple(
        Weighed(word, math.log1p((len(messages) - having + 0.5) / (having + 0.5)), is_known=having > 0)
        for word, having in zip(words, counts, strict=True)
    )


def _messages_having(words: Sequence[Keyword], messages: Collection[Message]) -> list[int]:
    """Return how many of the messages have each of the words.

    Each word that is written in any of the messages is compared once: hundreds of messages share most of theirs.
    """
    forms: dict[str, tuple[int, ...]] = {}
    counts: Counter[int] = Counter()
    for message in messages:
        found: set[int] = set()
        for token in _tokens_in(_all_words(message)):
            numbers = forms.get(token)
            if numbers is None:
                stems = _stems_of_any(token)
                numbers = tuple(number for number, word in enumerate(words) if not word.stems.isdisjoint(stems))
                forms[token] = numbers
            found.update(numbers)
        counts.update(found)
    return [counts[number] for number in range(len(words))]


SHORTEST = 5
"""Letters of a word that may be misspelt: shorter ones are too like each other."""

ALIKE = 85
"""Per cent of the letters of two words that are alike and in order: one letter of seven may be another, or missing."""

_MOST_WRONG = 3  # words of a question
_MOST_WORDS = 5000  # of the messages


def corrections(words: Sequence[Weighed], messages: Collection[Message]) -> dict[str, str]:
    """Return, for words of a question that none of the messages has, the nearest word of theirs if there is one."""
    wrong = [word.keyword.text for word in words if not word.is_known and _may_be_misspelt(word.keyword.text)]
    if not wrong:
        return {}
    known = dict.fromkeys(word for message in messages for word in words_of(message.content) if _may_be_misspelt(word))
    listed = list(known)[:_MOST_WORDS]
    near = {word: _nearest(word, listed) for word in wrong[:_MOST_WRONG]}
    return {word: nearest for word, nearest in near.items() if nearest}


def _nearest(word: str, known: Sequence[str]) -> str | None:
    from rapidfuzz import fuzz, process  # loaded when the first unknown word is met

    found = process.extractOne(word, known, scorer=fuzz.ratio, score_cutoff=ALIKE)
    return found[0] if found else None


def corrected(text: str, meant: Mapping[str, str]) -> str:
    """Return a text with other words in place of some, which are given folded."""
    for token in reversed(tokens_of(text)):
        if token.folded in meant:
            text = f"{text[: token.start]}{meant[token.folded]}{text[token.end :]}"
    return text


_POSSESSIVE = re.compile("['\u2019]s\\b")


def without_words(text: str, stems: Collection[str]) -> str:
    """Return a text without the words that have one of some stems, nor the "'s" after them; as it is if none is left.

    "What did Ana's dog eat?" without "ana" is "What did dog eat?", which a model reads as well as the whole.
    """
    kept = text
    for token in reversed(tokens_of(text[:_MOST_READ])):
        if token.is_word and not stems_of(token.folded).isdisjoint(stems):
            after = kept[token.end :]
            kept = kept[: token.start] + (after[2:] if _POSSESSIVE.match(after) else after)
    return " ".join(kept.split()) if keywords_of(kept) else text


def _may_be_misspelt(word: str) -> bool:
    return SHORTEST <= len(word) <= 2 * SHORTEST * SHORTEST and word.isalpha()
