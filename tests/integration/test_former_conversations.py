"""Conversations that earlier versions kept in LangGraph's tables go on as rows of ours."""

import logging
from datetime import timedelta

import psycopg
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from sqlalchemy import text

from agent.conversations import ConversationKey, Conversations, Turn
from db import former_conversations
from db.databases import Database
from db.former_conversations import MAKE_TABLE
from errors import DatabaseSetupError
from tests.builders import minute
from tests.fakes import calls
from tests.former_conversations import TABLES, Foreign, leave_behind, remember, turn
from tests.sentences import is_one_sentence

WIDTH = 12
KEY = ConversationKey(channel_id=1, asker_id=7, private=False)


@pytest.fixture
async def old(blank: Database) -> Database:
    """A database as an earlier version has left it, with LangGraph's tables and nothing in them."""
    await blank.migrate(dimensions=WIDTH)
    await leave_behind(blank, {})
    return blank


async def run(database: Database, statement: str) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(statement))


async def tables(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        return set(await connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))


async def count(database: Database) -> int:
    async with database.engine.connect() as connection:
        return await connection.scalar(text("SELECT count(*) FROM conversation_turns")) or 0


async def recalled(database: Database, key: ConversationKey = KEY) -> list[tuple[str, str]]:
    return [(one.question, one.answer) for one in await Conversations(database.sessions).recall(key)]


async def test_every_conversation_goes_on_and_langgraphs_tables_are_gone(
    old: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="db.former_conversations")
    await remember(old, "1:7", [*turn("when?", "On Friday."), *turn("and what time?", "At noon \N{SNOWMAN}.")])
    await remember(old, "1:7:private", turn("who?", "Ana."))
    await remember(old, "-5:9223372036854775807", turn("in the terminal?", "Here."))

    await old.migrate(dimensions=WIDTH)

    assert await recalled(old) == [("when?", "On Friday."), ("and what time?", "At noon \N{SNOWMAN}.")]
    assert await recalled(old, KEY._replace(private=True)) == [("who?", "Ana.")]
    assert await recalled(old, ConversationKey(-5, 2**63 - 1, private=False)) == [("in the terminal?", "Here.")]
    assert await count(old) == 4
    assert not await tables(old) & TABLES
    assert "3 conversations of an earlier version are taken over, 0 are left out" in caplog.text


async def test_turns_have_the_time_of_the_checkpoint_and_a_new_one_comes_after_them(old: Database) -> None:
    await remember(old, "1:7", [*turn("one?", "1"), *turn("two?", "2")], at=minute(30))
    await old.migrate(dimensions=WIDTH)
    three = Turn(asked_at=minute(40), question="three?", answer="3", cites=(4,), audience=frozenset({1}))

    await Conversations(old.sessions).append(KEY, three)

    assert await Conversations(old.sessions).recall(KEY) == [
        Turn(asked_at=minute(30), question="one?", answer="1"),
        Turn(asked_at=minute(30), question="two?", answer="2"),
        three,
    ]


async def test_of_a_thread_that_was_never_pruned_the_newest_checkpoint_counts(old: Database) -> None:
    for number in range(1, 12):
        await remember(old, "1:7", turn(f"question {number}", "answer"), number=number)
    await remember(old, "1:8", turn("another one?", "Yes."))

    await old.migrate(dimensions=WIDTH)

    assert await recalled(old) == [("question 11", "answer")]
    assert await recalled(old, KEY._replace(asker_id=8)) == [("another one?", "Yes.")]


