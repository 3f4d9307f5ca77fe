"""The statements that find messages in one database; each takes the places that may be read."""

from collections.abc import Awaitable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pgvector.sqlalchemy import Vector as VectorType
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Float,
    Integer,
    Row,
    Select,
    TableValuedAlias,
    Tuple,
    and_,
    any_,
    bindparam,
    column,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import AwareTime, place_id
from memory.filters import (
    BY_INDEX,
    COLUMNS,
    NOTHING,
    TABLE,
    WANTED,
    Columns,
    Filters,
    Keys,
    Shape,
    conditions,
    first,
    in_part,
    shape_of,
    times_of,
    tune,
    values_of,
)
from memory.index.store import MESSAGE_COLUMNS, one_of, to_message
from memory.message import Kind, Message, MessageKey
from memory.search.keywords import keyword_candidates
from memory.search.planner import (
    AccessPath,
    Costs,
    Plan,
    Size,
    Trace,
    explain_enabled,
    index_limit,
    size_of,
    way_to_the_nearest,
    way_to_the_worded,
)

CANDIDATES = 60
"""How many messages each of the two rankings proposes before they are fused."""

COSTS = Costs()

Vector = NDArray[np.float32]
_EVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
_MOST_RESCORED = 1000  # the most that the vector index takes


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that a ranking proposed, with what both rankings say of it; no similarity without a vector."""

    message: Message
    similarity: float | None
    lexical: float


async def candidates(
    session: AsyncSession,
    *,
    text: str,
    vector: Awaitable[Vector | None],
    filters: Filters,
    wanted: int,
    bm25: bool,
    hypertable: bool,
    costs: Costs = COSTS,
) -> tuple[list[Candidate], Plan]:
    """Return what vectors and words propose, in no order, and how they were found.

    There are at least min(`wanted`, matching rows) messages, whichever way is taken. The words are looked for while
    the `vector` of the text is still being computed; when it comes to None, there is nothing but what they propose.
    """
    depth = max(CANDIDATES, wanted)
    size = await size_of(session, filters, hypertable=hypertable)
    trace = Trace()
    if not size.in_use:
        return [], Plan(nearest=AccessPath.EXACT, worded=AccessPath.EXACT, size=size, counted=None, steps=())
    lexical = await keyword_candidates(
        session, text=text, filters=filters, wanted=depth, bm25=bm25, size=size, costs=costs, trace=trace
    )
    found = await _with_similarity(
        session,
        vector=await vector,
        filters=filters,
        wanted=depth,
        keyword_candidates=lexical.keys(),
        size=size,
        costs=costs,
        trace=trace,
    )
    # Of the others it is known that they have fewer telling words than all that were brought, and no more.
    least = min(lexical.values()) if len(lexical) >= depth else 0.0
    plan = Plan(
        nearest=way_to_the_nearest(size, wanted=depth, costs=costs),
        worded=way_to_the_worded(size, wanted=depth, costs=costs),
        size=size,
        counted=await count(session, filters=filters) if explain_enabled() else None,
        steps=tuple(trace.steps),
    )
    return [Candidate(one, similarity, lexical.get(one.key, least)) for one, similarity in found], plan


async def _with_similarity(
    session: AsyncSession,
    *,
    vector: Vector | None,
    filters: Filters,
    wanted: int,
    keyword_candidates: Collection[MessageKey],
    size: Size,
    costs: Costs,
    trace: Trace,
) -> list[tuple[Message, float | None]]:
    """Return the nearest messages and those with the words, each with its likeness."""
    if vector is None:
        return await trace.step("rows of the words alone", _compare(session, vector=None, keys=keyword_candidates))
    if way_to_the_nearest(size, wanted=wanted, costs=costs) is AccessPath.EXACT:
        comparing = _compare(session, vector=vector, keys=keyword_candidates, filters=filters, wanted=wanted)
        return await trace.step("vectors of every matching row", comparing)
    keys = await nearest(session, vector=vector, filters=filters, wanted=wanted, size=size, costs=costs, trace=trace)
    return await trace.step("rows of both", _compare(session, vector=vector, keys=keys | set(keyword_candidates)))


async def _compare(
    session: AsyncSession,
    *,
    vector: Vector | None,
    keys: Collection[MessageKey],
    filters: Filters | None = None,
    wanted: int = 0,
) -> list[tuple[Message, float | None]]:
    """Return these messages, and with filters the `wanted` nearest ones that match, each with its likeness."""
    statement = _comparison(shape_of(filters) if filters else None)
    values = {"vector": vector, "wanted": wanted, **_arrays(keys), **(values_of(filters) if filters else {})}
    values |= dict(zip(("earliest", "latest"), _ends(keys, filters), strict=True))
    rows = (await session.execute(statement, values)).mappings()
    return [(to_message(row), row["similarity"]) for row in rows]


@cache
def _comparison(shape: Shape | None) -> Select[Any]:
    given = _given().subquery() if shape is None else union(_given(), _nearest_of_all(shape)).subquery()
    between = COLUMNS.sent_at.between(bindparam("earliest", type_=AwareTime), bindparam("latest", type_=AwareTime))
    return (
        select(*MESSAGE_COLUMNS, (1 - _distance()).label("similarity"))
        .where(between)
        .join(given, and_(given.c.message_id == COLUMNS.message_id, given.c.sent_at == COLUMNS.sent_at))
    )


def _ends(keys: Collection[MessageKey], filters: Filters | None) -> tuple[datetime, datetime]:
    """Return the first and the last moment that a row of the comparison can have: no other chunk is looked into."""
    times = [sent_at for _, sent_at in keys]
    if filters is not None:
        times += [window.start or _EVER[0] for window in filters.windows] or [_EVER[0]]
        times += [window.end or _EVER[1] for window in filters.windows] or [_EVER[1]]
    return min(times, default=_EVER[0]), max(times, default=_EVER[1])


def _arrays(keys: Collection[MessageKey]) -> dict[str, Any]:
    return {"ids": [message_id for message_id, _ in keys], "times": [sent_at for _, sent_at in keys]}


def _given() -> Keys:
    """Return keys as a table: two arrays, for SQLAlchemy keeps no compiled form of a list that varies in length."""
    given = (
        func.unnest(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("times", type_=ARRAY(AwareTime)))
        .table_valued(column("message_id", BigInteger), column("sent_at", AwareTime), name="given")
        .render_derived()
    )
    return select(given.c.message_id, given.c.sent_at)


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
    if way_to_the_nearest(size, wanted=wanted, costs=costs) is AccessPath.INDEX:
        found = await trace.step("vector index", _nearest_by_index(session, vector, filters, wanted, size))
        if len(found) == wanted:
            return found
    return await trace.step(
        "vectors of every matching row", nearest_of_all(session, vector=vector, filters=filters, wanted=wanted)
    )


async def nearest_of_all(session: AsyncSession, *, vector: Vector, filters: Filters, wanted: int) -> set[MessageKey]:
    """Return the keys of the nearest rows after comparing every row that matches; those without a vector come last."""
    values = {"vector": vector, "wanted": wanted, **values_of(filters)}
    rows = await session.execute(_nearest_of_all(shape_of(filters)), values)
    return {(row.message_id, row.sent_at) for row in rows}


@cache
def _nearest_of_all(shape: Shape) -> Keys:
    # With something added, the order is none that the index knows.
    return first(shape, _distance() + NOTHING)


async def _nearest_by_index(
    session: AsyncSession, vector: Vector, filters: Filters, wanted: int, size: Size
) -> set[MessageKey]:
    """Return the nearest of those proposals of the indexes that match; they may be fewer than wanted.

    An index is asked for a number of rows, not for rows that match: where the statistics are wrong it would go
    through all that there is.
    """
    asked = index_limit(size, wanted=wanted)
    # The index ranks by rough copies of the vectors: all that it brings are compared with the real ones.
    await tune(session, {**BY_INDEX, "diskann.query_rescore": str(min(asked, _MOST_RESCORED))})
    values = {"vector": vector, "wanted": wanted, "asked": asked, **values_of(filters), **times_of(size.chunks)}
    statement = _proposed(shape_of(filters), tuple(part.indexed for part in size.chunks))
    # The index gives them in nearly the right order.
    rows = sorted(await session.execute(statement, values), key=_nearest_first)
    return {(row.message_id, row.sent_at) for row in rows[:wanted]}


def _nearest_first(row: Row[Any]) -> tuple[bool, float]:
    """Return what sorts rows by distance, and those without a vector, which a chunk without an index gives, last."""
    return row.distance is None, row.distance or 0.0


@cache
def _proposed(shape: Shape, indexed: tuple[bool, ...]) -> Select[Any] | CompoundSelect[Any]:
    """Return what the indexes propose and what matches of it: of a hypertable chunk by chunk, or else of the table.

    Each chunk is asked on its own, because over several PostgreSQL may rather read and sort all of them.
    """
    if not indexed:
        return _matching(shape, select(TABLE))
    chunks = [
        _matching(shape, select(TABLE).where(*in_part(number)))
        if has_index
        else first(shape, _distance() + NOTHING).add_columns(_distance().label("distance")).where(*in_part(number))
        for number, has_index in enumerate(indexed)
    ]
    return union_all(*(select(chunk.subquery()) for chunk in chunks))


def _matching(shape: Shape, rows: Select[Any]) -> Select[Any]:
    """Return those of the rows that an index proposes first which pass the filters."""
    proposed = rows.order_by(_distance()).limit(bindparam("asked", type_=Integer)).subquery().c
    distance = _distance(proposed).label("distance")
    return select(proposed.message_id, proposed.sent_at, distance).where(*conditions(shape, of=proposed))


async def count(session: AsyncSession, *, filters: Filters) -> int:
    """Return how many rows match."""
    statement = select(func.count()).select_from(TABLE).where(*conditions(shape_of(filters)))
    return await session.scalar(statement, values_of(filters)) or 0


def _distance(of: Columns = COLUMNS) -> ColumnElement[float]:
    return of.embedding.op("<=>", return_type=Float())(bindparam("vector", type_=VectorType()))


async def in_order(session: AsyncSession, *, filters: Filters, limit: int, newest: bool = False) -> list[Message]:
    """Return the first `limit` messages that match, or the `newest`, which come newest first."""
    if not filters.places:
        return []
    values = {"wanted": limit, **values_of(filters)}
    statement = _newest if newest else _in_order
    return [to_message(row) for row in (await session.execute(statement(shape_of(filters)), values)).mappings()]


@cache
def _in_order(shape: Shape) -> Select[Any]:
    order = COLUMNS.sent_at, COLUMNS.message_id
    return select(*MESSAGE_COLUMNS).where(*conditions(shape)).order_by(*order).limit(WANTED)


@cache
def _newest(shape: Shape) -> Select[Any]:
    """Return the newest rows of each place, which its index gives, and of those the newest."""
    every = func.unnest(bindparam("places", type_=ARRAY(BigInteger)))
    place = every.table_valued(column("place_id", BigInteger), name="place").render_derived()
    of_place = (
        select(*MESSAGE_COLUMNS)
        .where(place_id == place.c.place_id, *conditions(shape))
        .order_by(COLUMNS.sent_at.desc(), COLUMNS.message_id.desc())
        .limit(WANTED)
        .lateral("of_place")
    )
    order = of_place.c.sent_at.desc(), of_place.c.message_id.desc()
    return select(of_place).select_from(place).join(of_place, literal(True)).order_by(*order).limit(WANTED)


async def by_id(session: AsyncSession, *, message_ids: Collection[int], places: frozenset[int]) -> list[Message]:
    """Return those of the messages that are there, are not deleted and are in one of the places."""
    statement = select(*MESSAGE_COLUMNS).where(
        one_of(COLUMNS.message_id, message_ids),
        one_of(place_id, places),
        COLUMNS.deleted_at.is_(None),
        COLUMNS.kind != Kind.ANSWER.value,
    )
    return [to_message(row) for row in (await session.execute(statement)).mappings()]


async def changed(session: AsyncSession, *, message_ids: Collection[int]) -> list[Message]:
    """Return those of the messages that were edited or deleted, whatever their place: to correct, not to show."""
    rows = (await session.execute(_changed(), {"ids": sorted(message_ids)})).mappings()
    return [to_message(row) for row in rows]


@cache
def _changed() -> Select[Any]:
    return select(*MESSAGE_COLUMNS).where(
        COLUMNS.message_id == any_(bindparam("ids", type_=ARRAY(BigInteger))),
        or_(COLUMNS.edited_at.is_not(None), COLUMNS.deleted_at.is_not(None)),
    )


async def places(session: AsyncSession) -> list[int]:
    """Return the ids of all channels and threads that something was said in."""
    return list(await session.scalars(select(place_id).distinct()))


FOLLOWERS_READ = 300
"""Messages after one among which replies to it are looked for."""


async def linked(session: AsyncSession, *, messages: Sequence[Message]) -> list[tuple[int, Message]]:
    """Return pairs of a message's id and another one of its place: a reply to it, or what it replies to itself."""
    values = {
        "places": [message.place_id for message in messages],
        "times": [message.sent_at for message in messages],
        "ids": [message.message_id for message in messages],
        "parents": [message.reply_to for message in messages],
        "read": FOLLOWERS_READ,
    }
    rows = (await session.execute(_replies_and_parents(), values)).mappings()
    return [(row["of_id"], to_message(row)) for row in rows]


