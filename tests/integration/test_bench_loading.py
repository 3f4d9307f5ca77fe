"""A bench of search refuses to measure a memory whose vectors have yet to come."""

import pytest

from bench.loading import check_vectors
from db.databases import Database
from db.engines import transaction
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.index.store import Indexed
from tests.builders import message, remember


async def test_messages_without_a_vector_are_no_measure(short_term: Database, embedder: Embedder) -> None:
    first, second = message(1, "the kiln is hot"), message(2, "the glaze is dry")
    await remember(short_term, embedder, [first])
    await check_vectors(short_term, [first, message(3, "")])
    async with transaction(short_term.sessions) as session:
        batch = [Indexed(second, second.content, None, None)]
        await store.write(session, batch=batch, revisions=(), journal="test", position=1)

    with pytest.raises(RuntimeError, match="1 of 2 messages have a vector"):
        await check_vectors(short_term, [first, second])
