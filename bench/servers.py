"""Databases of a bench's own, on an embedded server or on a TimescaleDB that the environment names."""

import os
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import typer
from psycopg import sql
from sqlalchemy import make_url

from bench.processes import PATIENCE, Workplace
from db.addresses import keywords_of, parse_address
from db.config import LONG_TERM_LAYOUT, Layout
from db.connections import connect
from db.databases import LONG_TERM, Database, open_database
from db.embedded import open_embedded
from db.engines import parse_dsn
from db.roles import Role, role_name
from db.vector_index import drop_all

ADDRESS = "BACKSCROLL_TIMESCALE_DSN"
"""Where a TimescaleDB is, with the address of a user who may create databases."""

WIDTH = 384
"""Of the vectors of all-MiniLM-L6-v2."""

_CONNECT_TIMEOUT = timedelta(seconds=10)

AddressOf = Callable[[str], str]
"""Returns the address of a database of a server."""


def find_timescale() -> AddressOf | None:
    """Return the addresses of the TimescaleDB that the environment names, if it names one."""
    address = os.environ.get(ADDRESS)
    if not address:
        return None
    url = make_url(address)
    return lambda database: url.set(database=database).render_as_string(hide_password=False)


def _timescale() -> AddressOf:
    """Return its addresses, or end the program with a sentence."""
    found = find_timescale()
    if found is None:
        typer.echo(f"Set {ADDRESS} to the address of a TimescaleDB whose user may create databases.", err=True)
        raise typer.Exit(2)
    return found


@asynccontextmanager
async def open_server(place: Workplace, *, on_timescale: bool) -> AsyncGenerator[AddressOf]:
    """Yield the addresses of the databases of a server: of the TimescaleDB, or of an embedded one in a workplace."""
    if on_timescale:
        yield _timescale()
        return
    async with open_embedded(place.embedded_dir, start_timeout=PATIENCE) as server:
        yield server.dsn


@asynccontextmanager
async def open_new_database(
    address_of: AddressOf, *, name: str = LONG_TERM, layout: Layout = LONG_TERM_LAYOUT
) -> AsyncGenerator[Database]:
    """Yield an empty memory without vector indexes; it is dropped on exit."""
    database = f"backscroll_bench_{secrets.token_hex(4)}"
    await _administer(address_of, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    try:
        url = parse_dsn(address_of(database), name="DSN")
        async with open_database(url, name=name, pool_size=3, timeout=PATIENCE, layout=layout) as opened:
            await opened.migrate(dimensions=WIDTH)
            async with opened.engine.begin() as connection:
                await drop_all(connection)
            yield opened
    finally:
        await _administer(address_of, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))
        for role in Role:
            drop = sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role_name(database, role)))
            await _administer(address_of, drop)


async def _administer(address_of: AddressOf, statement: sql.Composed) -> None:
    async with await connect(
        keywords_of(parse_address(address_of("postgres"))), timeout=_CONNECT_TIMEOUT, autocommit=True
    ) as connection:
        await connection.execute(statement)
