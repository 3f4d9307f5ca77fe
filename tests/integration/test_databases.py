"""A database that cannot be used is refused in one sentence that says what to do, and never repeats a password."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from db.config import LONG_TERM_LAYOUT, Addresses, Layouts
from db.databases import Database, open_database, open_databases
from db.embedded import EmbeddedServer, ensure_database
from db.engines import parse_dsn, transaction
from errors import DatabaseSetupError, DatabaseUnavailableError, MissingExtensionError, RefusedRowError
from memory.embedding.embedder import Embedder
from memory.index.reembed import prepare
from memory.search.memory import Memory
from memory.search_session import searchable_database
from tests.builders import closed_port, message, remember
from tests.servers import Server

pytestmark = pytest.mark.server

LIMIT = timedelta(seconds=30)
PASSWORD = "hunter2"


def opened(short_term: str, long_term: str) -> AbstractAsyncContextManager[tuple[Database, Database]]:
    addresses = Addresses(short_term, long_term, embedded_dir=Path("not used"))
    return open_databases(addresses, pool_size=2, timeout=LIMIT, layouts=Layouts())


def database_in(dsn: str) -> object:
    return psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]


async def refusal(short_term: str, long_term: str) -> str:
    """Return the sentence with which two addresses are refused."""
    with pytest.raises(DatabaseSetupError) as caught:
        async with opened(short_term, long_term):
            pass
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert PASSWORD not in sentence
    return sentence


@pytest.fixture
async def dsn(server: Server) -> str:
    """The address of a database that can be used."""
    return server.dsn(server.create_database("usable"))


@pytest.fixture
async def trusting(embedded: EmbeddedServer) -> str:
    """The address of a database whose server asks nobody for a password."""
    await ensure_database(embedded, "trusting")
    return embedded.dsn("trusting")


@pytest.fixture
async def locked(embedded: EmbeddedServer, trusting: str) -> str:
    """The address there, with a wrong password, of a user who must give one nevertheless."""
    access = embedded.data_dir / "pg_hba.conf"
    rule = "local all locked scram-sha-256\n"
    if rule not in access.read_text():
        access.write_text(rule + access.read_text())
        async with await psycopg.AsyncConnection.connect(trusting, autocommit=True) as connection:
            await connection.execute("CREATE ROLE locked LOGIN PASSWORD 'another'")
            await connection.execute("SELECT pg_reload_conf()")
    return trusting.replace("//postgres@", f"//locked:{PASSWORD}@")


async def test_two_databases_on_one_server_are_fine(server: Server, dsn: str) -> None:
    other = server.dsn(server.create_database("other"))

    async with opened(dsn, other) as (short_term, long_term):
        assert (short_term.name, long_term.name) == ("short-term", "long-term")
        for database, address in ((short_term, dsn), (long_term, other)):
            async with transaction(database.sessions) as session:
                assert await session.scalar(text("SELECT current_database()")) == database_in(address)
            assert database_in(database.dsn) == database_in(address)


@pytest.mark.parametrize(
    "written",
    [pytest.param("", id="in the same words"), pytest.param("&application_name=other", id="in other words")],
)
async def test_one_database_for_both_memories_is_refused(dsn: str, written: str) -> None:
    sentence = await refusal(dsn, dsn + written)

    assert sentence.startswith("SHORT_TERM_DSN and LONG_TERM_DSN name the same database: give each one of its own")


async def test_a_wrong_password_is_said_without_it(locked: str, trusting: str) -> None:
    assert "The short-term database " in await refusal(locked, trusting)
    assert "refuses the password: correct it in .env" in await refusal(trusting, locked)


async def test_a_missing_password_is_said(locked: str, trusting: str) -> None:
    assert "refuses the password" in await refusal(trusting, locked.replace(f":{PASSWORD}", ""))


async def test_an_unknown_database_is_said(server: Server, dsn: str) -> None:
    sentence = await refusal(server.dsn("no-such-database"), dsn)

    assert "The short-term database " in sentence
    assert "has no database of that name: create it with createdb" in sentence


async def test_an_unknown_user_is_said(trusting: str) -> None:
    assert "refuses the user" in await refusal(trusting, trusting.replace("//postgres@", "//nobody@"))


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(f"ana:{PASSWORD}@127.0.0.1:{{port}}/memory", id="password before the host"),
        pytest.param(f"ana@127.0.0.1:{{port}}/memory?password={PASSWORD}", id="password behind the question mark"),
    ],
)
async def test_a_server_that_does_not_answer_is_said(dsn: str, address: str) -> None:
    sentence = await refusal(dsn, "postgresql://" + address.format(port=closed_port()))

    assert sentence.startswith("The long-term database (postgresql://ana")
    assert sentence.endswith("does not answer: start it, or correct the address in .env.")


@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param(f"ana:{PASSWORD}@host", id="no scheme"),
        pytest.param(f"postgresql://ana:{PASSWORD}@host:port/memory", id="a port in words"),
        pytest.param("", id="empty"),
    ],
)
async def test_a_malformed_address_is_said_with_its_setting(dsn: str, malformed: str) -> None:
    assert (await refusal(dsn, malformed)).startswith("LONG_TERM_DSN is not an address that PostgreSQL understands")


async def test_a_user_who_may_not_make_tables_is_said(server: Server, dsn: str, embedder: Embedder) -> None:
    guest = server.create_user("guest", PASSWORD)

    address = server.dsn(str(database_in(dsn)), user=guest, password=PASSWORD)
    async with opened(address, server.dsn("postgres")) as (short_term, _):
        with pytest.raises(DatabaseSetupError, match="does not let this user do that: grant it"):
            await prepare(short_term, embedder)


@pytest.mark.parametrize("every", [pytest.param(True, id="every one"), pytest.param(False, id="those that must be")])
async def test_an_ordinary_user_may_own_a_database_whose_extensions_are_there(
    server: Server, dsn: str, embedder: Embedder, every: bool
) -> None:
    name = server.create_database("owned")
    owner = server.create_user("owner", PASSWORD)
    async with await psycopg.AsyncConnection.connect(server.dsn(name), autocommit=True) as connection:
        await connection.execute("CREATE EXTENSION vectorscale CASCADE")
        if every:
            await connection.execute("CREATE EXTENSION pg_textsearch")
        if every and server.hypertables:
            await connection.execute("CREATE EXTENSION timescaledb")
        await connection.execute(f"ALTER DATABASE {name} OWNER TO {owner}")

    async with opened(dsn, server.dsn(name, user=owner, password=PASSWORD)) as (_, long_term):
        await prepare(long_term, embedder)
        await remember(long_term, embedder, [message(1, "tea"), message(2, "a submarine")])
        shelf = searchable_database(long_term)
        found = await Memory(shelf, replace(shelf, name="short-term"), embedder).search(
            "tea", places=frozenset({1}), limit=1
        )

    offered = long_term.capabilities
    assert (offered.bm25, offered.hypertables) == (every, every and server.hypertables)
    assert next(line for line in found.excerpts[0].lines if line.hit).message.content == "tea"


# Extensions


async def with_extensions(server: Server, name: str, extensions: list[str]) -> str:
    """Return the address of a database that seems to offer only those extensions."""
    database = server.create_database(name)
    async with await psycopg.AsyncConnection.connect(server.dsn(database), autocommit=True) as connection:
        await connection.execute("CREATE SCHEMA pretence")
        await connection.execute(
            "CREATE TABLE pretence.pg_available_extensions AS SELECT * FROM pg_catalog.pg_available_extensions"
        )
        await connection.execute("DELETE FROM pretence.pg_available_extensions WHERE name <> ALL (%s)", [extensions])
        await connection.execute(f"ALTER DATABASE {database} SET search_path = pretence, pg_catalog, public")
    return server.dsn(database)


@pytest.mark.parametrize(
    ("extensions", "missing"),
    [
        pytest.param(["vector", "pg_textsearch"], "vectorscale", id="one"),
        pytest.param([], "vector and vectorscale", id="two"),
    ],
)
async def test_a_missing_extension_is_named(server: Server, dsn: str, extensions: list[str], missing: str) -> None:
    lacking = await with_extensions(server, "lacking", extensions)

    with pytest.raises(MissingExtensionError) as caught:
        async with opened(dsn, lacking):
            pass

    assert str(caught.value) == (
        f"The long-term database's server lacks the extension {missing}: install it there, "
        "or leave the address unset to use the embedded server."
    )


async def test_what_a_server_offers_is_found(server: Server, dsn: str) -> None:
    async with opened(dsn, await with_extensions(server, "plain", ["vector", "vectorscale"])) as databases:
        offered = [database.capabilities for database in databases]

    assert [(one.bm25, one.hypertables) for one in offered] == [(True, server.hypertables), (False, False)]


# Errors on the way


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """A database with one connection, for statements that may take half a second."""
    url = parse_dsn(dsn, name="DSN")
    limit = timedelta(seconds=0.5)
    async with open_database(url, name="usable", pool_size=1, timeout=limit, layout=LONG_TERM_LAYOUT) as opened:
        yield opened


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        pytest.param("SELECT pg_sleep(30)", DatabaseUnavailableError, id="too slow"),
        pytest.param("SELECT pg_terminate_backend(pg_backend_pid())", DatabaseUnavailableError, id="broken off"),
        pytest.param("SELECT 1 / 0", RefusedRowError, id="a value that will not do"),
        pytest.param("SELECT repeat('x', 2000000000)", RefusedRowError, id="too large"),
    ],
)
async def test_an_error_says_whether_to_try_again(database: Database, statement: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        async with transaction(database.sessions) as session:
            await session.execute(text(statement))

    async with transaction(database.sessions) as session:  # the next one is not troubled by it
        assert await session.scalar(text("SELECT 1")) == 1


async def test_waiting_for_a_connection_ends_in_an_outage(database: Database) -> None:
    async with transaction(database.sessions) as session:
        await session.execute(text("SELECT 1"))

        with pytest.raises(DatabaseUnavailableError):
            async with transaction(database.sessions) as another:
                await another.execute(text("SELECT 1"))


async def test_the_password_of_the_settings_is_for_addresses_that_have_none(
    embedded: EmbeddedServer, trusting: str
) -> None:
    await ensure_database(embedded, "another")
    own = trusting.replace("postgres@", "postgres:its%20own@")
    addresses = Addresses(embedded.dsn("another"), own, embedded_dir=Path("not used"), password="p@ss:w/rd%+ #")

    async with open_databases(addresses, pool_size=1, timeout=LIMIT, layouts=Layouts()) as (short_term, long_term):
        passwords = [
            psycopg.conninfo.conninfo_to_dict(database.dsn)["password"] for database in (short_term, long_term)
        ]

    assert passwords == ["p@ss:w/rd%+ #", "its own"]
