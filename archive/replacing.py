"""Replace what a database holds by what a backup holds, inside one transaction of the caller."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter

import psycopg
from psycopg import sql

from archive.indexes import put_back, take_away
from archive.manifest import DatabaseEntry, TableEntry
from db.checksums import Compared, Content, content_of, tables_of
from db.content import content_table, content_tables
from db.copying import Connection, names
from db.databases import Database
from db.former_conversations import make_tables
from db.tables import EMBEDDING_WIDTH
from errors import DatabaseSetupError, InputFileError, first_line

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

    Those in which a backup of an earlier version has conversations are made for as long as that. Raises
    DatabaseSetupError when a table or a column of the backup is not there.
    """
    await make_tables(connection, [table.name for table in entry.tables])
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
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise DatabaseSetupError(
            f"Another program is using the {database.name} database: stop it, then restore again."
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseSetupError(
            f"The {database.name} database does not let this user replace what it holds ({_said(error)}): "
            "let its address in .env name the owner of its tables."
        ) from error
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise InputFileError(
            f"The {database.name} database does not take what the backup holds ({_said(error)}): take another backup."
        ) from error


def _said(error: psycopg.Error) -> str:
    return first_line(error).rstrip(".")


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
