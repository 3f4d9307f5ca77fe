"""What the tests of whole processes share: a terminal to type into, and a look at what was stored."""

import asyncio
import csv
import fcntl
import os
import pty
import signal
import sys
import termios
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from bench.processes import PATIENCE, ROOT, Finished, Program, Workplace, open_program, run_program

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

FAKE_DISCORD = Path(__file__).with_name("launch_on_fake_discord.py")
"""Runs main_async.py against the Discord at FAKE_DISCORD_REST and FAKE_DISCORD_GATEWAY."""


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


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@asynccontextmanager
async def open_terminal(
    place: Workplace, *arguments: str, program: Sequence[str] = (str(ROOT / "main_async.py"),), **settings: str
) -> AsyncGenerator[Terminal]:
    """Yield a Python program at a pseudo-terminal; it is killed if it still runs at the end."""
    ours, theirs = pty.openpty()
    looks = {"TERM": "xterm", "COLUMNS": "120", "LINES": "40", "PROMPT_TOOLKIT_NO_CPR": "1", "NO_COLOR": "1"}
    looks["PYTHONFAULTHANDLER"] = "1"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *program, *arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=place.folder,
        env=place.environment(**looks, **settings),
        start_new_session=True,
        preexec_fn=_take_terminal,  # else Ctrl+C would reach nobody
    )
    os.close(theirs)
    screen = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(screen), os.fdopen(os.dup(ours), "rb", buffering=0)
    )
    try:
        yield Terminal(process, ours, screen)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        transport.close()
        os.close(ours)
