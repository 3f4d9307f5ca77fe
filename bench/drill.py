"""Lose everything and get it back: back up, destroy, restore, promote, undo, forget, and kill -9 in the middle of each.

Every step runs the scripts as an operator does and then looks at the tables itself: by counts and checksums.
"""

import asyncio
import re
import shutil
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, LiteralString

import typer
from psycopg import sql

from bench.made_rows import Rows, make_rows
from bench.processes import PATIENCE, ROOT, Program, Workplace, open_program, open_workplace, run_program
from cli.console import shown_while
from db.addresses import keywords_of, parse_address
from db.config import LONG_TERM_LAYOUT
from db.connections import connect
from db.databases import LONG_TERM, open_database
from db.embedded import open_embedded
from db.engines import parse_dsn
from db.table_copy import Content, content_of, content_tables, copy_out_statement, open_connection, tables_of
from memory.capture.journal import Journal
from memory.index import bulk

SESSION, SAMPLE = "drill", ROOT / "db" / "sample.csv"
BACKUPS, PROMOTE = ROOT / "backups.py", ROOT / "db_save.py"

_DATABASES = ("short_term", "long_term")
_TELLING = re.compile(r"[^\n\"\\]{30,}")
"""Enough of a text to know it again, and written alike in a CSV, in JSON and in a table."""

_ROWS = sql.SQL("SELECT * FROM {}")
_STATISTICS = sql.SQL("SELECT pg_stats::text FROM pg_stats WHERE schemaname <> 'pg_catalog'")

_GLANCE = timedelta(milliseconds=20)
_CONNECT_TIMEOUT = timedelta(seconds=10)
_COPYING: LiteralString = "SELECT coalesce(max(tuples_processed), 0) FROM pg_stat_progress_copy"
_PROMOTED: LiteralString = "SELECT count(*) FROM messages WHERE promotion_id IS NOT NULL"

State = dict[tuple[str, str], Content]
"""What each table of each database holds."""


@dataclass(slots=True)
class Drill:
    """A workplace whose memory is lost again and again, and what was found each time."""

    place: Workplace
    findings: list[tuple[bool, str]] = field(default_factory=list)

    def check(self, what: str, *, holds: bool) -> None:
        """Note and print what was found."""
        self.findings.append((holds, what))
        typer.echo(f"{'ok    ' if holds else 'FAILED'}  {what}")

    async def run(self, script: Path, *arguments: str, given: str = "") -> str:
        """Run a script that has to succeed; return what it said."""
        finished = await run_program(self.place, *arguments, script=script, given=given)
        if finished.status != 0:
            raise RuntimeError(f"{script.name} {' '.join(arguments)} ended with {finished.status}: {finished.err}")
        return finished.out

    async def state(self, *, but: tuple[str, ...] = ()) -> State:
        """Return what all tables hold, some left out."""
        found: State = {}
        async with self.addresses() as dsns:
            for name, dsn in dsns.items():
                async with open_connection(dsn, timeout=PATIENCE, read_only=True) as connection:
                    for table in content_tables(await tables_of(connection)):
                        if table.name not in but:
                            found[name, table.name] = await content_of(connection, table)
        return found

    @asynccontextmanager
    async def addresses(self) -> AsyncGenerator[dict[str, str]]:
        """Yield the addresses of both databases, whose server runs meanwhile."""
        async with open_embedded(self.place.embedded_dir, start_timeout=PATIENCE) as server:
            yield {name: server.dsn(name) for name in _DATABASES}

    def destroy(self) -> None:
        """Lose the disk of the databases."""
        shutil.rmtree(self.place.embedded_dir)

    async def kill(self, script: Path, *arguments: str, database: str, once: Callable[[str], Awaitable[bool]]) -> bool:
        """Start a script, and end it with kill -9 `once` something is seen; return whether that was in time."""
        async with AsyncExitStack() as stack:
            dsns = await stack.enter_async_context(self.addresses())
            program = await stack.enter_async_context(open_program(self.place, *arguments, script=script))
            reading = asyncio.create_task(program.process.communicate())  # else it would wait for its output to be read
            stack.push_async_callback(_ended, reading)
            seen = await _seen(program, lambda: once(dsns[database]))
            await program.kill()
            return seen


async def _ended(reading: asyncio.Task[tuple[bytes, bytes]]) -> None:
    await asyncio.gather(reading, return_exceptions=True)


async def _seen(program: Program, happened: Callable[[], Awaitable[bool]]) -> bool:
    """Look again and again until something has happened; return False when the program ends before."""
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while program.process.returncode is None:
            if await happened():
                return True
            await asyncio.sleep(_GLANCE.total_seconds())
    return False


async def _number(dsn: str, query: LiteralString) -> int:
    async with await connect(keywords_of(parse_address(dsn)), timeout=_CONNECT_TIMEOUT) as connection:
        found = await (await connection.execute(query)).fetchone()
        return 0 if found is None else int(found[0])


