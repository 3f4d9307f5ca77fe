"""What is deleted or edited in a memory does not live on in a conversation."""

import asyncio
import logging
from datetime import datetime, timedelta

import pytest

from agent.conversations import ConversationKey, Conversations, Turn, drop_stale_turns, kept_free_of_stale_turns
from db.databases import Database
from db.engines import open_engine, parse_dsn, sessions_of
from memory.answers.changes import SETTLES_IN, AnswerChanges
from memory.answers.kept import KeptAnswer, KeptQuestion
from memory.answers.store import AnswerStore
from memory.embedding.embedder import Embedder
from tests.builders import closed_port, deletion, edit, hears, message, minute, remember

OFTEN = timedelta(seconds=0.1)
KEY = ConversationKey(channel_id=1, asker_id=7, private=False)
CODE = message(1, "the door code is 4711")


def now() -> datetime:
    return minute(60)


def turn(number: int, *cites: int) -> Turn:
    return Turn(asked_at=minute(number), question=f"question {number}", answer="The door code is 4711.", cites=cites)


async def talk(long_term: Database, *turns: Turn) -> Conversations:
    conversations = Conversations(long_term.sessions)
    for one in turns:
        await conversations.append(KEY, one)
    return conversations


@pytest.mark.parametrize("where", ["short-term", "long-term"])
async def test_a_turn_goes_with_a_message_that_it_cites(
    short_term: Database, long_term: Database, embedder: Embedder, where: str
) -> None:
    memory = short_term if where == "short-term" else long_term
    await remember(memory, embedder, [CODE, message(2), message(3), message(4)])
    await remember(memory, embedder, [deletion(1, at=30), edit(2, "another", at=40), edit(3, "another", at=10)])
    conversations = await talk(
        long_term, turn(20, 3, 1), turn(21, 2), turn(22, 3), turn(23, 4, 99), turn(24), turn(50, 2)
    )

    dropped = await drop_stale_turns(long_term.sessions, short_term.sessions, now=now())

    assert dropped == 2
    assert await conversations.recall(KEY) == [turn(22, 3), turn(23, 4, 99), turn(24), turn(50, 2)]
    assert await drop_stale_turns(long_term.sessions, short_term.sessions, now=now()) == 0


async def test_an_answer_that_is_delivered_is_queued_and_one_that_is_given_up_goes_and_one_that_is_owed_stays(
    short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(short_term, embedder, [CODE, message(2), message(3)])
    await remember(short_term, embedder, [deletion(1, at=30), edit(2, "another", at=40)])
    store, changes = AnswerStore(long_term.sessions), AnswerChanges(long_term.sessions)
    for question_id, message_id in {101: 1, 102: 2, 103: 3, 104: 1, 105: 2, 106: 1}.items():
        asked_at = minute(45 if question_id == 105 else 20)
        asked = KeptQuestion(
            question_id=question_id, guild_id=5, channel_id=1, access_id=1, asker_id=7, text="?", asked_at=asked_at
        )
        await store.asked(asked)
        answer = KeptAnswer(
            text="The code is 4711 [1].", outcome="answered", sources={1: message_id}, edits_known_to=asked_at
        )
        await store.ready(question_id, answer, now=minute(21))
        if question_id == 106:
            await store.give_up(question_id, now=minute(50))
        elif question_id != 104:
            await store.delivered(question_id, message_ids=[question_id], now=minute(50))

    for _ in range(2):  # what is known is not noticed again
        await drop_stale_turns(long_term.sessions, short_term.sessions, now=now())

    due = await changes.due([5], direct_messages=False, now=now() + SETTLES_IN)
    assert [(one.kept.question.question_id, one.since) for one in due] == [(101, now()), (102, now())]
    assert [(set(one.kept.edited), set(one.kept.deleted)) for one in due] == [(set(), {1}), ({2}, set())]
    found = {question_id: await store.get(question_id) for question_id in range(101, 107)}
    assert {number for number, kept in found.items() if kept and kept.answer and "4711" in kept.answer.text} == {
        *(103, 104, 105)
    }
    assert found[106] is None


async def test_it_is_looked_for_again_and_again(
    caplog: pytest.LogCaptureFixture, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(short_term, embedder, [CODE])
    conversations = await talk(long_term, turn(20, 1))
    caplog.set_level(logging.INFO)

    async with kept_free_of_stale_turns(
        long_term.sessions, short_term.sessions, clock=now, every=timedelta(seconds=0.1)
    ):
        with hears("turns of conversations are gone") as heard:
            await remember(short_term, embedder, [deletion(1, at=30)])
            async with asyncio.timeout(60):
                await heard.wait()
    assert await conversations.recall(KEY) == []


async def test_a_database_that_is_away_is_asked_again_later(long_term: Database) -> None:
    await talk(long_term, turn(20, 1))
    away = parse_dsn(f"postgresql://postgres@127.0.0.1:{closed_port()}/short", name="DSN")

    async with open_engine(away, pool_size=1, timeout=timedelta(seconds=2)) as engine:
        with hears("conversations could not be looked through") as heard:
            async with (
                kept_free_of_stale_turns(long_term.sessions, sessions_of(engine), clock=now),
                asyncio.timeout(60),
            ):
                await heard.wait()
