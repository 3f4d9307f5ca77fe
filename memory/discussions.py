"""Find the discussions of a channel in a database, and join those of both memories."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Interval, Subquery, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import MessageRow, place_id
from memory.index.store import one_of
from memory.message import Kind
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


async def islands(session: AsyncSession, *, places: frozenset[int]) -> list[Island]:
    """Return the runs of messages in each of these places, as far as this database knows them.

    Only what people said to each other counts: neither what they asked the bot, nor its answers, nor what was
    deleted. The rows of a place are read once, in the order of its index; a run comes back as its two ends, and the
    engine's limit on the time of a statement bounds the whole.
    """
    if not places:
        return []
    runs = _numbered_by_run(places)
    statement = select(runs.c.place, func.min(runs.c.sent_at), func.max(runs.c.sent_at)).group_by(
        runs.c.place, runs.c.run
    )
    return [(place, first, last) for place, first, last in await session.execute(statement)]


def _numbered_by_run(places: frozenset[int]) -> Subquery:
    """Give every message of a place the number of those before it, itself included, that came after a silence."""
    before = func.lag(MessageRow.sent_at).over(partition_by=place_id, order_by=MessageRow.sent_at)
    messages = (
        select(
            place_id.label("place"),
            MessageRow.sent_at,
            (MessageRow.sent_at - before > literal(DISCUSSION_GAP, Interval)).label("begins"),
        )
        .where(
            one_of(place_id, places),
            MessageRow.kind == Kind.MESSAGE.value,
            MessageRow.deleted_at.is_(None),
        )
        .subquery("messages_in_time")
    )
    begun = func.count().filter(messages.c.begins)
    run = begun.over(partition_by=messages.c.place, order_by=messages.c.sent_at).label("run")
    return select(messages.c.place, messages.c.sent_at, run).subquery("runs")


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
