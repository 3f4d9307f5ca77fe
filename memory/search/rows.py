"""Read messages of one database: in order, by id, and those around others; each statement takes the places to read.

`changed` and `places` alone look into all places: the one to correct what was found, the other for the operator.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache

from psycopg.sql import SQL, Composed
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import ACCESS_ID
from db.statements import fetch
from memory.filters import (
    BY_INDEX,
    IN_PLACES,
    Bounds,
    BoundsShape,
    Filters,
    Shape,
    conditions,
    in_bounds,
    shape_of,
    shape_of_bounds,
    tune,
    values_of,
    values_of_bounds,
)
from memory.index.store import COLUMNS_OF_MESSAGES, to_message
from memory.message import Message, Revision

FOLLOWERS_READ = 300
"""Messages after one among which replies to it are looked for."""


async def count(session: AsyncSession, *, filters: Filters) -> int:
    """Return how many rows match."""
    statement = SQL("SELECT count(*) AS matching FROM messages WHERE {}").format(conditions(shape_of(filters)))
    (row,) = await fetch(session, statement, values_of(filters))
    matching: int = row["matching"]
    return matching


async def in_order(session: AsyncSession, *, filters: Filters, limit: int, newest: bool = False) -> list[Message]:
    """Return the first `limit` messages that match, or the `newest`, which come newest first."""
    if not filters.places:
        return []
    if newest:  # PostgreSQL expects few rows of a place to pass, and would read and sort all of them
        await tune(session, BY_INDEX)
    statement = _newest if newest else _in_order
    rows = await fetch(session, statement(shape_of(filters)), {"wanted": limit, **values_of(filters)})
    return [to_message(row) for row in rows]


@lru_cache(maxsize=256)
def _in_order(shape: Shape) -> Composed:
    return SQL("""
        SELECT {columns} FROM messages WHERE {passing} ORDER BY sent_at, message_id LIMIT %(wanted)s
    """).format(columns=COLUMNS_OF_MESSAGES, passing=conditions(shape))


@lru_cache(maxsize=256)
def _newest(shape: Shape) -> Composed:
    """Return the newest rows of each place, which its index gives, and of those the newest."""
    return SQL("""
        SELECT of_place.* FROM unnest(%(places)s::bigint[]) AS place (place_id)
        CROSS JOIN LATERAL (
            SELECT {columns} FROM messages
            WHERE {access_id} = place.place_id AND {passing}
            ORDER BY sent_at DESC, message_id DESC LIMIT %(wanted)s
        ) AS of_place
        ORDER BY sent_at DESC, message_id DESC LIMIT %(wanted)s
    """).format(columns=COLUMNS_OF_MESSAGES, access_id=SQL(ACCESS_ID), passing=conditions(shape))


async def by_id(
    session: AsyncSession, *, message_ids: Collection[int], places: frozenset[int], bounds: Bounds
) -> list[Message]:
    """Return those of the messages that are stored, are not deleted and are in one of the places and the bounds."""
    values = {"ids": sorted(message_ids), "places": sorted(places), **values_of_bounds(bounds)}
    return [to_message(row) for row in await fetch(session, _by_id(shape_of_bounds(bounds)), values)]


@lru_cache(maxsize=16)
def _by_id(shape: BoundsShape) -> Composed:
    return SQL("""
        SELECT {columns} FROM messages
        WHERE message_id = ANY (%(ids)s::bigint[]) AND {in_places} AND {in_bounds}
          AND deleted_at IS NULL AND kind <> 'answer'
    """).format(columns=COLUMNS_OF_MESSAGES, in_places=IN_PLACES, in_bounds=in_bounds(shape))


_CHANGED = SQL("""
    SELECT {columns} FROM messages
    WHERE message_id = ANY (%(ids)s::bigint[])
      AND (edited_at IS NOT NULL OR completed_at IS NOT NULL OR deleted_at IS NOT NULL)
