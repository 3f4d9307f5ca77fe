"""Read again what was said, edited and deleted while the bot was away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.history.freshness import Freshness
from bot.history.rest import Page
from bot.history.source import ReadablePlace
from bot.history.verification import Verified, Verifier
from errors import RefusedPlaceError, TemporaryError
from memory.coverage.intervals import Interval, first_id_at, gaps, merge, time_of_id
from memory.coverage.ledger import Stretch

logger = logging.getLogger(__name__)

RECENT = timedelta(days=7)
RECENT_MESSAGES = 500
"""How far before the time away edits and deletions of an active place are looked for: whichever is reached first."""

AT_ONCE = 8
"""Places that are read side by side; Discord lets about one page a second go in each."""

PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
"""Before places that could not be read are tried again; those that fail then are left to the next start."""


class ReadStretches(Protocol):
    """Knows what was read of each place."""

    async def of_guild(self, guild_id: int) -> Mapping[int, Sequence[Stretch]]:
        """Return the stretches of each place of a guild; raise DatabaseUnavailableError."""
        ...

    async def note_verified(self, place_id: int, interval: Interval, *, read_at: datetime) -> None:
        """Note that what is known of an interval was as Discord has it at a moment; raise DatabaseUnavailableError."""
        ...


class Pages(Protocol):
    """Reads pages of messages from Discord; see `bot.history.rest.HistoryReader`."""

    async def page_after(self, place: ReadablePlace, message_id: int) -> Page:
        """Return the oldest messages that are newer than one."""
        ...

    async def page_before(self, place: ReadablePlace, message_id: int) -> Page:
        """Return the newest messages that are older than one."""
        ...


class Coverage(Protocol):
    """Writes down what was read."""

    def add(self, place_id: int, guild_id: int | None, interval: Interval, *, reaches_start: bool = False) -> None:
        """Note that all messages of an interval are recorded."""
        ...


@dataclass(slots=True)
class _Round:
    """What one reading of a guild's places came to, and which places `failed`: None where that is all of them."""

    verified: Verified = field(default_factory=Verified)
    failed: list[ReadablePlace] | None = field(default_factory=list)


