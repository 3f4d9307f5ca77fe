"""Maintain the BM25 indexes: rebuild one when a restart of the server has cost it documents.

pg_textsearch 1.0 keeps new documents in shared memory with a list of them on disk. After a restart it reads them
again but counts them as none, so that every search comes back empty, and a crash can lose the newest (issues 333 and
350 of timescale/pg_textsearch). Building the index anew repairs both.
"""

import logging
import re
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.chunks import find_chunks, indexes_of, is_hypertable
from db.errors import translated_errors
from db.locks import wait_for_turn
from db.metadata import WORD_INDEX_FACT, get_metadata, set_metadata
from errors import BackscrollError
from util_async import FailureLog, periodic

logger = logging.getLogger(__name__)

BM25_INDEX = "messages_bm25"

SERIAL_BUILD = text("SET LOCAL max_parallel_maintenance_workers = 0")
"""Has an index built by one process: where no other is to be had, pg_textsearch gives up instead of going on alone."""

_STARTED = text("SELECT pg_postmaster_start_time()::text")
_MAY_LOOK = text("SELECT has_function_privilege('bm25_summarize_index(text)', 'EXECUTE')")
_SUMMARY = text("SELECT bm25_summarize_index(:index)")
_ROWS = text("SELECT tableoid::regclass::text AS name, count(*) AS rows FROM messages GROUP BY tableoid")
_TOTAL = re.compile(r"total_docs: (\d+)")
_IN_MEMORY = re.compile(r"Recovery Pages:.*?docids: (\d+)", re.DOTALL)
_TURN = "backscroll.word_index"
_LOOK_EVERY = timedelta(minutes=1)


async def rebuild_if_stale(connection: AsyncConnection) -> bool:
    """Rebuild the damaged indexes if the server has been restarted; return whether there were any.

    Processes take turns: whoever comes later finds that it is done.
    """
    if not await has_restarted(connection):
        return False
    await connection.execute(text("SET LOCAL statement_timeout = 0"))  # a large memory takes minutes
    await wait_for_turn(connection, _TURN)
    if not await has_restarted(connection):
        return False
    damaged = await find_incomplete(connection)
    for index in damaged:
        await connection.execute(SERIAL_BUILD)
        await connection.execute(text(f"REINDEX INDEX {index}"))
        logger.info("the word index %s was rebuilt after a restart of the server", index)
    started: str = (await connection.execute(_STARTED)).scalar_one()
    await set_metadata(connection, WORD_INDEX_FACT, started)
    return bool(damaged)


async def has_restarted(connection: AsyncConnection) -> bool:
    """Return whether the server has been restarted since the indexes were last checked."""
    started: str = (await connection.execute(_STARTED)).scalar_one()
    return await get_metadata(connection, WORD_INDEX_FACT) != started


async def find_incomplete(connection: AsyncConnection) -> list[str]:
    """Return the names of the word indexes, one for each chunk, in which documents may be missing."""
    rows = {row.name: row.rows for row in await connection.execute(_ROWS)}
    may_look = await connection.scalar(_MAY_LOOK)
    indexes = {
        index: rows.get(chunk.table, 0)
        for chunk in await find_chunks(connection, hypertable=await is_hypertable(connection))
        for index in await indexes_of(connection, chunk, method="bm25")
    }
    # An ordinary user may not look: to take them for damaged is the safe side.
    return [
        index
        for index, count in indexes.items()
        if not may_look or not await _is_complete(connection, index, rows=count)
    ]


async def _is_complete(connection: AsyncConnection, index: str, *, rows: int) -> bool:
    summary: str = (await connection.execute(_SUMMARY, {"index": index})).scalar_one()
    total, in_memory = _TOTAL.search(summary), _IN_MEMORY.search(summary)
    if total is None or in_memory is None:
        return False  # a version that writes its summary in another way
    return int(total[1]) == rows and int(in_memory[1]) == 0


def maintain_word_indexes(engines: Iterable[AsyncEngine]) -> AbstractAsyncContextManager[None]:
    """Maintain the word indexes of these databases for as long as the context lasts."""
    listed = list(engines)
    failures = FailureLog(logger)

    async def look() -> None:
        for engine in listed:
            await rebuild_damaged(engine, failures)

    return periodic(look, every=_LOOK_EVERY, at_once=False)  # a migration has just looked


async def rebuild_damaged(engine: AsyncEngine, failures: FailureLog) -> None:
    """Rebuild the damaged indexes of a database; one that fails in any way is left to the next look."""
    try:
        with translated_errors():
            async with engine.begin() as connection:
                await rebuild_if_stale(connection)
    except BackscrollError as error:
        failures.failed(engine, f"a word index could not be looked at: {error}")
    else:
        failures.worked(engine)
