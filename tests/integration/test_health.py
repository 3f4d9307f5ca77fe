"""What is said of the databases and of the last message is so."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from cli.version import UNKNOWN, version
from db.databases import Database
from db.engines import open_engine, parse_dsn, sessions_of
from memory.embedding.embedder import Embedder
from memory.health import answering, last_message_at
from tests.builders import message, minute, remember


@pytest.fixture
async def unreachable(unused_tcp_port: int) -> AsyncGenerator[AsyncEngine]:
    """The engine of a database that does not answer."""
    url = parse_dsn(f"postgresql://127.0.0.1:{unused_tcp_port}/x", name="DSN")
    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=10)) as engine:
        yield engine


async def test_databases_answer_or_do_not(short_term: Database, long_term: Database, unreachable: AsyncEngine) -> None:
    away = replace(long_term, sessions=sessions_of(unreachable))

    assert await answering([short_term, away]) == {short_term.name}
    assert await last_message_at(away, 2, now=minute(9)) is None


async def test_the_last_message_is_that_of_the_guild_in_the_last_month(
    short_term: Database, embedder: Embedder
) -> None:
    await remember(
        short_term,
        embedder,
        [message(1, guild_id=2), message(2, guild_id=2), message(5, guild_id=9)],
    )

    assert await last_message_at(short_term, 2, now=minute(9)) == minute(2)
    assert await last_message_at(short_term, 2, now=minute(9) + timedelta(days=40)) is None


def test_the_version_is_that_of_the_project() -> None:
    assert version() != UNKNOWN
