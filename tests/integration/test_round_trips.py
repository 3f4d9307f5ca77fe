"""What costs a round trip to PostgreSQL is counted, and what need not cost one does not."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

import db.engines
from agent.conversations import KEPT_TURNS, ConversationKey, Conversations, Turn
from bench.round_trips import counted_round_trips
from db.chunks import is_hypertable
from db.databases import Database
from db.engines import Sessions, transaction
from errors import StatementFailedError
from memory.filters import BY_INDEX, tune
from memory.search.memory import Memory
from tests.builders import message, minute, remember

pytestmark = pytest.mark.server

_END_OTHERS = text(
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


async def read_number(sessions: Sessions) -> int:
    """Ask PostgreSQL for a number, in a transaction."""
    async with transaction(sessions) as session:
        return int(await session.scalar(text("SELECT 7")) or 0)


async def test_a_connection_that_was_just_used_is_not_asked_whether_it_is_there(long_term: Database) -> None:
    await read_number(long_term.sessions)

    with counted_round_trips() as trips:
        await read_number(long_term.sessions)

    assert trips.count == 3  # BEGIN, the statement and COMMIT


async def test_reading_takes_one_round_trip_for_each_statement(long_term: Database) -> None:
    await read_number(long_term.reading)

    with counted_round_trips() as trips:
        await read_number(long_term.reading)

    assert trips.count == 1


async def test_settings_come_with_the_beginning_of_their_transaction_and_end_with_it(long_term: Database) -> None:
    async def sorts(session: AsyncSession) -> str:
        return str(await session.scalar(text("SHOW enable_sort")))

    await read_number(long_term.reading)
    async with transaction(long_term.reading) as session:
        with counted_round_trips() as trips:
            await tune(session, BY_INDEX)
            await tune(session, {"work_mem": "8MB"})
        assert trips.count == 2
        assert await sorts(session) == "off"
        assert await session.scalar(text("SHOW work_mem")) == "8MB"

    async with transaction(long_term.reading) as session:
        assert await sorts(session) == "on"


@pytest.mark.parametrize("settings", [pytest.param({}, id="by itself"), pytest.param(BY_INDEX, id="in a transaction")])
async def test_a_reader_cannot_write(long_term: Database, settings: dict[str, str]) -> None:
    async def write() -> None:
        async with transaction(long_term.reading) as session:
            if settings:
                await tune(session, settings)
            await session.execute(text("UPDATE messages SET content = ''"))

    with pytest.raises(StatementFailedError, match="25006"):
        await write()


async def test_a_connection_that_has_rested_for_long_is_asked_whether_it_is_there(
    long_term: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await read_number(long_term.sessions)
    monkeypatch.setattr(db.engines, "TRUSTED", timedelta())

    with counted_round_trips() as trips:
        await read_number(long_term.sessions)

    assert trips.count == 4


async def test_a_connection_that_the_server_has_just_ended_costs_no_failed_answer(long_term: Database) -> None:
    for sessions in (long_term.sessions, long_term.reading):
        await read_number(sessions)
    async with long_term.engine.begin() as connection:
        await connection.execute(_END_OTHERS)

    for sessions in (long_term.sessions, long_term.reading):
        assert await read_number(sessions) == 7


async def test_a_turn_is_kept_in_four_round_trips(long_term: Database) -> None:
    conversations, key = Conversations(long_term.sessions), ConversationKey(1, 2, private=False)
    turns = [Turn(asked_at=minute(number), question=f"{number}?", answer="yes") for number in range(KEPT_TURNS + 2)]
    for turn in turns[:-1]:
        await conversations.append(key, turn)

    with counted_round_trips() as trips:
        await conversations.append(key, turns[-1])

    assert trips.count == 4  # BEGIN, the lock, the turn in place of the oldest one, and COMMIT
    assert await conversations.recall(key) == turns[2:]
    async with transaction(long_term.sessions) as session:
        assert await session.scalar(text("SELECT count(*) FROM conversation_turns")) == KEPT_TURNS


async def test_a_search_takes_a_round_trip_for_each_thing_that_it_asks(
    memory: Memory, short_term: Database, long_term: Database
) -> None:
    async with transaction(short_term.sessions) as session:
        of_chunks = 5 if await is_hypertable(session) else 0  # they are looked up, and plans made, when it is asked
    await remember(long_term, memory.embedder, [message(number, f"tea {number}") for number in range(1, 9)])
    places = frozenset({message(1, "").place_id})
    await memory.search("tea", places=places)

    with counted_round_trips() as trips:
        found = await memory.search("tea", places=places)

    assert found.excerpts
    # Short-term memory says that it holds nothing there, and then which of what was found has changed; long-term memory
    # is asked for the number of rows, words, vectors, neighbours and links.
    assert trips.count <= 8 + of_chunks
