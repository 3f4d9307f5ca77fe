"""Judge whether what was found can answer a question: by the words that nobody has said, and by one score."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from agent.context import Context
from agent.lookup import Recalled
from agent.refusal.features import best_features
from agent.refusal.telling import telling_words
from agent.selection import NumberedLine
from memory.message import Message
from memory.names.known import KnownNames
from memory.search.terms import all_stems, stems_in, stems_of
from time_expressions.folding import words_of

MOST_NEAR = 3
"""Words that are named as what may be meant by one that nobody has said."""

_SHORTEST_NAME = 4  # letters of a name that may be mistyped: shorter ones are too like each other
_SHORTEST_WORD = 6  # letters of a word that may be one of those that were found, mistyped
NOTHING = -20.0
"""The score of a question for which nothing was found: far below every other."""

_MOST_WORDS = 5000  # of the messages that were found, among which near words are looked for


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a question can be answered from what was found, with the score of the best of it (`Features.score`).

    `unknown` are words of the question, as the asker writes them, that nobody has said in the places where it was
    looked for, and `near` some like them that may be meant.
    """

    is_answerable: bool
    score: float
    unknown: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


async def judge(
    context: Context, topic: str, found: Recalled, lines: Sequence[NumberedLine], *, is_chosen: bool
) -> Judgement:
    """Return whether what was found for a topic can answer it; raise DatabaseUnavailableError without memory.

    Of the `lines` some are chosen for quotations, or else the best of them is judged by its features alone.
    """
    features = best_features(found.words, [line for _, line in lines])
    score = features.score if features is not None else NOTHING
    messages = [line.message for _, line in found.lines]
    missing = await _unsaid(context, topic, found, messages)
    if not missing:
        return Judgement(is_chosen or (features is not None and features.can_answer), score)
    names = await context.memory.known_names(places=context.parsed.places)
    near = dict.fromkeys(name for word in missing for name in _near(word, names))
    return Judgement(False, score, tuple(missing.values()), tuple(near)[:MOST_NEAR])


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
    """Return whether one letter of a word may be another, missing, superfluous or in the wrong place.

    A name is compared with names, and with the words that were found where both are long: "John" is not "join".
    """
    from rapidfuzz.distance import OSA  # loaded when the first unknown word is met

    if len(word) < _SHORTEST_NAME or not word.isalpha():
        return False
    others = list(names.people_called_nearly(word))
    if len(word) >= _SHORTEST_WORD:
        said = dict.fromkeys(other for message in messages for other in words_of(message.content))
        others += list(said)[:_MOST_WORDS]
    return any(OSA.distance(word, other, score_cutoff=1) <= 1 for other in others)


def _near(word: str, names: KnownNames) -> list[str]:
    """Return the newest names of people who are called something like a word, the likest first."""
    people = (person for key in names.people_called_nearly(word) for person in names.people(key))
    return [name for person in people if (name := names.name_of(person))]
