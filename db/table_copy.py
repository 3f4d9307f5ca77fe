"""Stream rows in and out of PostgreSQL by COPY in its binary format."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.abc import Params

from db.addresses import keywords_of, parse_address
from db.connections import connect
from db.errors import driver_errors
from db.metadata import FACTS, OWN_FACTS

Connection = psycopg.AsyncConnection[Any]

_BLOCK = 256 * 1024  # bytes; PostgreSQL hands over row by row, and a call for each would cost more than the row


@asynccontextmanager
async def open_connection(dsn: str, *, timeout: timedelta, read_only: bool = False) -> AsyncGenerator[Connection]:
    """Yield a connection whose statements may take hours, though to connect may take no longer than `timeout`.

    A `read_only` one sees the database as it is at its first statement, whatever others do meanwhile; any other commits
    each statement outside a `transaction()`. Raises DatabaseUnavailableError.
    """
    with driver_errors():
        async with await connect(
            keywords_of(parse_address(dsn)),
            timeout=timeout,
            settings={"statement_timeout": "12h"},
            name="backscroll copying",
            # A vanished host is noticed while hours of work are waited for.
            keepalives_idle=max(2, int(timeout.total_seconds())),
        ) as connection:
            if read_only:
                await connection.set_read_only(True)
                await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            else:
                await connection.set_autocommit(True)
            yield connection


def copy_out_statement(query: sql.Composable, options: LiteralString = "FORMAT BINARY") -> sql.Composed:
    """Return the statement that streams the rows of a query out."""
    return sql.SQL("COPY ({}) TO STDOUT ({})").format(query, sql.SQL(options))


def copy_in_statement(table: str, columns: list[str], options: LiteralString = "FORMAT BINARY") -> sql.Composed:
    """Return the statement that takes rows into columns of a table."""
    return sql.SQL("COPY {} ({}) FROM STDIN ({})").format(sql.Identifier(table), names(columns), sql.SQL(options))


def names(columns: list[str]) -> sql.Composed:
    """Return a list of columns as a statement needs it."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


async def pipe(source: Connection, query: sql.Composable, target: Connection, *, table: str, columns: list[str]) -> int:
    """Copy the rows of a query at the source into a table at the target, as they are; return their number."""
    async with source.cursor() as reading, target.cursor() as writing:
        async with (
            reading.copy(copy_out_statement(query)) as rows,
            writing.copy(copy_in_statement(table, columns)) as taking,
        ):
            async for block, _ in blocks(rows):
                await taking.write(block)
        return writing.rowcount


async def blocks(rows: AsyncIterable[bytes | bytearray | memoryview]) -> AsyncGenerator[tuple[bytes, int]]:
    """Yield what comes row by row in larger pieces, each with the number of its rows."""
    block, count = bytearray(), 0
    async for row in rows:
        block += row
        count += 1
        if len(block) >= _BLOCK:
            yield bytes(block), count
            block, count = bytearray(), 0
    yield bytes(block), count


async def fetch(connection: Connection, query: LiteralString | sql.Composed, params: Params | None = None) -> list[Any]:
    """Return the rows of a query."""
    return await (await connection.execute(query, params)).fetchall()


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
class ContentTable:
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
class TableComparison:
    """What a table holds there, and what the one of the same name holds here."""

    table: str
    there: Content
    here: Content

    @property
    def is_equal(self) -> bool:
        """Return whether both hold the same rows."""
        return self.there == self.here


async def tables_of(connection: Connection) -> dict[str, dict[str, str]]:
    """Return the columns, each with its type, of every table of a database."""
    found: dict[str, dict[str, str]] = {}
    for table, name, type_name in await fetch(connection, _COLUMNS):
        found.setdefault(table, {})[name] = type_name
    return found


async def compare(source: Connection, target: Connection, tables: Sequence[ContentTable]) -> list[TableComparison]:
    """Count the rows of each table on both sides, and add up their contents; every row is read."""
    known = await tables_of(target)
    compared = []
    for table in tables:
        has_it = table.columns.items() <= known.get(table.name, {}).items()
        there, here = await asyncio.gather(
            content_of(source, table), content_of(target, table) if has_it else _nothing()
        )
        compared.append(TableComparison(table.name, there, here))
    return compared


async def content_of(connection: Connection, table: ContentTable) -> Content:
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


NOT_OWN = sql.SQL("name <> ALL ({})").format(sql.Literal(list(OWN_FACTS)))
"""The condition for a row of the facts to be content."""

_ALL = sql.SQL("SELECT {columns} FROM {table} WHERE {condition}")
FORMER_TABLES = frozenset({"checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_migrations"})
"""LangGraph's tables, in which earlier versions kept conversations: no content any more, in a backup neither."""

_NOT_CONTENT = FORMER_TABLES | {"alembic_version"}  # which says how far each database is migrated


def content_tables(known: dict[str, dict[str, str]]) -> list[ContentTable]:
    """Return what of the tables of a database, given with the types of their columns, is content."""
    return [content_table(name, columns) for name, columns in known.items() if name not in _NOT_CONTENT]


def content_table(name: str, columns: dict[str, str]) -> ContentTable:
    """Return what of a table is content."""
    return ContentTable(name=name, columns=columns, condition=NOT_OWN if name == FACTS else None)


def all_rows(table: ContentTable) -> sql.Composed:
    """Return the query of all rows of a table that are content."""
    condition = table.condition or EVERY_ROW
    return _ALL.format(columns=names(list(table.columns)), table=sql.Identifier(table.name), condition=condition)
