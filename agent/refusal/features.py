"""Say of a message how much it has of a question: the features by which it is judged whether it can answer."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from agent.refusal.weights import BY_ALL, BY_WORDS, Weights
from memory.message import Message
from memory.search.results import RankedMessage
from memory.search.terms import Keyword, Weighed, all_stems, stems_in

MOST_WORDS = 4
"""Telling words that count: one may be in a message by chance, four are not."""


class Features(NamedTuple):
    """How alike a message and a question are, None where that is not known, and what the message has of its words.

    `share` is the part of the weight of all telling words that it has, and `words` their number up to MOST_WORDS.
    """

    likeness: float | None
    share: float
    words: int

    @property
    def weights(self) -> Weights:
        """The weights by which such features are judged."""
        return BY_WORDS if self.likeness is None else BY_ALL

    @property
    def score(self) -> float:
        """The logarithm of the odds that the message can answer the question."""
        return self.score_by(self.weights)

    def score_by(self, weights: Weights) -> float:
        """Return the same by other weights."""
        return (
            weights.constant
            + weights.likeness * (self.likeness or 0.0)
            + weights.share * self.share
            + weights.words * self.words
        )

    @property
    def can_answer(self) -> bool:
        """Whether the message can be taken for an answer."""
        return self.score >= self.weights.threshold


class QuestionWords:
    """The telling words of a question, without the names of authors of what was found, unless it has no other words."""

    def __init__(self, words: Sequence[Weighed], hits: Sequence[Message]) -> None:
        authors = all_stems(" ".join(message.author_name for message in hits))
        self._names = [word.keyword for word in words if word.keyword.stems & authors]
        self._telling = [word for word in words if not word.keyword.stems & authors]
        if not self._telling:
            found = frozenset[str]().union(*map(stems_in, hits))
            self._telling = [word for word in words if word.keyword.stems & found]
        self._weight = sum(word.weight for word in self._telling)

    def features_of(self, line: RankedMessage) -> Features | None:
        """Return what a message has of the question; None when it is not about what is asked.

        A vector stands for who said a message too, so that all that Ana says is like a question about Ana: to be by
        somebody whom the question names is not enough.
        """
        stems = stems_in(line.message)
        having = [word for word in self._telling if word.keyword.stems & stems]
        if self._telling and not having and self.names_author_of(line.message):
            return None
        return Features(line.alike, self._share_of(having), min(len(having), MOST_WORDS))

    def names_author_of(self, message: Message) -> bool:
        """Return whether a message is by somebody whom the question names."""
        return self._has_name(all_stems(message.author_name))

    def names_somebody_in(self, message: Message) -> bool:
        """Return whether a message has the name of somebody whom the question names."""
        return self._has_name(stems_in(message))

    def _share_of(self, having: Sequence[Weighed]) -> float:
        if len(having) == len(self._telling):
            return float(bool(having))
        return sum(word.weight for word in having) / self._weight

    def _has_name(self, stems: frozenset[str]) -> bool:
        return any(_shares(name, stems) for name in self._names)


def best_features(words: Sequence[Weighed], lines: Iterable[RankedMessage]) -> Features | None:
    """Return the features of the hit that can best answer; None when there is no hit that is about the question."""
    hits = [line for line in lines if line.hit]
    question = QuestionWords(words, [hit.message for hit in hits])
    found = (question.features_of(hit) for hit in hits)
    return max((features for features in found if features is not None), key=lambda one: one.score, default=None)


def _shares(name: Keyword, stems: frozenset[str]) -> bool:
    return not name.stems.isdisjoint(stems)
