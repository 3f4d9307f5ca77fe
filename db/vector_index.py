"""Build the StreamingDiskANN indexes: one of a plain table, or one of every chunk that is worth it.

A chunk that still fills takes rows in at full speed and is compared as a whole, which is faster than an index as long
as it is small. It gets its index in one go when a newer chunk has begun, or when it has grown large: the graph is then
built from vectors whose distribution is known, and no burst of messages waits for it.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.chunks import Chunk, find_chunks, indexes_of, is_hypertable
from db.config import Layout
from db.errors import translated_errors
from db.locks import turn_of_connection
from errors import BackscrollError
from util_async import FailureLog, Progress, no_progress, periodic

logger = logging.getLogger(__name__)

_FEW_ROWS = text("SELECT NOT EXISTS (SELECT FROM messages OFFSET :rows)")
_LOOK_EVERY = timedelta(minutes=5)
_GLANCE = timedelta(seconds=1)
_TURN = "backscroll.vector_index"
# One process builds: pgvectorscale 0.9 fails when several build what can be written to meanwhile.
_SETTINGS = (text("SET statement_timeout = '12h'"), text("SET max_parallel_maintenance_workers = 0"))
_RESET = (text("RESET statement_timeout"), text("RESET max_parallel_maintenance_workers"))
_PROGRESS = text(
    "SELECT blocks_done::float / blocks_total FROM pg_stat_progress_create_index"
    " WHERE relid = CAST(:table AS regclass) AND blocks_total > 0"
)


def create_on_plain_table(connection: Connection, layout: Layout) -> None:
    """Create the index of a plain table that holds little or nothing; `build` does it for one that holds more."""
    if connection.scalar(_FEW_ROWS, {"rows": layout.closed_rows}):
        connection.execute(text(f"CREATE INDEX IF NOT EXISTS messages_diskann ON messages {_method(layout)}"))


def missing_indexes(chunks: Iterable[Chunk], layout: Layout) -> list[Chunk]:
    """Return the chunks that should have an index and have none."""
    return [chunk for chunk in chunks if not chunk.indexed and chunk.rows >= _rows_needed(chunk, layout)]


def _rows_needed(chunk: Chunk, layout: Layout) -> int:
    if chunk.start is None:  # a plain table: it has no newer neighbour that would ever close it
        return 0
    return layout.hot_rows if chunk.is_newest else layout.closed_rows


async def build(engine: AsyncEngine, layout: Layout, *, report: Progress) -> int:
    """Build the missing indexes and return their number; 0 while another process builds.

    Messages can be written meanwhile. The report counts rows. Raises DatabaseUnavailableError when PostgreSQL does not
    answer.
    """
    with translated_errors():
        async with _in_turn(engine) as connection:
            if connection is None:
                return 0
            missing = missing_indexes(await find_chunks(connection, hypertable=await is_hypertable(connection)), layout)
            rows = sum(chunk.rows for chunk in missing)
            done = 0
            for chunk in missing:
                await _build_one(engine, connection, chunk, layout, partial(_add, report, done, rows))
                done += chunk.rows
                report(done, rows)
            return len(missing)


def _add(report: Progress, done: int, rows: int, more: int) -> None:
    report(done + more, rows)


@asynccontextmanager
async def _in_turn(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection | None]:
    """Yield a connection outside any transaction, or None when another process builds in this database."""
    async with turn_of_connection(engine, _TURN) as connection:
        if connection is None:
            yield None
            return
        for setting in _SETTINGS:
            await connection.execute(setting)
        try:
            yield connection
        finally:
            if not connection.invalidated:
                for setting in _RESET:
                    await connection.execute(setting)


async def _build_one(
    engine: AsyncEngine, connection: AsyncConnection, chunk: Chunk, layout: Layout, report: Callable[[int], None]
) -> None:
    await drop(connection, chunk)  # what an interrupted build has left behind
    name = "messages_diskann" if chunk.start is None else ""  # a chunk's index is named by PostgreSQL
    async with _watched(engine, chunk, report):
        await connection.execute(text(f"CREATE INDEX CONCURRENTLY {name} ON {chunk.table} {_method(layout)}"))
    logger.info("the vector index of %s is built (%d rows)", chunk.table, chunk.rows)


@asynccontextmanager
async def _watched(engine: AsyncEngine, chunk: Chunk, report: Callable[[int], None]) -> AsyncGenerator[None]:
    """Report how many rows of a chunk are in its index, for as long as the context lasts."""
    # Neither cancelled nor connected by the task: an end in the middle of either leaves a connection half open.
    built = asyncio.Event()
    async with engine.connect() as ordinary:
        connection = await ordinary.execution_options(isolation_level="AUTOCOMMIT")
        watching = asyncio.create_task(_watch(connection, chunk, report, built))
        try:
            yield
        finally:
            built.set()
            await watching


async def _watch(
    connection: AsyncConnection, chunk: Chunk, report: Callable[[int], None], built: asyncio.Event
) -> None:
    while not built.is_set():
        share = await connection.scalar(_PROGRESS, {"table": chunk.table})
        report(int((share or 0) * chunk.rows))
        with suppress(TimeoutError):
            async with asyncio.timeout(_GLANCE.total_seconds()):
                await built.wait()


def _method(layout: Layout) -> str:
    """Return what an index is made with; PostgreSQL takes no parameters there, and these are whole numbers."""
    options = f"num_neighbors = {layout.num_neighbors:d}, search_list_size = {layout.search_list_size:d}"
    return f"USING diskann (embedding vector_cosine_ops) WITH ({options})"


async def drop(connection: AsyncConnection, chunk: Chunk) -> None:
    """Drop the vector index of a chunk, whole or half-built, if it has one."""
    for name in await indexes_of(connection, chunk, method="diskann"):
        await connection.execute(text(f"DROP INDEX IF EXISTS {name}"))


async def drop_all(connection: AsyncConnection) -> None:
    """Drop every vector index of the messages."""
    for chunk in await find_chunks(connection, hypertable=await is_hypertable(connection)):
        await drop(connection, chunk)


def maintain_vector_indexes(databases: Iterable[tuple[AsyncEngine, Layout]]) -> AbstractAsyncContextManager[None]:
    """Build the missing indexes of these databases for as long as the context lasts."""
    listed = list(databases)
    failures = FailureLog(logger)

    async def look() -> None:
        for engine, layout in listed:
            await build_missing(engine, layout, failures)

    return periodic(look, every=_LOOK_EVERY, at_once=True)


async def build_missing(engine: AsyncEngine, layout: Layout, failures: FailureLog) -> None:
    """Build the missing indexes of a database; one that fails in any way is left to the next look."""
    try:
        await build(engine, layout, report=no_progress)  # the log has every index that is built
    except BackscrollError as error:
        failures.failed(engine, f"vector indexes could not be looked after: {error}")
    else:
        failures.worked(engine)
