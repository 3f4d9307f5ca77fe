"""What the tests of whole processes share: scripts at pipes or a terminal, and a look at what was stored.

A script begins in a process that has its libraries loaded already, unless the test is about a Fresh start.
"""

import asyncio
import csv
import fcntl
import os
import platform
import pty
import signal
import sys
import termios
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from bench import processes
from bench.processes import PATIENCE, ROOT, Finished, Process, Program, Workplace
from tests.warm import Request, start_warm

__all__ = [
    "PATIENCE",
    "ROOT",
    "Finished",
    "Program",
    "Terminal",
    "Workplace",
    "journal_rows",
    "open_program",
    "open_terminal",
    "run_program",
    "stored_rows",
    "terminal_arguments",
]

_SHORT_PATIENCE = 240  # seconds; several such waits must fit into the time of a test

MAIN = ROOT / "main_async.py"


def terminal_arguments(session: str, *more: str, speaker: str = "ana") -> tuple[str, ...]:
    """Return the arguments of a session in the terminal that asks nothing."""
    return ("--terminal", "--yes", "--as", speaker, "--session", session, *more)


def journal_rows(path: Path) -> list[dict[str, str]]:
    """Return the lines of a session's CSV."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def stored_rows(place: Workplace) -> list[dict[str, Any]]:
    """Return the messages in short-term memory, in the order of their ids."""
    with psycopg.connect(place.settings["SHORT_TERM_DSN"], row_factory=dict_row) as connection:
        return connection.execute("SELECT * FROM messages ORDER BY message_id").fetchall()


@dataclass(frozen=True, slots=True)
class Fresh:
    """A script that a Python of its own starts, libraries and all."""

    path: Path


@dataclass(slots=True)
class Terminal:
    """A process that believes to talk to a person."""

    process: Process
    keyboard: int
    screen: asyncio.StreamReader
    shown: str = ""

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.keyboard, keys.encode())

    async def shows(self, words: str) -> None:
        """Wait until something is on the screen, below what was waited for last."""
        async with self._patience(f"it does not show {words!r}"):
            while words not in self.shown:
                new = await self._read()
                assert new, f"the process ended without showing {words!r}: {self.shown}"
                self.shown += new
        self.shown = self.shown.partition(words)[2]

    async def ends(self) -> tuple[int, str]:
        """Wait for the end; return the exit status and what was still shown."""
        async with self._patience("it does not end"):
            while new := await self._read():
                self.shown += new
            return await self.process.wait(), self.shown

    @asynccontextmanager
    async def _patience(self, complaint: str) -> AsyncGenerator[None]:
        """Limit a wait; what the process was doing all the time is part of the complaint."""
        try:
            async with asyncio.timeout(_SHORT_PATIENCE):
                yield
        except TimeoutError:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGABRT)  # Python then prints where each of its threads stands
            while new := await self._read():
                self.shown += new
            pytest.fail(f"{complaint}; its screen and its threads:\n{self.shown}")

    async def _read(self) -> str:
        with suppress(OSError):  # how Linux tells that the other side of a terminal was closed
            return (await self.screen.read(4096)).decode("utf-8", "replace")
        return ""


@asynccontextmanager
async def open_program(
    place: Workplace, *arguments: str, script: Path | Fresh = MAIN, **settings: str
) -> AsyncGenerator[Program]:
    """Yield a running script with pipes; one that still runs at the end is killed."""
    if _is_fresh(script):
        async with processes.open_program(place, *arguments, script=_path(script), **settings) as program:
            yield program
        return
    process = await start_warm(_request(place, _path(script), arguments, settings))
    with closing(process):
        async with _ended(process):
            yield Program(process)


async def run_program(
    place: Workplace,
    *arguments: str,
    given: str | bytes = b"",
    script: Path | Fresh = MAIN,
    **settings: str,
) -> Finished:
    """Run a script to its end on some input."""
    async with open_program(place, *arguments, script=script, **settings) as program:
        return await program.finish(given.encode() if isinstance(given, str) else given)


@asynccontextmanager
async def open_terminal(
    place: Workplace, *arguments: str, script: Path | Fresh = MAIN, **settings: str
) -> AsyncGenerator[Terminal]:
    """Yield a script at a pseudo-terminal; it is killed if it still runs at the end."""
    looks = {"TERM": "xterm", "COLUMNS": "120", "LINES": "40", "PROMPT_TOOLKIT_NO_CPR": "1", "NO_COLOR": "1"}
    looks["PYTHONFAULTHANDLER"] = "1"
    ours, theirs = pty.openpty()
    try:
        process = await _start_at(theirs, place, script, arguments, {**looks, **settings})
    finally:
        os.close(theirs)
    screen = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(screen), os.fdopen(os.dup(ours), "rb", buffering=0)
    )
    try:
        async with _ended(process):
            yield Terminal(process, ours, screen)
    finally:
        transport.close()
        os.close(ours)


async def _start_at(
    terminal: int, place: Workplace, script: Path | Fresh, arguments: Sequence[str], settings: Mapping[str, str]
) -> Process:
    if not _is_fresh(script):
        request = _request(place, _path(script), arguments, settings)
        return await start_warm(replace(request, at_terminal=True), terminal=terminal)
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(_path(script)), *arguments),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=place.folder,
        env=place.environment(**settings),
        start_new_session=True,
        preexec_fn=_take_terminal,  # else Ctrl+C would reach nobody
    )


def _is_fresh(script: Path | Fresh) -> bool:
    return isinstance(script, Fresh) or platform.system() != "Linux"  # macOS stops what forks without starting anew


def _path(script: Path | Fresh) -> Path:
    return script.path if isinstance(script, Fresh) else script


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _request(place: Workplace, script: Path, arguments: Sequence[str], settings: Mapping[str, str]) -> Request:
    return Request(
        script=str(script),
        arguments=arguments,
        folder=str(place.folder),  # away from any .env
        environment=place.environment(**settings),
    )


@asynccontextmanager
async def _ended(process: Process) -> AsyncGenerator[None]:
    """Kill a process at the end of the context if it still runs."""
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
