"""Read one page of a place's messages into the journal and the ledger."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import agent.front_end
from bot.history.source import PAGE, History, Payload, ReadablePlace
from memory.coverage.intervals import EVERYTHING, Interval
from memory.coverage.writer import CoverageWriter

_MOST_AHEAD = 8 << 20  # bytes of the journal that are not in memory yet; behind them live messages would have to wait
_GLANCE = 0.1  # seconds between two looks at how far memory is
_RATE_OVER = 30.0  # seconds


class Recorder(agent.front_end.Recorder, Protocol):
    """Where messages are put, and how far memory is behind."""

    @property
    def progress(self) -> tuple[int, int]:
        """How many bytes of the journal are searchable, and how many there are."""
        ...

    @property
    def journal_is_failing(self) -> bool:
        """Whether the journal cannot be written just now."""
        ...


class PageReader:
    """Reads pages of a server's past; what it has read is in the journal before the ledger says so."""

    def __init__(self, history: History, *, writer: CoverageWriter, recorder: Recorder, session: str) -> None:
        self._history = history
        self._writer = writer
        self._recorder = recorder
        self._session = session
        self._speed: deque[tuple[float, int]] = deque()
        self._started_at = time.monotonic()
        self._waiting = 0
        self.messages = 0
        """How many messages were read."""

    @property
    def waits_for_memory(self) -> bool:
        """Whether reading stands still until memory has caught up with the journal."""
        return self._waiting > 0

    @property
    def per_second(self) -> float:
        """How many messages of the last half minute came in a second."""
        now = time.monotonic()
        while self._speed and self._speed[0][0] < now - _RATE_OVER:
            self._speed.popleft()
        return sum(count for _, count in self._speed) / max(1.0, min(_RATE_OVER, now - self._started_at))

    async def read(self, place: ReadablePlace, gap: Interval) -> Interval:
        """Read the newest page of a gap; return what need not be read any more.

        No message may join the gap later. Raises RefusedPlaceError, DiscordUnavailableError and, when too many messages
        wait for a full disk, JournalUnavailableError: then the page counts as not read.
        """
        await self._wait_for_memory()
        page = await self._history.page(place, before=gap.newest_id + 1)
        await self._record(place, page)
        is_last = len(page) < PAGE
        oldest_id = min((int(payload["id"]) for payload in page), default=gap.newest_id)
        if is_last:  # nothing is older, and the place itself is as old as its id
            oldest_id = min(oldest_id, place.place_id)
        read = Interval(oldest_id, gap.newest_id)
        self._writer.add(place.place_id, place.place.guild_id, read, reaches_start=is_last)
        return Interval(EVERYTHING.oldest_id, gap.newest_id) if is_last else read

    async def _record(self, place: ReadablePlace, page: Sequence[Payload]) -> None:
        """Put a page into the journal, oldest message first: later ones are indexed with those before them."""
        states = [self._history.message(payload, place, session=self._session) for payload in reversed(page)]
        await asyncio.gather(*(self._recorder.record(state) for state in states if state is not None))
        self.messages += len(page)
        self._speed.append((time.monotonic(), len(page)))

    async def _wait_for_memory(self) -> None:
        """Wait while memory is far behind the journal: what is said meanwhile stands behind all of that."""
        self._waiting += 1
        try:
            while True:
                stored, end = self._recorder.progress
                if end - stored <= _MOST_AHEAD and not self._recorder.journal_is_failing:
                    return
                await asyncio.sleep(_GLANCE)
        finally:
            self._waiting -= 1
