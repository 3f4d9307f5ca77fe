"""Take messages in: into the journal first, whatever the database does."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from errors import JournalUnavailableError
from memory.journal import Journal
from memory.messages import Message

logger = logging.getLogger(__name__)

_LARGEST_GROUP = 500  # messages that one write to the journal may carry
_FIRST_RETRY, _SLOWEST_RETRY = 0.25, 5.0  # seconds between attempts while the journal cannot be written
_SYNC_EVERY = timedelta(seconds=1)  # what a power cut may cost; a killed process costs nothing
_PATIENCE = timedelta(seconds=10)  # for the last messages, when the program ends with a full disk


@dataclass(slots=True)
class _Waiting:
    message: Message
    journalled: asyncio.Future[None]


class Capture:
    """Writes what it is given to the journal, several messages at a time, in the order given.

    The room of `capacity` messages fills only while the journal cannot be written; whoever brings more then
    waits. Everything behind the journal reads from it, so nothing else needs to be held in memory.
    """

    def __init__(self, journal: Journal, *, capacity: int, on_growth: Callable[[], None]) -> None:
        self._journal = journal
        self._waiting: asyncio.Queue[_Waiting | None] = asyncio.Queue(capacity)
        self._on_growth = on_growth
        self.failing = False

    async def record(self, message: Message) -> None:
        """Return once the message is in the journal, however long the disk is full."""
        waiting = _Waiting(message, asyncio.get_running_loop().create_future())
        await self._waiting.put(waiting)
        await waiting.journalled

    async def run(self) -> None:
        """Write group after group, until `stop` has been called and nothing waits any more."""
        stopping = False
        while not stopping:
            group, stopping = await self._next_group()
            await self._write([waiting.message for waiting in group])
            for waiting in group:
                if not waiting.journalled.done():  # whoever waited may have been cancelled
                    waiting.journalled.set_result(None)
            self._on_growth()

    async def stop(self) -> None:
        """Let `run` end behind what waits now."""
        await self._waiting.put(None)

    async def _next_group(self) -> tuple[list[_Waiting], bool]:
        """Return what waits, once something does, and whether `stop` was among it."""
        group: list[_Waiting] = []
        waiting = await self._waiting.get()
        while waiting is not None:
            group.append(waiting)
            if len(group) == _LARGEST_GROUP or self._waiting.empty():
                return group, False
            waiting = self._waiting.get_nowait()
        return group, True

    async def _write(self, messages: list[Message]) -> None:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(JournalUnavailableError),
            wait=wait_exponential(_FIRST_RETRY, max=_SLOWEST_RETRY),
            before_sleep=self._say_so,
        )
        await retrying(asyncio.to_thread, self._journal.record, messages)
        if self.failing:
            logger.warning("the journal can be written again; nothing was lost")
        self.failing = False

    def _say_so(self, state: RetryCallState) -> None:
        self.failing = True
        logger.critical(
            "MESSAGES CANNOT BE JOURNALLED (%s): free some disk space. They wait in memory (%d more); trying again.",
            state.outcome.exception() if state.outcome else None,
            self._waiting.qsize(),
        )


@asynccontextmanager
async def open_capture(journal: Journal, *, capacity: int, on_growth: Callable[[], None]) -> AsyncGenerator[Capture]:
    """Yield a running capture on an open journal; on exit what was taken in is in the journal and on the disk."""
    capture = Capture(journal, capacity=capacity, on_growth=on_growth)
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(capture.run())
        syncer = group.create_task(_sync(journal))
        try:
            yield capture
        finally:
            syncer.cancel()
            await _finish(capture, writer)


async def _finish(capture: Capture, writer: asyncio.Task[None]) -> None:
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            await capture.stop()
            await writer
    except TimeoutError:
        logger.critical("the last messages could not be journalled within %s and are lost", _PATIENCE)


async def _sync(journal: Journal) -> None:
    """Push the journal to the disk now and then."""
    synced = 0
    while True:
        await asyncio.sleep(_SYNC_EVERY.total_seconds())
        if journal.end == synced:
            continue
        end = journal.end
        try:
            await asyncio.to_thread(journal.sync)
            synced = end
        except OSError as error:
            logger.critical("the journal does not reach the disk: %s", error)
