"""Put a database back to what it was at the moment of a backup, in one transaction: as a whole, or not at all."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from archive.compatibility import entry_of, only_needed, refuse_newer, refuse_other_embeddings
from archive.dump_loading import load_dump
from archive.formats import Format
from archive.loading import load_tables
from archive.manifest import DatabaseEntry, Manifest
from archive.replacing import Load, Timings, in_words, lock_content, replace_content
from archive.scratch import open_scratch
from archive.verifying import Report, check_files, in_thread
from db.checksums import Compared
from db.copying import Connection, fetch, open_connection
from db.databases import Database, open_database
from db.former_conversations import take_over
from db.name_rows import NAMES, renew_names
from erasure.ledger import merged
from erasure.rows import Counts, erase_rows, note_erasure
from errors import InputFileError

_ERASURES = "SELECT user_id, erased_at FROM erasures"
_READ_JOURNALS_AGAIN = "UPDATE journal_positions SET position = 0"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: each table as the manifest says and as it was loaded, and what of it was erased then."""

    tables: list[Compared]
    erased: Counts | None
    timings: Timings


async def restore(
    folder: Path,
    manifest: Manifest,
    database: Database,
    *,
    source: Format,
    erasures: Mapping[int, datetime],
    dimensions: int,
    model: str,
    timeout: timedelta,
    report: Report,
) -> Restored:
    """Make a database what it was at the moment of a backup, without what those in `erasures` had said until then.

    The search indexes are gone then: migrate the database again, then `db.vector_index.build`. The report hears bytes
    of files, each of which is read twice. Raises InputFileError for a backup that is damaged, DatabaseSetupError or
    EmbeddingModelError when it does not fit, DatabaseUnavailableError when the server fails: the database then holds
    what it held before.
    """
    entry = entry_of(folder, manifest, database.name)
    refuse_other_embeddings(entry, dimensions=dimensions, model=model)
    load = await _checked(folder, manifest, entry, source=source, report=report)
    await database.migrate(dimensions=dimensions)
    async with _open_transaction(database, timeout=timeout) as connection:
        tables = await lock_content(connection, entry, timeout=timeout)
        known = await _erasures_in(connection)
        compared, timings = await replace_content(connection, entry, tables, load)
        _refuse_if_unequal(folder, compared)
        await take_over(connection)
        if NAMES not in {table.name for table in entry.tables}:  # the backup is of an earlier version
            await renew_names(connection)
        erased = await _erase_again(connection, manifest, known, erasures)
    return Restored(compared, erased, timings)


async def verify_by_restoring(
    folder: Path, manifest: Manifest, database: Database, *, source: Format, timeout: timedelta, report: Report
) -> list[Compared]:
    """Restore a database of a backup beside the one that is given, compare it with the manifest, and drop it.

    Raises InputFileError for a backup that is damaged, DatabaseSetupError when the user may not create databases or a
    table is not one of ours, DatabaseUnavailableError when the server fails.
    """
    entry = entry_of(folder, manifest, database.name)
    load = await _checked(folder, manifest, entry, source=source, report=report)
    async with (
        _open_copy(database, entry, timeout=timeout) as copy,
        _open_transaction(copy, timeout=timeout) as connection,
    ):
        tables = await lock_content(connection, entry, timeout=timeout)
        compared, _ = await replace_content(connection, entry, tables, load)
        return compared


async def _checked(folder: Path, manifest: Manifest, entry: DatabaseEntry, *, source: Format, report: Report) -> Load:
    """Read all files that are needed, and return what loads the rows in them; each is half of the work to report."""
    needed = only_needed(manifest, entry, source)
    refuse_newer(entry)
    await in_thread(partial(check_files, folder, needed), lambda done, total: report(done, 2 * total))

    def loaded(done: int, _: int) -> None:
        report(needed.size + done, 2 * needed.size)

    if source is Format.DUMP:
        return lambda connection: load_dump(connection, folder, entry, loaded)
    return lambda connection: load_tables(connection, folder, entry, source, loaded)


@asynccontextmanager
async def _open_transaction(database: Database, *, timeout: timedelta) -> AsyncGenerator[Connection]:
    async with open_connection(database.dsn, timeout=timeout) as connection:
        with in_words(database):
            async with connection.transaction():
                yield connection


@asynccontextmanager
async def _open_copy(database: Database, entry: DatabaseEntry, *, timeout: timedelta) -> AsyncGenerator[Database]:
    """Yield an empty database beside another one, with the same tables; it is dropped on exit."""
    async with open_scratch(database, timeout=timeout) as url:
        opening = open_database(url, name=database.name, pool_size=1, timeout=timeout, layout=database.layout)
        async with opening as copy:
            await copy.migrate(dimensions=entry.dimensions)
            yield copy


def _refuse_if_unequal(folder: Path, compared: list[Compared]) -> None:
    for one in compared:
        if not one.is_equal:
            raise InputFileError(
                f"The backup {folder} does not hold the {one.there.rows} rows of the table {one.table} that its "
                f"manifest speaks of, but {one.here.rows} or other ones: take another backup."
            )


async def _erasures_in(connection: Connection) -> dict[int, datetime]:
    return dict(await fetch(connection, _ERASURES))


async def _erase_again(
    connection: Connection, manifest: Manifest, known: Mapping[int, datetime], told: Mapping[int, datetime]
) -> Counts | None:
    """Erase what those had said who are known here, who are told of, and of whom the backup itself knows."""
    erasures = merged(await _erasures_in(connection), known, told)
    if not erasures:
        return None
    for user_id, erased_at in erasures.items():
        await note_erasure(connection, user_id, erased_at)
    if max(erasures.values()) >= manifest.created_at:  # session files were rewritten since: positions mean nothing
        await connection.execute(_READ_JOURNALS_AGAIN)
    return await erase_rows(connection, erasures)
