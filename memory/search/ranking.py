"""Rank the candidates of a search by rank fusion: of vectors, of keywords, and of the messages around them.

Each kind of evidence is counted in standard deviations from the mean of the candidates, and the counts are weighted
and added: scores on one scale say more than ranks do (Bruch, Gai and Ingber, "An analysis of fusion functions for
hybrid retrieval", 2023). The weights are round numbers: on public chat data half or twice any of them costs at most
two points of recall@5. `python -m bench.retrieval --leave-out` measures what every part is worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from memory.discussions import DISCUSSION_GAP
from memory.message import Message
from memory.search.candidates import Candidate
from memory.search.replies import ends_with_question_mark
from time_expressions.folding import words_of

Scores = NDArray[np.float64]

FOLLOWERS = 3
"""How many of the candidates after a message lend it some of their score."""

_SHORTEST_FIRST_NAME = 3  # characters: shorter ones are more often words


@dataclass(frozen=True, slots=True)
class Ranking:
    """What each part of a score counts for; 0 leaves the part out.

    `meaning` and `words` weigh likeness of vectors and shared words. `following` is the share of their word score that
    the next candidates of the same discussion lend to a message: its own index entry knows what was said before it, but
    not what was said in reply. `length` prefers messages that say more: BM25 takes more from long ones than they
    deserve (Singhal, Buckley and Mitra, "Pivoted document length normalization", 1996). `question` is taken from
    messages that ask, for they seldom tell, and `author` given to those by somebody whom the search names.
    """

    meaning: float = 1.0
    words: float = 1.5
    following: float = 0.25
    length: float = 0.5
    question: float = 1.0
    author: float = 0.5


RANKING = Ranking()
"""The weights that search uses; beyond round numbers they were not tuned."""


def rank(text: str, candidates: Sequence[Candidate], *, ranking: Ranking = RANKING) -> Scores:
    """Return one score for each candidate of a search for `text`; their mean is 0, so that a good one is above it."""
    if not candidates:
        return np.zeros(0)
    messages = [candidate.message for candidate in candidates]
    words = _z_scores(np.array([candidate.lexical for candidate in candidates], dtype=np.float64))
    scores = (
        ranking.meaning * _z_scores(_similarities(candidates))
        + ranking.words * (words + ranking.following * _follow_up_boost(messages, words))
        + ranking.length * _z_scores(np.log1p([len(message.content.split()) for message in messages]))
        - ranking.question * np.array([_asks(message) for message in messages], dtype=np.float64)
        + ranking.author * _is_named(text, messages)
    )
    centred: Scores = scores - scores.mean()
    return centred


def _similarities(candidates: Sequence[Candidate]) -> Scores:
    """Return the likeness of each; one without a vector is taken to be as unlike as the least alike."""
    known = [candidate.similarity for candidate in candidates if candidate.similarity is not None]
    least = min(known, default=0.0)
    return np.array(
        [least if candidate.similarity is None else candidate.similarity for candidate in candidates], dtype=np.float64
    )


def _follow_up_boost(messages: Sequence[Message], words: Scores) -> Scores:
    """Return for each message how far the word scores of the next candidates of its discussion stand above the lowest.

    They are summed over the next FOLLOWERS candidates, which need not be the very next messages: the word score of a
    message that is no candidate is the lowest.
    """
    boost = [0.0] * len(messages)
    scores, lowest = words.tolist(), float(words.min())
    order = sorted(range(len(messages)), key=lambda index: _in_time(messages[index]))
    for rank, index in enumerate(order):
        for later in order[rank + 1 : rank + 1 + FOLLOWERS]:
            if _in_one_discussion(messages[index], messages[later]):
                boost[index] += scores[later] - lowest
    return np.array(boost)


def _in_time(message: Message) -> tuple[int, datetime, int]:
    return message.place_id, message.sent_at, message.message_id


def _in_one_discussion(message: Message, later: Message) -> bool:
    return message.place_id == later.place_id and later.sent_at - message.sent_at <= DISCUSSION_GAP


def _asks(message: Message) -> bool:
    return ends_with_question_mark(message.content.rstrip())


def _is_named(text: str, messages: Sequence[Message]) -> Scores:
    """Return 1 for the messages of those whom a text names, in full or by the first word, and 0 for the others."""
    question = _words(text)
    named = {author: _names(question, author) for author in {message.author_name for message in messages}}
    return np.array([named[message.author_name] for message in messages], dtype=np.float64)


def _names(question: str, author: str) -> bool:
    name = _words(author)
    first = name.split(" ")[1]
    return name.strip() != "" and (
        name in question or (len(first) >= _SHORTEST_FIRST_NAME and f" {first} " in question)
    )


def _words(text: str) -> str:
    """Return the words of a text as they are compared, a space on either side of each."""
    return f" {' '.join(words_of(text))} "


def _z_scores(values: Scores) -> Scores:
    """Return values as distances from their mean in standard deviations; zeros when they are all alike."""
    if (spread := values.std()) == 0:
        return np.zeros_like(values)
    scores: Scores = (values - values.mean()) / spread
    return scores
