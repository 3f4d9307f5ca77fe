"""Bring many messages into a memory: COPY them beside it, then merge them in, some thousands in a transaction."""

import json
import struct
from collections.abc import AsyncIterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pgvector.sqlalchemy import Vector as VectorType
from sqlalchemy import BigInteger, Boolean, DateTime, Text, and_, column, func, select, table, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.chunks import Chunk, find_chunks, is_hypertable
from db.databases import Database
from db.engines import sessions_of, transaction
from db.errors import driver_errors
from db.migrate import LONG_STATEMENT_TIMEOUT
from db.name_rows import FILL_FROM_STAGE
from db.schema import MessageRow, ReplacedMessageRow, RevisionRow
from db.table_copy import copy_in_statement
from db.vector_index import drop
from memory.index import store
from memory.index.store import Indexed
from memory.message import Revision, names_of
from memory.names.rows import noting_names, values_of_names
from util_async import Progress

BATCH = 10_000
"""Messages that are worth a transaction: fewer cost more each, and more gained nothing."""

_COLUMNS = [column.name for column in MessageRow.__table__.columns]
_COMING = table("messages_coming", *(column(known.name, known.type) for known in MessageRow.__table__.columns))
# Rows stand here for a second: to compress them, as PostgreSQL would from 2 kB on, costs more than to write them.
_STAGE = text(
    "CREATE TEMPORARY TABLE messages_coming (LIKE messages INCLUDING DEFAULTS INCLUDING STORAGE)"
    " WITH (toast_tuple_target = 8160) ON COMMIT DROP"
)
_ANALYZE = text("ANALYZE messages_coming (message_id, sent_at, edited_at)")
_ITEMS = names_of(tuple)
_TYPES = {
    BigInteger: "int8",
    Boolean: "bool",
    DateTime: "timestamptz",
    Text: "text",
    JSONB: "bytea",
    VectorType: "bytea",
}
_NO_ITEMS = b"\x01[]"  # the number of the format, then the text

_SAME_KEY = and_(MessageRow.message_id == _COMING.c.message_id, MessageRow.sent_at == _COMING.c.sent_at)
_EDITED = select(_COMING).where(_COMING.c.edited_at.is_not(None)).subquery("edited")
_REPLACED = ("message_id", "sent_at", *store.CHANGEABLE)
_KEEP_REPLACED_ROWS = (
    insert(ReplacedMessageRow)
    .from_select(
        ["replaced_by", *_REPLACED],
        select(_COMING.c.promotion_id, *(MessageRow.__table__.c[name] for name in _REPLACED))
        .join(_COMING, _SAME_KEY)
        .where(
            _COMING.c.promotion_id.is_not(None),
            # What a promotion has itself added goes when it is undone, whatever it was like before.
            _COMING.c.promotion_id.is_distinct_from(MessageRow.promotion_id),
            store.changed_by(_COMING.c),
        ),
    )
    .on_conflict_do_nothing()  # the promotion has changed it before: the oldest state is the one to go back to
)
_MERGE = store.merging(insert(MessageRow).from_select(_COLUMNS, select(_COMING))).add_cte(
    store.keep_replaced_texts(_EDITED, promotion_id=_EDITED.c.promotion_id).cte("kept"),
    _KEEP_REPLACED_ROWS.cte("replaced"),
)

_NOTE_NAMES = text(FILL_FROM_STAGE)
_NAMES = noting_names()
_REVISE = insert(RevisionRow).on_conflict_do_nothing()

_UNCHANGED = and_(_SAME_KEY, ~store.says_later(_COMING.c))
_FIRST_AND_LAST = select(func.min(_COMING.c.sent_at), func.max(_COMING.c.sent_at)).where(
    ~select(MessageRow.message_id).where(_UNCHANGED).exists()
)
"""The times between which rows bring a vector that is not there yet; both None when there are no such rows."""

