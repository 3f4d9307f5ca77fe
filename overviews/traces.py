"""Read what ranking and answering need of every message of a time, without its words, from both memories."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import Row, Values, driver_connection
from memory.filters import (
    CUSTOM_PLANS,
    IN_PLACES,
    Bounds,
    BoundsShape,
    in_bounds,
    shape_of_bounds,
    tune,
    values_of_bounds,
)
from memory.message import EARLIEST, said_at_of
from memory.search.replies import ASKING_WORDS, QUESTION_MARKS
from memory.search_session import SearchableDatabase, SearchSession

MOST_TRACES = 50_000
"""Messages of each memory that are looked at, the newest ones."""

_SLICE = 2000  # rows that are read at once: some ten milliseconds


@dataclass(frozen=True, slots=True)
class Trace:
    """What is known of a message without its words.

    `author` is the id of its author, or their name where no id is known. `asks` and `has_link` say what its text has at
    first sight: a question mark, or an asking word at its beginning; an address. `is_answer` marks the bot's own words.
    """

    message_id: int
    sent_at: datetime
    channel_id: int
    place_id: int
    author: str
    reply_to: int | None = None
    is_answer: bool = False
    asks: bool = False
    mentions: bool = False
    """Whether it mentions the person for whom it is read."""
    has_link: bool = False
    reactions: int = 0

    @property
    def is_post(self) -> bool:
        """Whether it opens a forum post: that bears the id of its first message."""
        return self.message_id == self.place_id


@dataclass(frozen=True, slots=True)
class Traces:
    """The messages of a time in its order; not `complete` where there are more, older ones."""

    traces: tuple[Trace, ...] = ()
    complete: bool = True


async def read_traces(
    search_session: SearchSession,
    databases: Sequence[SearchableDatabase],
    *,
    places: frozenset[int],
    bounds: Bounds,
    start: datetime,
    end: datetime,
    person_id: int | None = None,
) -> Traces:
    """Return the messages from `start` to before `end`, each once and as both memories together know it.

    Raises DatabaseUnavailableError when no memory answers.
    """
    if not places:
        return Traces()
    values = {
        "places": sorted(places),
        "start": start,
        "end": end,
        "most": MOST_TRACES,
        "mentions": [f"%<@{person_id}>%", f"%<@!{person_id}>%", f"%:{person_id}>%"],
        "marks": [f"%{mark}%" for mark in QUESTION_MARKS],
        "asking": [f"{word}%" for word in sorted(ASKING_WORDS)],
        **values_of_bounds(bounds),
    }

    async def query(session: AsyncSession, _: SearchableDatabase) -> list[Row]:
        await tune(session, CUSTOM_PLANS)
        return await _fetch_in_slices(session, _select(shape_of_bounds(bounds)), values)

    found = (await search_session.ask(databases, query)).values()
    return await asyncio.to_thread(_merged, found)


async def _fetch_in_slices(session: AsyncSession, statement: Composed, values: Values) -> list[Row]:
    """Return the rows of a statement, and let others on the event loop have their turn now and then."""
    rows: list[Row] = []
    async with (await driver_connection(session)).cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, values)
        while some := await cursor.fetchmany(_SLICE):
            rows += some
            await asyncio.sleep(0)
    return rows


@lru_cache(maxsize=16)
def _select(shape: BoundsShape) -> Composed:
    return SQL("""
        SELECT message_id, sent_at, channel_id, coalesce(thread_id, channel_id) AS place_id,
            coalesce(author_id::text, lower(author_name)) AS author, reply_to, kind = 'answer' AS is_answer,
            content LIKE ANY (%(marks)s::text[]) OR lower(left(ltrim(content), 8)) LIKE ANY (%(asking)s::text[])
                AS asks,
            content LIKE ANY (%(mentions)s::text[]) AS mentions, content LIKE '%%://%%' AS has_link,
            CASE WHEN reactions = '[]' THEN 0 ELSE (
                SELECT coalesce(sum((reaction->>'count')::bigint), 0)::bigint
                FROM jsonb_array_elements(reactions) AS reaction
            ) END AS reactions,
            deleted_at IS NOT NULL AS is_gone, edited_at, completed_at, reactions_at
        FROM messages
        WHERE {in_places} AND {in_bounds} AND kind IN ('message', 'answer')
            AND sent_at >= %(start)s::timestamptz AND sent_at < %(end)s::timestamptz
        ORDER BY sent_at DESC LIMIT %(most)s
    """).format(in_places=IN_PLACES, in_bounds=in_bounds(shape))


_SAID = ("asks", "mentions", "has_link")


def _merged(found: Iterable[Sequence[Row]]) -> Traces:
    """Return the rows of both memories as one, by the rule of `memory.message.merged`."""
    rows: dict[int, Row] = {}
    complete = True
    for of_memory in found:
        complete = complete and len(of_memory) < MOST_TRACES
        for row in of_memory:
            known = rows.setdefault(row["message_id"], row)
            if known is not row:
                rows[row["message_id"]] = _state(known, row)
    live = sorted((row["sent_at"], row["message_id"]) for row in rows.values() if not row["is_gone"])
    return Traces(tuple(_trace(rows[message_id]) for _, message_id in live), complete)


def _state(older: Row, newer: Row) -> Row:
    state: dict[str, Any] = {**older}
    if _said_at(newer) > _said_at(older):
        state |= {name: newer[name] for name in (*_SAID, "edited_at", "completed_at")}
    if (newer["reactions_at"] or EARLIEST) > (older["reactions_at"] or EARLIEST):
        state |= {name: newer[name] for name in ("reactions", "reactions_at")}
    return state | {name: older[name] or newer[name] for name in ("is_answer", "is_gone")}


def _said_at(row: Row) -> tuple[datetime, datetime]:
    return said_at_of(row["edited_at"], row["completed_at"])


def _trace(row: Row) -> Trace:
    return Trace(
        row["message_id"],
        row["sent_at"],
        row["channel_id"],
        row["place_id"],
        row["author"],
        row["reply_to"],
        row["is_answer"],
        row["asks"],
        row["mentions"],
        row["has_link"],
        row["reactions"],
    )
