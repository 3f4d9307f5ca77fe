"""Write the rows of a table into a file by COPY, load them from it, and count them in it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct, error
from typing import BinaryIO, LiteralString

from db.errors import driver_errors, server_message
from db.table_copy import Connection, ContentTable, all_rows, blocks, copy_in_statement, copy_out_statement
from errors import InputFileError, RefusedRowError
from memory.capture.message_csv import count_records
from ops.backup.files import open_writer
from ops.backup.formats import Format
from ops.backup.manifest import DatabaseEntry, FileEntry, TableEntry, path_of
from storage.files import COMPRESSED, open_decompressed, raise_os_errors_as
from util_async import Progress

_SUFFIXES = {Format.CSV: ".csv", Format.BINARY: ".copy", Format.PARQUET: ".parquet"}
_COPY_OUT_OPTIONS: dict[Format, LiteralString] = {
    Format.CSV: "FORMAT CSV, HEADER, ENCODING 'UTF8'",
    Format.BINARY: "FORMAT BINARY, ENCODING 'UTF8'",
}
_COPY_IN_OPTIONS: dict[Format, LiteralString] = {
    Format.CSV: "FORMAT CSV, HEADER MATCH, ENCODING 'UTF8'",
    Format.BINARY: "FORMAT BINARY, ENCODING 'UTF8'",
}
_BLOCK = 1024 * 1024  # bytes

_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEAD, _FIELDS, _LENGTH = Struct("!iI"), Struct("!h"), Struct("!i")
_LONGEST_FIELD = 1 << 30  # bytes; PostgreSQL has no longer ones
_NULL = _END = -1


async def write_table(
    connection: Connection,
    table: ContentTable,
    folder: Path,
    written_as: Format,
    *,
    compress: bool,
    report: Callable[[int], None],
) -> FileEntry:
    """Write all rows of a table into a new file; return its entry for the manifest in the folder above.

    The report is called with the number of rows of each block.
    """
    path = folder / f"{table.name}{_SUFFIXES[written_as]}"
    if written_as is Format.PARQUET:
        from ops.backup.parquet import write_parquet  # it brings pyarrow and numpy, which few backups need

        return await write_parquet(connection, table, path, compress=compress, report=report)
    if compress:
        path = path.with_name(f"{path.name}{COMPRESSED}")
    statement = copy_out_statement(all_rows(table), _COPY_OUT_OPTIONS[written_as])
    with open_writer(path) as writer:
        async with connection.cursor() as cursor, cursor.copy(statement) as rows:
            async for block, count in blocks(rows):
                writer.write(block)
                report(count)
    return writer.entry(folder.parent)


async def load_tables(
    connection: Connection, folder: Path, entry: DatabaseEntry, source: Format, report: Progress
) -> int:
    """Append the rows of all files of a database's tables to the tables of the same names; return their number.

    The report counts bytes of files. Raises InputFileError that names the file which cannot be read, or whose rows its
    table does not take.
    """
    files = [(table, file_of(table, source)) for table in entry.tables]
    total, done, rows = sum(file.size for _, file in files), 0, 0
    for table, file in files:

        def report_file(bytes_of_file: int, before: int = done) -> None:
            report(before + bytes_of_file, total)

        rows += await _load(connection, table, path_of(folder, file), source, report_file)
        done += file.size
        report(done, total)
    return rows


def file_of(table: TableEntry, source: Format) -> FileEntry:
    """Return the file that holds a table in a format; raise InputFileError when the backup has none."""
    try:
        return table.files[source]
    except KeyError as error:
        raise InputFileError(
            f"The backup has no file of the table {table.name} in the format {source}: restore from another format."
        ) from error


async def _load(
    connection: Connection, table: TableEntry, path: Path, source: Format, report: Callable[[int], None]
) -> int:
    statement = copy_in_statement(table.name, list(table.columns), _COPY_IN_OPTIONS[source])
    with (
        raise_os_errors_as(InputFileError, f"{path} cannot be read", "take another backup"),
        translate_refusals(path, table.name),
        open_decompressed(path, report) as file,
    ):
        async with connection.cursor() as cursor:
            async with cursor.copy(statement) as copy:
                async for block in _read_ahead(file):
                    await copy.write(block)
            return cursor.rowcount


@contextmanager
def translate_refusals(path: Path, table: str) -> Iterator[None]:
    """Raise the refusal of rows by their table as an InputFileError that names the file they come from."""
    try:
        with driver_errors():
            yield
    except RefusedRowError as error:
        raise InputFileError(
            f"{path} holds what the table {table} does not take ({server_message(error)}): take another backup."
        ) from error


async def _read_ahead(file: BinaryIO) -> AsyncGenerator[bytes]:
    """Yield the blocks of a file; a thread reads the next one while the last is on its way to the server."""
    loop = asyncio.get_running_loop()
    reading = loop.run_in_executor(None, file.read, _BLOCK)
    try:
        while block := await asyncio.shield(reading):
            reading = loop.run_in_executor(None, file.read, _BLOCK)
            yield block
    finally:  # nobody may close the file while the thread reads it
        await asyncio.wait([reading])


def count_rows(path: Path, written_as: Format, report: Callable[[int], None]) -> int:
    """Return the number of rows in a file of a table; the report is called with its bytes that are read.

    Raises InputFileError for a file that is not of that format, or that ends too early.
    """
    try:
        if written_as is Format.PARQUET:
            from ops.backup.parquet import rows_in_parquet  # it brings pyarrow and numpy, which few backups need

            return rows_in_parquet(path)
        with open_decompressed(path, report) as file:
            return count_records(file) - 1 if written_as is Format.CSV else _binary_rows(file)
    except (ValueError, error) as reason:
        raise InputFileError(f"{path} is not a {written_as} file that is whole: take another backup.") from reason


def _binary_rows(file: BinaryIO) -> int:
    """Count the rows of a file in PostgreSQL's binary format; raise ValueError or struct.error when it is none."""
    if _exactly(file, len(_SIGNATURE)) != _SIGNATURE:
        raise ValueError("it begins otherwise")
    _, extension = _HEAD.unpack(_exactly(file, _HEAD.size))
    _skip(file, extension)
    rows = 0
    while (fields := _FIELDS.unpack(file.read(_FIELDS.size))[0]) != _END:
        for _ in range(fields):
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            if length != _NULL:
                _skip(file, length)
        rows += 1
    if file.read(1):
        raise ValueError("it goes on behind its end")
    return rows


def _exactly(file: BinaryIO, length: int) -> bytes:
    content = file.read(length)
    if len(content) != length:
        raise ValueError("it ends within a field")
    return content


def _skip(file: BinaryIO, length: int) -> None:
    """Read past a field, however long it claims to be, without having all of it in memory."""
    if not 0 <= length <= _LONGEST_FIELD:
        raise ValueError("a field has no such length")
    while length > 0:
        length -= len(_exactly(file, min(length, _BLOCK)))
