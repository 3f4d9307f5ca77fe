"""Stream rows in and out of PostgreSQL by COPY in its binary format."""

from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.abc import Params

from db.addresses import keywords_of, parse_address
from db.connecting import connect
from db.errors import driver_errors

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
