"""Notice people and numbers that a sentence has the other way round than the messages that it cites."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.proof.facts import MessageFacts
from agent.proof.polarity import idle_words
from agent.proof.word_lists import listed
from memory.search.terms import stems_of
from time_expressions.tokens import Token, tokens_of

_MOST_BETWEEN = 5  # words between two people
_MOST_PEOPLE = 12  # of one text
_MOST_NUMBERS = 40
_ARTICLES = frozenset(listed("a an the der die das dem den ein eine einen le la les un une el los las una"))
_EITHER_WAY = _ARTICLES | frozenset(
    listed(
        "and or with nor plus vs versus met meets meet married marries marry know knows knew und oder mit et ou avec "
        "y o e con traf kennt"
    )
)
"""Words between two people that mean the same with either first."""

_ENDS = frozenset('.,;:!?()[]{}"|\u2026')

Between = tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two people with what stands between them: "Eva lent the drill to Tom"."""

    first: str
    between: Between
    second: str

    def is_turned(self, other: "_Pair") -> bool:
        """Return whether the other one says of the second what this one says of the first."""
        return (self.first, self.second) == (other.second, other.first) and _are_alike(self.between, other.between)

    def is_same(self, other: "_Pair") -> bool:
        """Return whether both say the same of the same people."""
        return (self.first, self.second) == (other.first, other.second) and _are_alike(self.between, other.between)


def people_are_turned(text: str, facts: Sequence[MessageFacts], *, language: str) -> bool:
    """Return whether a sentence says of one person what a message says of another, and the other way round.

    Of "Eva lent Tom the drill" comes "Tom lent Eva the drill". Whoever wrote a message is its "I" and "me".
    """
    tokens = tokens_of(text)
    names = {_name(token) for token in tokens if token.written[0].isupper()} - idle_words(language)
    pairs = list(_pairs(tokens, names))
    if not pairs:
        return False
    said = [pair for fact in facts for pair in _pairs(tokens_of(fact.text), names, authors=fact.authors_words)]
    return any(
        any(pair.is_turned(other) for other in said) and not any(pair.is_same(other) for other in said)
        for pair in pairs
    )


def numbers_are_turned(text: str, facts: Sequence[MessageFacts], *, language: str) -> bool:
    """Return whether a sentence gives a number to something to which its messages give another one.

    Of "3 cups and 5 bowls" comes "5 cups", and of "rent 640, deposit 200" comes "the rent is 200, the deposit 640".
    """
    idle = idle_words(language) | _ARTICLES
    said = [tokens_of(fact.text) for fact in facts]
    behind, theirs_behind = _behind(tokens_of(text)), [pair for tokens in said for pair in _behind(tokens)]
    before = _before(tokens_of(text), idle)
    theirs_before = [pair for tokens in said for pair in _before(tokens, idle)]
    return any(_is_anothers(pair, theirs_behind) for pair in behind) or any(
        _is_anothers(first, theirs_before) and _is_anothers(second, theirs_before)
        for first, second in pairwise(before)
        if _has(theirs_before, first[0], second[1]) and _has(theirs_before, second[0], first[1])
    )


# ---- people


def _pairs(tokens: Sequence[Token], names: Collection[str], *, authors: Collection[str] = ()) -> Iterator[_Pair]:
    """Yield those of the named people that follow each other within a clause; one of the `authors` is "I"."""
    own = next((word for word in sorted(authors) if word in names), "")
    found = ((at, own if token.text in {"i", "me"} else _name(token)) for at, token in enumerate(tokens))
    people = [(at, name) for at, name in found if name in names][:_MOST_PEOPLE]
    for (start, first), (end, second) in pairwise(people):
        between = [token.text for token in tokens[start + 1 : end] if token.text not in _ARTICLES]
        is_near = len(between) <= _MOST_BETWEEN and _ENDS.isdisjoint(between)
        if first != second and is_near and not set(between) <= _EITHER_WAY:
            yield _Pair(first, tuple(map(stems_of, between)), second)


def _name(token: Token) -> str:
    """Return a word as a name, which may own something: "Ana's"."""
    return token.text.removesuffix("'s") if token.is_word else ""


def _are_alike(ours: Between, theirs: Between) -> bool:
    return len(ours) == len(theirs) and all(
        not mine.isdisjoint(other) for mine, other in zip(ours, theirs, strict=True)
    )


# ---- numbers

_Given = tuple[str, frozenset[str]]
"""A number in digits, and the stems of the word that it belongs to."""


def _behind(tokens: Sequence[Token]) -> list[_Given]:
    """Return the numbers with the word right behind each: "5 bowls"."""
    found = [
        (token.text, stems_of(word.text))
        for token, word in pairwise(tokens)
        if token.is_number and word.is_word and not word.glued and len(word.text) > 2
    ]
    return found[:_MOST_NUMBERS]


def _before(tokens: Sequence[Token], idle: Collection[str]) -> list[_Given]:
    """Return the numbers with the nearest telling word before each in its clause: "the rent is 640"."""
    found: list[_Given] = []
    word = ""
    for token in tokens:
        if token.is_number:
            if word:
                found.append((token.text, stems_of(word)))
            word = ""
        elif token.text in _ENDS - {":"}:
            word = ""
        elif token.is_word and token.text not in idle and len(token.text) > 2:
            word = token.text
    return found[:_MOST_NUMBERS]


def _has(given: Sequence[_Given], number: str, word: frozenset[str]) -> bool:
    return any(number == other and not word.isdisjoint(stems) for other, stems in given)


def _is_anothers(pair: _Given, given: Sequence[_Given]) -> bool:
    """Return whether a number is given to another word, and the word another number, and never one to the other."""
    number, word = pair
    if _has(given, number, word):
        return False
    has_another = any(other != number and not word.isdisjoint(stems) for other, stems in given)
    return has_another and any(number == other for other, _ in given)
