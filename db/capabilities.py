"""Find out, in one sentence when not, whether a database is one that we can use."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.addresses import shown_address
from db.errors import operator_errors
from errors import DatabaseSetupError, MissingExtensionError

USUAL_SCHEMA = "public"
"""Where tables of ours are unless the search_path of a database or of its user says otherwise."""

_EXTENSIONS = text(
    "SELECT name, coalesce(installed_version, default_version) AS version FROM pg_available_extensions"
    " WHERE name IN ('vector', 'vectorscale', 'pg_textsearch', 'timescaledb')"
)
_PRELOADED = text(
    "SELECT current_setting('shared_preload_libraries') WHERE pg_has_role('pg_read_all_settings', 'USAGE')"
)
_INSTALLED = text("SELECT extname FROM pg_extension")
_ENCODING = text("SELECT current_setting('server_encoding')")
_NEEDED = "UTF8"
# A database or a user may have a search_path of its own, which may leave our tables out, or lead nowhere.
_LOSES_TABLES = text(
    "SELECT coalesce(current_schema(), 'pg_catalog') = 'pg_catalog' OR to_regclass('alembic_version') IS NULL"
    f" AND to_regclass('{USUAL_SCHEMA}.alembic_version') IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server offers beside pgvector and pgvectorscale, which we cannot do without."""

    bm25: bool
    hypertables: bool
    prepares: bool = True
    """Whether a search may be a prepared statement: pg_textsearch before 1.0 answers such a one with what was asked
    before, from its seventh run on or so."""


async def find_capabilities(engine: AsyncEngine, *, name: str) -> Capabilities:
    """Return what the server offers.

    Raises DatabaseSetupError when it cannot be reached, refuses us or cannot hold every letter, MissingExtensionError
    when it lacks pgvector or pgvectorscale.
    """
    with operator_errors(engine.url, name=name):
        async with engine.connect() as connection:
            encoding = await connection.scalar(_ENCODING)
            if encoding != _NEEDED:
                raise DatabaseSetupError(
                    f"The {name} database ({shown_address(engine.url)}) has the encoding {encoding}, and it needs the "
                    f"encoding {_NEEDED} to hold every letter: make one with createdb --template=template0 "
                    f"--encoding={_NEEDED}, and name it in .env."
                )
            available = {row.name: row.version for row in await connection.execute(_EXTENSIONS)}
            preloaded = await _preloaded(connection)
    missing = sorted({"vector", "vectorscale"} - available.keys())
    if missing:
        raise MissingExtensionError(
            f"The {name} database's server lacks the extension {' and '.join(missing)}: install it there, "
            "or leave the address unset to use the embedded server."
        )
    return Capabilities(
        bm25="pg_textsearch" in available and "pg_textsearch" in preloaded,
        hypertables="timescaledb" in available and "timescaledb" in preloaded,
        prepares=not available.get("pg_textsearch", "1").startswith("0."),
    )


async def is_lost_on_its_path(engine: AsyncEngine, *, name: str) -> bool:
    """Return whether the database's search_path leads away from our tables, or to no schema that could have them.

    Raises DatabaseSetupError.
    """
    with operator_errors(engine.url, name=name):
        async with engine.connect() as connection:
            return bool(await connection.scalar(_LOSES_TABLES))


async def _preloaded(connection: AsyncConnection) -> set[str]:
    """Return the libraries that the server has loaded, as far as an ordinary user can know."""
    libraries = await connection.scalar(_PRELOADED)
    if libraries is None:  # an extension that must be loaded first could not have been installed otherwise
        return set(await connection.scalars(_INSTALLED))
    return {library.strip() for library in libraries.split(",")}
