"""Find what stands beside a message: the messages of its place right before and after it, in the order of their times.

The two before it go into its search text (`memory.index.index_text`). Where messages are read in a stream, those of the
last moments are at hand and the database need not be asked.
"""

from bisect import bisect_left
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, LiteralString

from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import fetch
from db.table_copy import Connection
from memory.index.store import COLUMNS_OF_MESSAGES, to_message
from memory.message import Kind, Message, MessageKey

CONTEXT_MESSAGES = 2
"""How many messages before a message go into its search text."""

Neighbour = tuple[int, Message]
"""The id of a message, and one that stands beside it."""

Ask = Callable[[Sequence[Message]], Awaitable[Sequence[Neighbour]]]
"""Returns, from a memory, what stands before some messages, as `find_preceding` does."""

_Moment = tuple[datetime, int]

_PLACES = 10_000  # channels and threads whose last messages are kept at hand

_SIDE = """
    SELECT wanted.message_id AS of_id, wanted.sent_at AS of_time, beside.*
    FROM unnest(%(places)s::bigint[], %(times)s::timestamptz[], %(ids)s::bigint[]) AS wanted(place, sent_at, message_id)
    CROSS JOIN LATERAL (
        SELECT {columns} FROM messages
        WHERE coalesce(thread_id, channel_id) = wanted.place
        AND (messages.sent_at, messages.message_id) {is_beyond} (wanted.sent_at, wanted.message_id)
        AND deleted_at IS NULL AND kind = 'message' AND NOT ({left_out})
        ORDER BY messages.sent_at {order}, messages.message_id {order} LIMIT %({count})s
    ) AS beside
"""
_NOBODY: LiteralString = "false"


async def find_beside(
    session: AsyncSession, *, messages: Sequence[Message], before: int, after: int
) -> list[Neighbour]:
    """Return up to `before` and `after` neighbours of each message, in the order of their times."""
    rows = await fetch(session, _beside(_NOBODY), _values(messages, before=before, after=after))
    return [(row["of_id"], to_message(row)) for row in rows]


async def find_preceding(session: AsyncSession, *, messages: Sequence[Message]) -> list[Neighbour]:
    """Return the neighbours that go into the search text of each message, in the order of their times."""
    return await find_beside(session, messages=messages, before=CONTEXT_MESSAGES, after=0)


async def preceding_by_key(
    connection: Connection, messages: Sequence[Message], *, left_out: LiteralString
) -> dict[MessageKey, list[Message]]:
    """Return what goes into the search text of each message, in the order of the times, by the key of the message.

    `left_out` is the condition of rows of `messages` that are no neighbours, such as those that are about to go.
    """
    preceding: dict[MessageKey, list[Message]] = {}
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_beside(left_out), _values(messages, before=CONTEXT_MESSAGES, after=0))
        async for row in cursor:
            preceding.setdefault((row["of_id"], row["of_time"]), []).append(to_message(row))
    return preceding


@lru_cache(maxsize=8)
def _beside(left_out: LiteralString) -> sql.Composed:
    """Return the statement that gives the neighbours of messages on both sides."""
    sides = (("<", "DESC", "before"), (">", "ASC", "after"))
    parts = [
        sql.SQL(_SIDE).format(
            columns=COLUMNS_OF_MESSAGES,
            is_beyond=sql.SQL(is_beyond),
            left_out=sql.SQL(left_out),
            order=sql.SQL(order),
            count=sql.SQL(count),
        )
        for is_beyond, order, count in sides
    ]
    return sql.SQL(" UNION ALL ").join(parts) + sql.SQL(" ORDER BY sent_at, message_id")


def _values(messages: Sequence[Message], *, before: int, after: int) -> dict[str, Any]:
    return {
        "places": [message.place_id for message in messages],
        "times": [message.sent_at for message in messages],
        "ids": [message.message_id for message in messages],
        "before": before,
        "after": after,
    }


class RecentMessages:
    """Keeps the last messages of each place at hand, for messages that come mostly in the order of their times.

    A memory is asked only for what came out of turn, or is among the first of its place.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._latest: OrderedDict[int, list[Message]] = OrderedDict()

    async def preceding(self, messages: Sequence[Message], wanted: Sequence[Message]) -> dict[int, list[Message]]:
        """Return what goes into the search text of each wanted message, by its id; remember the last of all messages.

        The wanted messages are among all of them. Raises what asking a memory does, and remembers nothing then.
        """
        by_place = self._by_place(messages)
        places = {message.place_id for message in wanted}
        moments = {place: [_moment(message) for message in by_place[place]] for place in places}
        preceding: dict[int, list[Message]] = {}
        uncertain = []
        for message in wanted:
            end = bisect_left(moments[message.place_id], _moment(message))
            before = by_place[message.place_id][max(0, end - CONTEXT_MESSAGES) : end]
            preceding[message.message_id] = before
            if not self._is_certain(message, before):
                uncertain.append(message)
        if uncertain:
            _add(preceding, await self._ask(uncertain))
        for place, listed in by_place.items():
            self._remember(place, listed)
        return preceding

    def _by_place(self, messages: Iterable[Message]) -> dict[int, list[Message]]:
        """Return what may stand before others, in the order of the times: these messages and what was remembered."""
        by_place: dict[int, list[Message]] = defaultdict(list)
        for message in messages:
            listed = by_place[message.place_id]
            if message.deleted_at is None and message.kind is Kind.MESSAGE:
                listed.append(message)
        for place, listed in by_place.items():
            known = {message.message_id for message in listed}
            listed.extend(message for message in self._latest.get(place, ()) if message.message_id not in known)
            listed.sort(key=_moment)
        return by_place

    def _is_certain(self, message: Message, before: Sequence[Message]) -> bool:
        """Return whether no memory can know of a message that stands nearer before this one.

        What is edited may have been sent long ago, so that others may lie between it and the next that is at hand.
        """
        if message.edited_at is not None or len(before) < CONTEXT_MESSAGES or before[0].edited_at is not None:
            return False
        latest = self._latest.get(message.place_id)
        return not latest or _moment(latest[-1]) < _moment(message)

    def _remember(self, place: int, listed: list[Message]) -> None:
        if listed:
            self._latest[place] = listed[-CONTEXT_MESSAGES:]
            self._latest.move_to_end(place)
        if len(self._latest) > _PLACES:
            self._latest.popitem(last=False)


def _add(preceding: dict[int, list[Message]], stored: Iterable[Neighbour]) -> None:
    """Put what a memory knows among what was at hand: the last of both stand before a message."""
    found: dict[int, dict[int, Message]] = defaultdict(dict)
    for message_id, earlier in stored:
        found[message_id][earlier.message_id] = earlier
    for message_id, by_id in found.items():
        by_id.update({earlier.message_id: earlier for earlier in preceding[message_id]})
        preceding[message_id] = sorted(by_id.values(), key=_moment)[-CONTEXT_MESSAGES:]


def _moment(message: Message) -> _Moment:
    return message.sent_at, message.message_id
