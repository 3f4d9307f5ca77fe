"""Put a database back to what it was at the moment of a backup, in one transaction: as a whole, or not at all."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
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
    Connection,
    Content,
    TableComparison,
    content_of,
    content_table,
    content_tables,
    fetch,
    names,
    open_connection,
    tables_of,
)
from errors import DatabaseSetupError, EmbeddingModelError, InputFileError, RefusedRowError, StatementFailedError
from memory.capture.erased import NO_ITEMS, Erased, ErasedItems, merged
from memory.capture.members import read_members
from memory.capture.session import NAMELESS, complete_held_csvs
from memory.index.reembed import HALF_EMBEDDED, MODEL_SETTINGS
from ops.backup.consent import bring_back_consent, remember_consent
from ops.backup.dump_restore import dump_of, load_dump
from ops.backup.formats import Format
from ops.backup.manifest import DatabaseEntry, Manifest, TableEntry
from ops.backup.scratch import open_scratch
from ops.backup.table_files import file_of, load_tables
from ops.backup.verify import check_files, in_thread
from ops.erasure.rows import Counts, erase_rows, note_erasure
from ops.erasure.subject import Subject
from util_async import Progress

_NEEDED_TABLES = frozenset({"messages", "facts"})
_WIDE = ("messages", "embedding")
"""The column whose type belongs to the embedding model."""

_LOCK = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")
_LOCK_TIMEOUT = "SELECT set_config('lock_timeout', %s, true)"
_EMPTY = sql.SQL("TRUNCATE {}")
_ANALYZE = sql.SQL("ANALYZE {}")
_SET_WIDTH = sql.SQL("ALTER TABLE messages ALTER COLUMN embedding TYPE vector({}) USING NULL")
_SET_STORAGE = "ALTER TABLE messages ALTER COLUMN embedding SET STORAGE MAIN"  # another type brings its own
_ERASURES = "SELECT user_id, erased_at FROM erasures"
_READ_JOURNALS_AGAIN = "UPDATE journal_positions SET position = 0"

_MANY = 10_000  # rows from which it pays to make the indexes of a table anew
_SEARCH_METHODS = ["bm25", "diskann"]
_SEARCH_INDEXES = ["messages_full_text"]
# The server writes the statements, as it knows how its own definitions are quoted.
_INDEXES = """
    SELECT
        CASE WHEN conname IS NULL THEN format('DROP INDEX %%s', indexrelid::regclass)
        ELSE format('ALTER TABLE %%s DROP CONSTRAINT %%I', indrelid::regclass, conname) END,
        CASE WHEN conname IS NULL THEN pg_get_indexdef(indexrelid)
        ELSE format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', indrelid::regclass, conname,
                    pg_get_constraintdef(pg_constraint.oid)) END,
        amname = ANY (%(methods)s) OR pg_class.relname = ANY (%(names)s)
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
    LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u', 'x')
    WHERE indrelid = %(table)s::regclass
"""

_Load = Callable[[Connection], Awaitable[int]]
"""Append the rows of a backup to the tables, and return their number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long the parts of a restore took."""

    loading: timedelta
    indexing: timedelta
    """Of the indexes that are not for searches."""
    comparing: timedelta


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: each table as the manifest says and as it was loaded, and what of it was erased then."""

    tables: list[TableComparison]
    erased: Counts | None
    timings: Timings


async def restore(
    folder: Path,
    manifest: Manifest,
    database: Database,
    *,
    source: Format,
    erasures: Mapping[int, datetime],
    items: ErasedItems = NO_ITEMS,
    dimensions: int,
    model: str,
    timeout: timedelta,
    report: Progress,
) -> Restored:
    """Make a database what it was at the moment of a backup, without what those in `erasures` had said until then.

    What people and servers have said since that may not be kept stays in force. The `items` are left out as well.

    The search indexes are gone then: migrate the database again, then `db.vector_index.build`. The report counts bytes
    of files, each of which is read twice. Raises InputFileError for a backup that is damaged, DatabaseSetupError or
    EmbeddingModelError when it does not fit, DatabaseUnavailableError when the server fails: the database then holds
    what it held before.
    """
    entry = entry_of(folder, manifest, database.name)
    _refuse_other_embeddings(entry, dimensions=dimensions, model=model)
    load = await _checked(folder, manifest, entry, source=source, report=report)
    await database.migrate(dimensions=dimensions)
    async with _open_transaction(database, timeout=timeout) as connection:
        tables = await _lock_content(connection, entry, timeout=timeout)
        erased_before = await _erasures_in(connection)
        await remember_consent(connection)
        compared, timings = await _replace_content(connection, entry, tables, load)
        _refuse_if_unequal(folder, compared)
        if NAMES not in {table.name for table in entry.tables}:  # the backup is of an earlier version
            await renew_names(connection)
        await bring_back_consent(connection)
        erased = await _erase_again(connection, manifest, erased_before, erasures, items)
    return Restored(compared, erased, timings)


