"""A stand-in for the time zones that people and guilds have chosen."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from errors import DatabaseUnavailableError
from memory.preferences import Owner, OwnerKind, Zone
from time_expressions.zones import find_zone


@dataclass
class FakeTimeZones:
    """Keeps zones in memory; while it is `away` it knows nothing and takes nothing."""

    chosen: dict[Owner, ZoneInfo] = field(default_factory=dict)
    away: bool = False

    async def of(self, person_id: int | None, guild_id: int | None, fallback: ZoneInfo) -> Zone:
        for kind, owner_id in ((OwnerKind.PERSON, person_id), (OwnerKind.GUILD, guild_id)):
            zone = None if owner_id is None or self.away else self.chosen.get(Owner(kind, owner_id))
            if zone is not None:
                return Zone(zone, kind)
        return Zone(fallback, certain=not self.away)

    async def choose(self, owner: Owner, text: str, *, at: datetime) -> None:
        zone = None if text == "none" else find_zone(text)
        if self.away:
            raise DatabaseUnavailableError("db:5432")
        self.chosen.pop(owner, None)
        if zone is not None:
            self.chosen[owner] = zone
