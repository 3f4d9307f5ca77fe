"""The history of the tables leads to what `db.tables` says, whoever runs it and however often."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pgvector.sqlalchemy import Vector
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError

from db import migrate as migrate_module
from db.capabilities import Capabilities
from db.chunks import find_chunks, indexes_of, is_hypertable
from db.config import Layout
from db.databases import Database
from db.engines import open_engine
from db.migrate import alembic_config
from db.schema import Base
from errors import DatabaseSetupError
from tests.builders import message

pytestmark = pytest.mark.server

WIDTH = 12
PATIENCE = timedelta(seconds=60)
COUNT, DAYS = 20, 4
DAILY = Layout(chunk_interval=timedelta(days=1))
MIGRATIONS = Path(migrate_module.__file__).parent / "migrations"
REVISIONS = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
OLD_INDEXES = (
    "CREATE INDEX messages_diskann ON messages USING diskann (embedding vector_cosine_ops)",
    "CREATE INDEX messages_bm25 ON messages USING bm25 (search_text) WITH (text_config = 'english')",
)
INSERT = text(
    "INSERT INTO messages (message_id, sent_at, session, channel_id, author_name, channel_name, kind, content,"
    " search_text, embedding, embedding_model)"
    " VALUES (:id, :at, 's', 1, 'ana', 'general', 'message', :content, :content, CAST(:vector AS vector), 'm')"
)
ROWS = text("SELECT message_id, content FROM messages WHERE embedding IS NOT NULL ORDER BY message_id")
_OF_PROMOTIONS = {"promotions", "replaced_messages", "erasures"}
TABLES = {
    *("messages", "message_revisions", "journal_positions", "facts", "time_zones", "conversation_turns", "names"),
    *(
        "answers",
        "catch_ups",
        "coverage",
        "decisions",
        "digests",
        "guild_settings",
        "opt_outs",
        "places",
        "ratings",
        "reminders",
        "traces",
    ),
    *_OF_PROMOTIONS,
}


async def tables(database: Database) -> set[str]:
    return await _names(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")


async def indexes(database: Database) -> set[str]:
    return await _names(database, "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")


async def _names(database: Database, statement: str) -> set[str]:
    async with database.engine.connect() as connection:
        return set(await connection.scalars(text(statement)))


def differences(connection: Connection) -> list[Any]:
    """Return what a new revision would have to change, beside what a deployment chooses."""

    def same_type(_: object, __: object, ___: object, there: object, here: object) -> bool | None:
        return False if isinstance(there, Vector) and isinstance(here, Vector) else None

    def ours(_: object, name: str | None, kind: str, reflected: bool, ____: object) -> bool:
        return not (name == "alembic_version" or (kind == "index" and reflected))

    context = MigrationContext.configure(connection, opts={"compare_type": same_type, "include_object": ours})
    return list(compare_metadata(context, Base.metadata))


async def test_the_tables_are_those_that_the_program_knows(blank: Database) -> None:
    await blank.migrate(dimensions=WIDTH)

    async with blank.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    assert await tables(blank) == {*TABLES, "alembic_version"}


async def test_vectors_are_as_wide_as_the_model_makes_them(blank: Database) -> None:
    await blank.migrate(dimensions=WIDTH)

    def types(connection: Connection) -> dict[str, str]:
        return {column["name"]: str(column["type"]) for column in inspect(connection).get_columns("messages")}

    async with blank.engine.connect() as connection:
        assert (await connection.run_sync(types))["embedding"] == f"VECTOR({WIDTH})"


async def test_migrating_again_changes_nothing(blank: Database) -> None:
    await blank.migrate(dimensions=WIDTH)
    before = await tables(blank), await indexes(blank)
    async with blank.engine.begin() as connection:
        await connection.execute(text("INSERT INTO facts VALUES ('colour', 'red')"))

    await blank.migrate(dimensions=WIDTH)

    assert (await tables(blank), await indexes(blank)) == before
    async with blank.engine.connect() as connection:
        assert await connection.scalar(text("SELECT value FROM facts WHERE name = 'colour'")) == "red"


async def test_tables_in_which_an_earlier_version_kept_conversations_are_dropped(blank: Database) -> None:
    def upgrade(connection: Connection) -> None:
        command.upgrade(alembic_config(connection, dimensions=WIDTH), "0004")

    async with blank.engine.begin() as connection:
        await connection.run_sync(upgrade)
        await connection.execute(text("CREATE TABLE checkpoints (thread_id text PRIMARY KEY)"))
        await connection.execute(text("INSERT INTO checkpoints VALUES ('1:7')"))

    await blank.migrate(dimensions=WIDTH)

    assert await tables(blank) == {*TABLES, "alembic_version"}


async def test_what_a_newer_version_has_migrated_is_refused(blank: Database) -> None:
    await blank.migrate(dimensions=WIDTH)
    async with blank.engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DatabaseSetupError, match="newer version of Backscroll: update this one"):
        await blank.migrate(dimensions=WIDTH)


async def test_migrating_over_and_over_leaves_the_server_alive(blank: Database) -> None:
    async with open_engine(blank.engine.url, pool_size=1, timeout=PATIENCE) as engine:
        for _ in range(8):  # psycopg prepares what one connection has run five times
            await replace(blank, engine=engine).migrate(dimensions=WIDTH)
        async with engine.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM messages")) == 0


async def test_two_that_migrate_at_once_take_turns(blank: Database) -> None:
    async with open_engine(blank.engine.url, pool_size=1, timeout=PATIENCE) as engine:
        other = replace(blank, name="other", engine=engine)

        await asyncio.gather(blank.migrate(dimensions=WIDTH), other.migrate(dimensions=WIDTH))

    assert await tables(blank) == {*TABLES, "alembic_version"}


async def test_the_history_leads_back_and_forth(blank: Database) -> None:
    await blank.migrate(dimensions=WIDTH)

    async with blank.engine.begin() as connection:
        await connection.run_sync(lambda at: command.downgrade(alembic_config(at, dimensions=WIDTH), "base"))
    assert await tables(blank) == {"alembic_version"}

    await blank.migrate(dimensions=WIDTH)
    assert await tables(blank) == {*TABLES, "alembic_version"}
    assert "messages_place_sent_at" in await indexes(blank)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_rows_come_through_an_upgrade_from_every_earlier_revision(blank: Database, revision: str) -> None:
    await left_at(blank, revision)

    await replace(blank, layout=DAILY).migrate(dimensions=WIDTH)

    async with blank.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        assert (await connection.execute(ROWS)).all() == [(number, f"note {number}") for number in range(1, COUNT + 1)]
        assert await is_hypertable(connection) == blank.capabilities.hypertables
        known = await find_chunks(connection, hypertable=blank.capabilities.hypertables)
        indexed = [await indexes_of(connection, part, method="bm25") for part in known]
    assert len(known) == (DAYS if blank.capabilities.hypertables else 1)
    assert all(indexed)


async def left_at(database: Database, revision: str) -> None:
    """Make a database as an older program has left it: its tables at a revision, its search indexes and rows."""
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda at: command.upgrade(alembic_config(at, dimensions=WIDTH), revision))
        await connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_textsearch"))
        for statement in OLD_INDEXES:
            await connection.execute(text(statement))
        await connection.execute(INSERT, [_row(number) for number in range(1, COUNT + 1)])


def _row(number: int) -> dict[str, Any]:
    """Return a row of one of DAYS days, with what every revision has a column for."""
    day = message().sent_at + timedelta(days=number % DAYS)
    return {"id": number, "at": day, "content": f"note {number}", "vector": str([number, *[1] * (WIDTH - 1)])}


async def test_a_hypertable_takes_new_rows_in_chunks_of_another_length_from_now_on(blank: Database) -> None:
    if not blank.capabilities.hypertables:
        pytest.skip("the server has no TimescaleDB")
    await left_at(blank, "head")
    await replace(blank, layout=DAILY).migrate(dimensions=WIDTH)

    await replace(blank, layout=Layout(chunk_interval=timedelta(days=7))).migrate(dimensions=WIDTH)

    async with blank.engine.begin() as connection:
        await connection.execute(INSERT, [{**_row(COUNT + 1), "at": message().sent_at + timedelta(days=100)}])
        lengths = [
            part.end - part.start for part in await find_chunks(connection, hypertable=True) if part.start and part.end
        ]
    assert lengths == [*[timedelta(days=1)] * DAYS, timedelta(days=7)]


@pytest.mark.parametrize(
    ("bm25", "index", "other"),
    [
        pytest.param(True, "messages_bm25", "messages_full_text", id="BM25"),
        pytest.param(False, "messages_full_text", "messages_bm25", id="full text"),
    ],
)
async def test_words_are_indexed_as_the_server_can(blank: Database, bm25: bool, index: str, other: str) -> None:
    offered = Capabilities(bm25=bm25, hypertables=False)

    await replace(blank, capabilities=offered).migrate(dimensions=WIDTH)

    there = await indexes(blank)
    assert {"messages_diskann", "messages_place_sent_at", index} <= there
    assert other not in there


async def test_an_index_may_take_longer_than_a_search(blank: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = text("CREATE TABLE shown AS SELECT current_setting('statement_timeout') AS time_limit")
    monkeypatch.setattr(migrate_module, "_BM25", shown)

    await blank.migrate(dimensions=WIDTH)

    async with blank.engine.connect() as connection:
        assert await connection.scalar(text("SELECT time_limit FROM shown")) == "12h"
        assert await connection.scalar(text("SHOW statement_timeout")) == "1min"


async def test_an_unknown_kind_of_message_is_refused(blank: Database) -> None:
    await blank.migrate(dimensions=WIDTH)
    row = {"id": 1, "at": message().sent_at}
    insert = text(
        "INSERT INTO messages (message_id, sent_at, session, channel_id, author_name, channel_name, kind, content,"
        " search_text) VALUES (:id, :at, 's', 1, 'ana', 'general', 'shout', '', '')"
    )

    with pytest.raises(IntegrityError, match="messages_kind"):
        async with blank.engine.begin() as connection:
            await connection.execute(insert, row)


def test_the_newest_revision_is_the_one_that_needs_no_alembic() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == migrate_module.NEWEST
