"""Make a backup of one or both databases, all of each as it is at one moment."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from db.databases import SHORT_TERM, Database
from db.metadata import MOVE_FACT, is_half_filled
from db.migrate import is_known
from db.programs import PATIENCE, Program, choose_program, run_program
from db.schema import EMBEDDING_WIDTH
from db.table_copy import (
    Connection,
    Content,
    ContentTable,
    content_of,
    content_tables,
    fetch,
    open_connection,
    tables_of,
)
from errors import BackscrollError, DatabaseSetupError
from memory.capture.members import SESSION_FACT
from memory.index.reembed import MODEL_FACT
from ops.backup.catalogue import Backup, names_in, next_folder, valid_name
from ops.backup.files import new_backup_folder, open_writer, writing_lock
from ops.backup.formats import Format
from ops.backup.manifest import MANIFEST, DatabaseEntry, FileEntry, Manifest, SessionEntry, TableEntry
from ops.backup.session_files import copy_session, session_with_stem
from ops.backup.table_files import write_table
from storage.files import sync_file
from storage.sessions import ProgramSession
from util_async import Progress

logger = logging.getLogger(__name__)

_STEP = timedelta(seconds=30)  # after a night in which the computer slept nobody waits for long
_REVISION = "SELECT version_num FROM alembic_version"
_FACTS = "SELECT name, value FROM facts"
_VERSION = "SELECT current_setting('server_version')"
_EXTENSIONS = "SELECT extname, extversion FROM pg_extension ORDER BY extname"
_TIMES = "SELECT min(sent_at), max(sent_at) FROM messages"
_NO_IDLE_TIMEOUT = "SET idle_in_transaction_session_timeout = 0"  # pg_dump may take hours


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPlan:
    """Name, formats and compression of a backup."""

    name: str
    formats: Sequence[Format]
    compress: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A database, a connection that sees it as it is at one moment, and what it holds then."""

    database: Database
    connection: Connection
    tables: list[ContentTable]
    entry: DatabaseEntry

    @property
    def rows(self) -> int:
        """The number of rows in all tables."""
        return sum(table.rows for table in self.entry.tables)


async def create(
    databases: Sequence[Database],
    plan: BackupPlan,
    *,
    session: ProgramSession | None = None,
    backup_dir: Path,
    now: datetime,
    timeout: timedelta,
    report: Progress,
) -> Backup:
    """Back the databases up into a new folder, which gets its name when it is whole.

    With short-term memory go the files of its session, which as a rule is the current `session`. The folder bears the
    date of `now`; to connect takes no longer than `timeout`. The report counts rows, once for each format.

    Raises OperatorError for a name or a folder that cannot be used, a program that is missing or fails, or another
    process that writes there; SessionError for session files that cannot be read; DatabaseSetupError for a database
    that holds nothing or half of something; DatabaseUnavailableError.
    """
    name = valid_name(plan.name)
    async with AsyncExitStack() as stack:
        stack.enter_context(writing_lock(backup_dir))
        sources = [await stack.enter_async_context(_open_source(database, timeout)) for database in databases]
        dumpers = [
            choose_program("pg_dump", source.entry.server_version) if Format.DUMP in plan.formats else None
            for source in sources
        ]
        report_rows = _adding_up(sum(source.rows for source in sources) * len(plan.formats), report)
        folder = next_folder(name, now.date(), names_in(backup_dir))
        with new_backup_folder(backup_dir, folder) as partial:
            entries = [
                await _write_database(source, dumper, plan, partial, report_rows)
                for source, dumper in zip(sources, dumpers, strict=True)
            ]
            manifest = Manifest(
                name=folder,
                created_at=now,
                formats=list(plan.formats),
                databases=entries,
                session=await _copy_session(session, entries, partial, compress=plan.compress),
            )
            with open_writer(partial / MANIFEST) as file:
                file.write(manifest.model_dump_json(indent=2).encode())
    logger.info("%s is whole: %d messages, %d bytes", folder, sum(entry.messages for entry in entries), manifest.size)
    return Backup(folder=backup_dir / folder, manifest=manifest, verified=None)


@asynccontextmanager
async def _open_source(database: Database, timeout: timedelta) -> AsyncGenerator[_Source]:
    async with open_connection(database.dsn, timeout=timeout, read_only=True) as connection:
        await connection.execute(_NO_IDLE_TIMEOUT)
        known = await tables_of(connection)
        await _refuse_unless_whole(connection, database.name, known)
        tables = content_tables(known)
        contents = [await content_of(connection, table) for table in tables]
        entry = await _describe(connection, database.name, list(zip(tables, contents, strict=True)))
        yield _Source(database=database, connection=connection, tables=tables, entry=entry)


async def _refuse_unless_whole(connection: Connection, name: str, known: dict[str, dict[str, str]]) -> None:
    """Raise DatabaseSetupError unless a database holds a memory that this version of the program knows."""
    if "messages" not in known or "alembic_version" not in known:
        raise DatabaseSetupError(
            f"There is nothing to back up: the {name} database holds no memory yet, start the bot once."
        )
    ((revision,),) = await fetch(connection, _REVISION)
    if not is_known(revision):
        raise DatabaseSetupError(
            f"The {name} database was last used by a newer version of Backscroll: update this one."
        )
    facts = dict(await fetch(connection, _FACTS)) if "facts" in known else {}
    if is_half_filled(facts.get(MOVE_FACT)):
        raise DatabaseSetupError(
            f"The move into the {name} database was stopped half-way: finish it with python backups.py move."
        )


