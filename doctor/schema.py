"""Look at a database's server, its extensions, its revision and the shape of its tables."""

from datetime import timedelta

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from db.databases import Database
from db.migrate import alembic_config
from db.parts import Part, is_hypertable, parts
from db.vector_index import lacking
from doctor.findings import Finding, left_out, ok, warning, wrong
from doctor.looking import looking

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


async def server(database: Database) -> Finding:
    """Tell which server it is and what it offers."""
    async with looking(database) as session:
        version = (await session.execute(_VERSION)).scalar_one()
    offered = database.capabilities
    tables = "with TimescaleDB" if offered.hypertables else "without TimescaleDB"
    words = "BM25" if offered.bm25 else "no pg_textsearch, so that words are found by full text"
    return ok(f"PostgreSQL {version}, {tables}, {words}")


async def one_and_the_other(short_term: Database, long_term: Database) -> Finding:
    """Tell whether two addresses lead to two databases."""
    async with looking(short_term) as one, looking(long_term) as other:
        same = await one.scalar(_IDENTITY) == await other.scalar(_IDENTITY)
    if same:
        return wrong("SHORT_TERM_DSN and LONG_TERM_DSN name the same database: give each one of its own.")
    return ok("short-term and long-term memory are two databases")


async def extensions(database: Database) -> Finding:
    """Tell which extensions the database has, and which of them the server has in a newer version."""
    async with looking(database) as session:
        rows = (await session.execute(_EXTENSIONS)).all()
    if not rows:
        return NOT_MADE
    old = [row for row in rows if row.installed_version != row.default_version]
    if old:
        behind = ", ".join(f"{row.name} {row.installed_version} (available: {row.default_version})" for row in old)
        mend = " ".join(f"ALTER EXTENSION {row.name} UPDATE;" for row in old)
        return warning(f"The database is behind its server with {behind}: run, in a new connection, {mend}")
    return ok(", ".join(f"{row.name} {row.installed_version}" for row in rows))


async def migrations(database: Database) -> Finding:
    """Tell whether the tables are of the newest revision."""
    async with looking(database) as session:
        return await (await session.connection()).run_sync(_revision)


def _revision(connection: Connection) -> Finding:
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


async def table(database: Database) -> Finding:
    """Tell what kind of table messages are, and which of its parts have their vector index."""
    async with looking(database) as session:
        hypertable = await is_hypertable(session)
        known = await parts(session, hypertable=hypertable)
        interval: timedelta | None = await session.scalar(_INTERVAL) if hypertable else None
    words = _plain(known) if interval is None else _chunks(known, interval)
    if database.capabilities.hypertables and not hypertable:
        return warning(f"{words}, though the server has TimescaleDB: the next start makes it a hypertable.")
    missing = lacking(known, database.layout)
    if missing:
        return warning(
            f"{words}; {len(missing)} {'lacks its' if len(missing) == 1 else 'lack their'} vector index: "
            "a running bot builds it within minutes, else the next start does."
        )
    if interval not in {None, database.layout.chunk_interval}:
        return ok(f"{words}; the next start lets new chunks hold {spoken(database.layout.chunk_interval)}")
    return ok(words)


def _plain(known: list[Part]) -> str:
    return f"a plain table of about {sum(part.rows for part in known):,} rows"


def _chunks(known: list[Part], interval: timedelta) -> str:
    """Describe a hypertable in a few words."""
    indexed = sum(part.indexed for part in known)
    hot = sum(part.rows for part in known if part.hot)
    return (
        f"a hypertable of about {sum(part.rows for part in known):,} rows, chunks of {spoken(interval)}: {len(known)}, "
        f"with a vector index: {indexed}, rows in the newest: about {hot:,}"
    )


def spoken(interval: timedelta) -> str:
    """Return a length of time without hours and minutes that are none."""
    return str(interval).removesuffix(", 0:00:00")


async def size(database: Database) -> int:
    """Return how many bytes a database takes."""
    async with looking(database) as session:
        return int((await session.execute(_SIZE)).scalar_one())
