"""Find and run PostgreSQL's own programs, in a version that suits the server, without showing a password."""

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

from db.addresses import keywords_of, parse_address
from db.connections import environment_for_programs
from db.embedded import find_binaries
from errors import DatabaseSetupError, InputFileError, OperatorError

PATIENCE = timedelta(hours=12)
"""How long a program may work on a whole database."""

_DEBIAN = Path("/usr/lib/postgresql")
_VERSION_SECONDS = 30
_CONNECT_SECONDS = 30
_LAST_WORDS = 64 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Program:
    """One of PostgreSQL's programs."""

    path: Path
    version: str

    @property
    def major(self) -> int:
        """The version that has to suit the server."""
        return major_of(self.version)


def major_of(version: str) -> int:
    """Return the first number of a version; raise InputFileError when it begins with none."""
    found = re.match(r"\d+", version)
    if found is None:
        raise InputFileError(f"{version!r} is not a version of PostgreSQL: take another backup.")
    return int(found[0])


def find_program(name: str, server_version: str) -> Path:
    """Return where a program is; raise as `choose_program` does."""
    return choose_program(name, server_version).path


def choose_program(name: str, server_version: str) -> Program:
    """Return the program of the server's major version, or else the next newer one.

    Raises OperatorError when there is none, as an older one refuses a newer server.
    """
    wanted = major_of(server_version)
    found = [program for path in _candidates(name) if (program := _program(path)) is not None]
    suitable = [program for program in found if program.major >= wanted]
    if suitable:
        return min(suitable, key=lambda program: program.major)
    there_are = ", ".join(sorted({program.version for program in found})) or "none"
    raise OperatorError(
        f"There is no {name} for PostgreSQL {wanted} here (of others: {there_are}): install PostgreSQL's client "
        f"programs, version {wanted} or newer, or use another format than dump."
    )


def _candidates(name: str) -> Iterator[Path]:
    """Yield the places where a program may be, those of the embedded server first."""
    with suppress(DatabaseSetupError):
        yield find_binaries() / name
    if on_path := shutil.which(name):
        yield Path(on_path)
    yield from sorted(_DEBIAN.glob(f"*/bin/{name}"))


def _program(path: Path) -> Program | None:
    """Return a program with its version; None when it does not tell one."""
    try:
        told = subprocess.run(
            [path, "--version"], capture_output=True, text=True, errors="replace", check=True, timeout=_VERSION_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\(PostgreSQL\) (\d\S*)", told.stdout)
    return Program(path, found[1]) if found else None


async def run_program(program: Path, *arguments: str, dsn: str | None = None, timeout: timedelta) -> str:
    """Run a program, on a database when `dsn` names one, and return what it printed.

    Others on this computer can read a command line: the password goes into a file that only this account can read.
    Raises OperatorError with the program's last words when it fails or takes longer than `timeout`.
    """
    with _credentials(program.name, dsn) as (address, environment):
        code, out, err = await _finish(program, [*address, *arguments], environment, timeout)
    if code != 0:
        raise _failed(program, err)
    return out.decode(errors="replace")


@asynccontextmanager
async def open_output(program: Path, *arguments: str, timeout: timedelta) -> AsyncGenerator[asyncio.StreamReader]:
    """Yield what a program prints while it runs, to be read to its end; it is killed when the context ends before that.

    Raises OperatorError with the program's last words when it fails, or when all of it takes longer than `timeout`.
    """
    with tempfile.TemporaryFile() as words:
        async with _started(program, arguments, environment_for_programs(), stderr=words, timeout=timeout) as process:
            yield _output_of(process)
            code = await process.wait()
        if code != 0:
            words.seek(-min(_LAST_WORDS, words.seek(0, os.SEEK_END)), os.SEEK_END)
            raise _failed(program, words.read())


async def _finish(
    program: Path, arguments: list[str], environment: dict[str, str], timeout: timedelta
) -> tuple[int, bytes, bytes]:
    """Return the exit status of a program and its words; it is killed when we are cancelled."""
    async with _started(program, arguments, environment, stderr=PIPE, timeout=timeout) as process:
        out, err = await process.communicate()
        return await process.wait(), out, err


@asynccontextmanager
async def _started(
    program: Path, arguments: Sequence[str], environment: dict[str, str], *, stderr: Any, timeout: timedelta
) -> AsyncGenerator[Process]:
    """Yield a running program, which is killed on exit; raise OperatorError when it takes too long, or cannot start."""
    try:
        process = await asyncio.create_subprocess_exec(
            program, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=stderr, env=environment
        )
    except OSError as error:
        raise OperatorError(f"{program} cannot be started: {error.strerror}.") from error
    try:
        async with asyncio.timeout(timeout.total_seconds()):
            yield process
    except TimeoutError as error:
        raise OperatorError(f"{program.name} did not end within {timeout}, and was stopped.") from error
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _output_of(process: Process) -> asyncio.StreamReader:
    if process.stdout is None:
        raise TypeError("a program was started without a pipe for what it prints")
    return process.stdout


@contextmanager
def _credentials(name: str, dsn: str | None) -> Generator[tuple[list[str], dict[str, str]]]:
    """Yield the arguments and the environment that lead a program to a database."""
    environment = environment_for_programs()
    if dsn is None:
        yield [], environment
        return
    parts = keywords_of(parse_address(dsn))
    if parts.pop("sslpassword", None) is not None:
        raise OperatorError(f"{name} would show the password of the address's key to others: use another format.")
    password = parts.pop("password", None)
    parts.setdefault("connect_timeout", str(_CONNECT_SECONDS))
    if password is None:
        yield [f"--dbname={make_conninfo(**parts)}"], environment
        return
    parts.pop("passfile", None)
    with tempfile.NamedTemporaryFile("w", prefix="backscroll-", encoding="utf-8") as passfile:  # mode 0600
        passfile.write(_passfile_line(str(password)))
        passfile.flush()
        yield [f"--dbname={make_conninfo(**parts)}"], {**environment, "PGPASSFILE": passfile.name}


def _passfile_line(password: str) -> str:
    """Return the line that gives a password to every server."""
    if "\n" in password or "\r" in password:
        raise OperatorError("A password with a line break cannot be given to PostgreSQL's programs: change it.")
    escaped = re.sub(r"([\\:])", r"\\\1", password)
    return f"*:*:*:*:{escaped}\n"


def _failed(program: Path, words: bytes) -> OperatorError:
    return OperatorError(f"{program.name} failed: {_last_line(words.decode(errors='replace'))}.")


def _last_line(words: str) -> str:
    """Return the last line of what a program said, without its name and its full stop."""
    lines = words.strip().splitlines() or ["it said nothing"]
    return re.sub(r"^pg_\w+: (error: |fatal: )?", "", lines[-1]).rstrip(".")
