"""Know places by the names that they bear today, also where nobody has written since they were renamed."""

from psycopg.sql import SQL
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import fetch
from memory.names.known import Named
from memory.names.places import thread_name
from memory.places.state import PlaceKind, PlaceState
from memory.places.store import columns_of, state_of

ROWS_AT_ONCE = 4000
"""Rows that one statement gives: neither it nor the event loop takes long."""

_NAMED = SQL("""
    SELECT {columns}, coalesce(parents.name, '') AS parent_name
    FROM places LEFT JOIN places AS parents ON parents.place_id = places.parent_id
    WHERE places.place_id > %(after)s ORDER BY places.place_id LIMIT %(limit)s
""").format(columns=columns_of("places"))


def named_of(state: PlaceState, *, parent_name: str) -> Named | None:
    """Return what a place is called; None for one that has no messages of its own, and where the name is not known."""
    if not state.name or state.kind is PlaceKind.CATEGORY:
        return None
    is_thread = state.kind.is_thread and state.parent_id is not None
    return Named(
        place_id=state.place_id,
        channel_id=state.parent_id if is_thread and state.parent_id is not None else state.place_id,
        channel=thread_name(parent_name, state.name) if is_thread else state.name,
        author="",
        sent_at=state.seen_at,
        in_public_thread=is_thread and state.kind.is_public_thread,
    )


async def some_place_names(session: AsyncSession, *, after: int) -> tuple[list[Named], int | None]:
    """Return what the next places by id are called, and the last id; None when there are no more."""
    rows = await fetch(session, _NAMED, {"after": after, "limit": ROWS_AT_ONCE})
    found = [named_of(state_of(row), parent_name=row["parent_name"]) for row in rows]
    last = rows[-1]["place_id"] if len(rows) == ROWS_AT_ONCE else None
    return [named for named in found if named is not None], last
