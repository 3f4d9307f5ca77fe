"""Answer /timezone in the terminal, and know the time zone of whoever speaks there."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from errors import TemporaryError
from memory.time_zones import Owner, OwnerKind, Zone

logger = logging.getLogger(__name__)

NOT_LOOKED_UP = "Your time zone cannot be looked up just now, so times are in {}."
_NOT_STORED = "The database does not answer just now, so your time zone has not changed; try again later."
_YOURS = "Your time zone is {}, which you chose yourself."
_DEFAULT = "Your time zone is {}, which TIME_ZONE says; /timezone ZONE chooses another."
_OF_THIS_RUN = "Your time zone is {}, which --time-zone says for this run."
_FROM_THE_NEXT_RUN = "Your choice counts from the next run on; in this one --time-zone says {}."


class TimeZones(Protocol):
    """Knows whose clock counts for whom."""

    async def of(self, person_id: int | None, guild_id: int | None, fallback: ZoneInfo) -> Zone:
        """Return the time zone that counts for a person in a guild."""

    async def choose(self, owner: Owner, text: str, *, at: datetime) -> None:
        """Keep what an owner wants; raise ValueError, or TemporaryError when it cannot be kept now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerZone:
    """The time zone of one speaker: that of this run when there is one, else their own, else the default."""

    time_zones: TimeZones
    speaker_id: int
    default: ZoneInfo
    of_this_run: ZoneInfo | None
    clock: Callable[[], datetime]

    async def current(self) -> Zone:
        """Return the time zone that counts now."""
        if self.of_this_run is not None:
            return Zone(self.of_this_run)
        return await self.time_zones.of(self.speaker_id, None, self.default)

    async def command(self, text: str) -> str:
        """Choose a time zone by its name, or none again, when there is a text; return one sentence."""
        if text:
            try:
                await self.time_zones.choose(Owner(OwnerKind.PERSON, self.speaker_id), text, at=self.clock())
            except ValueError as error:
                return str(error)
            except TemporaryError as error:
                logger.warning("a time zone was not stored: %r", error)
                return _NOT_STORED
        return self._sentence(await self.current(), chosen=bool(text))

    def _sentence(self, zone: Zone, *, chosen: bool) -> str:
        shown = f"{zone.zone.key} ({self.clock().astimezone(zone.zone):%a %H:%M})"
        if self.of_this_run is not None:
            return (_FROM_THE_NEXT_RUN if chosen else _OF_THIS_RUN).format(shown)
        if not zone.certain:
            return NOT_LOOKED_UP.format(shown)
        return (_YOURS if zone.source is OwnerKind.PERSON else _DEFAULT).format(shown)
