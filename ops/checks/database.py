"""Check a database: its server, its extensions, the revision of its tables, their shape, and who may do what."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.chunks import Chunk, find_chunks, is_hypertable
from db.databases import Database
from db.embedded import EmbeddedServer, is_running, open_embedded, start_embedded
from db.embedded.server import STATE_DIR, substitute_of
from db.engines import sessions_of, transaction
from db.migrate import alembic_config
from db.vector_index import missing_indexes
from ops.checks.result import CheckResult, left_out, ok, warning, wrong


@asynccontextmanager
async def open_if_made(folder: Path, *, start_timeout: timedelta) -> AsyncGenerator[EmbeddedServer | None]:
    """Yield the server of a folder, or None where none was ever made; started for this, it is stopped again.

    Raises DatabaseSetupError when there is one that cannot be used.
    """
    if not _is_made(folder):
        yield None
    elif await is_running(folder):
        yield await start_embedded(folder)  # to join for a while would be to stop, as the last to leave, what runs
    else:
        async with open_embedded(folder, start_timeout=start_timeout) as server:
            yield server


def _is_made(folder: Path) -> bool:
    folder = folder.resolve()
    return any((home / "data").exists() for home in (folder, substitute_of(folder, STATE_DIR)))


_READ_ONLY = text("SET TRANSACTION READ ONLY")
_LONG_TIMEOUT = text("SET LOCAL statement_timeout = '1min'")  # to count the rows of a large memory takes a while


@asynccontextmanager
async def read_only_session(database: Database) -> AsyncGenerator[AsyncSession]:
    """Yield a session of the owner whose transaction PostgreSQL lets only read; raise DatabaseUnavailableError."""
    async with transaction(sessions_of(database.engine)) as session:
        await session.execute(_READ_ONLY)
        await session.execute(_LONG_TIMEOUT)
        yield session


_WHO = text(
    "SELECT current_user AS name, current_user = session_user AS is_owner,"
    " current_setting('transaction_read_only') = 'on' AS reads_only,"
    " has_table_privilege('messages', 'SELECT') AS may_read, has_table_privilege('messages', 'INSERT') AS may_write"
)
_WRITABLE = text(
    "SELECT oid::regclass::text FROM pg_class"
    " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    " AND has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE') ORDER BY 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Whom a connection acts as, and what it may do."""

    name: str
    is_owner: bool
    reads_only: bool
    may_read: bool
    may_write: bool
    writable: tuple[str, ...]


async def roles(database: Database) -> CheckResult:
    """Check that the bot may do what it has to, and the agent's tools no more than read."""
    async with transaction(database.sessions) as session:
        writer = await _rights(session)
    async with transaction(database.reading) as session:
        reader = await _rights(session)
    return judge_rights(writer, reader)


async def _rights(session: AsyncSession) -> Rights:
    row = (await session.execute(_WHO)).mappings().one()
    return Rights(**row, writable=tuple(await session.scalars(_WRITABLE)))


def judge_rights(writer: Rights, reader: Rights) -> CheckResult:
    """Judge what both may do."""
    if not writer.may_write:
        return wrong(f"The bot ({writer.name}) may not write messages: GRANT it that, or use the database's owner.")
    if not reader.may_read:
        return wrong(f"The agent's tools ({reader.name}) may not read messages: GRANT them SELECT on it.")
    if not reader.reads_only:
        return wrong(f"The transactions of the agent's tools ({reader.name}) are not read-only: restart the bot.")
    if reader.is_owner:
        return warning(
            f"The agent's tools read as the owner ({reader.name}), in read-only transactions: give it CREATEROLE, and "
            "the next start makes a role for them that may do no more."
        )
    if reader.writable:
        return wrong(
            f"The agent's tools ({reader.name}) may write {', '.join(reader.writable)}: run "
            f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {', '.join(reader.writable)} FROM that role."
        )
    return ok(f"the bot writes as {writer.name}, the agent's tools read as {reader.name} and may do no more")


NOT_MADE = left_out("not made yet: the first start makes it")

_VERSION = text("SELECT current_setting('server_version')")
_EXTENSIONS = text(
    "SELECT name, installed_version, default_version FROM pg_available_extensions WHERE installed_version IS NOT NULL"
    " AND name IN ('vector', 'vectorscale', 'pg_textsearch', 'timescaledb') ORDER BY name"
)
_INTERVAL = text(
    "SELECT time_interval FROM timescaledb_information.dimensions"
    " WHERE hypertable_schema = current_schema() AND hypertable_name = 'messages'"
)
_IDENTITY = text(
    "SELECT pg_postmaster_start_time()::text || ' ' || oid::text FROM pg_database WHERE datname = current_database()"
)
_SIZE = text("SELECT pg_database_size(current_database())")