async def drill(messages: int) -> Drill:
    """Go through all of it with so many made messages beside the sample server's; return what was found."""
    made_rows = await shown_while(make_rows(messages), "Making messages")
    rows = replace(made_rows, texts=[f"made message number {number}" for number in range(messages)])  # nobody's words
    with open_workplace() as place, open_workplace() as elsewhere:
        made = await _made_backup(elsewhere, rows)
        run = Drill(place)
        await _promotions(run)
        await _killed_promotion(run, made, messages)
        await _lost_disk(run)
        await _killed_backup(run)
        await _killed_restore(run)
        await _forgotten(run)
        return run


async def _made_backup(elsewhere: Workplace, rows: Rows) -> Path:
    """Return the CSV of a backup of a memory with made messages."""
    async with open_embedded(elsewhere.embedded_dir, start_timeout=PATIENCE) as server:
        filling = Drill(elsewhere)
        await filling.run(ROOT / "main_async.py", "--terminal", "--yes", "--session", "made")  # makes the databases
        url = parse_dsn(server.dsn("long_term"), name="DSN")
        async with open_database(
            url, name=LONG_TERM, pool_size=2, timeout=PATIENCE, layout=LONG_TERM_LAYOUT
        ) as database:
            for batch in rows.batches():
                await bulk.write(database, batch, expected=len(rows.texts))
        await filling.run(BACKUPS, "create", "--database", "long", "--format", "csv", "--name", "made")
    (file,) = elsewhere.backup_dir.glob("made_*/long_term/messages.csv.zst")
    return file


async def _promotions(run: Drill) -> None:
    """Promote a session twice, then undo it."""
    arguments = ("--terminal", "--yes", "--session", SESSION, "--as", "ana", "--import", str(SAMPLE))
    await run.run(ROOT / "main_async.py", *arguments, given="the drill has begun\n/chat when has the drill begun?\n")
    before = await run.state(but=("promotions",))
    await run.run(PROMOTE, SESSION, "--yes")
    once = await run.state()
    promoted = once["long_term", "messages"].rows
    run.check(f"a session is promoted: {promoted:,} messages", holds=promoted == before["short_term", "messages"].rows)
    await run.run(PROMOTE, SESSION, "--yes")
    run.check("promoted a second time, it changes nothing", holds=await run.state() == once)
    await run.run(PROMOTE, "undo", "1")
    run.check("undone, memory is as it was before", holds=await run.state(but=("promotions",)) == before)
    await run.run(PROMOTE, SESSION, "--yes")
    again = (await run.state())["long_term", "messages"].rows
    run.check("promoted once more, all of it is back", holds=again == promoted)


async def _killed_promotion(run: Drill, made: Path, messages: int) -> None:
    """Kill a promotion in the middle, finish it, and undo it."""
    before = await run.state(but=("promotions",))
    known = before["long_term", "messages"].rows

    async def some_are_there(dsn: str) -> bool:
        return await _number(dsn, _PROMOTED) > known

    in_time = await run.kill(PROMOTE, str(made), "--yes", database="long_term", once=some_are_there)
    half = (await run.state())["long_term", "messages"].rows - known
    run.check(f"kill -9 in a promotion: {half:,} of {messages:,} were promoted", holds=in_time and 0 < half < messages)
    await run.run(PROMOTE, str(made), "--yes")
    whole = (await run.state())["long_term", "messages"].rows - known
    run.check(f"run again, it goes on: {whole:,} of {messages:,}", holds=whole == messages)
    async with run.addresses() as dsns:
        number = await _number(dsns["long_term"], "SELECT max(promotion_id) FROM messages")
    await run.run(PROMOTE, "undo", str(number))
    run.check("undone, memory is as it was before", holds=await run.state(but=("promotions",)) == before)
    await run.run(PROMOTE, str(made), "--yes")


async def _lost_disk(run: Drill) -> None:
    """Back up in three formats, lose the data directory three times, and restore each."""
    formats = ("csv", "binary", "dump")
    await run.run(
        BACKUPS, "create", "--name", "whole", "--verify", *(word for one in formats for word in ("--format", one))
    )
    backup = _latest(run, "whole")
    verified = await run.run(BACKUPS, "verify", backup, "--restore")
    compared = "equal" in verified and "DIFFERENT" not in verified
    run.check("the backup is verified, restored into a database of its own and compared", holds=compared)
    before = await run.state()
    for one in formats:
        run.destroy()
        await run.run(BACKUPS, "restore", backup, "--format", one, "--yes")
        after = await run.state()
        rows = sum(content.rows for content in after.values())
        run.check(
            f"the data directory is lost, and restored from {one}: {len(after)} tables, {rows:,} rows, same checksums",
            holds=after == before,
        )


