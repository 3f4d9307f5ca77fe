"""Open, start and stop the server of a folder."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from filelock import AsyncFileLock, Timeout

from db.embedded import programs
from db.embedded.clients import connect, is_alone, started_at
from db.embedded.data import ensure_data
from db.embedded.places import STATE_DIR
from db.embedded.processes import State, remove_stale_locks, state_of
from db.embedded.reports import limited, operator_errors
from db.embedded.server import EmbeddedServer, existing_server, prepare_server
from errors import DatabaseSetupError

logger = logging.getLogger(__name__)

_START_TIMEOUT = timedelta(seconds=60)
_LOOK_TIMEOUT = timedelta(seconds=30)
_TURN_TIMEOUT = timedelta(seconds=60)  # for others who stop the server
_STOP_TIMEOUT = programs.STOP_TIMEOUT + _LOOK_TIMEOUT  # pg_ctl gives up first and says why
_POLL = timedelta(milliseconds=50)
_EVER = datetime.max.replace(tzinfo=UTC)


@asynccontextmanager
async def open_embedded(
    base_dir: Path, *, start_timeout: timedelta, durable: bool = True, state_dir: Path = STATE_DIR
) -> AsyncGenerator[EmbeddedServer]:
    """Yield the server of `base_dir`: made on first use, started unless it runs, stopped by whoever leaves last.

    A connection held open says that we use it, so nobody has to trust a list of process ids. A server that is
    not `durable` does not survive a power cut: for tests and demonstrations. Raises DatabaseSetupError.
    """
    server = await asyncio.to_thread(prepare_server, base_dir, state_dir)
    presence: psycopg.AsyncConnection | None = None
    since = _EVER
    try:
        async with _turn(server, start_timeout), limited(server.home, start_timeout):
            presence = await _ready(server, durable=durable)
            since = await started_at(presence)
        yield server
    finally:
        if presence is not None:
            await presence.close()
        await _leave(server, since)


async def start_embedded(base_dir: Path) -> EmbeddedServer:
    """Start the server of `base_dir` unless it runs, and leave it running; raise DatabaseSetupError."""
    server = await asyncio.to_thread(prepare_server, base_dir, STATE_DIR)
    async with _turn(server, _START_TIMEOUT), limited(server.home, _START_TIMEOUT):
        connection = await _ready(server, durable=True)
        await connection.close()
    return server


async def stop_embedded(base_dir: Path) -> bool:
    """Stop the server of `base_dir`, whoever is connected; return False when it did not run.

    Raises DatabaseSetupError when there is no such server, or when it does not stop.
    """
    server = await asyncio.to_thread(existing_server, base_dir, STATE_DIR)
    async with _turn(server, _TURN_TIMEOUT), limited(server.home, _STOP_TIMEOUT):
        if await state_of(server) is not State.RUNNING:
            return False
        await programs.stop(server)
        return True


async def is_running(base_dir: Path) -> bool:
    """Tell whether the server of `base_dir` runs; raise DatabaseSetupError when there is no such server."""
    server = await asyncio.to_thread(existing_server, base_dir, STATE_DIR)
    async with limited(server.home, _LOOK_TIMEOUT):
        return await state_of(server) is State.RUNNING


async def _ready(server: EmbeddedServer, *, durable: bool) -> psycopg.AsyncConnection:
    """Make and start the server as far as needed, and return a connection to it; call it in turn, limited."""
    await ensure_data(server, durable=durable)
    while True:
        match await state_of(server):
            case State.RUNNING:  # which may mean that it still recovers from a crash
                with suppress(psycopg.OperationalError):
                    return await connect(server)
            case State.STALE:
                remove_stale_locks(server)
            case State.STOPPED:
                await programs.start(server, durable=durable)
                continue
        await asyncio.sleep(_POLL.total_seconds())


async def _leave(server: EmbeddedServer, since: datetime) -> None:
    """Stop the server unless somebody else is connected; a failure is only logged, since the work is done."""
    try:
        async with _turn(server, _TURN_TIMEOUT), limited(server.home, _STOP_TIMEOUT):
            if await state_of(server) is State.RUNNING and await is_alone(server, since=since):
                await programs.stop(server)
    except DatabaseSetupError as error:
        logger.warning("The embedded server was not stopped: %s", error)


@asynccontextmanager
async def _turn(server: EmbeddedServer, limit: timedelta) -> AsyncGenerator[None]:
    """Let one process at a time make, start or stop the server."""
    lock = AsyncFileLock(server.home / "lock", timeout=limit.total_seconds())
    with operator_errors(server.home, limit):
        try:
            await lock.acquire()
        except Timeout as error:
            raise DatabaseSetupError(
                f"Another process has been starting or stopping the server in {server.home} for "
                f"{limit.total_seconds():g} s: end it, then start again."
            ) from error
    try:
        yield
    finally:
        await lock.release()
