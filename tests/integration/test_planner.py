"""Whichever way is taken to the candidates, all that match are found and the nearest among them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.databases import Database
from db.embedded import EmbeddedServer
from db.engines import open_engine, parse_dsn, sessions_of, transaction
from db.readiness import find_capabilities
from memory import queries, store
from memory.estimates import expected_size
from memory.findings import Filters, Window
from memory.messages import Message
from memory.planner import Costs, Size, Trace, Way
from memory.store import Indexed
from tests.builders import already, message, minute
from tests.conftest import open_new_database
from tests.explaining import Explain

ROWS, WIDTH = 800, 24
EXACT = Costs(propose=10**9, read=10**9)
BY_INDEX = Costs(compare=10**9, score=10**9)
EVERYWHERE = frozenset({1, 2, 3})
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
def name(server: EmbeddedServer) -> str:
    """A memory with all messages, made once."""

    async def create() -> str:
        async with open_new_database(server, "planned") as database:
            await database.migrate(dimensions=WIDTH)
            rows = [
                Indexed(one, one.content, None if number in SILENT else VECTORS[number], "model")
                for number, one in enumerate(MESSAGES)
            ]
            async with transaction(database.sessions) as session:
                await store.write(session, batch=rows, revisions=(), journal="test", position=0)
                # An index that was made before there were rows has never learnt how vectors are distributed.
                await session.execute(text("REINDEX INDEX messages_diskann"))
                await session.execute(text("ANALYZE messages"))
            return str(database.engine.url.database)

    with asyncio.Runner() as runner:
        return runner.run(create())


@pytest.fixture
async def planned(server: EmbeddedServer, name: str) -> AsyncIterator[Database]:
    url = parse_dsn(server.dsn(name), name="DSN")
    async with open_engine(url, pool_size=2, timeout=timedelta(seconds=60)) as engine:
        yield Database(name, engine, sessions_of(engine), await find_capabilities(engine, name=name))


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
        and (not filters.authors or one.author_name.lower() in {name.lower() for name in filters.authors})
    ]


def nearest(filters: Filters, wanted: int) -> set[int]:
    """Return the ids of the nearest that match, those without a vector last."""
    ordered = sorted(matching(filters), key=lambda one: (one in SILENT, -float(VECTORS[one] @ QUERY)))
    assert len(ordered) <= wanted or ordered[wanted - 1] not in SILENT  # their order among each other is free
    return set(ordered[:wanted])


FILTERS = [
    pytest.param(Filters(places=EVERYWHERE), id="everything"),
    pytest.param(Filters(places=frozenset({3})), id="one small channel"),
    pytest.param(Filters(places=EVERYWHERE, authors=frozenset({"özge"})), id="an author"),
    pytest.param(Filters(places=EVERYWHERE, windows=(Window(minute(100), minute(107)),)), id="a narrow window"),
    pytest.param(Filters(places=EVERYWHERE, windows=(Window(minute(100), None),)), id="a wide window"),
    pytest.param(
        Filters(places=EVERYWHERE, windows=(Window(minute(10), minute(20)), Window(None, minute(3)))), id="two windows"
    ),
    pytest.param(
        Filters(
            places=frozenset({1, 3}),
            windows=(Window(minute(0), minute(300)), Window(minute(200), minute(500))),
            authors=frozenset({"Ana"}),
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
    size = Size(len(matching(filters)), ROWS)

    found = await queries.nearest(
        session, vector=QUERY, filters=filters, wanted=wanted, size=size, costs=costs, trace=Trace()
    )

    assert {message_id for message_id, _ in found} == nearest(filters, wanted)


@pytest.mark.parametrize(
    ("costs", "way", "steps"),
    [
        pytest.param(
            EXACT,
            Way.EXACT,
            ["words of every matching row", "vectors of every matching row"],
            id="every row",
        ),
        pytest.param(BY_INDEX, Way.INDEX, ["word index", "vector index", "rows of both"], id="indexes"),
    ],
)
async def test_the_plan_tells_the_way_that_was_taken(
    session: AsyncSession, costs: Costs, way: Way, steps: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    filters = Filters(places=EVERYWHERE, windows=(Window(minute(100), minute(700)),))

    with caplog.at_level(logging.DEBUG, logger="memory.planner"):
        found, plan = await candidates(session, filters=filters, wanted=10, costs=costs)

    assert (plan.nearest, plan.worded) == (way, way)
    assert [step.name for step in plan.steps] == steps
    assert plan.steps[-1].rows >= len(found) >= 60
    assert plan.counted == 600
    assert 500 <= plan.size.matching <= 700
    assert plan.size.total == ROWS


async def candidates(session: AsyncSession, **changes: Any) -> Any:
    arguments = {"text": "where is the lantern?", "vector": already(QUERY), "bm25": True, **changes}
    return await queries.candidates(session, **arguments)


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


async def test_what_the_statistics_promised_in_vain_is_made_up_for(session: AsyncSession) -> None:
    filters = Filters(places=frozenset({3}), windows=(Window(minute(0), minute(200)),))
    trace = Trace()

    found = await queries.nearest(
        session, vector=QUERY, filters=filters, wanted=10, size=Size(ROWS, ROWS), costs=BY_INDEX, trace=trace
    )

    assert {message_id for message_id, _ in found} == nearest(filters, 10)
    assert [(step.name, step.rows < 10) for step in trace.steps] == [
        ("vector index", True),
        ("vectors of every matching row", False),
    ]


# What PostgreSQL makes of the statements


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The plans of all statements that select from messages, in order."""
    plans: list[str] = []
    execute = AsyncSession.execute

    async def explaining(self: AsyncSession, statement: Any, *arguments: Any, **options: Any) -> Any:
        if "FROM messages" in str(statement) and "EXPLAIN" not in str(statement):
            plans.append("\n".join(row[0] for row in await execute(self, Explain(statement), *arguments)))
        return await execute(self, statement, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(AsyncSession, "execute", explaining)
        yield plans


async def test_only_the_way_by_the_index_reads_the_vector_index(session: AsyncSession, explained: list[str]) -> None:
    await session.execute(text("SET LOCAL enable_seqscan = off"))
    filters = Filters(places=EVERYWHERE)
    for costs in (EXACT, BY_INDEX):
        await queries.nearest(
            session, vector=QUERY, filters=filters, wanted=10, size=Size(ROWS, ROWS), costs=costs, trace=Trace()
        )

    assert ["messages_diskann" in plan for plan in explained] == [False, True]


async def test_only_the_way_by_the_index_reads_the_word_index(session: AsyncSession, explained: list[str]) -> None:
    for costs in (EXACT, BY_INDEX):
        await candidates(session, filters=Filters(places=EVERYWHERE), wanted=10, costs=costs)

    assert ["Index Scan using messages_bm25" in plan for plan in explained] == [False] * 4 + [True, False, False]


async def test_a_narrow_window_is_not_a_reason_to_read_everything(session: AsyncSession, explained: list[str]) -> None:
    await session.execute(text("SET LOCAL enable_seqscan = off"))  # of so few rows, reading all would be cheapest
    filters = Filters(places=EVERYWHERE, windows=(Window(minute(100), minute(107)),))

    await candidates(session, filters=filters, wanted=10)

    counting, *searching = explained
    assert searching
    assert "messages_sent_at" in counting or "messages_place_sent_at" in counting
    assert not [plan for plan in searching if "Seq Scan" in plan]


async def test_statistics_tell_the_size_without_reading(session: AsyncSession) -> None:
    half = await expected_size(session, Filters(places=EVERYWHERE, windows=(Window(None, minute(ROWS // 2)),)))

    assert half.total == ROWS
    assert abs(half.matching - ROWS // 2) < ROWS // 10


async def test_vectors_stay_in_their_rows(session: AsyncSession) -> None:
    storage = text(
        "SELECT attstorage FROM pg_attribute WHERE attrelid = 'messages'::regclass AND attname = 'embedding'"
    )

    assert await session.scalar(storage) == "m"