async def _killed_backup(run: Drill) -> None:
    """Kill a backup in the middle."""
    before = await run.state()
    listed = await run.run(BACKUPS, "list")

    async def some_is_written(_: str) -> bool:
        return any(path.stat().st_size > 100_000 for path in _partial_files(run))

    in_time = await run.kill(
        BACKUPS, "create", "--format", "csv", "--format", "dump", database="long_term", once=some_is_written
    )
    run.check(
        "kill -9 in a backup: the list of backups is as before",
        holds=in_time and await run.run(BACKUPS, "list") == listed,
    )
    await run.run(BACKUPS, "create", "--format", "csv", "--name", "after")
    left = list(_partial_files(run))
    run.check("the next one is whole, and nothing half is left", holds=not left and bool(_latest(run, "after")))
    run.check("memory is as it was", holds=await run.state() == before)


def _partial_files(run: Drill) -> Iterator[Path]:
    """Yield the files of backups that are being made, or that were never finished."""
    for folder in run.place.backup_dir.glob(".*partial*"):
        yield from (path for path in folder.rglob("*") if path.is_file())


async def _killed_restore(run: Drill) -> None:
    """Kill a restore in the middle."""
    before, backup = await run.state(), _latest(run, "whole")

    async def some_is_copied(dsn: str) -> bool:
        return await _number(dsn, _COPYING) > 0

    arguments = ("restore", backup, "--database", "long", "--format", "csv", "--yes")
    in_time = await run.kill(BACKUPS, *arguments, database="long_term", once=some_is_copied)
    run.check("kill -9 in a restore: memory is as it was before", holds=in_time and await run.state() == before)
    await run.run(BACKUPS, *arguments)
    run.check("run again, it restores", holds=await run.state() == before)


async def _forgotten(run: Drill) -> None:
    """Forget a person, look for their words in every file and table, restore an older backup, and look again."""
    user_id, pieces = _most_talkative(run.place.journal_path(SESSION))
    backup, before = _latest(run, "whole"), await run.state()
    found = await _found(run, pieces)
    run.check(f"before: {len(pieces)} texts of a person stand in {len(found)} tables and files", holds=len(found) > 1)
    receipt = await run.run(PROMOTE, "forget", str(user_id), "--yes")
    typer.echo("".join(f"        {line}\n" for line in receipt.splitlines()), nl=False)
    found = await _found(run, pieces)
    run.check(f"forgotten: none of them is in any table or file {found or ''}".rstrip(), holds=not found)
    run.destroy()
    await run.run(BACKUPS, "restore", backup, "--yes")
    found = await _found(run, pieces)
    run.check(f"an older backup is restored: still none of them is {found or ''}".rstrip(), holds=not found)
    after = (await run.state())["long_term", "messages"].rows
    gone = before["long_term", "messages"].rows - after
    run.check(f"of all other messages none is lost: {after:,} left, {gone:,} gone", holds=len(pieces) <= gone < 200)


def _most_talkative(journal: Path) -> tuple[int, list[bytes]]:
    """Return whoever has written most of the longer texts in a journal, and a telling piece of each."""
    pieces: dict[int, set[bytes]] = {}
    for batch in Journal(journal).read_all():
        for message in batch.messages:
            piece = _TELLING.search(message.content)
            if piece and message.author_id is not None and message.guild_id is not None:
                pieces.setdefault(message.author_id, set()).add(piece[0].encode())
    author = max(pieces, key=lambda one: len(pieces[one]))
    return author, sorted(pieces[author])


async def _found(run: Drill, pieces: list[bytes]) -> list[str]:
    """Return the tables and files, backups and those of the server aside, in which one of some pieces stands."""
    tables = [name async for name, content in _tables(run) if any(piece in content for piece in pieces)]
    files = [
        str(path.relative_to(run.place.folder))
        for path in sorted(run.place.storage_dir.rglob("*"))
        if path.is_file() and any(piece in path.read_bytes() for piece in pieces)
    ]
    return tables + files


async def _tables(run: Drill) -> AsyncGenerator[tuple[str, bytes]]:
    """Yield every table with its rows as PostgreSQL sends them in binary, where texts stand as they are.

    So are the samples of them yielded that it keeps for its planner.
    """
    async with run.addresses() as dsns:
        for name, dsn in dsns.items():
            async with open_connection(dsn, timeout=PATIENCE, read_only=True) as connection:
                queries = {one: _ROWS.format(sql.Identifier(one)) for one in await tables_of(connection)}
                for table, query in {**queries, "pg_stats": _STATISTICS}.items():
                    async with connection.cursor().copy(copy_out_statement(query)) as copy:
                        yield f"{name}.{table}", b"".join([bytes(block) async for block in copy])


def _latest(run: Drill, name: str) -> str:
    """Return the name of the newest backup of a series."""
    return max(path.name for path in run.place.backup_dir.glob(f"{name}_*"))


def main(
    messages: Annotated[int, typer.Option(min=1000, help="Made messages beside the sample server's.")] = 30_000,
) -> None:
    """Go through the drill; exit status 1 when anything was not as it should be."""
    run = asyncio.run(drill(messages))
    failed = [what for holds, what in run.findings if not holds]
    typer.echo(f"\n{len(run.findings) - len(failed)} of {len(run.findings)} as they should be.")
    raise typer.Exit(1 if failed else 0)


if __name__ == "__main__":
    typer.run(main)
