"""Conversations in a real PostgreSQL."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import LiteralString

import psycopg
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from psycopg import sql

from agent.conversations import Conversations, open_conversations
from agent.history import turn
from errors import DatabaseUnavailableError

TIMEOUT = timedelta(seconds=15)


def texts(messages: Sequence[BaseMessage]) -> list[tuple[type, str]]:
    return [(type(message), message.text) for message in messages]


async def test_a_conversation_is_read_back_after_a_restart(
    long_term_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_conversations(long_term_dsn, pool_size=2, timeout=TIMEOUT) as saver:
        await Conversations(saver, timeout=TIMEOUT).remember("restart", turn("when?", "On Friday."))

    async with open_conversations(long_term_dsn, pool_size=2, timeout=TIMEOUT) as saver:
        recalled = await Conversations(saver, timeout=TIMEOUT).recall("restart")

    assert texts(recalled) == [(HumanMessage, "when?"), (AIMessage, "On Friday.")]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_an_unknown_conversation_is_empty(long_term_dsn: str) -> None:
    async with open_conversations(long_term_dsn, pool_size=1, timeout=TIMEOUT) as saver:
        assert await Conversations(saver, timeout=TIMEOUT).recall("nobody") == []


async def test_a_conversation_does_not_grow_with_its_turns(long_term_dsn: str) -> None:
    async with open_conversations(long_term_dsn, pool_size=2, timeout=TIMEOUT) as saver:
        conversations = Conversations(saver, timeout=TIMEOUT)
        await conversations.remember("growth", turn("question 0", "answer"))
        once = await rows(long_term_dsn, "growth")

        for number in range(1, 5):
            await conversations.remember("growth", turn(f"question {number}", "answer"))

        assert await rows(long_term_dsn, "growth") == once
        assert (await conversations.recall("growth"))[0].text == "question 4"


async def test_a_server_that_is_not_there_is_reported_as_unavailable() -> None:
    with pytest.raises(DatabaseUnavailableError):
        async with open_conversations(
            "postgresql://nobody@127.0.0.1:1/none", pool_size=1, timeout=timedelta(seconds=0.5)
        ):
            pass


async def test_a_conversation_whose_tables_are_gone_is_reported_as_unavailable(long_term_dsn: str) -> None:
    async with open_conversations(long_term_dsn, pool_size=1, timeout=TIMEOUT) as saver:
        conversations = Conversations(saver, timeout=TIMEOUT)
        await run(long_term_dsn, "ALTER TABLE checkpoints RENAME TO hidden")
        try:
            with pytest.raises(DatabaseUnavailableError):
                await conversations.recall("any")
            with pytest.raises(DatabaseUnavailableError):
                await conversations.remember("any", [])
        finally:
            await run(long_term_dsn, "ALTER TABLE hidden RENAME TO checkpoints")


async def rows(dsn: str, thread_id: str) -> list[int]:
    counts = []
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        for table in ("checkpoints", "checkpoint_blobs", "checkpoint_writes"):
            statement = sql.SQL("SELECT count(*) FROM {} WHERE thread_id = %s")
            cursor = await connection.execute(statement.format(sql.Identifier(table)), [thread_id])
            found = await cursor.fetchone()
            counts.append(found[0] if found else 0)
    return counts


async def run(dsn: str, statement: LiteralString) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute(statement)
