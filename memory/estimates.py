"""Ask PostgreSQL how many rows match, at little cost."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from heapq import nlargest
from operator import attrgetter
from typing import Any

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

from db.parts import Part, parts
from db.tables import MessageRow
from memory.filtering import TABLE, Shape, conditions, shape_of, values_of
from memory.findings import Filters
from memory.planner import Size
from memory.statements import CUSTOM_PLANS, tune

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
    known = await parts(session, hypertable=True)
    touched = tuple(part for part in known if _touches(part, filters))
    total = max(sum(part.rows for part in touched), size.matching)
    return replace(size, total=total, parts=touched, lexica=tuple(nlargest(_LEXICA, known, key=attrgetter("rows"))))


def _touches(part: Part, filters: Filters) -> bool:
    """Tell whether a chunk holds any of the time in the windows."""
    return not filters.windows or any(
        (window.start is None or part.end is None or window.start < part.end)
        and (window.end is None or part.start is None or window.end > part.start)
        for window in filters.windows
    )


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
