"""The results of a search: ranked messages, stitched into excerpts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from memory.message import Message
from memory.search.planner import SearchPlan
from memory.search.terms import Weighed


class Scope(StrEnum):
    """Which of the two memories to look into."""

    SHORT = "short"
    LONG = "long"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class RankedMessage:
    """A message of an excerpt: a hit with its scores, or a neighbour of one."""

    message: Message
    hit: bool = False
    similarity: float | None = None
    """Cosine similarity to what was searched for; None where it is not known."""
    likeness: float | None = None
    """The same for its words alone, without who said it and when; known where the search names its author."""
    lexical: float = 0.0
    score: float = 0.0

    @property
    def alike(self) -> float | None:
        """How like its words are to what was searched for, as far as it is known."""
        return self.similarity if self.likeness is None else self.likeness


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Messages of one place in time order, with at least one hit."""

    lines: tuple[RankedMessage, ...]

    @property
    def score(self) -> float:
        """The score of the best hit."""
        return max((line.score for line in self.lines if line.hit), default=0.0)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Excerpts, the memories ("short-term", "long-term") that did not answer, and how the others were searched.

    A search is `by_words_alone` when the embedding model was not ready to compare meanings. `words` are the keywords
    of what was searched for, and `read_as` those that no message has with the ones that were searched for instead.
    """

    excerpts: tuple[Excerpt, ...] = ()
    unreachable: tuple[str, ...] = ()
    plans: tuple[SearchPlan, ...] = ()
    by_words_alone: bool = False
    words: tuple[Weighed, ...] = ()
    read_as: tuple[tuple[str, str], ...] = ()


def stitch(stretches: Iterable[list[RankedMessage]]) -> list[Excerpt]:
    """Merge stretches of lines that touch or overlap into excerpts, each in time order, the best first.

    Stretches touch when they share a message; a message that is a hit in one of them stays a hit.
    """
    merged: list[dict[int, RankedMessage]] = []
    for stretch in stretches:
        lines = {line.message.message_id: line for line in stretch}
        for touching in [excerpt for excerpt in merged if excerpt.keys() & lines.keys()]:
            merged.remove(touching)
            lines = _united(lines, touching)
        merged.append(lines)
    excerpts = [Excerpt(tuple(sorted(lines.values(), key=_in_time))) for lines in merged]
    return sorted(excerpts, key=lambda excerpt: -excerpt.score)


def by_place(lines: Iterable[RankedMessage]) -> list[Excerpt]:
    """Return lines in time order as one excerpt for each uninterrupted run in a place."""
    ordered = sorted(lines, key=_in_time)
    return [Excerpt(tuple(run)) for _, run in groupby(ordered, key=lambda line: line.message.place_id)]


def _united(first: dict[int, RankedMessage], second: dict[int, RankedMessage]) -> dict[int, RankedMessage]:
    return {**second, **first, **{key: line for lines in (first, second) for key, line in lines.items() if line.hit}}


def _in_time(line: RankedMessage) -> tuple[datetime, int]:
    return line.message.sent_at, line.message.message_id
