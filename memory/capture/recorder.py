"""Record messages: into the journal first, whatever the database does."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from db.engines import Sessions
from errors import JournalUnavailableError
from memory.capture.erased import Erased
from memory.capture.ingest import Ingest, running
from memory.capture.journal import BadRecord, Journal, JournalBatch, NotAdded, RunInThread
from memory.capture.writer import OnStored, unheard
from memory.consent.consent import Admits
from memory.embedding.embedder import Embedder
from memory.message import Message
from util_async import background_task

logger = logging.getLogger(__name__)

_LARGEST_GROUP = 500  # messages that one write to the journal may carry
_FIRST_RETRY, _SLOWEST_RETRY = 0.25, 5.0  # seconds between attempts while the journal cannot be written
_STUCK = timedelta(seconds=10)  # a disk that neither takes nor refuses a write for so long counts as failing
_SYNCING_SHARE = 0.2  # of the journal's time, at most, while messages keep coming
_LONGEST_PAUSE = 1.0  # seconds between two syncs, at most: what a power cut may cost; a killed process costs nothing
_SYNC_RETRY = 5.0  # seconds
_PATIENCE = timedelta(seconds=10)  # for the last messages, when the program ends with a full disk
_LOG_EVERY = 1000  # messages lost between two lines in the log


@dataclass(slots=True, eq=False)
class _Waiting:
    message: Message
    journalled: asyncio.Future[None]
    given_up: bool = False


class Capture:
    """Writes what it is given to the journal, several messages at a time, in the order given.

    What is given waits in memory until it is written. That is bounded: while the journal cannot be written, messages
    beyond `capacity` are refused, counted and logged. Everything behind the journal reads from it.
    """

    def __init__(self, journal: Journal, *, capacity: int, on_growth: Callable[[], None]) -> None:
        self._journal = journal
        self._capacity = capacity
        self._waiting: deque[_Waiting] = deque()
        self._held = 0
        self._brought = asyncio.Event()
        self._written = asyncio.Event()
        self._stopping = False
        self._on_growth = on_growth
        self._failing = asyncio.Event()
        self.lost = 0
        """Messages that were refused since the journal could last be written."""
        self.is_synced = True
        """Whether the disk took what was last written to the journal, as far as is known."""

    @property
    def failing(self) -> bool:
        """Whether the journal cannot be written just now."""
        return self._failing.is_set()

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        """Return once the message is in the journal, however long the disk is full.

        With `patience` it waits no longer than that while the journal cannot be written. Raises JournalUnavailableError
        then, and when too many messages wait already; the message is not kept.
        """
        if self.failing and self._held >= self._capacity:
            self._note_lost()
            raise JournalUnavailableError(f"{self._held} messages wait for the journal already")
        waiting = _Waiting(message, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._held += 1
        self._brought.set()
        if patience is None:
            await waiting.journalled
        else:
            await self._wait_no_longer_than(patience, waiting)

    async def run(self) -> None:
        """Write group after group, until `stop` has been called and nothing waits any more."""
        while self._waiting or not self._stopping:
            if not self._waiting:
                self._brought.clear()
                await self._brought.wait()
                continue
            group = [self._waiting.popleft() for _ in range(min(_LARGEST_GROUP, len(self._waiting)))]
            await self._write_or_refuse(group)
            self._held -= len(group)

    async def sync(self) -> None:
        """Push the journal to the disk: at once after a pause, and every now and then while messages keep coming."""
        loop = asyncio.get_running_loop()
        while True:
            await self._written.wait()
            self._written.clear()
            begun_at = loop.time()
            if await self.push():
                took = loop.time() - begun_at
                await asyncio.sleep(min(took * (1 / _SYNCING_SHARE - 1), _LONGEST_PAUSE))
            else:
                self._written.set()
                await asyncio.sleep(_SYNC_RETRY)

    async def stop(self) -> None:
        """Let `run` end behind what waits now."""
        self._stopping = True
        self._brought.set()

    async def _wait_no_longer_than(self, patience: timedelta, waiting: _Waiting) -> None:
        """Wait for a message to be written; give it up once the journal has been failing for as long as `patience`."""
        async with background_task(self._failing.wait()) as failing:
            first: list[asyncio.Future[Any]] = [waiting.journalled, failing]
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.journalled.done():
            await asyncio.wait([waiting.journalled], timeout=patience.total_seconds())
        if not waiting.journalled.done() and self.failing:
            waiting.given_up = True
            raise JournalUnavailableError("the journal cannot be written just now")
        await waiting.journalled

    async def _write_or_refuse(self, group: list[_Waiting]) -> None:
        """Write a group; where a message can never be written, tell whoever brought it, and write the others."""
        try:
            await self._write(group)
        except Exception as error:
            if len(group) == 1:
                logger.exception("message %d cannot be journalled", group[0].message.message_id)
                _settle(group[0].journalled, error)
                return
            for waiting in group:
                await self._write_or_refuse([waiting])
        for waiting in group:
            _settle(waiting.journalled)

    async def _write(self, group: list[_Waiting]) -> None:
        """Write a group, however long it takes."""
        stuck = asyncio.get_running_loop().call_later(_STUCK.total_seconds(), self._note_failing, "it takes too long")
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(JournalUnavailableError),
            wait=wait_exponential(_FIRST_RETRY, max=_SLOWEST_RETRY),
            before_sleep=self._note_retry,
        )
        try:
            is_written: bool = await retrying(self._write_once, group)
        finally:
            stuck.cancel()
        if is_written:
            self._note_written()

    async def _write_once(self, group: list[_Waiting]) -> bool:
        """Write what nobody has given up meanwhile; return whether there was any."""
        messages = [waiting.message for waiting in group if not waiting.given_up]
        if messages:
            await self._journal.in_thread(self._journal.record, messages)
        return bool(messages)

    def _note_written(self) -> None:
        self._written.set()
        if self.failing:
            outcome = f"{self.lost} MESSAGES ARE LOST" if self.lost else "nothing was lost"
            logger.warning("the journal can be written again; %s", outcome)
        self._failing.clear()
        self.lost = 0

    async def push(self) -> bool:
        """Push the journal to the disk once; return whether that took it."""
        try:
            await self._journal.in_thread(self._journal.sync)
        except OSError as error:
            self.is_synced = False
            logger.critical(
                "THE JOURNAL DOES NOT REACH THE DISK (%s): check the disk. Until it does nothing new is stored.",
                error.strerror,
            )
            return False
        if not self.is_synced:
            logger.warning("the journal reaches the disk again")
        self.is_synced = True
        self._on_growth()
        return True

    def _note_retry(self, state: RetryCallState) -> None:
        self._note_failing(state.outcome.exception() if state.outcome else None)

    def _note_failing(self, reason: object) -> None:
        self._failing.set()
        logger.critical(
            "MESSAGES CANNOT BE JOURNALLED (%s): free some disk space. They wait in memory (%d of at most %d); "
            "trying again.",
            reason,
            self._held,
            self._capacity,
        )

    def _note_lost(self) -> None:
        self.lost += 1
        if self.lost % _LOG_EVERY == 1:
            logger.critical(
                "MESSAGES ARE LOST (%d so far): too many wait for the journal; free some disk space", self.lost
            )


def _settle(journalled: asyncio.Future[None], error: Exception | None = None) -> None:
    if journalled.done():  # whoever waited was cancelled, or has been told already
        return
    if error is None:
        journalled.set_result(None)
    else:
        journalled.set_exception(error)


@asynccontextmanager
async def open_capture(journal: Journal, *, capacity: int, on_growth: Callable[[], None]) -> AsyncGenerator[Capture]:
    """Yield a running capture on an open journal; on exit what was taken in is in the journal and on the disk.

    `on_growth` is called whenever the disk has more of the journal.
    """
    capture = Capture(journal, capacity=capacity, on_growth=on_growth)
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(capture.run())
        syncer = group.create_task(capture.sync())
        try:
            yield capture
        finally:
            await _finish(capture, writer)
            syncer.cancel()
            await capture.push()


async def _finish(capture: Capture, writer: asyncio.Task[None]) -> None:
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            await capture.stop()
            await writer
    except TimeoutError:
        logger.critical("the last messages could not be journalled within %s and are lost", _PATIENCE)


class Newest:
    """Knows where the journal ended a second ago, while so much is recorded that some of it always is on its way."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends: deque[tuple[float, int]] = deque(maxlen=_MOST_NOTED)

    def note(self, end: int) -> None:
        """Note that something was recorded, and where the journal ends now, in bytes."""
        self._ends.append((self._clock(), end))
        self._forget()

    def floor(self) -> int | None:
        """Return where the journal ended before the messages of the last second; None where these are few."""
        self._forget()
        return self._ends[0][1] if len(self._ends) > _MANY else None

    def _forget(self) -> None:
        """Forget what was noted before the last second, but for the newest of it."""
        latest = self._clock() - _LATELY.total_seconds()
        while len(self._ends) > 1 and self._ends[1][0] <= latest:
            self._ends.popleft()


