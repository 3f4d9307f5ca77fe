"""Start and stop the server; its data is thrown away with every start."""

import os
import secrets
import shutil
import socket
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock

from errors import DatabaseSetupError
from tests.in_memory import has_room
from tests.timescale.folders import Place
from tests.timescale.programs import run
from tests.timescale.tree import Report, ensure_tree

HOST = "127.0.0.1"

_ACCOUNT, _OWNER = "postgres", "postgres"
_PROGRAMS = "/usr/lib/postgresql/17/bin"
_LIMIT = timedelta(minutes=2)
_TURN = timedelta(minutes=30)  # another process may be making the tree

_INITDB_OPTIONS = (
    f"--username={_OWNER}",
    "--auth-host=scram-sha-256",
    "--auth-local=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-sync",
)
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_preload_libraries": "timescaledb,pg_textsearch",
    "timescaledb.telemetry_level": "off",
    "timescaledb.max_background_workers": "0",  # else each database has a process for jobs, of which we have none
    "dynamic_shared_memory_type": "mmap",  # the tree has no /dev/shm that is memory
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "200",
    "authentication_timeout": "5s",  # DROP DATABASE waits for a client that was cancelled while it introduced itself
    "max_locks_per_transaction": "256",  # a statement on a hypertable locks every chunk and its indexes
    "timezone": "UTC",
    "fsync": "off",
    "full_page_writes": "off",
}


def start(place: Place, *, port: int, report: Report) -> str:
    """Start the server unless it runs, making what is missing, and return its address.

    Raises DatabaseSetupError in one sentence.
    """
    place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _turn(place):
        ensure_tree(place, report)
        if not is_running(place):
            _refuse_taken(port)
            _start_anew(place, port)
        return find_address(place)


def stop(place: Place) -> bool:
    """Stop the server, whoever is connected, and tell whether it ran."""
    if not is_running(place):
        return False
    with _turn(place):
        _run_inside(place, "pg_ctl", "stop", "--pgdata=/data", "--mode=immediate", "--wait")
        _free_memory(place)
        place.password_file.unlink(missing_ok=True)
    return True


def remove(place: Place) -> None:
    """Stop the server and remove all that was made for it."""
    stop(place)
    _free_memory(place)
    if place.folder.exists():
        shutil.rmtree(place.folder)


def is_running(place: Place) -> bool:
    """Tell whether the server runs: a process id that something else has by now is not taken for it."""
    with suppress(OSError, ValueError, IndexError):
        process_id = int((place.data / "postmaster.pid").read_text().splitlines()[0])
        return Path(f"/proc/{process_id}/root").readlink() == place.tree.resolve()
    return False


def find_address(place: Place) -> str:
    """Return the address of the running server; raise DatabaseSetupError when it does not run."""
    if not is_running(place) or not place.password_file.exists():
        raise DatabaseSetupError(
            f"The tests' TimescaleDB in {place.folder} does not run: start it with python -m tests.timescale start."
        )
    port = place.password_file.read_text().split(":")[1]
    return f"postgresql://{_OWNER}@{HOST}:{port}/postgres?passfile={quote(str(place.password_file), safe='')}"


def _turn(place: Place) -> FileLock:
    return FileLock(place.lock, timeout=_TURN.total_seconds())


def _refuse_taken(port: int) -> None:
    try:
        with socket.create_server((HOST, port)):
            return
    except OSError as error:
        raise DatabaseSetupError(f"Port {port} of {HOST} is taken: give another one with --port.") from error


def _start_anew(place: Place, port: int) -> None:
    password = secrets.token_urlsafe(24)
    _make_data(place, password)
    with (place.data / "postgresql.conf").open("a") as configuration:
        configuration.writelines(f"{name} = '{value}'\n" for name, value in {**_SETTINGS, "port": port}.items())
    _write_secret(place.password_file, f"{HOST}:{port}:*:{_OWNER}:{password}\n")
    _run_inside(place, "pg_ctl", "start", "--pgdata=/data", "--wait", "--log=/data/server.log", says=place.server_log)


def _make_data(place: Place, password: str) -> None:
    """Make an empty data folder, and give the superuser a password that nobody else can read."""
    _free_memory(place)
    if place.data.exists():
        shutil.rmtree(place.data)
    place.data.mkdir(mode=0o700)
    if has_room():
        with suppress(DatabaseSetupError):  # a container may not mount: its data lie on the disk then
            run("mount", "-t", "tmpfs", "-o", "mode=0700", "tmpfs", str(place.data), log=place.log, limit=_LIMIT)
    password_file = place.tree / "password"
    _write_secret(password_file, password)
    for path in (place.data, password_file):
        os.chown(path, *_account(place))
    try:
        _run_inside(place, "initdb", "--pgdata=/data", "--pwfile=/password", *_INITDB_OPTIONS)
    finally:
        password_file.unlink()


def _free_memory(place: Place) -> None:
    """Give back the memory that the data are in, if they are."""
    if place.data.is_mount():
        run("umount", str(place.data), log=place.log, limit=_LIMIT)


def _account(place: Place) -> tuple[int, int]:
    """Return the ids of the server's user, who is known in the tree only."""
    for line in (place.tree / "etc/passwd").read_text().splitlines():
        name, _, user_id, group_id, *_ = line.split(":")
        if name == _ACCOUNT:
            return int(user_id), int(group_id)
    raise DatabaseSetupError(f"{place.tree} has no user {_ACCOUNT}: remove it with python -m tests.timescale remove.")


def _write_secret(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def _run_inside(place: Place, program: str, *arguments: str, says: Path | None = None) -> None:
    inside = ("chroot", f"--userspec={_ACCOUNT}:{_ACCOUNT}", str(place.tree), f"{_PROGRAMS}/{program}")
    run(*inside, *arguments, log=place.log, limit=_LIMIT, name=program, says=says)
