"""Ask PostgreSQL how it runs a statement."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Self

import psycopg
from psycopg.abc import Params
from psycopg.sql import SQL, Composable, Composed
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import Values, driver_connection, fetch


def explaining(statement: Composable, *, analysed: bool = False) -> Composed:
    """Return the statement that asks for a statement's plan, with what really happened when it is `analysed`."""
    return SQL("EXPLAIN {}{}").format(SQL("(ANALYZE, TIMING OFF, COSTS OFF) " if analysed else ""), statement)


async def plan_of(session: AsyncSession, statement: Composable, values: Values, *, analysed: bool = False) -> str:
    """Return the plan of a statement."""
    return "\n".join(
        row["QUERY PLAN"] for row in await fetch(session, explaining(statement, analysed=analysed), values)
    )


@asynccontextmanager
async def explained(session: AsyncSession, *, analysed: bool = False) -> AsyncGenerator[list[str]]:
    """Yield the list that the plans of all searches over a session go into, in order."""
    plans: list[str] = []

    class ExplainingCursor(psycopg.AsyncCursor[Any]):
        async def execute(self, query: Any, params: Params | None = None, **options: Any) -> Self:
            statement = SQL(query.decode()) if isinstance(query, bytes) else query  # as `db.statements` has them
            if isinstance(statement, Composable) and is_search(statement):
                await super().execute(explaining(statement, analysed=analysed), params)
                plans.append("\n".join(row["QUERY PLAN"] for row in await self.fetchall()))
            return await super().execute(query, params, **options)

    connection = await driver_connection(session)
    usual, connection.cursor_factory = connection.cursor_factory, ExplainingCursor
    try:
        yield plans
    finally:
        connection.cursor_factory = usual


def is_search(statement: Composable) -> bool:
    """Return whether a statement reads messages, and does not ask for a plan itself."""
    text = statement.as_string(None)
    return ("FROM messages" in text or "_timescaledb_internal" in text) and "EXPLAIN" not in text
