"""Put a database back to what it was at the moment of a backup, in one transaction: as a whole, or not at all."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter

from psycopg import sql

from db.databases import Database, open_database
from db.engines import transaction
from db.errors import NO_LOCK, NO_RIGHT, server_message, setup_error_for
from db.migrate import is_known
from db.name_rows import NAMES, renew_names
from db.schema import EMBEDDING_WIDTH
from db.table_copy import (
    FORMER_TABLES,
    Compared,
    Connection,
    Content,
    content_of,
    content_table,
    content_tables,
    fetch,
    names,
    open_connection,
    tables_of,
)
from errors import DatabaseSetupError, EmbeddingModelError, InputFileError, RefusedRowError, StatementFailedError
from memory.capture.erased import Erased
from memory.capture.session import NAMELESS, SESSION_FACT, complete_held_csv
from memory.index import store
from memory.index.reembed import HALF_EMBEDDED
from ops.backup.dump_restore import dump_of, load_dump
from ops.backup.formats import Format
from ops.backup.indexes import put_back, take_away
from ops.backup.manifest import DatabaseEntry, Manifest, TableEntry
from ops.backup.scratch import open_scratch
from ops.backup.table_files import file_of, load_tables
from ops.backup.verify import check_files, in_thread
from ops.erasure.ledger import merged
from ops.erasure.rows import Counts, erase_rows, note_erasure
from util_async import Progress


def entry_of(folder: Path, manifest: Manifest, name: str) -> DatabaseEntry:
    """Return what a backup says of one of the databases, without tables that only earlier versions had.

    Raises InputFileError when the backup does not hold that database.
    """
    for entry in manifest.databases:
        if entry.name == name:
            return entry.model_copy(update={"tables": [one for one in entry.tables if one.name not in FORMER_TABLES]})
    raise InputFileError(f"The backup {folder} does not hold the {name} database: take one that does.")


def only_needed(manifest: Manifest, entry: DatabaseEntry, source: Format) -> Manifest:
    """Return a manifest of nothing but the files from which a database is restored.

    Raises InputFileError when it cannot be restored from that format.
    """
    if source is Format.PARQUET:
        raise InputFileError("Nothing is restored from parquet files: restore from another format of the backup.")
    if source is Format.DUMP:
        dump_of(entry)
        return _with_entry(manifest, entry.model_copy(update={"tables": _without_files(entry)}))
    tables = [table.model_copy(update={"files": {source: file_of(table, source)}}) for table in entry.tables]
    return _with_entry(manifest, entry.model_copy(update={"tables": tables, "dump": None}))


def refuse_newer(entry: DatabaseEntry) -> None:
    """Raise InputFileError for a backup of a newer version of the program."""
    if not is_known(entry.schema_revision):
        raise InputFileError(f"The backup of the {entry.name} database was made by a newer version: update this one.")


def refuse_other_embeddings(entry: DatabaseEntry, *, dimensions: int, model: str) -> None:
    """Raise EmbeddingModelError when the vectors of a backup are not of the model, or not of so many dimensions."""
    made_with = entry.embedding_model
    if made_with not in {None, HALF_EMBEDDED, model} or entry.dimensions != dimensions:
        raise EmbeddingModelError(
            f"The backup of the {entry.name} database was embedded with {made_with!r} ({entry.dimensions} dimensions) "
            f"and EMBEDDING_MODEL says {model!r} ({dimensions}): set it to the backup's, then restore again."
        )


def _with_entry(manifest: Manifest, entry: DatabaseEntry) -> Manifest:
    return manifest.model_copy(update={"databases": [entry], "session": None})


def _without_files(entry: DatabaseEntry) -> list[object]:
    return [table.model_copy(update={"files": {}}) for table in entry.tables]


_NEEDED = frozenset({"messages", "facts"})


async def secure_session(
    short_term: Database,
    entry: DatabaseEntry,
    storage_dir: Path,
    *,
    erasures: Mapping[int, datetime],
    timeout: timedelta,
) -> None:
    """Have the session that short-term memory holds wholly in its CSV, when a backup of another is to replace it.

    What those in `erasures` had said until they were forgotten is left out.

    Raises SessionError when that cannot be done.
    """
    async with open_connection(short_term.dsn, timeout=timeout) as connection:
        if not (await tables_of(connection)).keys() >= _NEEDED:
            return
    async with transaction(short_term.sessions) as session:
        if await store.metadata(session, SESSION_FACT) != entry.session:
            await complete_held_csv(session, nameless=storage_dir / NAMELESS, erased=Erased(erasures))


Load = Callable[[Connection], Awaitable[int]]
"""Appends the rows of a backup to the tables, and returns their number."""

_MANY = 10_000  # rows from which it pays to make the indexes of a table anew
_WIDE = ("messages", "embedding")
"""The column whose type belongs to the embedding model."""

_LOCK = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")
_LOCK_TIMEOUT = "SELECT set_config('lock_timeout', %s, true)"
_EMPTY = sql.SQL("TRUNCATE {}")
_ANALYZE = sql.SQL("ANALYZE {}")
_SET_WIDTH = sql.SQL("ALTER TABLE messages ALTER COLUMN embedding TYPE vector({}) USING NULL")
_SET_STORAGE = "ALTER TABLE messages ALTER COLUMN embedding SET STORAGE MAIN"  # another type brings its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long the parts of a restore took."""

    loading: timedelta
    indexing: timedelta
    """Of the indexes that are not for searches."""
    comparing: timedelta


