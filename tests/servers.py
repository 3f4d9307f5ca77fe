"""The PostgreSQL that the tests run on, whichever it is, with databases that no other run uses."""

import asyncio
import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from db.config import LONG_TERM_LAYOUT
from db.databases import LONG_TERM, open_database
from db.embedded import EmbeddedServer
from db.engines import parse_dsn
from errors import DatabaseSetupError
from tests.timescale import Place, find_address, versions

_PATIENCE = 60  # seconds

_DATABASES = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
# pg_textsearch takes two indexes of one number, as two copies have them, for the same, and mixes up their blocks.
_DROP_WORD_INDEX = "DROP INDEX IF EXISTS messages_bm25"
_ROLES = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server on which tests make databases and roles; all whose names it has given are dropped at the end."""

    title: str
    hypertables: bool
    address: Callable[[str], str]
    run: str = field(default_factory=lambda: f"t{secrets.token_hex(4)}_")
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    templates: dict[int, str] = field(default_factory=dict)
    """The databases that are copied where a test needs our tables, by the width of their vectors."""

    def dsn(self, database: str, *, user: str | None = None, password: str | None = None) -> str:
        """Return the address of a database, for the owner of all or for another user."""
        url = make_url(self.address(database))
        other = url if user is None else url.set(username=user, password=password)
        return other.render_as_string(hide_password=False)

    def new_name(self, name: str) -> str:
        """Return a name for a database or a role that nobody has."""
        return f"{self.run}{name.replace('-', '_')}_{next(self.numbers)}"

    def create_database(self, name: str, *, width: int | None = None) -> str:
        """Create a database and return its name, which begins otherwise than the one given.

        It is empty, or with a `width` it has our tables for vectors of so many dimensions; its roles and its word index
        come with the next migration, which then has nothing else to do.
        """
        database, template = self.new_name(name), self._template(width)
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        with self._connect() as connection:
            connection.execute(create.format(sql.Identifier(database), sql.Identifier(template)))
        return database

    def _template(self, width: int | None) -> str:
        """Return the name of a migrated database that nobody is connected to, or of PostgreSQL's own template."""
        if width is None:
            return "template1"
        if width not in self.templates:
            self.templates[width] = self._make_template(width)
        return self.templates[width]

    def _make_template(self, width: int) -> str:
        database = self.create_database("template")
        with ThreadPoolExecutor(max_workers=1) as thread:  # the caller's may run an event loop
            thread.submit(asyncio.run, _migrate(self.dsn(database), width)).result()
        with self._connect(database) as connection:
            for role in _names(connection, _ROLES, f"{database}_"):  # else the tables of each copy would name them
                connection.execute(sql.SQL("DROP OWNED BY {0}").format(sql.Identifier(role)))
                connection.execute(sql.SQL("DROP ROLE {0}").format(sql.Identifier(role)))
            connection.execute(_DROP_WORD_INDEX)
        return database

    def drop_database(self, database: str) -> None:
        """Drop a database and its roles, whoever is connected."""
        with self._connect() as connection:
            _drop(connection, [database], _names(connection, _ROLES, f"{database}_"))

    def create_user(self, name: str, password: str) -> str:
        """Create a role that may log in, and return its name, which begins otherwise than the one given."""
        user = self.new_name(name)
        with self._connect() as connection:
            create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            connection.execute(create.format(sql.Identifier(user), sql.Literal(password)))
        return user

    def forget(self) -> None:
        """Drop all databases and roles of this run."""
        with self._connect() as connection:
            _drop(connection, _names(connection, _DATABASES, self.run), _names(connection, _ROLES, self.run))

    @contextmanager
    def _connect(self, database: str = "postgres") -> Iterator[psycopg.Connection]:
        address = self.address(database)
        with psycopg.connect(address, autocommit=True, connect_timeout=_PATIENCE) as connection:
            connection.execute("SELECT set_config('statement_timeout', %s, false)", [f"{_PATIENCE}s"])
            yield connection


def embedded_server(embedded: EmbeddedServer) -> Server:
    """Return an embedded server as one for tests."""
    version = versions(embedded.dsn("postgres")).postgresql
    return Server(title=f"the embedded PostgreSQL {version}", hypertables=False, address=embedded.dsn)


def timescale_server(place: Place) -> Server:
    """Return the TimescaleDB that runs in a place as a server for tests.

    Raises DatabaseSetupError when it does not run, or is none.
    """
    address = find_address(place)
    found = versions(address)
    if found.timescaledb is None:
        raise DatabaseSetupError("The server of the tests has no TimescaleDB: make it anew.")

    def address_of(database: str) -> str:
        return make_url(address).set(database=database).render_as_string(hide_password=False)

    return Server(
        title=f"TimescaleDB {found.timescaledb} (PostgreSQL {found.postgresql})", hypertables=True, address=address_of
    )


async def _migrate(dsn: str, width: int) -> None:
    url, patience = parse_dsn(dsn, name="DSN"), timedelta(seconds=_PATIENCE)
    async with open_database(url, name=LONG_TERM, pool_size=1, timeout=patience, layout=LONG_TERM_LAYOUT) as opened:
        await opened.migrate(dimensions=width)


def _names(connection: psycopg.Connection, query: LiteralString, start: str) -> list[str]:
    return [name for (name,) in connection.execute(query, [start])]


def _drop(connection: psycopg.Connection, databases: Iterable[str], roles: Iterable[str]) -> None:
    for database in databases:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))
    for role in roles:  # a role goes only when nothing is its own any more
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
