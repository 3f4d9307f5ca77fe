"""Write down the names in messages, in the statement or the transaction that stores them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.sql import SQL
from sqlalchemy import ARRAY, BigInteger, any_, bindparam, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.arrays import arrays_of, rows_as_table
from db.schema import NameRow, PromotionRow
from db.statements import fetch
from memory.message import Message
from memory.names.known import Named, named_in

NO_AUTHOR_ID = 0
"""Stands in the table of names for an author whose messages say no id, and where nobody spoke."""

_KEY_COLUMNS = ("place_id", "channel_id", "channel_name", "author_id", "author_name")
_NAMES = (*_KEY_COLUMNS, "first_seen", "last_seen", "in_public_thread")
_COLUMNS = [NameRow.__table__.columns[name] for name in _NAMES]


def noting_names() -> Insert:
    """Return the statement that takes in the names of messages; `values_of_names` returns its parameters."""
    given = rows_as_table("seen", _COLUMNS)
    batch = bindparam("names_of_promotion", type_=BigInteger)
    statement = insert(NameRow).from_select([*_NAMES, "promotion_id"], select(*given.c, batch))
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=list(_KEY_COLUMNS),
        set_={
            "first_seen": func.least(NameRow.first_seen, new.first_seen),
            "last_seen": func.greatest(NameRow.last_seen, new.last_seen),
            "promotion_id": func.greatest(NameRow.promotion_id, new.promotion_id),
            "in_public_thread": or_(NameRow.in_public_thread, new.in_public_thread),
        },
        where=or_(
            new.first_seen < NameRow.first_seen,
            new.last_seen > NameRow.last_seen,
            new.promotion_id > func.coalesce(NameRow.promotion_id, 0),
            new.in_public_thread.is_distinct_from(NameRow.in_public_thread),
        ),
    )


def values_of_names(messages: Iterable[Message], *, promotion_id: int | None = None) -> dict[str, Any]:
    """Return what `noting_names` takes in of messages, of which there is at least one."""
    rows = ((*key, *rest) for key, rest in _seen(messages).items())
    return {**arrays_of("seen", _COLUMNS, rows), "names_of_promotion": promotion_id}


def _seen(messages: Iterable[Message]) -> dict[tuple[Any, ...], tuple[datetime, datetime, bool]]:
    """Return each name with its first and last time and whether its place is a public thread, in order.

    It is one order for all who write.
    """
    seen: dict[tuple[Any, ...], tuple[datetime, datetime, bool]] = {}
    for message in messages:
        named = named_in(message)
        author_id = NO_AUTHOR_ID if named.author_id is None else named.author_id
        key = named.place_id, named.channel_id, named.channel, author_id, named.author
        first, last, is_public = seen.get(key, (named.sent_at, named.sent_at, False))
        is_public = is_public or message.in_public_thread
        seen[key] = min(first, named.sent_at), max(last, named.sent_at), is_public
    return dict(sorted(seen.items()))


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


_VERSION = SQL("""
    SELECT max(promotion_id) AS batches, max(finished_at) AS finished_at, max(undone_at) AS undone_at FROM promotions
""")


async def version(session: AsyncSession) -> Version:
    """Return what changes with every batch that is brought into this memory, or taken back."""
    (row,) = await fetch(session, _VERSION)
    return Version(**row)


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
    statement = (
        select(*_KEY, NameRow.last_seen, NameRow.in_public_thread)
        .where(*conditions)
        .order_by(*_KEY)
        .limit(ROWS_AT_ONCE)
    )
    rows = (await session.execute(statement)).all()
    found = [
        Named(
            place_id=place,
            channel_id=channel,
            channel=channel_name,
            author=author,
            sent_at=seen,
            author_id=None if author_id == NO_AUTHOR_ID else author_id,
            in_public_thread=is_public,
        )
        for place, channel, channel_name, author_id, author, seen, is_public in rows
    ]
    last = rows[-1] if len(rows) == ROWS_AT_ONCE else None
    return found, None if last is None else (last[0], last[1], last[2], last[3], last[4])
