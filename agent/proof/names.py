"""Find the names in a sentence: of people whose messages were shown, and words that are written as names."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from agent.proof.times import MONTHS, WEEKDAYS
from agent.proof.word_lists import listed
from memory.search.terms import stop_words
from memory.stop_words import FUNCTION_WORDS
from time_expressions.folding import folded

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W\d_]{1,12})*")
_BRACKETED = re.compile(r"\([^()]{0,60}\)|\[[^\[\]]{0,60}\]")
_LABEL = re.compile(r"[\s|*_>-]{0,12}(?P<name>[^:|\n]{1,60}?)[*_\s]{0,8}[:|]")
_CLAUSE_END = re.compile(r"[,;:.!?]")
_MOST_NAME = 3  # words before a verb of saying
_STARTS_SENTENCE = frozenset('.!?:;"\u201c\u201e\u00ab(|>*-\u2013\u2014\u2022/')
SAYING_VERBS = frozenset(
    listed(
        "said says wrote writes asked asks told tells announced announces confirmed confirms suggested suggests "
        "mentioned mentions replied replies answered answers reported reports explained explains noted notes "
        "posted posts sagte sagt schrieb schreibt fragte fragt antwortete erwahnte dit ecrit demande dijo dice "
        "escribio pregunto"
    )
)
"""Verbs behind the name of whoever said something."""

_SAYS = frozenset(
    listed(
        "said says wrote writes asked asks told tells thinks thought wants wanted announced announces confirmed "
        "confirms suggested suggests mentioned mentions replied replies answered answers reported reports "
        "explained explains noted notes proposed proposes posted posts shared shares added adds agreed agrees "
        "promised promises offered offers sagte sagt schrieb schreibt fragte fragt meinte meint antwortete a "
        "dit ecrit demande dijo dice escribio pregunto will is has plans planned needs likes bought brings "
        "brought works lives went"
    )
)
_NOT_NAMES = frozenset(
    listed(
        "people members member users user team everyone everybody nobody someone somebody they he she it we you "
        "i one both others another message messages according also yes no ok okay utc pm am api url tv cet gmt "
        "est summary answer english german french spanish discord monday"
    )
)
_WITHOUT_CASE = frozenset(["german", ""])
"""Languages in which a capital letter makes no name: German, and those that are not known."""

_MOST_LABEL = 5  # words of "Release Date: ..."


@dataclass(frozen=True, slots=True)
class NamePhrase:
    """A word, folded, that is a name; `is_person` when somebody is called so whose message was shown."""

    word: str
    is_person: bool
    says: bool = False
    """Whether the sentence says that they said something."""


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, folded, and the parts that an apostrophe makes of them."""
    found: set[str] = set()
    for written in _WORD.findall(text):
        word = folded(written)
        found.add(word)
        found.update(filter(None, word.split("'")))
    return frozenset(found)


def person_words(names: Collection[str]) -> dict[str, bool]:
    """Return the words of people's names, folded, each with whether it is a whole name in small letters.

    What stands in brackets is no part of a name: "Tom (night shift)".
    """
    known: dict[str, bool] = {}
    for name in names:
        words = _WORD.findall(_BRACKETED.sub(" ", name))
        for written in words:
            word = folded(written)
            if len(word) > 1 and not word.isdigit() and word not in FUNCTION_WORDS and word not in _NOT_NAMES:
                known[word] = known.get(word, False) or (written[0].islower() and len(words) == 1)
    return known


def names_in(sentence: str, *, people: dict[str, bool], language: str) -> Iterator[NamePhrase]:
    """Yield the names in a sentence, in order."""
    found = list(_WORD.finditer(sentence))
    capitals = sum(word[0][0].isupper() for word in found[1:])
    has_case = language not in _WITHOUT_CASE and capitals * 2 <= len(found)
    label_end = _label_end(sentence, found)
    for at, word in enumerate(found):
        written = word[0]
        plain = _without_ending(folded(written))
        if plain in people and (written[0].isupper() or people[plain]):
            if not (plain in _ordinary(language) and written[0].islower()):
                yield NamePhrase(plain, is_person=True)
        elif has_case and word.start() >= label_end and _is_name(sentence, found, at, language):
            yield NamePhrase(plain, is_person=False)


def attributions_in(sentence: str, *, is_person: Callable[[str], bool]) -> Iterator[NamePhrase]:
    """Yield the words of names where a sentence says whose words follow: "Ana wrote", "**Ana**:", "| Ana |"."""
    label = _LABEL.match(sentence)
    phrases = [(label["name"], False)] if label else []
    words = list(_WORD.finditer(sentence))
    for at, word in enumerate(words):
        plain = folded(word[0])
        if plain in SAYING_VERBS:
            start = words[max(0, at - _MOST_NAME)].start()
            phrases.append((_last_part(sentence[start : word.start()]), True))
        elif plain == "according" and at + _MOST_NAME < len(words):
            phrases.append((_last_part(sentence[words[at + 2].start() : words[at + 3].start()]), True))
    for phrase, says in phrases:
        for written in _WORD.findall(_BRACKETED.sub(" ", phrase)):
            name = _without_ending(folded(written))
            if len(name) > 1 and name not in FUNCTION_WORDS and name not in _NOT_NAMES and is_person(name):
                yield NamePhrase(name, is_person=True, says=says)


def _last_part(words: str) -> str:
    """Return what stands behind the last sign that ends a clause."""
    return _CLAUSE_END.split(words)[-1]


def _is_name(sentence: str, found: Sequence[re.Match[str]], at: int, language: str) -> bool:
    written = found[at][0]
    plain = _without_ending(folded(written))
    if not written[0].isupper() or len(plain) < 2 or _is_ordinary(plain, language):
        return False
    if not _starts_sentence(sentence, found[at].start()):
        return True
    after = folded(found[at + 1][0]) if at + 1 < len(found) else ""
    return after in _SAYS and len(plain) > 2 and not plain.endswith("ing")


def _is_ordinary(word: str, language: str) -> bool:
    return word in MONTHS or word in WEEKDAYS or word in _NOT_NAMES or word in _ordinary(language)


def _ordinary(language: str) -> frozenset[str]:
    return stop_words(language) | FUNCTION_WORDS if language else FUNCTION_WORDS


def _starts_sentence(sentence: str, start: int) -> bool:
    before = sentence[max(0, start - 8) : start].rstrip(" \t\n*_~")
    return not before or before[-1] in _STARTS_SENTENCE or "\n" in sentence[max(0, start - 8) : start]


def _label_end(sentence: str, found: Sequence[re.Match[str]]) -> int:
    """Return where the label ends that a sentence begins with, "Release Date: ..."; 0 without one."""
    colon = sentence.find(":")
    return colon if colon >= 0 and sum(word.start() < colon for word in found) <= _MOST_LABEL else 0


def _without_ending(word: str) -> str:
    return word.removesuffix("'s").removesuffix("'")
