"""Read a database without any chance of changing it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.databases import Database
from db.engines import sessions_of, transaction

_READ_ONLY = text("SET TRANSACTION READ ONLY")
_PATIENTLY = text("SET LOCAL statement_timeout = '1min'")  # to count the rows of a large memory takes a while


@asynccontextmanager
async def looking(database: Database) -> AsyncGenerator[AsyncSession]:
    """Yield a session of the owner whose transaction PostgreSQL lets only read; raise DatabaseUnavailableError."""
    async with transaction(sessions_of(database.engine)) as session:
        await session.execute(_READ_ONLY)
        await session.execute(_PATIENTLY)
        yield session
