"""Ask Discord about messages that an answer is about to quote, where memory may have missed an edit or a deletion."""

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.history.comparison import edited_state
from bot.history.freshness import Freshness
from bot.history.source import ReadablePlace
from bot.history.verification import Lookup, Verifier
from errors import DiscordUnavailableError, JournalUnavailableError, RefusedPlaceError
from memory.coverage.intervals import Interval
from memory.message import Kind, Message, Place
from memory.search.stored import StoredState

logger = logging.getLogger(__name__)

MOST_ASKED = 10
"""Messages of one answer that Discord is asked about."""

AT_ONCE = 5
"""Requests that wait for Discord side by side, of all answers together."""

CHECK_LIMIT = timedelta(seconds=3)
"""How long an answer waits for its messages to be checked."""

COULD_NOT_BE_CHECKED = (
    "Some of the messages could not be checked with Discord just now; they may have been changed or deleted while I "
    "was away."
)


@dataclass(frozen=True, slots=True)
class Checked:
    """Which messages `changed` or went, by id, which memory learns of now, and which could not be checked."""

    changed: frozenset[int] = frozenset()
    unchecked: frozenset[int] = frozenset()


class CitedCheck:
    """Checks messages with Discord before they are quoted, and records what has become of them.

    What was heard or read again since the bot listens without a break needs no check. A message that was checked once
    needs none until the next break.
    """

    def __init__(
        self,
        lookup: Lookup,
        *,
        verifier: Verifier,
        freshness: Freshness,
        clock: Callable[[], datetime],
        limit: timedelta = CHECK_LIMIT,
    ) -> None:
        self._lookup = lookup
        self._verifier = verifier
        self._freshness = freshness
        self._clock = clock
        self._limit = limit
        self._turns = asyncio.Semaphore(AT_ONCE)

    def needs_check(self, message: Message) -> bool:
        """Return whether memory may have missed what became of a message; commands are no messages to Discord."""
        return message.kind in {Kind.MESSAGE, Kind.SYSTEM} and not self._freshness.is_fresh(message)

    async def verify(self, messages: Collection[Message]) -> frozenset[int]:
        """Return the ids of those messages that changed or went; see `check`."""
        return (await self.check(messages)).changed

    async def check(self, messages: Collection[Message]) -> Checked:
        """Ask about those of the messages that need it, the first ten, for three seconds, and record what is new.

        Nothing is raised: what Discord did not answer about, or not in time, is unchecked.
        """
        doubtful = {message.message_id: message for message in messages if self.needs_check(message)}
        asked = dict(list(doubtful.items())[:MOST_ASKED])
        tasks = {key: asyncio.create_task(self._has_changed(message)) for key, message in asked.items()}
        try:
            if tasks:
                await asyncio.wait(tasks.values(), timeout=self._limit.total_seconds())
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.gather(*tasks.values(), return_exceptions=True)
        results = {key: _result(task) for key, task in tasks.items()}
        return Checked(
            changed=frozenset(key for key, has_changed in results.items() if has_changed),
            unchecked=frozenset(key for key in doubtful if results.get(key) is None),
        )

    async def _has_changed(self, message: Message) -> bool | None:
        """Return whether Discord shows a message otherwise or no more, and record it; None where Discord does not say.

        What is found out is recorded even when the answer waits no longer.
        """
        place = ReadablePlace(place=_place_of(message), last_message_id=None)
        async with self._turns:
            asked_at = self._clock()
            try:
                shown = await self._lookup.look_up(place, message.message_id)
            except (DiscordUnavailableError, RefusedPlaceError) as error:
                logger.warning("message %d is quoted unchecked: %r", message.message_id, error)
                return None
        return await self._noted(place, message, shown, asked_at)

    async def _noted(
        self, place: ReadablePlace, message: Message, shown: Message | None, asked_at: datetime
    ) -> bool | None:
        known = StoredState(
            message_id=message.message_id,
            edited_at=message.edited_at,
            is_empty=not message.content and not message.attachments,
        )
        state = None if shown is None else edited_state(shown, known, asked_at=asked_at)
        try:
            if shown is None:
                await self._verifier.record_deletion(place, message.message_id)
            elif state is not None:
                await self._verifier.record(state)
        except JournalUnavailableError as error:
            logger.warning("what became of message %d is not recorded: %r", message.message_id, error)
        else:
            checked = Interval(message.message_id, message.message_id)
            self._freshness.note_read(place.place.guild_id or 0, place.place_id, checked)
        return shown is None or state is not None


def _place_of(message: Message) -> Place:
    return Place(
        guild_id=message.guild_id,
        channel_id=message.channel_id,
        channel_name=message.channel_name,
        thread_id=message.thread_id,
        in_public_thread=message.in_public_thread,
    )


def _result(task: "asyncio.Task[bool | None]") -> bool | None:
    """Return what a check has found out; None for one that was cut short or failed, which is logged."""
    if task.cancelled():
        return None
    if (error := task.exception()) is not None:
        logger.error("a message could not be checked", exc_info=error)
        return None
    return task.result()
