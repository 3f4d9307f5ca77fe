"""Open engines and transactions."""

import asyncio
import select
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from db.addresses import keywords_of, libpq_address, parse_address
from db.connections import connect
from db.errors import DATABASE_ERRORS, driver_errors, translated_errors
from db.roles import ASSUME, Role, role_name
from errors import DatabaseSetupError, DatabaseUnavailableError, RefusedRowError

Sessions = async_sessionmaker[AsyncSession]

TRUSTED = timedelta(seconds=30)
"""How long a connection may rest before it is asked whether it is still there, though nothing says that it is not."""


def parse_dsn(dsn: str, *, name: str) -> URL:
    """Return the address for SQLAlchemy; raise DatabaseSetupError, without repeating it, when malformed."""
    try:
        with driver_errors():
            url = parse_address(dsn)
        libpq_address(url).encode()  # bytes of a setting that are no UTF-8 would fail later
    except (*DATABASE_ERRORS, ValueError) as error:
        raise DatabaseSetupError(
            f"{name} is not an address that PostgreSQL understands: "
            "write postgresql://user:password@host:5432/database."
        ) from error
    return url


@asynccontextmanager
async def open_engine(
    url: URL, *, pool_size: int, timeout: timedelta, role: Role | None = None, prepares: bool = True
) -> AsyncGenerator[AsyncEngine]:
    """Yield an engine whose every statement ends within `timeout`; it is disposed of on exit.

    Its connections assume a role, where the database has it. Those of a reader cannot write in any case, and each
    statement over them is a transaction of its own until one is begun (`memory.filters.tune`): in a longer one it would
    see no more, and BEGIN and COMMIT are a round trip each. With `prepares` statements that come again are prepared,
    but never the owner's.
    """
    settings = {"statement_timeout": str(int(timeout.total_seconds() * 1000))}
    if role is Role.READER:
        settings["default_transaction_read_only"] = "on"
    # TimescaleDB 2.19 changes the parsed form of DDL as it runs it: prepared, the next run reads freed memory,
    # and the whole server goes down. Only the owner's connections run DDL.
    never_prepared: dict[str, Any] = {"prepare_threshold": None} if role is None or not prepares else {}
    by_statement: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"} if role is Role.READER else {}
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,  # waiting is visible; a surprise extra connection is not
        pool_timeout=timeout.total_seconds(),
        hide_parameters=True,  # a log shall not repeat what somebody said
        pool_pre_ping=True,  # a restarted server costs one round trip, not one failed answer
        async_creator=partial(connect, keywords_of(url), timeout=timeout, settings=settings, **never_prepared),
        **by_statement,
    )
    _ping_in_doubt(engine)
    if role is not None:
        _assume_at_connect(engine, role)
    try:
        yield engine
    finally:
        await engine.dispose()


def _ping_in_doubt(engine: AsyncEngine) -> None:
    """Let the pool ask a connection whether it is still there only when it has rested for long or has a word to say.

    A server that ends says so, and its end of the connection is closed: both can be read without asking it anything.
    """
    dialect = engine.sync_engine.dialect
    ping = dialect.do_ping
    used_at: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    @event.listens_for(engine.sync_engine, "checkin")
    def note(connection: Any, _: object) -> None:
        if connection is not None:  # else it was found lost
            used_at[connection.driver_connection] = monotonic()

    def ping_in_doubt(connection: Any) -> bool:
        driver = connection.driver_connection
        has_rested = monotonic() - used_at.get(driver, 0.0) > TRUSTED.total_seconds()
        return ping(connection) if has_rested or driver.closed or _has_something_to_read(driver.fileno()) else True

    dialect.do_ping = ping_in_doubt  # type: ignore[assignment, method-assign]


def _has_something_to_read(descriptor: int) -> bool:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(0))


def _assume_at_connect(engine: AsyncEngine, role: Role) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def assume(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(ASSUME, [role_name(connection.driver_connection.info.dbname, role)])
        cursor.close()
        connection.commit()  # else the first rollback would undo it


def sessions_of(engine: AsyncEngine) -> Sessions:
    """Return the session factory of an engine."""
    return async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def transaction(sessions: Sessions) -> AsyncGenerator[AsyncSession]:
    """Yield a session that is committed on exit.

    Raises DatabaseUnavailableError when PostgreSQL does not answer or answers with an error (StatementFailedError), and
    RefusedRowError for a value that it will not take.
    """
    with translated_errors():
        async with sessions.begin() as session:
            yield session


@asynccontextmanager
async def timely_transaction(sessions: Sessions, *, timeout: timedelta, about: str) -> AsyncGenerator[AsyncSession]:
    """Yield a session that is committed on exit, all of it within the timeout.

    Raises DatabaseUnavailableError, which says what it was about; also for a value that PostgreSQL will not take.
    """
    try:
        async with asyncio.timeout(timeout.total_seconds()), transaction(sessions) as session:
            yield session
    except (RefusedRowError, TimeoutError) as error:
        raise DatabaseUnavailableError(f"PostgreSQL did not answer in time about {about}") from error
