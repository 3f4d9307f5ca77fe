"""The cheaper way is taken, by the number of rows that match."""

import logging

import pytest

from db.chunks import Chunk
from memory.search.planner import (
    FEWEST_PROPOSALS,
    AccessPath,
    Costs,
    SearchPlan,
    Size,
    Step,
    Trace,
    explain_enabled,
    index_limit,
    logged,
    path_to_keywords,
    path_to_vectors,
)

MANY = 1_000_000


@pytest.mark.parametrize(
    ("matching", "expected"),
    [
        pytest.param(0, AccessPath.EXACT, id="none"),
        pytest.param(500, AccessPath.EXACT, id="a narrow filter"),
        pytest.param(MANY // 2, AccessPath.INDEX, id="a wide one"),
        pytest.param(MANY, AccessPath.INDEX, id="no filter"),
    ],
)
def test_the_vectors_of_few_rows_are_compared_one_by_one(matching: int, expected: AccessPath) -> None:
    assert path_to_vectors(Size(matching, MANY), wanted=10, costs=Costs()) is expected


@pytest.mark.parametrize(
    ("matching", "expected"),
    [
        pytest.param(0, AccessPath.EXACT, id="none"),
        pytest.param(50, AccessPath.EXACT, id="a narrow filter"),
        pytest.param(MANY // 2, AccessPath.INDEX, id="a wide one"),
    ],
)
def test_the_words_of_few_rows_are_scored_one_by_one(matching: int, expected: AccessPath) -> None:
    assert path_to_keywords(Size(matching, MANY), wanted=60, costs=Costs()) is expected


def test_the_more_are_wanted_the_sooner_all_are_compared() -> None:
    size = Size(20_000, MANY)
    wanted = [1, 10_000]

    assert [path_to_vectors(size, wanted=count, costs=Costs()) for count in wanted] == [
        AccessPath.INDEX,
        AccessPath.EXACT,
    ]


def chunk(rows: int, *, indexed: bool) -> Chunk:
    return Chunk(
        table="c",
        schema="s",
        name="c",
        start=None,
        end=None,
        rows=rows,
        indexed=indexed,
        word_index=None,
        is_newest=False,
    )


def hypertable(*parts: Chunk, matching: int) -> Size:
    return Size(matching, sum(part.rows for part in parts), chunks=parts)


def test_without_any_index_every_row_is_compared() -> None:
    size = hypertable(chunk(MANY, indexed=False), chunk(MANY, indexed=False), matching=2 * MANY)

    assert path_to_vectors(size, wanted=10, costs=Costs()) is AccessPath.EXACT


def test_the_more_indexes_there_are_to_ask_the_later_they_are_asked() -> None:
    few = hypertable(*[chunk(50_000, indexed=True)] * 2, matching=100_000)
    many = hypertable(*[chunk(1_000, indexed=True)] * 100, matching=100_000)

    ways = [path_to_vectors(size, wanted=10, costs=Costs()) for size in (few, many)]

    assert ways == [AccessPath.INDEX, AccessPath.EXACT]


def test_rows_in_chunks_without_an_index_are_compared_on_either_way() -> None:
    size = hypertable(chunk(300_000, indexed=True), chunk(100_000, indexed=False), matching=200_000)

    assert size.unindexed == 50_000


def test_costs_decide() -> None:
    size = Size(1000, MANY)

    assert path_to_vectors(size, wanted=10, costs=Costs(propose=0)) is AccessPath.INDEX
    assert path_to_vectors(size, wanted=10, costs=Costs(compare=0)) is AccessPath.EXACT
    assert path_to_keywords(size, wanted=10, costs=Costs(read=0)) is AccessPath.INDEX
    assert path_to_keywords(size, wanted=10, costs=Costs(score=0)) is AccessPath.EXACT


@pytest.mark.parametrize(
    ("matching", "expected"),
    [
        pytest.param(MANY, FEWEST_PROPOSALS, id="all match"),
        pytest.param(MANY // 50, 1500, id="one in fifty, and some to spare"),
        pytest.param(1, MANY, id="never more than there are"),
        pytest.param(0, MANY, id="none"),
    ],
)
def test_the_index_is_asked_for_as_many_as_it_takes(matching: int, expected: int) -> None:
    assert index_limit(Size(matching, MANY), wanted=10) == expected


async def test_a_step_is_noted_with_its_rows() -> None:
    trace = Trace()

    async def rows() -> list[int]:
        return [1, 2]

    assert await trace.step("looking", rows()) == [1, 2]
    ((name, count, milliseconds),) = [(step.name, step.rows, step.milliseconds) for step in trace.steps]
    assert (name, count) == ("looking", 2)
    assert milliseconds >= 0


def test_a_plan_goes_to_the_debug_log_with_all_that_is_known(caplog: pytest.LogCaptureFixture) -> None:
    plan = SearchPlan(
        vectors=AccessPath.EXACT,
        keywords=AccessPath.INDEX,
        size=Size(1200, 200_000),
        counted=1187,
        steps=(Step("vectors of every matching row", 60, 2.25),),
    )

    with caplog.at_level(logging.DEBUG, logger="memory.search.planner"):
        assert logged(plan, memory="long-term").memory == "long-term"

    (told,) = caplog.messages
    assert told == (
        "long-term: 1,200 of 200,000 rows expected, 1,187 counted; "
        "vectors by every matching row, words by the index, then the filters\n"
        "  vectors of every matching row: 60 rows, 2.2 ms"
    )


@pytest.mark.parametrize(("level", "expected"), [(logging.DEBUG, True), (logging.INFO, False)])
def test_rows_are_counted_only_for_somebody(caplog: pytest.LogCaptureFixture, level: int, expected: bool) -> None:
    with caplog.at_level(level, logger="memory.search.planner"):
        assert explain_enabled() is expected
