"""Generate the candidates of a search in one database: the nearest vectors, and the best messages by keywords."""

from collections.abc import Awaitable, Collection
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from memory.filters import Filters
from memory.message import Message, MessageKey
from memory.search import rows
from memory.search.keywords import keyword_candidates
from memory.search.planner import (
    COSTS,
    AccessPath,
    Costs,
    SearchPlan,
    Size,
    Trace,
    estimate,
    explain_enabled,
    path_to_keywords,
    path_to_vectors,
)
from memory.search.vectors import Vector, compare, nearest
from tracing import span

CANDIDATES = 60
"""How many messages each of the two rankings proposes before they are fused."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that a ranking proposed, with its scores in both; without a vector it has no similarity."""

    message: Message
    similarity: float | None
    lexical: float


async def find_candidates(
    session: AsyncSession,
    *,
    text: str,
    vector: Awaitable[Vector | None],
    filters: Filters,
    wanted: int,
    bm25: bool,
    hypertable: bool,
    costs: Costs = COSTS,
) -> tuple[list[Candidate], SearchPlan]:
    """Return what vectors and keywords propose, in no order, and how they were found.

    There are at least min(`wanted`, matching rows) messages, whichever access path is taken. The keywords are looked
    for while the `vector` of the text is still being computed; when it comes to None, they alone propose messages.
    """
    depth = max(CANDIDATES, wanted)
    with span("estimate"):
        size = await estimate(session, filters, hypertable=hypertable)
    trace = Trace()
    if not size.in_use:
        return [], SearchPlan(vectors=AccessPath.EXACT, keywords=AccessPath.EXACT, size=size, counted=None, steps=())
    scores = await keyword_candidates(
        session, text=text, filters=filters, wanted=depth, bm25=bm25, size=size, costs=costs, trace=trace
    )
    compared = await _with_similarity(
        session,
        vector=await _waited_for(vector),
        filters=filters,
        wanted=depth,
        by_keywords=scores.keys(),
        size=size,
        costs=costs,
        trace=trace,
    )
    # All that is known of the others is that their scores are lower than any that was found.
    lowest = min(scores.values()) if len(scores) >= depth else 0.0
    plan = SearchPlan(
        vectors=path_to_vectors(size, wanted=depth, costs=costs),
        keywords=path_to_keywords(size, wanted=depth, costs=costs),
        size=size,
        counted=await rows.count(session, filters=filters) if explain_enabled() else None,
        steps=tuple(trace.steps),
    )
    return [Candidate(message, similarity, scores.get(message.key, lowest)) for message, similarity in compared], plan


async def _waited_for(vector: Awaitable[Vector | None]) -> Vector | None:
    with span("wait for the question's vector"):
        return await vector


async def _with_similarity(
    session: AsyncSession,
    *,
    vector: Vector | None,
    filters: Filters,
    wanted: int,
    by_keywords: Collection[MessageKey],
    size: Size,
    costs: Costs,
    trace: Trace,
) -> list[tuple[Message, float | None]]:
    """Return the nearest messages and those that the keywords propose, each with its similarity."""
    if vector is None:
        return await trace.step("rows of the keywords alone", compare(session, vector=None, keys=by_keywords))
    if path_to_vectors(size, wanted=wanted, costs=costs) is AccessPath.EXACT:
        comparison = compare(session, vector=vector, keys=by_keywords, filters=filters, wanted=wanted)
        return await trace.step("vectors of every matching row", comparison)
    keys = await nearest(session, vector=vector, filters=filters, wanted=wanted, size=size, costs=costs, trace=trace)
    return await trace.step("rows of both", compare(session, vector=vector, keys=keys | set(by_keywords)))
