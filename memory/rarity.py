"""Weigh the words of a question by how few of the messages that were looked at have them."""

import math
from collections.abc import Collection
from dataclasses import dataclass

from memory.keywords import Keyword, keywords_of, stems_in
from memory.messages import Message


@dataclass(frozen=True, slots=True)
class Weighed:
    """A telling word of a question: what it counts for, and whether any message has it."""

    keyword: Keyword
    weight: float = 1.0
    is_known: bool = True


def weighed(question: str, messages: Collection[Message]) -> tuple[Weighed, ...]:
    """Return the telling words of a question, weighed by the messages that were proposed for it.

    The weight is that of BM25, ln(1 + (N - n + 0.5) / (n + 0.5)) where n of N messages have the word (Robertson and
    Zaragoza, "The Probabilistic Relevance Framework", 2009). The messages are the best for any of the words, so that a
    rare word which none of them has is in no message at all.
    """
    words = keywords_of(question)
    stems = [stems_in(message) for message in messages] if words else []
    counts = [sum(not word.stems.isdisjoint(one) for one in stems) for word in words]
    return tuple(
        Weighed(word, math.log1p((len(stems) - having + 0.5) / (having + 0.5)), is_known=having > 0)
        for word, having in zip(words, counts, strict=True)
    )
