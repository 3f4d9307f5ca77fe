"""Write and read the places of one database; long-term memory keeps them, as they outlive a session.

A thread of a channel that is gone or hidden is so through its channel: nothing of that stands in its own row.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import Row, execute, fetch
from memory.places.state import PUBLIC_THREADS, PlaceKind, PlaceState

MOST_AT_ONCE = 1000
"""Places that one statement writes, which takes it some milliseconds."""

_COLUMNS = (
    *("place_id", "guild_id", "parent_id", "kind", "name", "archived", "locked", "age_restricted", "spoiler", "tags"),
    *("gone_at", "hidden_since", "seen_at"),
)
_NAMES = SQL(", ").join(map(Identifier, _COLUMNS))
_TIMES = ("gone_at", "hidden_since", "seen_at")

_THREADS = [kind.value for kind in PlaceKind if kind.is_thread]


def columns_of(table: LiteralString) -> Composed:
    """Return the columns of which `state_of` makes a state."""
    return SQL(", ").join(Identifier(table, name) for name in _COLUMNS)


def state_of(row: Row) -> PlaceState:
    """Return the state that a row of places tells of."""
    values = {name: row[name] for name in _COLUMNS}
    return PlaceState(**{**values, "kind": PlaceKind(values["kind"]), "tags": tuple(values["tags"])})


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """A place that was written, as it is now, and what was known of it before: nothing when `is_new`."""

    now: PlaceState
    is_new: bool
    name_before: str
    hidden_before: datetime | None

    @property
    def has_new_name(self) -> bool:
        """Whether its name was not known before."""
        return bool(self.now.name) and (self.is_new or self.now.name != self.name_before)

    @property
    def became_hidden(self) -> bool:
        """Whether the bot has lost sight of it, or has never seen it."""
        return self.now.hidden_since is not None and self.hidden_before is None

    @property
    def became_visible(self) -> bool:
        """Whether the bot sees it again."""
        return self.now.hidden_since is None and self.hidden_before is not None


# What is hidden or gone tells nothing of a place but that: the columns that it keeps are those from before.
_KEPT = (
    "guild_id",
    "parent_id",
    "kind",
    "is_private",
    "name",
    "archived",
    "locked",
    "age_restricted",
    "spoiler",
    "tags",
)
_UPSERT = SQL("""
    WITH coming AS (
        SELECT *, kind = ANY (%(threads)s::text[]) AS is_thread FROM jsonb_to_recordset(%(rows)s) AS coming (
            place_id bigint, guild_id bigint, parent_id bigint, kind text, is_private boolean, name text,
            archived boolean, locked boolean, age_restricted boolean, spoiler boolean, tags text[],
            gone_at timestamptz, hidden_since timestamptz, seen_at timestamptz
        )
    ), before AS (
        SELECT place_id, places.name, places.hidden_since FROM places JOIN coming USING (place_id)
    ), written AS (
        INSERT INTO places ({columns}, is_private, resolved, promotion_id)
        SELECT {columns}, is_private, NOT is_thread OR %(promotion)s::bigint IS NOT NULL, %(promotion)s::bigint
        FROM coming ORDER BY place_id
        ON CONFLICT (place_id) DO UPDATE SET
            {kept},
            gone_at = CASE WHEN excluded.gone_at IS NOT NULL THEN coalesce(places.gone_at, excluded.gone_at) END,
            hidden_since = CASE
                WHEN excluded.hidden_since IS NOT NULL THEN coalesce(places.hidden_since, excluded.hidden_since)
            END,
            seen_at = excluded.seen_at,
            promotion_id = excluded.promotion_id,
            resolved = CASE
                WHEN excluded.gone_at IS NOT NULL OR excluded.hidden_since IS NOT NULL THEN places.resolved
                WHEN excluded.kind IS DISTINCT FROM places.kind OR excluded.parent_id IS DISTINCT FROM places.parent_id
                    OR places.promotion_id IS DISTINCT FROM excluded.promotion_id
                THEN excluded.resolved
                ELSE places.resolved
            END
        WHERE CASE
            WHEN excluded.promotion_id IS NULL
            THEN places.promotion_id IS NOT NULL OR excluded.seen_at >= places.seen_at
            ELSE places.promotion_id IS NOT NULL AND excluded.seen_at >= places.seen_at
        END
        RETURNING {of_places}
    )
    SELECT written.*, before.place_id IS NULL AS is_new, coalesce(before.name, '') AS name_before,
        before.hidden_since AS hidden_before
    FROM written LEFT JOIN before USING (place_id)