@cache
def _replies_and_parents() -> CompoundSelect[Any]:
    wanted = _wanted(column("parent", BigInteger), bindparam("parents", type_=ARRAY(BigInteger)))
    following = (
        select(*MESSAGE_COLUMNS)
        .where(place_id == wanted.c.place_id, _position(COLUMNS) > _position(wanted.c))
        .order_by(COLUMNS.sent_at, COLUMNS.message_id)
        .limit(bindparam("read", type_=Integer))
        .lateral("following")
    )
    parents = (
        select(*MESSAGE_COLUMNS)
        .where(COLUMNS.message_id == wanted.c.parent, place_id == wanted.c.place_id)
        .lateral("parents")
    )
    of_id = wanted.c.message_id.label("of_id")
    replies = select(of_id, following).join(following, following.c.reply_to == wanted.c.message_id)
    return union_all(
        replies.where(*_is_shown(following.c)),
        select(of_id, parents).join(parents, literal(True)).where(*_is_shown(parents.c)),
    )


def _is_shown(of: Columns) -> tuple[ColumnElement[bool], ...]:
    """Return what a message must be to be shown beside another one."""
    return of.deleted_at.is_(None), of.kind == Kind.MESSAGE.value


def _position(of: Columns) -> Tuple:
    return tuple_(of.sent_at, of.message_id)


def _wanted(*more: Any) -> TableValuedAlias:
    """Return the messages beside which others are looked for, as a table of their places, times and ids."""
    names, arrays = more[::2], more[1::2]
    return (
        func.unnest(
            bindparam("places", type_=ARRAY(BigInteger)),
            bindparam("times", type_=ARRAY(AwareTime)),
            bindparam("ids", type_=ARRAY(BigInteger)),
            *arrays,
        )
        .table_valued(
            column("place_id", BigInteger),
            column("sent_at", AwareTime),
            column("message_id", BigInteger),
            *names,
            name="wanted",
        )
        .render_derived()
    )