async def lock_content(connection: Connection, entry: DatabaseEntry, *, timeout: timedelta) -> list[str]:
    """Keep everybody else out of the tables that hold content until the transaction ends, and return their names.

    Raises DatabaseSetupError when a table or a column of the backup is not there.
    """
    known = await tables_of(connection)
    _refuse_unless_it_fits(known, entry)
    tables = [table.name for table in content_tables(known)]
    await connection.execute(_LOCK_TIMEOUT, [f"{int(timeout.total_seconds() * 1000)}ms"])
    await connection.execute(_LOCK.format(names(tables)))
    await connection.execute(_LOCK_TIMEOUT, ["0"])
    return tables


async def replace_content(
    connection: Connection, entry: DatabaseEntry, tables: list[str], load: Load
) -> tuple[list[Compared], Timings]:
    """Empty these tables, load what a backup holds, and compare it with what its manifest says.

    The search indexes are gone then: the next migration and `db.vector_index.build` make them.
    """
    await connection.execute(_EMPTY.format(names(tables)), prepare=False)
    began = perf_counter()
    away = [await take_away(connection, table.name, search_only=table.rows < _MANY) for table in entry.tables]
    await _fit_width(connection, entry.dimensions)
    await load(connection)
    loaded = perf_counter()
    for statements in away:
        await put_back(connection, statements)
    await connection.execute(_ANALYZE.format(names(tables)), prepare=False)
    indexed = perf_counter()
    compared = [await compare(connection, table) for table in entry.tables]
    return compared, Timings(
        loading=timedelta(seconds=loaded - began),
        indexing=timedelta(seconds=indexed - loaded),
        comparing=timedelta(seconds=perf_counter() - indexed),
    )


async def compare(connection: Connection, table: TableEntry) -> Compared:
    """Compare a table of a database with what a manifest says of it."""
    here = await content_of(connection, content_table(table.name, table.columns))
    return Compared(table.name, Content(table.rows, table.checksum), here)


@contextmanager
def in_words(database: Database) -> Iterator[None]:
    """Turn what a database has against a restore into one sentence: DatabaseSetupError, or InputFileError."""
    in_use = f"Another program is using the {database.name} database: stop it, then restore again."
    try:
        with setup_error_for(NO_LOCK, in_use):
            yield
    except StatementFailedError as error:
        if error.sqlstate != NO_RIGHT:
            raise
        raise DatabaseSetupError(
            f"The {database.name} database does not let this user replace what it holds ({server_message(error)}): "
            "let its address in .env name the owner of its tables."
        ) from error
    except RefusedRowError as error:
        raise InputFileError(
            f"The {database.name} database does not take what the backup holds ({server_message(error)}): "
            "take another backup."
        ) from error


def _refuse_unless_it_fits(known: dict[str, dict[str, str]], entry: DatabaseEntry) -> None:
    for table in entry.tables:
        for column, type_name in table.columns.items():
            found = known.get(table.name, {}).get(column)
            if found is None or (found != type_name and (table.name, column) != _WIDE):
                raise DatabaseSetupError(
                    f"The {entry.name} database has no column {column} of type {type_name} in a table {table.name}, as "
                    "the backup has: take another backup, or drop the tables."
                )


async def _fit_width(connection: Connection, dimensions: int) -> None:
    """Let the empty column of vectors take those of the backup."""
    ((width,),) = await (await connection.execute(EMBEDDING_WIDTH)).fetchall()
    if width != dimensions:
        await connection.execute(_SET_WIDTH.format(sql.Literal(dimensions)), prepare=False)
        await connection.execute(_SET_STORAGE, prepare=False)


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
    report: Progress,
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
        if NAMES not in {table.name for table in entry.tables}:  # the backup is of an earlier version
            await renew_names(connection)
        erased = await _erase_again(connection, manifest, known, erasures)
    return Restored(compared, erased, timings)


async def verify_by_restoring(
    folder: Path, manifest: Manifest, database: Database, *, source: Format, timeout: timedelta, report: Progress
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


async def _checked(folder: Path, manifest: Manifest, entry: DatabaseEntry, *, source: Format, report: Progress) -> Load:
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
