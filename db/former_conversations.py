"""Take over the conversations that earlier versions kept in the tables of LangGraph's checkpointer.

The newest checkpoint of a thread holds all of its messages, serialised, in a row of another table. Revision 0005 takes
them over, and so does the restore of a backup that such a version has made.
"""

import logging
import re
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import Any, LiteralString

from psycopg import sql

from db.table_copy import Connection, fetch, tables_of

logger = logging.getLogger(__name__)

MAKE_TABLE: dict[str, LiteralString] = {
    "checkpoints": """
        CREATE TABLE IF NOT EXISTS checkpoints (
            thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT '', checkpoint_id text NOT NULL,
            parent_checkpoint_id text, type text, checkpoint jsonb NOT NULL, metadata jsonb NOT NULL DEFAULT '{}',
            PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
        )
    """,
    "checkpoint_blobs": """
        CREATE TABLE IF NOT EXISTS checkpoint_blobs (
            thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT '', channel text NOT NULL,
            version text NOT NULL, type text NOT NULL, blob bytea,
            PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
        )
    """,
    "checkpoint_writes": """
        CREATE TABLE IF NOT EXISTS checkpoint_writes (
            thread_id text NOT NULL, checkpoint_ns text NOT NULL DEFAULT '', checkpoint_id text NOT NULL,
            task_id text NOT NULL, idx integer NOT NULL, channel text NOT NULL, type text, blob bytea NOT NULL,
            task_path text NOT NULL DEFAULT '',
            PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
        )
    """,
    "checkpoint_migrations": "CREATE TABLE IF NOT EXISTS checkpoint_migrations (v integer PRIMARY KEY)",
}
"""How to make each of the tables, as LangGraph does."""

CONVERSATIONS = "checkpoints"
"""The one of the tables that holds something as soon as there is a conversation."""

_READ: LiteralString = """
    SELECT newest.thread_id, newest.checkpoint ->> 'ts', type, blob
    FROM (
        SELECT DISTINCT ON (thread_id) thread_id, checkpoint_ns, checkpoint
        FROM checkpoints WHERE checkpoint_ns = '' ORDER BY thread_id, checkpoint_id DESC
    ) AS newest
    LEFT JOIN checkpoint_blobs AS stored ON stored.thread_id = newest.thread_id
        AND stored.checkpoint_ns = newest.checkpoint_ns AND channel = 'messages'
        AND version = newest.checkpoint -> 'channel_versions' ->> 'messages'
"""
_WRITE: LiteralString = """
    INSERT INTO conversation_turns (channel_id, asker_id, private, number, asked_at, question, answer, cites, audience)
    VALUES (%s, %s, %s, %s, %s, %s, %s, '{}', '{}') ON CONFLICT DO NOTHING
"""
_DROP = sql.SQL("DROP TABLE {}")

_AT_ONCE = 100  # conversations
_ID = "(0|-?[1-9][0-9]{0,18})"
_THREAD = re.compile(rf"{_ID}:{_ID}(:private)?")
_BIGINT = range(-(2**63), 2**63)
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")

Decode = Callable[[str, bytes], list[tuple[str, str]]]
"""Returns the turns in a stored value: each question with its answer, oldest first."""


async def make_tables(connection: Connection, names: Collection[str]) -> None:
    """Make those tables of LangGraph's that are among the names, unless they are there."""
    for name in MAKE_TABLE.keys() & set(names):
        await connection.execute(MAKE_TABLE[name], prepare=False)


async def take_over(connection: Connection) -> None:
    """Write all conversations into `conversation_turns`, and drop LangGraph's tables, where there are any.

    It belongs into a transaction of the caller's. A conversation that cannot be read is left out, and the log says so.
    All turns of one get the time of its newest checkpoint: none is known of each.
    """
    there = MAKE_TABLE.keys() & (await tables_of(connection)).keys()
    if {"checkpoints", "checkpoint_blobs"} <= there:
        await _take_over_turns(connection)
    for name in sorted(there):
        await connection.execute(_DROP.format(sql.Identifier(name)), prepare=False)


async def _take_over_turns(connection: Connection) -> None:
    taken = left_out = 0
    if not await fetch(connection, "SELECT FROM checkpoints LIMIT 1"):
        return
    decode = _decoder()
    async with connection.cursor(name="former_conversations") as reading, connection.cursor() as writing:
        reading.itersize = _AT_ONCE
        await reading.execute(_READ)
        async for thread_id, time, kind, value in reading:
            try:
                rows = _rows(thread_id, time, decode(kind, value))
            except Exception as error:  # noqa: BLE001  # damaged bytes raise almost anything
                logger.warning("conversation %s of an earlier version is left out: %r", thread_id, error)
                left_out += 1
            else:
                await writing.executemany(_WRITE, rows)
                taken += 1
    logger.info("%d conversations of an earlier version are taken over, %d are left out", taken, left_out)


def _rows(thread_id: str, time: str | None, turns: list[tuple[str, str]]) -> list[tuple[object, ...]]:
    """Return the rows of a conversation; raise ValueError when its id is none of ours."""
    found = _THREAD.fullmatch(thread_id)
    if found is None or int(found[1]) not in _BIGINT or int(found[2]) not in _BIGINT:
        raise ValueError("its id does not name a channel and a person")
    key = int(found[1]), int(found[2]), found[3] is not None
    return [
        (*key, number, _moment(time), _storable(question), _storable(answer))
        for number, (question, answer) in enumerate(turns, start=1)
    ]


def _moment(time: str | None) -> datetime:
    """Return when a checkpoint was made; the present where it does not say so."""
    try:
        return datetime.fromisoformat(time or "").astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)


def _storable(text: str) -> str:
    return _NOT_STORABLE.sub("\ufffd", text)


def _refuse_unless_ours(kind: str) -> None:
    """Raise ValueError for a kind of value that was never ours: JSON could name classes that are to be made."""
    if kind != "msgpack":
        raise ValueError("its messages are not written as we wrote them")


def _decoder() -> Decode:
    """Return what reads a stored value strictly: nothing but plain messages shall ever be revived from a row."""
    from langchain_core.messages import AIMessage, HumanMessage
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    serializer = JsonPlusSerializer(allowed_msgpack_modules=None)

    def turns(messages: list[Any]) -> Iterator[tuple[str, str]]:
        question = answer = ""
        for message in [*messages, HumanMessage("")]:
            if isinstance(message, AIMessage):
                is_final = not message.tool_calls and not message.invalid_tool_calls
                answer = str(message.text) if is_final else ""
            elif isinstance(message, HumanMessage):
                if question.strip() and answer.strip():
                    yield question, answer
                question, answer = str(message.text), ""
            else:
                answer = ""

    def decode(kind: str, value: bytes) -> list[tuple[str, str]]:
        _refuse_unless_ours(kind)
        messages = serializer.loads_typed((kind, value))
        if not isinstance(messages, list):
            raise TypeError("its messages are no list")
        return list(turns(messages))

    return decode
