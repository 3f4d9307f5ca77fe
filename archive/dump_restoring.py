"""Restore a dump of a whole database beside the one that wants its rows, and hand them over."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from archive.manifest import DatabaseEntry, FileEntry
from archive.programs import PATIENCE, find_program, major_of, run_program
from archive.scratch import open_scratch
from archive.verifying import Report, path_of
from db.checksums import tables_of
from db.content import all_rows, content_table
from db.copying import Connection, fetch, open_connection, pipe
from db.databases import Database
from db.engines import libpq_address
from errors import DatabaseSetupError, InputFileError, OperatorError

TIMESCALE = "timescaledb"

_OPTIONS = ("--no-owner", "--no-privileges", "--no-comments", "--exit-on-error")
# Indexes, constraints and triggers come after the data: nobody searches what is only read once.
_SECTIONS = ("--section=pre-data", "--section=data")
_AVAILABLE = "SELECT name, version FROM pg_available_extension_versions"
_CREATE_TIMESCALE = sql.SQL("CREATE EXTENSION timescaledb VERSION {}")
_BUILT_IN = frozenset({"plpgsql"})


def dump_of(entry: DatabaseEntry) -> FileEntry:
    """Return the dump of a database; raise InputFileError when the backup has none."""
    if entry.dump is None:
        raise InputFileError(f"The backup has no dump of the {entry.name} database: restore from another format.")
    return entry.dump


async def refuse_unless_server_fits(connection: Connection, entry: DatabaseEntry) -> None:
    """Raise DatabaseSetupError when the server of a connection cannot take a dump of this database."""
    here, there = major_of(str(connection.info.server_version // 10_000)), major_of(entry.server_version)
    if here < there:
        raise _unfit(entry, f"is of PostgreSQL {there}, and the server is {here}")
    available = {(name, version) for name, version in await fetch(connection, _AVAILABLE)}
    for name, version in entry.extensions.items():
        if name == TIMESCALE and (name, version) not in available:
            raise _unfit(entry, f"needs TimescaleDB {version} on the server, that and no other")
        if name not in {known for known, _ in available} | _BUILT_IN:
            raise _unfit(entry, f"needs the extension {name}, which the server lacks")


def _unfit(entry: DatabaseEntry, reason: str) -> DatabaseSetupError:
    return DatabaseSetupError(
        f"The dump of the {entry.name} database {reason}: restore from the format csv or binary instead."
    )


@asynccontextmanager
async def open_restored_dump(
    folder: Path, entry: DatabaseEntry, database: Database, *, timeout: timedelta
) -> AsyncGenerator[Connection]:
    """Yield a connection to a scratch database beside `database` that holds what the dump holds.

    Raises InputFileError when the dump cannot be restored, DatabaseSetupError when no database can be made for it.
    """
    path = path_of(folder, dump_of(entry))
    async with open_scratch(database, timeout=timeout) as address:
        scratch = libpq_address(address)
        if TIMESCALE in entry.extensions:
            async with _prepared_for_timescale(scratch, entry.extensions[TIMESCALE], timeout=timeout):
                await _restore(path, entry, scratch, timeout=timeout)
        else:
            await _restore(path, entry, scratch, timeout=timeout)
        async with open_connection(scratch, timeout=timeout, read_only=True) as connection:
            await _refuse_unless_whole(connection, path, entry)
            yield connection


async def pipe_tables(source: Connection, target: Connection, entry: DatabaseEntry, report: Report) -> int:
    """Append the rows of a restored dump to the tables of the same names; return their number.

    The report hears which part of the dump's bytes they are.
    """
    size, total, done = dump_of(entry).size, sum(table.rows for table in entry.tables), 0
    for table in entry.tables:
        rows = all_rows(content_table(table.name, table.columns))
        done += await pipe(source, rows, target, table=table.name, columns=list(table.columns))
        report(size * done // max(1, total), size)
    return done


async def _restore(path: Path, entry: DatabaseEntry, scratch: str, *, timeout: timedelta) -> None:
    async with open_connection(scratch, timeout=timeout) as connection:
        server = connection.info.server_version // 10_000
    newest = max(server, major_of(entry.dump_made_by or entry.server_version))
    program = find_program("pg_restore", str(newest))
    try:
        await run_program(program, *_OPTIONS, *_SECTIONS, str(path), dsn=scratch, timeout=PATIENCE)
    except OperatorError as error:
        raise InputFileError(
            f"{path} could not be restored ({str(error).rstrip('.')}): take another backup."
        ) from error


@asynccontextmanager
async def _prepared_for_timescale(scratch: str, version: str, *, timeout: timedelta) -> AsyncGenerator[None]:
    """Let TimescaleDB know that its own tables come from a dump, as long as the context lasts."""
    try:
        async with open_connection(scratch, timeout=timeout) as connection:
            await connection.execute(_CREATE_TIMESCALE.format(sql.Literal(version)), prepare=False)
            await connection.execute("SELECT timescaledb_pre_restore()")
        yield
        async with open_connection(scratch, timeout=timeout) as connection:
            await connection.execute("SELECT timescaledb_post_restore()")
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseSetupError(
            "The user of the database may not create the extension timescaledb in a new one: restore from the csv or "
            "binary format, or let an administrator restore."
        ) from error


async def _refuse_unless_whole(connection: Connection, path: Path, entry: DatabaseEntry) -> None:
    """Raise InputFileError when a dump lacks a column that the manifest speaks of."""
    known = await tables_of(connection)
    for table in entry.tables:
        if missing := table.columns.items() - known.get(table.name, {}).items():
            column, _ = min(missing)
            raise InputFileError(
                f"{path} has no column {column} of a table {table.name} as its manifest says: take another backup."
            )