""").format(
    columns=_NAMES,
    of_places=columns_of("places"),
    kept=SQL(", ").join(
        SQL(
            "{name} = CASE WHEN excluded.gone_at IS NULL AND excluded.hidden_since IS NULL"
            " THEN excluded.{name} ELSE places.{name} END"
        ).format(name=Identifier(name))
        for name in _KEPT
    ),
)


async def upsert(
    session: AsyncSession, states: Sequence[PlaceState], *, promotion_id: int | None = None
) -> list[PlaceChange]:
    """Write states of places, each place once, and return those that were news.

    The newest state by `seen_at` wins, and what Discord says over what a batch that is brought in says, whose number
    is the `promotion_id`.
    """
    changes: list[PlaceChange] = []
    for start in range(0, len(states), MOST_AT_ONCE):
        rows = Jsonb([_values(state) for state in states[start : start + MOST_AT_ONCE]])
        written = await fetch(session, _UPSERT, {"rows": rows, "threads": _THREADS, "promotion": promotion_id})
        changes += [
            PlaceChange(state_of(row), row["is_new"], row["name_before"], row["hidden_before"]) for row in written
        ]
    return changes


def _values(state: PlaceState) -> dict[str, Any]:
    values = {name: getattr(state, name) for name in _COLUMNS}
    times = {name: None if values[name] is None else values[name].isoformat() for name in _TIMES}
    return {**values, **times, "is_private": state.kind.is_private}


_GUILD_IS_GONE = SQL("""
    UPDATE places SET gone_at = %(at)s, seen_at = %(at)s
    WHERE guild_id = %(guild)s AND gone_at IS NULL AND seen_at <= %(at)s AND NOT kind = ANY (%(threads)s::text[])
""")


async def mark_guild_gone(session: AsyncSession, *, guild_id: int, at: datetime) -> None:
    """Note that the bot has left a guild: all its channels are gone."""
    await execute(session, _GUILD_IS_GONE, {"guild": guild_id, "at": at, "threads": _THREADS})


_OTHERS_ARE_GONE = SQL("""
    UPDATE places SET gone_at = %(at)s, seen_at = %(at)s
    WHERE guild_id = %(guild)s AND place_id <> ALL (%(listed)s::bigint[]) AND gone_at IS NULL AND seen_at < %(at)s
        AND promotion_id IS NULL AND NOT kind = ANY (%(threads)s::text[])
""")
_OTHERS_ARE_ARCHIVED = SQL("""
    UPDATE places SET archived = true, seen_at = %(at)s
    WHERE guild_id = %(guild)s AND place_id <> ALL (%(listed)s::bigint[]) AND NOT archived AND gone_at IS NULL
        AND seen_at < %(at)s AND kind = ANY (%(public)s::text[])
        AND (%(parents)s::bigint[] IS NULL OR parent_id = ANY (%(parents)s::bigint[]))
""")


async def mark_unlisted_channels_gone(
    session: AsyncSession, *, guild_id: int, listed: Collection[int], at: datetime
) -> None:
    """Note that a guild has these channels, hidden ones among them, and no others; threads are not listed so."""
    values = {"guild": guild_id, "listed": sorted(listed), "at": at, "threads": _THREADS}
    await execute(session, _OTHERS_ARE_GONE, values)


async def mark_unlisted_threads_archived(
    session: AsyncSession,
    *,
    guild_id: int,
    parents: Collection[int] | None,
    listed: Collection[int],
    at: datetime,
) -> None:
    """Note that of the public threads of some channels, or of all in a guild, these alone are active."""
    values = {
        "guild": guild_id,
        "parents": None if parents is None else sorted(parents),
        "listed": sorted(listed),
        "at": at,
        "public": sorted(PUBLIC_THREADS),
    }
    await execute(session, _OTHERS_ARE_ARCHIVED, values)


_BY_ID = SQL("SELECT {columns} FROM places WHERE place_id = ANY (%(ids)s::bigint[])").format(columns=_NAMES)
_OF_GUILD = SQL("SELECT {columns} FROM places WHERE guild_id = %(guild)s ORDER BY place_id").format(columns=_NAMES)
_THREADS_OF = SQL("""
    SELECT {columns} FROM places
    WHERE parent_id = ANY (%(parents)s::bigint[]) AND kind = ANY (%(threads)s::text[])
    ORDER BY place_id DESC LIMIT %(limit)s
