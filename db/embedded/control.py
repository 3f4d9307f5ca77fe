"""Make, start and stop a server with initdb and pg_ctl, ask whether it runs, and connect to it."""

import asyncio
import logging
import math
import os
import re
import shlex
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

import psycopg
from psycopg import sql

from db.addresses import keywords_of, parse_address
from db.connections import connect as connect_by
from db.embedded.errors import limited
from db.embedded.server import SOCKET, EmbeddedServer
from db.errors import DATABASE_EXISTS, UNIQUE_VIOLATION, driver_errors, suppress_sqlstates
from db.programs import Surroundings, first_error, last_line, run_in
from errors import DatabaseSetupError, OperatorError

logger = logging.getLogger(__name__)

STOP_TIMEOUT = timedelta(seconds=60)
"""How long a server may take to stop."""

_LONGEST = timedelta(days=1)  # for any of the programs; the limit of whoever calls comes first
_NOT_RUNNING = (3, 4)  # it does not run, there is no data
_INITDB_OPTIONS = (
    "--username=postgres",
    "--auth=trust",  # the socket's folder is the lock
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",  # sorts the same on every system, so that no upgrade of one spoils an index
    "--no-instructions",
)

_CONNECT_TIMEOUT = timedelta(seconds=10)
_QUERY_TIMEOUT = timedelta(seconds=30)
_GRACE = timedelta(seconds=1)  # how long a connection that was just closed may still be counted
_POLL = timedelta(milliseconds=20)

_STARTED_AT = "SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
_OTHER_CLIENTS = (
    "SELECT count(*), coalesce(min(backend_start) < %s, false) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


async def make_data(server: EmbeddedServer, folder: Path, *, durable: bool) -> None:
    """Make an empty folder the data folder of the server; raise DatabaseSetupError when that fails."""
    options = _INITDB_OPTIONS if durable else (*_INITDB_OPTIONS, "--no-sync")
    code, words = await _run(server, "initdb", f"--pgdata={folder}", *options)
    if code != 0:
        raise DatabaseSetupError(
            f"PostgreSQL could not make {server.data_dir} ({first_error(words)}): see that its disk has room and takes "
            "what this account writes, or set EMBEDDED_DIR to another folder."
        )


async def start(server: EmbeddedServer, *, durable: bool) -> None:
    """Start the server and wait for it; raise DatabaseSetupError with what its log says."""
    (server.log_dir / "server.log").unlink(missing_ok=True)
    sizes = {path: path.stat().st_size for path in server.log_dir.glob("*.log")}
    settings = server_settings(server, durable=durable)
    code, _ = await _run(
        server,
        "pg_ctl",
        "start",
        "--wait",
        f"--timeout={int(_LONGEST.total_seconds())}",
        "--silent",
        "--log=log/server.log",  # relative: pg_ctl hands it to a shell
        "--options=" + " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items()),
        reads_output=False,  # the server would keep the pipe, and us waiting for its end
    )
    if code != 0:
        raise DatabaseSetupError(
            f"PostgreSQL did not start on {server.data_dir} ({_why_it_ended(server, sizes)}): "
            f"its log is in {server.log_dir}."
        )


async def stop(server: EmbeddedServer) -> None:
    """Stop the server, whoever is connected, or raise DatabaseSetupError after STOP_TIMEOUT."""
    seconds = math.ceil(STOP_TIMEOUT.total_seconds())
    code, words = await _run(server, "pg_ctl", "stop", "--mode=fast", "--wait", f"--timeout={seconds}", "--silent")
    if code != 0:
        raise DatabaseSetupError(
            f"PostgreSQL did not stop on {server.data_dir} ({last_line(words)}): its log is in {server.log_dir}."
        )


async def has_postmaster(server: EmbeddedServer) -> bool:
    """Return whether pg_ctl finds the server running; raise DatabaseSetupError when pg_ctl fails."""
    code, words = await _run(server, "pg_ctl", "status")
    if code not in (0, *_NOT_RUNNING):
        raise DatabaseSetupError(f"PostgreSQL cannot use {server.data_dir}: {last_line(words)}.")
    return code == 0


def server_settings(server: EmbeddedServer, *, durable: bool) -> dict[str, str]:
    """Return the settings that the server is started with."""
    quoted_socket_dir = str(server.socket_dir).replace('"', '""')
    settings = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": f'"{quoted_socket_dir}"',
        "unix_socket_permissions": "0700",
        "cluster_name": server.label,
        "shared_preload_libraries": _preloaded(server.binaries),
        "timezone": "UTC",
        "shared_buffers": "256MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "2GB",
        "logging_collector": "on",
        "log_directory": str(server.log_dir),
        "log_filename": "server-%a.log",  # seven files, each emptied when its day comes round
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_timezone": "UTC",
    }
    unsafe = {"fsync": "off", "full_page_writes": "off"}  # a commit still outlives a killed server
    return settings if durable else settings | unsafe


def _preloaded(binaries: Path) -> str:
    libraries = binaries.parent / "lib" / "postgresql"
    return "pg_textsearch" if any(libraries.glob("pg_textsearch.*")) else ""