@pytest.mark.parametrize(
    "leftovers",
    [
        pytest.param([HumanMessage("and where?")], id="a question without an answer"),
        pytest.param([HumanMessage("and where?"), calls("current_time")], id="a call without its result"),
        pytest.param(
            [HumanMessage("and where?"), calls("current_time"), ToolMessage("noon", tool_call_id="call-current_time")],
            id="a run that stopped after its tools",
        ),
        pytest.param([HumanMessage("and where?"), AIMessage(" ")], id="an empty answer"),
        pytest.param(
            [HumanMessage("and where?"), AIMessage("Let me look.", tool_calls=calls("current_time").tool_calls)],
            id="a call with words and without its result",
        ),
    ],
)
async def test_a_run_that_never_ended_is_no_turn(old: Database, leftovers: list[BaseMessage]) -> None:
    await remember(old, "1:7", [*turn("when?", "On Friday."), *leftovers, *turn("who?", "Ana.")])

    await old.migrate(dimensions=WIDTH)

    assert await recalled(old) == [("when?", "On Friday."), ("who?", "Ana.")]


async def test_tool_calls_of_a_finished_run_are_left_out(old: Database) -> None:
    chatter = [calls("current_time"), ToolMessage("noon", tool_call_id="call-current_time")]
    await remember(old, "1:7", [HumanMessage("when?"), *chatter, AIMessage("On Friday.")])

    await old.migrate(dimensions=WIDTH)

    assert await recalled(old) == [("when?", "On Friday.")]


