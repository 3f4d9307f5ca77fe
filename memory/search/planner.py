"""Choose the access paths to vectors and to keywords by what they would cost, and trace what they gave.

To compare the vector of every matching row costs by their number; to let an index propose costs by how many rows it has
to bring until enough of them match.
"""

import logging
import math
from collections.abc import Awaitable, Iterator, Sized
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from heapq import nlargest
from operator import attrgetter
from time import perf_counter
from typing import Any, TypeVar

from psycopg.sql import SQL, Composed
from sqlalchemy.ext.asyncio import AsyncSession

from db.chunks import Chunk, find_chunks
from db.statements import fetch
from memory.filters import CUSTOM_PLANS, IN_PLACES, Filters, Shape, conditions, shape_of, tune, values_of
from tracing import Fact, span

logger = logging.getLogger(__name__)

Rows = TypeVar("Rows", bound=Sized)

FEWEST_PROPOSALS = 300
"""How many rows the vector index is asked for at least: it knows vectors roughly, so the best are among more."""

SPARE_PROPOSALS = 3.0
"""How many times the rows that should do are asked for, as matches do not lie evenly among the neighbours."""


class AccessPath(StrEnum):
    """How rows are found."""

    EXACT = "every matching row"
    INDEX = "the index, then the filters"


@dataclass(frozen=True, slots=True)
class Costs:
    """What one row costs, in microseconds or so; only their ratios matter (docs/decisions/0005)."""

    compare: float = 1.3
    """To fetch a row that matches and compare its vector."""
    propose: float = 45.0
    """To be given one more row by the vector index, its vector compared."""
    score: float = 70.0
    """To fetch a row that matches, split its text into words and score them."""
    read: float = 4.0
    """To be given one more row by the word index."""


COSTS = Costs()


@dataclass(frozen=True, slots=True)
class Size:
    """The estimated number of matching rows and of all rows; `in_use` tells whether any row is in the places at all.

    Of a hypertable, `chunks` are those that the windows touch, as far as they were looked up, and the total is that of
    their rows.
    """

    matching: int
    total: int
    in_use: bool = True
    chunks: tuple[Chunk, ...] = ()
    largest_chunks: tuple[Chunk, ...] = ()
    """The largest chunks of all, whose word indexes know best which words are rare."""

    @property
    def indexes(self) -> int:
        """How many vector indexes have to be asked."""
        return sum(chunk.indexed for chunk in self.chunks) if self.chunks else 1

    @property
    def unindexed(self) -> int:
        """How many of the matching rows are expected in chunks without a vector index."""
        rows = sum(chunk.rows for chunk in self.chunks if not chunk.indexed)
        return math.ceil(self.matching * rows / max(self.total, 1))

    def share_of(self, wanted: int) -> int:
        """Return how many rows there are for every `wanted` that match, when matches lie evenly among them."""
        return min(self.total, math.ceil(wanted * self.total / max(self.matching, 1)))


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an access path, with the number of its rows and its time."""

    name: str
    rows: int
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """The access paths of a search in one memory; `counted` is the number of matching rows, None unless explained."""

    vectors: AccessPath
    keywords: AccessPath
    size: Size
    counted: int | None
    steps: tuple[Step, ...]
    memory: str = ""

    def facts(self) -> dict[str, Fact]:
        """Return what was chosen, for a trace."""
        return {
            "vectors": str(self.vectors),
            "keywords": str(self.keywords),
            "rows_expected": self.size.matching,
            "rows_in_all": self.size.total,
            "chunks": len(self.size.chunks),
        }

    def __str__(self) -> str:
        counted = "" if self.counted is None else f", {self.counted:,} counted"
        head = f"{self.memory or 'memory'}: {self.size.matching:,} of {self.size.total:,} rows expected{counted}"
        paths = f"vectors by {self.vectors}, words by {self.keywords}"
        steps = [f"  {step.name}: {step.rows:,} rows, {step.milliseconds:.1f} ms" for step in self.steps]
        return "\n".join([f"{head}; {paths}", *steps])


@dataclass(frozen=True, slots=True)
class Trace:
    """The steps that were taken so far."""

    steps: list[Step] = field(default_factory=list)

    async def step(self, name: str, pending: Awaitable[Rows]) -> Rows:
        """Await the rows of a step, and record their number and the time."""
        start = perf_counter()
        with span(name) as taken:
            rows = await pending
            taken.note(rows=len(rows))
        self.steps.append(Step(name, len(rows), (perf_counter() - start) * 1000))
        return rows


def index_limit(size: Size, *, wanted: int) -> int:
    """Return how many rows to ask the vector index for, so that `wanted` of them should match."""
    return max(FEWEST_PROPOSALS, size.share_of(math.ceil(SPARE_PROPOSALS * wanted)))


def path_to_vectors(size: Size, *, wanted: int, costs: Costs) -> AccessPath:
    """Return the cheaper access path to the nearest rows; on both, chunks without an index are compared row by row."""
    if size.indexes == 0:
        return AccessPath.EXACT
    by_index = size.indexes * index_limit(size, wanted=wanted) * costs.propose + size.unindexed * costs.compare
    return AccessPath.EXACT if size.matching * costs.compare <= by_index else AccessPath.INDEX


def path_to_keywords(size: Size, *, wanted: int, costs: Costs) -> AccessPath:
    """Return the cheaper access path to the rows whose keywords score best."""
    return AccessPath.EXACT if size.matching * costs.score <= size.share_of(wanted) * costs.read else AccessPath.INDEX


def explain_enabled() -> bool:
    """Return whether plans are logged, so that it pays to count the matching rows."""
    return logger.isEnabledFor(logging.DEBUG)


def logged(plan: SearchPlan, *, memory: str) -> SearchPlan:
    """Write a plan to the debug log; return it with the name of the memory that was searched."""
    named = replace(plan, memory=memory)
    logger.debug("%s", named)
    return named


COUNTED = 2000
"""Rows up to which they are counted, which takes less time than a plan of the query."""

_MOST_LARGEST = 8


async def estimate(session: AsyncSession, filters: Filters, *, hypertable: bool) -> Size:
    """Return how many rows match: counted when they are few, else as PostgreSQL's statistics estimate."""
    if hypertable:
        await tune(session, CUSTOM_PLANS)
    values = {**values_of(filters), "at_most": COUNTED + 1}
    (counted,) = await fetch(session, _count(shape_of(filters)), values)
    matching = counted["matching"]
    size = Size(matching=matching, total=max(counted["total"], matching), in_use=counted["in_use"])
    if matching > COUNTED:
        expected = await estimate_by_statistics(session, filters)
        # Of what stands in no statistics, such as authors without an id, they expect far too little.
        size = replace(expected, matching=max(expected.matching, matching), total=max(expected.total, matching))
    return await in_chunks(session, filters, size) if hypertable and size.in_use else size