def _why_it_ended(server: EmbeddedServer, sizes: dict[Path, int]) -> str:
    """Return why the server ended, from what was added to its logs since they had these sizes."""
    words = ""
    for path in sorted(server.log_dir.glob("*.log")):
        words += path.read_bytes()[sizes.get(path, 0) :].decode(errors="replace")
    reasons = re.findall(r"(?:FATAL|PANIC|DETAIL):\s+(.+)", words)
    return "; ".join(reasons[-3:]).rstrip(".") or last_line(words)


async def _run(server: EmbeddedServer, program: str, *arguments: str, reads_output: bool = True) -> tuple[int, str]:
    """Run a program as the server's account; return its exit status and what it printed. The caller limits the time.

    The data folder goes through the environment, as pg_ctl would put an argument into a shell command. The
    environment is otherwise empty, so that a PGPORT or the like that is meant for others does not get in.
    """
    account = server.account
    surroundings = Surroundings(
        environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "PGDATA": str(server.data_dir)},
        folder=server.home,
        account=(account.uid, account.gid) if account.is_service else None,
    )
    path = server.binaries / program
    try:
        return await run_in(surroundings, path, *arguments, timeout=_LONGEST, reads_output=reads_output)
    except OperatorError as error:
        raise DatabaseSetupError(str(error)) from error


async def connect(server: EmbeddedServer) -> psycopg.AsyncConnection:
    """Return a connection, to be closed by the caller; raise DatabaseUnavailableError when there is no answer."""
    keywords = keywords_of(parse_address(server.dsn("postgres")))
    with driver_errors():
        return await connect_by(keywords, timeout=_CONNECT_TIMEOUT, autocommit=True)


async def ensure_database(server: EmbeddedServer, name: str) -> None:
    """Create a database unless it is there; raise DatabaseSetupError when the server does not."""
    async with limited(server.home, _QUERY_TIMEOUT), await connect(server) as connection:
        found = await connection.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if await found.fetchone() is None:
            # another process may be faster
            with suppress_sqlstates(DATABASE_EXISTS, UNIQUE_VIOLATION):
                await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


async def started_at(connection: psycopg.AsyncConnection) -> datetime:
    """Return since when a connection has been open, on the server's clock."""
    row = await (await connection.execute(_STARTED_AT)).fetchone()
    return row[0] if row else datetime.min.replace(tzinfo=UTC)


async def is_alone(connection: psycopg.AsyncConnection, *, since: datetime) -> bool:
    """Return whether nobody else is connected, once our other connections that have just been closed are gone.

    Ours have all been opened `since` then: whoever was connected before is somebody else, and not worth a wait.
    """
    for _ in range(_GRACE // _POLL):
        count, has_older = await (await connection.execute(_OTHER_CLIENTS, [since])).fetchone() or (0, False)
        if count == 0 or has_older:
            return bool(count == 0)
        await asyncio.sleep(_POLL.total_seconds())
    return False


class ServerState(Enum):
    """What is true of a server now."""

    RUNNING = "running"
    ENDING = "ending"  # the postmaster is gone, some of its children are not yet
    STALE = "stale"  # a lock file names a process that is not a server
    STOPPED = "stopped"


async def state_of(server: EmbeddedServer) -> ServerState:
    """Return whether the server runs; a process id alone does not prove it, as something else may have it by now.

    Raises DatabaseSetupError when pg_ctl fails.
    """
    if _stale_locks(server):
        return ServerState.STALE
    if await has_postmaster(server):
        return ServerState.RUNNING
    return ServerState.ENDING if _has_children(server) else ServerState.STOPPED


def remove_stale_locks(server: EmbeddedServer) -> None:
    """Remove the lock files that a crash left behind and that are in the way."""
    for lock in _stale_locks(server):
        logger.warning("%s is left over from a crash: removed", lock)
        lock.unlink(missing_ok=True)


def _stale_locks(server: EmbeddedServer) -> list[Path]:
    locks = (server.data_dir / "postmaster.pid", server.socket_dir / f"{SOCKET}.lock")
    return [lock for lock in locks if lock.exists() and _is_mistaken(_process_id(lock))]


def _process_id(lock: Path) -> int | None:
    """Return the process id in a lock file; None when a crash left no number in it."""
    with suppress(OSError, ValueError, IndexError):
        return int(lock.read_text().splitlines()[0])
    return None


def _is_mistaken(process_id: int | None) -> bool:
    """Return whether something else has this process id, which pg_ctl and PostgreSQL would take for a server.

    That is common in a container, whose few process ids come back after a restart; a process that has died but
    is not buried counts too. An id that nobody has is left to PostgreSQL, which knows best.
    """
    if process_id is None:
        return True
    with suppress(OSError):
        name, _, rest = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")
        return not name.endswith("(postgres") or rest.split()[0] == "Z"
    return False


def _has_children(server: EmbeddedServer) -> bool:
    """Return whether processes of the server outlive its postmaster; they keep its memory for a moment."""
    title = f"postgres: {server.label}:".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if title in (process / "cmdline").read_bytes():
                return True
    return False
