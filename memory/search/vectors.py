"""Find the messages whose vectors are nearest: by comparing all that match, or by the vector index."""

from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pgvector import Vector as VectorText
from psycopg.sql import SQL, Composed
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import Row, fetch
from memory.filters import (
    BY_INDEX,
    KEY,
    Filters,
    Shape,
    chunk_bounds,
    conditions,
    first,
    in_chunk,
    shape_of,
    tune,
    values_of,
)
from memory.index.store import COLUMNS_OF_MESSAGES, to_message
from memory.message import Message, MessageKey
from memory.search.planner import COSTS, AccessPath, Costs, Size, Trace, index_limit, path_to_vectors

Vector = NDArray[np.float32]

_DISTANCE = SQL("embedding <=> %(vector)s")
"""The cosine distance of a row; an order by it is what the vector index knows."""

_COMPUTED_DISTANCE = SQL("(embedding <=> %(vector)s) + 0.0")
"""The same as an order that no index knows, so that every row is compared."""

_EVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_MOST_RESCORED = 1000  # the most that the vector index takes


async def nearest(
    session: AsyncSession,
    *,
    vector: Vector,
    filters: Filters,
    wanted: int,
    size: Size,
    costs: Costs = COSTS,
    trace: Trace,
) -> set[MessageKey]:
    """Return the keys of min(`wanted`, matching rows) rows, the nearest ones; `size` decides how they are found."""
    if path_to_vectors(size, wanted=wanted, costs=costs) is AccessPath.INDEX:
        found = await trace.step("vector index", _nearest_by_index(session, vector, filters, wanted, size))
        if len(found) == wanted:
            return found
    return await trace.step(
        "vectors of every matching row", nearest_of_all(session, vector=vector, filters=filters, wanted=wanted)
    )


async def nearest_of_all(session: AsyncSession, *, vector: Vector, filters: Filters, wanted: int) -> set[MessageKey]:
    """Return the keys of the nearest rows after comparing every row that matches; those without a vector come last."""
    values = {"vector": as_text(vector), "wanted": wanted, **values_of(filters)}
    return {_key(row) for row in await fetch(session, _nearest_of_all(shape_of(filters)), values)}


@lru_cache(maxsize=256)
def _nearest_of_all(shape: Shape) -> Composed:
    return first(shape, order=_COMPUTED_DISTANCE)


async def _nearest_by_index(
    session: AsyncSession, vector: Vector, filters: Filters, wanted: int, size: Size
) -> set[MessageKey]:
    """Return the nearest of those proposals of the indexes that match; they may be fewer than wanted.

    An index is asked for a number of rows, not for rows that match: where the statistics are wrong it would go
    through all that there is.
    """
    limit = index_limit(size, wanted=wanted)
    # The index ranks by rough copies of the vectors: all that it brings are compared with the real ones.
    await tune(session, {**BY_INDEX, "diskann.query_rescore": str(min(limit, _MOST_RESCORED))})
    values = {"vector": as_text(vector), "wanted": wanted, "proposed": limit}
    values |= values_of(filters) | chunk_bounds(size.chunks)
    statement = _proposals(shape_of(filters), tuple(chunk.indexed for chunk in size.chunks))
    # The index gives them in nearly the right order.
    rows = sorted(await fetch(session, statement, values), key=_nearest_first)
    return {_key(row) for row in rows[:wanted]}


def _nearest_first(row: Row) -> tuple[bool, float]:
    """Return what sorts rows by distance, and those without a vector, which a chunk without an index gives, last."""
    return row["distance"] is None, row["distance"] or 0.0


@lru_cache(maxsize=256)
def _proposals(shape: Shape, indexed: tuple[bool, ...]) -> Composed:
    """Return what the indexes propose and what matches of it: of a hypertable chunk by chunk, or else of the table.

    Each chunk is asked on its own, because over several PostgreSQL may rather read and sort all of them.
    """
    if not indexed:
        return _proposals_of(shape, SQL("messages"))
    chunks = [
        _proposals_of(shape, SQL("messages WHERE {}").format(in_chunk(number)))
        if has_index
        else first(
            shape,
            columns=SQL("{}, {} AS distance").format(KEY, _DISTANCE),
            among=in_chunk(number),
            order=_COMPUTED_DISTANCE,
        )
        for number, has_index in enumerate(indexed)
    ]
    return SQL(" UNION ALL ").join(SQL("({})").format(chunk) for chunk in chunks)


def _proposals_of(shape: Shape, rows: SQL | Composed) -> Composed:
    """Return those of the rows that an index proposes first which pass the filters."""
    return SQL("""
        SELECT message_id, sent_at, {distance} AS distance
        FROM (SELECT * FROM {rows} ORDER BY {distance} LIMIT %(proposed)s) AS proposals
        WHERE {passing}
    """).format(distance=_DISTANCE, rows=rows, passing=conditions(shape))


async def compare(
    session: AsyncSession,
    *,
    vector: Vector | None,
    keys: Collection[MessageKey],
    filters: Filters | None = None,
    wanted: int = 0,
) -> list[tuple[Message, float | None]]:
    """Return these messages, and with filters the `wanted` nearest ones that match, each with its cosine similarity."""
    earliest, latest = _bounds(keys, filters)
    values: dict[str, Any] = {
        "vector": None if vector is None else as_text(vector),
        "ids": [message_id for message_id, _ in keys],
        "times": [sent_at for _, sent_at in keys],
        "earliest": earliest,
        "latest": latest,
    }
    if filters is not None:
        values |= {"wanted": wanted, **values_of(filters)}
    rows = await fetch(session, _comparison(shape_of(filters) if filters else None), values)
    return [(to_message(row), row["similarity"]) for row in rows]


_GIVEN = SQL("SELECT * FROM unnest(%(ids)s::bigint[], %(times)s::timestamptz[]) AS given (message_id, sent_at)")


@lru_cache(maxsize=256)
def _comparison(shape: Shape | None) -> Composed:
    keys = _GIVEN if shape is None else SQL("{} UNION ({})").format(_GIVEN, _nearest_of_all(shape))
    return SQL("""
        SELECT {columns}, 1 - ({distance}) AS similarity FROM messages
        JOIN ({keys}) AS keys USING (message_id, sent_at)
        WHERE messages.sent_at BETWEEN %(earliest)s::timestamptz AND %(latest)s::timestamptz
    """).format(columns=COLUMNS_OF_MESSAGES, distance=_DISTANCE, keys=keys)


def _bounds(keys: Collection[MessageKey], filters: Filters | None) -> tuple[datetime, datetime]:
    """Return the first and the last moment that a row of the comparison can have: no other chunk is looked into."""
    times = [sent_at for _, sent_at in keys]
    if filters is not None:
        times += [window.start or _EVER[0] for window in filters.windows] or [_EVER[0]]
        times += [window.end or _EVER[1] for window in filters.windows] or [_EVER[1]]
    return min(times, default=_EVER[0]), max(times, default=_EVER[1])


def as_text(vector: Vector) -> str:
    """Return a vector as PostgreSQL reads it."""
    text: str = VectorText(vector).to_text()
    return text


def _key(row: Row) -> MessageKey:
    return row["message_id"], row["sent_at"]
