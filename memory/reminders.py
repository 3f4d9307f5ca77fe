"""Keep what people asked to be reminded of, until they have been."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.sql import SQL
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, timely_transaction
from db.shards import ONE_SHARD, ShardRange
from db.statements import execute, fetch
from memory.message import sanitize
from time_expressions.future import Repeat

MOST_OF_A_PERSON = 50
"""Reminders that a person may have waiting."""

LONGEST_TEXT = 500  # characters
KEPT_FOR = timedelta(days=7)
"""How long a reminder is kept once it was delivered."""

_ANSWER_LIMIT = timedelta(seconds=5)  # somebody waits for an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """What a person asked to be reminded of, and where they asked: in a channel or thread, of a guild if it is in one.

    `message_id` is the message there that it is about, if it is about one. `tries` have failed so far.
    """

    reminder_id: int
    person_id: int
    guild_id: int | None
    channel_id: int
    message_id: int | None
    text: str
    due_at: datetime
    created_at: datetime
    time_zone: str
    repeat: Repeat | None = None
    in_channel: bool = False
    tries: int = 0


_COLUMNS = SQL(
    "reminder_id, person_id, guild_id, channel_id, message_id, text, due_at, created_at, time_zone, repeat, in_channel,"
    " tries"
)
_ADD = SQL("""
    INSERT INTO reminders (
        reminder_id, person_id, guild_id, channel_id, message_id, text, due_at, created_at, time_zone, repeat,
        in_channel, tries, try_at
    )
    SELECT %(reminder_id)s, %(person_id)s, %(guild_id)s, %(channel_id)s, %(message_id)s, %(text)s, %(due_at)s,
        %(created_at)s, %(time_zone)s, %(repeat)s, %(in_channel)s, 0, %(due_at)s
    WHERE (SELECT count(*) FROM reminders WHERE person_id = %(person_id)s AND delivered_at IS NULL) < %(most)s
    ON CONFLICT (reminder_id) DO NOTHING
""")
_WAITING = SQL("""
    SELECT {} FROM reminders WHERE person_id = %(person_id)s AND delivered_at IS NULL ORDER BY due_at, reminder_id
""").format(_COLUMNS)
_CANCEL = SQL("""
    DELETE FROM reminders WHERE person_id = %(person_id)s AND reminder_id = %(reminder_id)s AND delivered_at IS NULL
    RETURNING {}
""").format(_COLUMNS)
_OF_SHARDS = SQL("""
    CASE WHEN guild_id IS NULL THEN %(first)s = 0 ELSE (guild_id >> 22) %% %(count)s BETWEEN %(first)s AND %(last)s END
""")
_DUE = SQL("""
    SELECT {} FROM reminders WHERE delivered_at IS NULL AND try_at <= %(now)s AND {}
    ORDER BY try_at, reminder_id LIMIT %(limit)s
""").format(_COLUMNS, _OF_SHARDS)
_NEXT = SQL("SELECT min(try_at) AS try_at FROM reminders WHERE delivered_at IS NULL AND {}").format(_OF_SHARDS)
_DELIVERED = SQL("UPDATE reminders SET delivered_at = %(at)s WHERE reminder_id = %(reminder_id)s")
_REPEAT = SQL("""
    UPDATE reminders SET due_at = %(due_at)s, try_at = %(due_at)s, tries = 0 WHERE reminder_id = %(reminder_id)s
""")
_PUT_OFF = SQL("UPDATE reminders SET try_at = %(until)s, tries = tries + 1 WHERE reminder_id = %(reminder_id)s")
_DROP = SQL("DELETE FROM reminders WHERE delivered_at < %(before)s")


class Reminders:
    """The reminders in one database; each method raises DatabaseUnavailableError when it does not answer in time."""

    def __init__(self, sessions: Sessions, *, timeout: timedelta = _ANSWER_LIMIT) -> None:
        self._sessions = sessions
        self._timeout = timeout

    async def add(self, reminder: Reminder) -> bool:
        """Keep a reminder; return whether it is kept, and not one too many of its person."""
        values = {
            "reminder_id": reminder.reminder_id,
            "person_id": reminder.person_id,
            "guild_id": reminder.guild_id,
            "channel_id": reminder.channel_id,
            "message_id": reminder.message_id,
            "text": sanitize(reminder.text)[:LONGEST_TEXT],
            "due_at": reminder.due_at,
            "created_at": reminder.created_at,
            "time_zone": reminder.time_zone,
            "repeat": reminder.repeat and reminder.repeat.value,
            "in_channel": reminder.in_channel,
            "most": MOST_OF_A_PERSON,
        }
        async with self._transaction() as session:
            return bool(await execute(session, _ADD, values))

    async def waiting(self, person_id: int) -> list[Reminder]:
        """Return what a person is still to be reminded of, the next first."""
        async with self._transaction() as session:
            return [_reminder(row) for row in await fetch(session, _WAITING, {"person_id": person_id})]

    async def cancel(self, person_id: int, reminder_id: int) -> Reminder | None:
        """Delete a reminder of a person that is still waiting; return it, or None when they have none such."""
        async with self._transaction() as session:
            rows = await fetch(session, _CANCEL, {"person_id": person_id, "reminder_id": reminder_id})
        return _reminder(rows[0]) if rows else None

    async def due(self, *, now: datetime, shards: ShardRange | None, limit: int) -> list[Reminder]:
        """Return the first reminders that are to be delivered by now, of the guilds of some shards.

        Those from direct messages belong to shard 0. None stands for all shards.
        """
        async with self._transaction() as session:
            rows = await fetch(session, _DUE, {"now": now, "limit": limit, **_of_shards(shards)})
        return [_reminder(row) for row in rows]

    async def next_try(self, *, shards: ShardRange | None) -> datetime | None:
        """Return when the next delivery is to be tried; None when nothing waits."""
        async with self._transaction() as session:
            (row,) = await fetch(session, _NEXT, _of_shards(shards))
        moment: datetime | None = row["try_at"]
        return moment

    async def delivered(self, reminder_id: int, *, at: datetime) -> None:
        """Note that somebody was reminded, or cannot be."""
        async with self._transaction() as session:
            await execute(session, _DELIVERED, {"reminder_id": reminder_id, "at": at})

    async def repeat(self, reminder_id: int, *, due_at: datetime) -> None:
        """Note that somebody was reminded, and when they are to be reminded again."""
        async with self._transaction() as session:
            await execute(session, _REPEAT, {"reminder_id": reminder_id, "due_at": due_at})

    async def put_off(self, reminder_id: int, *, until: datetime) -> None:
        """Note that a delivery has failed, and when to try again."""
        async with self._transaction() as session:
            await execute(session, _PUT_OFF, {"reminder_id": reminder_id, "until": until})

    async def drop_delivered(self, *, now: datetime) -> int:
        """Delete what was delivered KEPT_FOR ago; return how many reminders that were."""
        async with self._transaction() as session:
            return await execute(session, _DROP, {"before": now - KEPT_FOR})

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return timely_transaction(self._sessions, timeout=self._timeout, about="reminders")


def _of_shards(shards: ShardRange | None) -> dict[str, int]:
    shards = shards or ONE_SHARD
    return {"first": shards.first, "last": shards.last, "count": shards.count}


def _reminder(row: dict[str, Any]) -> Reminder:
    return Reminder(**{**row, "repeat": row["repeat"] and Repeat(row["repeat"])})
