"""Run SQL text, whose values are bound by name, over the psycopg connection beneath a session."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.abc import AdaptContext
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncSession

Row = dict[str, Any]
"""A row: a value under the name of each column."""

Values = Mapping[str, Any]
"""What is bound in a statement, by name; it never becomes part of the text."""

Statement = sql.SQL | sql.Composed

_MOST_TEXTS = 256  # those of a hypertable with many chunks are long

_TEXTS: OrderedDict[int, tuple[Statement, bytes]] = OrderedDict()
"""Texts of the statements that were run last, by their ids, which hold as long as each is kept beside its text."""


def text_of(statement: Statement, context: AdaptContext | None) -> bytes:
    """Return the text of a statement, which is put together the first time that the same object is asked for.

    psycopg does that each time anew, piece by piece. All of our connections quote alike (`db.connections`).
    """
    kept = _TEXTS.get(id(statement))
    if kept is not None:
        _TEXTS.move_to_end(id(statement))
        return kept[1]
    text = statement.as_bytes(context)
    _TEXTS[id(statement)] = statement, text
    if len(_TEXTS) > _MOST_TEXTS:
        _TEXTS.popitem(last=False)
    return text


async def fetch(session: AsyncSession, statement: Statement, values: Values | None = None) -> list[Row]:
    """Run a statement in the transaction of a session and return its rows.

    Raises psycopg.Error, which `db.errors` translates at the end of the transaction.
    """
    connection = await driver_connection(session)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(text_of(statement, connection), values)
        return await cursor.fetchall()


async def execute(session: AsyncSession, statement: Statement, values: Values | None = None) -> int:
    """Run a statement that gives no rows in the transaction of a session; return how many rows it changed.

    Without values it may be several statements, which take one round trip. Raises psycopg.Error, which `db.errors`
    translates at the end of the transaction.
    """
    connection = await driver_connection(session)
    async with connection.cursor() as cursor:
        # Several statements at once cannot be prepared.
        await cursor.execute(text_of(statement, connection), values, prepare=None if values else False)
        return cursor.rowcount


_OF_TRANSACTION, _DRIVER = "transaction of the driver's connection", "driver's connection"


async def driver_connection(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """Return the connection of the driver that a session has taken from its pool, or takes now."""
    transaction = session.sync_session.get_transaction()
    if transaction is not None and session.info.get(_OF_TRANSACTION) is transaction:
        known: psycopg.AsyncConnection[Any] = session.info[_DRIVER]
        return known
    pooled = await (await session.connection()).get_raw_connection()
    connection = pooled.driver_connection
    if not isinstance(connection, psycopg.AsyncConnection):
        raise TypeError(f"psycopg is the driver, not {type(connection).__name__}")
    # A session has one connection until its transaction ends, and to ask for it takes longer than some statements.
    session.info.update({_OF_TRANSACTION: session.sync_session.get_transaction(), _DRIVER: connection})
    return connection
