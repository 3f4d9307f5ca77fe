"""Bring many messages into a memory: COPY them beside it, then merge them in, some thousands in a transaction."""

from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pgvector import Vector
from pgvector.sqlalchemy import Vector as VectorType
from psycopg.types.json import Jsonb
from sqlalchemy import BigInteger, DateTime, Text, and_, column, func, or_, select, table, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.copying import copy_errors, copy_in_statement
from db.databases import Database
from db.engines import sessions_of, transaction
from db.migrate import PATIENTLY
from db.parts import Part, is_hypertable, parts
from db.tables import MessageRow
from db.vector_index import drop
from memory import store
from memory.messages import Revision
from memory.store import Indexed

BATCH = 10_000
"""Messages that are worth a transaction: fewer cost more each, and more gained nothing."""

Report = Callable[[int, int], None]
"""Hears how many messages are written, and how many were expected."""

_COLUMNS = [column.name for column in MessageRow.__table__.columns]
_COMING = table("messages_coming", *(column(one.name, one.type) for one in MessageRow.__table__.columns))
# Rows stand here for a second: to compress them, as PostgreSQL would from 2 kB on, costs more than to write them.
_STAGE = text(
    "CREATE TEMPORARY TABLE messages_coming (LIKE messages INCLUDING DEFAULTS INCLUDING STORAGE)"
    " WITH (toast_tuple_target = 8160) ON COMMIT DROP"
)
_ANALYZE = text("ANALYZE messages_coming (message_id, sent_at, edited_at)")
_TYPES = {BigInteger: "int8", DateTime: "timestamptz", Text: "text", JSONB: "jsonb", VectorType: "bytea"}

_EDITED = select(_COMING).where(_COMING.c.edited_at.is_not(None)).subquery("edited")
_MERGE = store.merging(insert(MessageRow).from_select(_COLUMNS, select(_COMING))).add_cte(
    store.keep_replaced_texts(_EDITED).cte("kept")
)

_AS_IT_IS = and_(
    MessageRow.message_id == _COMING.c.message_id,
    MessageRow.sent_at == _COMING.c.sent_at,
    or_(_COMING.c.edited_at.is_(None), _COMING.c.edited_at <= MessageRow.edited_at),
)
_FIRST_AND_LAST = select(func.min(_COMING.c.sent_at), func.max(_COMING.c.sent_at)).where(
    ~select(MessageRow.message_id).where(_AS_IT_IS).exists()
)
"""The times between which rows bring a vector that is not there yet; both None when there are no such rows."""

_FEW = 1000  # messages that any index takes in within seconds
_PAYS_FROM = 0.4
"""An index that holds 200,000 vectors takes in 200 in a second, and is built from 720 in a second: so to build it again
is faster from this many new rows on, as a share of those it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one transaction writes: rows, each key once, the texts that edits had replaced, and how far that is."""

    rows: Sequence[Indexed]
    revisions: Sequence[Revision] = ()
    journal: str
    position: int


async def load(database: Database, batches: AsyncIterable[Batch], *, expected: int, report: Report) -> int:
    """Write batches one after the other and return the number of rows; `expected` says how many may come.

    What is there already changes only by a later edit or a deletion, so whoever was stopped may begin again, or go on
    at the stored position of its journal. Vector indexes that a large load would crawl through are dropped on the way:
    `db.vector_index.build` builds them again. Raises RefusedRowError, with all before that batch written, and
    DatabaseUnavailableError.
    """
    done = 0
    async for batch in batches:
        await write(database, batch, expected=expected)
        done += len(batch.rows)
        report(done, expected)
    return done


async def write(database: Database, batch: Batch, *, expected: int) -> None:
    """Write one batch of a load of so many messages."""
    async with transaction(sessions_of(database.engine)) as session:
        connection = await session.connection()
        await connection.execute(PATIENTLY)
        if batch.rows:
            await _stage(connection, batch.rows)
            await _clear_the_way(connection, expected=expected)
            await connection.execute(_MERGE)
        await store.write(session, batch=(), revisions=batch.revisions, journal=batch.journal, position=batch.position)


async def _stage(connection: AsyncConnection, rows: Sequence[Indexed]) -> None:
    await connection.execute(_STAGE)
    driver: Any = (await connection.get_raw_connection()).driver_connection
    with copy_errors():
        async with driver.cursor() as cursor, cursor.copy(copy_in_statement(_COMING.name, _COLUMNS)) as copy:
            copy.set_types([_TYPES[type(one.type)] for one in _COMING.c])
            for row in rows:
                await copy.write_row(_binary(row))
    await connection.execute(_ANALYZE)


def _binary(item: Indexed) -> list[Any]:
    """Return a row as psycopg writes it in binary; a vector is given as the bytes that PostgreSQL reads."""
    values = store.values_of(item)
    values["attachments"] = Jsonb(values["attachments"])
    if item.embedding is not None:
        values["embedding"] = Vector(item.embedding).to_binary()
    return [values.get(name) for name in _COLUMNS]


async def _clear_the_way(connection: AsyncConnection, *, expected: int) -> None:
    """Drop the vector indexes that the staged rows would have to be added to, where so large a load pays for it."""
    known = await parts(connection, hypertable=await is_hypertable(connection))
    costly = [part for part in known if part.indexed and expected >= max(_FEW, part.rows * _PAYS_FROM)]
    if not costly:
        return
    first, last = (await connection.execute(_FIRST_AND_LAST)).one()
    for part in costly:
        if first is not None and _meets(part, first, last):
            await drop(connection, part)


def _meets(part: Part, first: datetime, last: datetime) -> bool:
    """Tell whether rows of these times may go to a part; a plain table takes all."""
    return part.start is None or part.end is None or (first < part.end and last >= part.start)
