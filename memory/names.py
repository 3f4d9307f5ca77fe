"""Read the names of people and channels out of one database, a bounded number of rows at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, any_, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import NameRow, PromotionRow
from memory.known_names import Named
from memory.name_notes import NO_AUTHOR_ID

ROWS_AT_ONCE = 4000
"""Rows that one statement gives: neither it nor the event loop takes long."""

Position = tuple[int, int, str, int, str]
"""The key of a row: names are read in that order."""

_KEY = (NameRow.place_id, NameRow.channel_id, NameRow.channel_name, NameRow.author_id, NameRow.author_name)


@dataclass(frozen=True, slots=True)
class Version:
    """What changes when names come or go by something else than ingest: the batches, by number, and their times."""

    batches: int | None
    finished_at: datetime | None
    undone_at: datetime | None


async def version(session: AsyncSession) -> Version:
    """Return what changes with every batch that is brought into this memory, or taken back."""
    batches = select(
        func.max(PromotionRow.promotion_id), func.max(PromotionRow.finished_at), func.max(PromotionRow.undone_at)
    )
    return Version(*(await session.execute(batches)).one())


async def batches_since(session: AsyncSession, earlier: Version) -> list[int]:
    """Return the batches that may have brought names since; those that were unfinished then are among them."""
    finished = PromotionRow.finished_at
    since = [finished >= earlier.finished_at] if earlier.finished_at is not None else [finished.is_not(None)]
    return list(await session.scalars(select(PromotionRow.promotion_id).where(or_(finished.is_(None), *since))))


async def some_names(
    session: AsyncSession, *, after: Position | None, batches: list[int] | None = None
) -> tuple[list[Named], Position | None]:
    """Return the next names, of some batches or of all messages, and the last of them; None when there are no more."""
    conditions: list[Any] = []
    if after is not None:
        bound = tuple_(*(literal(value, key.type) for value, key in zip(after, _KEY, strict=True)))
        conditions.append(tuple_(*_KEY) > bound)
    if batches is not None:
        conditions.append(NameRow.promotion_id == any_(literal(batches, ARRAY(BigInteger))))
    statement = select(*_KEY, NameRow.last_seen).where(*conditions).order_by(*_KEY).limit(ROWS_AT_ONCE)
    rows = (await session.execute(statement)).all()
    found = [
        Named(place, channel, channel_name, author, seen, None if author_id == NO_AUTHOR_ID else author_id)
        for place, channel, channel_name, author_id, author, seen in rows
    ]
    last = rows[-1] if len(rows) == ROWS_AT_ONCE else None
    return found, None if last is None else (last[0], last[1], last[2], last[3], last[4])
