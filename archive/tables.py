"""Write the rows of a table to a file, in one stream from the server."""

from collections.abc import Callable
from pathlib import Path
from typing import LiteralString

from archive.formats import Format
from archive.manifest import FileEntry
from archive.parquet import write_parquet
from archive.whole import COMPRESSED, open_writer
from db.checksums import Table
from db.content import all_rows
from db.copying import Connection, blocks, copy_out_statement

_SUFFIXES = {Format.CSV: ".csv", Format.BINARY: ".copy", Format.PARQUET: ".parquet"}
_OPTIONS: dict[Format, LiteralString] = {
    Format.CSV: "FORMAT CSV, HEADER, ENCODING 'UTF8'",
    Format.BINARY: "FORMAT BINARY, ENCODING 'UTF8'",
}

Heard = Callable[[int], None]
"""Hears of so many rows more."""


async def write_table(
    connection: Connection, table: Table, folder: Path, written_as: Format, *, compress: bool, heard: Heard
) -> FileEntry:
    """Write all rows of a table into a new file; return what the manifest in the folder above says of it."""
    path = folder / f"{table.name}{_SUFFIXES[written_as]}"
    if written_as is Format.PARQUET:
        return await write_parquet(connection, table, path, compress=compress, heard=heard)
    if compress:
        path = path.with_name(f"{path.name}{COMPRESSED}")
    statement = copy_out_statement(all_rows(table), _OPTIONS[written_as])
    with open_writer(path) as writer:
        async with connection.cursor() as cursor, cursor.copy(statement) as rows:
            async for block, count in blocks(rows):
                writer.write(block)
                heard(count)
    return writer.entry(folder.parent)