async def _describe(connection: Connection, name: str, contents: list[tuple[ContentTable, Content]]) -> DatabaseEntry:
    """Return the entry of a database for the manifest, without its files."""
    facts = dict(await fetch(connection, _FACTS))
    ((version,),) = await fetch(connection, _VERSION)
    ((revision,),) = await fetch(connection, _REVISION)
    ((width,),) = await fetch(connection, EMBEDDING_WIDTH)
    ((first, last),) = await fetch(connection, _TIMES)
    return DatabaseEntry(
        name=name,
        server_version=version,
        extensions=dict(await fetch(connection, _EXTENSIONS)),
        schema_revision=revision,
        embedding_model=facts.get(MODEL_FACT),
        dimensions=width,
        session=facts.get(SESSION_FACT),
        first_message=first,
        last_message=last,
        tables=[
            TableEntry(name=table.name, columns=table.columns, rows=content.rows, checksum=content.checksum)
            for table, content in contents
        ],
    )


def _adding_up(total: int, report: Progress) -> Callable[[int], None]:
    """Return a function that takes how many rows more are written, and reports all that are."""
    done = 0

    def report_more(rows: int) -> None:
        nonlocal done
        done += rows
        report(min(done, total), total)  # the server sends a line or two more than there are rows

    return report_more


async def _write_database(
    source: _Source, dumper: Program | None, plan: BackupPlan, partial: Path, report_rows: Callable[[int], None]
) -> DatabaseEntry:
    """Write the files of one database, and return its entry for the manifest."""
    folder = partial / source.database.name.replace("-", "_")
    folder.mkdir(mode=0o700)
    table_formats = [each for each in plan.formats if each is not Format.DUMP]
    entries = []
    for table, entry in zip(source.tables, source.entry.tables, strict=True):
        files: dict[Format, FileEntry] = {}
        for written_as in table_formats:
            files[written_as] = await write_table(
                source.connection, table, folder, written_as, compress=plan.compress, report=report_rows
            )
            logger.info("%s of %d rows is written", files[written_as].path, entry.rows)
        entries.append(entry.model_copy(update={"files": files}))
    changes: dict[str, Any] = {"tables": entries}
    if dumper is not None:
        path = folder / f"{folder.name}.dump"
        changes["dump"] = await _dump(source.connection, source.database.dsn, dumper, path, compress=plan.compress)
        changes["dump_made_by"] = dumper.version
        report_rows(source.rows)
    return source.entry.model_copy(update=changes)


async def _dump(connection: Connection, dsn: str, program: Program, path: Path, *, compress: bool) -> FileEntry:
    """Dump a database as the transaction of the connection sees it; return its entry for the manifest.

    Raises OperatorError with pg_dump's last words.
    """
    ((snapshot,),) = await fetch(connection, "SELECT pg_export_snapshot()")
    options = ["--format=custom", "--encoding=UTF8", f"--file={path}", f"--snapshot={snapshot}", "--no-password"]
    if not compress:
        options.append("--compress=0")
    await run_program(program.path, *options, dsn=dsn, timeout=PATIENCE)
    return await asyncio.to_thread(_entry_of_dump, path)


def _entry_of_dump(path: Path) -> FileEntry:
    """Make a file private, wait until the disk has it, and return its entry for the manifest."""
    path.chmod(0o600)
    sync_file(path)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(path=path.relative_to(path.parent.parent).as_posix(), size=path.stat().st_size, sha256=sha256)


async def _copy_session(
    session: ProgramSession | None, entries: Sequence[DatabaseEntry], partial: Path, *, compress: bool
) -> SessionEntry | None:
    """Copy the files of the session that short-term memory holds, when that is backed up."""
    short_term = next((entry for entry in entries if entry.name == SHORT_TERM), None)
    if session is None or short_term is None:
        return None
    stem = short_term.session
    if stem not in {None, session.stem}:  # the bot has not been started since another one became the current one
        session = session_with_stem(session.folder.parent, str(stem))
    return None if session is None else await asyncio.to_thread(copy_session, session, partial, compress=compress)


async def run_every(
    interval: timedelta, work: Callable[[], Awaitable[object]], *, now: Callable[[], datetime], step: timedelta = _STEP
) -> None:
    """Run the work at once and then each time that `interval` has passed since it began last, until cancelled.

    Work that fails is logged, and tried again at its next time. A clock that was set back does not delay it.
    """
    while True:
        began = now()
        await _run_and_log_failure(work)
        while timedelta(0) < (left := began + interval - now()) <= interval:  # noqa: ASYNC110  # time sets no event
            await asyncio.sleep(min(step, left).total_seconds())


async def _run_and_log_failure(work: Callable[[], Awaitable[object]]) -> None:
    try:
        await work()
    except BackscrollError as error:
        logger.error("%s It is tried again at the next time.", error)  # noqa: TRY400  # one sentence for a person
    except Exception:
        logger.exception("this run failed, and is tried again at the next time")
