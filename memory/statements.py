"""What the statements of search are put together from."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, Select, Text, bindparam, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.parts import Part
from db.tables import AwareTime
from memory.filtering import COLUMNS, Columns, Shape, conditions

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


def times_of(parts: Sequence[Part]) -> dict[str, Any]:
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
