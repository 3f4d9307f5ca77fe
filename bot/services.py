"""What the Discord front end needs from the rest of the program."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from agent.front_end import QuotingAsker, TimeZones
from bot.caller import Caller
from bot.erasing import Erasing
from bot.history.memory import HistoryMemory
from bot.history.pages import Recorder
from bot.layout import AnswerStyle
from bot.other_bots import ALL_BOTS, OtherBots
from bot.places import PlaceLog
from memory.answers.changes import AnswerChanges
from memory.answers.kept import Kept, KeptAnswer, KeptQuestion, Posted, Rating
from memory.consent.opt_outs import OptOut, Wish
from memory.consent.rules import NO_RULES, Rules
from memory.digests import Digests
from memory.guild_settings import Chosen, Setting
from memory.health import Health
from memory.message import Message
from memory.personal import PersonalData
from memory.preferences import Zone
from memory.reminders import Reminders
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

    async def change(self, guild_id: int, setting: Setting[T], change: Callable[[T], T], *, at: datetime) -> T:
        """Set what `change` makes of the present value, and return that; raise as `set` and `change` do."""

    async def of_every_guild(self, setting: Setting[T]) -> dict[int, T]:
        """Return what each guild has set that has set anything; raise DatabaseUnavailableError."""


class Consent(Protocol):
    """Knows what may not be kept, and takes what people wish; see `memory.consent.consent.Consent`."""

    @property
    def rules(self) -> Rules:
        """What may not be kept, as far as is known now."""

    async def opt_out(self, person_id: int, wish: Wish, *, at: datetime) -> None:
        """Store what a person wishes; raise DatabaseUnavailableError when it cannot be stored now."""

    def wish_of(self, person_id: int) -> OptOut:
        """Return what a person has asked for."""


class AnswerStore(Protocol):
    """Keeps questions and answers; each method raises DatabaseUnavailableError."""

    async def asked(self, question: KeptQuestion) -> None:
        """Keep a question; one that is known stays as it is."""

    async def ready(self, question_id: int, answer: KeptAnswer, *, now: datetime) -> None:
        """Keep the answer to a question."""

    async def sending(self, question_id: int, *, now: datetime) -> None:
        """Note that an answer is about to be sent."""

    async def delivered(self, question_id: int, *, message_ids: Sequence[int], now: datetime) -> None:
        """Note that Discord has taken an answer, and in which messages."""

    async def taken_up(self, question_id: int, *, now: datetime) -> None:
        """Note one more attempt to answer a question, or to deliver its answer."""

    async def give_up(self, question_id: int, *, now: datetime) -> None:
        """Note that a question will not be answered any more."""

    async def withdraw(self, question_ids: Collection[int], *, now: datetime) -> list[Posted]:
        """Note that questions were deleted, and are not to be answered any more; return where answers stand already."""

    async def get(self, question_id: int) -> Kept | None:
        """Return a question; None when it is not kept."""

    async def owed(self, guild_ids: Collection[int], *, direct_messages: bool) -> list[Kept]:
        """Return the oldest questions of these guilds whose answers were not delivered; perhaps direct messages too."""

    async def count_since(self, since: datetime, *, asker_id: int, guild_id: int, before: int) -> int:
        """Return how many questions somebody has asked in a guild since a moment and `before` the one with that id."""

    async def rate(self, question_id: int, rating: Rating, *, rater_id: int, now: datetime) -> bool:
        """Keep what somebody thinks of an answer; False when it is not kept."""

    async def drop_old(self, now: datetime) -> Any:
        """Delete what is too old and was never rated."""


class Lookup(Protocol):
    """Finds stored messages by their ids."""

    async def lookup(self, message_ids: Iterable[int], *, places: frozenset[int]) -> dict[int, Message]:
        """Return the current state of those that are stored, not deleted, and may be read."""


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
    answer_style: AnswerStyle = AnswerStyle.CARD
    other_bots: OtherBots = ALL_BOTS
    health: Callable[[int | None], Awaitable[Health]] | None = None
    """Says how the program is, with what concerns one guild; None where nobody knows."""
    privacy_url: str | None = None
    """Where the operator's privacy page is."""
    places: PlaceLog | None = None
    """Keeps what Discord says of channels and threads; None where nothing of that is kept."""
    history: HistoryMemory | None = None
    consent: Consent | None = None
    """Knows what may not be kept; None where everything may be."""
    lookup: Lookup | None = None
    """Finds the messages that a kept answer cites; None where no answer is kept."""
    answers: AnswerStore | None = None
    """Keeps questions until they are answered; None where nothing outlives a restart."""
    answer_changes: AnswerChanges | None = None
    """Knows which answers cite what was edited or deleted since; None where answers stay as they are."""
    erasing: Erasing | None = None
    """Erases what people ask for; None where only whoever runs the bot does."""
    personal: PersonalData | None = None
    """Tells people what is held of them."""
    overviews: Overviews | None = None
    """What happened, who knows, what was decided; None where there is no memory to list it from."""
    reminders: Reminders | None = None
    """What people asked to be reminded of; None where that is not kept."""
    digests: Digests | None = None
    """Keeps which digests were posted; None where none are."""

    @property
    def rules(self) -> Rules:
        """What may not be kept, as far as is known now."""
        return NO_RULES if self.consent is None else self.consent.rules

    def keeps(self, caller: Caller) -> bool:
        """Return whether what somebody asks, and what they are answered, may be kept."""
        parent_id = getattr(caller.channel, "parent_id", None)
        places = (caller.channel_id, parent_id)
        return self.rules.keeps_from(caller.user.id, caller.guild_id, *places, at=caller.created_at)

    async def zone_of(self, person_id: int, guild_id: int | None) -> Zone:
        """Return the time zone that counts for whoever uses a command."""
        return await self.time_zones.of(person_id, guild_id, self.time_zone)
