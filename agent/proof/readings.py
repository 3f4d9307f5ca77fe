"""Read a text as the words, names, numbers, days and times that it tells, in order and clause by clause."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from agent.proof.languages import ANY_NEGATION
from agent.proof.numbers import Number, numbers_in
from agent.proof.polarity import clause_spans, idle_words
from agent.proof.times import Clock, DatePhrase, clocks_in, dates_in
from agent.proof.word_lists import listed
from memory.search.terms import stems_of
from time_expressions.tokens import Token, tokens_of

_SHORTEST = 3  # letters of a telling word
_FIRST_PERSON = frozenset(
    listed("i me my mine we us our ours ich mir mich mein meine wir uns je moi mon ma nous yo mi")
)
"""Words that stand for the author of a message."""

Value = Number | Clock | DatePhrase


@dataclass(frozen=True, slots=True)
class Item:
    """A telling word by its stems, the name of a person, or a value; in which token and which clause it stands."""

    at: int
    clause: int
    stems: frozenset[str] = frozenset()
    person: str = ""
    value: Value | None = None

    @property
    def is_hard(self) -> bool:
        """Whether it is a name or a value, which no other word can stand for."""
        return bool(self.person) or self.value is not None


@dataclass(frozen=True, slots=True)
class Reading:
    """The items of a text in order, and the folded words of each of its clauses."""

    items: tuple[Item, ...]
    clauses: tuple[frozenset[str], ...]
    tokens: tuple[Token, ...]

    @property
    def words(self) -> frozenset[str]:
        """All words of it."""
        return frozenset().union(*self.clauses)

    def is_negative(self, clauses: Collection[int]) -> bool:
        """Return whether any of its clauses of these numbers has a word that says no."""
        return any(not self.clauses[number].isdisjoint(ANY_NEGATION) for number in clauses)


def reading_of(
    text: str, *, language: str, number_languages: Collection[str], person_of: Callable[[str], str], author: str = ""
) -> Reading:
    """Read a text.

    `person_of` returns who a folded word names, "" for nobody, and `author` is who says "I" in it, "" for nobody.
    """
    tokens = tokens_of(text)
    spans = list(clause_spans(tokens, text))
    values = _values(tokens, number_languages)
    idle = idle_words(language)
    items: list[Item] = []
    for number, (first, end) in enumerate(spans):
        at = first
        while at < end:
            if at in values:
                value = values[at]
                items.append(Item(at, number, value=value))
                at = max(at + 1, value.end)
                continue
            item = _word(tokens, at, number, idle, person_of, author)
            if item and not (item.person and items and items[-1].person == item.person):
                items.append(item)
            at += 1
    words = tuple(frozenset(token.text for token in tokens[first:end]) for first, end in spans)
    return Reading(tuple(items), words, tuple(tokens))


def _values(tokens: Sequence[Token], languages: Collection[str]) -> dict[int, Value]:
    """Return the days, times and claimed numbers of a text by their first tokens."""
    dates = list(dates_in(tokens))
    taken = {at for phrase in dates for at in range(phrase.first, phrase.end)}
    clocks = [clock for clock in clocks_in(tokens) if clock.first not in taken and not clock.is_duration_too]
    taken |= {at for clock in clocks for at in range(clock.first, clock.end)}
    numbers = [
        number
        for number in numbers_in(tokens, languages, taken=taken)
        if number.is_claimed and not _is_lettered(tokens, number.first)
    ]
    values: list[Value] = [*dates, *clocks, *numbers]
    return {value.first: value for value in values}


def _is_lettered(tokens: Sequence[Token], at: int) -> bool:
    """Return whether digits belong to the letters right before them: "rc1"."""
    return at > 0 and tokens[at].is_number and tokens[at].glued and tokens[at - 1].is_word


def _word(
    tokens: Sequence[Token],
    at: int,
    clause: int,
    idle: frozenset[str],
    person_of: Callable[[str], str],
    author: str,
) -> Item | None:
    token = tokens[at]
    if not token.is_word:
        return None
    if at + 1 < len(tokens) and _is_lettered(tokens, at + 1):
        return Item(at, clause, stems=frozenset([f"{token.text}{tokens[at + 1].text}"]))
    word = token.text.removesuffix("'s").removesuffix("'")
    if word.partition("'")[0] in _FIRST_PERSON:
        return Item(at, clause, person=author) if author else None
    if person := person_of(word):
        return Item(at, clause, person=person)
    if len(word) < _SHORTEST or word in idle or word in ANY_NEGATION:
        return None
    return Item(at, clause, stems=stems_of(word))
