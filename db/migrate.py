"""Bring a database to the newest revision, and give it what its server can do beyond: chunks, indexes, roles."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from db.capabilities import Capabilities
from db.chunks import ensure_hypertable
from db.config import Layout
from db.errors import operator_errors
from db.roles import ensure_roles
from db.vector_index import create_on_plain_table
from db.word_index import SERIAL_BUILD, rebuild_if_stale
from errors import DatabaseSetupError

if TYPE_CHECKING:
    from alembic.config import Config

logger = logging.getLogger(__name__)

NEWEST = "0019"
"""The newest revision; a database that has it needs no Alembic, which takes longer to import than to find that out."""

_SCRIPTS = Path(__file__).parent / "migrations"
_HAS_REVISION = text("SELECT to_regclass('alembic_version') IS NOT NULL")
_REVISION = text("SELECT version_num FROM alembic_version")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('backscroll.migrate', 0))")

LONG_STATEMENT_TIMEOUT = text("SET LOCAL statement_timeout = '12h'")
"""The time limit that is right for a search is too short for rewriting or indexing millions of rows."""

_BM25_EXTENSION = text("CREATE EXTENSION IF NOT EXISTS pg_textsearch")
_BM25 = text(
    "CREATE INDEX IF NOT EXISTS messages_bm25 ON messages USING bm25 (search_text) WITH (text_config = 'english')"
)
_FULL_TEXT = text(
    "CREATE INDEX IF NOT EXISTS messages_full_text ON messages USING gin (to_tsvector('english', search_text))"
)


async def migrate(
    engine: AsyncEngine, *, name: str, dimensions: int, capabilities: Capabilities, layout: Layout, may_empty: bool
) -> None:
    """Upgrade the database; `dimensions` is the width of embeddings where the tables are new.

    `may_empty` gives the bot the right to empty the messages. Raises DatabaseSetupError when the user may not do what
    an upgrade needs.
    """
    with operator_errors(engine.url, name=name):
        async with engine.begin() as connection:
            await connection.execute(LONG_STATEMENT_TIMEOUT)
            await connection.execute(_LOCK)  # two processes that start at once take turns
            await connection.run_sync(_upgrade, name, dimensions)
            if capabilities.hypertables:
                await connection.run_sync(ensure_hypertable, interval=layout.chunk_interval)
            await connection.run_sync(_create_word_index, capabilities)
            if not capabilities.hypertables:
                await connection.run_sync(create_on_plain_table, layout)
            if capabilities.bm25:
                await rebuild_if_stale(connection)
            has_roles = await connection.run_sync(ensure_roles, may_empty=may_empty)
    _log_what_is_missing(name, capabilities, has_roles=has_roles)


def _log_what_is_missing(name: str, capabilities: Capabilities, *, has_roles: bool) -> None:
    """Log once a start what this server cannot do."""
    if not capabilities.hypertables:
        logger.info("%s: TimescaleDB is not there, messages are a plain table", name)
    if not capabilities.bm25:
        logger.info("%s: pg_textsearch is not there, words are found by PostgreSQL full text", name)
    if not has_roles:
        logger.info("%s: the user may not create roles, all is done under its own name; searches only read", name)


def _upgrade(connection: Connection, name: str, dimensions: int) -> None:
    if connection.scalar(_HAS_REVISION) and connection.scalar(_REVISION) == NEWEST:
        return
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(alembic_config(connection, dimensions=dimensions), "head")
    except CommandError as error:  # it does not know the revision
        raise DatabaseSetupError(
            f"The {name} database was last used by a newer version of Backscroll: update this one."
        ) from error


def is_known(revision: str) -> bool:
    """Return whether a revision of the tables is one that this version of the program has made or can upgrade."""
    from alembic.script import ScriptDirectory

    return any(script.revision == revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions())


def alembic_config(connection: Connection, *, dimensions: int) -> "Config":
    """Return what Alembic's commands need to work on a connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    config.attributes["dimensions"] = dimensions
    return config


def _create_word_index(connection: Connection, capabilities: Capabilities) -> None:
    """Create the best word index that the server offers, unless it is there."""
    if capabilities.bm25:
        connection.execute(_BM25_EXTENSION)
        connection.execute(SERIAL_BUILD)
        connection.execute(_BM25)
    else:
        connection.execute(_FULL_TEXT)
