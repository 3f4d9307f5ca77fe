"""One memory that fails, in whatever way, costs no answer: the other one is asked, and the answer says so."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.databases import Database
from db.engines import open_engine, sessions_of
from db.roles import Role, role_name
from errors import DatabaseUnavailableError
from memory.embedding.embedder import Embedder
from memory.message import Message
from memory.search import rows
from memory.search.memory import Memory
from memory.search.results import SearchResult
from tests.builders import message, remember

pytestmark = pytest.mark.server

HERE = frozenset({1})


def shown(findings: SearchResult) -> list[int]:
    """Return the ids of all messages that are shown, in order."""
    return [line.message.message_id for excerpt in findings.excerpts for line in excerpt.lines]


async def _revoked(database: Database) -> None:
    """Take from the tools what they read with."""
    async with database.engine.begin() as connection:
        name = await connection.scalar(text("SELECT current_database()"))
        reader = role_name(name, Role.READER)
        await connection.execute(text(f'REVOKE ALL ON messages FROM "{reader}"'))


async def _renamed(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE messages RENAME TO messages_elsewhere"))


async def _failing(database: Database, failure: str) -> None:
    """Have every row that the tools read call a function that fails."""
    async with database.engine.begin() as connection:
        for statement in (
            f"CREATE FUNCTION broken() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN {failure} END $$",
            "CREATE POLICY broken ON messages USING (broken())",
            "ALTER TABLE messages ENABLE ROW LEVEL SECURITY",
        ):
            await connection.execute(text(statement))


async def _sick(database: Database) -> None:
    await _failing(database, "RAISE 'index is damaged' USING ERRCODE = 'XX002';")


async def _dividing(database: Database) -> None:
    await _failing(database, "RETURN 1 / 0;")


@pytest.mark.parametrize(
    "sickness",
    [
        pytest.param(_revoked, id="no right to read"),
        pytest.param(_renamed, id="no table"),
        pytest.param(_sick, id="a damaged index"),
        pytest.param(_dividing, id="a value that nothing takes"),
    ],
)
async def test_whatever_is_wrong_with_one_memory_the_other_answers_and_says_so(
    memory: Memory,
    short_term: Database,
    long_term: Database,
    embedder: Embedder,
    sickness: Callable[[Database], Awaitable[None]],
) -> None:
    await remember(short_term, embedder, [message(1, "tea"), message(2, "coffee")])
    await remember(long_term, embedder, [message(1, "tea"), message(3, "tea of long ago", author_name="ben")])
    await sickness(long_term)

    found = await memory.search("tea", places=HERE, limit=1)

    assert found.unreachable == ("long-term",)
    assert shown(found) == [1, 2]
    assert (await memory.list_messages(places=HERE)).unreachable == ("long-term",)
    around = await memory.read_around(1, places=HERE)
    assert (shown(around), around.unreachable) == ([1, 2], ("long-term",))
    assert (await memory.read_around(3, places=HERE)).unreachable == ("long-term",)
    assert set(await memory.lookup([1, 3], places=HERE)) == {1}
    known = await memory.known_names(places=HERE)
    assert known.people("ana") == {"ana"}
    assert known.channel_names(HERE) == ("general",)
    assert await memory.all_places() == HERE
    assert len(await memory.discussions(places=HERE)) == 1

    await sickness(short_term)
    memories = "short-term and long-term memory did not answer"
    for asked in (
        memory.search("tea", places=HERE),
        memory.list_messages(places=HERE),
        memory.read_around(1, places=HERE),
        memory.lookup([1], places=HERE),
        memory.discussions(places=HERE),
        memory.all_places(),
    ):
        with pytest.raises(DatabaseUnavailableError, match=memories):
            await asked


async def test_what_changed_in_a_memory_that_fails_meanwhile_is_done_without(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await remember(short_term, embedder, [message(1, "tea")])
    await remember(long_term, embedder, [message(2, "tea of long ago")])
    changed = rows.changed

    async def failing(session: AsyncSession, **ids: Any) -> list[Message]:
        if 1 in ids["message_ids"]:  # which long-term memory is asked of
            await session.execute(text("SELECT 1 FROM nowhere"))
        return await changed(session, **ids)

    monkeypatch.setattr(rows, "changed", failing)
    found = await memory.search("tea", places=HERE)

    assert sorted(shown(found)) == [1, 2]
    assert found.unreachable == ("long-term",)


async def test_a_memory_that_takes_too_long_costs_no_answer(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(short_term, embedder, [message(1, "tea")])
    hurry = timedelta(milliseconds=300)
    async with open_engine(long_term.engine.url, pool_size=1, timeout=hurry, role=Role.READER) as engine:
        hurried = replace(memory, long_term=replace(memory.long_term, reading=sessions_of(engine)))
        async with long_term.engine.begin() as connection:
            await connection.execute(text("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE"))

            found = await hurried.search("tea", places=HERE)

    assert (shown(found), found.unreachable) == ([1], ("long-term",))
