"""Bring a database to the newest revision and give it the search indexes that its server can build."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.readiness import Capabilities, operator_errors
from db.word_index import mend

logger = logging.getLogger(__name__)

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('backscroll.migrate', 0))")

PATIENTLY = text("SET LOCAL statement_timeout = '12h'")
"""The time limit that is right for a search is too short for rewriting or indexing millions of rows."""

# A thinner graph than the default (50, 100) takes rows in four times as fast, and as the planner asks it for hundreds
# of rows it finds as much (docs/decisions/0005).
_DISKANN = text(
    "CREATE INDEX IF NOT EXISTS messages_diskann ON messages USING diskann (embedding vector_cosine_ops)"
    " WITH (num_neighbors = 20, search_list_size = 50)"
)
_BM25_EXTENSION = text("CREATE EXTENSION IF NOT EXISTS pg_textsearch")
_BM25 = text(
    "CREATE INDEX IF NOT EXISTS messages_bm25 ON messages USING bm25 (search_text) WITH (text_config = 'english')"
)
_FULL_TEXT = text(
    "CREATE INDEX IF NOT EXISTS messages_full_text ON messages USING gin (to_tsvector('english', search_text))"
)


async def migrate(engine: AsyncEngine, *, name: str, dimensions: int, capabilities: Capabilities) -> None:
    """Upgrade the database; `dimensions` is the width of embeddings where the tables are new.

    Raises DatabaseSetupError when the user may not do that.
    """
    with operator_errors(engine, name=name):
        async with engine.begin() as connection:
            await connection.execute(PATIENTLY)
            await connection.execute(_LOCK)  # two processes that start at once take turns
            await connection.run_sync(_upgrade, dimensions)
            await connection.run_sync(create_search_indexes, capabilities)
            if capabilities.bm25:
                await mend(connection)
    if not capabilities.hypertables:
        logger.info("%s: TimescaleDB is not there, messages are a plain table", name)
    if not capabilities.bm25:
        logger.info("%s: pg_textsearch is not there, words are found by PostgreSQL full text", name)


def _upgrade(connection: Connection, dimensions: int) -> None:
    command.upgrade(alembic_config(connection, dimensions=dimensions), "head")


def alembic_config(connection: Connection, *, dimensions: int) -> Config:
    """Return what Alembic's commands need to work on a connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    config.attributes["dimensions"] = dimensions
    return config


def create_search_indexes(connection: Connection, capabilities: Capabilities) -> None:
    """Create what is missing of the vector index and of the best word index that the server offers."""
    connection.execute(_DISKANN)
    if capabilities.bm25:
        connection.execute(_BM25_EXTENSION)
        connection.execute(_BM25)
    else:
        connection.execute(_FULL_TEXT)
