"""Open memories of a bench's own and bring messages into them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import text

from bench.models import shared_model
from bench.processes import Workplace, patience_for
from bench.servers import open_new_database, open_server
from bench.vectors import RememberingEmbedder, open_remembering_embedder
from cli.console import progress_bar
from db.config import SHORT_TERM_LAYOUT, Layout
from db.databases import SHORT_TERM, Database
from db.engines import transaction
from memory.capture.recorder import open_recorder
from memory.embedding.config import EmbeddingConfig
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.index.index_text import search_text, text_to_embed
from memory.index.neighbours import CONTEXT_MESSAGES
from memory.index.reembed import prepare
from memory.message import Message
from memory.search.memory import Memory
from memory.search_session import searchable_database

SESSION = "bench"

_BATCH = 100  # messages that are embedded and written at once
_GLANCE = timedelta(milliseconds=500)
_VECTORS = text("SELECT count(embedding) FROM messages")
_VACUUM = text("VACUUM ANALYZE messages")

Databases = tuple[Database, Database]


@asynccontextmanager
async def open_memories(
    place: Workplace,
    *,
    on_timescale: bool = False,
    short_term: Layout = SHORT_TERM_LAYOUT,
    model: EmbeddingConfig | None = None,
) -> AsyncGenerator[tuple[Databases, RememberingEmbedder]]:
    """Yield an empty short-term and long-term memory, on an embedded server in a workplace or on a TimescaleDB."""
    async with (
        open_server(place, on_timescale=on_timescale) as address_of,
        open_new_database(address_of, name=SHORT_TERM, layout=short_term) as short,
        open_new_database(address_of) as long,
        open_remembering_embedder(model or shared_model()) as embedder,
    ):
        for database in (short, long):
            await prepare(database, embedder)
        yield (short, long), embedder


def memory_of(databases: Databases, embedder: Embedder) -> Memory:
    """Return both memories as one, as the agent has them."""
    short_term, long_term = databases
    return Memory(searchable_database(short_term), searchable_database(long_term), embedder)


async def record(place: Workplace, database: Database, embedder: Embedder, messages: Sequence[Message]) -> None:
    """Bring messages into short-term memory the way a running program does, through the journal."""
    async with open_recorder(
        session=SESSION,
        journal_path=place.folder / "bench.csv",
        not_added_path=place.folder / "bench_not_added.csv",
        sessions=database.sessions,
        embedder=embedder,
        batch=_BATCH,
    ) as recorder:
        with progress_bar("Storing") as report:
            for message in messages:
                await recorder.record(message)
            for _ in range(int(patience_for(len(messages)) / _GLANCE)):
                if await recorder.settle(timeout=_GLANCE):
                    break
                report(*recorder.progress)
        await recorder.settle_vectors(timeout=patience_for(len(messages)))
    async with transaction(database.sessions) as session:
        stored = await store.count(session)
    if stored != len(messages):
        raise RuntimeError(f"{stored} of {len(messages)} messages were stored")
    await check_vectors(database, messages)
    await tidy(database)


async def check_vectors(database: Database, messages: Sequence[Message]) -> None:
    """Raise RuntimeError unless every message with text has its vector.

    On a busy machine the model is not waited for, and vectors come later; what is found until then is no measure.
    """
    wanted = sum(1 for message in messages if text_to_embed(message))
    async with transaction(database.sessions) as session:
        vectors = await session.scalar(_VECTORS)
    if vectors != wanted:
        raise RuntimeError(f"{vectors} of {wanted} messages have a vector: measure when the machine is less busy")


async def write_conversations(
    database: Database, embedder: Embedder, conversations: Sequence[Sequence[Message]]
) -> None:
    """Bring conversations into a memory, all with their vectors, however busy the machine is."""
    await embedder.dimensions()  # which waits for the model
    messages = [message for conversation in conversations for message in conversation]
    before = {
        message.key: conversation[max(0, place - CONTEXT_MESSAGES) : place]
        for conversation in conversations
        for place, message in enumerate(conversation)
    }
    with progress_bar("Storing") as report:
        for start in range(0, len(messages), _BATCH):
            some = [message for message in messages[start : start + _BATCH] if text_to_embed(message)]
            vectors = await embedder.embed([text_to_embed(message) for message in some])
            batch = [
                store.Indexed(message, search_text(message, before[message.key]), vector, embedder.name)
                for message, vector in zip(some, vectors, strict=True)
            ]
            async with transaction(database.sessions) as session:
                await store.write(session, batch=batch, revisions=(), journal=SESSION, position=start + 1)
            report(start + len(some), len(messages))
    await tidy(database)


async def write_without_context(database: Database, embedder: Embedder, messages: Sequence[Message]) -> None:
    """Bring messages into a memory whose word index holds nothing of what was said before each."""
    for start in range(0, len(messages), _BATCH):
        some = [message for message in messages[start : start + _BATCH] if text_to_embed(message)]
        vectors = await embedder.embed([text_to_embed(message) for message in some])
        batch = [
            store.Indexed(message, search_text(message, ()), vector, embedder.name)
            for message, vector in zip(some, vectors, strict=True)
        ]
        async with transaction(database.sessions) as session:
            await store.write(session, batch=batch, revisions=(), journal=SESSION, position=start)
    await tidy(database)


async def tidy(database: Database) -> None:
    """Give the planner what a server that has run for a while knows of its rows."""
    async with database.engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(_VACUUM)