""").format(columns=_NAMES)
_AFTER = SQL("""
    SELECT {columns} FROM places WHERE place_id > %(after)s ORDER BY place_id LIMIT %(limit)s
""").format(columns=_NAMES)


async def by_id(session: AsyncSession, place_ids: Iterable[int]) -> dict[int, PlaceState]:
    """Return those of the places that are known."""
    rows = await fetch(session, _BY_ID, {"ids": sorted(set(place_ids))})
    return {row["place_id"]: state_of(row) for row in rows}


async def of_guild(session: AsyncSession, *, guild_id: int) -> list[PlaceState]:
    """Return all places of a guild, threads and what is gone or hidden among them, the oldest first."""
    return [state_of(row) for row in await fetch(session, _OF_GUILD, {"guild": guild_id})]


async def threads_of(session: AsyncSession, *, channel_ids: Collection[int], limit: int) -> list[PlaceState]:
    """Return the newest threads and posts of some channels, archived ones too."""
    values = {"parents": sorted(channel_ids), "threads": _THREADS, "limit": limit}
    return [state_of(row) for row in await fetch(session, _THREADS_OF, values)]


_PRIVATE_THREADS = SQL("""
    SELECT place_id, parent_id FROM places
    WHERE guild_id = %(guild)s AND kind = %(private)s AND parent_id IS NOT NULL AND gone_at IS NULL
      AND promotion_id IS NULL
    ORDER BY place_id DESC LIMIT %(limit)s
""")


async def private_threads(session: AsyncSession, *, guild_id: int, limit: int) -> dict[int, int]:
    """Return the newest private threads of a guild that Discord itself has told of, each with its channel."""
    values = {"guild": guild_id, "private": PlaceKind.PRIVATE_THREAD.value, "limit": limit}
    return {row["place_id"]: row["parent_id"] for row in await fetch(session, _PRIVATE_THREADS, values)}


async def some_places(session: AsyncSession, *, after: int, limit: int) -> list[PlaceState]:
    """Return the next places by id, for whoever reads them all."""
    return [state_of(row) for row in await fetch(session, _AFTER, {"after": after, "limit": limit})]


_KNOWN_THREADS = SQL("""
    SELECT {columns} FROM places
    WHERE place_id = ANY (%(ids)s::bigint[]) AND kind = ANY (%(threads)s::text[]) AND promotion_id IS NULL
""").format(columns=_NAMES)
_UNRESOLVED = SQL("""
    SELECT {columns} FROM places WHERE NOT resolved ORDER BY place_id DESC LIMIT %(limit)s
""").format(columns=_NAMES)
_RESOLVED = SQL("""
    UPDATE places SET resolved = true
    FROM unnest(%(ids)s::bigint[], %(parents)s::bigint[]) AS given (place_id, parent_id)
    WHERE places.place_id = given.place_id AND places.parent_id IS NOT DISTINCT FROM given.parent_id
""")


async def known_threads(session: AsyncSession, place_ids: Collection[int]) -> list[PlaceState]:
    """Return those of the places that Discord itself calls threads."""
    values = {"ids": sorted(place_ids), "threads": _THREADS}
    return [state_of(row) for row in await fetch(session, _KNOWN_THREADS, values)]


async def unresolved_threads(session: AsyncSession, *, limit: int) -> list[PlaceState]:
    """Return the newest threads of which messages stored earlier may not know the parent and kind."""
    return [state_of(row) for row in await fetch(session, _UNRESOLVED, {"limit": limit})]


async def mark_resolved(session: AsyncSession, threads: Sequence[PlaceState]) -> None:
    """Note that the messages of threads know their parent and kind."""
    values = {"ids": [thread.place_id for thread in threads], "parents": [thread.parent_id for thread in threads]}
    await execute(session, _RESOLVED, values)
