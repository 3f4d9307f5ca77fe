"""Measure how many of the nearest messages the vector indexes find."""

from collections.abc import Sequence
from datetime import timedelta
from time import perf_counter

import numpy as np
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.databases import Database
from db.parts import is_hypertable, parts
from doctor.findings import Finding, left_out, ok, warning
from doctor.indexes import rebuilding
from doctor.looking import looking
from doctor.sample import Sampled, sample
from memory import queries, store
from memory.estimates import size_of
from memory.filtering import COLUMNS
from memory.findings import Filters
from memory.messages import Kind, MessageKey
from memory.planner import FEWEST_PROPOSALS, Costs, Size, Trace
from memory.queries import Vector

ENOUGH = 0.9
"""The share of the nearest messages below which an index is worth building anew."""

WANTED = 10
FEW = 10 * FEWEST_PROPOSALS
"""Rows below which nothing is measured: the index is asked for hundreds, so that a few thousand tell nothing."""

BUDGET = timedelta(seconds=30)
"""After so long no further message is looked for: to compare every vector of a large memory takes seconds."""

_ANYHOW = Costs(compare=1e9)  # with which the index is always the cheaper way
_ROUNDING = 1e-5  # of distances that are computed twice


async def recall(database: Database) -> Finding:
    """Look for stored messages with the vector index and without, and compare."""
    async with looking(database) as session:
        filters = Filters(places=frozenset(await queries.places(session)), kinds=frozenset(Kind))
        hypertable = await is_hypertable(session)
        rows = sum(part.rows for part in await parts(session, hypertable=hypertable))
        size = await size_of(session, filters, hypertable=hypertable)
        sampled = await sample(session)
        mend = await rebuilding(session, method="diskann")
    if rows < FEW or not sampled:
        return left_out(f"about {rows:,} rows: with fewer than {FEW:,} every vector is compared anyway")
    if not mend or not size.indexes:
        return left_out("there is no vector index yet, every vector is compared")
    return judged(await _shares(database, filters, size, sampled), mend=mend)


def judged(shares: Sequence[float], *, mend: str) -> Finding:
    """Judge the shares of the nearest messages that were found, one for each message looked for."""
    mean = sum(shares) / len(shares)
    words = f"{mean:.0%} of the {WANTED} nearest of {len(shares)} stored messages are found"
    if mean < ENOUGH:
        return warning(f"{words}, less than {ENOUGH:.0%}: rebuild the vector indexes with {mend}")
    return ok(words)


async def _shares(database: Database, filters: Filters, size: Size, sampled: Sequence[Sampled]) -> list[float]:
    """Return, for as many of the messages as time allows, the share of the nearest that the index finds."""
    shares: list[float] = []
    start = perf_counter()
    for one in sampled:
        async with looking(database) as session:
            shares.append(await _share(session, filters, size, one.embedding))
        if perf_counter() - start > BUDGET.total_seconds():
            break
    return shares


async def _share(session: AsyncSession, filters: Filters, size: Size, vector: Vector) -> float:
    """Return the share for one vector; what is as near as the farthest that belongs there counts as found."""
    nearest = await queries.nearest_of_all(session, vector=vector, filters=filters, wanted=WANTED)
    trace = Trace()
    proposed = await queries.nearest(
        session, vector=vector, filters=filters, wanted=WANTED, size=size, costs=_ANYHOW, trace=trace
    )
    if len(trace.steps) > 1:  # the index proposed too few, so that every vector had to be compared after all
        return 0.0
    limit = max(await _distances(session, nearest, vector)) + _ROUNDING
    found = [distance for distance in await _distances(session, proposed, vector) if distance <= limit]
    return len(found) / len(nearest)


async def _distances(session: AsyncSession, keys: set[MessageKey], vector: Vector) -> list[float]:
    times = {sent_at for _, sent_at in keys}
    statement = select(COLUMNS.message_id, COLUMNS.sent_at, COLUMNS.embedding).where(
        store.one_of(COLUMNS.message_id, {message_id for message_id, _ in keys}),
        COLUMNS.sent_at.between(min(times), max(times)),
        COLUMNS.embedding.is_not(None),
    )
    rows = [row for row in await session.execute(statement) if (row.message_id, row.sent_at) in keys]
    return [1 - float(np.dot(row.embedding, vector) / np.linalg.norm(row.embedding)) for row in rows]
