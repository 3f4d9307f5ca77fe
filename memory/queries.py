"""The statements that find messages in one database; each takes the places that may be read."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Select,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    values,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import AwareTime, MessageRow, place_id
from db.word_index import BM25_INDEX
from memory.findings import Filters, Window
from memory.messages import Kind, Message, MessageKey
from memory.store import MESSAGE_COLUMNS, one_of, to_message

EXACT_LIMIT = 20_000
"""Rows up to which every vector is compared, in some 10 ms; with more of them the index proposes."""

CANDIDATES = 60
"""How many messages each of the two rankings proposes before they are fused."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A message that a ranking proposed, with what both rankings say of it; no similarity without a vector."""

    message: Message
    similarity: float | None
    lexical: float


async def candidates(
    session: AsyncSession, *, text: str, vector: NDArray[np.float32], filters: Filters, wanted: int, bm25: bool
) -> list[Candidate]:
    """Return what vectors and words propose, in no order: at least min(`wanted`, matching rows) messages."""
    if not filters.places:
        return []
    depth = max(CANDIDATES, wanted)
    score = _bm25(text) if bm25 else _full_text(text)
    near = await _nearest(session, vector=vector, filters=filters, depth=depth)
    worded = await _worded(session, text=text, filters=filters, depth=depth, bm25=bm25)
    statement = select(
        *MESSAGE_COLUMNS,
        (1 - MessageRow.embedding.cosine_distance(vector)).label("similarity"),
        score.label("lexical"),
    ).where(tuple_(MessageRow.message_id, MessageRow.sent_at).in_(near | worded))
    rows = (await session.execute(statement)).mappings()
    return [Candidate(to_message(row), row["similarity"], row["lexical"]) for row in rows]


async def _nearest(
    session: AsyncSession, *, vector: NDArray[np.float32], filters: Filters, depth: int
) -> set[MessageKey]:
    """Return the keys of the nearest rows: exactly where that is cheap, else as the index finds them."""
    distance = MessageRow.embedding.cosine_distance(vector)
    # With something added, the order is none that the index knows: all vectors are compared.
    exactly = distance + literal(0.0, Float)
    if await _at_most(session, filters=filters, rows=EXACT_LIMIT):
        return await _keys(session, _first(filters, exactly, depth))
    found = await _keys(session, _first(filters, distance, depth))
    # The index looks at the filter only afterwards and may come back short.
    return found if len(found) >= depth else await _keys(session, _first(filters, exactly, depth))


async def _worded(session: AsyncSession, *, text: str, filters: Filters, depth: int, bm25: bool) -> set[MessageKey]:
    """Return the keys of the rows that share the most telling words with the text."""
    if not bm25:
        statement = _first(filters, _full_text(text).desc(), depth).where(_has_words(text))
        return await _keys(session, statement)
    distance = _bm25_distance(text)
    rows = await session.execute(_first(filters, distance, depth).add_columns(distance.label("distance")))
    return {(row.message_id, row.sent_at) for row in rows if row.distance < 0}  # the operator gives -score


def _first(filters: Filters, order: ColumnElement[Any], count: int) -> Select[int, datetime]:
    return select(MessageRow.message_id, MessageRow.sent_at).where(*_conditions(filters)).order_by(order).limit(count)


async def _keys(session: AsyncSession, statement: Select[int, datetime]) -> set[MessageKey]:
    return {(row.message_id, row.sent_at) for row in await session.execute(statement)}


async def _at_most(session: AsyncSession, *, filters: Filters, rows: int) -> bool:
    """Tell whether no more rows than that match, without counting further."""
    some = select(literal(1)).where(*_conditions(filters)).select_from(MessageRow).limit(rows + 1).subquery()
    return (await session.scalar(select(func.count()).select_from(some)) or 0) <= rows


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions = [
        one_of(place_id, filters.places),
        MessageRow.kind.in_([kind.value for kind in filters.kinds if kind is not Kind.ANSWER]),
        MessageRow.deleted_at.is_(None),
        *_within(filters.window),
    ]
    if filters.authors:
        # The server lowers both sides: its rules and Python's differ.
        conditions.append(func.lower(MessageRow.author_name).in_([func.lower(author) for author in filters.authors]))
    return conditions


