"""Drive PostgreSQL's own programs, initdb and pg_ctl."""

import asyncio
import math
import os
import re
import shlex
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from datetime import timedelta
from pathlib import Path

from db.embedded.reports import last_line, reason
from db.embedded.server import EmbeddedServer
from errors import DatabaseSetupError

STOP_TIMEOUT = timedelta(seconds=60)
"""How long a server may take to stop."""

_NEVER = 86_400  # seconds; our own limit comes first
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


async def make_data(server: EmbeddedServer, folder: Path, *, durable: bool) -> None:
    """Make an empty folder the data folder of the server; raise DatabaseSetupError when that fails."""
    options = _INITDB_OPTIONS if durable else (*_INITDB_OPTIONS, "--no-sync")
    code, words = await _run(server, "initdb", f"--pgdata={folder}", *options)
    if code != 0:
        raise DatabaseSetupError(
            f"PostgreSQL could not make {server.data_dir} ({reason(words)}): see that its disk has room and takes what "
            "this account writes, or set EMBEDDED_DIR to another folder."
        )


async def start(server: EmbeddedServer, *, durable: bool) -> None:
    """Start the server and wait for it; raise DatabaseSetupError with what its log says."""
    (server.log_dir / "server.log").unlink(missing_ok=True)
    known = _log_sizes(server)
    settings = server_settings(server, durable=durable)
    code, _ = await _run(
        server,
        "pg_ctl",
        "start",
        "--wait",
        f"--timeout={_NEVER}",
        "--silent",
        "--log=log/server.log",  # relative: pg_ctl hands it to a shell
        "--options=" + " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items()),
        heard=False,  # the server would keep the pipe, and us waiting for its end
    )
    if code != 0:
        raise DatabaseSetupError(
            f"PostgreSQL did not start on {server.data_dir} ({_log_says(server, known)}): "
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
    """Tell whether pg_ctl finds the server running; raise DatabaseSetupError when it cannot tell."""
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


def _log_sizes(server: EmbeddedServer) -> dict[Path, int]:
    return {path: path.stat().st_size for path in server.log_dir.glob("*.log")}


def _log_says(server: EmbeddedServer, known: dict[Path, int]) -> str:
    """Return why the server gave up, from what its logs say beyond the sizes known."""
    words = ""
    for path in sorted(server.log_dir.glob("*.log")):
        words += path.read_bytes()[known.get(path, 0) :].decode(errors="replace")
    reasons = re.findall(r"(?:FATAL|PANIC|DETAIL):\s+(.+)", words)
    return "; ".join(reasons[-3:]).rstrip(".") or last_line(words)


async def _run(server: EmbeddedServer, program: str, *arguments: str, heard: bool = True) -> tuple[int, str]:
    """Run a program as the server's account; return its exit status and its words. The caller limits the time.

    The data folder goes through the environment, as pg_ctl would put an argument into a shell command. The
    environment is otherwise empty, so that a PGPORT or the like that is meant for others does not get in.
    """
    other = server.account if server.account.is_service else None
    process = await asyncio.create_subprocess_exec(
        str(server.binaries / program),
        *arguments,
        stdin=DEVNULL,
        stdout=PIPE if heard else DEVNULL,
        stderr=STDOUT,
        cwd=server.home,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "PGDATA": str(server.data_dir)},
        user=other.uid if other else None,
        group=other.gid if other else None,
        extra_groups=[] if other else None,
    )
    try:
        words, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
        code = await process.wait()
    return code, (words or b"").decode(errors="replace")
