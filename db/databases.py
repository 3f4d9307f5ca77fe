"""Open the two databases, each on the server that its address names or on the embedded one."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import URL, BigInteger, func, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from db.addresses import libpq_address, with_settings
from db.capabilities import USUAL_SCHEMA, Capabilities, find_capabilities, is_lost_on_its_path
from db.config import Addresses, Layout, Layouts
from db.connections import completed_by_environment
from db.embedded import EmbeddedServer, ensure_database, open_embedded
from db.engines import Sessions, open_engine, parse_dsn, sessions_of
from db.errors import operator_errors
from db.migrate import migrate
from db.roles import Role
from errors import DatabaseSetupError

SHORT_TERM, LONG_TERM = "short-term", "long-term"

_UPKEEP_CONNECTIONS = 3  # one builds an index, one watches it, one looks after something else
_START_TIMEOUT = timedelta(minutes=5)  # after a crash PostgreSQL replays its log before it answers


def own_address(addresses: Addresses, name: str) -> URL | None:
    """Return the address of SHORT_TERM or LONG_TERM memory on a server of the operator's own; None: it is embedded.

    What it leaves open comes from DB_PASSWORD, and then from libpq's variables. Raises DatabaseSetupError when it is
    malformed.
    """
    dsn = addresses.short_term if name == SHORT_TERM else addresses.long_term
    if dsn is None:
        return None
    url = parse_dsn(dsn, name=f"{_database_of(name).upper()}_DSN")
    return completed_by_environment(url.set(password=addresses.password) if url.password is None else url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """An open database; its roles come with its migration, and until then all act as its owner."""

    name: str
    engine: AsyncEngine
    """The owner's, for migrations and for looking after indexes."""
    sessions: Sessions
    """The bot's, to read and write rows."""
    reading: Sessions
    """The tools', which can only read messages."""
    capabilities: Capabilities
    layout: Layout

    @property
    def dsn(self) -> str:
        """Return the owner's address for psycopg, password included: never to be logged."""
        return libpq_address(self.engine.url)

    async def migrate(self, *, dimensions: int) -> None:
        """Bring the tables to the newest revision; `dimensions` is the width of embeddings where they are new."""
        await migrate(
            self.engine,
            name=self.name,
            dimensions=dimensions,
            capabilities=self.capabilities,
            layout=self.layout,
            may_empty=self.name == SHORT_TERM,
        )


@asynccontextmanager
async def open_database(
    url: URL, *, name: str, pool_size: int, timeout: timedelta, layout: Layout
) -> AsyncGenerator[Database]:
    """Yield a database as it is, not migrated; up to `pool_size` connections write and as many read.

    Raises DatabaseSetupError, or MissingExtensionError, when it cannot be used.
    """
    async with AsyncExitStack() as stack:
        opened = partial(open_engine, url, timeout=timeout)
        engine = await stack.enter_async_context(opened(pool_size=min(pool_size, _UPKEEP_CONNECTIONS)))
        offered = await find_capabilities(engine, name=name)
        if await is_lost_on_its_path(engine, name=name):
            opened = partial(open_engine, with_settings(url, search_path=USUAL_SCHEMA), timeout=timeout)
            engine = await stack.enter_async_context(opened(pool_size=min(pool_size, _UPKEEP_CONNECTIONS)))
        writing = await stack.enter_async_context(opened(pool_size=pool_size, role=Role.WRITER))
        reading = await stack.enter_async_context(
            opened(pool_size=pool_size, role=Role.READER, prepares=offered.prepares)
        )
        yield Database(
            name=name,
            engine=engine,
            sessions=sessions_of(writing),
            reading=sessions_of(reading),
            capabilities=offered,
            layout=layout,
        )


@asynccontextmanager
async def open_databases(
    addresses: Addresses, *, pool_size: int, timeout: timedelta, layouts: Layouts
) -> AsyncGenerator[tuple[Database, Database]]:
    """Yield the short-term and the long-term database, as they are, not migrated.

    Raises DatabaseSetupError, or MissingExtensionError, when one of them cannot be used.
    """
    async with AsyncExitStack() as stack:
        short_url, long_url = await _addresses(addresses, stack)
        opened = partial(open_database, pool_size=pool_size, timeout=timeout)
        short_term = await stack.enter_async_context(opened(short_url, name=SHORT_TERM, layout=layouts.short_term))
        long_term = await stack.enter_async_context(opened(long_url, name=LONG_TERM, layout=layouts.long_term))
        await _refuse_one_for_both(short_term.engine, long_term.engine)
        yield short_term, long_term


async def _refuse_one_for_both(short_term: AsyncEngine, long_term: AsyncEngine) -> None:
    """Raise DatabaseSetupError when both addresses, however they are written, lead to one database.

    A new session would empty it. A lock that one connection takes is refused to the other in the same database only.
    """
    key = literal(secrets.randbits(62), BigInteger)
    with operator_errors(long_term.url, name=LONG_TERM):
        async with short_term.begin() as one, long_term.begin() as other:
            await one.execute(select(func.pg_advisory_xact_lock(key)))
            if await other.scalar(select(func.pg_try_advisory_xact_lock(key))):
                return
    raise DatabaseSetupError(
        "SHORT_TERM_DSN and LONG_TERM_DSN name the same database: give each one of its own; one server may hold both."
    )


async def _addresses(addresses: Addresses, stack: AsyncExitStack) -> tuple[URL, URL]:
    short_term, long_term = own_address(addresses, SHORT_TERM), own_address(addresses, LONG_TERM)
    if short_term is not None and long_term is not None:
        return short_term, long_term
    server = await stack.enter_async_context(open_embedded(addresses.embedded_dir, start_timeout=_START_TIMEOUT))
    return (
        short_term or await _made(server, SHORT_TERM),
        long_term or await _made(server, LONG_TERM),
    )


async def _made(server: EmbeddedServer, name: str) -> URL:
    """Return the address of a memory on the embedded server, where its database is made when it is missing."""
    await ensure_database(server, _database_of(name))
    return embedded_address(server, name)


def embedded_address(server: EmbeddedServer, name: str) -> URL:
    """Return the address of SHORT_TERM or LONG_TERM memory on the embedded server, whether it is there or not."""
    return parse_dsn(server.dsn(_database_of(name)), name="EMBEDDED_DIR")


def _database_of(name: str) -> str:
    return name.replace("-", "_")
