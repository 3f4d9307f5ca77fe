"""Run SQL text, whose values are bound by name, over the psycopg connection beneath a session."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncSession

Row = dict[str, Any]
"""A row: a value under the name of each column."""

Values = Mapping[str, Any]
"""What is bound in a statement, by name; it never becomes part of the text."""


async def fetch(session: AsyncSession, statement: sql.SQL | sql.Composed, values: Values | None = None) -> list[Row]:
    """Run a statement in the transaction of a session and return its rows.

    Raises psycopg.Error, which `db.errors` translates at the end of the transaction.
    """
    async with (await driver_connection(session)).cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, values)
        return await cursor.fetchall()


async def execute(session: AsyncSession, statement: sql.SQL | sql.Composed, values: Values | None = None) -> int:
    """Run a statement that gives no rows in the transaction of a session; return how many rows it changed.

    Without values it may be several statements, which take one round trip. Raises psycopg.Error, which `db.errors`
    translates at the end of the transaction.
    """
    async with (await driver_connection(session)).cursor() as cursor:
        # Several statements at once cannot be prepared.
        await cursor.execute(statement, values, prepare=None if values else False)
        return cursor.rowcount


async def driver_connection(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """Return the connection of the driver that a session has taken from its pool, or takes now."""
    pooled = await (await session.connection()).get_raw_connection()
    connection = pooled.driver_connection
    if not isinstance(connection, psycopg.AsyncConnection):
        raise TypeError(f"psycopg is the driver, not {type(connection).__name__}")
    return connection
