"""Every side of the program has the rights that it needs, and no more."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from db.config import LONG_TERM_LAYOUT
from db.databases import LONG_TERM, Database, open_database
from db.engines import Sessions, parse_dsn, transaction
from db.roles import Role, assume, role_name
from db.schema import Base
from memory.embedding.embedder import Embedder
from memory.index.reembed import prepare
from memory.search.memory import Memory
from tests.builders import message, minute, remember
from tests.servers import Server

pytestmark = pytest.mark.server

HERE = frozenset({1})
PASSWORD = "hunter2"
PATIENCE = timedelta(seconds=60)
TABLES = (
    *("messages", "message_revisions", "journal_positions", "facts", "time_zones", "names"),
    *("promotions", "replaced_messages", "erasures", "conversation_turns", "alembic_version"),
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
)
READABLE = ("messages", "message_revisions", "names", "places")
WRITES = [
    pytest.param("INSERT INTO facts VALUES ('colour', 'red')", id="insert"),
    pytest.param("UPDATE messages SET content = 'something else'", id="update"),
    pytest.param("DELETE FROM messages", id="delete"),
    pytest.param("TRUNCATE messages", id="truncate"),
    pytest.param("DROP TABLE messages", id="drop"),
    pytest.param("CREATE TABLE mine (number integer)", id="create"),
    pytest.param("ALTER TABLE messages ADD COLUMN mine integer", id="alter"),
]


async def refused(sessions: Sessions, statement: str, *before: str) -> str:
    """Run statements in one transaction and return the SQLSTATE with which the last is refused."""
    async with sessions() as session:
        for preparing in before:
            await session.execute(text(preparing))
        with pytest.raises(DBAPIError) as caught:
            await session.execute(text(statement))
        await session.rollback()
    state = caught.value.orig.sqlstate if isinstance(caught.value.orig, psycopg.Error) else None
    return state or "none"


@pytest.fixture(params=["short-term", "long-term"])
def database(request: pytest.FixtureRequest, short_term: Database, long_term: Database) -> Database:
    """Each of the two memories."""
    return {"short-term": short_term, "long-term": long_term}[request.param]


async def rights(session: AsyncSession) -> dict[str, set[str]]:
    """Return what may be done with every table that anything may be done with."""
    asked = text("SELECT has_table_privilege(:table, :right)")
    given = {
        table: {
            right
            for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
            if await session.scalar(asked, {"table": table, "right": right})
        }
        for table in TABLES
    }
    return {table: some for table, some in given.items() if some}


async def readable_columns(session: AsyncSession) -> dict[str, set[str]]:
    """Return the columns that may be read of tables that may not be read as a whole."""
    asked = text("SELECT has_column_privilege(:table, :column, 'SELECT')")
    given = {
        table.name: {
            column.name
            for column in table.columns
            if await session.scalar(asked, {"table": table.name, "column": column.name})
        }
        for table in Base.metadata.sorted_tables
        if table.name not in READABLE
    }
    return {table: columns for table, columns in given.items() if columns}


@pytest.mark.parametrize("statement", WRITES)
async def test_the_tools_cannot_write(database: Database, embedder: Embedder, statement: str) -> None:
    await remember(database, embedder, [message(1, "tea")])

    assert await refused(database.reading, statement) == psycopg.errors.ReadOnlySqlTransaction.sqlstate
    # Not even when a transaction is told to write: the role itself has no right to.
    allowed = await refused(database.reading, statement, "BEGIN READ WRITE")
    assert allowed == psycopg.errors.InsufficientPrivilege.sqlstate


async def test_the_tools_read_messages_with_former_texts_names_and_places_and_when_batches_came_and_went(
    database: Database,
) -> None:
    async with transaction(database.reading) as session:
        assert await rights(session) == {table: {"SELECT"} for table in READABLE}
        assert await readable_columns(session) == {"promotions": {"promotion_id", "finished_at", "undone_at"}}
        assert await session.scalar(text("SHOW statement_timeout")) == "1min"
        assert await session.scalar(text("SELECT current_user")) == role_name(
            str(database.engine.url.database), Role.READER
        )


async def test_the_bot_writes_rows_and_changes_no_table(short_term: Database, long_term: Database) -> None:
    rows = {"SELECT", "INSERT", "UPDATE", "DELETE"}

    async with transaction(short_term.sessions) as session:
        in_short_term = await rights(session)
    async with transaction(long_term.sessions) as session:
        in_long_term = await rights(session)

    emptied = {"messages", "message_revisions", "journal_positions", "names"}
    written = dict.fromkeys(set(TABLES) - {"alembic_version"}, rows)
    written["conversation_turns"] = rows - {"UPDATE"}
    assert in_long_term == written
    assert in_short_term == {
        table: some | ({"TRUNCATE"} if table in emptied else set()) for table, some in written.items()
    }


@pytest.mark.parametrize("statement", WRITES[-3:])
async def test_the_bot_cannot_change_tables(database: Database, statement: str) -> None:
    assert await refused(database.sessions, statement) == psycopg.errors.InsufficientPrivilege.sqlstate


async def test_the_bot_writes_into_chunks_that_are_yet_to_be_made_and_the_tools_find_it_there(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    years_apart = [message(1, "tea"), message(2, "coffee", sent_at=minute(2_000_000))]

    await remember(long_term, embedder, years_apart)

    found = await memory.search("coffee", places=HERE, limit=2)
    assert {line.message.message_id for excerpt in found.excerpts for line in excerpt.lines} == {1, 2}


async def test_another_database_of_the_server_gives_the_tools_nothing(
    short_term: Database, long_term: Database
) -> None:
    async with await psycopg.AsyncConnection.connect(long_term.dsn) as connection:
        await connection.execute(f"SET ROLE {role_name(str(short_term.engine.url.database), Role.READER)}".encode())

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("SELECT count(*) FROM messages")


async def test_a_table_that_is_made_later_gives_the_bot_nothing_before_the_next_start(long_term: Database) -> None:
    async with long_term.engine.begin() as connection:
        writer = role_name(str(long_term.engine.url.database), Role.WRITER)
        before = f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, DELETE ON TABLES TO {writer}"
        await connection.execute(text(before))  # as earlier versions did, for tables of conversations
    await long_term.migrate(dimensions=1)
    async with long_term.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE later (number integer)"))

    assert await refused(long_term.sessions, "SELECT * FROM later") == psycopg.errors.InsufficientPrivilege.sqlstate


@asynccontextmanager
async def open_plain_users_database(server: Server) -> AsyncGenerator[Database]:
    """Yield a database whose owner is an ordinary user; the extensions are there."""
    name, owner = server.create_database("owned"), server.create_user("owner", PASSWORD)
    async with await psycopg.AsyncConnection.connect(server.dsn(name), autocommit=True) as connection:
        for extension in ("vectorscale", "pg_textsearch", *(["timescaledb"] if server.hypertables else [])):
            await connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension} CASCADE".encode())
        await connection.execute(f"ALTER DATABASE {name} OWNER TO {owner}".encode())
    url = parse_dsn(server.dsn(name, user=owner, password=PASSWORD), name="DSN")
    async with open_database(url, name=LONG_TERM, pool_size=2, timeout=PATIENCE, layout=LONG_TERM_LAYOUT) as database:
        yield database


async def test_a_user_who_may_not_create_roles_still_has_a_memory_whose_tools_only_read(
    server: Server, embedder: Embedder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="db.migrate")
    async with open_plain_users_database(server) as database:
        await prepare(database, embedder)
        await remember(database, embedder, [message(1, "tea")])

        refusal = await refused(database.reading, "DELETE FROM messages")
        async with transaction(database.reading) as session:
            seen = await session.scalar(text("SELECT count(*) FROM messages"))

    assert refusal == psycopg.errors.ReadOnlySqlTransaction.sqlstate
    assert seen == 1
    assert "may not create roles" in caplog.text


async def test_a_connection_without_the_role_stays_what_it_is(server: Server) -> None:
    async with await psycopg.AsyncConnection.connect(server.dsn("postgres")) as connection:
        await assume(connection, Role.READER)

        assert await (await connection.execute("SELECT current_user")).fetchone() == ("postgres",)


def test_a_long_name_is_not_cut_to_that_of_another_database() -> None:
    names = {role_name("x" * 62 + end, role) for end in "ab" for role in Role}

    assert len(names) == 4
    assert all(len(name.encode()) <= 63 for name in names)
