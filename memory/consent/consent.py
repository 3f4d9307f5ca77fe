"""Keep at hand what may not be kept, and decide of each message before anything is written of it."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from errors import DatabaseUnavailableError
from memory.consent.opt_outs import OptOut, OptOuts, Wish
from memory.consent.pauses import Pause
from memory.consent.reading import rules_from
from memory.consent.rules import NO_RULES, Refusal, withdrawal
from memory.guild_settings import IGNORED_CHANNELS, PAUSES, RETENTION_DAYS, GuildSettings
from memory.message import Kind, Message
from util_async import periodic

logger = logging.getLogger(__name__)

REFRESH_EVERY = timedelta(seconds=30)
"""How long it takes at most until what another process was told counts here, and the time to read it."""

NO_WISH = OptOut(Wish.NOTHING, datetime.min.replace(tzinfo=UTC))
_MOST_REMEMBERED = 50_000  # ids of messages that were kept out: what answers or forwards one may follow for a while


class Stored(Protocol):
    """Knows who wrote what is stored."""

    async def of(self, message_ids: Collection[int]) -> Mapping[int, int | None]:
        """Return the authors of those messages that are stored; raise DatabaseUnavailableError."""


class Admits(Protocol):
    """Decides what of a message may be kept."""

    async def admitted(self, message: Message, *, settled: Callable[[], Awaitable[object]]) -> Message | None:
        """Return the state to keep, if any; `settled` waits until what was kept before is stored."""


class Consent:
    """What may not be kept, as it was last read; `load` comes before anything is listened to.

    A refresh that fails leaves what is known: people who have opted out stay so while the database is away.
    """

    def __init__(
        self,
        opt_outs: OptOuts,
        guild_settings: GuildSettings,
        stored: Stored,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._opt_outs = opt_outs
        self._guild_settings = guild_settings
        self._stored = stored
        self._clock = clock
        self._changes = 0
        self._wishes: Mapping[int, OptOut] = {}
        self._ignored: Mapping[int, Mapping[int, datetime]] = {}
        self._pauses: Mapping[int, tuple[Pause, ...]] = {}
        self._retention: Mapping[int, int | None] = {}
        self._kept_out: dict[int, None] = {}
        self.rules = NO_RULES
        guild_settings.on_change.append(self._note_setting)

    async def load(self) -> None:
        """Read anew what may not be kept; raise DatabaseUnavailableError, with what is known unchanged."""
        changes = self._changes
        wishes = await self._opt_outs.all()
        ignored = await self._guild_settings.of_every_guild(IGNORED_CHANNELS)
        pauses = await self._guild_settings.of_every_guild(PAUSES)
        retention = await self._guild_settings.of_every_guild(RETENTION_DAYS)
        if changes != self._changes:  # what was read may be older than what was set here; the next reading knows both
            return
        self._wishes, self._ignored, self._pauses, self._retention = wishes, ignored, pauses, retention
        self._apply()

    async def opt_out(self, person_id: int, wish: Wish, *, at: datetime) -> None:
        """Store what a person wishes, which counts at once; raise DatabaseUnavailableError when it cannot be stored."""
        await self._opt_outs.set(person_id, wish, at=at)
        self._changes += 1
        others = {other: one for other, one in self._wishes.items() if other != person_id}
        self._wishes = others if wish is Wish.NOTHING else {**others, person_id: OptOut(wish, at)}
        self._apply()

    def wish_of(self, person_id: int) -> OptOut:
        """Return what a person has asked for, as far as is known here."""
        return self._wishes.get(person_id, NO_WISH)

    async def admitted(self, message: Message, *, settled: Callable[[], Awaitable[object]]) -> Message | None:
        """Return what of a state of a message may be kept: all of it, that it counts as deleted, or nothing (None).

        An edit that may not be kept takes an earlier text out of use, and a deletion is always noted, where the message
        is stored; `settled` waits until what was recorded before is. Where that cannot be looked up, both are noted:
        they hold no words.
        """
        refusal = self.rules.refusal_of(message)
        if refusal is None and not self._deletes_what_was_kept_out(message) and not await self._repeats(message):
            return message
        if refusal is not None and (message.edited_at is not None or message.deleted_at is not None):
            await settled()
            if await self._may_be_stored(message.message_id):
                return withdrawal(message)
        self._remember(message.message_id)
        logger.debug("a message is not kept: %s", (refusal or Refusal.PERSON).value)
        return None

    def _deletes_what_was_kept_out(self, message: Message) -> bool:
        return message.deleted_at is not None and message.author_id is None and message.message_id in self._kept_out

    async def _repeats(self, message: Message) -> bool:
        """Return whether a message answers, or forwards, one that was kept out."""
        if message.kind is Kind.ANSWER and message.reply_to in self._kept_out:
            return True
        original = message.forwarded_from
        if original is None or self.rules == NO_RULES:
            return False
        return original in self._kept_out or await self._is_by_somebody_out(original)

    async def _is_by_somebody_out(self, message_id: int) -> bool:
        if not self.rules.opted_out:
            return False
        try:
            author_id = (await self._stored.of([message_id])).get(message_id)
        except DatabaseUnavailableError as error:
            logger.warning("a forward is not kept, as nobody can look up whose words it has: %r", error)
            return True
        return author_id in self.rules.opted_out

    async def _may_be_stored(self, message_id: int) -> bool:
        try:
            return message_id in await self._stored.of([message_id])
        except DatabaseUnavailableError as error:
            logger.warning("a message counts as deleted, as nobody can look up whether it is stored: %r", error)
            return True

    def _remember(self, message_id: int) -> None:
        self._kept_out[message_id] = None
        if len(self._kept_out) > _MOST_REMEMBERED:
            del self._kept_out[next(iter(self._kept_out))]

    def _note_setting(self, guild_id: int, name: str, value: Any) -> None:
        """Take what was just set here."""
        if name == IGNORED_CHANNELS.name:
            self._ignored = {**self._ignored, guild_id: IGNORED_CHANNELS.load(value)}
        elif name == PAUSES.name:
            self._pauses = {**self._pauses, guild_id: PAUSES.load(value)}
        elif name == RETENTION_DAYS.name:
            self._retention = {**self._retention, guild_id: RETENTION_DAYS.load(value)}
        else:
            return
        self._changes += 1
        self._apply()

    def _apply(self) -> None:
        self.rules = rules_from(
            self._wishes,
            ignored=self._ignored,
            pauses=self._pauses,
            retention=self._retention,
            now=self._clock(),
        )


@asynccontextmanager
async def kept_fresh(consent: Consent, *, every: timedelta = REFRESH_EVERY) -> AsyncGenerator[Consent]:
    """Load what may not be kept, then yield; it is read again and again while the context lasts.

    Raises DatabaseUnavailableError when it cannot be read at first: nobody may be listened to before.
    """
    await consent.load()
    async with periodic(consent.load, every=every, at_once=False):
        yield consent
