"""Tell by counts and checksums whether tables of two servers hold the same rows."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from db.copying import Connection, fetch

_COLUMNS = """
    SELECT tables.relname AS table, attname AS name, format_type(atttypid, atttypmod) AS type
    FROM pg_class tables JOIN pg_attribute ON attrelid = tables.oid
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
    ORDER BY tables.relname, attnum
"""
# An MD5 of each row, in the binary form that does not change between versions; their sum knows of no order.
_CONTENT = sql.SQL(
    "SELECT count(*), coalesce(sum(('x' || left(md5(record_send(ROW({values}))), 16))::bit(64)::bigint), 0)::text"
    " FROM {table} WHERE {condition}"
)
EVERY_ROW = sql.SQL("true")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table: its columns, each with its type, in their order; only rows that pass `condition` count."""

    name: str
    columns: dict[str, str]
    condition: sql.Composable | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a table holds."""

    rows: int
    checksum: str


NOTHING = Content(0, "0")


@dataclass(frozen=True, slots=True)
class Compared:
    """What a table holds there, and what the one of the same name holds here."""

    table: str
    there: Content
    here: Content

    @property
    def is_equal(self) -> bool:
        """Tell whether both hold the same rows."""
        return self.there == self.here


async def tables_of(connection: Connection) -> dict[str, dict[str, str]]:
    """Return the columns, each with its type, of every table of a database."""
    found: dict[str, dict[str, str]] = {}
    for table, name, type_name in await fetch(connection, _COLUMNS):
        found.setdefault(table, {})[name] = type_name
    return found


async def compare(source: Connection, target: Connection, tables: Sequence[Table]) -> list[Compared]:
    """Count the rows of each table on both sides, and add up their contents; every row is read."""
    known = await tables_of(target)
    compared = []
    for table in tables:
        has_it = table.columns.items() <= known.get(table.name, {}).items()
        there, here = await asyncio.gather(
            content_of(source, table), content_of(target, table) if has_it else _nothing()
        )
        compared.append(Compared(table.name, there, here))
    return compared


async def content_of(connection: Connection, table: Table) -> Content:
    """Return what a table holds."""
    query = _CONTENT.format(
        values=sql.SQL(", ").join(_value(name, kind) for name, kind in table.columns.items()),
        table=sql.Identifier(table.name),
        condition=table.condition or EVERY_ROW,
    )
    ((rows, checksum),) = await fetch(connection, query)
    return Content(rows, checksum)


async def _nothing() -> Content:
    return NOTHING


def _value(name: str, type_name: str) -> sql.Composed:
    """Return a column as something whose type has the same number on every server, which a row in binary carries."""
    return sql.SQL(_FORMS.get(type_name.partition("(")[0], "{}")).format(sql.Identifier(name))


_FORMS: dict[str, LiteralString] = {"vector": "vector_send({})", "jsonb": "{}::text"}
