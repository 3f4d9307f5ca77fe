"""Say in SQL what a row must be to count.

A statement is put together once for every shape of filters; what it compares with is bound by name each time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal, Placeholder
from sqlalchemy.ext.asyncio import AsyncSession

from db.chunks import Chunk
from db.schema import ACCESS_ID
from db.statements import driver_connection, execute
from memory.authors import LONGEST_NAME, Authors
from memory.holding import CONDITIONS, Holding
from memory.message import Kind, Message, sanitize
from time_expressions.window import Window


class EveryGuild(Enum):
    """Stands for the messages of every guild, and of none: what whoever owns the memory may ask for."""

    EVERY_GUILD = "every guild"


EVERY_GUILD = EveryGuild.EVERY_GUILD

Guild = int | EveryGuild | None
"""The id of a guild; None for direct messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What the statements of a memory may see at all, beside the places that each of them is given.

    Messages that came without a guild, as some exports have them, are seen in every guild: their channels are those of
    one guild alone. `conversations` are channels, each with its threads, and threads; None for all. Nothing is seen
    that was sent at `sent_before` or later, and messages are read as they were at `version_of`; None for now.
    """

    guild: Guild = EVERY_GUILD
    conversations: frozenset[int] | None = None
    sent_before: datetime | None = None
    version_of: datetime | None = None

    def admits(self, message: Message) -> bool:
        """Return whether a message is within the bounds: the same rule as `in_bounds`, for what was read already."""
        if self.guild is not EVERY_GUILD and message.guild_id is not None and message.guild_id != self.guild:
            return False
        if self.sent_before is not None and message.sent_at >= self.sent_before:
            return False
        return self.conversations is None or not self.conversations.isdisjoint({message.channel_id, message.place_id})


@dataclass(frozen=True, slots=True)
class BoundsShape:
    """What bounds ask for, without the values."""

    is_direct: bool
    has_guild: bool
    has_conversations: bool
    has_end: bool = False


UNBOUNDED = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a row must be to count; the places are required, and none of them means no rows.

    The places are ids as `Message.access_id` gives them: channels with their public threads, and private threads.

    A row counts when it is in any of the windows; no window at all means all time. None for authors means everybody's.
    A row has to be `holding` all of some things.
    """

    places: frozenset[int]
    windows: tuple[Window, ...] = ()
    authors: Authors | None = None
    kinds: frozenset[Kind] = frozenset({Kind.MESSAGE})
    bounds: Bounds = UNBOUNDED
    holding: frozenset[Holding] = frozenset()


@dataclass(frozen=True, slots=True)
class Shape:
    """What filters ask for, without the values.

    It says of each window whether it has a start and an end, and of authors whether they are excluded; None means that
    everybody's messages count.
    """

    windows: tuple[tuple[bool, bool], ...]
    authors_excluded: bool | None
    bounds: BoundsShape
    holding: frozenset[Holding] = frozenset()


def shape_of(filters: Filters) -> Shape:
    """Return the shape of filters."""
    windows = tuple((window.start is not None, window.end is not None) for window in filters.windows)
    excluded = filters.authors.excluded if filters.authors is not None else None
    return Shape(windows, excluded, shape_of_bounds(filters.bounds), filters.holding)


def values_of(filters: Filters) -> dict[str, Any]:
    """Return the values of filters under the names that `conditions` binds."""
    ends = {
        f"{name}_{number}": moment
        for number, window in enumerate(filters.windows)
        for name, moment in (("start", window.start), ("end", window.end))
        if moment is not None
    }
    kinds = [kind.value for kind in filters.kinds if kind is not Kind.ANSWER]
    return {"places": sorted(filters.places), "kinds": kinds, **_authors(filters.authors), **ends} | (
        values_of_bounds(filters.bounds)
    )


def _authors(authors: Authors | None) -> dict[str, Any]:
    if authors is None:
        return {}
    return {"author_ids": sorted(authors.ids), "author_names": sorted(map(sanitize, authors.names))}


IN_PLACES = SQL("{} = ANY (%(places)s::bigint[])").format(SQL(ACCESS_ID))
"""The condition of whoever may read these places, which every statement has; an index has its expression."""

ALL_ROWS = SQL("true")

_IN_GUILD = SQL("coalesce(guild_id, %(guild)s::bigint) = %(guild)s::bigint")
_DIRECT = SQL("guild_id IS NULL")
_IN_CONVERSATIONS = SQL(
    "(channel_id = ANY (%(conversations)s::bigint[]) OR thread_id = ANY (%(conversations)s::bigint[]))"
)

_SENT_BEFORE = SQL("sent_at < %(sent_before)s::timestamptz")


def shape_of_bounds(bounds: Bounds) -> BoundsShape:
    """Return the shape of bounds."""
    return BoundsShape(
        is_direct=bounds.guild is None,
        has_guild=isinstance(bounds.guild, int),
        has_conversations=bounds.conversations is not None,
        has_end=bounds.sent_before is not None,
    )


