"""Open the two databases, each on the server that its address names or on the embedded one."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import URL, BigInteger, func, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from db.embedded import EmbeddedServer, ensure_database, open_embedded
from db.engines import Sessions, open_engine, parse_dsn, sessions_of
from db.migrate import migrate
from db.readiness import Capabilities, find_capabilities, operator_errors
from errors import DatabaseSetupError

SHORT_TERM, LONG_TERM = "short-term", "long-term"

_START_TIMEOUT = timedelta(minutes=5)  # after a crash PostgreSQL replays its log before it answers


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where each database is; None means on the embedded server."""

    short_term: str | None
    long_term: str | None
    embedded_dir: Path


@dataclass(frozen=True, slots=True)
class Database:
    """An open database."""

    name: str
    engine: AsyncEngine
    sessions: Sessions
    capabilities: Capabilities

    @property
    def dsn(self) -> str:
        """Return the address for psycopg, password included: never to be logged."""
        return self.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    async def migrate(self, *, dimensions: int) -> None:
        """Bring the tables to the newest revision; `dimensions` is the width of embeddings where they are new."""
        await migrate(self.engine, name=self.name, dimensions=dimensions, capabilities=self.capabilities)


@asynccontextmanager
async def open_databases(
    addresses: Addresses, *, pool_size: int, timeout: timedelta
) -> AsyncGenerator[tuple[Database, Database]]:
    """Yield the short-term and the long-term database, as they are, not migrated.

    Raises DatabaseSetupError, or MissingExtensionError, when one of them cannot be used.
    """
    async with AsyncExitStack() as stack:
        short_url, long_url = await _addresses(addresses, stack)
        short_engine = await stack.enter_async_context(open_engine(short_url, pool_size=pool_size, timeout=timeout))
        long_engine = await stack.enter_async_context(open_engine(long_url, pool_size=pool_size, timeout=timeout))
        databases = await _database(SHORT_TERM, short_engine), await _database(LONG_TERM, long_engine)
        await _refuse_one_for_both(short_engine, long_engine)
        yield databases


async def _refuse_one_for_both(short_term: AsyncEngine, long_term: AsyncEngine) -> None:
    """Raise DatabaseSetupError when both addresses, however they are written, lead to one database.

    A new session would empty it. A lock that one connection takes is refused to the other in the same database only.
    """
    key = literal(secrets.randbits(62), BigInteger)
    with operator_errors(long_term, name=LONG_TERM):
        async with short_term.begin() as one, long_term.begin() as other:
            await one.execute(select(func.pg_advisory_xact_lock(key)))
            if await other.scalar(select(func.pg_try_advisory_xact_lock(key))):
                return
    raise DatabaseSetupError(
        "SHORT_TERM_DSN and LONG_TERM_DSN name the same database: give each one of its own; one server may hold both."
    )


async def _addresses(addresses: Addresses, stack: AsyncExitStack) -> tuple[URL, URL]:
    server: EmbeddedServer | None = None
    if addresses.short_term is None or addresses.long_term is None:
        server = await stack.enter_async_context(open_embedded(addresses.embedded_dir, start_timeout=_START_TIMEOUT))
    return (
        await _address(addresses.short_term, server, setting="SHORT_TERM_DSN", database="short_term"),
        await _address(addresses.long_term, server, setting="LONG_TERM_DSN", database="long_term"),
    )


async def _address(dsn: str | None, server: EmbeddedServer | None, *, setting: str, database: str) -> URL:
    if dsn is None and server is not None:
        await ensure_database(server, database)
        dsn = server.dsn(database)
    return parse_dsn(dsn or "", name=setting)


async def _database(name: str, engine: AsyncEngine) -> Database:
    capabilities = await find_capabilities(engine, name=name)
    return Database(name, engine, sessions_of(engine), capabilities)
