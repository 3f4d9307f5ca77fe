"""Whichever way is taken to the candidates, all that match are found and the nearest among them."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.explaining import explained as plans_of_searches
from db.chunks import find_chunks, is_hypertable
from db.config import Layout
from db.databases import LONG_TERM, Database
from db.engines import transaction
from db.vector_index import build, drop_all
from memory.authors import Authors
from memory.filters import Filters
from memory.index import store
from memory.index.store import Indexed
from memory.message import Message
from memory.search import planner, vectors
from memory.search.candidates import find_candidates
from memory.search.planner import AccessPath, Costs, Size, Trace, estimate, estimate_by_statistics
from tests.builders import already, message, minute
from tests.conftest import open_existing_database
from tests.servers import Server
from time_expressions.window import Window
from util_async import no_progress

pytestmark = pytest.mark.server

ROWS, WIDTH = 800, 24
EXACT = Costs(propose=10**9, read=10**9)
BY_INDEX = Costs(compare=10**9, score=10**9)
EVERYWHERE = frozenset({1, 2, 3})
IN_TOUCHED_CHUNKS = 720  # of the window from minute 100 to 700: 9:00 to 21:00
LAYOUT = Layout(chunk_interval=timedelta(hours=3), closed_rows=0)
"""Of a hypertable five chunks, all of them with an index but for the hot one."""
VECTOR_INDEX = re.compile(r"Index Scan using (?:messages_diskann|\S*_chunk_embedding_idx)")
WORD_INDEX = re.compile(r"Index Scan using \S*messages_bm25")
CHUNK = re.compile(r"(?:on|using) (_hyper_\d+_\d+_chunk)\b")
SEQUENTIAL = re.compile(r"Seq Scan on (\S+)")
WORDS = ("kettle", "anchor", "lantern", "marble", "saddle")


def _vectors() -> NDArray[np.float32]:
    """Return vectors that drift, as talk does: the nearer in time, the more alike."""
    random = np.random.default_rng(5)
    speeds, starts = random.uniform(1, 6, WIDTH), random.uniform(0, 6, WIDTH)
    vectors = np.cos(np.linspace(0, 1, ROWS)[:, None] * speeds + starts).astype(np.float32)
    normalised: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return normalised


VECTORS = _vectors()
QUERY = VECTORS[401]


def _message(number: int) -> Message:
    """Return message `number`: half of all are in channel 1, one in twenty in channel 3; one in ten is by Özge."""
    place = 3 if number % 20 == 0 else 1 + number % 2
    words = f"{WORDS[number % 5]} {WORDS[number % 3]}" if number % 7 else "nothing of the kind"
    author = "Özge" if number % 10 == 3 else "ana"
    return message(number, words, channel_id=place, author_name=author, sent_at=minute(number))


MESSAGES = [_message(number) for number in range(ROWS)]
SILENT = frozenset(range(0, ROWS, 50))
"""Messages without a vector, as those that hold nothing but a picture."""


@pytest.fixture(scope="module")
def name(server: Server) -> str:
    """A memory with all messages, made once."""

    async def create() -> str:
        planned = await asyncio.to_thread(server.create_database, "planned")
        async with open_existing_database(server, planned, name=LONG_TERM) as existing:
            database = replace(existing, layout=LAYOUT)
            await database.migrate(dimensions=WIDTH)
            rows = [
                Indexed(one, one.content, None if number in SILENT else VECTORS[number], "model")
                for number, one in enumerate(MESSAGES)
            ]
            async with transaction(database.sessions) as session:
                await store.write(session, batch=rows, revisions=(), journal="test", position=0)
            async with database.engine.begin() as connection:
                await drop_all(connection)  # an index made before there were rows never learns how vectors lie
            await build(database.engine, LAYOUT, report=no_progress)
            async with database.engine.begin() as connection:
                await connection.execute(text("ANALYZE messages"))
        return planned

    with asyncio.Runner() as runner:
        return runner.run(create())


@pytest.fixture
async def planned(server: Server, name: str) -> AsyncIterator[Database]:
    async with open_existing_database(server, name, name=LONG_TERM) as database:
        yield database


@pytest.fixture
async def session(planned: Database) -> AsyncIterator[AsyncSession]:
    async with transaction(planned.sessions) as session:
        yield session


def matching(filters: Filters) -> list[int]:
    """Return the ids of what matches, worked out without a database."""
    return [
        one.message_id
        for one in MESSAGES
        if one.place_id in filters.places
        and (not filters.windows or any(one.sent_at in window for window in filters.windows))
        and (filters.authors is None or filters.authors.wrote(one))
    ]


def nearest(filters: Filters, wanted: int) -> set[int]:
    """Return the ids of the nearest that match, those without a vector last."""
    ordered = sorted(matching(filters), key=lambda one: (one in SILENT, -float(VECTORS[one] @ QUERY)))
    assert len(ordered) <= wanted or ordered[wanted - 1] not in SILENT  # their order among each other is free
    return set(ordered[:wanted])


FILTERS = [
    pytest.param(Filters(places=EVERYWHERE), id="everything"),
    pytest.param(Filters(places=frozenset({3})), id="one small channel"),
    pytest.param(Filters(places=EVERYWHERE, authors=Authors(names=frozenset({"Özge"}))), id="an author"),
    pytest.param(Filters(places=EVERYWHERE, windows=(Window(minute(100), minute(107)),)), id="a narrow window"),
    pytest.param(Filters(places=EVERYWHERE, windows=(Window(minute(100), None),)), id="a wide window"),
    pytest.param(
        Filters(places=EVERYWHERE, windows=(Window(minute(10), minute(20)), Window(None, minute(3)))), id="two windows"
    ),
    pytest.param(
        Filters(
            places=frozenset({1, 3}),
            windows=(Window(minute(0), minute(300)), Window(minute(200), minute(500))),
            authors=Authors(names=frozenset({"ana"}), excluded=True),
        ),
        id="all of them together",
    ),
    pytest.param(Filters(places=frozenset({99})), id="a channel that nobody wrote in"),
    pytest.param(Filters(places=frozenset()), id="no places"),
]


@pytest.mark.parametrize("wanted", [1, 10, 2000])
@pytest.mark.parametrize("costs", [pytest.param(EXACT, id="exact"), pytest.param(BY_INDEX, id="index")])
@pytest.mark.parametrize("filters", FILTERS)
async def test_the_nearest_rows_are_the_same_on_either_way(
    session: AsyncSession, filters: Filters, costs: Costs, wanted: int
) -> None:
    size = await sized(session, filters, matching=len(matching(filters)))

    found = await vectors.nearest(
        session, vector=QUERY, filters=filters, wanted=wanted, size=size, costs=costs, trace=Trace()
    )

    assert {message_id for message_id, _ in found} == nearest(filters, wanted)


@pytest.mark.parametrize(
    ("costs", "way", "steps"),
    [
        pytest.param(
            EXACT,
            AccessPath.EXACT,
            ["words of every matching row", "vectors of every matching row"],
            id="every row",
        ),
        pytest.param(BY_INDEX, AccessPath.INDEX, ["word index", "vector index", "rows of both"], id="indexes"),
    ],
)
async def test_the_plan_tells_the_way_that_was_taken(
    session: AsyncSession, costs: Costs, way: AccessPath, steps: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    filters = Filters(places=EVERYWHERE, windows=(Window(minute(100), minute(700)),))

    with caplog.at_level(logging.DEBUG, logger="memory.search.planner"):
        found, plan = await candidates(session, filters=filters, wanted=10, costs=costs)

    assert (plan.vectors, plan.keywords) == (way, way)
    assert [step.name for step in plan.steps] == steps
    assert plan.steps[-1].rows >= len(found) >= 60
    assert plan.counted == 600
    assert 500 <= plan.size.matching <= 700
    assert plan.size.total == (IN_TOUCHED_CHUNKS if plan.size.chunks else ROWS)


async def candidates(session: AsyncSession, **changes: Any) -> Any:
    arguments = {"text": "where is the lantern?", "vector": already(QUERY), "bm25": True, **changes}
    return await find_candidates(session, hypertable=await is_hypertable(session), **arguments)


async def test_rows_are_not_counted_when_nobody_listens(session: AsyncSession) -> None:
    _, plan = await candidates(session, filters=Filters(places=EVERYWHERE), wanted=10)

    assert plan.counted is None


@pytest.mark.parametrize("bm25", [True, False])
@pytest.mark.parametrize("wanted", [5, 2000])
@pytest.mark.parametrize("costs", [pytest.param(EXACT, id="exact"), pytest.param(BY_INDEX, id="index")])
@pytest.mark.parametrize("filters", FILTERS)
async def test_no_candidate_is_lost_and_none_comes_from_elsewhere(
    session: AsyncSession, filters: Filters, costs: Costs, wanted: int, bm25: bool
) -> None:
    found, _ = await candidates(session, filters=filters, wanted=wanted, costs=costs, bm25=bm25)

    ids = {one.message.message_id for one in found}
    assert len(ids) >= min(wanted, len(matching(filters)))
    assert ids <= set(matching(filters))
    assert {one.message.message_id for one in found if one.similarity is None} <= SILENT


@pytest.mark.parametrize("filters", FILTERS)
async def test_the_best_words_are_the_same_on_either_way(session: AsyncSession, filters: Filters) -> None:
    scores = []
    for costs in (EXACT, BY_INDEX):
        found, _ = await candidates(session, filters=filters, wanted=10, costs=costs)
        scores.append(sorted((round(one.lexical, 3) for one in found if one.lexical > 0), reverse=True)[:60])

    assert scores[0] == scores[1]


async def sized(session: AsyncSession, filters: Filters, *, matching: int) -> Size:
    """Return what the planner is told of a search with so many matching rows."""
    size = Size(matching, ROWS)
    return await planner.in_chunks(session, filters, size) if await is_hypertable(session) else size


async def test_what_the_statistics_promised_in_vain_is_made_up_for(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "FEWEST_PROPOSALS", 5)
    filters = Filters(places=frozenset({3}), windows=(Window(minute(0), minute(200)),))
    trace = Trace()

    size = replace(await sized(session, filters, matching=ROWS), matching=ROWS, total=ROWS)

    found = await vectors.nearest(
        session, vector=QUERY, filters=filters, wanted=10, size=size, costs=BY_INDEX, trace=trace
    )

    assert {message_id for message_id, _ in found} == nearest(filters, 10)
    assert [(step.name, step.rows < 10) for step in trace.steps] == [
        ("vector index", True),
        ("vectors of every matching row", False),
    ]


# What PostgreSQL makes of the statements


@pytest.fixture
async def explained(session: AsyncSession) -> AsyncIterator[list[str]]:
    """The plans of all statements that select from messages, in order."""
    async with plans_of_searches(session) as plans:
        yield plans


async def test_only_the_way_by_the_index_reads_the_vector_index(session: AsyncSession, explained: list[str]) -> None:
    await session.execute(text("SET LOCAL enable_seqscan = off"))
    filters = Filters(places=EVERYWHERE)
    size = await sized(session, filters, matching=ROWS)
    for costs in (EXACT, BY_INDEX):
        await vectors.nearest(session, vector=QUERY, filters=filters, wanted=10, size=size, costs=costs, trace=Trace())

    assert [bool(VECTOR_INDEX.search(plan)) for plan in explained] == [False, True]


async def test_only_the_way_by_the_index_reads_the_word_index(session: AsyncSession, explained: list[str]) -> None:
    for costs in (EXACT, BY_INDEX):
        await candidates(session, filters=Filters(places=EVERYWHERE), wanted=10, costs=costs)

    half = len(explained) // 2
    assert [any(WORD_INDEX.search(plan) for plan in some) for some in (explained[:half], explained[half:])] == [
        False,
        True,
    ]


async def test_a_narrow_window_is_not_a_reason_to_read_everything(session: AsyncSession, explained: list[str]) -> None:
    await session.execute(text("SET LOCAL enable_seqscan = off"))  # of so few rows, reading all would be cheapest
    filters = Filters(places=EVERYWHERE, windows=(Window(minute(100), minute(107)),))

    await candidates(session, filters=filters, wanted=10)

    counting, *searching = explained
    assert searching
    assert "messages_sent_at" in counting or "messages_place_sent_at" in counting
    assert not [plan for plan in searching if "Seq Scan" in plan]


@pytest.mark.parametrize("costs", [pytest.param(EXACT, id="exact"), pytest.param(BY_INDEX, id="index")])
async def test_a_window_reads_only_the_chunks_that_it_touches(
    session: AsyncSession, explained: list[str], costs: Costs
) -> None:
    if not await is_hypertable(session):
        pytest.skip("a plain table has no chunks")
    window = Window(minute(100), minute(290))
    touched = {
        part.table.rpartition(".")[2]
        for part in await find_chunks(session, hypertable=True)
        if part.start and part.end and part.start < minute(290) and part.end > minute(100)
    }

    await candidates(session, filters=Filters(places=EVERYWHERE, windows=(window,)), wanted=10, costs=costs)

    searching = explained[1:]  # the first counts, and asks whether there is anything in these channels at all
    assert len(searching) >= 2
    assert {chunk for plan in searching for chunk in CHUNK.findall(plan)} == touched


async def test_chunks_are_asked_one_by_one_and_only_the_hot_one_is_read_whole(
    session: AsyncSession, explained: list[str]
) -> None:
    if not await is_hypertable(session):
        pytest.skip("a plain table has no chunks")
    filters = Filters(places=EVERYWHERE)
    known = await find_chunks(session, hypertable=True)

    size = await sized(session, filters, matching=ROWS)
    await vectors.nearest(session, vector=QUERY, filters=filters, wanted=10, size=size, costs=BY_INDEX, trace=Trace())

    (plan,) = explained
    assert [part.indexed for part in known] == [True] * (len(known) - 1) + [False]
    assert len(VECTOR_INDEX.findall(plan)) == len(known) - 1
    assert set(SEQUENTIAL.findall(plan)) <= {known[-1].table.rpartition(".")[2]}


async def test_statistics_tell_the_size_without_reading(session: AsyncSession) -> None:
    half = await estimate_by_statistics(session, Filters(places=EVERYWHERE, windows=(Window(None, minute(ROWS // 2)),)))

    assert half.total == ROWS
    assert abs(half.matching - ROWS // 2) < ROWS // 10


async def test_rows_that_were_counted_are_expected_whatever_statistics_say(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "COUNTED", 40)
    filters = Filters(places=EVERYWHERE, authors=Authors(names=frozenset({"Özge"})))

    size = await estimate(session, filters, hypertable=await is_hypertable(session))

    assert len(matching(filters)) == ROWS // 10
    assert size.matching > 40


async def test_vectors_stay_in_their_rows(session: AsyncSession) -> None:
    storage = text(
        "SELECT attstorage FROM pg_attribute WHERE attrelid = 'messages'::regclass AND attname = 'embedding'"
    )

    assert await session.scalar(storage) == "m"
