"""Judge whether what was found can answer a question: by the words that nobody has said, and by one score."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from agent.context import Context
from agent.lookup import Recalled
from agent.refusal.telling import telling_words
from agent.selection import NumberedLine
from memory.message import Message
from memory.names.known import KnownNames
from memory.search.terms import all_stems, stems_in, stems_of
from time_expressions.folding import words_of

MOST_NEAR = 3
"""Words that are named as what may be meant by one that nobody has said."""

_SHORTEST_TYPED = 4  # letters of a name that may be mistyped: shorter ones are too like each other
_MOST_WORDS = 5000  # of the messages that were found, among which near words are looked for


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a question can be answered from what was found, with the score that tells.

    `unknown` are words of the question, as the asker writes them, that nobody has said in the places where it was
    looked for, and `near` some like them that may be meant.
    """

    is_answerable: bool
    score: float = 1.0
    unknown: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


ANSWERABLE = Judgement(is_answerable=True)


async def judge(context: Context, topic: str, found: Recalled, lines: Sequence[NumberedLine]) -> Judgement:
    """Return whether what was found for a topic can answer it; raise DatabaseUnavailableError without memory."""
    messages = [line.message for _, line in found.lines]
    missing = await _unsaid(context, topic, found, messages)
    if missing:
        names = await context.memory.known_names(places=context.parsed.places)
        near = dict.fromkeys(word for unsaid in missing for word in _near(unsaid, names))
        return Judgement(False, 0.0, tuple(missing.values()), tuple(near)[:MOST_NEAR])
    return ANSWERABLE


async def _unsaid(context: Context, topic: str, found: Recalled, messages: Sequence[Message]) -> Mapping[str, str]:
    """Return the telling words of a topic that nobody has said at any time, as they are written, by their folded form.

    What was found for them, or for what they may be misspelt for, is looked at first: as a rule it has them all.
    """
    read_as = {typed for typed, _ in found.read_as}
    at_hand = _stems_of_all(messages)
    unmet = {
        word: written
        for word, written in telling_words(topic).items()
        if word not in read_as and at_hand.isdisjoint(stems_of(word))
    }
    if not unmet:
        return {}
    names = await context.memory.known_names(places=context.parsed.places)
    sought = [word for word in unmet if not _is_name(word, names) and not _is_mistyped(word, messages, names)]
    unsaid = await context.memory.unsaid_words(sought, places=context.parsed.places) if sought else frozenset[str]()
    return {word: written for word, written in unmet.items() if word in unsaid}


def _stems_of_all(messages: Collection[Message]) -> frozenset[str]:
    return frozenset[str]().union(*(stems_in(message) | all_stems(message.author_name) for message in messages))


def _is_name(word: str, names: KnownNames) -> bool:
    """Return whether a person or a channel is called so, or names are not all known yet."""
    return not names.complete or bool(names.people(word)) or bool(names.channel_places(word))


def _is_mistyped(word: str, messages: Sequence[Message], names: KnownNames) -> bool:
    """Return whether one letter of a word may be another, missing, superfluous or in the wrong place."""
    from rapidfuzz.distance import OSA  # loaded when the first unknown word is met

    if len(word) < _SHORTEST_TYPED or not word.isalpha():
        return False
    return any(OSA.distance(word, other, score_cutoff=1) <= 1 for other in _words_nearby(word, messages, names))


def _near(word: str, names: KnownNames) -> list[str]:
    """Return the newest names of people who are called something like a word, the likest first."""
    people = (person for key in names.people_called_nearly(word) for person in names.people(key))
    return [name for person in people if (name := names.name_of(person))]


def _words_nearby(word: str, messages: Sequence[Message], names: KnownNames) -> list[str]:
    said = dict.fromkeys(other for message in messages for other in words_of(message.content))
    return [*names.people_called_nearly(word), *list(said)[:_MOST_WORDS]]
