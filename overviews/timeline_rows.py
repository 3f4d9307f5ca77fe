"""The statements that say what happened in some time in one database; each takes the places that may be read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from psycopg.sql import SQL, Composed
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import fetch
from memory.coverage.intervals import first_id_at
from memory.filters import BoundsShape, Filters, Shape, conditions, shape_of, shape_of_bounds, values_of
from memory.holding import CONDITIONS, Holding
from memory.places.state import PUBLIC_THREADS, PlaceKind
from time_expressions.window import FIRST_MOMENT, LAST_MOMENT, Window

MOST_PEOPLE = 20_000
"""People of a channel who are told apart; the messages that are counted are those of all."""

EACH = 3
"""Messages of each channel that are looked for in each respect."""

MOST_THREADS = 60
"""New threads that are read, the newest ones."""

_NOT_EXCLUDED = SQL("message_id <> ALL (%(excluded)s::bigint[])")


@dataclass(frozen=True, slots=True)
class Talk:
    """How much was said in a channel and its threads, by whom, and when first and last.

    A person is an author id, or the name in small letters of somebody without one.
    """

    channel_id: int
    messages: int
    people: frozenset[str]
    first_at: datetime
    last_at: datetime

    def __add__(self, other: "Talk") -> "Talk":
        """Return what was said in a channel according to both memories."""
        return Talk(
            self.channel_id,
            self.messages + other.messages,
            self.people | other.people,
            min(self.first_at, other.first_at),
            max(self.last_at, other.last_at),
        )


@dataclass(frozen=True, slots=True)
class Noted:
    """A message of a channel with how many replies, reactions or messages like it there are."""

    channel_id: int
    message_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class End:
    """A message that was sent in a channel at a moment."""

    channel_id: int
    sent_at: datetime
    message_id: int


@dataclass(frozen=True, slots=True)
class NewThread:
    """A thread or post of a channel that was opened."""

    thread_id: int
    channel_id: int
    title: str


@dataclass(frozen=True, slots=True)
class ThreadStart:
    """The first message of a thread."""

    thread_id: int
    sent_at: datetime
    message_id: int


async def talks(session: AsyncSession, *, filters: Filters, excluded: Collection[int]) -> list[Talk]:
    """Return how much was said in each channel; `excluded` are messages that the other memory counts."""
    values = {**values_of(filters), "excluded": sorted(excluded), "most": MOST_PEOPLE}
    rows = await fetch(session, _talks(shape_of(filters)), values)
    return [
        Talk(row["channel_id"], row["messages"], frozenset(row["people"]), row["first_at"], row["last_at"])
        for row in rows
    ]


@lru_cache(maxsize=64)
def _talks(shape: Shape) -> Composed:
    return SQL("""
        SELECT channel_id, sum(messages)::bigint AS messages, min(first_at) AS first_at, max(last_at) AS last_at,
               (array_agg(person))[:%(most)s] AS people
        FROM (
            SELECT channel_id, coalesce(author_id::text, lower(author_name)) AS person, count(*) AS messages,
                   min(sent_at) AS first_at, max(sent_at) AS last_at
            FROM messages WHERE {passing} AND {not_excluded} GROUP BY 1, 2
        ) AS pairs
        GROUP BY channel_id
    """).format(passing=conditions(shape), not_excluded=_NOT_EXCLUDED)


async def sent_at(
    session: AsyncSession, *, filters: Filters, excluded: Collection[int], moments: Collection[tuple[int, datetime]]
) -> list[End]:
    """Return the messages that were sent in a channel at a moment, for pairs of them."""
    values = {
        **values_of(filters),
        "excluded": sorted(excluded),
        "channels": [channel_id for channel_id, _ in moments],
        "moments": [moment for _, moment in moments],
    }
    rows = await fetch(session, _sent_at(shape_of(filters)), values)
    return [End(row["channel_id"], row["sent_at"], row["message_id"]) for row in rows]


@lru_cache(maxsize=64)
def _sent_at(shape: Shape) -> Composed:
    return SQL("""
        SELECT channel_id, message_id, sent_at FROM messages
        WHERE sent_at = ANY (%(moments)s::timestamptz[])
          AND (channel_id, sent_at) IN (SELECT * FROM unnest(%(channels)s::bigint[], %(moments)s::timestamptz[]))
          AND {passing} AND {not_excluded}
        ORDER BY sent_at, message_id
    """).format(passing=conditions(shape), not_excluded=_NOT_EXCLUDED)


async def replied_to(session: AsyncSession, *, filters: Filters, excluded: Collection[int]) -> list[Noted]:
    """Return the messages with most replies in each channel, whenever they were sent, and how many replies."""
    return await _noted(session, _replied_to(shape_of(filters)), filters, excluded)


@lru_cache(maxsize=64)
def _replied_to(shape: Shape) -> Composed:
    return SQL("""
        SELECT channel_id, message_id, amount FROM (
            SELECT channel_id, reply_to AS message_id, count(*) AS amount,
                   row_number() OVER (PARTITION BY channel_id ORDER BY count(*) DESC, reply_to DESC) AS number
            FROM messages WHERE {passing} AND {not_excluded} AND reply_to IS NOT NULL
            GROUP BY channel_id, reply_to
        ) AS numbered WHERE number <= %(each)s
    """).format(passing=conditions(shape), not_excluded=_NOT_EXCLUDED)


async def reacted_to(session: AsyncSession, *, filters: Filters, excluded: Collection[int]) -> list[Noted]:
    """Return the messages with most reactions in each channel, and how many reactions."""
    return await _noted(session, _reacted_to(shape_of(filters)), filters, excluded)


@lru_cache(maxsize=64)
def _reacted_to(shape: Shape) -> Composed:
    return SQL("""
        SELECT channel_id, message_id, amount FROM (
            SELECT channel_id, message_id, amount,
                   row_number() OVER (PARTITION BY channel_id ORDER BY amount DESC, message_id DESC) AS number
            FROM messages CROSS JOIN LATERAL (
                SELECT sum((reaction->>'count')::bigint)::bigint AS amount
                FROM jsonb_array_elements(reactions) AS reaction
            ) AS counted
            WHERE {passing} AND {not_excluded} AND reactions <> '[]' AND amount > 0
        ) AS numbered WHERE number <= %(each)s
    """).format(passing=conditions(shape), not_excluded=_NOT_EXCLUDED)


async def with_links(session: AsyncSession, *, filters: Filters, excluded: Collection[int]) -> list[Noted]:
    """Return the newest messages with links in each channel, and how many have links there."""
    return await _noted(session, _with_links(shape_of(filters)), filters, excluded)


@lru_cache(maxsize=64)
def _with_links(shape: Shape) -> Composed:
    return SQL("""
        SELECT channel_id, message_id, amount FROM (
            SELECT channel_id, message_id, count(*) OVER (PARTITION BY channel_id) AS amount,
                   row_number() OVER (PARTITION BY channel_id ORDER BY sent_at DESC, message_id DESC) AS number
            FROM messages WHERE {passing} AND {not_excluded} AND {has_link}
        ) AS numbered WHERE number <= %(each)s
    """).format(passing=conditions(shape), not_excluded=_NOT_EXCLUDED, has_link=CONDITIONS[Holding.LINK])


async def _noted(
    session: AsyncSession, statement: Composed, filters: Filters, excluded: Collection[int]
) -> list[Noted]:
    values = {**values_of(filters), "excluded": sorted(excluded), "each": EACH}
    rows = await fetch(session, statement, values)
    return [Noted(row["channel_id"], row["message_id"], row["amount"]) for row in rows]


async def new_threads(session: AsyncSession, *, filters: Filters) -> list[NewThread]:
    """Return the threads and posts that were opened in the windows, the newest first; long-term memory knows them.

    Their ids tell when that was. One that is gone, or hidden from the bot, is not among them.
    """
    windows = filters.windows or (Window(),)
    values = {
        **values_of(filters),
        "first_ids": [first_id_at(window.start or FIRST_MOMENT) for window in windows],
        "next_ids": [first_id_at(window.end or LAST_MOMENT) for window in windows],
        "public": sorted(kind.value for kind in PUBLIC_THREADS),
        "private": PlaceKind.PRIVATE_THREAD.value,
        "most": MOST_THREADS,
    }
    rows = await fetch(session, _new_threads(shape_of_bounds(filters.bounds)), values)
    return [NewThread(row["place_id"], row["parent_id"], row["name"]) for row in rows]


@lru_cache(maxsize=16)
def _new_threads(shape: BoundsShape) -> Composed:
    """Return the statement over places, which have a guild as messages do and a parent for a channel."""
    guild = SQL("coalesce(guild_id, %(guild)s::bigint) = %(guild)s::bigint" if shape.has_guild else "true")
    inside = SQL(
        "(parent_id = ANY (%(conversations)s::bigint[]) OR place_id = ANY (%(conversations)s::bigint[]))"
        if shape.has_conversations
        else "true"
    )
    return SQL("""
        SELECT place_id, parent_id, name FROM places
        WHERE parent_id IS NOT NULL AND gone_at IS NULL AND hidden_since IS NULL
          AND (kind = ANY (%(public)s::text[]) AND parent_id = ANY (%(places)s::bigint[])
               OR kind = %(private)s AND place_id = ANY (%(places)s::bigint[]))
          AND EXISTS (
              SELECT FROM unnest(%(first_ids)s::bigint[], %(next_ids)s::bigint[]) AS span (first_id, next_id)
              WHERE place_id >= first_id AND place_id < next_id
          )
          AND {guild} AND {inside}
        ORDER BY place_id DESC LIMIT %(most)s
    """).format(guild=guild, inside=inside)


async def starts(
    session: AsyncSession, *, filters: Filters, excluded: Collection[int], thread_ids: Sequence[int]
) -> list[ThreadStart]:
    """Return the first message of each of these threads that has one."""
    values = {**values_of(filters), "excluded": sorted(excluded), "threads": list(thread_ids)}
    rows = await fetch(session, _starts(shape_of(filters)), values)
    return [ThreadStart(row["opened"], row["sent_at"], row["message_id"]) for row in rows]


@lru_cache(maxsize=64)
def _starts(shape: Shape) -> Composed:
    return SQL("""
        SELECT given.opened, first.sent_at, first.message_id
        FROM unnest(%(threads)s::bigint[]) AS given (opened) CROSS JOIN LATERAL (
            SELECT sent_at, message_id FROM messages
            WHERE coalesce(thread_id, channel_id) = given.opened AND {passing} AND {not_excluded}
            ORDER BY sent_at, message_id LIMIT 1
        ) AS first
    """).format(passing=conditions(shape), not_excluded=_NOT_EXCLUDED)
