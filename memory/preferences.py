"""Keep whose clock counts for whom: a person's own time zone, else their guild's, else the deployment's."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, timely_transaction
from db.schema import TimeZoneRow
from errors import DatabaseUnavailableError
from time_expressions.folding import folded
from time_expressions.zones import find_zone, zone_names

logger = logging.getLogger(__name__)

ANSWER_LIMIT = timedelta(seconds=2)  # somebody waits for an answer, which is better in another zone than late
FRESH_FOR = timedelta(minutes=1)  # another process may change or erase a row
_MOST_KNOWN = 10_000  # owners
_NONE = frozenset({"none", "clear"})


class OwnerKind(StrEnum):
    """Who may have a time zone."""

    PERSON = "person"
    GUILD = "guild"


class Owner(NamedTuple):
    """A person or a guild, by their id."""

    kind: OwnerKind
    owner_id: int


@dataclass(frozen=True, slots=True)
class Zone:
    """The time zone that counts, and whose it is: None for the deployment's.

    It is not `certain` while nobody can look up whether there is one that comes before it.
    """

    zone: ZoneInfo
    source: OwnerKind | None = None
    certain: bool = True


class _Known(NamedTuple):
    """What was read of an owner, and until when, on the monotonic clock, it need not be read again."""

    zone: ZoneInfo | None
    fresh_until: float


class TimeZones:
    """The time zones that people and guilds have chosen, in one database, with the latest ones at hand."""

    def __init__(
        self, sessions: Sessions, *, timeout: timedelta = ANSWER_LIMIT, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions = sessions
        self._timeout = timeout
        self._monotonic = monotonic
        self._known: dict[Owner, _Known] = {}
        self._changes = 0

    async def of(self, person_id: int | None, guild_id: int | None, fallback: ZoneInfo) -> Zone:
        """Return the time zone that counts for a person in a guild; never raises because a database is away."""
        ids = ((OwnerKind.PERSON, person_id), (OwnerKind.GUILD, guild_id))
        owners = [Owner(kind, owner_id) for kind, owner_id in ids if owner_id is not None]
        zones = await self._zones_of(owners)
        certain = True
        for owner in owners:
            zone = zones.get(owner)
            certain = certain and owner in zones
            if zone is not None:
                return Zone(zone, owner.kind, certain)
        return Zone(fallback, None, certain)

    async def choose(self, owner: Owner, text: str, *, at: datetime) -> None:
        """Give an owner the time zone that a text names, or take theirs away when it says none or clear.

        Raises ValueError, with a sentence for whoever wrote the text, when it names no time zone, and
        DatabaseUnavailableError when the choice cannot be stored now.
        """
        if folded(text.strip()) in _NONE:
            await self.clear(owner)
        else:
            await self.set(owner, await asyncio.to_thread(find_zone, text), at=at)

    async def set(self, owner: Owner, zone: ZoneInfo, *, at: datetime) -> None:
        """Give an owner a time zone; raise DatabaseUnavailableError when it cannot be stored now."""
        row = insert(TimeZoneRow).values(owner_kind=owner.kind, owner_id=owner.owner_id, zone=zone.key, set_at=at)
        async with self._transaction() as session:
            await session.execute(
                row.on_conflict_do_update(
                    index_elements=[TimeZoneRow.owner_kind, TimeZoneRow.owner_id],
                    set_={"zone": row.excluded.zone, "set_at": row.excluded.set_at},
                )
            )
        self._changed(owner, zone)

    async def clear(self, owner: Owner) -> None:
        """Take an owner's time zone away, if there is one; raise DatabaseUnavailableError when that cannot be now."""
        theirs = (TimeZoneRow.owner_kind == owner.kind, TimeZoneRow.owner_id == owner.owner_id)
        async with self._transaction() as session:
            await session.execute(delete(TimeZoneRow).where(*theirs))
        self._changed(owner, None)

    async def _zones_of(self, owners: Iterable[Owner]) -> dict[Owner, ZoneInfo | None]:
        """Return the zones of those owners of whom something is known; while the database is away, what was known."""
        known = {owner: self._known[owner] for owner in owners if owner in self._known}
        now = self._monotonic()
        zones = {owner: one.zone for owner, one in known.items()}
        due = [owner for owner in owners if owner not in known or known[owner].fresh_until <= now]
        if due:
            try:
                zones |= await self._look_up(due)
            except DatabaseUnavailableError as error:
                logger.warning("time zones cannot be looked up: %r", error)
        return zones

    async def _look_up(self, owners: list[Owner]) -> dict[Owner, ZoneInfo | None]:
        changes = self._changes
        key = tuple_(TimeZoneRow.owner_kind, TimeZoneRow.owner_id)
        async with self._transaction() as session:
            rows = (await session.scalars(select(TimeZoneRow).where(key.in_(owners)))).all()
        chosen = {Owner(OwnerKind(row.owner_kind), row.owner_id): row.zone for row in rows}
        found = await asyncio.to_thread(_zones, owners, chosen)
        if changes == self._changes:  # else what was read may be older than what is known
            self._keep(found)
        return found

    def _changed(self, owner: Owner, zone: ZoneInfo | None) -> None:
        self._changes += 1
        self._keep({owner: zone})

    def _keep(self, zones: dict[Owner, ZoneInfo | None]) -> None:
        fresh_until = self._monotonic() + FRESH_FOR.total_seconds()
        for owner, zone in zones.items():
            self._known.pop(owner, None)  # the newest stands last
            self._known[owner] = _Known(zone, fresh_until)
        while len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return timely_transaction(self._sessions, timeout=self._timeout, about="a time zone")


def _zones(owners: Iterable[Owner], chosen: dict[Owner, str]) -> dict[Owner, ZoneInfo | None]:
    return {owner: _zone(owner, chosen[owner]) if owner in chosen else None for owner in owners}


def _zone(owner: Owner, name: str) -> ZoneInfo | None:
    """Return the zone of a stored name; None, said in the log, for one that this system does not know."""
    if name in zone_names():
        return ZoneInfo(name)
    logger.warning("%s %d has the time zone %r, which is not known here: it is ignored", *owner, name)
    return None
