"""Read the names of people and channels out of one database, a bounded number of rows at a time."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import AwareTime, MessageRow, PromotionRow, place_id
from memory.known_names import Named
from memory.messages import Kind
from memory.place_names import channel_of

ROWS_AT_ONCE = 4000
"""Rows that one statement looks at, and most names that it may give: neither it nor the event loop takes long."""

Position = tuple[datetime, int]
"""A message by the time it was sent and its id: names are read in that order."""

Version = tuple[object, ...]
"""Changes when rows of messages come or go by something else than ingest."""


async def version(session: AsyncSession) -> Version:
    """Return what changes with every batch that is brought into this memory, or taken back."""
    batches = select(
        func.max(PromotionRow.promotion_id), func.max(PromotionRow.finished_at), func.max(PromotionRow.undone_at)
    )
    return tuple((await session.execute(batches)).one())


async def some_names(session: AsyncSession, *, after: Position | None) -> tuple[list[Named], Position | None]:
    """Return the names in the next rows, and the last of those rows; None when there are no more."""
    last = await _last_of_next(session, after)
    spoke = and_(MessageRow.kind == Kind.MESSAGE.value, MessageRow.deleted_at.is_(None)).label("spoke")
    columns = (place_id, MessageRow.channel_id, MessageRow.channel_name, MessageRow.author_name, spoke)
    bounds = [*([_position > _bound(after)] if after else []), *([_position <= _bound(last)] if last else [])]
    statement = select(*columns, func.max(MessageRow.sent_at)).where(*bounds).group_by(*columns)
    rows = (await session.execute(statement)).all()
    return [
        Named(place, channel, channel_of(name), who if said else "", at) for place, channel, name, who, said, at in rows
    ], last


_position = tuple_(MessageRow.sent_at, MessageRow.message_id)


def _bound(position: Position) -> ColumnElement[tuple[datetime, int]]:
    sent_at, message_id = position
    return tuple_(literal(sent_at, AwareTime), literal(message_id))


async def _last_of_next(session: AsyncSession, after: Position | None) -> Position | None:
    """Return where the next rows end; None when fewer are left."""
    statement = (
        select(MessageRow.sent_at, MessageRow.message_id)
        .where(*([_position > _bound(after)] if after else []))
        .order_by(MessageRow.sent_at, MessageRow.message_id)
        .offset(ROWS_AT_ONCE - 1)
        .limit(1)
    )
    found = (await session.execute(statement)).one_or_none()
    return None if found is None else (found[0], found[1])
