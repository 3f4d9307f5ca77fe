"""Count the reactions to a message again, some time after they have changed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.workers import Workers

logger = logging.getLogger(__name__)

PAUSE = timedelta(seconds=2)
"""How long further reactions to the same message are waited for."""

CAPACITY = 1000
"""Messages that may wait to be counted; the reactions to others are counted when the past is read."""

_ASKING_PAUSE = timedelta(milliseconds=300)  # between two messages that Discord is asked for


@dataclass(frozen=True, slots=True)
class ReactedTo:
    """A message whose reactions have changed."""

    message_id: int
    channel_id: int
    guild_id: int | None


Count = Callable[[ReactedTo], Awaitable[bool]]
"""Counts and records; returns whether Discord had to be asked for the message."""


class ReactionCounts:
    """Has each message counted once, however many reactions come within a pause, and few of them asked for a second."""

    def __init__(self, count: Count, *, pause: timedelta = PAUSE, capacity: int = CAPACITY) -> None:
        self._count = count
        self._pause = pause.total_seconds()
        self._capacity = capacity
        self._waiting: dict[ReactedTo, float] = {}
        self._workers = Workers(self._count_all, most=1)

    def note(self, reacted_to: ReactedTo) -> None:
        """Have a message counted after the pause, unless too many wait already."""
        if reacted_to in self._waiting:
            return
        if len(self._waiting) >= self._capacity:
            logger.info("reactions to message %d are not counted: too many wait", reacted_to.message_id)
            return
        self._waiting[reacted_to] = asyncio.get_running_loop().time() + self._pause
        self._workers.wake()

    async def close(self) -> None:
        """Leave what waits uncounted."""
        await self._workers.close()

    async def _count_all(self) -> None:
        while self._waiting:
            reacted_to, due = next(iter(self._waiting.items()))
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            del self._waiting[reacted_to]
            if await self._counted(reacted_to):
                await asyncio.sleep(_ASKING_PAUSE.total_seconds())

    async def _counted(self, reacted_to: ReactedTo) -> bool:
        try:
            return await self._count(reacted_to)
        except Exception as error:  # noqa: BLE001 - a message that cannot be counted must not end counting
            logger.info("reactions to message %d are not counted: %r", reacted_to.message_id, error)
            return True
