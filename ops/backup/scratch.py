"""Create a database for a while, beside another one; what a killed process leaves of it is dropped by the next."""

import hashlib
import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from psycopg import sql
from sqlalchemy import URL

from db.databases import Database
from db.errors import NO_RIGHT, setup_error_for
from db.roles import Role, role_name
from db.table_copy import Connection, fetch, open_connection
from errors import BackscrollError

logger = logging.getLogger(__name__)

_LONGEST = 24  # bytes of the name of the database that it stands beside; PostgreSQL's names have 63
_TOKEN = 4  # bytes, which make twice as many characters
_DATABASES = """
    SELECT datname FROM pg_database
    WHERE starts_with(datname, %s) AND length(datname) = %s AND pg_has_role(datdba, 'MEMBER')
"""
# Kept for as long as the database is needed; the server releases the lock of a process that was killed.
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
_CREATE = sql.SQL("CREATE DATABASE {} TEMPLATE template0")
_DROP = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
_DROP_ROLE = sql.SQL("DROP ROLE IF EXISTS {}")


@asynccontextmanager
async def open_scratch(database: Database, *, timeout: timedelta) -> AsyncGenerator[URL]:
    """Yield the address of an empty database on the same server, which is dropped on exit.

    Raises DatabaseSetupError when the user may not create one, DatabaseUnavailableError when the server fails.
    """
    async with open_connection(database.dsn, timeout=timeout) as keeper:
        prefix = scratch_prefix(keeper.info.dbname)
        await _drop_leftovers(keeper, prefix)
        name = prefix + secrets.token_hex(_TOKEN)
        await keeper.execute(_LOCK, [name])
        await _create(keeper, name, database.name)
        try:
            yield database.engine.url.set(database=name)
        finally:
            await _drop_in_new_connection(database, name, timeout=timeout)


def scratch_prefix(database: str) -> str:
    """Return what the names of all scratch databases beside this one begin with."""
    if len(database.encode()) > _LONGEST:
        database = hashlib.sha256(database.encode()).hexdigest()[:_LONGEST]
    return f"backscroll_scratch_{database}_"


async def _drop_leftovers(keeper: Connection, prefix: str) -> None:
    length = len(prefix) + 2 * _TOKEN
    for (name,) in await fetch(keeper, _DATABASES, [prefix, length]):
        ((is_left_over,),) = await fetch(keeper, _LOCK, [name])
        if is_left_over:
            await _drop(keeper, name)
            await keeper.execute(_UNLOCK, [name])
            logger.info("dropped %s, which was left over", name)


async def _create(keeper: Connection, name: str, of: str) -> None:
    user = sql.Identifier(keeper.info.user).as_string(keeper)
    with setup_error_for(
        NO_RIGHT,
        f"The user of the {of} database may not create the scratch database that this takes: "
        f"let an administrator run ALTER ROLE {user} CREATEDB.",
    ):
        await keeper.execute(_CREATE.format(sql.Identifier(name)))


async def _drop_in_new_connection(database: Database, name: str, *, timeout: timedelta) -> None:
    """Drop a scratch database over a new connection, as the old one may be what has failed."""
    try:
        async with open_connection(database.dsn, timeout=timeout) as connection:
            await _drop(connection, name)
    except BackscrollError as error:
        logger.warning("%s is left over, the next run drops it: %s", name, error)


async def _drop(connection: Connection, name: str) -> None:
    await connection.execute(_DROP.format(sql.Identifier(name)))
    for role in Role:  # a migration gives them to every database
        await connection.execute(_DROP_ROLE.format(sql.Identifier(role_name(name, role))))
