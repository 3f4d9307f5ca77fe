"""A memory can move to another embedding model, be stopped on the way, and goes on there."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from db.chunks import find_chunks
from db.databases import Database
from db.engines import transaction
from db.schema import MessageRow
from db.vector_index import missing_indexes
from errors import EmbeddingModelError
from memory.embedding.embedder import Embedder, open_embedder
from memory.index.reembed import prepare, reembed
from memory.search.memory import Memory
from memory.search_session import searchable_database
from tests.builders import deletion, message, remember
from tests.small_models import small_model
from util_async import no_progress

COUNT = 10

pytestmark = [
    pytest.mark.server,
    pytest.mark.timeout(600),  # the first run on a machine makes and exports the other model
]


@pytest.fixture
async def other() -> AsyncIterator[Embedder]:
    """An embedder with vectors of another width."""
    async with open_embedder(small_model()) as embedder:
        yield embedder


async def embedded_with(database: Database) -> dict[str | None, int]:
    statement = select(MessageRow.embedding_model, func.count()).group_by(MessageRow.embedding_model)
    async with transaction(database.sessions) as session:
        return {row[0]: row[1] for row in await session.execute(statement)}


async def has_vector_indexes(database: Database) -> bool:
    """Tell whether every part of the messages that should have a vector index has one."""
    async with transaction(database.sessions) as session:
        known = await find_chunks(session, hypertable=database.capabilities.hypertables)
    return not missing_indexes(known, database.layout)


async def fill(database: Database, embedder: Embedder) -> None:
    """Put messages into a memory, and a deletion, which has no text to embed."""
    messages = [message(number, f"note {number}") for number in range(1, COUNT + 1)]
    await remember(database, embedder, [*messages, deletion(99, at=100)])


async def test_every_message_gets_a_vector_of_the_new_model_and_is_found(
    long_term: Database, embedder: Embedder, other: Embedder
) -> None:
    await fill(long_term, embedder)
    reports: list[tuple[int, int]] = []

    done = await reembed(long_term, other, batch=4, report=lambda *report: reports.append(report))

    assert done == COUNT
    assert reports == [(4, COUNT), (8, COUNT), (10, COUNT)]
    assert await embedded_with(long_term) == {other.name: COUNT, None: 1}
    assert await has_vector_indexes(long_term)
    await prepare(long_term, other)
    shelf = searchable_database(long_term)
    found = await Memory(shelf, replace(shelf, name="short-term"), other).search(
        "note 7", places=frozenset({1}), limit=1
    )
    assert any(line.message.message_id == 7 and line.similarity for line in found.excerpts[0].lines)


async def test_it_is_stopped_and_goes_on_where_it_was(long_term: Database, embedder: Embedder, other: Embedder) -> None:
    await fill(long_term, embedder)

    def stop(done: int, _: int) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await reembed(long_term, other, batch=4, report=stop)

    assert await embedded_with(long_term) == {other.name: 8, None: 3}
    for model in (embedder, other):  # neither of them made all of the vectors
        with pytest.raises(EmbeddingModelError, match="finish it"):
            await prepare(long_term, model)
    assert await reembed(long_term, other, batch=4, report=no_progress) == COUNT - 8
    assert await embedded_with(long_term) == {other.name: COUNT, None: 1}
    assert await has_vector_indexes(long_term)
    await prepare(long_term, other)


async def test_it_leads_back_to_the_model_of_before(long_term: Database, embedder: Embedder, other: Embedder) -> None:
    await fill(long_term, embedder)
    await reembed(long_term, other, batch=100, report=no_progress)

    assert await reembed(long_term, embedder, batch=100, report=no_progress) == COUNT

    await prepare(long_term, embedder)
    assert await embedded_with(long_term) == {embedder.name: COUNT, None: 1}


async def test_with_the_same_model_nothing_needs_a_new_vector(long_term: Database, embedder: Embedder) -> None:
    await fill(long_term, embedder)

    assert await reembed(long_term, embedder, batch=4, report=no_progress) == 0
    assert await has_vector_indexes(long_term)
    await prepare(long_term, embedder)