_MANY = 16  # messages in a second; fewer are searchable within some tenths of a second, and are waited for
_MOST_NOTED = 2_000
_LATELY = timedelta(seconds=1)
_SETTLE_LIMIT = timedelta(seconds=2)  # for what was recorded before, where it matters whether a message is stored
_CAPACITY = 10_000  # messages held in memory while the journal cannot be written; more are refused


@dataclass(frozen=True, slots=True)
class Recorder:
    """The recording side of a program session."""

    session: str
    _journal: Journal
    _not_added: NotAdded
    _capture: Capture
    _ingest: Ingest
    erased: Erased
    _consent: Admits | None = None
    _newest: Newest = field(default_factory=Newest)

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        """Return once the message is in the session's CSV; the database follows by itself.

        What is erased is kept out: Discord sends an old message whole again when somebody pins it. So is what may not
        be kept: nothing of that is written anywhere, and that is no error.

        With `patience` it waits no longer than that while the CSV cannot be written. Raises JournalUnavailableError
        then, and when too many messages wait already; the message is not kept.
        """
        if self.erased.keep_out(message):
            return
        admitted = await self.admitted(message)
        if admitted is not None:
            await self._capture.record(admitted, patience=patience)
            self._newest.note(self._journal.end)

    async def admitted(self, message: Message) -> Message | None:
        """Return what of a message may be kept, if anything."""
        if self._consent is None:
            return message
        return await self._consent.admitted(message, settled=partial(self.settle, timeout=_SETTLE_LIMIT))

    async def settle(self, *, timeout: timedelta, newest: bool = True) -> bool:
        """Wait until what was recorded so far is searchable; False when `timeout` or an outage came first.

        Without the `newest` it does not wait for the last second while many messages arrive: some always would be on
        their way.
        """
        return await self._ingest.settle(timeout=timeout, up_to=None if newest else self._newest.floor())

    async def settle_vectors(self, *, timeout: timedelta) -> bool:
        """Wait until what was stored before the embedder was ready has its vectors; False as for `settle`."""
        return await self._ingest.settle_vectors(timeout=timeout)

    @property
    def progress(self) -> tuple[int, int]:
        """How many bytes of the journal are searchable, and how many there are."""
        return self._ingest.stored, self._journal.end

    async def push(self) -> bool:
        """Push the session's CSV to the disk; return whether the disk has all that was recorded before."""
        return await self._capture.push()

    @property
    def database_is_away(self) -> bool:
        """Whether short-term memory did not answer when it was last tried."""
        return self._ingest.outage

    @property
    def journal_is_failing(self) -> bool:
        """Whether the session's CSV cannot be written just now, or does not reach the disk."""
        return self._capture.failing or not self._capture.is_synced

    def recorded(self) -> Iterator[JournalBatch]:
        """Yield all that the session's CSV holds, in bounded memory."""
        return self._journal.read_all()

    @property
    def open_files(self) -> dict[Path, int]:
        """The CSV files that are being written, with how many bytes of each the disk has; records end there."""
        return {file.path: file.synced for file in (self._journal, self._not_added)}

    @asynccontextmanager
    async def held(self, path: Path) -> AsyncGenerator[RunInThread]:
        """Keep one of these files from being read and written while it is rewritten.

        Messages that come meanwhile wait in memory, and what is in the file afterwards is stored. What is yielded runs
        a call in the thread of the file. Raises JournalUnavailableError when the disk does not take the file as it is.
        """
        if path == self._not_added.path:
            async with self._not_added.held() as run:
                yield run
            return
        async with self._ingest.paused(), self._journal.held() as run:
            yield run

    async def refuse(self, record: BadRecord) -> None:
        """Put a line that is no message into the not-added CSV."""
        await self._not_added.in_thread(self._not_added.refuse_record, record)


