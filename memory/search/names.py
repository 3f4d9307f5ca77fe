"""Keep the names of people and channels at hand, and current, so that a question is read without asking for them.

Each memory's names are read once, in small pieces, by whoever needs them first or by a task in the background; what
is read stays read when time runs out. What ingest stores is noted as it is stored. A batch that another process brings
into a memory is noticed at the next question, and its names alone are read; when one was taken back, all are read anew.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from time import perf_counter

from sqlalchemy.ext.asyncio import AsyncSession

from errors import DatabaseUnavailableError
from memory.message import Message
from memory.names import rows
from memory.names.known import Index, KnownNames, Named, named_in
from memory.names.rows import Position, Version
from memory.places.named import named_of, some_place_names
from memory.places.state import PlaceState
from memory.search_session import SearchableDatabase, open_search_session
from util_async import FailureLog

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=2)
"""How long the reading of a question waits for names that are still being read."""

_CURRENT = timedelta(milliseconds=100)
"""How long names that are all known count as current: one question asks for them more than once."""

_SLICE = timedelta(milliseconds=2)  # for which names are taken in before the event loop has its turn
_BEFORE_ALL_PLACES = -(2**63)  # the smallest number that PostgreSQL keeps as an id
_PAUSE = timedelta(seconds=5)  # before a memory that did not answer is asked again


class RememberedNames:
    """The names of all memories that were asked for theirs."""

    def __init__(self) -> None:
        self._memories: dict[str, _NamesOfMemory] = {}
        self._taking_turns = asyncio.Lock()

    def note(self, memory: str, messages: Iterable[Message]) -> None:
        """Take in the names of messages that were just stored in a memory; nothing is raised, for they are stored."""
        known = self._of(memory)
        for message in messages:
            try:
                known.add(named_in(message))
            except Exception:
                logger.exception("the names in message %d are not known", message.message_id)

    def note_places(self, memory: str, states: Iterable[PlaceState]) -> None:
        """Take in what places are called that have just become known, or have been renamed; nothing is raised."""
        known = self._of(memory)
        for state in states:
            try:
                known.add_place(state)
            except Exception:
                logger.exception("the name of channel %d is not known", state.place_id)

    def open_threads(self, parents: Mapping[int, int]) -> None:
        """Let those who may read channels know the names in threads, given with their channels, that are public."""
        for known in self._memories.values():
            for index in known.indexes:
                index.open_threads(parents)

    async def known(self, databases: Collection[SearchableDatabase], *, places: frozenset[int]) -> KnownNames:
        """Return the names of these places, read within PATIENCE; without those that take longer.

        Raises DatabaseUnavailableError when no memory answers.
        """
        await self._read(databases)
        memories = [self._of(database.name) for database in databases]
        indexes = tuple(index for memory in memories for index in memory.indexes)
        return KnownNames(places, indexes, complete=all(memory.is_complete for memory in memories))

    async def load(self, databases: Collection[SearchableDatabase]) -> None:
        """Read all names, for a task in the background; a memory that fails is asked again until it answers."""
        failures = FailureLog(logger)
        while not all(self._of(database.name).is_complete for database in databases):
            try:
                await self._read(databases)
            except Exception as error:  # noqa: BLE001  # whatever it is, it must not end the program
                foreseen = isinstance(error, DatabaseUnavailableError)
                failures.failed(
                    "names", f"names of people and channels cannot be read: {error!r}", None if foreseen else error
                )
                await asyncio.sleep(_PAUSE.total_seconds())
                continue
            if not all(self._of(database.name).is_read_on for database in databases):
                await asyncio.sleep(_PAUSE.total_seconds())

    async def _read(self, databases: Collection[SearchableDatabase]) -> None:
        """Go on reading what is not known yet, for PATIENCE at most."""
        began = asyncio.get_running_loop().time()
        memories = [self._of(database.name) for database in databases]
        if all(memory.is_complete and began < memory.current_until for memory in memories):
            return
        deadline = began + PATIENCE.total_seconds()
        limit = deadline + PATIENCE.total_seconds()  # for a statement that the deadline finds running

        async def query(session: AsyncSession, database: SearchableDatabase) -> list[Named]:
            await self._of(database.name).read_on(session, deadline)
            return []

        try:
            async with asyncio.timeout_at(limit), self._taking_turns, open_search_session() as search_session:
                for database in databases:
                    self._of(database.name).is_read_on = False
                await search_session.ask(databases, query)
            for memory in memories:
                if memory.is_read_on:
                    memory.current_until = began + _CURRENT.total_seconds()
        except TimeoutError:
            logger.info("not all names of people and channels were read in time")

    def _of(self, memory: str) -> "_NamesOfMemory":
        return self._memories.setdefault(memory, _NamesOfMemory())


class _NamesOfMemory:
    """The names of one memory: those that were read to the end, and those that are being read in their place."""

    def __init__(self) -> None:
        self._whole: Index | None = None
        self._growing: Index | None = Index()
        self._position: Position | None = None
        self._version: Version | None = None
        self._batches: list[int] | None = None  # all names are read, or else those of these batches
        self._last_place: int | None = None  # how far the names of places are read; None until those in messages are
        self.is_read_on = False
        """Whether the memory answered when it was last asked."""
        self.current_until = 0.0
        """The time of the event loop until which the memory need not be asked again."""

    @property
    def is_complete(self) -> bool:
        """Whether all names are known that the memory had when it was last asked."""
        return self._growing is None

    @property
    def indexes(self) -> list[Index]:
        """All that is known, in one index or two."""
        return list({id(index): index for index in (self._whole, self._growing) if index is not None}.values())

    def add(self, named: Named) -> None:
        """Take in names that were just stored."""
        for index in self.indexes:
            index.add(named)

    def add_place(self, state: PlaceState) -> None:
        """Take in what a place is called."""
        for index in self.indexes:
            parent_name = index.channels.newest(state.parent_id) if state.parent_id is not None else None
            if (named := named_of(state, parent_name=parent_name or "")) is not None:
                index.add(named)

    async def read_on(self, session: AsyncSession, deadline: float) -> None:
        """Read names until all are known or the deadline, a time of the event loop, has come."""
        current = await rows.version(session)
        if self._version is not None and current != self._version:
            await self._begin_anew(session, self._version, current)
        self._version = current
        while self._growing is not None and asyncio.get_running_loop().time() < deadline:
            if self._last_place is None:
                found, self._position = await rows.some_names(session, after=self._position, batches=self._batches)
                self._last_place = _BEFORE_ALL_PLACES if self._position is None else None
                is_end = False
            else:
                found, self._last_place = await some_place_names(session, after=self._last_place)
                is_end = self._last_place is None
            await _take_in(self._growing, found)
            if is_end:
                self._whole, self._growing = self._growing, None
        self.is_read_on = True

    async def _begin_anew(self, session: AsyncSession, earlier: Version, current: Version) -> None:
        """Read what batches have brought since into the whole index, or all names where some are gone or missing."""
        self._position = self._last_place = None
        if self._whole is None or self._growing is not None or current.undone_at != earlier.undone_at:
            self._growing, self._batches = Index(), None
        else:
            self._growing, self._batches = self._whole, await rows.batches_since(session, earlier)


async def _take_in(index: Index, found: Iterable[Named]) -> None:
    pause_at = perf_counter() + _SLICE.total_seconds()
    for named in found:
        index.add(named)
        if perf_counter() >= pause_at:
            await asyncio.sleep(0)
            pause_at = perf_counter() + _SLICE.total_seconds()
