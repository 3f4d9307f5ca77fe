"""Open, start and stop the server of a folder."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from filelock import AsyncFileLock, Timeout

from db.embedded import control
from db.embedded.control import ServerState, connect, is_alone, remove_stale_locks, started_at, state_of
from db.embedded.errors import limited, server_errors
from db.embedded.server import STATE_DIR, EmbeddedServer, check_private, existing_server, make_private, prepare_server
from db.errors import may_answer_later
from errors import DatabaseSetupError, DatabaseUnavailableError
from storage.files import atomic_directory

logger = logging.getLogger(__name__)

_START_TIMEOUT = timedelta(seconds=60)
_LOOK_TIMEOUT = timedelta(seconds=30)
_TURN_TIMEOUT = timedelta(seconds=60)  # for others who stop the server
_STOP_TIMEOUT = control.STOP_TIMEOUT + _LOOK_TIMEOUT  # pg_ctl gives up first and says why
_POLL = timedelta(milliseconds=50)
_EVER = datetime.max.replace(tzinfo=UTC)


async def ensure_data(server: EmbeddedServer, *, durable: bool) -> None:
    """Make the data folder unless it is there: it appears whole, or not at all.

    Raises DatabaseSetupError when it cannot be made, or when what is there is not one.
    """
    if server.data_dir.exists():
        _check_data(server)
        return
    with atomic_directory(server.data_dir, durable=durable) as partial:
        make_private(partial, server.account)
        await control.make_data(server, partial, durable=durable)


def _check_data(server: EmbeddedServer) -> None:
    check_private(server.data_dir, server.account)
    if not (server.data_dir / "PG_VERSION").exists():
        raise DatabaseSetupError(
            f"{server.data_dir} holds no PostgreSQL data (it has no PG_VERSION): "
            "move it away for a new start, or restore it from a backup."
        )


def keep(server: EmbeddedServer) -> None:
    """Let the server that runs now go on when its last client leaves; raise OSError when that cannot be noted."""
    # Whoever may write to the folder, which is not root, must not choose what is written to.
    note = os.open(_note(server), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(note, "w", encoding="utf-8") as file:
        file.write(_run_of(server) or "")


def is_kept(server: EmbeddedServer) -> bool:
    """Return whether an operator has started the run of the server that goes on now."""
    with suppress(OSError, UnicodeDecodeError):
        kept = _note(server).read_text(encoding="utf-8")
        return bool(kept) and kept == _run_of(server)
    return False


def keep_no_longer(server: EmbeddedServer) -> None:
    """Remove the note that lets the server go on."""
    with suppress(OSError):
        _note(server).unlink(missing_ok=True)


def _note(server: EmbeddedServer) -> Path:
    return server.home / "kept"


def _run_of(server: EmbeddedServer) -> str | None:
    """Return what no other run of the server has: its process and the moment of its start."""
    with suppress(OSError, IndexError):
        lines = (server.data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return f"{lines[0]} {lines[2]}"
    return None


@asynccontextmanager
async def open_embedded(
    base_dir: Path, *, start_timeout: timedelta, durable: bool = True, state_dir: Path = STATE_DIR
) -> AsyncGenerator[EmbeddedServer]:
    """Yield the server of `base_dir`: made on first use, started unless it runs, stopped by whoever leaves last.

    An open connection shows that we use it, so nobody has to trust a list of process ids. A server that an operator
    has started is left to them. One that is not `durable` does not survive a power cut: for tests and demonstrations.
    Raises DatabaseSetupError.
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


async def start_embedded(base_dir: Path, *, keeps: bool = False) -> EmbeddedServer:
    """Start the server of `base_dir` unless it runs, and leave it running; raise DatabaseSetupError.

    With `keeps` nobody stops it but `stop_embedded`; else the next to leave does.
    """
    server = await asyncio.to_thread(prepare_server, base_dir, STATE_DIR)
    async with _turn(server, _START_TIMEOUT), limited(server.home, _START_TIMEOUT):
        connection = await _ready(server, durable=True)
        await connection.close()
        if keeps:
            keep(server)
    return server


async def stop_embedded(base_dir: Path) -> bool:
    """Stop the server of `base_dir`, whoever is connected; return False when it did not run.

    Raises DatabaseSetupError when there is no such server, or when it does not stop.
    """
    server = await asyncio.to_thread(existing_server, base_dir, STATE_DIR)
    async with _turn(server, _TURN_TIMEOUT), limited(server.home, _STOP_TIMEOUT):
        keep_no_longer(server)
        if await state_of(server) is not ServerState.RUNNING:
            return False
        await control.stop(server)
        return True


async def is_running(base_dir: Path) -> bool:
    """Return whether the server of `base_dir` runs; raise DatabaseSetupError when there is no such server."""
    server = await asyncio.to_thread(existing_server, base_dir, STATE_DIR)
    async with limited(server.home, _LOOK_TIMEOUT):
        return await state_of(server) is ServerState.RUNNING


async def _ready(server: EmbeddedServer, *, durable: bool) -> psycopg.AsyncConnection:
    """Make and start the server as far as needed, and return a connection to it; call it in turn, limited."""
    await ensure_data(server, durable=durable)
    starts_it = False
    try:
        while True:
            match await state_of(server):
                case ServerState.RUNNING:  # which may mean that it still recovers from a crash
                    if (connection := await _connection(server)) is not None:
                        return connection
                case ServerState.STALE:
                    remove_stale_locks(server)
                case ServerState.STOPPED:
                    starts_it = True
                    await control.start(server, durable=durable)
                    continue
            await asyncio.sleep(_POLL.total_seconds())
    except BaseException:
        if starts_it:
            await _stop_unused(server)
        raise


async def _connection(server: EmbeddedServer) -> psycopg.AsyncConnection | None:
    """Return a connection; None when there may be one later.

    Raises DatabaseUnavailableError when there will be none.
    """
    try:
        return await connect(server)
    except DatabaseUnavailableError as error:
        if not may_answer_later(error):
            raise
        return None


async def _stop_unused(server: EmbeddedServer) -> None:
    """Stop a server that we have started, and that nobody could use: whoever else wants it waits for our turn."""
    with _failures_are_logged():
        async with limited(server.home, _STOP_TIMEOUT):
            if await state_of(server) is ServerState.RUNNING:
                await control.stop(server)


async def _leave(server: EmbeddedServer, since: datetime) -> None:
    """Stop the server unless somebody else is connected, or an operator has started it."""
    with _failures_are_logged():
        async with _turn(server, _TURN_TIMEOUT), limited(server.home, _STOP_TIMEOUT):
            if not is_kept(server) and await _is_unused(server, since):
                await control.stop(server)


async def _is_unused(server: EmbeddedServer, since: datetime) -> bool:
    """Return whether the server runs and nobody is connected, once it answers: it may recover from a crash just now."""
    while await state_of(server) is ServerState.RUNNING:
        if (connection := await _connection(server)) is not None:
            async with connection:
                return await is_alone(connection, since=since)
        await asyncio.sleep(_POLL.total_seconds())
    return False


@contextmanager
def _failures_are_logged() -> Iterator[None]:
    """Log what goes wrong while a server is stopped: the work is done, or has failed for another reason."""
    try:
        yield
    except DatabaseSetupError as error:
        logger.warning("The embedded server was not stopped: %s", error)


@asynccontextmanager
async def _turn(server: EmbeddedServer, limit: timedelta) -> AsyncGenerator[None]:
    """Let one process at a time make, start or stop the server."""
    lock = AsyncFileLock(server.home / "lock", timeout=limit.total_seconds())
    with server_errors(server.home, limit):
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
