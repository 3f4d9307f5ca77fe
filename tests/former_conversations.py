"""Conversations as earlier versions kept them: in the tables of LangGraph's checkpointer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString

import psycopg
from alembic import command
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg.types.json import Jsonb

from db.databases import Database
from db.migrate import alembic_config
from tests.builders import minute

TABLES = frozenset({"checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_migrations"})

_MAKE: tuple[LiteralString, ...] = (
    "CREATE TABLE checkpoint_migrations (v INTEGER PRIMARY KEY)",
    """CREATE TABLE checkpoints (thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', checkpoint_id TEXT
    NOT NULL, parent_checkpoint_id TEXT, type TEXT, checkpoint JSONB NOT NULL, metadata JSONB NOT NULL DEFAULT '{}',
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id))""",
    """CREATE TABLE checkpoint_blobs (thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', channel TEXT
    NOT NULL, version TEXT NOT NULL, type TEXT NOT NULL, blob BYTEA, PRIMARY KEY (thread_id, checkpoint_ns, channel,
    version))""",
    """CREATE TABLE checkpoint_writes (thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', checkpoint_id
    TEXT NOT NULL, task_id TEXT NOT NULL, idx INTEGER NOT NULL, channel TEXT NOT NULL, type TEXT, blob BYTEA NOT NULL,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx))""",
    "CREATE INDEX checkpoints_thread_id_idx ON checkpoints(thread_id)",
    "CREATE INDEX checkpoint_blobs_thread_id_idx ON checkpoint_blobs(thread_id)",
    "CREATE INDEX checkpoint_writes_thread_id_idx ON checkpoint_writes(thread_id)",
    "ALTER TABLE checkpoint_writes ADD COLUMN task_path TEXT NOT NULL DEFAULT ''",
    "INSERT INTO checkpoint_migrations SELECT generate_series(0, 9)",
)
_CHECKPOINT: LiteralString = """
    INSERT INTO checkpoints (thread_id, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
    VALUES (%s, %s, NULL, %s, '{"step": 1, "source": "update"}')
"""
_BLOB: LiteralString = (
    "INSERT INTO checkpoint_blobs (thread_id, channel, version, type, blob) VALUES (%s, 'messages', %s, %s, %s)"
)
_WRITE: LiteralString = """
    INSERT INTO checkpoint_writes (thread_id, checkpoint_id, task_id, idx, channel, type, blob)
    VALUES (%s, %s, 'a task', 0, 'messages', %s, %s)
"""


async def make_tables(database: Database) -> None:
    """Make the tables as LangGraph's migrations have left them."""
    async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as connection:
        for statement in _MAKE:
            await connection.execute(statement)


async def remember(
    database: Database, thread_id: str, messages: Sequence[BaseMessage], *, number: int = 1, at: datetime | None = None
) -> None:
    """Write a checkpoint of a thread, the newest one if it has the highest number."""
    kind, value = JsonPlusSerializer().dumps_typed(list(messages))
    checkpoint = {
        "v": 4,
        "ts": (at or minute(number)).isoformat(),
        "id": _id(number),
        "channel_values": {},
        "channel_versions": {"messages": _version(number), "__start__": _version(1)},
        "versions_seen": {},
    }
    async with await psycopg.AsyncConnection.connect(database.dsn) as connection:
        await connection.execute(_CHECKPOINT, [thread_id, _id(number), Jsonb(checkpoint)])
        await connection.execute(_BLOB, [thread_id, _version(number), kind, value])
        await connection.execute(_WRITE, [thread_id, _id(number), kind, value])


async def leave_behind(database: Database, conversations: Mapping[str, Sequence[BaseMessage]]) -> None:
    """Leave a database, with what it holds, as an earlier version has left it, with conversations by their threads."""
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda at: command.downgrade(alembic_config(at, dimensions=1), "0004"))
    await make_tables(database)
    for thread_id, messages in conversations.items():
        await remember(database, thread_id, messages)


class Foreign(AIMessage):
    """A message of a class that a stored value may name, and that must not be revived for it."""


def turn(question: str, answer: str) -> list[BaseMessage]:
    return [HumanMessage(question), AIMessage(answer)]


def _id(number: int) -> str:
    return f"1f0d0000-0000-6000-8000-{number:012d}"


def _version(number: int) -> str:
    return f"{number:032d}.0.5"