async def server(database: Database) -> CheckResult:
    """Return which server it is and what it offers."""
    async with read_only_session(database) as session:
        version = (await session.execute(_VERSION)).scalar_one()
    offered = database.capabilities
    tables = "with TimescaleDB" if offered.hypertables else "without TimescaleDB"
    word_search = "BM25" if offered.bm25 else "no pg_textsearch, so that words are found by full text"
    return ok(f"PostgreSQL {version}, {tables}, {word_search}")


async def two_databases(short_term: Database, long_term: Database) -> CheckResult:
    """Check that two addresses lead to two databases."""
    async with read_only_session(short_term) as short, read_only_session(long_term) as long:
        same = await short.scalar(_IDENTITY) == await long.scalar(_IDENTITY)
    if same:
        return wrong("SHORT_TERM_DSN and LONG_TERM_DSN name the same database: give each one of its own.")
    return ok("short-term and long-term memory are two databases")


async def extensions(database: Database) -> CheckResult:
    """Check that the extensions of the database are as new as the server has them."""
    async with read_only_session(database) as session:
        rows = (await session.execute(_EXTENSIONS)).all()
    if not rows:
        return NOT_MADE
    old = [row for row in rows if row.installed_version != row.default_version]
    if old:
        behind = ", ".join(f"{row.name} {row.installed_version} (available: {row.default_version})" for row in old)
        repair = " ".join(f"ALTER EXTENSION {row.name} UPDATE;" for row in old)
        return warning(f"The database is behind its server with {behind}: run, in a new connection, {repair}")
    return ok(", ".join(f"{row.name} {row.installed_version}" for row in rows))


async def migrations(database: Database) -> CheckResult:
    """Check that the tables are of the newest revision."""
    async with read_only_session(database) as session:
        return await (await session.connection()).run_sync(_revision)


def _revision(connection: Connection) -> CheckResult:
    script = ScriptDirectory.from_config(alembic_config(connection, dimensions=1))
    newest = script.get_current_head()
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        return NOT_MADE
    if current == newest:
        return ok(f"revision {current}, the newest")
    try:
        script.get_revision(current)
    except CommandError:
        return wrong(
            f"Revision {current} is one that this version of the program does not know: install a newer version, "
            "or correct the address of the database."
        )
    return warning(
        f"Revision {current} is not the newest, which is {newest}: the next start of the bot upgrades the tables."
    )


async def table(database: Database) -> CheckResult:
    """Check that messages are the kind of table that the server can have, and each chunk has its vector index."""
    async with read_only_session(database) as session:
        hypertable = await is_hypertable(session)
        chunks = await find_chunks(session, hypertable=hypertable)
        interval: timedelta | None = await session.scalar(_INTERVAL) if hypertable else None
    description = _describe(chunks, interval)
    if database.capabilities.hypertables and not hypertable:
        return warning(f"{description}, though the server has TimescaleDB: the next start makes it a hypertable.")
    missing = missing_indexes(chunks, database.layout)
    if missing:
        return warning(
            f"{description}; {len(missing)} {'lacks its' if len(missing) == 1 else 'lack their'} vector index: "
            "a running bot builds it within minutes, else the next start does."
        )
    if interval not in {None, database.layout.chunk_interval}:
        return ok(
            f"{description}; the next start lets new chunks hold {format_interval(database.layout.chunk_interval)}"
        )
    return ok(description)


def _describe(chunks: list[Chunk], interval: timedelta | None) -> str:
    """Describe a plain table, or a hypertable whose new chunks hold so much time, in a few words."""
    rows, indexed = sum(chunk.rows for chunk in chunks), sum(chunk.indexed for chunk in chunks)
    if interval is None:
        return f"a plain table of about {rows:,} rows"
    rows_in_newest = sum(chunk.rows for chunk in chunks if chunk.is_newest)
    return (
        f"a hypertable of about {rows:,} rows, chunks of {format_interval(interval)}: {len(chunks)}, "
        f"with a vector index: {indexed}, rows in the newest: about {rows_in_newest:,}"
    )


def format_interval(interval: timedelta) -> str:
    """Return a length of time without hours and minutes that are none."""
    return str(interval).removesuffix(", 0:00:00")


async def size(database: Database) -> int:
    """Return how many bytes a database takes."""
    async with read_only_session(database) as session:
        return int((await session.execute(_SIZE)).scalar_one())
