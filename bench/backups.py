"""Back up, restore and promote many messages, beside pg_dump, pg_restore and raw binary COPY of the same rows.

Whole commands are timed as processes, start and checksums included, with the most memory that they or their children
took. What is compared with `pg_restore` is the loading of rows alone, as `pg_restore --section=data` does it; what the
indexes take is said apart. Promotion reads a session's CSV and finds the vectors in short-term memory; raw COPY writes
the same rows into a table with the same indexes, which have none of vectors.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from psycopg import sql

from bench.made_rows import Rows, make_rows
from bench.models import MODEL
from bench.processes import PATIENCE, ROOT, Workplace, open_workplace
from bench.servers import WIDTH, open_new_database
from bench.tables import table
from cli.console import progress_bar, shown_while
from db.config import SHORT_TERM_LAYOUT
from db.databases import SHORT_TERM, Database, open_database
from db.embedded import EmbeddedServer, ensure_database, open_embedded
from db.engines import parse_dsn
from db.schema import MessageRow
from db.table_copy import names, open_connection, pipe
from db.vector_index import drop_all
from memory.capture.journal import Journal
from memory.index import bulk
from memory.index.bulk import MessageBatch
from ops.backup.formats import Format
from ops.backup.manifest import read_manifest
from ops.backup.restore import Timings, restore
from util_async import no_progress

SESSION = "bench"
MEGABYTE = 1_000_000

_COLUMNS = [column.name for column in MessageRow.__table__.columns]
_ALL = sql.SQL("SELECT {} FROM messages ORDER BY sent_at, message_id").format(names(_COLUMNS))


@dataclass(frozen=True, slots=True)
class Run:
    """How long a command took, in seconds, and the most memory that it had, in bytes."""

    seconds: float
    memory: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A ratio, what it should be, and whether it may be more or has to be less."""

    what: str
    reached: float
    asked: float
    at_least: bool = True

    @property
    def is_reached(self) -> bool:
        """Tell whether it is what was asked for."""
        return self.reached >= self.asked if self.at_least else self.reached <= self.asked


@dataclass(slots=True)
class Bench:
    """A workplace whose server runs, and the commands that were timed."""

    place: Workplace
    server: EmbeddedServer
    count: int
    runs: dict[str, Run]

    async def run(self, what: str, *command: str | Path) -> Run:
        """Run a command to its end, and keep how long it took and how large it was."""
        self.runs[what] = await shown_while(
            asyncio.to_thread(_timed, self.place, [str(part) for part in command]), what
        )
        return self.runs[what]

    async def script(self, name: str, *arguments: str) -> Run:
        """Run a script of ours."""
        return await self.run(f"{name} {' '.join(arguments)}", sys.executable, ROOT / name, *arguments)


def _timed(place: Workplace, command: list[str]) -> Run:
    """Run a command to its end."""
    start = perf_counter()
    launched = [sys.executable, str(ROOT / "bench" / "peak_memory.py"), *command]
    finished = subprocess.run(
        launched, cwd=place.folder, env=place.environment(), stdout=subprocess.PIPE, text=True, check=False
    )
    if finished.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {finished.returncode}")
    return Run(perf_counter() - start, int(finished.stdout))


async def measure(count: int) -> tuple[Bench, list[Figure], list[str]]:
    """Return the commands that were run, the figures, and what else there is to say."""
    rows = await shown_while(make_rows(count), "Making messages")
    with open_workplace() as place:
        async with open_embedded(place.embedded_dir, start_timeout=PATIENCE) as server:
            bench = Bench(place, server, count, {})
            await bench.script("main_async.py", "--terminal", "--yes", "--session", SESSION)
            await _fill(bench, rows)
            figures = [await _promotion(bench)]
            backups, remarks = await _backups(bench)
            restores, more = await _restores(bench)
            ours = [run.memory for what, run in bench.runs.items() if what.startswith(("backups.py", "db_save.py"))]
            memory = Figure("most memory of a command, MB", max(ours) / MEGABYTE, 500, at_least=False)
            return bench, [*backups, *restores, *figures, memory], [*remarks, *more]


async def _fill(bench: Bench, rows: Rows) -> None:
    """Let a session have said all of it: in its CSV, and with vectors in short-term memory."""
    journal = Journal(bench.place.journal_path(SESSION))
    async with _opened(bench.server, "short_term") as database:
        async with database.engine.begin() as connection:
            await drop_all(connection)
        journal.open()
        with progress_bar("Filling short-term memory") as report:
            for batch in rows.batches():
                journal.record(row.message for row in batch.rows)
                await bulk.write(database, _of_session(batch, journal.end), expected=bench.count)
                report(batch.position, bench.count)
        journal.close()


def _of_session(batch: MessageBatch, position: int) -> MessageBatch:
    return replace(batch, journal=SESSION, position=position)


@asynccontextmanager
async def _opened(server: EmbeddedServer, name: str) -> AsyncGenerator[Database]:
    url = parse_dsn(server.dsn(name), name="DSN")
    async with open_database(url, name=SHORT_TERM, pool_size=2, timeout=PATIENCE, layout=SHORT_TERM_LAYOUT) as database:
        yield database


