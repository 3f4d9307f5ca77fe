"""Measure how soon each command answers and the bot listens, cold and warm, beside `python -c pass` in the same run.

Cold is the first run of a fresh copy of the checkout: nothing of it is compiled, and where the system allows it nothing
of Python or of its packages is in the disk cache. Warm are the medians of the runs that follow.
"""

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Annotated

import psycopg
import typer

from bench.processes import ROOT, Workplace, open_workplace
from bench.tables import table
from db.addresses import keywords_of, parse_address
from db.connections import connect
from db.embedded.server import STATE_DIR, existing_server
from errors import DatabaseSetupError

SESSION = "start"
BOT = ("main_async.py", "--terminal", "--yes", "--as", "bench", "--session", SESSION)
QUESTION = "/chat where is the kettle?"

_DROP_CACHES = Path("/proc/sys/vm/drop_caches")
_LONGEST = 600.0  # seconds that one run may take
_GLANCE = 0.01
_CONNECT_TIMEOUT = timedelta(seconds=10)
_MEGABYTE = 1024  # of the kilobytes that the system counts in
_STORED = "SELECT 1 FROM messages WHERE content = %s"

BARE = (("python -c pass", ("-c", "pass")), ("python -c 'import typer, rich'", ("-c", "import typer, rich")))
COMMANDS = tuple(
    (command, tuple(command.split()))
    for command in (
        "main_async.py --help",
        "main_async.py --nonsense",
        "backups.py --help",
        "db_save.py --help",
    )
)
BESIDE_A_BOT = (
    ("backups.py list", ("backups.py", "list")),
    ("db_save.py list", ("db_save.py", "list")),
    ("main_async.py search QUESTION", ("main_async.py", "search", "where is the kettle?")),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command: seconds to its first output and to its end."""

    first_output: float
    ended: float


@dataclass(frozen=True, slots=True)
class BotRun:
    """One run of the bot: seconds until a message is in its CSV, in its database, and until a question is answered."""

    listening: float
    stored: float
    answered: float
    megabytes: float
    """Resident memory once the question is answered."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a checkout, with the environment that its commands run in."""

    folder: Path
    place: Workplace

    def environment(self) -> dict[str, str]:
        """Return an environment in which Python keeps what it compiles, as it does for a user."""
        environment = self.place.environment(EMBEDDING_DIR=str(self.place.folder / "models"))
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return environment

    def start(self, arguments: Sequence[str], **pipes: int) -> "subprocess.Popen[bytes]":
        """Start Python with some arguments in the copy."""
        command = [sys.executable, *arguments]
        return subprocess.Popen(command, cwd=self.folder, env=self.environment(), **pipes)  # type: ignore[call-overload,no-any-return]


@contextmanager
def open_copy(root: Path) -> Iterator[Copy]:
    """Yield a fresh copy of what a checkout tracks, and a workplace for it."""
    with open_workplace() as place:
        folder = place.folder / "checkout"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
            cwd=root,
            capture_output=True,
            check=True,
            timeout=_LONGEST,
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (root / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(root / name, folder / name)
        yield Copy(folder, place)


def drop_disk_cache() -> bool:
    """Let the system forget what it read from the disk; return False where it is not allowed."""
    os.sync()
    try:
        _DROP_CACHES.write_text("1", encoding="ascii")
    except OSError:
        return False
    return True


def run(copy: Copy, arguments: Sequence[str]) -> Run:
    """Run Python once with some arguments, and measure it."""
    begun = time.perf_counter()
    process = copy.start(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with _killed_when_too_slow(process):
        output = _pipe(process.stdout)
        first = output.read(1)
        first_output = time.perf_counter() - begun if first else float("nan")
        output.read()
        process.wait()
    return Run(first_output, time.perf_counter() - begun)


def peak_memory(copy: Copy, arguments: Sequence[str]) -> float:
    """Return the largest memory, in megabytes, of Python with some arguments."""
    measuring = [str(ROOT / "bench" / "peak_memory.py"), sys.executable, *arguments]
    process = copy.start(measuring, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with _killed_when_too_slow(process):
        output, _ = process.communicate()
    return int(output.split()[-1]) / 2**20


def modules(copy: Copy, arguments: Sequence[str]) -> int:
    """Return how many modules Python imports for some arguments."""
    process = copy.start(
        ("-X", "importtime", *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, errors = process.communicate(timeout=_LONGEST)
    return sum(line.startswith(b"import time:") for line in errors.splitlines()) - 1  # without the heading


def run_bot(copy: Copy, number: int) -> BotRun:
    """Start the bot for the time of this number, say something, ask for it, and measure when each came through."""
    said = f"the kettle of day {number} is in the blue kitchen"
    begun = time.perf_counter()
    with _bot(copy) as process:
        _say(process, said)
        listening = _seconds(begun, lambda: _is_journalled(copy, said))
        stored = _seconds(begun, lambda: _is_stored(copy, said))
        _say(process, QUESTION)
        _hear(process, "Sources:")
        return BotRun(listening, stored, time.perf_counter() - begun, _resident(process.pid))


def memory_after(copy: Copy, *, messages: int, questions: int) -> float:
    """Return the resident memory, in megabytes, of a bot that has taken messages in and answered questions."""
    with _bot(copy) as process:
        for number in range(messages):
            _say(process, f"note {number}: shelf {number % 37} of the store holds {number * 7} jars")
        for number in range(questions):
            _say(process, f"/chat what holds shelf {number}?")
            _hear(process, "Sources:")
        return _resident(process.pid)


@contextmanager
def _bot(copy: Copy) -> Iterator["subprocess.Popen[bytes]"]:
    process = copy.start(BOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        with _killed_when_too_slow(process):
            yield process
            _pipe(process.stdin).close()
            process.wait(timeout=_LONGEST)
    finally:
        process.kill()
        process.wait(timeout=_LONGEST)


@contextmanager
def _killed_when_too_slow(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Kill a process that takes longer than any should, which ends the reading of its output too."""
    timer = threading.Timer(_LONGEST, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _say(process: "subprocess.Popen[bytes]", line: str) -> None:
    stdin = _pipe(process.stdin)
    stdin.write(f"{line}\n".encode())
    stdin.flush()


def _hear(process: "subprocess.Popen[bytes]", words: str) -> None:
    for line in _pipe(process.stdout):
        if words in line.decode():
            return
    raise EOFError(f"the bot ended without {words!r}")


def _seconds(begun: float, happened: Callable[[], bool]) -> float:
    """Return the seconds from a moment until something has happened."""
    while not happened():
        if time.perf_counter() - begun > _LONGEST:
            raise TimeoutError("the bot did not get that far")
        time.sleep(_GLANCE)
    return time.perf_counter() - begun


def _is_journalled(copy: Copy, text: str) -> bool:
    try:
        return text in copy.place.journal_path(SESSION).read_text(encoding="utf-8")
    except OSError:
        return False


def _is_stored(copy: Copy, text: str) -> bool:
    """Return whether short-term memory holds a message; False also while it cannot be asked."""
    try:
        dsn = existing_server(copy.place.embedded_dir, STATE_DIR).dsn("short_term")
        return asyncio.run(_has_text(dsn, text))
    except (psycopg.Error, DatabaseSetupError):
        return False


async def _has_text(dsn: str, text: str) -> bool:
    async with await connect(keywords_of(parse_address(dsn)), timeout=_CONNECT_TIMEOUT) as connection:
        return await (await connection.execute(_STORED, [text])).fetchone() is not None


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / _MEGABYTE


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream


def _command_rows(copy: Copy, commands: Sequence[tuple[str, Sequence[str]]], runs: int) -> list[list[str | float]]:
    rows: list[list[str | float]] = []
    for name, arguments in commands:
        drop_disk_cache()
        cold = run(copy, arguments)
        warm = [run(copy, arguments) for _ in range(runs)]
        rows.append(
            [
                name,
                f"{cold.first_output:.2f}",
                f"{_median(one.first_output for one in warm):.2f}",
                f"{_median(one.ended for one in warm):.2f}",
                modules(copy, arguments),
                f"{peak_memory(copy, arguments):.0f}",
            ]
        )
        typer.echo(f"measured {name}", err=True)
    return rows


def _bot_rows(copy: Copy, runs: int) -> list[list[str | float]]:
    first = run_bot(copy, 0)
    drop_disk_cache()
    cold = run_bot(copy, 1)
    warm = [run_bot(copy, number) for number in range(2, 2 + runs)]
    median = BotRun(
        _median(one.listening for one in warm),
        _median(one.stored for one in warm),
        _median(one.answered for one in warm),
        _median(one.megabytes for one in warm),
    )
    starts = {"the first start ever": first, "cold": cold, "warm": median}
    return [
        [name, f"{one.listening:.2f}", f"{one.stored:.2f}", f"{one.answered:.2f}", f"{one.megabytes:.0f}"]
        for name, one in starts.items()
    ]


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def main(
    root: Annotated[
        Path,
        typer.Option(
            exists=True, file_okay=False, help="The checkout to measure; its packages are those of this Python."
        ),
    ] = ROOT,
    runs: Annotated[int, typer.Option(min=1, help="Warm runs of each, of which the median is printed.")] = 5,
    messages: Annotated[int, typer.Option(min=1, help="Messages before the bot's memory is looked at.")] = 1000,
    questions: Annotated[int, typer.Option(min=1, help="Questions before the bot's memory is looked at.")] = 10,
) -> None:
    """Print how long every command and the bot take to start, and how much memory they take."""
    cold = "with an empty disk cache" if drop_disk_cache() else "not compiled; the disk cache cannot be emptied here"
    with open_copy(root.resolve()) as copy:
        bots = _bot_rows(copy, runs)
        with _bot(copy) as process:
            _say(process, "/about")
            _hear(process, "language model")
            beside = _command_rows(copy, BESIDE_A_BOT, runs)
        commands = _command_rows(copy, [*BARE, *COMMANDS], runs)
        largest = memory_after(copy, messages=messages, questions=questions)
    typer.echo(f"Seconds; cold is {cold}, warm the median of {runs} runs.\n")
    heads = ["command", "cold: output", "warm: output", "warm: ended", "modules", "MB"]
    typer.echo(table(heads, [*commands, *beside]))
    typer.echo("")
    typer.echo(table(["bot in a terminal", "listening", "message stored", "question answered", "MB"], bots))
    typer.echo(f"\nresident after {messages:,} messages and {questions} questions: {largest:.0f} MB")


if __name__ == "__main__":
    typer.run(main)
