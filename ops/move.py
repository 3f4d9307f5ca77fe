"""Copy everything that a database holds into an empty one on another server; it goes on where it was stopped.

Rows are streamed in the binary format that both servers speak, read by nobody on the way. Messages go in batches in the
order of their times, and how far they are is noted at the target in the same transaction. The source only reads.
"""

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from psycopg import sql
from sqlalchemy import text

from db.databases import Database
from db.errors import operator_errors
from db.metadata import FACTS, MOVE_FACT, MoveProgress
from db.migrate import LONG_STATEMENT_TIMEOUT
from db.name_rows import NAMES, renew_names
from db.schema import EMBEDDING_WIDTH
from db.table_copy import (
    NOT_OWN,
    Connection,
    ContentTable,
    TableComparison,
    all_rows,
    compare,
    content_tables,
    fetch,
    names,
    open_connection,
    pipe,
    tables_of,
)
from db.vector_index import drop_all
from errors import DatabaseSetupError
from util_async import Progress

logger = logging.getLogger(__name__)

_BATCH = 10_000  # messages in a transaction
_MESSAGES = "messages"

_IDENTITY = "SELECT system_identifier || '/' || current_database() FROM pg_control_system()"
_READ_PROGRESS = "SELECT value FROM facts WHERE name = %s"
_WRITE_PROGRESS = "INSERT INTO facts VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_COUNT = "SELECT count(*) FROM messages"
_BATCH_END = """
    SELECT sent_at::text, message_id FROM (
        SELECT sent_at, message_id FROM messages
        WHERE sent_at >= %(time)s::timestamptz AND (sent_at, message_id) > (%(time)s::timestamptz, %(id)s)
        ORDER BY sent_at, message_id LIMIT %(batch)s
    ) AS batch ORDER BY batch.sent_at DESC, message_id DESC LIMIT 1
"""
# The bounds stand twice: TimescaleDB leaves chunks out by those of the time alone.
_NEXT_MESSAGES = sql.SQL(
    "SELECT {columns} FROM messages WHERE sent_at >= {start}::timestamptz AND sent_at <= {end}::timestamptz"
    " AND (sent_at, message_id) > ({start}::timestamptz, {after})"
    " AND (sent_at, message_id) <= ({end}::timestamptz, {last}) ORDER BY sent_at, message_id"
)
_FIRST_ROW = sql.SQL("SELECT true FROM {} LIMIT 1")
_EMPTY_FACTS = sql.SQL("DELETE FROM facts WHERE {}").format(NOT_OWN)
_DROP_WORD_INDEXES = (text("DROP INDEX IF EXISTS messages_bm25"), text("DROP INDEX IF EXISTS messages_full_text"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Two databases, a connection to each, and the tables that go from one to the other."""

    source: Database
    target: Database
    reading: Connection
    """To the source."""
    writing: Connection
    """To the target."""
    tables: list[ContentTable]

    async def fill(self, *, report: Progress) -> None:
        """Bring everything over that is not there yet.

        The search indexes are gone then, as to build them in one go takes half the time: migrate the target, then
        `db.vector_index.build`. What has been copied to the end is not copied again, over what the bot has written
        since. The report counts messages. Raises DatabaseSetupError, with nothing changed, when the target holds
        something else or does not fit; DatabaseUnavailableError when a server fails, after which `fill` goes on where
        it was.
        """
        progress = await self._resume() or await self._begin()
        if not progress.copied:
            await _drop_search_indexes(self.target)
            await self._copy_other_tables(await self._copy_messages(progress, report))
            await self.writing.execute("ANALYZE")

    async def width(self) -> int:
        """Return the number of dimensions of the embeddings that are moved."""
        ((width,),) = await fetch(self.reading, EMBEDDING_WIDTH)
        return int(width)

    async def compare(self) -> list[TableComparison]:
        """Compare all tables, by count and checksum."""
        return await compare(self.reading, self.writing, self.tables)

    async def _begin(self) -> MoveProgress:
        """Make the tables of an empty target."""
        source, target = await _identity(self.reading), await _identity(self.writing)
        if source == target:
            raise DatabaseSetupError(
                f"The {self.target.name} database is moved onto itself: let the address in .env name another."
            )
        if filled := await self._first_filled():
            raise DatabaseSetupError(
                f"The {self.target.name} database that should be filled holds something in its table {filled}: "
                "empty it, or name an empty one."
            )
        await self.target.migrate(dimensions=await self.width())
        await self._refuse_unless_it_fits()
        progress = MoveProgress(source=source)
        await self._write_progress(progress)
        return progress

    async def _resume(self) -> MoveProgress | None:
        """Return how far this move has come; None when it is to begin.

        Raises DatabaseSetupError when something else fills the target.
        """
        progress, name = await self._read_progress(), self.target.name
        if progress is None or await self._first_filled() is None:  # or it was emptied since, to begin anew
            return None
        if progress.copied:
            return progress
        if progress.source != await _identity(self.reading):
            raise DatabaseSetupError(
                f"The {name} database is half filled from another one: go on with that, or empty it."
            )
        ((messages,),) = await fetch(self.writing, _COUNT)
        if messages != progress.messages:
            raise DatabaseSetupError(
                f"The {name} database was written to after it had been half filled: empty it, then move again."
            )
        return progress

    async def _first_filled(self) -> str | None:
        """Return the first table of the target, facts aside, that holds something."""
        columns = await tables_of(self.writing)
        for name in [table.name for table in self.tables if table.name != FACTS and table.name in columns]:
            if await fetch(self.writing, _FIRST_ROW.format(sql.Identifier(name))):
                return name
        return None

    async def _refuse_unless_it_fits(self) -> None:
        columns = await tables_of(self.writing)
        for table in self.tables:
            for column, type_name in table.columns.items():
                if columns.get(table.name, {}).get(column) != type_name:
                    raise DatabaseSetupError(
                        f"The {self.target.name} database that should be filled has no column {column} of type "
                        f"{type_name} in a table {table.name}: drop its tables, or name an empty one."
                    )

    async def _copy_messages(self, progress: MoveProgress, report: Progress) -> MoveProgress:
        ((total,),) = await fetch(self.reading, _COUNT)
        (table,) = [table for table in self.tables if table.name == _MESSAGES]
        columns = list(table.columns)
        while end := await self._end_of_next_batch(progress):
            time, message_id = end
            batch = _next_messages(columns, progress, time, message_id)
            async with self.writing.transaction():
                count = await pipe(self.reading, batch, self.writing, table=_MESSAGES, columns=columns)
                progress = replace(progress, time=time, message_id=message_id, messages=progress.messages + count)
                await self._write_progress(progress)
            report(progress.messages, total)
        return progress

    async def _end_of_next_batch(self, progress: MoveProgress) -> tuple[str, int] | None:
        """Return the time and the id of the last message of the next batch; None when there is none."""
        after = {"time": progress.time, "id": progress.message_id, "batch": _BATCH}
        found = await fetch(self.reading, _BATCH_END, after)
        return found[0] if found else None

    async def _copy_other_tables(self, progress: MoveProgress) -> None:
        """Copy all other tables; the facts that the target's migration has written give way."""
        others = [table for table in self.tables if table.name != _MESSAGES]
        async with self.writing.transaction():
            await self.writing.execute(_EMPTY_FACTS)
            for table in others:
                await pipe(self.reading, all_rows(table), self.writing, table=table.name, columns=list(table.columns))
            if NAMES not in {table.name for table in others}:  # the source is of an earlier version
                await renew_names(self.writing)
            await self._write_progress(replace(progress, copied=True))
        logger.info("%s: %d messages and all other tables are copied", self.target.name, progress.messages)

    async def _read_progress(self) -> MoveProgress | None:
        if FACTS not in await tables_of(self.writing):
            return None
        found = await fetch(self.writing, _READ_PROGRESS, [MOVE_FACT])
        return MoveProgress(**json.loads(found[0][0])) if found else None

    async def _write_progress(self, progress: MoveProgress) -> None:
        await self.writing.execute(_WRITE_PROGRESS, [MOVE_FACT, json.dumps(asdict(progress))])


@asynccontextmanager
async def open_move(source: Database, target: Database, *, timeout: timedelta) -> AsyncGenerator[Move]:
    """Yield what moves all of one database into the other; to connect takes no longer than `timeout`.

    Raises DatabaseSetupError when the source holds no memory, DatabaseUnavailableError when a server does not answer.
    """
    async with (
        open_connection(source.dsn, timeout=timeout, read_only=True) as reading,
        open_connection(target.dsn, timeout=timeout) as writing,
    ):
        known = await tables_of(reading)
        if _MESSAGES not in known:
            raise DatabaseSetupError(f"There is nothing to move: the {source.name} database holds no memory yet.")
        yield Move(source=source, target=target, reading=reading, writing=writing, tables=content_tables(known))


async def _identity(connection: Connection) -> str:
    """Return what identifies a database, wherever its server has been moved to."""
    ((identity,),) = await fetch(connection, _IDENTITY)
    return str(identity)


async def _drop_search_indexes(target: Database) -> None:
    """Drop the indexes for vectors and for words, which would slow the copy down."""
    with operator_errors(target.engine.url, name=target.name):
        async with target.engine.begin() as connection:
            await connection.execute(LONG_STATEMENT_TIMEOUT)
            await drop_all(connection)
            for statement in _DROP_WORD_INDEXES:
                await connection.execute(statement)


def _next_messages(columns: list[str], progress: MoveProgress, time: str, message_id: int) -> sql.Composed:
    """Return the query of the messages behind those that are copied, up to this one: COPY takes no parameters."""
    return _NEXT_MESSAGES.format(
        columns=names(columns),
        start=sql.Literal(progress.time),
        after=sql.Literal(progress.message_id),
        end=sql.Literal(time),
        last=sql.Literal(message_id),
    )
