"""Open engines and transactions."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from db.errors import translated_errors
from db.roles import ASSUME, Role, role_name
from errors import DatabaseSetupError

Sessions = async_sessionmaker[AsyncSession]


def parse_dsn(dsn: str, *, name: str) -> URL:
    """Return the address for SQLAlchemy; raise DatabaseSetupError, without repeating it, when malformed."""
    try:
        url = make_url(dsn).set(drivername="postgresql+psycopg")
        libpq_address(url).encode()  # bytes of a setting that are no UTF-8 would fail later
    except (ArgumentError, ValueError) as error:
        raise DatabaseSetupError(
            f"{name} is not an address that PostgreSQL understands: "
            "write postgresql://user:password@host:5432/database."
        ) from error
    return url


def libpq_address(url: URL) -> str:
    """Return an address for psycopg and PostgreSQL's programs, password included: never to be logged."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return address.replace(" ", "%20")  # SQLAlchemy leaves blanks as they are, and libpq refuses them


@asynccontextmanager
async def open_engine(
    url: URL, *, pool_size: int, timeout: timedelta, role: Role | None = None, prepares: bool = True
) -> AsyncGenerator[AsyncEngine]:
    """Yield an engine whose every statement ends within `timeout`; it is disposed of on exit.

    Its connections assume a role, where the database has it; those of a reader cannot write in any case. With
    `prepares` statements that come again are prepared, but never the owner's.
    """
    milliseconds = int(timeout.total_seconds() * 1000)
    reading = " -c default_transaction_read_only=on" if role is Role.READER else ""
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,  # waiting is visible; a surprise extra connection is not
        pool_timeout=timeout.total_seconds(),
        hide_parameters=True,  # a log shall not repeat what somebody said
        pool_pre_ping=True,  # a restarted server costs one round trip, not one failed answer
        connect_args={
            "connect_timeout": max(2, int(timeout.total_seconds())),
            # To compile a statement of ours takes longer than to run it.
            "options": f"-c statement_timeout={milliseconds} -c timezone=UTC -c jit=off{reading}",
            # TimescaleDB 2.19 changes the parsed form of DDL as it runs it: prepared, the next run reads freed memory,
            # and the whole server goes down. Only the owner's connections run DDL.
            **({"prepare_threshold": None} if role is None or not prepares else {}),
            "tcp_user_timeout": milliseconds,  # a vanished host is noticed while a statement waits
            "application_name": "backscroll",
        },
    )
    if role is not None:
        _assume_at_connect(engine, role)
    try:
        yield engine
    finally:
        await engine.dispose()


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
