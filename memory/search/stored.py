"""Read what both memories hold of a place: a stretch of its messages, to compare it with Discord, and how many."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from psycopg.sql import SQL
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import fetch
from errors import DatabaseUnavailableError
from memory.coverage.intervals import Interval, time_of_id
from memory.search_session import SearchableDatabase, open_search_session

MOST_READ = 2_000
"""Messages of a stretch that are read of each memory at once."""

_ROUNDED = timedelta(days=1)  # imports know some times to the minute, or to the day


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredState:
    """What memory knows of one message, as far as a comparison needs it.

    One without words and files `is_empty`; one that short-term memory holds is `of_this_session`.
    """

    message_id: int
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    is_empty: bool = False
    of_this_session: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStretch:
    """What memory holds, by message id, of the messages up to `newest_id`; it was not asked about later ones."""

    newest_id: int
    states: Mapping[int, StoredState] = field(default_factory=dict)


# Slash commands have the id of an interaction, and answers may be ephemeral: no channel ever shows these. Questions
# that mention the bot are messages, and begin with no slash.
_STORED = SQL("""
    SELECT message_id, edited_at, deleted_at, content = '' AND attachments = '[]'::jsonb AS is_empty FROM messages
    WHERE coalesce(thread_id, channel_id) = %(place_id)s AND guild_id = %(guild_id)s
      AND sent_at BETWEEN %(start)s AND %(end)s AND message_id BETWEEN %(oldest_id)s AND %(newest_id)s
      AND (kind IN ('message', 'system') OR kind = 'command' AND NOT starts_with(content, '/'))
    ORDER BY message_id LIMIT %(limit)s
""")

_COUNTED = SQL("""
    SELECT coalesce(thread_id, channel_id) AS place_id, count(*) AS amount FROM messages
    WHERE coalesce(thread_id, channel_id) = ANY (%(places)s::bigint[]) AND guild_id = %(guild_id)s
      AND kind = 'message' AND deleted_at IS NULL AND session IS DISTINCT FROM %(left_out)s::text
    GROUP BY 1
""")


class StoredMessages:
    """Asks both memories what they hold: an answer of one alone would take for unknown what the other knows."""

    def __init__(
        self, short_term: SearchableDatabase, long_term: SearchableDatabase, *, limit: int = MOST_READ
    ) -> None:
        self._short_term = short_term
        self._databases = short_term, long_term
        self._limit = limit

    async def stored_in(self, guild_id: int, place_id: int, interval: Interval) -> StoredStretch:
        """Return what is held of the messages with these ids in a channel or thread, deleted ones too.

        It ends before the end of the interval where that holds more than is read at once. Raises
        DatabaseUnavailableError unless both memories answer.
        """

        async def query(session: AsyncSession, database: SearchableDatabase) -> list[StoredState]:
            of_this_session = database is self._short_term
            states = await _stored_states(session, guild_id, place_id, interval, limit=self._limit)
            return [replace(state, of_this_session=of_this_session) for state in states]

        async with open_search_session() as search_session:
            answers = await search_session.ask(self._databases, query)
            if search_session.unreachable:
                raise DatabaseUnavailableError(f"{' and '.join(search_session.unreachable)} memory did not answer")
        newest_id = min(
            (_end_of(states, interval, self._limit) for states in answers.values()), default=interval.newest_id
        )
        states = (state for states in answers.values() for state in states if state.message_id <= newest_id)
        return StoredStretch(newest_id=newest_id, states=_merged(states))

    async def count(self, guild_id: int, places: Collection[int], *, session: str) -> dict[int, int]:
        """Return how many messages are held of each channel or thread that has any, without those of its threads.

        What long-term memory has of the current session, once that was promoted, short-term memory has too, and counts
        once. Raises DatabaseUnavailableError unless both memories answer.
        """
        values = {"guild_id": guild_id, "places": sorted(places)}

        async def query(connection: AsyncSession, database: SearchableDatabase) -> list[tuple[int, int]]:
            but = {"left_out": None if database is self._short_term else session}
            rows = await fetch(connection, _COUNTED, values | but)
            return [(row["place_id"], row["amount"]) for row in rows]

        async with open_search_session() as search_session:
            answers = await search_session.ask(self._databases, query)
            if search_session.unreachable:
                raise DatabaseUnavailableError(f"{' and '.join(search_session.unreachable)} memory did not answer")
        counts: Counter[int] = Counter()
        for place_id, amount in (pair for pairs in answers.values() for pair in pairs):
            counts[place_id] += amount
        return dict(counts)


async def _stored_states(
    session: AsyncSession, guild_id: int, place_id: int, interval: Interval, *, limit: int
) -> list[StoredState]:
    """Return the first messages of an interval that Discord may show in a place, by their ids."""
    values = {
        "guild_id": guild_id,
        "place_id": place_id,
        "oldest_id": interval.oldest_id,
        "newest_id": interval.newest_id,
        "start": time_of_id(interval.oldest_id) - _ROUNDED,
        "end": time_of_id(interval.newest_id) + _ROUNDED,
        "limit": limit,
    }
    return [StoredState(**row) for row in await fetch(session, _STORED, values)]


def _end_of(states: Sequence[StoredState], interval: Interval, limit: int) -> int:
    return interval.newest_id if len(states) < limit else states[-1].message_id


def _merged(states: Iterable[StoredState]) -> dict[int, StoredState]:
    """Return what several memories know together of each message, as `memory.message.merged` has it."""
    known: dict[int, StoredState] = {}
    for state in states:
        older = known.get(state.message_id)
        known[state.message_id] = state if older is None else _later(older, state)
    return dict(sorted(known.items()))


def _later(older: StoredState, newer: StoredState) -> StoredState:
    known: dict[str, Any] = {
        "deleted_at": older.deleted_at or newer.deleted_at,
        "of_this_session": older.of_this_session or newer.of_this_session,
    }
    if older.edited_at == newer.edited_at:  # a deletion that is known without the words leaves them to the other memory
        return replace(older, is_empty=older.is_empty and newer.is_empty, **known)
    is_later = newer.edited_at is not None and (older.edited_at is None or newer.edited_at > older.edited_at)
    return replace(newer if is_later else older, **known)
