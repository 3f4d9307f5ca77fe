"""Find the discussions of a channel in a database, and join those of both memories."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby

from psycopg.sql import SQL, Composed
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import fetch
from memory.filters import IN_PLACES, Bounds, BoundsShape, in_bounds, shape_of_bounds, values_of_bounds
from time_expressions.window import Window

DISCUSSION_GAP = timedelta(minutes=30)
"""The longest silence inside a discussion; after a longer one the next message begins another.

Half an hour is the usual limit of inactivity after which web analytics begin a new visit. It was checked on 8 chats,
some 5,000 messages, whose speakers meet for 231 talks at set times: the longest silence inside a talk was just under 7
minutes, the shortest between two of them 56. Any limit between those finds the same talks.
"""

Island = tuple[int, datetime, datetime]
"""A place, and the first and the last message of an uninterrupted run of messages there."""

Stretch = tuple[datetime, datetime]
_INSTANT = timedelta(microseconds=1)  # the resolution of PostgreSQL's times: a window's end is just after a message


@lru_cache(maxsize=16)
def _islands(shape: BoundsShape) -> Composed:
    # Every message of a place gets the number of those before it, itself included, that came after a silence.
    return SQL("""
        SELECT place, min(sent_at) AS first, max(sent_at) AS last FROM (
            SELECT place, sent_at, count(*) FILTER (WHERE begins) OVER (PARTITION BY place ORDER BY sent_at) AS run
            FROM (
                SELECT coalesce(thread_id, channel_id) AS place, sent_at,
                    sent_at - lag(sent_at) OVER (PARTITION BY coalesce(thread_id, channel_id) ORDER BY sent_at)
                        > %(gap)s::interval AS begins
                FROM messages
                WHERE {in_places} AND {in_bounds}
                  AND kind = 'message' AND deleted_at IS NULL
            ) AS messages_in_time
        ) AS runs
        GROUP BY place, run
    """).format(in_places=IN_PLACES, in_bounds=in_bounds(shape))


async def islands(session: AsyncSession, *, places: frozenset[int], bounds: Bounds) -> list[Island]:
    """Return the runs of messages in each channel and thread of these places, as far as this database knows them.

    Only what people said to each other counts: neither what they asked the bot, nor its answers, nor what was
    deleted. The rows of a place are read once, in the order of its index; a run comes back as its two ends, and the
    engine's limit on the time of a statement bounds the whole.
    """
    if not places:
        return []
    values = {"places": sorted(places), "gap": DISCUSSION_GAP, **values_of_bounds(bounds)}
    rows = await fetch(session, _islands(shape_of_bounds(bounds)), values)
    return [(row["place"], row["first"], row["last"]) for row in rows]


def joined(found: Iterable[Island]) -> list[Window]:
    """Return the discussions that the islands of both memories add up to, in time order.

    Two islands of one place with no long silence between them are one discussion. A message that is deleted in one
    memory and not yet in the other still counts.
    """
    discussions: list[Stretch] = []
    for _, of_place in groupby(sorted(found), key=lambda island: island[0]):
        runs: list[Stretch] = []
        for _, first, last in of_place:
            if runs and first - runs[-1][1] <= DISCUSSION_GAP:
                runs[-1] = runs[-1][0], max(runs[-1][1], last)
            else:
                runs.append((first, last))
        discussions += runs
    return [Window(first, last + _INSTANT) for first, last in sorted(discussions)]
