"""Bring memory up to what Discord shows: record what is new or edited, and what is gone once Discord confirms it."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from agent.front_end import Recorder
from bot.events import deletion_of
from bot.history.comparison import differences
from bot.history.rest import Page
from bot.history.source import ReadablePlace
from errors import DiscordUnavailableError
from memory.coverage.intervals import Interval
from memory.message import Message
from memory.search.stored import StoredStretch

logger = logging.getLogger(__name__)

SETTLE_LIMIT = timedelta(seconds=5)


class Lookup(Protocol):
    """Asks Discord about one message."""

    async def look_up(self, place: ReadablePlace, message_id: int) -> Message | None:
        """Return a message as it is now, None when Discord says that there is none; raise when it does not say."""


class StoredMessages(Protocol):
    """Knows what both memories hold."""

    async def stored_in(self, guild_id: int, place_id: int, interval: Interval) -> StoredStretch:
        """Return what they hold of these messages, or of the first ones; raise DatabaseUnavailableError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """How many messages were recorded as new, edited and deleted, and of how many Discord did not say enough."""

    new: int = 0
    edited: int = 0
    deleted: int = 0
    left_open: int = 0

    def __add__(self, other: "Verified") -> "Verified":
        return Verified(
            new=self.new + other.new,
            edited=self.edited + other.edited,
            deleted=self.deleted + other.deleted,
            left_open=self.left_open + other.left_open,
        )

    def __str__(self) -> str:
        return f"{self.new} new, {self.edited} edited, {self.deleted} deleted, {self.left_open} not certain"


class Verifier:
    """Compares what Discord shows with what memory holds, and records the difference as the front end records events.

    A state read over HTTP goes through the recorder, where it is merged: what was heard of later stays.
    """

    def __init__(
        self,
        lookup: Lookup,
        *,
        stored: StoredMessages,
        recorder: Recorder,
        session: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._lookup = lookup
        self._stored = stored
        self._recorder = recorder
        self._session = session
        self._clock = clock

    async def verify(self, place: ReadablePlace, page: Page, *, keep_all: bool = False) -> Verified:
        """Record how a page differs from memory, and return how many messages that were.

        With `keep_all` this session shall have the whole stretch, whatever becomes of what other sessions brought: what
        only long-term memory holds is recorded too.
        Raises DatabaseUnavailableError when memory cannot say what it holds, JournalUnavailableError when nothing can
        be recorded, and RefusedPlaceError when the place is closed meanwhile.
        """
        await self._recorder.settle(timeout=SETTLE_LIMIT)  # what is not searchable yet would be recorded once more
        counted, left = Verified(), page.interval
        while not left.is_empty:
            stored = await self._stored.stored_in(place.place.guild_id or 0, place.place_id, left)
            part = Interval(left.oldest_id, min(stored.newest_id, left.newest_id))
            counted += await self._record(place, page, part, stored, keep_all=keep_all)
            left = Interval(part.newest_id + 1, left.newest_id)
        return counted

    async def _record(
        self, place: ReadablePlace, page: Page, part: Interval, stored: StoredStretch, *, keep_all: bool
    ) -> Verified:
        shown = [message for message in page.messages if part.oldest_id <= message.message_id <= part.newest_id]
        found = differences(shown, page.ids, stored.states, asked_at=page.asked_at)
        changes = {message.message_id: message for message in (*found.new, *found.edited)}
        for message in shown:
            known = stored.states.get(message.message_id)
            is_lacking = keep_all and not (known and known.of_this_session)
            if is_lacking or message.message_id in changes:
                await self.record(changes.get(message.message_id, message))
        return Verified(new=len(found.new), edited=len(found.edited)) + await self.confirm(place, found.missing)

    async def confirm(self, place: ReadablePlace, message_ids: Iterable[int]) -> Verified:
        """Record those of the messages as deleted of which Discord says that they are; an error leaves one open."""
        counted = Verified()
        for message_id in message_ids:
            try:
                message = await self._lookup.look_up(place, message_id)
            except DiscordUnavailableError as error:
                logger.warning("whether message %d is deleted is left open: %r", message_id, error)
                counted += Verified(left_open=1)
                continue
            if message is None:
                await self.record_deletion(place, message_id)
                counted += Verified(deleted=1)
        return counted

    async def record(self, state: Message) -> None:
        """Record what Discord shows of a message; raise JournalUnavailableError when that cannot be."""
        await self._recorder.record(state)

    async def record_deletion(self, place: ReadablePlace, message_id: int) -> None:
        """Record that a message is gone; when that happened nobody knows, so it counts as deleted now."""
        gone = deletion_of(message_id, place.place, session=self._session, deleted_at=self._clock())
        await self._recorder.record(gone)