@asynccontextmanager
async def open_recorder(
    *,
    session: str,
    journal_path: Path,
    not_added_path: Path,
    sessions: Sessions,
    embedder: Embedder,
    batch: int,
    erased: Erased | None = None,
    consent: Admits | None = None,
    on_stored: OnStored = unheard,
) -> AsyncGenerator[Recorder]:
    """Yield the recorder of a session, which begins to catch up at once; on exit its CSV is on the disk.

    What is `erased` comes neither into the CSV nor, from an older CSV that was put back, into the database. Without a
    `consent` everything else may be kept. `on_stored` hears of messages once they are in the database.

    Raises SessionError when the session's files cannot be written.
    """
    erased = erased or Erased()
    with closing(Journal(journal_path)) as journal, closing(NotAdded(not_added_path)) as not_added:
        journal.open()
        not_added.open()
        ingest = Ingest(
            journal=journal,
            not_added=not_added,
            sessions=sessions,
            embedder=embedder,
            session=session,
            batch=batch,
            erased=erased,
            on_stored=on_stored,
        )
        async with (
            running(ingest),
            open_capture(journal, capacity=_CAPACITY, on_growth=ingest.journal_has_grown) as capture,
        ):
            yield Recorder(session, journal, not_added, capture, ingest, erased, consent)
        erased.tell()