""").format(columns=COLUMNS_OF_MESSAGES)


async def changed(session: AsyncSession, *, message_ids: Collection[int]) -> list[Message]:
    """Return those of the messages that were edited, completed or deleted, in any place: to correct, not to show."""
    return [to_message(row) for row in await fetch(session, _CHANGED, {"ids": sorted(message_ids)})]


_PLACES = SQL("SELECT DISTINCT {} AS place_id FROM messages").format(SQL(ACCESS_ID))


async def places(session: AsyncSession) -> list[int]:
    """Return the ids of all channels, and of all threads that may be private, that have messages."""
    return [row["place_id"] for row in await fetch(session, _PLACES)]


_LINKED = SQL("""
    SELECT given.message_id AS of_id, replies.*
    FROM unnest(%(places)s::bigint[], %(times)s::timestamptz[], %(ids)s::bigint[])
        AS given (place_id, sent_at, message_id)
    CROSS JOIN LATERAL (
        SELECT {columns} FROM messages
        WHERE coalesce(thread_id, channel_id) = given.place_id
          AND (messages.sent_at, messages.message_id) > (given.sent_at, given.message_id)
        ORDER BY messages.sent_at, messages.message_id LIMIT %(read)s
    ) AS replies
    WHERE replies.reply_to = given.message_id AND replies.deleted_at IS NULL AND replies.kind = 'message'
    UNION ALL
    SELECT given.message_id, parents.*
    FROM unnest(%(places)s::bigint[], %(parents)s::bigint[], %(ids)s::bigint[])
        AS given (place_id, parent, message_id)
    CROSS JOIN LATERAL (
        SELECT {columns} FROM messages
        WHERE messages.message_id = given.parent AND coalesce(thread_id, channel_id) = given.place_id
    ) AS parents
    WHERE parents.deleted_at IS NULL AND parents.kind = 'message'
""").format(columns=COLUMNS_OF_MESSAGES)


async def linked(session: AsyncSession, *, messages: Sequence[Message]) -> list[tuple[int, Message]]:
    """Return pairs of a message's id and another one of its place: a reply to it, or what it replies to itself."""
    values = {
        "places": [message.place_id for message in messages],
        "times": [message.sent_at for message in messages],
        "ids": [message.message_id for message in messages],
        "parents": [message.reply_to for message in messages],
        "read": FOLLOWERS_READ,
    }
    return [(row["of_id"], to_message(row)) for row in await fetch(session, _LINKED, values)]


_MOST_REVISIONS = 2000  # of the messages that a search looks at, which were edited a few times each

_REVISIONS = SQL("""
    SELECT message_id, revised_at, content FROM message_revisions
    WHERE message_id = ANY (%(ids)s::bigint[]) ORDER BY revised_at LIMIT %(read)s
""")


async def revisions(session: AsyncSession, *, message_ids: Collection[int]) -> list[Revision]:
    """Return what messages said before they were edited, in time order, in any place: to correct, not to show."""
    rows = await fetch(session, _REVISIONS, {"ids": sorted(message_ids), "read": _MOST_REVISIONS})
    return [Revision(**row) for row in rows]


MOST_EDITED = 20
"""Messages that are proposed for what they said before an edit."""

_EDITS_READ = 5000  # of all that came after a moment

_ANY_WORD = SQL("replace(plainto_tsquery('english', %(text)s)::text, ' & ', ' | ')::tsquery")


@lru_cache(maxsize=64)
def _edited_since(shape: Shape) -> Composed:
    return SQL("""
        WITH former AS (
            SELECT DISTINCT ON (message_id) message_id, content AS former_content FROM message_revisions
            WHERE revised_at > %(moment)s ORDER BY message_id, revised_at LIMIT %(read)s
        )
        SELECT {columns} FROM former JOIN messages USING (message_id)
        WHERE to_tsvector('english', former_content) @@ {any_word} AND {passing}
        ORDER BY ts_rank_cd(to_tsvector('english', former_content), {any_word}) DESC, message_id LIMIT %(wanted)s
    """).format(columns=COLUMNS_OF_MESSAGES, any_word=_ANY_WORD, passing=conditions(shape))


async def edited_since(session: AsyncSession, *, text: str, filters: Filters, moment: datetime) -> list[Message]:
    """Return messages that match, as they are now, and had any word of a text at a moment before they were edited."""
    values = {"text": text, "moment": moment, "read": _EDITS_READ, "wanted": MOST_EDITED, **values_of(filters)}
    return [to_message(row) for row in await fetch(session, _edited_since(shape_of(filters)), values)]
