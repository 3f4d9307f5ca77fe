"""A connection is ours: what the shell, the database or the folder are like plays no part."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.pq import Conninfo
from sqlalchemy import text

from db.config import Addresses, Layouts
from db.databases import open_databases
from db.embedded import EmbeddedServer, ensure_database
from db.engines import transaction
from db.programs import find_program, run_program
from db.table_copy import fetch, open_connection
from tests.libpq_variables import VARIABLES

LIMIT = timedelta(seconds=10)
HARMLESS = {
    "PGAPPNAME", "PGGSSDELEGATION", "PGGSSLIB", "PGKRBSRVNAME", "PGSSLCERT", "PGSSLCOMPRESSION", "PGSSLCRL",
    "PGSSLCRLDIR", "PGSSLKEY", "PGSSLMAXPROTOCOLVERSION", "PGSSLSNI",
}  # fmt: skip
"""Names of no consequence over a socket of the file system."""


@pytest.fixture
async def addresses(embedded: EmbeddedServer) -> Addresses:
    """Two databases on the embedded server of the tests, addressed as the program does it."""
    for name in ("short_term", "long_term"):
        await ensure_database(embedded, name)
    return Addresses(None, None, embedded_dir=embedded.home)


async def use_everything(addresses: Addresses) -> None:
    """Reach the embedded server in each of our ways, and see that times, bytes and letters come back as they went."""
    now = datetime.now(UTC)
    async with open_databases(addresses, pool_size=1, timeout=LIMIT, layouts=Layouts()) as (short_term, _):
        async with transaction(short_term.sessions) as session:
            row = (
                await session.execute(text("SELECT CAST(:at AS timestamptz), '✨', '\\x00ff'::bytea"), {"at": now})
            ).one()
        assert row == (now, "✨", b"\x00\xff")
        async with open_connection(short_term.dsn, timeout=LIMIT) as connection:
            assert await fetch(connection, "SELECT %s::timestamptz, '✨', '\\x00ff'::bytea", [now]) == [tuple(row)]
            version = str(connection.info.server_version // 10_000)
        dump = await run_program(find_program("pg_dump", version), dsn=short_term.dsn, timeout=LIMIT)
        assert "PostgreSQL database dump complete" in dump


MOST_TELLING = ("PGCLIENTENCODING", "PGDATESTYLE", "PGHOSTADDR", "PGOPTIONS", "PGSERVICE", "PGTZ")


@pytest.mark.parametrize("names", [*([name] for name in MOST_TELLING), [*VARIABLES]], ids=[*MOST_TELLING, "all"])
async def test_no_variable_of_the_shell_reaches_the_embedded_server(
    addresses: Addresses, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in names:
        monkeypatch.setenv(name, VARIABLES[name])

    await use_everything(addresses)

    assert {name: os.environ[name] for name in names} == {name: VARIABLES[name] for name in names}


def test_every_variable_of_the_library_has_been_tried() -> None:
    known = {option.envvar.decode() for option in Conninfo.get_defaults() if option.envvar is not None}

    assert known - VARIABLES.keys() <= HARMLESS