async def verify_by_restoring(
    folder: Path, manifest: Manifest, database: Database, *, source: Format, timeout: timedelta, report: Progress
) -> list[TableComparison]:
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
        tables = await _lock_content(connection, entry, timeout=timeout)
        compared, _ = await _replace_content(connection, entry, tables, load)
        return compared


async def secure_session(
    short_term: Database,
    entry: DatabaseEntry,
    storage_dir: Path,
    *,
    erasures: Mapping[int, datetime],
    items: ErasedItems = NO_ITEMS,
    timeout: timedelta,
) -> None:
    """Complete the CSVs of the sessions that short-term memory holds, when a backup of others is to replace them.

    What those in `erasures` had said until they were forgotten is left out. Raises SessionError when one cannot be
    completed.
    """
    async with open_connection(short_term.dsn, timeout=timeout) as connection:
        if not (await tables_of(connection)).keys() >= _NEEDED_TABLES:
            return
    async with transaction(short_term.sessions) as session:
        if [member.session for member in await read_members(session)] != [entry.session]:
            await complete_held_csvs(
                session, nameless=storage_dir / NAMELESS, erased=Erased(erasures, items.messages, items.channels)
            )


def entry_of(folder: Path, manifest: Manifest, name: str) -> DatabaseEntry:
    """Return what a backup says of one of the databases, without tables that only earlier versions had.

    Raises InputFileError when the backup does not hold that database.
    """
    for entry in manifest.databases:
        if entry.name == name:
            kept = [table for table in entry.tables if table.name not in FORMER_TABLES]
            return entry.model_copy(update={"tables": kept})
    raise InputFileError(f"The backup {folder} does not hold the {name} database: take one that does.")


def only_needed(manifest: Manifest, entry: DatabaseEntry, source: Format) -> Manifest:
    """Return a manifest of nothing but the files from which a database is restored.

    Raises InputFileError when it cannot be restored from that format.
    """
    if source is Format.PARQUET:
        raise InputFileError("Nothing is restored from parquet files: restore from another format of the backup.")
    if source is Format.DUMP:
        dump_of(entry)
        tables = [table.model_copy(update={"files": {}}) for table in entry.tables]
        return _with_entry(manifest, entry.model_copy(update={"tables": tables}))
    tables = [table.model_copy(update={"files": {source: file_of(table, source)}}) for table in entry.tables]
    return _with_entry(manifest, entry.model_copy(update={"tables": tables, "dump": None}))


def _with_entry(manifest: Manifest, entry: DatabaseEntry) -> Manifest:
    return manifest.model_copy(update={"databases": [entry], "session": None})


async def compare(connection: Connection, table: TableEntry) -> TableComparison:
    """Compare a table of a database with what a manifest says of it."""
    here = await content_of(connection, content_table(table.name, table.columns))
    return TableComparison(table.name, Content(table.rows, table.checksum), here)


async def _checked(
    folder: Path, manifest: Manifest, entry: DatabaseEntry, *, source: Format, report: Progress
) -> _Load:
    """Check all files that are needed, and return what loads their rows; the report counts each as half of the work."""
    needed = only_needed(manifest, entry, source)
    _refuse_newer(entry)
    await in_thread(partial(check_files, folder, needed), lambda done, total: report(done, 2 * total))

    def report_loaded(done: int, _: int) -> None:
        report(needed.size + done, 2 * needed.size)

    if source is Format.DUMP:
        return lambda connection: load_dump(connection, folder, entry, report_loaded)
    return lambda connection: load_tables(connection, folder, entry, source, report_loaded)


def _refuse_newer(entry: DatabaseEntry) -> None:
    """Raise InputFileError for a backup of a newer version of the program."""
    if not is_known(entry.schema_revision):
        raise InputFileError(f"The backup of the {entry.name} database was made by a newer version: update this one.")


def _refuse_other_embeddings(entry: DatabaseEntry, *, dimensions: int, model: str) -> None:
    """Raise EmbeddingModelError when the vectors of a backup are not of the model, or not of so many dimensions."""
    made_with = entry.embedding_model
    if made_with not in {None, HALF_EMBEDDED, model} or entry.dimensions != dimensions:
        raise EmbeddingModelError(
            f"The backup of the {entry.name} database was embedded with {made_with!r} ({entry.dimensions} dimensions) "
            f"and EMBEDDING_MODEL says {model!r} ({dimensions}): "
            f"set {MODEL_SETTINGS} to the backup's, then restore again."
        )


@asynccontextmanager
async def _open_transaction(database: Database, *, timeout: timedelta) -> AsyncGenerator[Connection]:
    async with open_connection(database.dsn, timeout=timeout) as connection:
        with _translate_errors(database):
            async with connection.transaction():
                yield connection


@contextmanager
def _translate_errors(database: Database) -> Iterator[None]:
    """Raise why a database refuses a restore as one sentence: DatabaseSetupError, or InputFileError."""
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


