"""Bring the journal's messages into short-term memory: read, embed, write, and again from where it stopped.

The journal is the queue. Its position is moved in the transaction that writes the rows, so an outage, a kill or a
restart leaves off and goes on at exactly the same message.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential

from db.engines import Sessions, transaction
from errors import RefusedRowError, TemporaryError
from memory import missing_vectors, queries, store
from memory.context import CONTEXT_MESSAGES, search_text, text_to_embed
from memory.embedder import Embedder
from memory.erased import Erased
from memory.journal import BadRecord, Journal, NotAdded
from memory.messages import Kind, Message, Revision, fold
from memory.store import Indexed

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_RETRY, _SLOWEST_RETRY = 0.2, 2.0  # seconds between attempts while the database is away
_LARGEST_BATCH = 1000  # messages; PostgreSQL takes 65,535 parameters in a statement
_READY_BATCHES = 2  # embedded batches that may wait for the database
_EMBEDDER_PATIENCE = timedelta(seconds=2)  # once, at the start; then messages are stored and get their vectors later
_REMEMBERED_PLACES = 10_000  # channels and threads whose last message is kept at hand


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: tuple[Indexed, ...]
    revisions: tuple[Revision, ...]
    bad: tuple[BadRecord, ...]
    position: int


class Ingest:
    """Follows one journal into one database.

    Two stages run side by side: while a batch is written the next is embedded. At most `_READY_BATCHES` wait
    between them; what is behind waits in the journal. While the embedder is not ready, rows are stored without their
    vectors, to be found by their words, and get them later.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        not_added: NotAdded,
        sessions: Sessions,
        embedder: Embedder,
        session: str,
        batch: int,
        erased: Erased | None = None,
    ) -> None:
        self._journal = journal
        self._not_added = not_added
        self._sessions = sessions
        self._embedder = embedder
        self._session = session
        self._erased = erased or Erased()
        self._batch_size = min(batch, _LARGEST_BATCH)
        self._ready: asyncio.Queue[_Batch] = asyncio.Queue(_READY_BATCHES)
        self._grown = asyncio.Event()
        self._moved = asyncio.Condition()
        self._latest: OrderedDict[int, list[Message]] = OrderedDict()
        self._opened_at = journal.end
        self._lacking = asyncio.Event()
        self._has_all_vectors = False
        self._waited_for_embedder = False
        self.stored = 0
        self.outage = False

    @property
    def behind(self) -> int:
        """How many bytes of the journal are not in the database yet."""
        return max(0, self._journal.end - self.stored)

    def journal_has_grown(self) -> None:
        """Wake the reader."""
        self._grown.set()

    async def settle(self, *, timeout: timedelta) -> bool:
        """Wait until all that the journal holds now is searchable; tell whether it is.

        It gives up early while the database is away.
        """
        goal = self._journal.end
        try:
            async with asyncio.timeout(timeout.total_seconds()), self._moved:
                await self._moved.wait_for(lambda: self.stored >= goal or self.outage)
        except TimeoutError:
            return False
        return self.stored >= goal

    async def settle_vectors(self, *, timeout: timedelta) -> bool:
        """Wait until no row lacks its vector any more; tell whether that is so."""
        try:
            async with asyncio.timeout(timeout.total_seconds()), self._moved:
                await self._moved.wait_for(lambda: self._has_all_vectors or self.outage)
        except TimeoutError:
            return False
        return self._has_all_vectors

    async def run(self) -> None:
        """Follow the journal until cancelled."""
        start = await self._patiently(self._stored_position)
        if start > self._opened_at:  # the CSV that this position belongs to is gone
            start = 0
            await self._patiently(self._write_once, (), (), start)
        await self._move_to(start)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_and_embed(self.stored))
            group.create_task(self._write_ready())
            group.create_task(self._embed_what_lacks())

    async def _read_and_embed(self, position: int) -> None:
        while True:
            self._grown.clear()
            read = await asyncio.to_thread(self._journal.read, position, self._batch_size)
            if read.position == position:
                await self._grown.wait()
                continue
            position = read.position
            read = self._erased.without(read)
            messages, revisions = fold(read.messages)
            rows = await self._indexed(messages)
            await self._ready.put(_Batch(tuple(rows), tuple(revisions), read.bad, position))

    async def _write_ready(self) -> None:
        while True:
            batch = await self._ready.get()
            for record in batch.bad:
                await self._refuse_record(record)
            await self._write(batch.rows, batch.revisions, batch.position)
            await self._move_to(batch.position)

    async def _move_to(self, position: int) -> None:
        async with self._moved:
            self.stored = position
            self._moved.notify_all()

    async def _stored_position(self) -> int:
        async with transaction(self._sessions) as session:
            return await store.position(session, journal=self._session)

    async def _indexed(self, messages: Sequence[Message]) -> list[Indexed]:
        """Return messages with their search texts and vectors; a deletion has neither."""
        before = await self._patiently(self._preceding, messages)
        texts = [text_to_embed(message) for message in messages]
        speaking = [text for text in texts if text]
        ready = await self._embedder_is_ready()
        vectors = iter(await self._embedder.embed(speaking) if ready else [None] * len(speaking))
        return [
            Indexed(
                message,
                search_text(message, before.get(message.message_id, [])),
                next(vectors) if text else None,
                self._embedder.name if text and ready else None,
            )
            for message, text in zip(messages, texts, strict=True)
        ]

    async def _embedder_is_ready(self) -> bool:
        """Wait for the embedder, the first time and not for long; return whether it is ready."""
        if self._embedder.loaded or self._waited_for_embedder:
            return self._embedder.loaded
        self._waited_for_embedder = True
        ready = await self._embedder.ready_within(_EMBEDDER_PATIENCE)
        if not ready:
            logger.info("the embedding model is not ready: messages are stored without vectors, which follow")
        return ready

    async def _embed_what_lacks(self) -> None:
        """Once the embedder is ready, give a vector to rows that were stored without one, in this run or before."""
        if await self._patiently(self._noted_as_missing) is not None:
            self._lacking.set()
        await self._embedder.ready()
        while True:
            if not self._lacking.is_set():
                async with self._moved:
                    self._has_all_vectors = True
                    self._moved.notify_all()
            await self._lacking.wait()
            self._lacking.clear()
            noted = await self._patiently(self._noted_as_missing)
            count = 0
            while some := await self._patiently(
                missing_vectors.embed_some, self._sessions, self._embedder, self._batch_size
            ):
                count += some
            if noted is not None:
                await self._patiently(self._note_complete, noted)
            logger.info("%d messages that were stored without vectors have theirs", count)

    async def _noted_as_missing(self) -> str | None:
        async with transaction(self._sessions) as session:
            return await missing_vectors.missing_up_to(session)

    async def _note_complete(self, noted: str) -> None:
        async with transaction(self._sessions) as session:
            await missing_vectors.note_complete(session, noted)

    async def _preceding(self, messages: Sequence[Message]) -> dict[int, list[Message]]:
        """Return what was said before each message: from memory for new ones, from the database for the rest."""
        asked = [message for message in messages if message.edited_at or message.place_id not in self._latest]
        found: dict[int, list[Message]] = {}
        if asked:
            async with transaction(self._sessions) as session:
                pairs = await queries.beside(session, messages=asked, before=CONTEXT_MESSAGES, after=0)
            for message_id, earlier in sorted(pairs, key=_in_time):
                found.setdefault(message_id, []).append(earlier)
        for message in messages:
            if message.edited_at is None:
                before = self._latest.get(message.place_id) or found.get(message.message_id, [])
                found[message.message_id] = before
                self._remember(message, before)
        return found

    def _remember(self, message: Message, before: Sequence[Message]) -> None:
        if message.deleted_at is None and message.kind is Kind.MESSAGE:
            self._latest[message.place_id] = [*before, message][-CONTEXT_MESSAGES:]
            self._latest.move_to_end(message.place_id)
        if len(self._latest) > _REMEMBERED_PLACES:
            self._latest.popitem(last=False)

    async def _write(self, rows: Sequence[Indexed], revisions: Sequence[Revision], position: int) -> None:
        """Write a batch; one that is refused is halved until the rows that spoil it stand alone."""
        try:
            await self._patiently(self._write_once, rows, revisions, position)
        except RefusedRowError as error:
            middle = len(rows) // 2
            if middle:
                await self._write(rows[:middle], _of(revisions, rows[:middle]), self.stored)
                await self._write(rows[middle:], _of(revisions, rows[middle:]), position)
            elif revisions:
                logger.warning("what message %d said before is not kept: %s", revisions[0].message_id, error)
                await self._write(rows, (), position)
            else:
                await self._refuse(rows, str(error), position)

    async def _write_once(self, rows: Sequence[Indexed], revisions: Sequence[Revision], position: int) -> None:
        lacks_vectors = any(row.search_text and row.embedding is None for row in rows)
        async with transaction(self._sessions) as session:
            await store.write(session, batch=rows, revisions=revisions, journal=self._session, position=position)
            if lacks_vectors:
                await missing_vectors.note_missing(session, position)
        if lacks_vectors:
            self._has_all_vectors = False
            self._lacking.set()

    async def _refuse(self, rows: Sequence[Indexed], reason: str, position: int) -> None:
        for row in rows:
            logger.warning("message %d was not added: %s", row.message.message_id, reason)
            await self._patiently(asyncio.to_thread, self._not_added.refuse, row.message, reason)
        await self._patiently(self._write_once, (), (), position)

    async def _refuse_record(self, record: BadRecord) -> None:
        logger.warning("a line of the journal was not added: %s", record.reason)
        await self._patiently(asyncio.to_thread, self._not_added.refuse_record, record)

    async def _patiently(self, call: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Call until the database, or the not-added CSV, takes it; whoever owns this task bounds it by cancelling."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TemporaryError),
            wait=wait_exponential(_FIRST_RETRY, max=_SLOWEST_RETRY),
            before_sleep=self._note_outage,
        )
        result: T = await retrying(call, *arguments)
        failed_before = retrying.statistics["attempt_number"] > 1
        if self.outage and failed_before:  # another call may have succeeded without asking the database at all
            self.outage = False
            logger.warning("messages can be stored again; short-term memory catches up from the journal")
        return result

    async def _note_outage(self, state: RetryCallState) -> None:
        if self.outage:
            return
        reason = state.outcome.exception() if state.outcome else None
        logger.error("messages cannot be stored just now (%s); they wait in %s", reason, self._journal.path)
        async with self._moved:
            self.outage = True
            self._moved.notify_all()


def _in_time(pair: tuple[int, Message]) -> tuple[datetime, int]:
    _, message = pair
    return message.sent_at, message.message_id


def _of(revisions: Sequence[Revision], rows: Sequence[Indexed]) -> tuple[Revision, ...]:
    ids = {row.message.message_id for row in rows}
    return tuple(revision for revision in revisions if revision.message_id in ids)


@asynccontextmanager
async def open_ingest(
    *,
    journal: Journal,
    not_added: NotAdded,
    sessions: Sessions,
    embedder: Embedder,
    session: str,
    batch: int,
    erased: Erased | None = None,
) -> AsyncGenerator[Ingest]:
    """Yield a running ingest; a record that a crash cut short goes to the not-added CSV first."""
    if journal.torn:
        not_added.refuse_record(BadRecord(journal.torn.decode("utf-8", "replace"), "cut short by a crash"))
    ingest = Ingest(
        journal=journal,
        not_added=not_added,
        sessions=sessions,
        embedder=embedder,
        session=session,
        batch=batch,
        erased=erased,
    )
    async with asyncio.TaskGroup() as group:
        runner = group.create_task(ingest.run())
        try:
            yield ingest
        finally:
            runner.cancel()