async def _promotion(bench: Bench) -> Figure:
    """Promote the session, and write the same rows by raw COPY into an empty memory."""
    async with (
        _opened(bench.server, "short_term") as source,
        open_new_database(bench.server.dsn) as target,
        open_connection(source.dsn, timeout=PATIENCE, read_only=True) as reading,
        open_connection(target.dsn, timeout=PATIENCE) as writing,
    ):
        start = perf_counter()
        await shown_while(pipe(reading, _ALL, writing, table="messages", columns=_COLUMNS), "Raw COPY")
        raw = perf_counter() - start
    promoted = await bench.script("db_save.py", SESSION, "--yes", "--no-index")
    bench.runs["raw binary COPY into messages"] = Run(raw, 0)
    return Figure("promotion, rate in % of raw COPY", raw / promoted.seconds * 100, 50)


async def _backups(bench: Bench) -> tuple[list[Figure], list[str]]:
    """Back long-term memory up in three ways, and by pg_dump alone."""
    dump = bench.place.folder / "plain.dump"
    arguments = ("--format=custom", f"--file={dump}", f"--dbname={bench.server.dsn('long_term')}")
    plain = await bench.run("pg_dump --format=custom", bench.server.binaries / "pg_dump", *arguments)
    figures = []
    for one in (Format.CSV, Format.BINARY, Format.DUMP):
        made = await bench.script("backups.py", "create", "--database", "long", "--format", one, "--name", one)
        if one is not Format.DUMP:
            size = read_manifest(_backup(bench, one)).size / dump.stat().st_size
            figures.append(Figure(f"{one} backup, times as fast as pg_dump", plain.seconds / made.seconds, 5))
            figures.append(Figure(f"{one} backup, size in that of pg_dump", size, 1.1, at_least=False))
    for one in (Format.CSV, Format.BINARY):
        await bench.script("backups.py", "verify", _backup(bench, one).name)
    return figures, [f"The dump has {dump.stat().st_size / MEGABYTE:,.0f} MB."]


def _backup(bench: Bench, one: Format) -> Path:
    (folder,) = bench.place.backup_dir.glob(f"{one}_*")
    return folder


async def _restores(bench: Bench) -> tuple[list[Figure], list[str]]:
    """Load the rows of each backup into an empty database, and by pg_restore alone."""
    plain = await _pg_restore(bench)
    figures, remarks = [], [f"pg_restore loads the rows in {plain:,.0f} s."]
    for one in (Format.CSV, Format.BINARY):
        timings = await shown_while(_restored(bench, one), f"Restoring {one}")
        loading, indexing, comparing = (
            part.total_seconds() for part in (timings.loading, timings.indexing, timings.comparing)
        )
        asked = 3 if one is Format.BINARY else 0  # a CSV has to be read by PostgreSQL as the dump has
        figures.append(Figure(f"rows of a {one} backup, times as fast as pg_restore", plain / loading, asked))
        remarks.append(
            f"{one}: the rows are loaded in {loading:,.0f} s, plain indexes made in {indexing:,.0f} s, "
            f"contents compared in {comparing:,.0f} s."
        )
    await bench.script("backups.py", "restore", _backup(bench, Format.BINARY).name, "--yes", "--no-index")
    return figures, remarks


async def _pg_restore(bench: Bench) -> float:
    """Return how long pg_restore takes for the data of the dump, in seconds."""
    dump, program = bench.place.folder / "plain.dump", bench.server.binaries / "pg_restore"
    await ensure_database(bench.server, "blank")
    target = f"--dbname={bench.server.dsn('blank')}"
    await bench.run("pg_restore --section=pre-data", program, "--section=pre-data", target, dump)
    return (await bench.run("pg_restore --section=data", program, "--section=data", target, dump)).seconds


async def _restored(bench: Bench, one: Format) -> Timings:
    """Restore a backup into a database of its own."""
    folder = _backup(bench, one)
    async with open_new_database(bench.server.dsn) as database:
        restored = await restore(
            folder,
            read_manifest(folder),
            database,
            source=one,
            erasures={},
            dimensions=WIDTH,
            model=MODEL,
            timeout=PATIENCE,
            report=no_progress,
        )
        return restored.timings


def main(
    messages: Annotated[int, typer.Option(min=1000, help="How many to back up, restore and promote.")] = 1_000_000,
) -> None:
    """Measure backups, restores and promotion on the embedded server; exit status 1 when a figure is not reached."""
    bench, figures, remarks = asyncio.run(measure(messages))
    typer.echo(f"{messages:,} messages with vectors\n")
    runs = [(what, run.seconds, run.memory // MEGABYTE) for what, run in bench.runs.items()]
    typer.echo(table(("command", "seconds", "most memory, MB"), runs))
    typer.echo("")
    typer.echo(table(("what", "reached", "asked for"), [(one.what, one.reached, one.asked) for one in figures]))
    typer.echo("\n" + "\n".join(remarks))
    if not all(one.is_reached for one in figures):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
