"""The statements that find messages in one database; each takes the places that may be read."""

from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
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
    Select,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import AwareTime, place_id
from db.word_index import BM25_INDEX
from memory.estimates import size_of
from memory.filtering import COLUMNS, TABLE, Columns, Shape, conditions, shape_of, values_of
from memory.findings import Filters
from memory.messages import Kind, Message, MessageKey
from memory.planner import (
    Costs,
    Plan,
    Size,
    Trace,
    Way,
    proposals,
    somebody_listens,
    way_to_the_nearest,
    way_to_the_worded,
)
from memory.store import MESSAGE_COLUMNS, one_of, to_message

CANDIDATES = 60
"""How many messages each of the two rankings proposes before they are fused."""

COSTS = Costs()

Vector = NDArray[np.float32]
Keys = Select[Any]
"""A statement that gives message_id and sent_at, perhaps with a score."""

_NOTHING = literal(0.0, Float)
_MOST_RESCORED = 1000  # the most that the vector index takes
_LEAST_RANKED, _MOST_RANKED = 1000, 100_000  # the word index's own setting, and the most that it takes
_BY_INDEX = {"enable_sort": "off", "plan_cache_mode": "force_custom_plan"}
_TEXT = bindparam("text", type_=Text)
_WANTED = bindparam("wanted", type_=Integer)


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
    vector: Awaitable[Vector],
    filters: Filters,
    wanted: int,
    bm25: bool,
    costs: Costs = COSTS,
) -> tuple[list[Candidate], Plan]:
    """Return what vectors and words propose, in no order, and how they were found.

    There are at least min(`wanted`, matching rows) messages, whichever way is taken. The words are looked for while
    the `vector` of the text is still being computed.
    """
    depth = max(CANDIDATES, wanted)
    size = await size_of(session, filters)
    trace = Trace()
    if not size.in_use:
        return [], Plan(nearest=Way.EXACT, worded=Way.EXACT, size=size, counted=None, steps=())
    lexical = await _worded(
        session, text=text, filters=filters, wanted=depth, bm25=bm25, size=size, costs=costs, trace=trace
    )
    found = await _with_similarity(
        session,
        vector=await vector,
        filters=filters,
        wanted=depth,
        worded=lexical.keys(),
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
        counted=await count(session, filters=filters) if somebody_listens() else None,
        steps=tuple(trace.steps),
    )
    return [Candidate(one, similarity, lexical.get(one.key, least)) for one, similarity in found], plan


async def _with_similarity(
    session: AsyncSession,
    *,
    vector: Vector,
    filters: Filters,
    wanted: int,
    worded: Collection[MessageKey],
    size: Size,
    costs: Costs,
    trace: Trace,
) -> list[tuple[Message, float | None]]:
    """Return the nearest messages and those with the words, each with its likeness."""
    if way_to_the_nearest(size, wanted=wanted, costs=costs) is Way.EXACT:
        comparing = _compare(session, vector=vector, keys=worded, filters=filters, wanted=wanted)
        return await trace.step("vectors of every matching row", comparing)
    keys = await nearest(session, vector=vector, filters=filters, wanted=wanted, size=size, costs=costs, trace=trace)
    return await trace.step("rows of both", _compare(session, vector=vector, keys=keys | set(worded)))


async def _compare(
    session: AsyncSession,
    *,
    vector: Vector,
    keys: Collection[MessageKey],
    filters: Filters | None = None,
    wanted: int = 0,
) -> list[tuple[Message, float | None]]:
    """Return these messages, and with filters the `wanted` nearest ones that match, each with its likeness."""
    statement = _comparison(shape_of(filters) if filters else None)
    values = {"vector": vector, "wanted": wanted, **_arrays(keys), **(values_of(filters) if filters else {})}
    rows = (await session.execute(statement, values)).mappings()
    return [(to_message(row), row["similarity"]) for row in rows]


