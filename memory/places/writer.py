"""Write what is known of places down, some moments behind those who learn of it and never in their way.

The newest state of each place waits until long-term memory takes it, however long that is away. Threads that have
become known are resolved then: messages that were stored before learn their channel and whether whoever reads that
reads them too.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from db.engines import Sessions, transaction
from errors import DatabaseUnavailableError, RefusedRowError
from memory.message import Message
from memory.places import resolve, store
from memory.places.state import PlaceState, merged
from memory.places.store import PlaceChange
from util_async import FailureLog, background_task

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_PRIVATE = 50_000
"""Private threads of one guild that are considered, the newest."""

MOST_WAITING = 200_000
"""Places whose states wait at most; what a longer outage makes forget is learnt again with the next connection."""

_TOLD_AT_ONCE = 20  # places
_PAUSE = timedelta(seconds=2)  # before long-term memory is tried again
_BREATH = timedelta(seconds=0.02)  # between two pieces of what takes many
_FAREWELL = timedelta(seconds=5)  # for what still waits when the program ends

OnChanges = Callable[[Sequence[PlaceChange]], None]
"""Is called with what was news once it is written, some of it at a time."""

OnSight = Callable[[int, datetime], None]
"""Is called with the id of a place that the bot can see no longer, or again, and since when."""


@dataclass(frozen=True, slots=True)
class _GuildGone:
    guild_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class _Listing:
    """What a guild has, and nothing else of its sort: its channels, or the active threads of some of them or of all."""

    guild_id: int
    of_threads: bool
    listed: frozenset[int]
    parents: frozenset[int] | None
    at: datetime


_Mark = _GuildGone | _Listing


class PlaceWriter:
    """Takes states of places at once, and writes them into long-term memory while `run` is running."""

    def __init__(self, long_term: Sessions, short_term: Sessions | None = None) -> None:
        self._long_term = long_term
        self._databases = [sessions for sessions in (long_term, short_term) if sessions is not None]
        self._states: dict[int, PlaceState] = {}
        self._marks: dict[object, _Mark] = {}
        self._unsure: dict[int, bool] = {}  # threads of messages stored without a word of it; whether the parent lacks
        self._may_have_unresolved = True  # an earlier run may have been stopped
        self._wake = asyncio.Event()
        self._wake.set()
        self._idle = asyncio.Event()
        self._failures = FailureLog(logger)
        self.on_changes: list[OnChanges] = []
        """Who is called with what was news once it is written; what they raise is logged."""
        self.on_resolved: list[Callable[[Sequence[PlaceState]], None]] = []
        """Who is called with threads whose earlier messages have been resolved."""

    @property
    def waiting(self) -> int:
        """How many places have states that are not written yet."""
        return len(self._states)

    def note(self, state: PlaceState) -> None:
        """Take the state of a place; the newest one wins."""
        older = self._states.pop(state.place_id, None)
        self._states[state.place_id] = state if older is None else merged(older, state)
        if len(self._states) > MOST_WAITING:
            forgotten = next(iter(self._states))
            del self._states[forgotten]
            self._failures.failed("full", f"more than {MOST_WAITING} channels wait to be noted: some are forgotten")
        self._has_work()

    def note_stored(self, messages: Sequence[Message]) -> None:
        """Look after messages that were just stored without a word of what their thread is, which may be known here."""
        for message in messages:
            may_be_in_thread = message.thread_id is not None or not message.channel_name
            if message.guild_id is not None and may_be_in_thread and not message.in_public_thread:
                lacks_parent = message.thread_id is None or message.thread_id == message.channel_id
                self._unsure[message.place_id] = lacks_parent or self._unsure.get(message.place_id, False)
        while len(self._unsure) > MOST_WAITING:
            del self._unsure[next(iter(self._unsure))]
        if self._unsure:
            self._has_work()

    def note_guild_gone(self, guild_id: int, *, at: datetime) -> None:
        """Take that the bot has left a guild."""
        self._mark(("gone", guild_id), _GuildGone(guild_id, at))

    def note_channels(self, guild_id: int, listed: Collection[int], *, at: datetime) -> None:
        """Take that a guild has these channels and no others."""
        self._mark(("channels", guild_id), _Listing(guild_id, False, frozenset(listed), None, at))

    def note_active_threads(
        self, guild_id: int, listed: Collection[int], *, parents: Collection[int] | None, at: datetime
    ) -> None:
        """Take that of the public threads of some channels, or of all in the guild, these alone are active."""
        of = None if parents is None else frozenset(parents)
        self._mark(("threads", guild_id, of), _Listing(guild_id, True, frozenset(listed), of, at))

    async def private_threads(self, guild_id: int) -> Mapping[int, int]:
        """Return the private threads of a guild that are written down, each with its channel.

        Raises DatabaseUnavailableError.
        """
        async with transaction(self._long_term) as session:
            return await store.private_threads(session, guild_id=guild_id, limit=MOST_PRIVATE)

    def watch_sight(self, *, on_hidden: OnSight, on_visible: OnSight) -> None:
        """Have somebody called with the id of each place that the bot loses or regains sight of, and since when.

        A place that it has never seen is lost from the moment it was first told of. This holds across restarts.
        """

        def tell(changes: Sequence[PlaceChange]) -> None:
            for change in changes:
                if change.became_hidden:
                    on_hidden(change.now.place_id, change.now.hidden_since or change.now.seen_at)
                elif change.became_visible:
                    on_visible(change.now.place_id, change.now.seen_at)

        self.on_changes.append(tell)

    async def settle(self, *, timeout: timedelta) -> bool:
        """Wait until all is written and resolved; False when `timeout` came first."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout.total_seconds()):
                await self._idle.wait()
        return self._idle.is_set()

    async def run(self) -> None:
        """Write what is noted until cancelled; what cannot be written now is tried again."""
        while True:
            await self._wake.wait()
            try:
                is_done = await self._write_some()
            except Exception as error:  # noqa: BLE001  # whatever it is, it must not end the program
                foreseen = isinstance(error, DatabaseUnavailableError)
                sentence = f"channels cannot be noted just now: {error!r}"
                self._failures.failed("writing", sentence, None if foreseen else error)
                await asyncio.sleep(_PAUSE.total_seconds())
                continue
            self._failures.worked("writing")
            if is_done:
                self._wake.clear()
                self._idle.set()
            else:
                await asyncio.sleep(_BREATH.total_seconds())

    def _mark(self, key: object, mark: _Mark) -> None:
        self._marks.pop(key, None)
        self._marks[key] = mark
        while len(self._marks) > MOST_WAITING:
            del self._marks[next(iter(self._marks))]
        self._has_work()

    def _has_work(self) -> None:
        self._idle.clear()
        self._wake.set()

    async def _write_some(self) -> bool:
        """Write the states that have waited longest, or marks, or else resolve threads; return whether that was all."""
        if self._states:
            await self._write_states()
        elif self._marks:
            key, mark = next(iter(self._marks.items()))
            await self._write_mark(mark)
            if self._marks.get(key) is mark:
                del self._marks[key]
        elif self._may_have_unresolved:
            threads = await resolve.resolve_next(self._long_term, self._databases)
            self._may_have_unresolved = bool(threads)  # this task alone writes states: none has come since
            await self._tell(self.on_resolved, threads)
        elif self._unsure:
            await self._resolve_unsure()
        else:
            return True
        return False

    async def _write_states(self) -> None:
        some = dict(islice(self._states.items(), store.MOST_AT_ONCE))
        changes = await self._upsert(list(some.values()))
        for place_id, state in some.items():
            if self._states.get(place_id) is state:
                del self._states[place_id]
        self._failures.worked("full")
        self._may_have_unresolved |= any(change.now.kind.is_thread for change in changes)
        await self._tell(self.on_changes, changes)

    async def _resolve_unsure(self) -> None:
        some = {
            place_id: self._unsure.pop(place_id) for place_id in list(islice(self._unsure, resolve.THREADS_AT_ONCE))
        }
        try:
            async with transaction(self._long_term) as session:
                known = await store.known_threads(session, some)
            threads = [one for one in known if one.kind.is_public_thread or some[one.place_id]]
            await resolve.resolve(self._databases, threads)
        except BaseException:
            self._unsure = some | self._unsure
            raise
        await self._tell(self.on_resolved, threads)

    async def _upsert(self, states: Sequence[PlaceState]) -> list[PlaceChange]:
        """Write states; those that the database will never take are left out, and said in the log."""
        try:
            async with transaction(self._long_term) as session:
                return await store.upsert(session, states)
        except RefusedRowError as error:
            if len(states) == 1:
                logger.warning("channel %d is not noted: %r", states[0].place_id, error)
                return []
            middle = len(states) // 2
            return [*await self._upsert(states[:middle]), *await self._upsert(states[middle:])]

    async def _write_mark(self, mark: _Mark) -> None:
        async with transaction(self._long_term) as session:
            if isinstance(mark, _GuildGone):
                await store.mark_guild_gone(session, guild_id=mark.guild_id, at=mark.at)
            elif mark.of_threads:
                await store.mark_unlisted_threads_archived(
                    session, guild_id=mark.guild_id, parents=mark.parents, listed=mark.listed, at=mark.at
                )
            else:
                await store.mark_unlisted_channels_gone(session, guild_id=mark.guild_id, listed=mark.listed, at=mark.at)

    async def _tell(self, listeners: Sequence[Callable[[Sequence[T]], None]], news: Sequence[T]) -> None:
        """Tell what is new some at a time, as whoever hears it may have much to do with each."""
        for start in range(0, len(news), _TOLD_AT_ONCE):
            for listener in listeners:
                try:
                    listener(news[start : start + _TOLD_AT_ONCE])
                except Exception:
                    logger.exception("what is new of channels is not known to all")
            await asyncio.sleep(0)


@asynccontextmanager
async def open_place_writer(long_term: Sessions, short_term: Sessions | None = None) -> AsyncGenerator[PlaceWriter]:
    """Yield a writer that writes while the context lasts, and at its end for some seconds what still waits."""
    writer = PlaceWriter(long_term, short_term)
    async with background_task(writer.run()):
        try:
            yield writer
        finally:
            if not await writer.settle(timeout=_FAREWELL) and writer.waiting:
                logger.warning("%d channels were not noted before the end", writer.waiting)
