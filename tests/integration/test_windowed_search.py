"""Whoever may read messages may search the copy of them that the bench of windows compares the indexes with."""

import numpy as np

from bench.windowed_search import Question, copy_under_hnsw, nearest_by_hnsw
from db.databases import LONG_TERM
from db.engines import transaction
from memory.filters import Filters
from memory.index import store
from memory.index.store import Indexed
from tests.builders import message
from tests.conftest import open_new_database
from tests.servers import Server

WIDTH = 24
QUERY = np.eye(1, WIDTH, dtype=np.float32)[0]


async def test_the_copy_under_hnsw_can_be_searched_by_a_reader(server: Server) -> None:
    kiln = message(1, "the kiln is hot")
    async with open_new_database(server, LONG_TERM, width=WIDTH) as database:
        async with transaction(database.sessions) as session:
            batch = [Indexed(kiln, kiln.content, QUERY, "model")]
            await store.write(session, batch=batch, revisions=(), journal="test", position=0)
        await database.migrate(dimensions=WIDTH)
        await copy_under_hnsw(database)

        async with transaction(database.reading) as session:
            found = await nearest_by_hnsw(session, Question("kiln", QUERY, Filters(places=frozenset({kiln.place_id}))))

    assert {message_id for message_id, _ in found} == {1}