@cache
def _comparison(shape: Shape | None) -> Select[Any]:
    given = _given().subquery() if shape is None else union(_given(), _nearest_of_all(shape)).subquery()
    return select(*MESSAGE_COLUMNS, (1 - _distance()).label("similarity")).join(
        given, and_(given.c.message_id == COLUMNS.message_id, given.c.sent_at == COLUMNS.sent_at)
    )


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
    if way_to_the_nearest(size, wanted=wanted, costs=costs) is Way.INDEX:
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
    return _first(shape, _distance() + _NOTHING)


async def _nearest_by_index(
    session: AsyncSession, vector: Vector, filters: Filters, wanted: int, size: Size
) -> set[MessageKey]:
    """Return the nearest of those proposals of the index that match; they may be fewer than wanted.

    The index is asked for a number of rows, not for rows that match: where the statistics are wrong it would go
    through all that there is.
    """
    asked = proposals(size, wanted=wanted)
    # The index ranks by rough copies of the vectors: all that it brings are compared with the real ones.
    await _tune(session, {**_BY_INDEX, "diskann.query_rescore": str(min(asked, _MOST_RESCORED))})
    values = {"vector": vector, "wanted": asked, **values_of(filters)}
    # The index gives them in nearly the right order.
    rows = sorted(await session.execute(_proposed(shape_of(filters)), values), key=lambda row: row.distance)
    return {(row.message_id, row.sent_at) for row in rows[:wanted]}


@cache
def _proposed(shape: Shape) -> Select[Any]:
    proposed = select(TABLE).order_by(_distance()).limit(_WANTED).subquery().c
    distance = _distance(proposed).label("distance")
    return select(proposed.message_id, proposed.sent_at, distance).where(*conditions(shape, of=proposed))


async def _worded(
    session: AsyncSession,
    *,
    text: str,
    filters: Filters,
    wanted: int,
    bm25: bool,
    size: Size,
    costs: Costs,
    trace: Trace,
) -> dict[MessageKey, float]:
    """Return the keys of the rows with the most telling words, each with its score; none that has none of them."""
    shape, values = shape_of(filters), {"text": text, "wanted": wanted, **values_of(filters)}
    if not bm25:
        return await trace.step("full text", _scores(session, _best_in_full_text(shape), values))
    if way_to_the_worded(size, wanted=wanted, costs=costs) is Way.EXACT:
        return await trace.step("words of every matching row", _scores(session, _best_of_all(shape), values))
    # So many the index ranks at once; each time they are not enough it begins anew with twice as many.
    ranked = min(max(_LEAST_RANKED, 2 * size.share_of(wanted)), _MOST_RANKED)
    await _tune(session, {**_BY_INDEX, "pg_textsearch.default_limit": str(ranked)})
    return await trace.step("word index", _scores(session, _best_by_index(shape), values))


async def _scores(session: AsyncSession, statement: Keys, values: Mapping[str, Any]) -> dict[MessageKey, float]:
    rows = await session.execute(statement, values)
    return {(row.message_id, row.sent_at): -row.distance for row in rows if row.distance < 0}  # the operator's sign


@cache
def _best_in_full_text(shape: Shape) -> Keys:
    score = _full_text()
    return _first(shape, score.desc()).add_columns((-score).label("distance")).where(_has_words())


@cache
def _best_of_all(shape: Shape) -> Keys:
    return _first(shape, _bm25_distance() + _NOTHING).add_columns(_bm25_distance().label("distance"))


@cache
def _best_by_index(shape: Shape) -> Keys:
    # Asked for as it is ordered by, the distance comes out of the index: anything made of it is computed again.
    return _first(shape, _bm25_distance()).add_columns(_bm25_distance().label("distance"))


async def _tune(session: AsyncSession, settings: Mapping[str, str]) -> None:
    """Set PostgreSQL's settings until the end of the transaction."""
    await session.execute(_setting(tuple(settings)), dict(settings))


@cache
def _setting(names: tuple[str, ...]) -> Select[Any]:
    return select(*(func.set_config(name, cast(bindparam(name), Text), True) for name in names))