def _within(window: Window) -> Iterable[ColumnElement[bool]]:
    if window.start is not None:
        yield MessageRow.sent_at >= window.start
    if window.end is not None:
        yield MessageRow.sent_at < window.end


def _bm25_distance(text: str) -> ColumnElement[float]:
    return MessageRow.search_text.op("<@>", return_type=Float())(func.to_bm25query(text, BM25_INDEX))


def _bm25(text: str) -> ColumnElement[float]:
    return -_bm25_distance(text)


def _any_word(text: str) -> ColumnElement[Any]:
    """Return a query that any of the words satisfies: PostgreSQL joins them with AND by itself."""
    every_word = func.plainto_tsquery("english", text)
    return func.replace(every_word.cast(MessageRow.content.type), " & ", " | ").op("::")(column("tsquery"))


def _document() -> ColumnElement[Any]:
    # Written out: with a bound parameter this is not the expression of the index `messages_full_text`.
    return func.to_tsvector(literal_column("'english'"), MessageRow.search_text)


def _full_text(text: str) -> ColumnElement[float]:
    return func.ts_rank_cd(_document(), _any_word(text))


def _has_words(text: str) -> ColumnElement[bool]:
    return _document().op("@@")(_any_word(text))


async def in_order(session: AsyncSession, *, filters: Filters, limit: int) -> list[Message]:
    """Return the first `limit` messages that match, oldest first."""
    if not filters.places:
        return []
    statement = (
        select(*MESSAGE_COLUMNS)
        .where(*_conditions(filters))
        .order_by(MessageRow.sent_at, MessageRow.message_id)
        .limit(limit)
    )
    return [to_message(row) for row in (await session.execute(statement)).mappings()]


async def by_id(session: AsyncSession, *, message_ids: Collection[int], places: frozenset[int]) -> list[Message]:
    """Return those of the messages that are there, are not deleted and are in one of the places."""
    statement = select(*MESSAGE_COLUMNS).where(
        one_of(MessageRow.__table__.c.message_id, message_ids),
        one_of(place_id, places),
        MessageRow.deleted_at.is_(None),
        MessageRow.kind != Kind.ANSWER.value,
    )
    return [to_message(row) for row in (await session.execute(statement)).mappings()]


async def changed(session: AsyncSession, *, message_ids: Collection[int]) -> list[Message]:
    """Return those of the messages that were edited or deleted, whatever their place: to correct, not to show."""
    statement = select(*MESSAGE_COLUMNS).where(
        one_of(MessageRow.__table__.c.message_id, message_ids),
        or_(MessageRow.edited_at.is_not(None), MessageRow.deleted_at.is_not(None)),
    )
    return [to_message(row) for row in (await session.execute(statement)).mappings()]


async def places(session: AsyncSession) -> list[int]:
    """Return the ids of all channels and threads that something was said in."""
    return list(await session.scalars(select(place_id).distinct()))


async def beside(
    session: AsyncSession, *, messages: Sequence[Message], before: int, after: int
) -> list[tuple[int, Message]]:
    """Return pairs of a message's id and a neighbour: up to `before` and `after` of them in its place."""
    neighbours: list[tuple[int, Message]] = []
    for statement in (_beside(messages, before, earlier=True), _beside(messages, after, earlier=False)):
        rows = (await session.execute(statement)).mappings()
        neighbours += [(row["of_id"], to_message(row)) for row in rows]
    return neighbours


def _beside(messages: Sequence[Message], count: int, *, earlier: bool) -> Select[Any]:
    wanted = values(
        column("place_id", BigInteger), column("sent_at", AwareTime), column("message_id", BigInteger), name="wanted"
    ).data([(message.place_id, message.sent_at, message.message_id) for message in messages])
    here = tuple_(MessageRow.sent_at, MessageRow.message_id)
    there = tuple_(wanted.c.sent_at, wanted.c.message_id)
    order = (MessageRow.sent_at, MessageRow.message_id)
    nearest = (
        select(*MESSAGE_COLUMNS)
        .where(
            place_id == wanted.c.place_id,
            here < there if earlier else here > there,
            MessageRow.deleted_at.is_(None),
            MessageRow.kind == Kind.MESSAGE.value,
        )
        .order_by(*(column.desc() if earlier else column for column in order))
        .limit(count)
        .lateral("nearest")
    )
    return select(wanted.c.message_id.label("of_id"), nearest).join(nearest, literal(True))
