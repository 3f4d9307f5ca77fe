"""Words weigh on a hypertable of many chunks what they weigh on one table, however unevenly they fell."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from db.config import Layout
from db.databases import LONG_TERM, Database
from db.engines import transaction
from memory.filters import Filters
from memory.index import store
from memory.index.store import Indexed
from memory.message import Message
from memory.search.keywords import keyword_candidates
from memory.search.planner import Costs, Size, Trace, estimate, in_chunks
from tests.builders import message
from tests.conftest import open_existing_database
from tests.servers import Server

pytestmark = pytest.mark.server

WIDTH = 4
A_DAY, ALL_TIME = timedelta(days=1), timedelta(days=400)
EVERYWHERE = Filters(places=frozenset({1}))
EXACT, BY_INDEX = Costs(read=10**9), Costs(score=10**9)
OFTEN, SELDOM = 40, 12
REST = " ".join(f"word{number}" for number in range(30))
"""Makes every message as long as messages with their context are."""


def _talk() -> list[Message]:
    """Return what was said: a day about kilns, a day on which one falls by the way, and some days without."""
    days = [
        [f"the kiln is hot, note {number}" if number % 4 else f"note {number}" for number in range(OFTEN)],
        ["a kiln, by the way", *[f"glaze and lantern {number}" for number in range(OFTEN)]],
        ["the lantern is lit", *[f"nothing of the kind {number}" for number in range(OFTEN)]],
        ["kiln and lantern", "an okapi", *[f"nothing again {number}" for number in range(SELDOM)]],
    ]
    return [
        message(100 * day + number, f"{said} {REST}", sent_at=message().sent_at + timedelta(days=day, seconds=number))
        for day, texts in enumerate(days)
        for number, said in enumerate(texts)
    ]


@pytest.fixture(scope="module")
def names(server: Server) -> Iterator[dict[timedelta, str]]:
    """The names of memories of the talk, which no test changes, by how much time a chunk holds."""

    async def talk(chunk: timedelta, name: str) -> None:
        async with open_existing_database(server, name, name=LONG_TERM) as opened:
            database = replace(opened, layout=Layout(chunk_interval=chunk))
            await database.migrate(dimensions=WIDTH)
            async with transaction(database.sessions) as session:
                rows = [Indexed(one, one.content, None, None) for one in _talk()]
                await store.write(session, batch=rows, revisions=(), journal="test", position=0)
            async with database.engine.begin() as connection:
                await connection.execute(text("ANALYZE messages"))

    made = {chunk: server.create_database("global_idf", width=WIDTH) for chunk in (A_DAY, ALL_TIME)}
    for chunk, name in made.items():
        asyncio.run(talk(chunk, name))
    yield made
    for name in made.values():
        server.drop_database(name)


@pytest.fixture
async def whole(server: Server, names: dict[timedelta, str]) -> AsyncIterator[Database]:
    """The talk in one chunk."""
    async with open_existing_database(server, names[ALL_TIME], name=LONG_TERM) as database:
        yield database


@pytest.fixture
async def apart(server: Server, names: dict[timedelta, str]) -> AsyncIterator[Database]:
    """The talk in a chunk for every day."""
    async with open_existing_database(server, names[A_DAY], name=LONG_TERM) as database:
        yield database


async def ask(database: Database, query: str, *, costs: Costs) -> dict[int, float]:
    """Return the messages that the words of a query find, with their scores."""
    async with transaction(database.reading) as session:
        found = await keyword_candidates(
            session,
            text=query,
            filters=EVERYWHERE,
            wanted=200,
            bm25=True,
            size=await estimate(session, EVERYWHERE, hypertable=database.capabilities.hypertables),
            costs=costs,
            trace=Trace(),
        )
    return {message_id: score for (message_id, _), score in found.items()}


async def test_a_question_is_answered_however_many_were_asked_before(apart: Database) -> None:
    questions = [f"{word} {number % OFTEN}" for number in range(40) for word in ("kiln", "lantern", "okapi")]

    by_index = [await ask(apart, question, costs=BY_INDEX) for question in questions]

    assert by_index == [pytest.approx(await ask(apart, question, costs=EXACT)) for question in questions]


@pytest.mark.parametrize("costs", [pytest.param(EXACT, id="exact"), pytest.param(BY_INDEX, id="index")])
@pytest.mark.parametrize("query", ["kiln", "lantern kiln", "okapi", "the kiln or the okapi?", "nobody said that word"])
async def test_many_chunks_score_as_one_table_does(whole: Database, apart: Database, query: str, costs: Costs) -> None:
    expected = await ask(whole, query, costs=costs)

    found = await ask(apart, query, costs=costs)

    assert found.keys() == expected.keys()
    assert found == {message_id: pytest.approx(score, rel=0.2) for message_id, score in expected.items()}


async def test_the_lexica_are_the_chunks_that_know_most_words(blank: Database) -> None:
    if not blank.capabilities.hypertables:
        pytest.skip("a plain table has no chunks")
    database = replace(blank, layout=Layout(chunk_interval=timedelta(days=1)))
    await database.migrate(dimensions=WIDTH)
    talk = [message(day, "kiln", sent_at=message().sent_at + timedelta(days=day)) for day in range(12)]
    async with transaction(database.sessions) as session:
        rows = [Indexed(one, one.content, None, None) for one in talk]
        await store.write(session, batch=rows, revisions=(), journal="test", position=0)

        size = await in_chunks(session, EVERYWHERE, Size(12, 12))

    assert len(size.chunks) == 12
    assert len(size.largest_chunks) == 8
