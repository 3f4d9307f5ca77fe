"""Choose how to look for the nearest and the best worded rows, and note what came of it.

Both choices compare what the ways would cost. To compare the vector of every matching row costs by their number; to
let an index propose costs by how many rows it has to bring until enough of them match.
"""

import logging
import math
from collections.abc import Awaitable, Iterator, Sized
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from heapq import nlargest
from operator import attrgetter
from time import perf_counter
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    bindparam,
    column,
    func,
    literal,
    select,
    table,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from db.chunks import Chunk, find_chunks
from db.schema import MessageRow
from memory.filters import CUSTOM_PLANS, TABLE, Filters, Shape, conditions, shape_of, tune, values_of

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


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows match or are expected to, how many there are, and whether any is in the places at all.

    Of a hypertable, `chunks` are the chunks that the windows touch, as far as they were looked up, and only their rows
    are in the total.
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
        return sum(part.indexed for part in self.chunks) if self.chunks else 1

    @property
    def unindexed(self) -> int:
        """How many of the matching rows are expected in chunks without a vector index."""
        rows = sum(part.rows for part in self.chunks if not part.indexed)
        return math.ceil(self.matching * rows / max(self.total, 1))

    def share_of(self, wanted: int) -> int:
        """Return how many rows there are for every `wanted` that match, when matches lie evenly among them."""
        return min(self.total, math.ceil(wanted * self.total / max(self.matching, 1)))


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done, and the rows that it gave."""

    name: str
    rows: int
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one memory was searched; `counted` is how many rows do match, known only where somebody listens."""

    nearest: AccessPath
    worded: AccessPath
    size: Size
    counted: int | None
    steps: tuple[Step, ...]
    memory: str = ""

    def __str__(self) -> str:
        counted = "" if self.counted is None else f", {self.counted:,} counted"
        head = f"{self.memory or 'memory'}: {self.size.matching:,} of {self.size.total:,} rows expected{counted}"
        ways = f"vectors by {self.nearest}, words by {self.worded}"
        done = [f"  {step.name}: {step.rows:,} rows, {step.milliseconds:.1f} ms" for step in self.steps]
        return "\n".join([f"{head}; {ways}", *done])


@dataclass(frozen=True, slots=True)
class Trace:
    """The steps that were taken so far."""

    steps: list[Step] = field(default_factory=list)

    async def step(self, name: str, doing: Awaitable[Rows]) -> Rows:
        """Await what a step does and note its rows and its time."""
        start = perf_counter()
        rows = await doing
        self.steps.append(Step(name, len(rows), (perf_counter() - start) * 1000))
        return rows


def index_limit(size: Size, *, wanted: int) -> int:
    """Return how many rows to ask the vector index for, so that `wanted` of them should match."""
    return max(FEWEST_PROPOSALS, size.share_of(math.ceil(SPARE_PROPOSALS * wanted)))


def way_to_the_nearest(size: Size, *, wanted: int, costs: Costs) -> AccessPath:
    """Return the cheaper way to the nearest rows; chunks without an index are compared on either."""
    if size.indexes == 0:
        return AccessPath.EXACT
    by_index = size.indexes * index_limit(size, wanted=wanted) * costs.propose + size.unindexed * costs.compare
    return AccessPath.EXACT if size.matching * costs.compare <= by_index else AccessPath.INDEX


def way_to_the_worded(size: Size, *, wanted: int, costs: Costs) -> AccessPath:
    """Return the cheaper way to the rows with the most telling words."""
    return AccessPath.EXACT if size.matching * costs.score <= size.share_of(wanted) * costs.read else AccessPath.INDEX


def explain_enabled() -> bool:
    """Tell whether plans are logged in full, so that counting the matching rows is worth its time."""
    return logger.isEnabledFor(logging.DEBUG)


def logged(plan: Plan, *, memory: str) -> Plan:
    """Return a plan with the name of the memory that was searched, after writing it to the debug log."""
    named = replace(plan, memory=memory)
    logger.debug("%s", named)
    return named


