"""Read the past of a server: newest first in every place, all places in turn, the last month before anything older."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from bot.history.pages import PageReader
from bot.history.progress import Outcome, Progress
from bot.history.rounds import Rounds
from bot.history.source import Archive, History, PassedOver, ReadablePlace
from errors import RefusedPlaceError, TemporaryError, first_line
from memory.coverage.intervals import EVERYTHING, Interval, first_id_at, gaps, interval_of, subtract
from memory.coverage.ledger import Ledger, Stretch

logger = logging.getLogger(__name__)

T = TypeVar("T")

RECENT = timedelta(days=30)
"""What is read of all places before anything older is."""

_CONCURRENCY = 32  # requests under way; with up to 800 ms each they fill 40 a second
_TRIES = 3
_FIRST_RETRY, _SLOWEST_RETRY = 1.0, 20.0  # seconds
_SETTLED = timedelta(minutes=1)  # what is newer may still be on its way, or on the clock of another machine
_UNEXPECTED = "it could not be read, and the log says why"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRequest:
    """What of a server is to be read: `again` also what was read already."""

    channel_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    again: bool = False

    @property
    def span(self) -> Interval:
        """The ids of the messages that are wanted."""
        return interval_of(self.since, self.until)


class Reader(Protocol):
    """Something that is read in steps of one request each."""

    place_id: int
    name: str

    @property
    def newest_left(self) -> int:
        """The id that no message which is left to read is newer than; negative when nothing is left."""
        ...

    async def step(self) -> None:
        """Make one request, and take in what comes of it."""
        ...

    def end(self) -> None:
        """Leave the rest."""
        ...


class Backfill:
    """One reading of the past; whenever it is stopped, what it has read is in the journal, and soon in the ledger."""

    def __init__(
        self,
        history: History,
        pages: PageReader,
        *,
        ledger: Ledger,
        clock: Callable[[], datetime],
        request: BackfillRequest,
        concurrency: int = _CONCURRENCY,
    ) -> None:
        self._history = history
        self._pages = pages
        self._ledger = ledger
        self._clock = clock
        self._request = request
        self._concurrency = concurrency
        self._recent_from = first_id_at(clock() - RECENT)
        self._rounds: Rounds[Reader] = Rounds(self._is_urgent)
        self._places: list[PlaceReader] = []
        self._known: dict[int, list[Stretch]] = {}
        self._total: int | None = None
        self._passed_over: list[PassedOver] = []
        self._outcome = Outcome.RUNNING

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return Progress(
            outcome=self._outcome,
            places_done=sum(place.newest_left < 0 for place in self._places),
            places_total=len(self._places),
            recent_left=sum(map(self._is_urgent, self._places)),
            messages=self._pages.messages,
            messages_total=self._total,
            per_second=self._pages.per_second,
            waits_for_memory=self._pages.waits_for_memory,
            passed_over=tuple(self._passed_over),
        )

    async def run(self) -> Progress:
        """Read until all is read that can be; whoever cancels it can go on with another one.

        Raises RefusedPlaceError for a channel that is not there, DiscordUnavailableError when not even the channels can
        be listed, and DatabaseUnavailableError when nobody can tell what was read before.
        """
        try:
            await self._begin()
            async with asyncio.TaskGroup() as group:
                for _ in range(self._concurrency):
                    group.create_task(self._work())
        except BaseException:
            self._outcome = Outcome.STOPPED
            raise
        self._outcome = Outcome.FINISHED
        return self.progress

    async def _begin(self) -> None:
        channel_id = self._request.channel_id
        listing = await _patiently(self._history.listing, channel_id)
        self._passed_over += listing.passed_over
        if not self._request.again:
            self._known = await self._ledger.of_guild(self._history.guild_id)
        for place in listing.places:
            self._add(place)
        for archive in listing.archives:
            self._rounds.put(ArchiveReader(self._history, archive, add=self._add, since=self._request.since))
        if not self._known:  # else nobody can tell how many of all messages are left
            self._total = await self._history.about_how_many(channel_id, self._request.span)

    def _add(self, place: ReadablePlace) -> None:
        """Take in a place; one of which nothing is left to read is done at once."""
        covered = [stretch.covered for stretch in self._known.get(place.place_id, ())]
        reader = PlaceReader(self._pages, place, gaps(self._span_of(place), covered))
        self._places.append(reader)
        if reader.newest_left >= 0:
            self._rounds.put(reader)

    def _span_of(self, place: ReadablePlace) -> Interval:
        """Return the ids that are wanted of a place, and that no message can join any more."""
        newest_id = place.last_message_id
        if newest_id is None:
            newest_id = first_id_at(self._clock() - _SETTLED)
        return self._request.span.overlap(Interval(EVERYTHING.oldest_id, newest_id))

    def _is_urgent(self, reader: Reader) -> bool:
        """Return whether something of the last month is left to read."""
        return reader.newest_left >= self._recent_from

    async def _work(self) -> None:
        """Take steps with whatever has its turn until nothing is left."""
        while (reader := await self._rounds.take()) is not None:
            await self._step(reader)
            if reader.newest_left < 0:
                self._rounds.done()
            else:
                self._rounds.back(reader)

    async def _step(self, reader: Reader) -> None:
        """Take one step; what fails ends its own reader and costs the others nothing."""
        try:
            await _patiently(reader.step)
        except RefusedPlaceError as error:
            self._pass_over(reader, str(error))
        except TemporaryError as error:
            self._pass_over(reader, first_line(error), for_later=True)
        except Exception:
            logger.exception("%s cannot be read", reader.name)
            self._pass_over(reader, _UNEXPECTED)

    def _pass_over(self, reader: Reader, reason: str, *, for_later: bool = False) -> None:
        logger.warning("%s is passed over: %s", reader.name, reason)
        self._passed_over.append(PassedOver(reader.place_id, reader.name, reason, for_later))
        reader.end()


class PlaceReader:
    """Reads the gaps of one place, newest first."""

    def __init__(self, pages: PageReader, place: ReadablePlace, left: list[Interval]) -> None:
        self._pages = pages
        self._place = place
        self._left = left
        self.name = place.name
        self.place_id = place.place_id

    @property
    def newest_left(self) -> int:
        """The newest id of the newest gap."""
        return self._left[-1].newest_id if self._left else -1

    async def step(self) -> None:
        """Read one page."""
        read = await self._pages.read(self._place, self._left[-1])
        self._left = subtract(self._left, [read])

    def end(self) -> None:
        """Leave the rest."""
        self._left = []


class ArchiveReader:
    """Lists the archived threads of one channel, the last archived first, and has each of them read."""

    def __init__(
        self, history: History, archive: Archive, *, add: Callable[[ReadablePlace], None], since: datetime | None
    ) -> None:
        self._history = history
        self._archive = archive
        self._add = add
        self._since = since
        self._before: str | None = None
        self.newest_left = EVERYTHING.newest_id
        kind = "private" if archive.is_private else "public"
        self.name = f"the list of archived {kind} threads of {archive.name}"
        self.place_id = archive.channel_id

    async def step(self) -> None:
        """Read one page of the list."""
        page = await self._history.archived(self._archive, self._before)
        for thread in page.threads:
            if not self._is_too_old(thread.archived_at):
                self._add(thread)
        self._before = page.before
        if self._archive.is_joined_only:  # these come by their ids, in no order of time
            oldest_at = None
        else:
            oldest_at = min((at for thread in page.threads if (at := thread.archived_at) is not None), default=None)
        if page.before is None or self._is_too_old(oldest_at):
            self.end()
        elif oldest_at is not None:
            self.newest_left = first_id_at(oldest_at)

    def end(self) -> None:
        """List no more of them."""
        self.newest_left = -1

    def _is_too_old(self, archived_at: datetime | None) -> bool:
        """Return whether a thread was archived before what is wanted: nothing was said in it since."""
        return self._since is not None and archived_at is not None and archived_at < self._since


async def _patiently(call: Callable[..., Coroutine[Any, Any, T]], *arguments: object) -> T:
    """Call up to three times while it may work later; raises what the last call raised."""
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(TemporaryError),
        stop=stop_after_attempt(_TRIES),
        wait=wait_random_exponential(_FIRST_RETRY, _SLOWEST_RETRY),
        reraise=True,
    )
    result: T = await retrying(call, *arguments)
    return result
