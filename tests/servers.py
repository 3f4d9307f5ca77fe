"""The PostgreSQL that the tests run on, whichever it is, with databases that no other run uses."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from db.embedded import EmbeddedServer
from errors import DatabaseSetupError
from tests.timescale import Place, find_address, versions

_PATIENCE = 60  # seconds

_DATABASES = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
_ROLES = "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server on which tests make databases and roles; all whose names it has given are dropped at the end."""

    title: str
    hypertables: bool
    address: Callable[[str], str]
    run: str = field(default_factory=lambda: f"t{secrets.token_hex(4)}_")
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def dsn(self, database: str, *, user: str | None = None, password: str | None = None) -> str:
        """Return the address of a database, for the owner of all or for another user."""
        url = make_url(self.address(database))
        other = url if user is None else url.set(username=user, password=password)
        return other.render_as_string(hide_password=False)

    def new_name(self, name: str) -> str:
        """Return a name for a database or a role that nobody has."""
        return f"{self.run}{name.replace('-', '_')}_{next(self.numbers)}"

    def create_database(self, name: str) -> str:
        """Create an empty database and return its name, which begins otherwise than the one given."""
        database = self.new_name(name)
        with self._connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
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
    def _connect(self) -> Iterator[psycopg.Connection]:
        address = self.address("postgres")
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


def _names(connection: psycopg.Connection, query: LiteralString, start: str) -> list[str]:
    return [name for (name,) in connection.execute(query, [start])]


def _drop(connection: psycopg.Connection, databases: Iterable[str], roles: Iterable[str]) -> None:
    for database in databases:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))
    for role in roles:  # a role goes only when nothing is its own any more
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