async def count(session: AsyncSession, *, filters: Filters) -> int:
    """Return how many rows match."""
    statement = select(func.count()).select_from(TABLE).where(*conditions(shape_of(filters)))
    return await session.scalar(statement, values_of(filters)) or 0


def _first(shape: Shape, order: ColumnElement[Any]) -> Keys:
    return select(COLUMNS.message_id, COLUMNS.sent_at).where(*conditions(shape)).order_by(order).limit(_WANTED)


def _distance(of: Columns = COLUMNS) -> ColumnElement[float]:
    return of.embedding.op("<=>", return_type=Float())(bindparam("vector", type_=VectorType()))


def _bm25_distance() -> ColumnElement[float]:
    return COLUMNS.search_text.op("<@>", return_type=Float())(func.to_bm25query(_TEXT, BM25_INDEX))


def _any_word() -> ColumnElement[Any]:
    """Return a query that any of the words satisfies: PostgreSQL joins them with AND by itself."""
    every_word = func.plainto_tsquery("english", _TEXT)
    return func.replace(every_word.cast(Text), " & ", " | ").op("::")(column("tsquery"))


def _document() -> ColumnElement[Any]:
    # Written out: with a bound parameter this is not the expression of the index `messages_full_text`.
    return func.to_tsvector(literal_column("'english'"), COLUMNS.search_text)


def _full_text() -> ColumnElement[float]:
    return func.ts_rank_cd(_document(), _any_word())


def _has_words() -> ColumnElement[bool]:
    return _document().op("@@")(_any_word())


async def in_order(session: AsyncSession, *, filters: Filters, limit: int) -> list[Message]:
    """Return the first `limit` messages that match, oldest first."""
    if not filters.places:
        return []
    values = {"wanted": limit, **values_of(filters)}
    return [to_message(row) for row in (await session.execute(_in_order(shape_of(filters)), values)).mappings()]


@cache
def _in_order(shape: Shape) -> Select[Any]:
    order = COLUMNS.sent_at, COLUMNS.message_id
    return select(*MESSAGE_COLUMNS).where(*conditions(shape)).order_by(*order).limit(_WANTED)


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


async def beside(
    session: AsyncSession, *, messages: Sequence[Message], before: int, after: int
) -> list[tuple[int, Message]]:
    """Return pairs of a message's id and a neighbour: up to `before` and `after` of them in its place."""
    values = {
        "places": [message.place_id for message in messages],
        "times": [message.sent_at for message in messages],
        "ids": [message.message_id for message in messages],
        "before": before,
        "after": after,
    }
    rows = (await session.execute(_both_sides(), values)).mappings()
    return [(row["of_id"], to_message(row)) for row in rows]


@cache
def _both_sides() -> CompoundSelect[Any]:
    return union_all(_beside("before", earlier=True), _beside("after", earlier=False))


def _beside(count: str, *, earlier: bool) -> Select[Any]:
    wanted = (
        func.unnest(
            bindparam("places", type_=ARRAY(BigInteger)),
            bindparam("times", type_=ARRAY(AwareTime)),
            bindparam("ids", type_=ARRAY(BigInteger)),
        )
        .table_valued(
            column("place_id", BigInteger),
            column("sent_at", AwareTime),
            column("message_id", BigInteger),
            name="wanted",
        )
        .render_derived()
    )
    here = tuple_(COLUMNS.sent_at, COLUMNS.message_id)
    there = tuple_(wanted.c.sent_at, wanted.c.message_id)
    order = (COLUMNS.sent_at, COLUMNS.message_id)
    nearest = (
        select(*MESSAGE_COLUMNS)
        .where(
            place_id == wanted.c.place_id,
            here < there if earlier else here > there,
            COLUMNS.deleted_at.is_(None),
            COLUMNS.kind == Kind.MESSAGE.value,
        )
        .order_by(*(column.desc() if earlier else column for column in order))
        .limit(bindparam(count, type_=Integer))
        .lateral("nearest")
    )
    return select(wanted.c.message_id.label("of_id"), nearest).join(nearest, literal(True))
