"""Vector indexes are built where they are worth it, whoever was interrupted on the way, and rows go in meanwhile."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text

from db.chunks import Chunk, find_chunks, indexes_of
from db.config import Layout
from db.databases import LONG_TERM, Database
from db.engines import open_engine, parse_dsn, transaction
from db.vector_index import build, build_missing, drop_all, missing_indexes
from memory.index import store
from memory.index.store import Indexed
from tests.builders import closed_port, message
from tests.conftest import open_new_database
from tests.servers import Server
from util_async import FailureLog, no_progress

pytestmark = pytest.mark.server

WIDTH = 8
DAYS, A_DAY = 4, 30
LAYOUT = Layout(chunk_interval=timedelta(days=1), closed_rows=10, hot_rows=50)


@pytest.fixture
async def filled(server: Server) -> AsyncIterator[Database]:
    """A memory of some days, each with as many messages."""
    async with open_new_database(server, LONG_TERM, width=WIDTH) as opened:
        database = replace(opened, layout=LAYOUT)
        await database.migrate(dimensions=WIDTH)
        await write(database, range(DAYS * A_DAY))
        async with database.engine.begin() as connection:
            await drop_all(connection)
        yield database


async def write(database: Database, numbers: range) -> None:
    rows = []
    for number in numbers:
        sent_at = message().sent_at + timedelta(days=number // A_DAY, minutes=number % A_DAY)
        vector = [float(number % 7 == axis) + 0.01 * number for axis in range(WIDTH)]
        rows.append(Indexed(message(number, f"note {number}", sent_at=sent_at), f"note {number}", vector, "m"))  # type: ignore[arg-type]
    async with transaction(database.sessions) as session:
        await store.write(session, batch=rows, revisions=(), journal="test", position=0)
    async with database.engine.begin() as connection:
        await connection.execute(text("ANALYZE messages"))


async def known(database: Database) -> list[Chunk]:
    async with database.engine.connect() as connection:
        return await find_chunks(connection, hypertable=database.capabilities.hypertables)


async def test_closed_chunks_get_an_index_and_the_hot_one_when_it_has_grown_large(filled: Database) -> None:
    before = [part.indexed for part in await known(filled)]

    built = await build(filled.engine, LAYOUT, report=no_progress)

    after = await known(filled)
    closed = len(after) - 1
    assert before == [False] * len(after)
    if not filled.capabilities.hypertables:
        assert (built, [part.indexed for part in after]) == (1, [True])
        return
    assert (built, [part.indexed for part in after]) == (DAYS - 1, [True] * closed + [False])
    assert [(part.is_newest, part.rows) for part in after] == [(False, A_DAY)] * closed + [(True, A_DAY)]

    await build(filled.engine, replace(LAYOUT, hot_rows=A_DAY), report=no_progress)

    assert [part.indexed for part in await known(filled)] == [True] * DAYS


WAITING = """
    SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE datname = current_database() AND NOT granted
"""


async def test_a_build_that_is_cancelled_within_a_statement_ends_as_cancelled(filled: Database) -> None:
    async with await psycopg.AsyncConnection.connect(filled.dsn) as other, asyncio.timeout(60):
        await other.execute("LOCK TABLE messages")
        building = asyncio.create_task(build(filled.engine, LAYOUT, report=no_progress))
        while not await (await other.execute(WAITING)).fetchall():  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.02)

        building.cancel()

        with pytest.raises(asyncio.CancelledError):
            await building

    assert await build(filled.engine, LAYOUT, report=no_progress) > 0


async def test_an_index_is_built_where_several_processes_would_be_used_for_it(filled: Database) -> None:
    async with filled.engine.begin() as connection:
        name = filled.engine.url.database
        await connection.execute(text(f'ALTER DATABASE "{name}" SET diskann.min_vectors_for_parallel_build = 10'))
        for part in await find_chunks(connection, hypertable=filled.capabilities.hypertables):
            await connection.execute(text(f"ALTER TABLE {part.table} SET (parallel_workers = 2)"))
    await filled.engine.dispose()  # connections that are yet to come heed it

    assert await build(filled.engine, LAYOUT, report=no_progress) >= 1


async def test_what_is_built_is_not_built_again_and_another_layout_is_used_for_what_is_to_come(
    filled: Database,
) -> None:
    await build(filled.engine, replace(LAYOUT, num_neighbors=30), report=no_progress)

    assert await build(filled.engine, LAYOUT, report=no_progress) == 0

    async with filled.engine.connect() as connection:
        first = (await known(filled))[0]
        (index,) = await indexes_of(connection, first, method="diskann")
        options = await connection.scalar(
            text("SELECT array_to_string(reloptions, ' ') FROM pg_class WHERE oid = CAST(:index AS regclass)"),
            {"index": index},
        )
    assert options == "num_neighbors=30 search_list_size=50"


async def test_an_index_that_was_left_half_built_is_built_anew(filled: Database) -> None:
    await build(filled.engine, LAYOUT, report=no_progress)
    first = (await known(filled))[0]
    async with filled.engine.begin() as connection:  # as a build that was killed leaves it
        (index,) = await indexes_of(connection, first, method="diskann")
        await connection.execute(
            text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = CAST(:index AS regclass)"),
            {"index": index},
        )
    assert not (await known(filled))[0].indexed

    assert await build(filled.engine, LAYOUT, report=no_progress) == 1

    async with filled.engine.connect() as connection:
        assert len(await indexes_of(connection, first, method="diskann")) == 1
    assert (await known(filled))[0].indexed


async def test_progress_ends_at_all_rows(filled: Database) -> None:
    reports: list[tuple[int, int]] = []

    await build(filled.engine, LAYOUT, report=lambda *report: reports.append(report))

    rows = sum(part.rows for part in await known(filled) if part.indexed)
    assert reports[-1] == (rows, rows)
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)


async def test_one_process_builds_at_a_time(filled: Database) -> None:
    async with filled.engine.connect() as connection:
        turn = "SELECT pg_advisory_lock(hashtextextended('backscroll.vector_index', 0))"
        await connection.execute(text(turn))

        assert await build(filled.engine, LAYOUT, report=no_progress) == 0

    assert missing_indexes(await known(filled), LAYOUT)


async def test_a_keeper_outlives_an_index_that_cannot_be_built(
    filled: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await build_missing(filled.engine, replace(LAYOUT, num_neighbors=100_000), FailureLog(logging.getLogger(__name__)))

    assert "vector indexes could not be looked after" in caplog.text
    assert missing_indexes(await known(filled), LAYOUT)


async def test_a_keeper_outlives_a_server_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    url = parse_dsn(f"postgresql://ana@127.0.0.1:{closed_port()}/memory", name="DSN")

    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=5)) as engine:
        await build_missing(engine, LAYOUT, FailureLog(logging.getLogger(__name__)))

    assert "vector indexes could not be looked after: PostgreSQL did not answer" in caplog.text