_FEW = 1000  # messages that any index takes in within seconds
_PAYS_FROM = 0.4
"""An index that holds 200,000 vectors takes in 200 in a second, and is built from 720 in a second: so to build it again
is faster from this many new rows on, as a share of those it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageBatch:
    """What one transaction writes: rows, each key once, the texts that edits had replaced, and how far that is.

    It belongs to a journal, whose position is moved, or to a promotion, whose number all that is new bears: what the
    promotion changes is kept as it was, in `replaced_messages`.
    """

    rows: Sequence[Indexed]
    revisions: Sequence[Revision] = ()
    journal: str | None = None
    position: int = 0
    promotion_id: int | None = None
    all_new: bool = False
    """Whether the caller knows that none of the rows is there: it saves the way through the table beside."""


async def load(database: Database, batches: AsyncIterable[MessageBatch], *, expected: int, report: Progress) -> int:
    """Write batches one after the other and return the number of rows; `expected` says how many may come.

    What is there already changes only by a later edit or a deletion, so whoever was stopped may begin again, or go on
    at the stored position of its journal. Vector indexes that a large load would crawl through are dropped on the way:
    `db.vector_index.build` builds them again. The report counts rows. Raises RefusedRowError, with all before that
    batch written, and DatabaseUnavailableError.
    """
    done = 0
    async for batch in batches:
        await write(database, batch, expected=expected)
        done += len(batch.rows)
        report(done, expected)
    return done


async def write(database: Database, batch: MessageBatch, *, expected: int) -> None:
    """Write one batch of a load of so many messages.

    Raises RefusedRowError, too, when one of rows that are all new is there.
    """
    async with transaction(sessions_of(database.engine)) as session:
        connection = await session.connection()
        await connection.execute(LONG_STATEMENT_TIMEOUT)
        if batch.rows and batch.all_new:
            times = [row.message.sent_at for row in batch.rows]
            await _drop_slow_indexes(connection, min(times), max(times), expected=expected)
            await _copy(connection, MessageRow.__tablename__, batch)
            names = values_of_names((row.message for row in batch.rows), promotion_id=batch.promotion_id)
            await connection.execute(_NAMES, names)
        elif batch.rows:
            await connection.execute(_STAGE)
            await _copy(connection, _COMING.name, batch)
            await connection.execute(_ANALYZE)
            first, last = (await connection.execute(_FIRST_AND_LAST)).one()
            if first is not None:
                await _drop_slow_indexes(connection, first, last, expected=expected)
            await connection.execute(_MERGE)
            await connection.execute(_NOTE_NAMES)
        if batch.revisions:
            await connection.execute(_REVISE, _revisions(batch))
        if batch.journal is not None:
            await store.write(session, batch=(), revisions=(), journal=batch.journal, position=batch.position)


def _revisions(batch: MessageBatch) -> list[dict[str, Any]]:
    return [{**asdict(revision), "promotion_id": batch.promotion_id} for revision in batch.revisions]


async def _copy(connection: AsyncConnection, table: str, batch: MessageBatch) -> None:
    driver: Any = (await connection.get_raw_connection()).driver_connection
    with driver_errors():
        async with driver.cursor() as cursor, cursor.copy(copy_in_statement(table, _COLUMNS)) as copy:
            copy.set_types([_TYPES[type(known.type)] for known in _COMING.c])
            for row in batch.rows:
                await copy.write_row(_binary(row, batch.promotion_id))


def _binary(item: Indexed, promotion_id: int | None) -> list[Any]:
    """Return a row as psycopg writes it in binary; what it would be slow to convert are the bytes PostgreSQL reads."""
    values = store.values_of(item)
    values["promotion_id"] = promotion_id
    for name in _ITEMS:
        values[name] = _jsonb(values[name])
    values["embedding"] = None if item.embedding is None else _vector(item.embedding)
    return [values[name] for name in _COLUMNS]


def _jsonb(value: list[dict[str, Any]]) -> bytes:
    return b"\x01" + json.dumps(value).encode() if value else _NO_ITEMS


def _vector(vector: NDArray[np.float32]) -> bytes:
    return struct.pack(">HH", vector.size, 0) + vector.astype(">f4", copy=False).tobytes()


async def _drop_slow_indexes(connection: AsyncConnection, first: datetime, last: datetime, *, expected: int) -> None:
    """Drop the vector indexes that rows of these times would have to be added to, where so large a load pays for it."""
    for chunk in await find_chunks(connection, hypertable=await is_hypertable(connection)):
        is_costly = chunk.indexed and expected >= max(_FEW, chunk.rows * _PAYS_FROM)
        if is_costly and _may_take(chunk, first, last):
            await drop(connection, chunk)


def _may_take(chunk: Chunk, first: datetime, last: datetime) -> bool:
    """Return whether rows of these times may go to a chunk; a plain table takes all."""
    return chunk.start is None or chunk.end is None or (first < chunk.end and last >= chunk.start)
