"""Find the names of channels, and of those who speak in them."""

from collections.abc import Iterable

from sqlalchemy import ARRAY, BigInteger, func, literal, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import MessageRow, place_id
from memory.messages import Kind
from memory.store import one_of

NamedPlace = tuple[int, int, str]
"""A channel or thread, the channel that it is or belongs to, and that channel's name."""


async def channels(session: AsyncSession, *, places: frozenset[int]) -> list[NamedPlace]:
    """Return those of the places that something was said in, with the newest name that this database knows."""
    asked = (
        func.unnest(literal(sorted(places), ARRAY(BigInteger))).table_valued("place_id", name="asked").render_derived()
    )
    newest = (
        select(MessageRow.channel_id, MessageRow.channel_name)
        .where(place_id == asked.c.place_id)
        .order_by(MessageRow.sent_at.desc())
        .limit(1)
        .lateral("newest")
    )
    statement = select(asked.c.place_id, newest.c.channel_id, newest.c.channel_name).join(newest, true())
    return [(place, channel, name) for place, channel, name in await session.execute(statement)]


async def authors(session: AsyncSession, *, places: frozenset[int]) -> list[str]:
    """Return the names of all who said something in these places."""
    statement = (
        select(MessageRow.author_name)
        .where(one_of(place_id, places), MessageRow.kind == Kind.MESSAGE.value, MessageRow.deleted_at.is_(None))
        .distinct()
    )
    return list(await session.scalars(statement))


def by_name(found: Iterable[NamedPlace], *, places: frozenset[int]) -> dict[str, frozenset[int]]:
    """Return the places under each of their names, those of channels with their threads.

    What Discord writes for a channel or thread that somebody mentions, "<#123>", is a name of it too.
    """
    names: dict[str, set[int]] = {_mention(place): {place} for place in places}
    for place, channel, name in found:
        for one in (name, _mention(channel)):
            names.setdefault(one, set()).add(place)
    return {name: frozenset(bearers) for name, bearers in names.items()}


def _mention(place: int) -> str:
    return f"<#{place}>"