class CatchUp:
    """Brings the places of a guild up to the present: what is new, and what changed of the last days before.

    `open_places` gives the places of a guild whose history the bot may read just now, without archived threads;
    `archived_since` gives those that were archived after a moment, in which something may have been said before that.
    """

    def __init__(
        self,
        *,
        reader: Pages,
        verifier: Verifier,
        stretches: ReadStretches,
        coverage: Coverage,
        freshness: Freshness,
        open_places: Callable[[int], Awaitable[Collection[ReadablePlace]]],
        archived_since: Callable[[int, datetime], Awaitable[Collection[ReadablePlace]]],
        pauses: Sequence[timedelta] = PAUSES,
    ) -> None:
        self._reader = reader
        self._verifier = verifier
        self._stretches = stretches
        self._coverage = coverage
        self._freshness = freshness
        self._open_places = open_places
        self._archived_since = archived_since
        self._pauses = pauses

    async def run(
        self, guild_id: int, *, listened_from: int, places: Collection[ReadablePlace] | None = None
    ) -> Verified:
        """Read what was missed in a guild before the id from which on the bot listens, and return what that was.

        Without `places` it is read in all of them. Those that cannot be read now are tried again after pauses.
        """
        counted = Verified()
        for pause in (*self._pauses, None):
            done = await self._round(guild_id, places, listened_from)
            counted, places = counted + done.verified, done.failed
            if pause is None or places == []:
                break
            logger.warning("what is left of guild %d is read in %s", guild_id, pause)
            await asyncio.sleep(pause.total_seconds())
        logger.info("guild %d is caught up, %d places are left: %s", guild_id, len(places or ()), counted)
        return counted

    async def _round(self, guild_id: int, places: Collection[ReadablePlace] | None, listened_from: int) -> _Round:
        """Read places side by side, None for all; one that fails costs no other."""
        result = _Round()
        try:
            known = await self._stretches.of_guild(guild_id)
        except TemporaryError as error:
            logger.warning("what was missed in guild %d is not known now: %r", guild_id, error)
            result.failed = None if places is None else list(places)
            return result
        missed = _Missed(known, listened_from)
        if missed.away_since is None:
            return result  # nothing was ever heard here, so nothing was missed
        if places is not None:
            await self._read_all(places, missed, result)
            return result
        await self._read_all(await self._open_places(guild_id), missed, result)
        await self._read_all(await self._archived_since(guild_id, time_of_id(missed.away_since)), missed, result)
        return result

    async def _read_all(self, places: Collection[ReadablePlace], missed: "_Missed", result: _Round) -> None:
        """Read places side by side, those with the newest messages first."""
        turns = asyncio.Semaphore(AT_ONCE)

        async def read(place: ReadablePlace) -> None:
            async with turns:
                try:
                    await self._read(place, missed, result)
                except RefusedPlaceError as error:
                    logger.info("%s is not caught up: %s", place.name, error)
                except TemporaryError as error:
                    logger.warning("%s is not caught up: %r", place.name, error)
                    result.failed = [*(result.failed or ()), place]

        async with asyncio.TaskGroup() as group:
            for place in sorted(places, key=lambda place: -(place.last_message_id or 0)):
                group.create_task(read(place))

    async def _read(self, place: ReadablePlace, missed: "_Missed", result: _Round) -> None:
        for gap in reversed(missed.gaps_of(place)):
            await self._fill(place, gap, missed.listened_from, result)
        top = missed.top_of(place)
        if top is not None:
            await self._check_recent(place, top, result)

    async def _fill(self, place: ReadablePlace, gap: Interval, listened_from: int, result: _Round) -> None:
        """Record all that was said in a gap, the oldest first, and up to now where the gap does."""
        if place.last_message_id is not None and place.last_message_id < gap.oldest_id:
            self._note_read(place, gap)  # nothing was said since
            return
        last_id = gap.oldest_id - 1
        reaches_now = gap.newest_id == listened_from - 1  # by our clock, which may be slow
        while reaches_now or last_id < gap.newest_id:
            page = await self._reader.page_after(place, last_id)
            result.verified += await self._verifier.verify(place, page, keep_all=True)
            self._note_read(place, page.interval)
            if page.is_last or page.interval.is_empty:
                break
            last_id = page.interval.newest_id

    def _note_read(self, place: ReadablePlace, interval: Interval) -> None:
        self._coverage.add(
            place.place_id, place.place.guild_id or 0, interval, reaches_start=interval.oldest_id <= place.place_id
        )
        self._freshness.note_read(place.place.guild_id or 0, place.place_id, interval)

    async def _check_recent(self, place: ReadablePlace, top: int, result: _Round) -> None:
        """Look for edits and deletions in the last days, or messages, before the time away."""
        oldest_id = first_id_at(time_of_id(top) - RECENT)
        if place.last_message_id is not None and place.last_message_id < oldest_id:
            return
        before, seen = top + 1, 0
        while before > oldest_id and seen < RECENT_MESSAGES:
            page = await self._reader.page_before(place, before)
            result.verified += await self._verifier.verify(place, page)
            await self._note_verified(place, page)
            if page.is_last:
                return
            before, seen = page.interval.oldest_id, seen + len(page.ids)

    async def _note_verified(self, place: ReadablePlace, page: Page) -> None:
        self._freshness.note_read(place.place.guild_id or 0, place.place_id, page.interval)
        await self._stretches.note_verified(place.place_id, page.interval, read_at=page.asked_at)


class _Missed:
    """What of a guild's places was neither heard nor read before the bot began to listen."""

    def __init__(self, known: Mapping[int, Sequence[Stretch]], listened_from: int) -> None:
        before = Interval(0, listened_from - 1)
        parts = {
            place_id: merge(stretch.covered.overlap(before) for stretch in stretches)
            for place_id, stretches in known.items()
        }
        self._covered = {place_id: covered for place_id, covered in parts.items() if covered}
        self.listened_from = listened_from
        self.away_since = max((covered[-1].newest_id for covered in self._covered.values()), default=None)
        """The newest id of which anything is known in any place; what was said anywhere after it was missed."""

    def top_of(self, place: ReadablePlace) -> int | None:
        """Return the newest id of a place that was heard or read; None when nothing was."""
        covered = self._covered.get(place.place_id)
        return covered[-1].newest_id if covered else None

    def gaps_of(self, place: ReadablePlace) -> list[Interval]:
        """Return what was missed of a place, the oldest first.

        What was said before anything of a place was known is not missed: reading the past is another matter. A place
        of which nothing is known, such as an old thread, was missed since the bot is away if something was said there.
        """
        covered = self._covered.get(place.place_id)
        if covered:
            return gaps(Interval(covered[0].oldest_id, self.listened_from - 1), covered)
        away_since = self.away_since or 0
        if max(place.last_message_id or 0, place.place_id) <= away_since:
            return []
        return [Interval(away_since + 1, self.listened_from - 1)]
