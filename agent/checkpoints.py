"""Keep conversations in PostgreSQL, so that a restart does not end them."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, TypedDict

import psycopg
from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

from db.databases import LONG_TERM, Database
from db.roles import Role, assume
from errors import DatabaseSetupError, DatabaseUnavailableError

Pool = AsyncConnectionPool[psycopg.AsyncConnection[DictRow]]

_NODE = "turn"
_UNREACHABLE = "PostgreSQL did not answer about a conversation"


class Conversation(TypedDict):
    """What a checkpoint holds: complete turns, and nothing of the runs that led to them."""

    messages: list[BaseMessage]


class Conversations:
    """Read and write the turns of each conversation through a LangGraph checkpointer.

    The agent's loop itself runs without one: what it does half-way is worth nothing after a crash, and a
    database that fails while an answer is being saved must not cost the answer.
    """

    def __init__(self, saver: BaseCheckpointSaver[Any], *, timeout: timedelta) -> None:
        self._saver = saver
        self._store = conversation_graph(saver)
        self._timeout = timeout.total_seconds()

    async def recall(self, thread_id: str) -> list[BaseMessage]:
        """Return the messages of a conversation; raise DatabaseUnavailableError when they cannot be read."""
        try:
            async with asyncio.timeout(self._timeout):
                state = await self._store.aget_state(_config(thread_id))
        except (psycopg.Error, OSError, TimeoutError) as error:
            raise DatabaseUnavailableError(_UNREACHABLE) from error
        return list(state.values.get("messages", ()))

    async def remember(self, thread_id: str, messages: Sequence[BaseMessage]) -> None:
        """Replace the messages of a conversation, and drop its older checkpoints.

        Raises DatabaseUnavailableError when PostgreSQL does not answer.
        """
        try:
            async with asyncio.timeout(self._timeout):
                await self._store.aupdate_state(_config(thread_id), {"messages": list(messages)}, as_node=_NODE)
                with suppress(NotImplementedError):  # LangGraph's in-memory saver keeps all until it goes
                    await self._saver.aprune([thread_id])
        except (psycopg.Error, OSError, TimeoutError) as error:
            raise DatabaseUnavailableError(_UNREACHABLE) from error


def conversation_graph(saver: BaseCheckpointSaver[Any]) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Return the graph whose only purpose is its state, which the checkpointer keeps for each thread."""
    builder = StateGraph(Conversation)
    builder.add_node(_NODE, _unchanged)
    builder.add_edge(START, _NODE)
    builder.add_edge(_NODE, END)
    return builder.compile(checkpointer=saver)


@asynccontextmanager
async def open_conversations(dsn: str, *, pool_size: int, timeout: timedelta) -> AsyncGenerator[AsyncPostgresSaver]:
    """Yield a checkpointer whose tables exist and whose every statement ends within `timeout`.

    Raises DatabaseUnavailableError when PostgreSQL does not answer, DatabaseSetupError when it will not have us.
    """
    await _create_tables(dsn, timeout)
    async with _pool(dsn, pool_size=pool_size, timeout=timeout) as pool:
        try:
            await pool.wait(timeout.total_seconds())
        except psycopg.OperationalError as error:
            raise DatabaseUnavailableError(_UNREACHABLE) from error
        yield AsyncPostgresSaver(pool, serde=_serializer())


async def make_tables(database: Database, *, timeout: timedelta) -> None:
    """Make the tables of conversations where they belong, in long-term memory; raise as `open_conversations` does."""
    if database.name == LONG_TERM:
        await _create_tables(database.dsn, timeout)


def texts_of(kind: str, value: bytes) -> list[str]:
    """Return all texts in a value that the checkpointer has stored as such a kind.

    The last one is the value itself: it may not be readable, or not to its end, and whoever looks for words must not
    miss them there.
    """
    raw = value.decode("utf-8", "replace")
    try:
        return [*texts_in(_serializer().loads_typed((kind, value))), raw]
    except Exception:  # noqa: BLE001  # damaged bytes raise almost anything
        return [raw]


def texts_in(value: object) -> Iterator[str]:
    """Yield all texts in a value, however deep they stand."""
    match value:
        case str():
            yield value
        case bytes():
            yield value.decode("utf-8", "replace")
        case BaseModel():
            yield from texts_in(vars(value))
        case Mapping():
            for name, inner in value.items():
                yield from texts_in(name)
                yield from texts_in(inner)
        case list() | tuple() | set() | frozenset():
            for inner in value:
                yield from texts_in(inner)


def _serializer() -> JsonPlusSerializer:
    """Return what is strict: only plain messages are kept, and nothing else shall ever be revived from a row."""
    return JsonPlusSerializer(allowed_msgpack_modules=None)


async def _create_tables(dsn: str, timeout: timedelta) -> None:
    """Create what lacks of LangGraph's tables, as the owner of the database."""
    try:
        async with await psycopg.AsyncConnection.connect(dsn, **_arguments(timeout)) as connection:
            await AsyncPostgresSaver(connection).setup()
    except psycopg.OperationalError as error:
        raise DatabaseUnavailableError(_UNREACHABLE) from error
    except psycopg.Error as error:
        raise DatabaseSetupError(
            "The tables for conversations cannot be created: let the database's user create tables."
        ) from error


def _pool(dsn: str, *, pool_size: int, timeout: timedelta) -> Pool:
    return AsyncConnectionPool(
        dsn,
        connection_class=psycopg.AsyncConnection[DictRow],
        kwargs=_arguments(timeout),
        configure=_act_as_the_bot,
        min_size=1,
        max_size=pool_size,
        timeout=timeout.total_seconds(),
        check=AsyncConnectionPool.check_connection,  # a restarted server costs a round trip, not a conversation
        open=False,
    )


def _arguments(timeout: timedelta) -> dict[str, Any]:
    milliseconds = int(timeout.total_seconds() * 1000)
    return {
        "autocommit": True,
        "prepare_threshold": 0,
        "row_factory": dict_row,
        "connect_timeout": max(2, int(timeout.total_seconds())),
        "options": f"-c statement_timeout={milliseconds}",
        "tcp_user_timeout": milliseconds,
        "application_name": "backscroll conversations",
    }


async def _act_as_the_bot(connection: psycopg.AsyncConnection[DictRow]) -> None:
    await assume(connection, Role.WRITER)


def _config(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id}}


async def _unchanged(state: Conversation) -> Conversation:
    return state
