"""Read pages of a place's messages, and single messages, over Discord's HTTP interface, as memory keeps them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import discord

from bot.history.discord_history import DiscordHistory, answered_in_time
from bot.history.source import PAGE, Payload, ReadablePlace
from bot.other_bots import ALL_BOTS, OtherBots
from errors import DiscordUnavailableError, RefusedPlaceError
from memory.coverage.intervals import Interval, first_id_at
from memory.message import Kind, Message

logger = logging.getLogger(__name__)

MESSAGE_IS_UNKNOWN = 10008  # Discord's code for a message that is not there
NOT_IN_GUILD = "I am not in that server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The messages whose ids are in an interval: all that Discord has there.

    `messages` are those to keep, without the bot's own and those of bots that are left out; `ids` are those of all.
    `is_last` says that nothing lies beyond it in the direction of reading. Discord was asked `asked_at`.
    """

    interval: Interval
    messages: tuple[Message, ...]
    ids: frozenset[int]
    is_last: bool
    asked_at: datetime


class HistoryReader:
    """Asks Discord about messages; whoever calls it in the background says so by `bot.history.pace`.

    All of it raises DiscordUnavailableError, and RefusedPlaceError for a place that cannot be read now: it is gone, or
    the bot may not see its history.
    """

    def __init__(
        self,
        client: discord.Client,
        *,
        session: str,
        clock: Callable[[], datetime],
        other_bots: OtherBots = ALL_BOTS,
    ) -> None:
        self._client = client
        self._other_bots = other_bots
        self._session = session
        self._clock = clock
        self._other_bots = other_bots

    async def page_after(self, place: ReadablePlace, message_id: int) -> Page:
        """Return the oldest messages that are newer than one; the last page reaches until now."""
        asked_at, history = self._clock(), self._history(place)
        payloads = await history.page_after(place, after=message_id)
        ids, is_last = _ids(payloads), len(payloads) < PAGE
        newest_id = max([*ids, first_id_at(asked_at)]) if is_last else max(ids)
        interval = Interval(message_id + 1, newest_id)
        return self._page(history, place, payloads, interval, asked_at=asked_at)

    async def page_before(self, place: ReadablePlace, message_id: int) -> Page:
        """Return the newest messages that are older than one; the last page reaches to the beginning."""
        asked_at, history = self._clock(), self._history(place)
        payloads = await history.page(place, before=message_id)
        oldest_id = 0 if len(payloads) < PAGE else min(_ids(payloads))
        interval = Interval(oldest_id, message_id - 1)
        return self._page(history, place, payloads, interval, asked_at=asked_at)

    async def look_up(self, place: ReadablePlace, message_id: int) -> Message | None:
        """Return a message as it is now, None when Discord says that there is none.

        No error counts as that: it leaves open whether the message is still there.
        """
        history = self._history(place)
        async with answered_in_time():
            try:
                payload = cast("Payload", await self._client.http.get_message(place.place_id, message_id))
            except discord.NotFound as error:
                if error.code == MESSAGE_IS_UNKNOWN:
                    return None
                raise
        message = history.message(payload, place, session=self._session)
        if message is None:
            raise DiscordUnavailableError("the message is not there yet")
        return message

    def _history(self, place: ReadablePlace) -> DiscordHistory:
        guild = self._client.get_guild(place.place.guild_id or 0)
        if guild is None:
            raise RefusedPlaceError(NOT_IN_GUILD)
        return DiscordHistory(self._client, guild, other_bots=self._other_bots)

    def _page(
        self,
        history: DiscordHistory,
        place: ReadablePlace,
        payloads: Sequence[Payload],
        interval: Interval,
        *,
        asked_at: datetime,
    ) -> Page:
        read = [self._readable(history, place, payload) for payload in payloads]
        kept = [message for message in read if message is not None and message.kind is not Kind.ANSWER]
        return Page(
            interval=interval,
            messages=tuple(sorted(kept, key=lambda message: message.message_id)),
            ids=frozenset(_ids(payloads)),
            is_last=len(payloads) < PAGE,
            asked_at=asked_at,
        )

    def _readable(self, history: DiscordHistory, place: ReadablePlace, payload: Payload) -> Message | None:
        """Return one message of a page, None for one that is not kept, or cannot be read, which is said in the log."""
        try:
            return history.message(payload, place, session=self._session) if self._other_bots.keeps(payload) else None
        except Exception:
            logger.exception("a message in place %d cannot be read", place.place_id)
            return None


def _ids(payloads: Sequence[Payload]) -> list[int]:
    return [int(payload["id"]) for payload in payloads]
