"""What the Discord front end needs from the rest of the program."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from agent.front_end import QuotingAsker, TimeZones
from bot.history.memory import HistoryMemory
from bot.history.pages import Recorder
from bot.other_bots import ALL_BOTS, OtherBots
from bot.places import PlaceLog
from memory.guild_settings import Chosen, Setting
from memory.preferences import Zone
from overviews.all import Overviews
from time_expressions.conventions import DateOrder

T = TypeVar("T")

NOT_LOOKED_UP = "I cannot look up just now whether a time zone was chosen here, so times are in {}."
"""What an answer says when the time zone that counts is not known."""


class GuildSettings(Protocol):
    """Knows what administrators have set for their guild."""

    async def get(self, guild_id: int, setting: Setting[T]) -> Chosen[T]:
        """Return what is set, or what was known last while it cannot be looked up."""

    async def set(self, guild_id: int, setting: Setting[T], value: T, *, at: datetime) -> None:
        """Set a value; raise DatabaseUnavailableError when it cannot be stored now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that the front end is given.

    `about` writes the text of /about for a guild in Markdown, `session` is the name of the program session, `time_zone`
    is the one of those who have chosen none, `date_order` the order of days and months that was set for everybody, if
    any. Without a `history` nothing is read again that was missed.
    """

    recorder: Recorder
    asker: QuotingAsker
    about: Callable[[int | None], Awaitable[str]]
    session: str
    time_zones: TimeZones
    guild_settings: GuildSettings
    time_zone: ZoneInfo
    clock: Callable[[], datetime]
    date_order: DateOrder | None = None
    other_bots: OtherBots = ALL_BOTS
    places: PlaceLog | None = None
    """Keeps what Discord says of channels and threads; None where nothing of that is kept."""
    history: HistoryMemory | None = None
    overviews: Overviews | None = None
    """What happened, who knows, what was decided; None where there is no memory to list it from."""

    async def zone_of(self, person_id: int, guild_id: int | None) -> Zone:
        """Return the time zone that counts for whoever uses a command."""
        return await self.time_zones.of(person_id, guild_id, self.time_zone)
