"""Compare what a sentence denies with what messages deny, near the same words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agent.proof.languages import ANTONYMS, ANY_NEGATION, DENYING, NEGATIONS, language_of
from agent.proof.number_words import ENGLISH
from agent.proof.word_lists import listed
from memory.search.terms import stems_of, stop_words
from memory.stop_words import FUNCTION_WORDS, SAYING_WORDS
from time_expressions.tokens import Token, tokens_of

_REACH = 4
"""Telling words behind a negation that it may deny."""

_REACH_BACK = 3  # "geht nicht"
_SHORTEST = 3  # letters of a telling word
_ENDS_CLAUSE = frozenset('.,;:!?()[]{}"|\u201c\u201d\u201e\u2026\u2014\u2013~')
_BETWEEN_CLAUSES = frozenset(
    listed(
        "but because although though while whereas and or so aber weil sondern obwohl und oder mais parce car "
        "et ou pero porque aunque sino y o"
    )
)
_IDLE_BEHIND = frozenset(
    listed("only just forget worry problem problems wait hesitate later more nur seulement solo sooner less longer")
)
"""Words behind a negation that make something else of it: "not only", "don't forget", "no later than"."""

_NO_VERBS = frozenset(
    listed(
        "not never no nicht nie kein keine pas non nunca the a an on at in to for with by from this that next der die "
        "das den dem am im um mit fur von le la les el los las en de pour avec con para por"
    )
)
"""Words that say no, articles and prepositions: a clause of these and telling words takes its verb from another."""

Stems = frozenset[str]


@dataclass(frozen=True, slots=True)
class Clause:
    """The telling words of a clause by their stems, those that it denies, and all its words."""

    telling: tuple[Stems, ...]
    denied: tuple[Stems, ...]
    words: frozenset[str]
    denies_saying: bool = False
    """Whether somebody "did not say that"."""
    negations: int = 0
    """How many words say no, where more than one of them are more than one negation."""

    @property
    def is_negative(self) -> bool:
        """Whether it denies something by a negation."""
        return bool(self.denied)

    def shared(self, other: "Clause") -> int:
        """Return how many of its telling words another clause has."""
        theirs = frozenset().union(*other.telling)
        return sum(not stems.isdisjoint(theirs) for stems in self.telling)


@dataclass(frozen=True, slots=True)
class Polarity:
    """The clauses of a text, and its language."""

    clauses: tuple[Clause, ...]
    language: str

    @property
    def words(self) -> frozenset[str]:
        """All words of the text."""
        return frozenset().union(*(clause.words for clause in self.clauses))


@lru_cache(maxsize=2000)
def polarity_of(text: str, leaving_out: frozenset[str] = frozenset()) -> Polarity:
    """Return what a text says and denies; the words that are left out, names say, tell nothing."""
    clauses = [list(clause) for clause in _clauses(tokens_of(text), text)]
    language = language_of(word for clause in clauses for word in clause)
    return Polarity(tuple(_clause(words, language, leaving_out) for words in clauses if words), language)


def contradicts(sentence: Polarity, messages: Sequence[Polarity]) -> bool:
    """Return whether a sentence denies what the messages say, or says what they deny, or says the opposite.

    Only sentences in a language whose negations are known are looked at, beside messages in the same one.
    """
    if sentence.language not in NEGATIONS or not messages:
        return False
    if any(clause.denies_saying for clause in sentence.clauses) and not any(
        clause.denies_saying for message in messages for clause in message.clauses
    ):
        return True
    messages = [message for message in messages if message.language in {sentence.language, ""}]
    clauses = [clause for message in messages for clause in message.clauses]
    return any(
        _denies_wrongly(clause, clauses) if clause.is_negative else _lacks_denial(clause, clauses)
        for clause in sentence.clauses
    ) or _says_the_opposite(sentence, messages, clauses)


def _denies_wrongly(clause: Clause, clauses: Sequence[Clause]) -> bool:
    """Return whether the clauses of the messages that are most like this one say without negation what it denies."""
    most = max((clause.shared(other) for other in clauses), default=0)
    near = [other for other in clauses if most and clause.shared(other) == most]
    if any(_may_deny(other, clause) for other in near):
        return any(clause.negations > other.negations > 0 for other in near)
    denied = Clause(clause.denied, (), frozenset())
    return any(denied.shared(other) for other in near)


def _may_deny(other: Clause, clause: Clause) -> bool:
    """Return whether a clause of a message says no by itself: by a word that the other one does not repeat."""
    return not other.words.isdisjoint(ANY_NEGATION) or not (other.words - clause.words).isdisjoint(DENYING)


def _lacks_denial(clause: Clause, clauses: Sequence[Clause]) -> bool:
    """Return whether the clause of the messages that is most like this one denies what this one says."""
    near = [other for other in clauses if _denies_part_of(other, clause)]
    negative = max((clause.shared(other) for other in near), default=0)
    positive = max((clause.shared(other) for other in clauses if not other.is_negative), default=0)
    if any(not (clause.words - other.words).isdisjoint(DENYING) for other in near):
        return False
    if any(_denies_alone(other, clause, clauses) for other in near):
        return True
    is_much = negative > 1 or negative == len(clause.telling)
    return negative > positive and is_much


def _denies_alone(other: Clause, clause: Clause, clauses: Sequence[Clause]) -> bool:
    """Return whether a clause has no verb and says no to words, "but not on Friday", which no other clause says."""
    has_verb = len(other.words - _NO_VERBS) > len(other.telling)
    if has_verb or other.telling != other.denied or other.shared(clause) < len(other.telling):
        return False
    return not any(other.shared(third) for third in clauses if not third.is_negative)


def _denies_part_of(other: Clause, clause: Clause) -> bool:
    return other.is_negative and bool(Clause(other.denied, (), frozenset()).shared(clause))


def _says_the_opposite(sentence: Polarity, messages: Sequence[Polarity], clauses: Sequence[Clause]) -> bool:
    """Return whether a sentence has "disabled" where the messages have "enabled", and nobody denies anything."""
    spoken = frozenset().union(*(message.words for message in messages))
    for clause in sentence.clauses:
        for word in clause.words & ANTONYMS.keys():
            if clause.is_negative or not spoken.isdisjoint({word} | ANTONYMS.get(_any_of(ANTONYMS[word]), frozenset())):
                continue
            opposite = [other for other in clauses if not other.words.isdisjoint(ANTONYMS[word])]
            if any(clause.shared(other) and not other.is_negative for other in opposite):
                return True
    return False


def _any_of(words: frozenset[str]) -> str:
    return min(words)


def _clauses(tokens: Sequence[Token], text: str) -> Iterator[Iterator[str]]:
    """Yield the words of each clause of a text."""
    yield from (_words(tokens[first:end]) for first, end in clause_spans(tokens, text))


def clause_spans(tokens: Sequence[Token], text: str) -> Iterator[tuple[int, int]]:
    """Yield the first token of each clause of a text and the one behind it; signs and words between two are in none."""
    start = 0
    for at, token in enumerate(tokens):
        is_within = token.glued and at + 1 < len(tokens) and tokens[at + 1].glued and tokens[at + 1].is_number
        is_end = (
            (token.text in _ENDS_CLAUSE and not is_within)
            or token.text in _BETWEEN_CLAUSES
            or (token.text == "-" and not token.glued)
        )
        if is_end or (at > start and "\n" in text[tokens[at - 1].end : token.start]):
            yield start, at
            start = at + 1 if is_end else at
    yield start, len(tokens)


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.is_word:
            if "'" not in token.text or token.text in ANY_NEGATION:
                yield token.text
            else:
                yield from filter(None, token.text.split("'"))


def _clause(words: Sequence[str], language: str, leaving_out: frozenset[str]) -> Clause:
    negations = NEGATIONS.get(language, ANY_NEGATION)
    idle = idle_words(language)
    places = [
        at for at, word in enumerate(words) if len(word) >= _SHORTEST and word not in idle and word not in leaving_out
    ]
    telling = [at for at in places if words[at] not in ANY_NEGATION]
    denied: set[int] = set()
    for at, word in enumerate(words):
        if word in negations and not (at + 1 < len(words) and words[at + 1] in _IDLE_BEHIND):
            behind = [place for place in telling if place > at][:_REACH]
            denied.update(behind or [place for place in telling if place < at][-_REACH_BACK:])
    return Clause(
        tuple(stems_of(words[at]) for at in telling),
        tuple(stems_of(words[at]) for at in sorted(denied)),
        frozenset(words),
        _denies_saying(words),
        sum(word in negations for word in words) if language == ENGLISH else min(1, len(denied)),
    )


def _denies_saying(words: Sequence[str]) -> bool:
    triples = zip(words, words[1:], words[2:], strict=False)
    return any(no in NEGATIONS[ENGLISH] and say in SAYING_WORDS and that == "that" for no, say, that in triples)


@lru_cache(maxsize=16)
def idle_words(language: str) -> frozenset[str]:
    """Return the words of a language that tell nothing of a topic."""
    if language in {"", "english"}:
        return FUNCTION_WORDS | SAYING_WORDS
    return stop_words(language)
