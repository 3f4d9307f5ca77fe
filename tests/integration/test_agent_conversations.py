"""Conversations in a real PostgreSQL."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from agent.conversations import KEPT_TURNS, ConversationKey, Conversations, Turn
from db.databases import Database
from db.engines import open_engine, parse_dsn, sessions_of, transaction
from errors import DatabaseUnavailableError
from tests.builders import minute

KEY = ConversationKey(channel_id=1, asker_id=7, private=False)


def turn(number: int, answer: str = "On Friday.") -> Turn:
    return Turn(asked_at=minute(number), question=f"question {number}", answer=answer)


async def test_a_conversation_is_read_back_after_a_restart(long_term: Database) -> None:
    first = Turn(
        asked_at=minute(1),
        question="when?",
        answer="On Friday \N{SNOWMAN}.",
        cites=(2**62, 5),
        audience=frozenset({9, 2**62}),
    )
    await Conversations(long_term.sessions).append(KEY, first)
    await Conversations(long_term.sessions).append(KEY, turn(2))

    assert await Conversations(long_term.sessions).recall(KEY) == [first, turn(2)]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(KEY._replace(channel_id=2), id="another channel"),
        pytest.param(KEY._replace(asker_id=8), id="another person"),
        pytest.param(KEY._replace(private=True), id="the same person in private"),
    ],
)
async def test_a_conversation_knows_nothing_of(long_term: Database, other: ConversationKey) -> None:
    conversations = Conversations(long_term.sessions)
    await conversations.append(KEY, turn(1))

    assert await conversations.recall(other) == []
    await conversations.append(other, turn(2))

    assert (await conversations.recall(KEY), await conversations.recall(other)) == ([turn(1)], [turn(2)])


async def test_the_oldest_turns_of_a_conversation_are_not_kept_and_another_one_stays(long_term: Database) -> None:
    conversations, other = Conversations(long_term.sessions), KEY._replace(private=True)
    await conversations.append(other, turn(0))
    for number in range(KEPT_TURNS + 3):
        await conversations.append(KEY, turn(number))

    assert [one.question for one in await conversations.recall(KEY)] == [
        f"question {number}" for number in range(3, KEPT_TURNS + 3)
    ]
    assert await conversations.recall(other) == [turn(0)]
    async with transaction(long_term.sessions) as session:
        assert await session.scalar(text("SELECT count(*) FROM conversation_turns")) == KEPT_TURNS + 1


async def test_turns_that_are_appended_at_once_all_stay(long_term: Database) -> None:
    conversations = Conversations(long_term.sessions)

    await asyncio.gather(*(conversations.append(KEY, turn(number)) for number in range(12)))

    kept = await conversations.recall(KEY)
    assert {one.question for one in kept} == {f"question {number}" for number in range(12)}
    assert len(kept) == 12


async def test_what_postgresql_takes_no_text_with_is_replaced(long_term: Database) -> None:
    conversations = Conversations(long_term.sessions)

    await conversations.append(KEY, turn(1, answer="a\0b\ud800c"))

    assert (await conversations.recall(KEY))[0].answer == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"


async def test_a_server_that_is_not_there_is_reported_as_unavailable() -> None:
    nowhere = parse_dsn("postgresql://nobody@127.0.0.1:1/none", name="DSN")
    async with open_engine(nowhere, pool_size=1, timeout=timedelta(seconds=2)) as engine:
        conversations = Conversations(sessions_of(engine))

        with pytest.raises(DatabaseUnavailableError):
            await conversations.recall(KEY)
        with pytest.raises(DatabaseUnavailableError):
            await conversations.append(KEY, turn(1))


async def test_a_server_that_takes_too_long_is_reported_as_unavailable(long_term: Database) -> None:
    hasty = Conversations(long_term.sessions, timeout=timedelta(milliseconds=200))
    async with long_term.engine.begin() as connection:
        await connection.execute(text("LOCK TABLE conversation_turns IN ACCESS EXCLUSIVE MODE"))

        with pytest.raises(DatabaseUnavailableError):
            await hasty.recall(KEY)
        with pytest.raises(DatabaseUnavailableError):
            await hasty.append(KEY, turn(1))

    assert await Conversations(long_term.sessions).recall(KEY) == []


async def test_a_conversation_whose_table_is_gone_is_reported_as_unavailable(long_term: Database) -> None:
    conversations = Conversations(long_term.sessions)
    async with long_term.engine.begin() as connection:
        await connection.execute(text("DROP TABLE conversation_turns"))

    with pytest.raises(DatabaseUnavailableError):
        await conversations.recall(KEY)
    with pytest.raises(DatabaseUnavailableError):
        await conversations.append(KEY, turn(1))
