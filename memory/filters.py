"""Say in SQL what a row must be to count.

To build and compile a statement takes SQLAlchemy longer than PostgreSQL takes to run it. So the statements of search
are built once for every shape of filters, and get their values by name each time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    Select,
    Text,
    all_,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnCollection

from db.chunks import Chunk
from db.schema import AwareTime, MessageRow
from memory.authors import LONGEST_NAME, Authors
from memory.message import Kind
from time_expressions.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a row must be to count; the places are required, and none of them means no rows.

    A row counts when it is in any of the windows; no window at all means all time. None for authors means everybody's.
    """

    places: frozenset[int]
    windows: tuple[Window, ...] = ()
    authors: Authors | None = None
    kinds: frozenset[Kind] = frozenset({Kind.MESSAGE})


Columns = ColumnCollection[str, ColumnElement[Any]]

TABLE = MessageRow.__table__
COLUMNS: Columns = TABLE.c


@dataclass(frozen=True, slots=True)
class Shape:
    """What filters ask for, without the values.

    It says of each window whether it has a start and an end, and of authors whether they are left out; None means that
    everybody's messages count.
    """

    windows: tuple[tuple[bool, bool], ...]
    left_out: bool | None


def shape_of(filters: Filters) -> Shape:
    """Return the shape of filters."""
    windows = tuple((window.start is not None, window.end is not None) for window in filters.windows)
    return Shape(windows, filters.authors.excluded if filters.authors is not None else None)


def values_of(filters: Filters) -> dict[str, Any]:
    """Return the values of filters under the names that `conditions` binds."""
    ends = {
        f"{name}_{number}": moment
        for number, window in enumerate(filters.windows)
        for name, moment in (("start", window.start), ("end", window.end))
        if moment is not None
    }
    kinds = [kind.value for kind in filters.kinds if kind is not Kind.ANSWER]
    return {"places": sorted(filters.places), "kinds": kinds, **_authors(filters.authors), **ends}


def _authors(authors: Authors | None) -> dict[str, Any]:
    return {} if authors is None else {"author_ids": sorted(authors.ids), "author_names": sorted(authors.names)}


def conditions(shape: Shape, *, of: Columns = COLUMNS) -> list[ColumnElement[bool]]:
    """Return what a row must fulfil to pass filters of a shape."""
    found = [
        func.coalesce(of.thread_id, of.channel_id) == any_(bindparam("places", type_=ARRAY(BigInteger))),
        of.kind == any_(bindparam("kinds", type_=ARRAY(Text))),
        of.deleted_at.is_(None),
    ]
    if shape.windows:
        found.append(or_(*(and_(true(), *_within(of, number, ends)) for number, ends in enumerate(shape.windows))))
    if shape.left_out is not None:
        found.append(_by_author(of, left_out=shape.left_out))
    return found


def _by_author(of: Columns, *, left_out: bool) -> ColumnElement[bool]:
    """Return the condition of `memory.authors.Authors.wrote`."""
    ids = bindparam("author_ids", type_=ARRAY(BigInteger))
    names = bindparam("author_names", type_=ARRAY(Text))
    name = func.left(of.author_name, LONGEST_NAME)
    has_id = of.author_id.is_not(None)
    if left_out:
        return or_(and_(has_id, of.author_id != all_(ids)), and_(~has_id, name != all_(names)))
    return or_(of.author_id == any_(ids), and_(~has_id, name == any_(names)))


def _within(of: Columns, number: int, ends: tuple[bool, bool]) -> Iterator[ColumnElement[bool]]:
    has_start, has_end = ends
    if has_start:
        yield of.sent_at >= bindparam(f"start_{number}", type_=AwareTime)
    if has_end:
        yield of.sent_at < bindparam(f"end_{number}", type_=AwareTime)


Keys = Select[Any]
"""A statement that gives message_id and sent_at, perhaps with a distance."""

WANTED = bindparam("wanted", type_=Integer)
NOTHING = literal(0.0, Float)
"""Added to a distance, it makes an order that no index knows."""

CUSTOM_PLANS = {"plan_cache_mode": "force_custom_plan"}
"""Plan for the values at hand: a plan for any values looks into every chunk."""

BY_INDEX = {"enable_sort": "off", **CUSTOM_PLANS}
"""Leave PostgreSQL an index as the only way to an order, whatever it expects of it."""


def first(shape: Shape, order: ColumnElement[Any], *, of: Columns = COLUMNS) -> Keys:
    """Return the first `wanted` rows in an order that pass the filters."""
    return select(of.message_id, of.sent_at).where(*conditions(shape, of=of)).order_by(order).limit(WANTED)


def in_part(number: int) -> tuple[ColumnElement[bool], ...]:
    """Return what a row must be to stand in the chunk of this number; `times_of` has the values."""
    start = bindparam(f"part_start_{number}", type_=AwareTime)
    return COLUMNS.sent_at >= start, COLUMNS.sent_at < bindparam(f"part_end_{number}", type_=AwareTime)


def times_of(parts: Sequence[Chunk]) -> dict[str, Any]:
    """Return the ends of chunks under the names that `in_part` binds."""
    return {
        name: moment
        for number, part in enumerate(parts)
        for name, moment in ((f"part_start_{number}", part.start), (f"part_end_{number}", part.end))
    }


async def tune(session: AsyncSession, settings: Mapping[str, str]) -> None:
    """Set PostgreSQL's settings until the end of the transaction."""
    await session.execute(_setting(tuple(settings)), dict(settings))


@cache
def _setting(names: tuple[str, ...]) -> Select[Any]:
    return select(*(func.set_config(name, cast(bindparam(name), Text), True) for name in names))
