"""What the Discord front end needs from the rest of the program."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from agent.front_end import Asker, Recorder, TimeZones
from memory.preferences import Zone
from time_expressions.conventions import DateOrder

NOT_LOOKED_UP = "I cannot look up just now whether a time zone was chosen here, so times are in {}."
"""What an answer says when the time zone that counts is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that the front end is given.

    `about` writes the text of /about in Markdown, `session` is the name of the program session, `time_zone` is the
    one of those who have chosen none, `date_order` the order of days and months that was set for everybody, if any.
    """

    recorder: Recorder
    asker: Asker
    about: Callable[[], Awaitable[str]]
    session: str
    time_zones: TimeZones
    time_zone: ZoneInfo
    clock: Callable[[], datetime]
    date_order: DateOrder | None = None

    async def zone_of(self, person_id: int, guild_id: int | None) -> Zone:
        """Return the time zone that counts for whoever uses a command."""
        return await self.time_zones.of(person_id, guild_id, self.time_zone)