@asynccontextmanager
async def _open_copy(database: Database, entry: DatabaseEntry, *, timeout: timedelta) -> AsyncGenerator[Database]:
    """Yield an empty database beside another one, with the same tables; it is dropped on exit."""
    async with open_scratch(database, timeout=timeout) as url:
        opening = open_database(url, name=database.name, pool_size=1, timeout=timeout, layout=database.layout)
        async with opening as copy:
            await copy.migrate(dimensions=entry.dimensions)
            yield copy


async def _lock_content(connection: Connection, entry: DatabaseEntry, *, timeout: timedelta) -> list[str]:
    """Lock the tables that hold content until the transaction ends, and return their names.

    Raises DatabaseSetupError when a table or a column of the backup is not there.
    """
    known = await tables_of(connection)
    _refuse_unless_it_fits(known, entry)
    tables = [table.name for table in content_tables(known)]
    await connection.execute(_LOCK_TIMEOUT, [f"{int(timeout.total_seconds() * 1000)}ms"])
    await connection.execute(_LOCK.format(names(tables)))
    await connection.execute(_LOCK_TIMEOUT, ["0"])
    return tables


def _refuse_unless_it_fits(known: dict[str, dict[str, str]], entry: DatabaseEntry) -> None:
    for table in entry.tables:
        for column, type_name in table.columns.items():
            found = known.get(table.name, {}).get(column)
            if found is None or (found != type_name and (table.name, column) != _WIDE):
                raise DatabaseSetupError(
                    f"The {entry.name} database has no column {column} of type {type_name} in a table {table.name}, as "
                    "the backup has: take another backup, or drop the tables."
                )


async def _replace_content(
    connection: Connection, entry: DatabaseEntry, tables: list[str], load: _Load
) -> tuple[list[TableComparison], Timings]:
    """Empty these tables, load what a backup holds, and compare it with what its manifest says.

    The search indexes are gone then: the next migration and `db.vector_index.build` make them.
    """
    await connection.execute(_EMPTY.format(names(tables)), prepare=False)
    began = perf_counter()
    dropped = [await _drop_indexes(connection, table.name, search_only=table.rows < _MANY) for table in entry.tables]
    await _fit_width(connection, entry.dimensions)
    await load(connection)
    loaded = perf_counter()
    for statement in chain.from_iterable(dropped):
        await connection.execute(statement, prepare=False)
    await connection.execute(_ANALYZE.format(names(tables)), prepare=False)
    indexed = perf_counter()
    compared = [await compare(connection, table) for table in entry.tables]
    return compared, Timings(
        loading=timedelta(seconds=loaded - began),
        indexing=timedelta(seconds=indexed - loaded),
        comparing=timedelta(seconds=perf_counter() - indexed),
    )


async def _drop_indexes(connection: Connection, table: str, *, search_only: bool) -> list[bytes]:
    """Drop the indexes of a table, or only those of searches; return the statements that make the others again.

    To make them at once is faster than to maintain them while the table is filled. Those of searches are made by the
    next migration, and by `db.vector_index.build`.
    """
    quoted = sql.Identifier(table).as_string(connection)
    parameters = {"methods": _SEARCH_METHODS, "names": _SEARCH_INDEXES, "table": quoted}
    statements = []
    for drop, create, is_for_search in await fetch(connection, _INDEXES, parameters):
        if is_for_search or not search_only:
            await connection.execute(drop.encode(), prepare=False)
            statements += [] if is_for_search else [create.encode()]
    return statements


async def _fit_width(connection: Connection, dimensions: int) -> None:
    """Let the empty column of vectors take those of the backup."""
    ((width,),) = await (await connection.execute(EMBEDDING_WIDTH)).fetchall()
    if width != dimensions:
        await connection.execute(_SET_WIDTH.format(sql.Literal(dimensions)), prepare=False)
        await connection.execute(_SET_STORAGE, prepare=False)


def _refuse_if_unequal(folder: Path, compared: list[TableComparison]) -> None:
    for table in compared:
        if not table.is_equal:
            raise InputFileError(
                f"The backup {folder} does not hold the {table.there.rows} rows of the table {table.table} that its "
                f"manifest names, but {table.here.rows} or other ones: take another backup."
            )


async def _erase_again(
    connection: Connection,
    manifest: Manifest,
    before: Mapping[int, datetime],
    ledger: Mapping[int, datetime],
    items: ErasedItems,
) -> Counts | None:
    """Erase what the forgotten had said: those of the database before, of the ledger, and of the backup itself."""
    erasures = merged(await _erasures_in(connection), before, ledger)
    subject = Subject(people=erasures, messages=items.messages, channels=items.channels)
    if not subject:
        return None
    for user_id, erased_at in erasures.items():
        await note_erasure(connection, user_id, erased_at)
    moments = [*erasures.values(), *items.channels.values()]
    if (
        items.messages or max(moments) >= manifest.created_at
    ):  # session files were rewritten since: positions mean nothing
        await connection.execute(_READ_JOURNALS_AGAIN)
    return await erase_rows(connection, subject)


async def _erasures_in(connection: Connection) -> dict[int, datetime]:
    return dict(await fetch(connection, _ERASURES))