def in_bounds(shape: BoundsShape) -> Composed:
    """Return the condition of the rows within bounds of a shape, which stands beside IN_PLACES."""
    found = [ALL_ROWS]
    if shape.is_direct:
        found.append(_DIRECT)
    if shape.has_guild:
        found.append(_IN_GUILD)
    if shape.has_conversations:
        found.append(_IN_CONVERSATIONS)
    if shape.has_end:
        found.append(_SENT_BEFORE)
    return SQL(" AND ").join(found)


def values_of_bounds(bounds: Bounds) -> dict[str, Any]:
    """Return the values of bounds under the names that `in_bounds` binds."""
    values: dict[str, Any] = {}
    if isinstance(bounds.guild, int):
        values["guild"] = bounds.guild
    if bounds.conversations is not None:
        values["conversations"] = sorted(bounds.conversations)
    if bounds.sent_before is not None:
        values["sent_before"] = bounds.sent_before
    return values


_COUNTS = SQL("kind = ANY (%(kinds)s::text[]) AND deleted_at IS NULL")

_BY_AUTHORS = SQL("""(
    author_id = ANY (%(author_ids)s::bigint[])
    OR author_id IS NULL AND left(author_name, {longest}) = ANY (%(author_names)s::text[])
)""").format(longest=Literal(LONGEST_NAME))
_BY_OTHERS = SQL("""(
    author_id IS NOT NULL AND author_id <> ALL (%(author_ids)s::bigint[])
    OR author_id IS NULL AND left(author_name, {longest}) <> ALL (%(author_names)s::text[])
)""").format(longest=Literal(LONGEST_NAME))
"""The conditions of `memory.authors.Authors.wrote`."""


@lru_cache(maxsize=256)
def conditions(shape: Shape) -> Composed:
    """Return what a row must fulfil to pass filters of a shape; it names the columns of `messages`, not the table."""
    found: list[SQL | Composed] = [IN_PLACES, in_bounds(shape.bounds), _COUNTS]
    if shape.windows:
        windows = (_within(number, ends) for number, ends in enumerate(shape.windows))
        found.append(SQL("({})").format(SQL(" OR ").join(windows)))
    if shape.authors_excluded is not None:
        found.append(_BY_OTHERS if shape.authors_excluded else _BY_AUTHORS)
    found += [CONDITIONS[thing] for thing in sorted(shape.holding)]
    return SQL(" AND ").join(found)


def _within(number: int, ends: tuple[bool, bool]) -> Composed:
    return SQL(" AND ").join([ALL_ROWS, *_bounds(number, ends)])


def _bounds(number: int, ends: tuple[bool, bool]) -> Iterator[Composed]:
    has_start, has_end = ends
    if has_start:
        yield SQL("sent_at >= {}::timestamptz").format(Placeholder(f"start_{number}"))
    if has_end:
        yield SQL("sent_at < {}::timestamptz").format(Placeholder(f"end_{number}"))


CUSTOM_PLANS = {"plan_cache_mode": "force_custom_plan"}
"""Plan for the values at hand: a plan for any values looks into every chunk."""

BY_INDEX = {"enable_sort": "off", **CUSTOM_PLANS}
"""Leave PostgreSQL an index as the only way to an order, whatever it expects of it."""


MESSAGES = SQL("messages")
KEY = SQL("message_id, sent_at")


def first(
    shape: Shape,
    *,
    order: SQL | Composed,
    columns: SQL | Composed = KEY,
    table: Composable = MESSAGES,
    among: SQL | Composed = ALL_ROWS,
) -> Composed:
    """Return the statement that gives the first `wanted` rows, in an order, that pass the filters.

    They are rows of `messages`, or else of one of its chunks, `among` those that fulfil a condition.
    """
    return SQL("SELECT {columns} FROM {table} WHERE {among} AND {passing} ORDER BY {order} LIMIT %(wanted)s").format(
        columns=columns, table=table, among=among, passing=conditions(shape), order=order
    )


def in_chunk(number: int) -> Composed:
    """Return what a row must be to stand in the chunk of this number; `chunk_bounds` has the values."""
    return SQL("sent_at >= {}::timestamptz AND sent_at < {}::timestamptz").format(
        Placeholder(f"chunk_start_{number}"), Placeholder(f"chunk_end_{number}")
    )


def chunk_bounds(chunks: Sequence[Chunk]) -> dict[str, Any]:
    """Return the ends of chunks under the names that `in_chunk` binds."""
    return {
        name: moment
        for number, chunk in enumerate(chunks)
        for name, moment in ((f"chunk_start_{number}", chunk.start), (f"chunk_end_{number}", chunk.end))
    }


async def tune(session: AsyncSession, settings: Mapping[str, str]) -> None:
    """Set PostgreSQL's settings until the end of the transaction, which begins in the same round trip if it has not."""
    connection = await driver_connection(session)
    begins = connection.autocommit and connection.info.transaction_status == TransactionStatus.IDLE
    await execute(session, _tuning(tuple(settings.items()), begins=begins))


@lru_cache(maxsize=256)
def _tuning(settings: tuple[tuple[str, str], ...], *, begins: bool) -> Composed:
    sets = (SQL("SET LOCAL {} = {}").format(Identifier(*name.split(".")), Literal(value)) for name, value in settings)
    return SQL("; ").join([*([SQL("BEGIN")] if begins else []), *sets])
