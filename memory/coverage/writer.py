"""Write down what was read and heard, every few seconds, and never more than the journal holds on the disk."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from errors import DatabaseUnavailableError
from memory.coverage.intervals import Interval, first_id_at
from memory.coverage.ledger import Ledger, Stretch, combined
from util_async import periodic

logger = logging.getLogger(__name__)

FLUSH_EVERY = timedelta(seconds=3)
"""How much of what was read a crash lets be read again, at most."""

_SILENT_EVERY = (
    100  # flushes: five minutes of silence are written at once, or ten thousand places would cost a row each
)


class JournalOnDisk(Protocol):
    """What has to be known of a session's CSV."""

    @property
    def progress(self) -> tuple[int, int]:
        """How many bytes of it are searchable, and how many there are."""
        ...

    async def push(self) -> bool:
        """Push it to the disk; return whether that took all."""
        ...


@dataclass(slots=True)
class _Heard:
    """What was heard of a place since somebody began to listen: all from `oldest_id` to `newest_id`."""

    guild_id: int | None
    oldest_id: int
    newest_id: int
    written_id: int = -1
    has_spoken: bool = False


class CoverageWriter:
    """Gathers pages that were read and the places that are listened to, and writes both into the ledger together.

    Whoever tells it of messages has recorded them before.
    """

    def __init__(self, ledger: Ledger, journal: JournalOnDisk, *, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._journal = journal
        self._clock = clock
        self._pages: dict[int, list[Stretch]] = defaultdict(list)
        self._live: dict[int, _Heard] = {}
        self._left: list[tuple[int, _Heard]] = []
        self._flushing = asyncio.Lock()
        self._flushes = 0

    def add(self, place_id: int, guild_id: int | None, interval: Interval, *, reaches_start: bool = False) -> None:
        """Note that all messages of an interval are recorded as they are now; it may hold none."""
        if interval.is_empty:
            return
        now = self._clock()
        page = Stretch(
            place_id=place_id,
            guild_id=guild_id,
            interval=interval,
            read_at=now,
            widened_at=now,
            journal_end=0,
            reaches_start=reaches_start,
        )
        self._pages[place_id] = combined([*self._pages[place_id], page])

    def listen(self, places: Mapping[int, int | None], *, from_id: int) -> None:
        """Note that from an id on all messages of places, each given with its guild, will be heard; known ones stay."""
        for place_id, guild_id in places.items():
            self._live.setdefault(place_id, _Heard(guild_id, from_id, from_id - 1))

    def heard(self, place_id: int, message_id: int) -> None:
        """Note that a message of a place is recorded, and all before it since somebody listens."""
        live = self._live.get(place_id)
        if live is not None and message_id > live.newest_id:
            live.newest_id, live.has_spoken = message_id, True

    def heard_up_to(self, moment: datetime) -> None:
        """Note that all that was sent to any listened place before a moment is recorded."""
        newest_id = first_id_at(moment) - 1
        for live in self._live.values():
            live.newest_id = max(live.newest_id, newest_id)

    def stop_listening(self, places: Collection[int] | None = None) -> None:
        """Note that of some places, or of all, nothing more is heard; what was heard stays."""
        for place_id in list(self._live) if places is None else places:
            live = self._live.pop(place_id, None)
            if live is not None:
                self._left.append((place_id, live))

    async def flush(self, *, silent_too: bool = True) -> bool:
        """Write down what is noted, also of places where nothing was said; return whether nothing is left to write.

        Nothing is written while the disk does not take the journal or the database is away; then it is kept.
        """
        async with self._flushing:
            heard = list(self._heard(silent_too=silent_too))
            pages, self._pages = self._pages, defaultdict(list)
            left, self._left = self._left, []
            tops = [(place_id, live, live.newest_id) for place_id, live in (*left, *heard)]
            try:
                if await self._write([one for stretches in pages.values() for one in stretches], tops):
                    return True
            except DatabaseUnavailableError as error:
                logger.warning("what was read cannot be written down now: %r", error)
            except BaseException:
                self._put_back(pages, left)
                raise
            self._put_back(pages, left)
            return False

    async def _write(self, pages: list[Stretch], tops: list[tuple[int, _Heard, int]]) -> bool:
        """Return whether pages and the tops of places are written, once the disk has what they stand for."""
        if not pages and not tops:
            return True
        now, (_, end) = self._clock(), self._journal.progress
        if not await self._journal.push():
            return False
        await self._ledger.add(
            [
                *(_with_end(page, end) for page in pages),
                *(_stretch(place_id, live, newest_id, now, end) for place_id, live, newest_id in tops),
            ]
        )
        for _, live, newest_id in tops:
            live.written_id, live.has_spoken = newest_id, live.newest_id > newest_id
        return True

    def _heard(self, *, silent_too: bool) -> Iterator[tuple[int, _Heard]]:
        for place_id, live in self._live.items():
            is_new = live.newest_id > live.written_id and live.newest_id >= live.oldest_id
            if is_new and (live.has_spoken or silent_too):
                yield place_id, live

    def _put_back(self, pages: Mapping[int, list[Stretch]], left: list[tuple[int, _Heard]]) -> None:
        for place_id, stretches in pages.items():
            self._pages[place_id] = combined([*stretches, *self._pages[place_id]])
        self._left = left + self._left

    async def flush_now_and_then(self) -> None:
        """Flush once in a round of many: silent places only now and then."""
        self._flushes += 1
        await self.flush(silent_too=self._flushes % _SILENT_EVERY == 0)


def _with_end(page: Stretch, end: int) -> Stretch:
    return replace(page, journal_end=end)


def _stretch(place_id: int, live: _Heard, newest_id: int, now: datetime, end: int) -> Stretch:
    return Stretch(
        place_id=place_id,
        guild_id=live.guild_id,
        interval=Interval(live.oldest_id, newest_id),
        read_at=now,
        widened_at=now,
        journal_end=end,
    )


@asynccontextmanager
async def open_coverage_writer(
    ledger: Ledger, journal: JournalOnDisk, *, clock: Callable[[], datetime], every: timedelta = FLUSH_EVERY
) -> AsyncGenerator[CoverageWriter]:
    """Yield a writer that flushes itself every few seconds and on exit, while the journal is still open."""
    writer = CoverageWriter(ledger, journal, clock=clock)
    try:
        async with periodic(writer.flush_now_and_then, every=every, at_once=False):
            yield writer
    finally:
        writer.stop_listening()
        await writer.flush()
