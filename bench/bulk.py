"""Fill a memory through the bulk path and move it to another server, beside raw binary COPY of the same rows.

Batch by batch the bulk path is given messages with vectors, which it has to put into binary itself, and raw COPY the
same rows as a binary file: one after the other, so that a busy moment of the machine hits both. Tables and indexes are
the same, without those of vectors. The move is compared with one COPY streamed from server to server; its time includes
the word index that it builds in the end, which the table of the raw COPY has from the start.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from psycopg import sql

from bench.made_rows import Rows, make_rows
from bench.processes import PATIENCE, open_workplace
from bench.servers import ADDRESS, AddressOf, find_timescale, open_new_database, open_server
from bench.tables import table
from cli.console import progress_bar, shown_while
from db.databases import Database
from db.schema import MessageRow
from db.table_copy import Connection, copy_in_statement, copy_out_statement, names, open_connection, pipe
from memory.index import bulk
from ops.move import open_move

HALF, THIRD = 50.0, 100 / 3
"""What is asked for, in per cent of raw COPY."""

_COLUMNS = [column.name for column in MessageRow.__table__.columns]
_SOME = sql.SQL("SELECT {columns} FROM messages WHERE message_id > {after} AND message_id <= {last}")
_ALL = sql.SQL("SELECT {} FROM messages ORDER BY sent_at, message_id").format(names(_COLUMNS))
_PIECE = 1 << 20  # bytes of a file that are read at once


@dataclass(frozen=True, slots=True)
class Figure:
    """How fast a way was, and how fast raw COPY was, in rows a second."""

    what: str
    reached: float
    raw: float
    asked: float

    @property
    def share(self) -> float:
        """The rate in per cent of that of raw COPY."""
        return self.reached / self.raw * 100


async def measure(count: int) -> tuple[list[Figure], str]:
    """Return the figures, and what else there is to say of the move."""
    address_of = find_timescale()
    rows = await shown_while(make_rows(count), "Making rows")
    with open_workplace() as place:
        async with open_server(place, on_timescale=False) as embedded, open_new_database(embedded) as source:
            figures = [await _race("bulk path, embedded server", source, embedded, rows, place.folder)]
            if address_of is None:
                return figures, f"Set {ADDRESS} to the address of a TimescaleDB to measure that one and a move."
            async with open_new_database(address_of) as target:
                figures.append(await _race("bulk path, TimescaleDB", target, address_of, rows, place.folder))
            moved, remark = await _move(source, address_of, count)
            return [*figures, moved], remark


async def _race(what: str, ours: Database, address_of: AddressOf, rows: Rows, folder: Path) -> Figure:
    """Bring rows into an empty memory through the bulk path, and into another one on the same server by raw COPY."""
    count, loading, copying = len(rows.texts), 0.0, 0.0
    async with (
        open_new_database(address_of) as theirs,
        open_connection(ours.dsn, timeout=PATIENCE) as reading,
        open_connection(theirs.dsn, timeout=PATIENCE) as writing,
    ):
        with progress_bar(what) as report:
            for batch in rows.batches():
                start = perf_counter()
                await bulk.write(ours, batch, expected=count)
                loading += perf_counter() - start
                file = folder / f"{batch.position}.bin"  # the rows are the same on every server
                if not file.exists():
                    await _export(reading, file, after=batch.position - len(batch.rows), last=batch.position)
                start = perf_counter()
                await _copy_file(writing, file)
                copying += perf_counter() - start
                report(batch.position, count)
    return Figure(what, count / loading, count / copying, HALF)


async def _export(connection: Connection, file: Path, *, after: int, last: int) -> None:
    query = _SOME.format(columns=names(_COLUMNS), after=sql.Literal(after), last=sql.Literal(last))
    async with connection.cursor() as cursor, cursor.copy(copy_out_statement(query)) as copy:
        with file.open("wb") as writing:
            async for row in copy:
                writing.write(row)


async def _copy_file(connection: Connection, file: Path) -> None:
    async with connection.cursor() as cursor, cursor.copy(copy_in_statement("messages", _COLUMNS)) as copy:
        with file.open("rb") as reading:
            while piece := reading.read(_PIECE):
                await copy.write(piece)


async def _move(source: Database, address_of: AddressOf, count: int) -> tuple[Figure, str]:
    async with open_new_database(address_of) as target:
        start = perf_counter()
        await shown_while(_pipe(source, target), "Raw COPY from server to server")
        raw = count / (perf_counter() - start)
    async with open_new_database(address_of) as target, open_move(source, target, timeout=PATIENCE) as move:
        start = perf_counter()
        with progress_bar("Moving") as report:
            await move.fill(report=report)
        copied = perf_counter()
        await shown_while(target.migrate(dimensions=await move.width()), "Indexing words")
        moved = perf_counter()
        compared = await shown_while(move.compare(), "Comparing")
        done = perf_counter()
    exact = all(one.is_equal for one in compared) and any(one.here.rows == count for one in compared)
    remark = (
        f"The move: {copied - start:.0f} s to copy, {moved - copied:.0f} s to index the words, "
        f"{done - moved:.0f} s to compare; both sides hold {'the same' if exact else 'DIFFERENT ROWS'}."
    )
    return Figure("move, embedded server to TimescaleDB", count / (moved - start) if exact else 0.0, raw, THIRD), remark


async def _pipe(source: Database, target: Database) -> None:
    async with (
        open_connection(source.dsn, timeout=PATIENCE, read_only=True) as there,
        open_connection(target.dsn, timeout=PATIENCE) as here,
    ):
        await pipe(there, _ALL, here, table="messages", columns=_COLUMNS)


def main(
    rows: Annotated[int, typer.Option(min=1000, help="How many messages to write and to move.")] = 1_000_000,
) -> None:
    """Measure the bulk path and a move beside raw COPY; the address of a TimescaleDB is read from the environment."""
    figures, remark = asyncio.run(measure(rows))
    typer.echo(f"{rows:,} messages\n")
    heads = ("what", "rows/s", "raw COPY rows/s", "reached %", "asked for %")
    typer.echo(table(heads, [(one.what, int(one.reached), int(one.raw), one.share, one.asked) for one in figures]))
    typer.echo(f"\n{remark}")
    if any(one.share < one.asked for one in figures):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
