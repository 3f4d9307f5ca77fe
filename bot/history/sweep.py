"""Verify older history again, slowly and by night: the part of it that was verified longest ago comes first."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.history.catch_up import Pages, ReadStretches
from bot.history.freshness import Freshness
from bot.history.source import ReadablePlace
from bot.history.verification import Verified, Verifier
from errors import RefusedPlaceError, TemporaryError
from memory.coverage.intervals import Interval, subtract
from memory.coverage.ledger import Stretch

logger = logging.getLogger(__name__)

LENGTH = timedelta(hours=3)
"""How long it goes on at most; the next night goes on where it stopped."""

PAUSE = timedelta(seconds=0.7)
"""Between two pages, so that it takes 1 to 2 of the 50 requests that Discord allows in a second."""

FRESH_FOR = timedelta(hours=20)
"""What was verified so shortly ago is left out: one night verifies each page once."""

GLANCE = timedelta(seconds=10)
"""Between two looks at whether the bot is still busy."""


@dataclass(frozen=True, slots=True)
class Part:
    """Messages of one place that were verified at the same time."""

    guild_id: int
    place_id: int
    interval: Interval
    read_at: datetime


class Sweep:
    """Reads pages again that the ledger says are read, and records what was edited or deleted unheard.

    `open_places` gives the channels and active threads of a guild, and `find_place` any other thread by its id; it
    raises RefusedPlaceError for one that is gone or closed.
    It waits while `is_busy` says so, and goes on when that is over.
    """

    def __init__(
        self,
        *,
        reader: Pages,
        verifier: Verifier,
        stretches: ReadStretches,
        freshness: Freshness,
        open_places: Callable[[int], Awaitable[Collection[ReadablePlace]]],
        find_place: Callable[[int, int], Awaitable[ReadablePlace]],
        is_busy: Callable[[], bool],
        clock: Callable[[], datetime],
        pause: timedelta = PAUSE,
        glance: timedelta = GLANCE,
    ) -> None:
        self._reader = reader
        self._verifier = verifier
        self._stretches = stretches
        self._freshness = freshness
        self._open_places = open_places
        self._find_place = find_place
        self._is_busy = is_busy
        self._clock = clock
        self._pause = pause
        self._glance = glance

    async def run(self, guild_ids: Iterable[int], *, until: datetime) -> Verified:
        """Verify what of these guilds was verified longest ago until a moment, or until all is; nothing is raised.

        A place that cannot be read is left to another night.
        """
        counted = Verified()
        places: dict[int, ReadablePlace | None] = {}
        for part in await self._parts(guild_ids, places):
            if self._clock() >= until:
                break
            try:
                if part.place_id not in places:
                    await self._take_turn()
                    places[part.place_id] = await self._find_place(part.guild_id, part.place_id)
                if (place := places[part.place_id]) is not None:
                    counted += await self._verify(place, part, until=until)
            except RefusedPlaceError as error:
                logger.info("place %d is not verified: %s", part.place_id, error)
                places[part.place_id] = None
            except TemporaryError as error:
                logger.warning("place %d is left to another night: %r", part.place_id, error)
                places[part.place_id] = None
        logger.info("older history was verified: %s", counted)
        return counted

    async def _parts(self, guild_ids: Iterable[int], places: dict[int, ReadablePlace | None]) -> list[Part]:
        """Return what there is to verify, the oldest verification first, and note the places that are open."""
        parts: list[Part] = []
        for guild_id in guild_ids:
            try:
                known = await self._stretches.of_guild(guild_id)
                places |= {place.place_id: place for place in await self._open_places(guild_id)}
            except TemporaryError as error:
                logger.warning("guild %d is left to another night: %r", guild_id, error)
                continue
            parts += self._due(guild_id, known)
        return sorted(parts, key=lambda part: (part.read_at, -part.interval.newest_id))

    def _due(self, guild_id: int, known: Mapping[int, Sequence[Stretch]]) -> list[Part]:
        due_before = self._clock() - FRESH_FOR
        return [
            Part(guild_id, place_id, interval, stretch.read_at)
            for place_id, stretches in known.items()
            for stretch in stretches
            if stretch.read_at < due_before
            for interval in subtract([stretch.interval], self._freshness.fresh_of(guild_id, place_id))
        ]

    async def _verify(self, place: ReadablePlace, part: Part, *, until: datetime) -> Verified:
        """Verify the pages of a part, the newest first; each is noted, so that another night goes on behind it."""
        counted, before = Verified(), part.interval.newest_id + 1
        while before > part.interval.oldest_id and self._clock() < until:
            await self._take_turn()
            page = await self._reader.page_before(place, before)
            counted += await self._verifier.verify(place, page)
            self._freshness.note_read(part.guild_id, part.place_id, page.interval)
            await self._stretches.note_verified(part.place_id, page.interval, read_at=page.asked_at)
            if page.is_last:
                break
            before = page.interval.oldest_id
        return counted

    async def _take_turn(self) -> None:
        await asyncio.sleep(self._pause.total_seconds())
        while self._is_busy():  # noqa: ASYNC110  # being busy is no event
            await asyncio.sleep(self._glance.total_seconds())


def next_start(now: datetime, *, at: time, time_zone: ZoneInfo) -> datetime:
    """Return when the next night's sweep begins: the next time that a clock in the zone shows this."""
    today = now.astimezone(time_zone).date()
    moments = (datetime.combine(today + timedelta(days=days), at, time_zone) for days in range(3))
    return next(moment for moment in moments if moment.timestamp() > now.timestamp())
