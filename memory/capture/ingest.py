"""Bring the journal's messages into short-term memory: read, embed, write, and again from where it stopped.

The journal is the queue. Its position is moved in the transaction that writes the rows, so an outage, a kill or a
restart leaves off and goes on at exactly the same message. Nothing that the database, the embedding model or a message
does ends it, as that would end capture too: it waits, or it puts a message aside.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from db.engines import Sessions, transaction
from errors import ModelUnavailableError, OperatorError, RefusedRowError, StatementFailedError, first_line
from memory.capture.erased import Erased
from memory.capture.journal import BadRecord, Journal, JournalBatch, NotAdded
from memory.capture.session import trusted_position
from memory.capture.writer import Doing, MessageWriter, OnStored, Outages, unheard
from memory.embedding.embedder import Embedder
from memory.index import neighbours, reembed
from memory.index.index_text import said
from memory.index.indexing import draft_of, index_drafts, index_without_vectors
from memory.index.neighbours import Neighbour, RecentMessages
from memory.index.store import Indexed
from memory.message import Message, Revision, fold
from util_async import background_task

logger = logging.getLogger(__name__)

_LARGEST_BATCH = 1000  # messages; PostgreSQL takes 65,535 parameters in a statement
_READY_BATCHES = 2  # embedded batches that may wait for the database
_EMBEDDER_PATIENCE = timedelta(seconds=2)  # once, at the start; then messages are stored and get their vectors later
_FAR_BEHIND = 256 * 1024  # bytes of the journal, about a thousand messages: then all is stored before it is embedded
_BATCHES_WITHOUT_VECTORS = 8  # that are written as one
_WRITING_PATIENCE = timedelta(seconds=5)  # for the batch that is being written when following has to pause
_TRIES_FOR_CONTEXT = 3  # to read what was said before, while messages can be written


@dataclass(frozen=True, slots=True)
class _Batch:
    """Messages that are ready to be written, those that are not to be, and how far the journal is read then."""

    rows: tuple[Indexed, ...]
    revisions: tuple[Revision, ...]
    bad: tuple[BadRecord, ...]
    position: int
    refused: tuple[tuple[Message, str], ...] = ()
    """Messages that nothing can be made of, each with the reason."""


class Ingest:
    """Follows one journal into one database.

    Two stages run side by side: while a batch is written the next is embedded. At most `_READY_BATCHES` wait
    between them; what is behind waits in the journal. While the embedder is not ready, and while the database is far
    behind the journal, rows are stored without their vectors, to be found by their words, and get them later.
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
        on_stored: OnStored = unheard,
    ) -> None:
        self._journal = journal
        self._sessions = sessions
        self._embedder = embedder
        self._session = session
        self._erased = erased or Erased()
        self._batch_size = min(batch, _LARGEST_BATCH)
        self._ready: asyncio.Queue[_Batch] = asyncio.Queue(_READY_BATCHES)
        self._writing = asyncio.Lock()
        self._pausing = asyncio.Lock()
        self._pause_wanted = asyncio.Event()
        self._stands_still = asyncio.Event()
        self._goes_on = asyncio.Event()
        self._pauses = 0
        self._grown = asyncio.Event()
        self._moved = asyncio.Condition()
        self._recent = RecentMessages(self._stored_before)
        self._opened_at = journal.end
        self._missing = asyncio.Event()
        self._has_all_vectors = False
        self._waited_for_embedder = False
        self._refused_vectors: set[int] = set()
        self._outages = Outages(waits_in=str(journal.path), on_change=self._notify)
        self._writer = MessageWriter(
            sessions=sessions,
            not_added=not_added,
            outages=self._outages,
            session_name=session,
            on_missing=self._note_missing,
            on_stored=on_stored,
        )
        self.stored = 0

    @property
    def outage(self) -> bool:
        """Whether messages cannot be stored just now."""
        return self._outages.keep_messages_out

    @property
    def behind(self) -> int:
        """How many bytes of the journal are not in the database yet."""
        return max(0, self._journal.end - self.stored)

    @property
    def _is_far_behind(self) -> bool:
        """Whether storing comes before embedding: what is said now stands behind all that waits."""
        return self.behind > _FAR_BEHIND

    def journal_has_grown(self) -> None:
        """Wake the reader."""
        self._grown.set()

    async def settle(self, *, timeout: timedelta, up_to: int | None = None) -> bool:
        """Wait until all that the journal holds now, or held `up_to` a position, is searchable; return whether it is.

        It gives up early while the database is away.
        """
        end, pauses = self._journal.end, self._pauses
        goal = end if up_to is None else min(up_to, end)  # one that was rewritten is shorter

        def is_reached() -> bool:  # a journal that was rewritten meanwhile is another one
            return self.stored >= (goal if pauses == self._pauses else self._journal.end)

        try:
            async with asyncio.timeout(timeout.total_seconds()), self._moved:
                await self._moved.wait_for(lambda: is_reached() or self.outage)
        except TimeoutError:
            return False
        return is_reached()

    async def settle_vectors(self, *, timeout: timedelta) -> bool:
        """Wait until no row lacks its vector any more; return whether that is so."""
        try:
            async with asyncio.timeout(timeout.total_seconds()), self._moved:
                await self._moved.wait_for(lambda: self._has_all_vectors or self._outages.keep_vectors_out)
        except TimeoutError:
            return False
        return self._has_all_vectors

    async def run(self) -> None:
        """Follow the journal until cancelled; raise EmbeddingModelError when the model cannot be loaded."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._embed_missing())

    @asynccontextmanager
    async def paused(self) -> AsyncGenerator[None]:
        """Let nothing be read or written while the context lasts; then go on from where the database says it is.

        A batch that is being written is waited for, but no longer than some seconds: then the database takes it back.
        """
        async with self._pausing:
            self._goes_on.clear()
            self._pause_wanted.set()
            try:
                await self._stands_still.wait()
                yield
            finally:
                self._ready = asyncio.Queue(_READY_BATCHES)
                self._recent = RecentMessages(self._stored_before)
                self._opened_at = self._journal.end
                self.stored = 0  # until it is read again: an offset of the former file says nothing about this one
                self._pauses += 1
                self._pause_wanted.clear()
                self._stands_still.clear()
                self._goes_on.set()

    async def _follow(self) -> None:
        """Follow the journal, but for pauses."""
        while True:
            async with background_task(self._follow_on()) as following:
                await self._until_pause_or_end_of(following)
            if following.done() and not following.cancelled():
                following.result()
            self._stands_still.set()
            await self._goes_on.wait()

    async def _until_pause_or_end_of(self, following: asyncio.Task[None]) -> None:
        async with background_task(self._pause_wanted.wait()) as wanted:
            await asyncio.wait({following, wanted}, return_when=asyncio.FIRST_COMPLETED)
        with suppress(TimeoutError):
            async with asyncio.timeout(_WRITING_PATIENCE.total_seconds()), self._writing:
                pass

    async def _follow_on(self) -> None:
        start = await self._outages.patiently(Doing.READING, self._find_start)
        await self._move_to(start)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_and_embed(self.stored))
            group.create_task(self._write_ready())

    async def _find_start(self) -> int:
        """Return the position that is stored, once it is one of this CSV."""
        return await trusted_position(self._sessions, self._journal, session_name=self._session, end=self._opened_at)

    async def _read_and_embed(self, position: int) -> None:
        limit = self._batch_size
        while True:
            self._grown.clear()
            read = await self._outages.patiently(
                Doing.READING, self._journal.in_thread, self._journal.read, position, limit
            )
            if read.position == position:
                await self._grown.wait()
                continue
            try:
                batch = await self._prepared(read)
            except OperatorError:
                raise
            except Exception as error:
                logger.exception("messages could not be prepared for memory")
                if limit > 1:
                    limit = 1  # the next round finds the message
                    continue
                batch = _nothing_of(read, f"{type(error).__name__}: {first_line(error)}")
            position = read.position
            limit = min(2 * limit, self._largest_batch())
            await self._ready.put(batch)

    def _largest_batch(self) -> int:
        """Return how many messages may be written together; without vectors it may be many."""
        wanted = self._batch_size * (_BATCHES_WITHOUT_VECTORS if self._is_far_behind else 1)
        return min(wanted, _LARGEST_BATCH)

    async def _prepared(self, read: JournalBatch) -> _Batch:
        """Return what was read as the writer takes it, without what forgotten people said."""
        read = self._erased.without(read)
        messages, revisions = fold(read.messages)
        rows = await self._indexed(messages)
        return _Batch(tuple(rows), tuple(revisions), read.bad, read.position)

    async def _write_ready(self) -> None:
        while True:
            batch = await self._ready.get()
            async with self._writing:
                for record in batch.bad:
                    await self._writer.refuse_record(record)
                for message, reason in batch.refused:
                    await self._writer.refuse(message, reason)
                await self._writer.write(batch.rows, batch.revisions, batch.position)
                await self._move_to(batch.position)

    async def _move_to(self, position: int) -> None:
        self.stored = self._writer.position = position
        await self._notify()

    async def _notify(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    async def _indexed(self, messages: Sequence[Message]) -> list[Indexed]:
        """Return messages as rows, whose vectors follow later where the model is not there."""
        before = await self._recent.preceding(messages, [message for message in messages if said(message)])
        drafts = [draft_of(message, before.get(message.message_id, ())) for message in messages]
        if not self._is_far_behind and await self._embedder_is_ready():
            try:
                return await index_drafts(drafts, self._embedder)
            except ModelUnavailableError as error:
                logger.warning("messages are stored without vectors, which follow: %s", error)
        return index_without_vectors(drafts)

    async def _embedder_is_ready(self) -> bool:
        """Wait for the embedder, the first time and not for long; return whether it is ready."""
        if self._embedder.loaded or self._waited_for_embedder:
            return self._embedder.loaded
        self._waited_for_embedder = True
        ready = await self._embedder.ready_within(_EMBEDDER_PATIENCE)
        if not ready:
            logger.info("the embedding model is not ready: messages are stored without vectors, which follow")
        return ready

    def _note_missing(self) -> None:
        self._has_all_vectors = False
        self._missing.set()

    async def _embed_missing(self) -> None:
        """Once the embedder is ready, give a vector to rows that were stored without one, in this run or before."""
        if await self._outages.patiently(Doing.EMBEDDING, self._noted_as_missing) is not None:
            self._missing.set()
        await self._embedder.ready()
        while True:
            if not self._missing.is_set():
                self._has_all_vectors = True
                await self._notify()
            await self._missing.wait()
            self._missing.clear()
            await self._outages.patiently(Doing.EMBEDDING, self._embed_all_missing)

    async def _embed_all_missing(self) -> None:
        noted = await self._noted_as_missing()
        count = 0
        while some := await reembed.embed_some(
            self._sessions, self._embedder, self._batch_size, of=self._session, refused=self._refused_vectors
        ):
            count += some
            async with self._moved:  # a processor that embeds is missing where messages are stored
                await self._moved.wait_for(lambda: not self._is_far_behind or self.outage)
        if noted is not None and not self._refused_vectors:
            async with transaction(self._sessions) as session:
                await reembed.note_complete(session, noted, of=self._session)
        logger.info("%d messages that were stored without vectors have theirs", count)

    async def _noted_as_missing(self) -> str | None:
        async with transaction(self._sessions) as session:
            return await reembed.missing_up_to(session, of=self._session)

    async def _stored_before(self, messages: Sequence[Message]) -> Sequence[Neighbour]:
        """Return what the database holds from before messages; nothing where it cannot tell, though it works."""
        for _ in range(_TRIES_FOR_CONTEXT):
            found = await self._outages.patiently(Doing.READING, self._read_before, messages)
            if not isinstance(found, Exception):
                return found
            await self._writer.until_others_pass(Doing.READING)
        logger.warning("%d messages are stored without what was said before them: %s", len(messages), found)
        return ()

    async def _read_before(self, messages: Sequence[Message]) -> Sequence[Neighbour] | Exception:
        """Return what the database holds from before messages, or with what error it answers."""
        try:
            async with transaction(self._sessions) as session:
                return await neighbours.find_preceding(session, messages=messages)
        except (StatementFailedError, RefusedRowError) as error:
            return error


def _nothing_of(read: JournalBatch, reason: str) -> _Batch:
    """Return a batch that puts all aside that was read."""
    return _Batch((), (), read.bad, read.position, tuple((message, reason) for message in read.messages))


@asynccontextmanager
async def running(ingest: Ingest) -> AsyncGenerator[Ingest]:
    """Yield an ingest that follows its journal for as long as the context lasts."""
    async with asyncio.TaskGroup() as group:
        runner = group.create_task(ingest.run())
        try:
            yield ingest
        finally:
            runner.cancel()