COUNTED = 2000
"""Rows up to which they are counted, which takes less time than a plan of the query."""

_ALL = 2**63 - 1
_LEXICA = 8
_CLASS = table("pg_class", column("oid"), column("reltuples"))


class Expected(Select[Any]):
    """A query whose plan is wanted, as JSON in one column, in place of its rows."""

    inherit_cache = True  # to compile it takes longer than PostgreSQL takes to plan it


@compiles(Expected)
def _expected(element: Expected, compiler: SQLCompiler, **options: Any) -> str:
    query: str = compiler.visit_select(element, **options)  # type: ignore[no-untyped-call]
    return f"EXPLAIN (FORMAT JSON) {query}"


async def size_of(session: AsyncSession, filters: Filters, *, hypertable: bool) -> Size:
    """Return how many rows match: counted when they are few, else as many as PostgreSQL's statistics let expect."""
    if hypertable:
        await tune(session, CUSTOM_PLANS)
    values = {**values_of(filters), "at_most": COUNTED + 1}
    counted = (await session.execute(_count(shape_of(filters)), values)).one()
    size = Size(matching=counted.matching, total=max(counted.total, counted.matching), in_use=counted.in_use)
    if counted.matching > COUNTED:
        size = await expected_size(session, filters)
    return await in_chunks(session, filters, size) if hypertable and size.in_use else size


async def in_chunks(session: AsyncSession, filters: Filters, size: Size) -> Size:
    """Return the size of what is left of a hypertable without the chunks that lie outside the windows."""
    known = await find_chunks(session, hypertable=True)
    touched = tuple(part for part in known if _touches(part, filters))
    total = max(sum(part.rows for part in touched), size.matching)
    return replace(
        size, total=total, chunks=touched, largest_chunks=tuple(nlargest(_LEXICA, known, key=attrgetter("rows")))
    )


def _touches(part: Chunk, filters: Filters) -> bool:
    """Return whether a chunk holds any of the time in the windows."""
    return not filters.windows or any(window.overlaps(part.start, part.end) for window in filters.windows)


async def expected_size(session: AsyncSession, filters: Filters) -> Size:
    """Return how many rows PostgreSQL's statistics let expect, without reading any."""
    (plan,) = (await session.execute(_expectation(shape_of(filters)), values_of(filters))).scalar_one()
    matching, total = _limited(plan["Plan"])
    return Size(matching=matching, total=total)


@cache
def _count(shape: Shape) -> Select[Any]:
    some = select(literal(1)).select_from(TABLE).where(*conditions(shape)).limit(bindparam("at_most")).subquery()
    here = select(literal(1)).select_from(TABLE).where(conditions(shape)[0]).exists()
    # Of a hypertable PostgreSQL counts nothing here: its rows are in its chunks, which `in_chunks` adds up.
    table_id = func.to_regclass(MessageRow.__tablename__)
    total = select(_CLASS.c.reltuples.cast(BigInteger)).where(_CLASS.c.oid == table_id)
    return select(
        select(func.count()).select_from(some).scalar_subquery().label("matching"),
        total.scalar_subquery().label("total"),
        here.label("in_use"),
    )


@cache
def _expectation(shape: Shape) -> Expected:
    both = union_all(_every(*conditions(shape)), _every()).subquery()
    return Expected(literal(1)).select_from(both)


def _limited(node: dict[str, Any]) -> Iterator[int]:
    """Yield what each branch of a plan is expected to give, in the order of the branches."""
    if node["Node Type"] == "Limit":
        yield node["Plan Rows"]
    else:
        for below in node.get("Plans", ()):
            yield from _limited(below)


def _every(*conditions: ColumnElement[bool]) -> Select[int]:
    # With a limit a branch keeps a node of its own, and that node knows of parallel workers and of chunks.
    return select(literal(1)).select_from(TABLE).where(*conditions).limit(_ALL)
