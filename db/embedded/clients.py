"""Talk to a server that runs."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from db.addresses import keywords_of, parse_address
from db.connecting import connect as connect_by
from db.embedded.reports import limited
from db.embedded.server import EmbeddedServer

_CONNECT_TIMEOUT = timedelta(seconds=10)
_QUERY_TIMEOUT = timedelta(seconds=30)
_GRACE = timedelta(seconds=1)  # how long a connection that was just closed may still be counted
_POLL = timedelta(milliseconds=20)

_LATER = (
    "the database system is",  # starting up, shutting down, recovering
    "Connection refused",
    "No such file or directory",
    "server closed the connection",
    "timeout expired",
    "too many clients",
    "remaining connection slots",
)
_STARTED_AT = "SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_OTHER_CLIENTS = (
    "SELECT count(*), coalesce(min(backend_start) < %s, false) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


async def connect(server: EmbeddedServer) -> psycopg.AsyncConnection:
    """Return a connection, to be closed by the caller; raise psycopg.OperationalError when there is no answer."""
    keywords = keywords_of(parse_address(server.dsn("postgres")))
    return await connect_by(keywords, timeout=_CONNECT_TIMEOUT, autocommit=True)


def may_answer_later(error: psycopg.OperationalError) -> bool:
    """Return whether a connection failed only because the server is not ready yet, or has too many clients."""
    words = str(error)
    return any(sign in words for sign in _LATER)


async def ensure_database(server: EmbeddedServer, name: str) -> None:
    """Create a database unless it is there; raise DatabaseSetupError when the server does not."""
    async with limited(server.home, _QUERY_TIMEOUT), await connect(server) as connection:
        found = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if await found.fetchone() is None:
            # another process may be faster
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


async def started_at(connection: psycopg.AsyncConnection) -> datetime:
    """Return since when a connection has been open, on the server's clock."""
    row = await (await connection.execute(_STARTED_AT)).fetchone()
    return row[0] if row else datetime.min.replace(tzinfo=UTC)


async def is_alone(connection: psycopg.AsyncConnection, *, since: datetime) -> bool:
    """Return whether nobody else is connected, once our other connections that have just been closed are gone.

    Ours have all been opened `since` then: whoever was connected before is somebody else, and is not waited for.
    """
    for _ in range(_GRACE // _POLL):
        count, has_older = await (await connection.execute(_OTHER_CLIENTS, [since])).fetchone() or (0, False)
        if count == 0 or has_older:
            return bool(count == 0)
        await asyncio.sleep(_POLL.total_seconds())
    return False
