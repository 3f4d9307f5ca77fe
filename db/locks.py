"""Take turns with other processes at one database, by advisory locks that end with whoever holds them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import LiteralString

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from db.table_copy import Connection, fetch, open_connection
from errors import DatabaseUnavailableError
from util_async import FailureLog, background_task

logger = logging.getLogger(__name__)

_WAIT = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_TRY = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
_TRY_FOR_SESSION = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_END = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")
_TAKE: LiteralString = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
# A lock is named by two halves of its number (view pg_locks).
_HELD = text(
    "SELECT name FROM unnest(CAST(:names AS text[])) AS asked (name) WHERE EXISTS ("
    " SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (classid::bigint << 32 | objid::bigint) = hashtextextended(name, 0))"
)
# The lock lives in a transaction, which a pooler ends with its client; a host that has vanished is noticed in half a
# minute.
_LASTING: tuple[LiteralString, ...] = (
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL tcp_keepalives_idle = 10",
    "SET LOCAL tcp_keepalives_interval = 5",
    "SET LOCAL tcp_keepalives_count = 3",
)
_LOOK_EVERY = timedelta(seconds=10)
_GLANCE = timedelta(milliseconds=100)


async def wait_for_turn(connection: AsyncConnection | AsyncSession, name: str) -> None:
    """Wait until no other transaction has the turn of this name, and have it until this transaction ends."""
    await connection.execute(_WAIT, {"name": name})


async def takes_turn(connection: AsyncConnection | AsyncSession, name: str) -> bool:
    """Take the turn of this name until this transaction ends; return False when another has it."""
    return bool(await connection.scalar(_TRY, {"name": name}))


@asynccontextmanager
async def turn_of_connection(engine: AsyncEngine, name: str) -> AsyncGenerator[AsyncConnection | None]:
    """Yield a connection outside any transaction that has the turn of this name; None when another has it."""
    async with engine.connect() as ordinary:
        connection = await ordinary.execution_options(isolation_level="AUTOCOMMIT")
        if not await connection.scalar(_TRY_FOR_SESSION, {"name": name}):
            yield None
            return
        try:
            yield connection
        finally:
            if not connection.invalidated:  # else a cancelled statement has closed it, which ends the turn as well
                await connection.execute(_END, {"name": name})


async def held_locks(connection: AsyncConnection | AsyncSession, names: Collection[str]) -> set[str]:
    """Return which of these locks somebody holds."""
    return set(await connection.scalars(_HELD, {"names": list(names)}))


@asynccontextmanager
async def standing_lock(dsn: str, name: str, *, timeout: timedelta, patience: timedelta) -> AsyncGenerator[bool]:
    """Hold a lock for as long as the context lasts, and take it again after an outage; yield whether it was free.

    It waits for no longer than `patience`. To connect takes no longer than `timeout`. Raises DatabaseUnavailableError.
    """
    first = asyncio.get_running_loop().create_future()
    async with background_task(_hold(dsn, name, timeout, patience, first)):
        yield await first


async def _hold(dsn: str, name: str, timeout: timedelta, patience: timedelta, first: "asyncio.Future[bool]") -> None:
    failures = FailureLog(logger)
    while True:
        try:
            async with _open_transaction(dsn, timeout) as connection:
                is_taken = await _take(connection, name, patience)
                if not first.done():
                    first.set_result(is_taken)
                    if not is_taken:
                        return
                if is_taken:
                    failures.worked(name)
                    await _watch(connection)
                failures.failed(name, f"another process has taken the lock {name!r} in the meantime: stop one of them")
        except DatabaseUnavailableError as error:
            if not first.done():
                first.set_exception(error)
                return
        await asyncio.sleep(_LOOK_EVERY.total_seconds())


@asynccontextmanager
async def _open_transaction(dsn: str, timeout: timedelta) -> AsyncGenerator[Connection]:
    """Yield a connection in a transaction that ends with it; psycopg's own would warn when the server goes away."""
    async with open_connection(dsn, timeout=timeout) as connection:
        try:
            await connection.execute("BEGIN")
            yield connection
        finally:
            await connection.close()


async def _take(connection: Connection, name: str, patience: timedelta) -> bool:
    for setting in _LASTING:
        await connection.execute(setting)
    deadline = asyncio.get_running_loop().time() + patience.total_seconds()
    while True:
        ((is_taken,),) = await fetch(connection, _TAKE, [name])
        if is_taken or asyncio.get_running_loop().time() >= deadline:
            return bool(is_taken)
        await asyncio.sleep(_GLANCE.total_seconds())


async def _watch(connection: Connection) -> None:
    """Ask again and again whether the connection lives; raises DatabaseUnavailableError when it does not."""
    while True:
        await asyncio.sleep(_LOOK_EVERY.total_seconds())
        await connection.execute("SELECT")