async def in_chunks(session: AsyncSession, filters: Filters, size: Size) -> Size:
    """Return the size of what is left of a hypertable without the chunks that lie outside the windows."""
    chunks = await find_chunks(session, hypertable=True)
    touched = tuple(chunk for chunk in chunks if _touches(chunk, filters))
    total = max(sum(chunk.rows for chunk in touched), size.matching)
    largest = tuple(nlargest(_MOST_LARGEST, chunks, key=attrgetter("rows")))
    return replace(size, total=total, chunks=touched, largest_chunks=largest)


def _touches(chunk: Chunk, filters: Filters) -> bool:
    """Return whether a chunk holds any of the time in the windows."""
    return not filters.windows or any(window.overlaps(chunk.start, chunk.end) for window in filters.windows)


async def estimate_by_statistics(session: AsyncSession, filters: Filters) -> Size:
    """Return how many rows PostgreSQL's statistics let expect, without reading any."""
    (row,) = await fetch(session, _explanation(shape_of(filters)), values_of(filters))
    (plan,) = row["QUERY PLAN"]
    matching, total = _limited(plan["Plan"])
    return Size(matching=matching, total=total)


@lru_cache(maxsize=256)
def _count(shape: Shape) -> Composed:
    # Of a hypertable PostgreSQL counts nothing in pg_class: its rows are in its chunks, which `in_chunks` adds up.
    return SQL("""
        SELECT
            (SELECT count(*) FROM (SELECT FROM messages WHERE {passing} LIMIT %(at_most)s) AS firsts) AS matching,
            (SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass('messages')) AS total,
            EXISTS (SELECT FROM messages WHERE {in_places}) AS in_use
    """).format(passing=conditions(shape), in_places=IN_PLACES)


@lru_cache(maxsize=256)
def _explanation(shape: Shape) -> Composed:
    """Return the statement that asks for the plan of reading the matching rows, and all rows.

    With a limit a branch keeps a node of its own, and that node knows of parallel workers and of chunks.
    """
    return SQL("""
        EXPLAIN (FORMAT JSON) SELECT FROM (
            (SELECT 1 FROM messages WHERE {passing} LIMIT 9223372036854775807)
            UNION ALL (SELECT 1 FROM messages LIMIT 9223372036854775807)
        ) AS both_sizes
    """).format(passing=conditions(shape))


def _limited(node: dict[str, Any]) -> Iterator[int]:
    """Yield the rows that each branch of a plan is expected to give, in the order of the branches."""
    if node["Node Type"] == "Limit":
        yield node["Plan Rows"]
    else:
        for below in node.get("Plans", ()):
            yield from _limited(below)
