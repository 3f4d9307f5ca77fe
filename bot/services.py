"""What the Discord front end needs from the rest of the program."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from agent.types import Answer, Question
from memory.message import Message
from memory.preferences import Owner, Zone
from time_expressions.conventions import DateOrder


class Recorder(Protocol):
    """Keeps what is said."""

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        """Return once the message is journalled; raise JournalUnavailableError when that cannot be.

        With `patience` it waits no longer than that while the journal cannot be written.
        """

    async def settle(self, *, timeout: timedelta) -> bool:
        """Wait until what was recorded so far is searchable; False when `timeout` came first."""


class Asker(Protocol):
    """Answers questions from memory."""

    async def ask(self, question: Question) -> Answer:
        """Return the answer; raise TemporaryError when memory or the model cannot be reached."""


class TimeZones(Protocol):
    """Knows whose clock counts for whom."""

    async def of(self, person_id: int | None, guild_id: int | None, fallback: ZoneInfo) -> Zone:
        """Return the time zone that counts for a person in a guild."""

    async def choose(self, owner: Owner, text: str, *, at: datetime) -> None:
        """Keep what an owner wants; raise ValueError, or TemporaryError when it cannot be kept now."""


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