async def test_what_postgresql_takes_no_text_with_is_replaced(old: Database) -> None:
    await remember(old, "1:7", turn("when\0?", "On Friday."))

    await old.migrate(dimensions=WIDTH)

    assert await recalled(old) == [("when\N{REPLACEMENT CHARACTER}?", "On Friday.")]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("UPDATE checkpoint_blobs SET blob = '\\xff00' WHERE thread_id = '1:8'", id="damaged bytes"),
        pytest.param("UPDATE checkpoint_blobs SET blob = substr(blob, 1, 40) WHERE thread_id = '1:8'", id="cut short"),
        pytest.param("UPDATE checkpoint_blobs SET blob = NULL WHERE thread_id = '1:8'", id="no bytes"),
        pytest.param("UPDATE checkpoint_blobs SET type = 'pickle' WHERE thread_id = '1:8'", id="another kind"),
        pytest.param(
            "UPDATE checkpoint_blobs SET type = 'json', blob = convert_to('["
            '{"lc": 1, "type": "constructor", "id": ["langchain_core", "messages", "human", "HumanMessage"],'
            ' "kwargs": {"content": "when?"}},'
            '{"lc": 1, "type": "constructor", "id": ["langchain_core", "messages", "ai", "AIMessage"],'
            ' "kwargs": {"content": "On Friday."}}'
            "]', 'UTF8') WHERE thread_id = '1:8'",
            id="objects that JSON names",
        ),
        pytest.param("UPDATE checkpoint_blobs SET blob = '\\x05' WHERE thread_id = '1:8'", id="a number"),
        pytest.param("DELETE FROM checkpoint_blobs WHERE thread_id = '1:8'", id="no messages"),
        pytest.param("UPDATE checkpoints SET checkpoint = '[]' WHERE thread_id = '1:8'", id="a damaged checkpoint"),
        pytest.param(
            "UPDATE checkpoints SET checkpoint = jsonb_set(checkpoint, '{ts}', '\"noon\"') WHERE thread_id = '1:8';"
            "UPDATE checkpoint_blobs SET blob = '\\x' WHERE thread_id = '1:8'",
            id="a damaged time and nothing else",
        ),
    ],
)
async def test_a_damaged_conversation_is_left_out_and_the_others_are_taken_over(
    old: Database, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    for thread_id in ("1:7", "1:8", "1:9"):
        await remember(old, thread_id, turn("when?", "On Friday."))
    for statement in damage.split(";"):
        await run(old, statement)

    await old.migrate(dimensions=WIDTH)

    assert await count(old) == 2
    assert await recalled(old) == await recalled(old, KEY._replace(asker_id=9)) == [("when?", "On Friday.")]
    assert "conversation 1:8 of an earlier version is left out" in caplog.text
    assert not await tables(old) & TABLES


@pytest.mark.parametrize(
    "thread_id",
    [
        *("", "place", "1", "1:", "1:7:public", "1:7:private:1", "01:7", "-0:7", "1:7 ", "1:7\u0667"),
        "1:9223372036854775808",
    ],
)
async def test_a_thread_that_is_no_conversation_of_ours_is_left_out(
    old: Database, thread_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    await remember(old, thread_id, turn("when?", "On Friday."))
    await remember(old, "0:7", turn("who?", "Ana."))

    await old.migrate(dimensions=WIDTH)

    assert await count(old) == 1
    assert f"conversation {thread_id} of an earlier version is left out" in caplog.text


async def test_a_time_that_cannot_be_read_is_replaced_by_the_present(old: Database) -> None:
    await remember(old, "1:7", turn("when?", "On Friday."))
    await run(old, "UPDATE checkpoints SET checkpoint = checkpoint - 'ts'")

    await old.migrate(dimensions=WIDTH)

    async with old.engine.connect() as connection:
        age = await connection.scalar(text("SELECT now() - asked_at FROM conversation_turns"))
    assert age is not None
    assert abs(age) < timedelta(minutes=5)


async def test_nothing_but_plain_messages_is_revived(old: Database) -> None:
    await remember(old, "1:7", [HumanMessage("when?"), Foreign(content="On Friday.")])

    await old.migrate(dimensions=WIDTH)

    assert await recalled(old) == []


async def test_more_conversations_than_are_read_at_once_are_all_taken_over(
    old: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(former_conversations, "_AT_ONCE", 3)
    for number in range(10):
        await remember(old, f"1:{number}", turn(f"question {number}", "answer"))

    await old.migrate(dimensions=WIDTH)

    for number in range(10):
        assert await recalled(old, KEY._replace(asker_id=number)) == [(f"question {number}", "answer")]


async def test_empty_tables_are_dropped(old: Database, caplog: pytest.LogCaptureFixture) -> None:
    await old.migrate(dimensions=WIDTH)

    assert await count(old) == 0
    assert not await tables(old) & TABLES
    assert "conversation" not in caplog.text


@pytest.mark.parametrize("missing", sorted(TABLES))
async def test_a_table_that_is_not_there_is_not_missed(old: Database, missing: str) -> None:
    await run(old, f"DROP TABLE {missing}")

    await old.migrate(dimensions=WIDTH)

    assert not await tables(old) & TABLES


async def test_a_database_without_such_tables_stays_without(blank: Database) -> None:
    await blank.migrate(dimensions=WIDTH)

    assert not await tables(blank) & TABLES


async def test_a_take_over_that_fails_leaves_everything_as_it_was(
    old: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await remember(old, "1:7", turn("when?", "On Friday."))
    monkeypatch.setattr(former_conversations, "_WRITE", "INSERT INTO nowhere VALUES (%s, %s, %s, %s, %s, %s, %s)")

    with pytest.raises(DatabaseSetupError) as caught:
        await old.migrate(dimensions=WIDTH)

    assert is_one_sentence(str(caught.value))
    assert await tables(old) >= TABLES
    assert "conversation_turns" not in await tables(old)
    monkeypatch.undo()
    await old.migrate(dimensions=WIDTH)
    assert await recalled(old) == [("when?", "On Friday.")]


async def test_the_tables_that_are_made_for_a_backup_are_as_langgraph_made_them(old: Database) -> None:
    async def columns(database: Database) -> list[tuple[object, ...]]:
        asked = text(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_name LIKE 'checkpoint%' ORDER BY table_name, ordinal_position"
        )
        async with database.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(asked)]

    as_langgraph = await columns(old)
    await run(old, f"DROP TABLE {', '.join(TABLES)}")
    async with await psycopg.AsyncConnection.connect(old.dsn, autocommit=True) as connection:
        await former_conversations.make_tables(connection, list(MAKE_TABLE))

    assert await columns(old) == as_langgraph
