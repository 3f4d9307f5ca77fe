"""Fuse the results of several searches for one question by reciprocal rank."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from memory.message import MessageKey
from memory.search.results import RankedMessage, SearchResult, stitch

SMOOTHING = 60
"""The constant k of reciprocal rank fusion, 1 / (k + rank); 60 is that of Cormack, Clarke and Büttcher, 2009."""


def fused(first: SearchResult, *others: SearchResult, limit: int) -> SearchResult:
    """Return the `limit` messages that stand highest in all rankings together, with what was found around them.

    What each search says of its words is that of the first; scores are those that the results gave, in their new order.
    """
    results = (first, *others)
    ranks: dict[MessageKey, float] = defaultdict(float)
    lines: dict[MessageKey, RankedMessage] = {}
    for result in results:
        for rank, line in enumerate(_ranking(result), start=1):
            ranks[line.message.key] += 1 / (SMOOTHING + rank)
            lines.setdefault(line.message.key, line)
    best = sorted(ranks, key=lambda key: -ranks[key])[:limit]
    scores = sorted((lines[key].score for key in best), reverse=True)
    hits = {key: replace(lines[key], score=score) for key, score in zip(best, scores, strict=True)}
    return replace(
        first,
        excerpts=tuple(stitch(_stretches(results, hits))),
        unreachable=tuple(dict.fromkeys(name for result in results for name in result.unreachable)),
        by_words_alone=any(result.by_words_alone for result in results),
        read_as=tuple(dict.fromkeys(pair for result in results for pair in result.read_as)),
    )


def _ranking(result: SearchResult) -> list[RankedMessage]:
    hits = [line for excerpt in result.excerpts for line in excerpt.lines if line.hit]
    return sorted(hits, key=lambda line: -line.score)


def _stretches(results: Sequence[SearchResult], hits: dict[MessageKey, RankedMessage]) -> list[list[RankedMessage]]:
    """Return the excerpts that have one of the hits, in which no other message counts as one."""
    return [
        [hits.get(line.message.key, RankedMessage(line.message)) for line in excerpt.lines]
        for result in results
        for excerpt in result.excerpts
        if any(line.message.key in hits for line in excerpt.lines if line.hit)
    ]
