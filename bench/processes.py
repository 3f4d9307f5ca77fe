"""Run main_async.py as a process of its own, on storage that is thrown away."""

import asyncio
import os
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from bench.models import shared_models_dir
from settings import Settings

Stream = TypeVar("Stream", asyncio.StreamReader, asyncio.StreamWriter)

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = timedelta(minutes=10)  # a start loads a language library; thousands of messages are embedded on two cores

_PER_MESSAGE = timedelta(milliseconds=100)  # a slow and busy machine embeds ten a second
_GLANCE = timedelta(milliseconds=50)


def patience_for(messages: int) -> timedelta:
    """Return how long a process may take that has to store so many messages."""
    return PATIENCE + messages * _PER_MESSAGE


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended and all that it printed."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """A storage folder, and the environment that makes a process work there and nowhere else."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def storage_dir(self) -> Path:
        """The folder of the sessions."""
        return self.folder / "storage"

    @property
    def embedded_dir(self) -> Path:
        """The folder of the embedded server."""
        return self.folder / "postgres"

    @property
    def backup_dir(self) -> Path:
        """The folder of the backups."""
        return self.folder / "backups"

    def journal_path(self, session: str) -> Path:
        """The CSV of a session whose name has neither date nor number."""
        return self.storage_dir / session / f"{session}.csv"

    def environment(self, **settings: str) -> dict[str, str]:
        """Return our own environment, with these settings in place of those that happen to be set."""
        inherited = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
        ours = {
            "STORAGE_DIR": str(self.storage_dir),
            "EMBEDDED_DIR": str(self.embedded_dir),
            "BACKUP_DIR": str(self.backup_dir),
            "EMBEDDING_DIR": str(shared_models_dir()),
            "HF_HUB_OFFLINE": "1",
        }
        return {**inherited, **ours, **self.settings, **settings}


@contextmanager
def open_workplace(**settings: str) -> Iterator[Workplace]:
    """Yield an empty workplace that everybody may enter, the service user of root's server too; it is removed."""
    folder = Path(tempfile.mkdtemp(prefix="backscroll-"))
    folder.chmod(0o755)
    try:
        yield Workplace(folder=folder, settings=settings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Process(Protocol):
    """What we need of `asyncio.subprocess.Process`."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def returncode(self) -> int | None:
        """Its exit status, that of a signal below zero; None while it runs."""

    @property
    def stdin(self) -> asyncio.StreamWriter | None:
        """The pipe to it."""

    @property
    def stdout(self) -> asyncio.StreamReader | None:
        """The pipe from it."""

    @property
    def stderr(self) -> asyncio.StreamReader | None:
        """The pipe for its errors."""

    async def wait(self) -> int:
        """Wait for its end and return the exit status."""

    async def communicate(self, last_words: bytes | None = None, /) -> tuple[bytes, bytes]:
        """Write, read to the end of both pipes and wait for the end."""

    def send_signal(self, number: int, /) -> None:
        """Send it a signal."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it."""


@dataclass(slots=True)
class Program:
    """A running process whose input and output are pipes."""

    process: Process
    heard: str = ""

    async def say(self, *lines: str) -> None:
        """Write lines to its standard input."""
        stdin = _pipe(self.process.stdin)
        stdin.write("".join(f"{line}\n" for line in lines).encode())
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await stdin.drain()

    async def hear(self, words: str, *, on_stderr: bool = False) -> None:
        """Read its standard output or error up to the line that contains these words."""
        source = _pipe(self.process.stderr if on_stderr else self.process.stdout)
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while line := (await source.readline()).decode():
                self.heard += line
                if words in line:
                    return
        raise EOFError(f"the process ended without {words!r}; it said: {self.heard}")

    async def finish(self, last_words: bytes = b"", *, patience: timedelta = PATIENCE) -> Finished:
        """Write, close its standard input and wait for the end; what `hear` has read is not in the result."""
        async with asyncio.timeout(patience.total_seconds()):
            out, err = await self.process.communicate(last_words)
        return Finished(self.process.returncode or 0, out.decode(), err.decode())

    async def kill(self) -> None:
        """End it with kill -9."""
        self.process.kill()
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await self.process.wait()


def _pipe(stream: Stream | None) -> Stream:
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream


@asynccontextmanager
async def open_program(
    place: Workplace, *arguments: str, script: Path = ROOT / "main_async.py", **settings: str
) -> AsyncGenerator[Program]:
    """Yield a running script; one that still runs at the end is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        *arguments,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=place.folder,  # away from any .env
        env=place.environment(**settings),
    )
    try:
        yield Program(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def run_program(
    place: Workplace, *arguments: str, given: str | bytes = b"", script: Path = ROOT / "main_async.py", **settings: str
) -> Finished:
    """Run a script to its end on some input."""
    async with open_program(place, *arguments, script=script, **settings) as program:
        return await program.finish(given.encode() if isinstance(given, str) else given)


async def until(happened: Callable[[], bool], program: Program) -> None:
    """Look again and again until something has happened; raise EOFError when the program ends before."""
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while not happened():
            if program.process.returncode is not None:
                raise EOFError(f"the program ended too early: {await program.finish()}")
            await asyncio.sleep(_GLANCE.total_seconds())


async def run_module(module: str, *arguments: str) -> int:
    """Run one of the project's modules, as `python -m` does, and return its exit status."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, cwd=ROOT
    )
    async with asyncio.timeout(PATIENCE.total_seconds()):
        return await process.wait()
