"""Tell messages that were stored before their thread was known which channel it belongs to, and whether it is public.

An import, an older session or a moment without Discord's word leaves messages in a thread of an unknown kind, which
nobody but the thread's own readers is shown. What a thread is never changes, so its messages are corrected once.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from psycopg.sql import SQL
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, transaction
from db.statements import execute
from memory.places import store
from memory.places.state import PlaceKind, PlaceState

THREADS_AT_ONCE = 200
"""Threads that are looked at together."""

MESSAGES_AT_ONCE = 500
"""Messages that one statement corrects: each of them goes into every index anew."""

_BREATH = timedelta(seconds=0.02)

# By place, whose index has this expression: one look for each thread, whatever PostgreSQL expects of their number.
_RESOLVE = SQL("""
    UPDATE messages SET thread_id = found.thread, channel_id = found.parent, in_public_thread = found.public
    FROM (
        SELECT given.thread, given.parent, given.public, lacking.message_id, lacking.sent_at
        FROM unnest(%(threads)s::bigint[], %(parents)s::bigint[], %(public)s::boolean[])
            AS given (thread, parent, public)
        CROSS JOIN LATERAL (
            SELECT message_id, sent_at FROM messages
            WHERE coalesce(thread_id, channel_id) = given.thread
                AND (thread_id IS NULL OR channel_id <> given.parent OR in_public_thread <> given.public)
            LIMIT %(limit)s
        ) AS lacking
        LIMIT %(limit)s
    ) AS found
    WHERE (messages.message_id, messages.sent_at) = (found.message_id, found.sent_at)
""")
_OPEN_NAMES = SQL("""
    UPDATE names SET in_public_thread = given.public
    FROM unnest(%(threads)s::bigint[], %(public)s::boolean[]) AS given (thread, public)
    WHERE place_id = given.thread AND in_public_thread <> given.public
""")
_MOVE_NAMES = SQL("""
    WITH moved AS (
        DELETE FROM names
        USING unnest(%(threads)s::bigint[], %(parents)s::bigint[]) AS given (thread, parent)
        WHERE place_id = given.thread AND channel_id <> given.parent
        RETURNING names.*, given.parent
    )
    INSERT INTO names (
        place_id, channel_id, channel_name, author_id, author_name, first_seen, last_seen, promotion_id,
        in_public_thread
    )
    SELECT place_id, parent, channel_name, author_id, author_name, min(first_seen), max(last_seen), max(promotion_id),
        bool_or(in_public_thread)
    FROM moved GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (place_id, channel_id, channel_name, author_id, author_name) DO UPDATE SET
        first_seen = least(names.first_seen, excluded.first_seen),
        last_seen = greatest(names.last_seen, excluded.last_seen),
        promotion_id = greatest(names.promotion_id, excluded.promotion_id)
""")


async def resolve_next(long_term: Sessions, databases: Sequence[Sessions]) -> list[PlaceState]:
    """Resolve the next threads in all databases that hold messages, and return them; none when all are resolved.

    Raises DatabaseUnavailableError, and then goes on with the same threads at the next call.
    """
    async with transaction(long_term) as session:
        threads = await store.unresolved_threads(session, limit=THREADS_AT_ONCE)
    await resolve(databases, threads)
    async with transaction(long_term) as session:
        await store.mark_resolved(session, threads)
    return threads


async def resolve(databases: Sequence[Sessions], threads: Sequence[PlaceState]) -> None:
    """Correct all messages of threads, some in each transaction, with a breath between for everybody else."""
    for sessions in databases if threads else ():
        are_left = True
        while are_left:
            async with transaction(sessions) as session:
                are_left = await resolve_some(session, threads)
            await asyncio.sleep(_BREATH.total_seconds())


_OF_BATCH = SQL("""
    UPDATE places SET resolved = false
    WHERE promotion_id IS NULL AND kind = ANY (%(threads)s::text[])
        AND place_id IN (SELECT place_id FROM names WHERE promotion_id = %(promotion)s)
""")


async def resolve_batch(long_term: Sessions, promotion_id: int) -> None:
    """Correct the messages that a batch has brought in of threads that Discord has told of before."""
    threads = [kind.value for kind in PlaceKind if kind.is_thread]
    async with transaction(long_term) as session:
        await execute(session, _OF_BATCH, {"threads": threads, "promotion": promotion_id})
    while await resolve_next(long_term, [long_term]):
        pass


async def resolve_some(session: AsyncSession, threads: Sequence[PlaceState]) -> bool:
    """Correct some messages of threads, and all their names; return whether there may be messages left."""
    known = [thread for thread in threads if thread.parent_id is not None]
    values: dict[str, Any] = {
        "threads": [thread.place_id for thread in known],
        "parents": [thread.parent_id for thread in known],
        "public": [thread.kind.is_public_thread for thread in known],
        "limit": MESSAGES_AT_ONCE,
    }
    for statement in (_OPEN_NAMES, _MOVE_NAMES):
        await execute(session, statement, values)
    return await execute(session, _RESOLVE, values) == MESSAGES_AT_ONCE
