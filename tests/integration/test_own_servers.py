"""A server of the operator's own may have defaults, encodings and ways to log in that ours has not."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from bench.models import shared_model
from db.config import Addresses, Layouts
from db.databases import Database, open_databases
from db.embedded import EmbeddedServer, ensure_database
from db.engines import transaction
from db.table_copy import fetch, open_connection
from errors import DatabaseSetupError, RefusedRowError
from memory.embedding.embedder import Embedder
from memory.index.reembed import prepare
from ops.checks.result import CheckReport, Status
from ops.checks.run import Deployment, examine
from tests.builders import message, remember
from tests.sentences import is_one_sentence
from tests.servers import Server

LIMIT = timedelta(seconds=60)
PASSWORD = "s3cret + % ü"
ALTERED = {
    "datestyle": "German", "timezone": "Pacific/Apia", "bytea_output": "escape", "intervalstyle": "iso_8601",
    "extra_float_digits": "-10", "standard_conforming_strings": "off", "client_encoding": "LATIN1",
    "statement_timeout": "1ms",
}  # fmt: skip


def opened(addresses: Addresses) -> AbstractAsyncContextManager[tuple[Database, Database]]:
    return open_databases(addresses, pool_size=1, timeout=LIMIT, layouts=Layouts())


def addresses_of(short_term: str, long_term: str, *, password: str | None = None) -> Addresses:
    return Addresses(short_term, long_term, embedded_dir=Path("not used"), password=password)


async def administer(server: Server, database: str, *statements: sql.SQL | sql.Composed) -> None:
    async with await psycopg.AsyncConnection.connect(server.dsn(database), autocommit=True) as connection:
        for statement in statements:
            await connection.execute(statement)


async def looked_at(addresses: Addresses, folder: Path) -> dict[str, tuple[Status, str]]:
    """Return what the doctor finds."""
    report = CheckReport()
    deployment = Deployment(
        storage_dir=folder,
        backup_dir=folder,
        addresses=addresses,
        layouts=Layouts(),
        embedding=shared_model(),
        time_zone=ZoneInfo("UTC"),
    )
    await examine(deployment, report, now=datetime.now(UTC))
    return {line.name: (line.result.status, line.result.message) for line in report.lines}


@pytest.fixture
async def guarded(embedded: EmbeddedServer) -> Addresses:
    """Two databases of a user who must give a password, which is in the settings and not in the addresses."""
    for name in ("guarded_short", "guarded_long"):
        await ensure_database(embedded, name)
    access = embedded.data_dir / "pg_hba.conf"
    rule = "local all guarded scram-sha-256\n"
    if rule not in access.read_text():
        access.write_text(rule + access.read_text())
        async with await psycopg.AsyncConnection.connect(embedded.dsn("postgres"), autocommit=True) as connection:
            create = sql.SQL("CREATE ROLE guarded LOGIN SUPERUSER PASSWORD {}")
            await connection.execute(create.format(sql.Literal(PASSWORD)))
            await connection.execute("SELECT pg_reload_conf()")
    short_term, long_term = (
        embedded.dsn(name).replace("//postgres@", "//guarded@") for name in ("guarded_short", "guarded_long")
    )
    return addresses_of(short_term, long_term, password=PASSWORD)


async def test_the_doctor_reaches_a_database_with_the_password_of_the_settings(
    guarded: Addresses, tmp_path: Path
) -> None:
    async with opened(guarded):
        found = await looked_at(guarded, tmp_path)
    refused = await looked_at(replace(guarded, password=None), tmp_path)

    assert {found[f"{name} server"][0] for name in ("short-term", "long-term")} == {Status.OK}
    assert refused["long-term server"][0] is Status.WRONG
    assert "refuses the password" in refused["long-term server"][1]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP"])
async def test_a_database_that_cannot_hold_every_letter_is_refused(
    server: Server, encoding: str, tmp_path: Path
) -> None:
    small, good = server.new_name("small"), server.create_database("good")
    create = sql.SQL("CREATE DATABASE {} ENCODING {} LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0")
    await administer(server, "postgres", create.format(sql.Identifier(small), sql.Literal(encoding)))
    addresses = addresses_of(server.dsn(good), server.dsn(small))

    with pytest.raises(DatabaseSetupError) as caught:
        async with opened(addresses):
            pass
    found = await looked_at(addresses, tmp_path)

    assert f"has the encoding {encoding}, and it needs the encoding UTF8" in str(caught.value)
    assert is_one_sentence(str(caught.value).replace(".env", "the file"))
    assert found["long-term server"] == (Status.WRONG, str(caught.value))


async def test_a_database_with_other_defaults_is_read_as_any_other(server: Server, embedder: Embedder) -> None:
    short, long = server.create_database("plain"), server.create_database("altered")
    await administer(
        server,
        "postgres",
        *(
            sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                sql.Identifier(long), sql.Identifier(name), sql.Literal(value)
            )
            for name, value in ALTERED.items()
        ),
    )
    now = datetime.now(UTC)

    async with opened(addresses_of(server.dsn(short), server.dsn(long))) as (_, long_term):
        await prepare(long_term, embedder)
        await remember(long_term, embedder, [message(1, r"back\slash ✨ 🔥")])
        async with transaction(long_term.reading) as session:
            row = (
                await session.execute(text("SELECT content, CAST(:at AS timestamptz) FROM messages"), {"at": now})
            ).one()
        async with open_connection(long_term.dsn, timeout=LIMIT) as connection:
            ((content, moment, data, number),) = await fetch(
                connection, "SELECT content, %s::timestamptz, '\\x00ff'::bytea, 0.1::float8 FROM messages", [now]
            )

    assert tuple(row) == (r"back\slash ✨ 🔥", now)
    assert (content, moment, data, number) == (r"back\slash ✨ 🔥", now, b"\x00\xff", 0.1)


@pytest.mark.parametrize("path", ["", "nowhere", "pg_catalog", "later"])
async def test_a_database_whose_search_path_leads_elsewhere_keeps_its_memory(
    server: Server, embedder: Embedder, path: str
) -> None:
    short, long = server.create_database("plain"), server.create_database("led_astray")
    addresses = addresses_of(server.dsn(short), server.dsn(long))
    async with opened(addresses) as (_, long_term):
        await prepare(long_term, embedder)
        await remember(long_term, embedder, [message(1, "the kiln is hot")])
    alter = sql.SQL("ALTER DATABASE {} SET search_path = {}").format(sql.Identifier(long), sql.Literal(path))
    await administer(server, long, sql.SQL("CREATE SCHEMA later"), alter)

    async with opened(addresses) as (_, long_term):
        await prepare(long_term, embedder)
        async with transaction(long_term.reading) as session:
            assert list(await session.scalars(text("SELECT content FROM messages"))) == ["the kiln is hot"]
        async with open_connection(long_term.dsn, timeout=LIMIT) as connection:
            assert await fetch(connection, "SELECT content FROM messages") == [("the kiln is hot",)]


async def test_a_text_that_no_encoding_has_is_the_fault_of_its_row(server: Server) -> None:
    short, long = server.create_database("one"), server.create_database("two")
    async with opened(addresses_of(server.dsn(short), server.dsn(long))) as (short_term, _):
        with pytest.raises(RefusedRowError):
            async with transaction(short_term.sessions) as session:
                await session.execute(text("SELECT :half"), {"half": "\ud83d"})


@asynccontextmanager
async def open_answerer(answer: bytes) -> AsyncGenerator[int]:
    """Yield the port of something that has one answer to whatever a client begins with."""

    answering: set[asyncio.Task[None] | None] = set()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.current_task())
        with suppress(ConnectionError):
            await reader.read(8)
            writer.write(answer)
            await writer.drain()
            writer.write_eof()
            await reader.read()
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as something:
        yield something.sockets[0].getsockname()[1]
    await asyncio.gather(*filter(None, answering))


NO_SSL = "has no SSL, which its address or PGSSLMODE asks for: switch SSL on there"


@pytest.mark.parametrize(
    ("answer", "query", "variables", "words"),
    [
        pytest.param(b"N", "?sslmode=require", {}, NO_SSL, id="SSL that the address asks for"),
        pytest.param(b"N", "", {"PGSSLMODE": "require"}, NO_SSL, id="SSL that the shell asks for"),
        pytest.param(b"HTTP/1.1 400\r\n\r\n", "", {}, "is no PostgreSQL server", id="a server of the web"),
    ],
)
async def test_what_answers_otherwise_is_said(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    answer: bytes,
    query: str,
    variables: dict[str, str],
    words: str,
) -> None:
    good = server.dsn(server.create_database("good"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    async with open_answerer(answer) as port:
        with pytest.raises(DatabaseSetupError, match=words) as caught:
            async with opened(addresses_of(f"postgresql://me:hidden@127.0.0.1:{port}/x{query}", good)):
                pass

    assert is_one_sentence(str(caught.value).replace(".env", "the file").replace("127.0.0.1", "host"))
    assert "hidden" not in str(caught.value)
