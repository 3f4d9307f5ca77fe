"""Write the rows of a table as Parquet, for analysis with pandas, DuckDB and the like."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, LiteralString

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from psycopg import sql
from pyarrow import parquet

from db.table_copy import EVERY_ROW, Connection, ContentTable
from ops.backup.files import HashingFile
from ops.backup.manifest import FileEntry

_ROWS = 2_000  # of a row group: those are in memory at a time
_VECTOR_HEAD = 4  # bytes before the numbers of a vector in PostgreSQL's binary form

_TYPES = {
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
    "bytea": pa.binary(),
    "vector": pa.list_(pa.float32()),
}
"""Every other type becomes text, JSON among them."""

_FORMS: dict[str, LiteralString] = {
    "vector": "vector_send({})",
    "timestamp with time zone": "(extract(epoch FROM {}) * 1000000)::bigint",
}
_SELECT = sql.SQL("SELECT {values} FROM {table} WHERE {condition}")


async def write_parquet(
    connection: Connection, table: ContentTable, path: Path, *, compress: bool, report: Callable[[int], None]
) -> FileEntry:
    """Write all rows of a table into a new file; return its entry for the manifest in the folder above.

    The report is called with the number of rows of each row group.
    The connection is in a transaction, for the rows come through a cursor of the server's.
    """
    schema = pa.schema([(name, _arrow_type(kind)) for name, kind in table.columns.items()])
    texts = [field.name for field in schema if pa.types.is_string(field.type)]  # they come again, unlike numbers
    with closing(HashingFile(path)) as file:
        with parquet.ParquetWriter(
            file, schema, compression="zstd" if compress else "none", use_dictionary=texts
        ) as writer:
            async with connection.cursor(name="parquet", binary=True) as cursor:
                await cursor.execute(_query(table))
                while rows := await cursor.fetchmany(_ROWS):
                    writer.write_table(_group(rows, schema))
                    report(len(rows))
        file.sync()
    return file.entry(path.parent.parent)


def rows_in_parquet(path: Path) -> int:
    """Return the number of rows that a Parquet file says it has; raise ValueError or OSError when it is none."""
    return int(parquet.read_metadata(path).num_rows)


def _group(rows: Sequence[Sequence[Any]], schema: Any) -> Any:
    """Return rows as a table of Arrow."""
    columns = zip(*rows, strict=True)
    return pa.table([_array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema=schema)


def _array(values: Sequence[Any], kind: Any) -> Any:
    if pa.types.is_list(kind):
        return _vectors(values, kind)
    if pa.types.is_timestamp(kind):
        return pa.array(values, pa.int64()).cast(kind)
    return pa.array(values, kind)


def _vectors(values: Sequence[bytes | None], kind: Any) -> Any:
    """Return vectors, which PostgreSQL sends with the highest byte of each number first."""
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    lengths = [0 if value is None else (len(value) - _VECTOR_HEAD) // 4 for value in values]
    np.cumsum(lengths, out=offsets[1:])
    numbers = b"".join(value[_VECTOR_HEAD:] for value in values if value is not None)
    missing = pa.array([value is None for value in values])
    floats = pa.array(np.frombuffer(numbers, dtype=">f4").astype(np.float32))
    return pa.ListArray.from_arrays(pa.array(offsets), floats, type=kind, mask=missing)


def _query(table: ContentTable) -> sql.Composed:
    return _SELECT.format(
        values=sql.SQL(", ").join(_value(name, kind) for name, kind in table.columns.items()),
        table=sql.Identifier(table.name),
        condition=table.condition or EVERY_ROW,
    )


def _value(name: str, kind: str) -> sql.Composed:
    form = _FORMS.get(_base(kind), "{}" if _base(kind) in _TYPES else "{}::text")
    return sql.SQL(form).format(sql.Identifier(name))


def _arrow_type(kind: str) -> Any:
    return _TYPES.get(_base(kind), pa.string())


def _base(kind: str) -> str:
    """Return a type without its width."""
    return kind.partition("(")[0]
