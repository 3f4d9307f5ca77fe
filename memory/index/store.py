"""Rows in and messages out of one database; the same functions serve short-term and long-term memory."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    RowMapping,
    and_,
    any_,
    bindparam,
    case,
    func,
    literal,
    null,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from db.arrays import arrays_of, rows_as_table
from db.schema import EMBEDDING_WIDTH, AwareTime, JournalPositionRow, MessageRow, RevisionRow
from memory.message import CHANGED_BY_EDITS as CHANGED_FIELDS
from memory.message import COLUMNS, COUNTED, FIELDS, Field, Item, Kind, Message, Part, Revision, Source, as_json
from memory.names.rows import noting_names, values_of_names

_Columns = ReadOnlyColumnCollection[str, Any]

CHANGED_BY_EDITS = (*CHANGED_FIELDS, "search_text", "embedding", "embedding_model")
"""The columns of a message that an edit replaces; a deletion sets `deleted_at` alone, and an answer stays one."""

CHANGEABLE = (*CHANGED_BY_EDITS, *COUNTED, "deleted_at")
"""The columns of a message that a later state may change."""

_OF_AN_ANSWER = {"search_text": literal(""), "embedding": null(), "embedding_model": null()}
"""What makes a message findable, which an answer of the bot never is."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """A message with what makes it findable; no vector for a deletion, which has no text."""

    message: Message
    search_text: str
    embedding: NDArray[np.float32] | None
    embedding_model: str | None


async def write(
    session: AsyncSession,
    *,
    batch: Sequence[Indexed],
    revisions: Sequence[Revision],
    journal: str,
    position: int,
) -> None:
    """Write a batch and move the journal's position behind it, in one statement and so in one round trip.

    A message that is there already changes only by a later edit or a deletion, so a batch may come twice.
    Each key may stand in the batch once.
    """
    edits = [item.message for item in batch if item.message.edited_at]
    values: dict[str, Any] = {"journal": journal, "journal_end": position}
    if batch:
        rows = (values_of(item) for item in batch)
        values |= arrays_of("coming", _WRITTEN, ([row[known.name] for known in _WRITTEN] for row in rows))
        values |= values_of_names(item.message for item in batch)
    if edits:
        values |= arrays_of("edited", _EDITED, (_values(edit, _EDITED) for edit in edits))
    if revisions:
        values |= arrays_of("revising", _REVISED, (_values(revision, _REVISED) for revision in revisions))
    statement = _writing(has_rows=bool(batch), has_edits=bool(edits), has_revisions=bool(revisions))
    await session.execute(statement, values)


@cache
def _writing(*, has_rows: bool, has_edits: bool, has_revisions: bool) -> Insert:
    """Return the statement that writes a batch, whose rows are its parameters: to build it takes some milliseconds."""
    statement = insert(JournalPositionRow).values(session=bindparam("journal"), position=bindparam("journal_end"))
    statement = statement.on_conflict_do_update(
        index_elements=[JournalPositionRow.session], set_={"position": statement.excluded.position}
    )
    if has_edits:
        kept = keep_replaced_texts(rows_as_table("edited", _EDITED), promotion_id=null())
        statement = statement.add_cte(kept.cte("kept"))
    if has_rows:
        names = [known.name for known in _WRITTEN]
        rows = insert(MessageRow).from_select(names, select(rows_as_table("coming", _WRITTEN)))
        statement = statement.add_cte(merging(rows).cte("stored"), noting_names().cte("noted"))
    if has_revisions:
        names = [known.name for known in _REVISED]
        revised = insert(RevisionRow).from_select(names, select(rows_as_table("revising", _REVISED)))
        statement = statement.add_cte(revised.on_conflict_do_nothing().cte("revised"))
    return statement


def merging(statement: Insert) -> Insert:
    """Let an insert into messages apply the rule of `memory.messages.merged` to the rows that are there."""
    new = statement.excluded
    changes: dict[str, ColumnElement[Any]] = {
        name: case((says_later(new), new[name]), else_=getattr(MessageRow, name)) for name in CHANGED_BY_EDITS
    }
    changes |= {name: case((_counted_later(new), new[name]), else_=getattr(MessageRow, name)) for name in COUNTED}
    changes["kind"] = case((new.kind == Kind.ANSWER.value, new.kind), else_=MessageRow.kind)
    is_answer = or_(MessageRow.kind == Kind.ANSWER.value, new.kind == Kind.ANSWER.value)
    for name, nothing in _OF_AN_ANSWER.items():
        changes[name] = case((is_answer, nothing), else_=changes[name])
    changes["deleted_at"] = func.coalesce(MessageRow.deleted_at, new.deleted_at)
    changes["in_public_thread"] = or_(MessageRow.in_public_thread, new.in_public_thread)
    return statement.on_conflict_do_update(
        index_elements=[MessageRow.message_id, MessageRow.sent_at],
        set_=changes,
        where=changed_by(new),
    )


def changed_by(new: _Columns) -> ColumnElement[bool]:
    """Return whether another state of a message changes the row that is there."""
    newly_deleted = and_(MessageRow.deleted_at.is_(None), new.deleted_at.is_not(None))
    known_as_answer = and_(MessageRow.kind != Kind.ANSWER.value, new.kind == Kind.ANSWER.value)
    known_as_public = and_(MessageRow.in_public_thread.is_(False), new.in_public_thread.is_(True))
    return or_(says_later(new), _counted_later(new), newly_deleted, known_as_answer, known_as_public)


def says_later(new: _Columns) -> ColumnElement[bool]:
    """Return whether another state of a message brings what it says after a later edit or completion."""
    later: ColumnElement[bool] = tuple_(_time(new.edited_at), _time(new.completed_at)) > tuple_(
        _time(MessageRow.edited_at), _time(MessageRow.completed_at)
    )
    return later


def _counted_later(new: _Columns) -> ColumnElement[bool]:
    later: ColumnElement[bool] = new.reactions_at > _time(MessageRow.reactions_at)
    return later


def _time(column: Any) -> ColumnElement[Any]:
    return func.coalesce(column, literal("-infinity", AwareTime))


def keep_replaced_texts(edited: FromClause, *, promotion_id: ColumnElement[Any]) -> Insert:
    """Keep the texts that edits, a table of keys, `edited_at` and `content`, are about to replace.

    It stands in the statement that writes them, whose parts all see the rows from before it.
    """
    replaced = (
        select(MessageRow.message_id, edited.c.edited_at, MessageRow.content, promotion_id)
        .join(edited, and_(MessageRow.message_id == edited.c.message_id, MessageRow.sent_at == edited.c.sent_at))
        .where(
            MessageRow.content != edited.c.content,
            or_(MessageRow.edited_at.is_(None), MessageRow.edited_at < edited.c.edited_at),
        )
    )
    columns = ["message_id", "revised_at", "content", "promotion_id"]
    return insert(RevisionRow).from_select(columns, replaced).on_conflict_do_nothing()


def _values(source: Message | Revision, columns: Iterable[ColumnElement[Any]]) -> list[Any]:
    return [getattr(source, known.name) for known in columns]


_WRITTEN = [known for known in MessageRow.__table__.columns if known.name != "promotion_id"]
"""The columns of a message that capture fills, which belongs to no promotion."""

_EDITED = [MessageRow.__table__.columns[name] for name in ("message_id", "sent_at", "edited_at", "content")]
_REVISED = [RevisionRow.__table__.columns[field.name] for field in fields(Revision)]


def values_of(item: Indexed) -> dict[str, Any]:
    """Return a row of messages, a value under the name of each column."""
    message = item.message
    values = {name: getattr(message, name) for name in COLUMNS}
    values |= {name: to_column(values[name]) for name, to_column in _TO_COLUMNS.items()}
    return values | {
        "search_text": item.search_text,
        "embedding": item.embedding,
        "embedding_model": item.embedding_model,
    }


def _items_column(items: Iterable[Item]) -> list[dict[str, Any]]:
    return [as_json(item) for item in items]


def _part(values: Mapping[str, Any]) -> Part:
    return Part(source=Source(values["source"]), start=values["start"], end=values["end"])


def _items_of(field: Field) -> Callable[[Iterable[dict[str, Any]]], tuple[Item, ...]]:
    """Return what makes a tuple of the value of its column."""
    element: Any = field.element
    if element is Part:
        return lambda column: tuple(_part(values) for values in column)
    return lambda column: tuple(element(**values) for values in column)


_TO_COLUMNS: dict[str, Callable[[Any], Any]] = {
    field.name: attrgetter("value") if field.type is Kind else _items_column
    for field in FIELDS
    if field.type in (Kind, tuple)
}
_TO_FIELDS: dict[str, Callable[[Any], Any]] = {
    field.name: Kind if field.type is Kind else _items_of(field) for field in FIELDS if field.type in (Kind, tuple)
}
"""How a field becomes the value of its column, and the other way; those of other types stay as they are."""

MESSAGE_COLUMNS = tuple(MessageRow.__table__.columns[name] for name in COLUMNS)
"""What a Message is made from; vectors stay where they are."""

COLUMNS_OF_MESSAGES = sql.SQL(", ").join(sql.Identifier(column.name) for column in MESSAGE_COLUMNS)
"""The same for a statement in SQL."""


def to_message(row: RowMapping | Mapping[str, Any]) -> Message:
    """Return the message of a row that has MESSAGE_COLUMNS."""
    values = dict(zip(COLUMNS, _values_in(row), strict=True))
    for name, to_field in _TO_FIELDS.items():
        column = values[name]
        values[name] = to_field(column) if column else ()  # most lists are empty, and a search reads many messages
    return Message(**values)


_values_in = itemgetter(*COLUMNS)


def one_of(expression: ColumnElement[Any], ids: Collection[int]) -> ColumnElement[bool]:
    """Return a condition with one bound array, whose plan does not change with the number of ids."""
    return expression == any_(literal(sorted(ids), ARRAY(BigInteger)))


async def position(session: AsyncSession, *, journal: str) -> int:
    """Return how far, in bytes, a journal is stored here; 0 when nothing of it is."""
    stored = await session.scalar(select(JournalPositionRow.position).where(JournalPositionRow.session == journal))
    return stored or 0


async def count(session: AsyncSession) -> int:
    """Return the number of messages, deleted ones included."""
    return await session.scalar(select(func.count()).select_from(MessageRow)) or 0


async def empty(session: AsyncSession) -> None:
    """Delete every message with its revisions and names, and every journal position; facts stay."""
    await session.execute(text("TRUNCATE messages, message_revisions, journal_positions, names"))


_DELETE_SESSION = (
    text(
        "DELETE FROM message_revisions WHERE message_id IN (SELECT message_id FROM messages WHERE session = :session)"
    ),
    text("DELETE FROM messages WHERE session = :session"),
    text("DELETE FROM journal_positions WHERE session = :session"),
)
_DELETE_NAMES_OF_NOBODY = text(
    "DELETE FROM names WHERE NOT EXISTS (SELECT FROM messages WHERE coalesce(thread_id, channel_id) = place_id)"
)


async def delete_session(session: AsyncSession, name: str) -> None:
    """Delete the messages of one session with their revisions, its journal's position, and names nobody bears here now.

    A place belongs to a guild, and a guild to one session: where no message is left, no name is.
    """
    for statement in _DELETE_SESSION:
        await session.execute(statement, {"session": name})
    await session.execute(_DELETE_NAMES_OF_NOBODY)


async def embedding_width(connection: AsyncConnection) -> int:
    """Return the number of dimensions that the embedding column takes."""
    width: int = (await connection.execute(text(EMBEDDING_WIDTH))).scalar_one()
    return width
