"""Bring a source of messages into long-term memory as a batch, or tell what that would do.

While some messages are written, the next are compared and get their vectors, and those behind are read and cleaned in
a thread. No more than that is held in memory.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from db.databases import Database
from db.engines import transaction
from db.table_copy import Connection, open_connection, tables_of
from errors import InputFileError, OperatorError
from memory.capture.erased import NO_ITEMS, Erased, ErasedItems, is_erased, merged
from memory.consent.reading import rules_of
from memory.embedding.embedder import Embedder
from memory.index.indexing import Draft, index_drafts
from memory.index.neighbours import Neighbour, RecentMessages, find_preceding
from memory.index.reembed import prepare
from memory.message import Message, Revision
from memory.places import store
from memory.places.resolve import resolve_batch
from memory.places.state import PlaceState
from ops.erasure.rows import erasures_of
from ops.promotion.clean import read
from ops.promotion.compare import ComparedMessage, StateComparer, Verdict
from ops.promotion.consent import NotKept
from ops.promotion.history import StartedBatch, finish_batch, forget_empty, promotion_lock, start_batch
from ops.promotion.mentions import AuthorNames
from ops.promotion.own_answers import OwnAnswers, mark_others
from ops.promotion.records import SESSION_KIND, CleanBatch, MessageSource, Reject, Vector
from ops.promotion.rejects import RejectsCsv, open_rejects, row_of_record
from ops.promotion.report import RecordTally
from ops.promotion.seen_messages import open_seen
from ops.promotion.twins import Twins
from ops.promotion.undo import take_back
from ops.promotion.vectors import Drafting
from ops.promotion.write import BatchWriter, WritePiece
from util_async import Progress, background_task

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MESSAGES = "messages"
_EMBEDDED_AT_ONCE = 1000  # messages that are written together when the model has to work for them
MARKED = "messages of the bot from earlier sources, which are answers from now on, and no evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionResources:
    """What a promotion works with."""

    long_term: Database
    short_term: Database
    embedder: Embedder
    erasures: Mapping[int, datetime]
    """Until when the words of a person are forgotten."""
    items: ErasedItems = NO_ITEMS
    """What is erased besides."""
    own: OwnAnswers = field(default_factory=OwnAnswers)
    """What is known of the bot's own answers; it learns of those that the source holds."""
    refused_dir: Path
    """Where the CSVs of refused rows are."""
    timeout: timedelta
    """How long it may take to connect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionResult:
    """What a promotion did."""

    promotion_id: int | None
    """The number of the batch; None when there was nothing new, and so no batch is left."""
    resumed: bool
    tally: RecordTally
    refused_path: Path | None
    """Where the refused rows are, if there are any."""


async def promote(
    source: MessageSource,
    resources: PromotionResources,
    *,
    time_zone: ZoneInfo,
    clock: Callable[[], datetime],
    report: Progress,
) -> PromotionResult:
    """Bring in what of a source long-term memory lacks; `time_zone` is that of times which do not say theirs.

    Whoever was stopped runs it again: it goes on with the same batch. Vector indexes may be gone then, which
    `db.vector_index.build` builds again. The report counts bytes of the source. Raises DatabaseUnavailableError;
    OperatorError, with long-term memory as it was, for what has to be mended first; SessionInUseError while there is
    another promotion.
    """
    await prepare(resources.long_term, resources.embedder)
    async with promotion_lock(resources.long_term, timeout=resources.timeout) as connection:
        batch = await start_batch(connection, source=source.title, digest=source.digest, now=clock())
        logger.info("batch %d %s: %s", batch.promotion_id, "goes on" if batch.resumed else "begins", source.title)
        try:
            promoted = await _bring_in(
                source, resources, batch, connection, time_zone=time_zone, now=clock(), report=report
            )
        except OperatorError as error:
            # A batch that goes on is kept, but not one of a file that will never be read to its end.
            if not batch.resumed or isinstance(error, InputFileError):
                await take_back(connection, batch.promotion_id, now=clock())
                await forget_empty(connection, batch.promotion_id)
            raise
        if not promoted.tally.has_effect and await forget_empty(connection, batch.promotion_id):
            return replace(promoted, promotion_id=None)
        await finish_batch(connection, batch.promotion_id, sessions=_sessions_in(source, promoted.tally), now=clock())
        return promoted


def _sessions_in(source: MessageSource, tally: RecordTally) -> set[str]:
    """Return the stems of the sessions whose CSVs were read from beginning to end."""
    read = {name for name, file in tally.files.items() if not file.damage}
    names = {Path(file.name).name for file in source.files if file.kind == SESSION_KIND and file.name in read}
    return {name.removesuffix(".zst").removesuffix(".csv") for name in names}


async def preview(
    source: MessageSource,
    database: Database,
    erasures: Mapping[int, datetime],
    *,
    time_zone: ZoneInfo,
    now: datetime,
    timeout: timedelta,
    report: Progress,
    own: OwnAnswers | None = None,
    items: ErasedItems = NO_ITEMS,
) -> RecordTally:
    """Tell what a promotion into long-term memory would do; nothing is written, not even a table.

    Raises DatabaseUnavailableError, and InputFileError when the source is not what it should be.
    """
    tally = RecordTally()
    async with open_connection(database.dsn, timeout=timeout, read_only=True) as connection:
        has_tables = _MESSAGES in await tables_of(connection)
        with open_seen() as seen:
            comparer = Comparer(
                StateComparer(connection, seen, has_tables=has_tables),
                Twins(connection, seen, has_tables=has_tables, remembers=_mixes_formats(source)),
                Erased(erasures, items.messages, items.channels),
                NotKept(await rules_of(database, now=now), connection if has_tables else None),
                own or OwnAnswers(),
                tally,
                AuthorNames(),
            )
            async with aclosing(one_ahead(read(source, time_zone=time_zone))) as chunks:
                async for chunk in chunks:
                    await comparer.compare(chunk)
                    report(chunk.end_bytes, source.size)
    return tally


async def _bring_in(
    source: MessageSource,
    resources: PromotionResources,
    batch: StartedBatch,
    connection: Connection,
    *,
    time_zone: ZoneInfo,
    now: datetime,
    report: Progress,
) -> PromotionResult:
    tally = RecordTally()
    # Somebody may have been forgotten since `resources` were made; from here on the lock keeps that from happening.
    erasures = merged(resources.erasures, await erasures_of(resources.long_term))
    # A source that is brought in again has had its refused rows written down before.
    path = resources.refused_dir / f"{batch.earlier or batch.promotion_id}_refused.csv"
    async with _open_short_term(resources) as short_term:
        with open_seen() as seen, open_rejects(path) as rejects:
            drafting = Drafting(
                model=resources.embedder.name,
                width=await resources.embedder.dimensions(),
                short_term=short_term,
                recent=RecentMessages(partial(_stored_before, resources.long_term)),
            )
            comparer = Comparer(
                StateComparer(connection, seen, has_tables=True),
                Twins(connection, seen, has_tables=True, remembers=_mixes_formats(source)),
                Erased(erasures, resources.items.messages, resources.items.channels),
                NotKept(await rules_of(resources.long_term, now=now), connection),
                resources.own,
                tally,
                AuthorNames(connection),
            )
            builder = BatchBuilder(comparer, drafting, resources.embedder, rejects, tally, size=source.size)
            writer = BatchWriter(resources.long_term, batch.promotion_id, rejects, tally)
            places: dict[int, PlaceState] = {}
            chunks = one_ahead(_collect_places(read(source, time_zone=time_zone), places))
            async with aclosing(one_ahead(builder.pieces(chunks))) as pieces:
                async for piece in pieces:
                    await writer.write(piece)
                    report(piece.end_bytes, source.size)
    if tally.has_effect:
        async with transaction(resources.long_term.sessions) as session:
            await store.upsert(session, list(places.values()), promotion_id=batch.promotion_id)
        await resolve_batch(resources.long_term.sessions, batch.promotion_id)
    if marked := await mark_others(connection, resources.own):
        tally.notes[MARKED] += marked
    return PromotionResult(
        promotion_id=batch.promotion_id,
        resumed=batch.resumed,
        tally=tally,
        refused_path=path if tally.refused else None,
    )


def _mixes_formats(source: MessageSource) -> bool:
    """Return whether a source may have a message twice, in one file with and in another one without its id."""
    return source.lacks_ids and len(source.files) > 1


@asynccontextmanager
async def _open_short_term(resources: PromotionResources) -> AsyncGenerator[Connection | None]:
    """Yield a connection to short-term memory, None while it holds nothing."""
    async with open_connection(resources.short_term.dsn, timeout=resources.timeout) as connection:
        yield connection if _MESSAGES in await tables_of(connection) else None


async def _stored_before(database: Database, messages: Sequence[Message]) -> list[Neighbour]:
    async with transaction(database.reading) as session:
        return await find_preceding(session, messages=messages)


async def _collect_places(
    batches: AsyncGenerator[CleanBatch], places: dict[int, PlaceState]
) -> AsyncGenerator[CleanBatch]:
    """Yield batches, and take in what they say of channels and threads."""
    async with aclosing(batches):
        async for batch in batches:
            places |= {state.place_id: state for state in batch.places}
            yield batch


async def one_ahead(items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """Yield what another generator yields, which is at work on the next one meanwhile; it is closed on exit."""
    async with aclosing(items):
        item = await anext(items, None)
        while item is not None:
            async with background_task(_next_of(items)) as coming:
                yield item
                item = await coming


async def _next_of(items: AsyncIterator[T]) -> T | None:
    return await anext(items, None)


@dataclass(frozen=True, slots=True)
class KeptBatch:
    """What of a clean batch may be kept."""

    messages: Sequence[Message]
    revisions: Sequence[Revision]
    vectors: Mapping[int, Vector]
    """By the index of the message in `messages`."""
    rejects: Sequence[Reject]

    def without(self, indexes: Collection[int]) -> "KeptBatch":
        """Return this batch without the messages at some indexes."""
        if not indexes:
            return self
        left = [index for index in range(len(self.messages)) if index not in indexes]
        ids = {self.messages[index].message_id for index in left}
        return KeptBatch(
            messages=[self.messages[index] for index in left],
            revisions=[revision for revision in self.revisions if revision.message_id in ids],
            vectors={new: self.vectors[old] for new, old in enumerate(left) if old in self.vectors},
            rejects=self.rejects,
        )

    def replacing(self, messages: Mapping[int, Message]) -> "KeptBatch":
        """Return this batch with other messages at some indexes, which have no vectors and no former texts."""
        if not messages:
            return self
        ids = {message.message_id for message in messages.values()}
        return replace(
            self,
            messages=[messages.get(index, message) for index, message in enumerate(self.messages)],
            revisions=[revision for revision in self.revisions if revision.message_id not in ids],
            vectors={index: vector for index, vector in self.vectors.items() if index not in messages},
        )


class Comparer:
    """Compares the messages of one batch after the other with what is there, and counts."""

    def __init__(
        self,
        differences: StateComparer,
        twins: Twins,
        erased: Erased,
        not_kept: NotKept,
        own: OwnAnswers,
        tally: RecordTally,
        names: AuthorNames,
    ) -> None:
        self._differences = differences
        self._twins = twins
        self._names = names
        self._erased = erased
        self._not_kept = not_kept
        self._own = own
        self._tally = tally
        self._erased_ids: set[int] = set()

    async def compare(self, clean: CleanBatch) -> tuple[KeptBatch, list[ComparedMessage], list[Revision]]:
        """Return what is kept of a batch, what each of its messages is, and the revisions that are new."""
        batch = replace(clean, messages=[self._own.mark(message) for message in clean.messages])
        kept = await self._without_not_kept(self._without_erased(batch))
        messages, vectors = await self._names.named(kept.messages, kept.vectors)
        kept = replace(kept, messages=messages, vectors=vectors)
        if not batch.ours:
            known = await self._twins.known(kept.messages, batch.source)
            kept = kept.without(known)
            self._tally.add_known(len(known), batch.source)
        compared, revisions = await self._differences.compare(kept.messages, kept.revisions)
        self._tally.add_cleaned(replace(clean, rejects=list(kept.rejects)), batch.source)
        self._tally.add_compared(compared, batch.source)
        self._tally.add_damage(batch.damage, batch.source)
        self._tally.add_command_bots(
            {bot: count for bot, count in batch.command_bots.items() if bot[0] not in self._own.author_ids}
        )
        return kept, compared, revisions

    def _without_erased(self, batch: CleanBatch) -> KeptBatch:
        """Leave out messages of the forgotten, later states of these, and answers that may repeat them."""
        kept = KeptBatch(batch.messages, batch.revisions, batch.vectors, batch.rejects)
        if not self._erased.has_any:
            return kept
        self._erased_ids.update(
            message.message_id
            for message in batch.messages
            if is_erased(self._erased.until, message.author_id, message.sent_at)
        )
        erased = {
            index
            for index, message in enumerate(batch.messages)
            if message.message_id in self._erased_ids or self._erased.covers(message)
        }
        rejects = [reject for reject in batch.rejects if not self._erased.covers_line(reject.text)]
        answers = sum(self._erased.may_repeat(message) for message in batch.messages)
        self._tally.answers += answers
        self._tally.erased += len(erased) - answers + len(batch.rejects) - len(rejects)
        return replace(kept.without(erased), rejects=rejects)

    async def _without_not_kept(self, batch: KeptBatch) -> KeptBatch:
        """Leave out what may not be kept, with lines that may be of such a person."""
        decided = await self._not_kept.decided(batch.messages)
        rejects = [reject for reject in batch.rejects if not self._not_kept.covers_line(reject.text)]
        left_out = {index for index, state in decided.items() if state is None}
        withdrawn = {index: state for index, state in decided.items() if state is not None}
        self._tally.not_kept += len(left_out) + len(batch.rejects) - len(rejects)
        return replace(batch.replacing(withdrawn).without(left_out), rejects=rejects)


class BatchBuilder:
    """Builds what can be written, a piece for each transaction."""

    def __init__(
        self,
        comparer: Comparer,
        drafting: Drafting,
        embedder: Embedder,
        rejects: RejectsCsv,
        tally: RecordTally,
        *,
        size: int,
    ) -> None:
        self._comparer = comparer
        self._drafting = drafting
        self._embedder = embedder
        self._rejects = rejects
        self._tally = tally
        self._size = size
        self._done = 0

    async def pieces(self, batches: AsyncIterator[CleanBatch]) -> AsyncGenerator[WritePiece]:
        """Yield what shall be written of each batch; one that needs many vectors of the model comes in parts."""
        async for batch in batches:
            kept, compared, revisions = await self._comparer.compare(batch)
            await asyncio.to_thread(self._rejects.add, [row_of_record(reject) for reject in kept.rejects])
            changed = [message for message in compared if message.changes]
            drafts = await self._drafting.drafts(kept.messages, kept.vectors, changed)
            expected = self._expected(compared, batch.end_bytes)
            started_at, self._done = self._done, batch.end_bytes
            for end, part, part_revisions in _parts(drafts, revisions):
                rows = await index_drafts(part, self._embedder)
                self._tally.embedded += sum(draft.lacks_vector for draft in part)
                self._tally.reused += sum(draft.vector is not None for draft in part)
                yield WritePiece(
                    rows=rows,
                    verdicts=[message.verdict for message in changed[end - len(part) : end]],
                    revisions=part_revisions,
                    expected=expected,
                    end_bytes=started_at + (batch.end_bytes - started_at) * end // max(1, len(drafts)),
                )

    def _expected(self, compared: Sequence[ComparedMessage], end_bytes: int) -> int:
        """Return how many messages may be new in all, if the rest of the source is as new as this batch."""
        new = sum(message.verdict is Verdict.NEW for message in compared)
        rest = self._tally.records * max(0, self._size - end_bytes) / max(1, end_bytes)
        return self._tally.verdicts[Verdict.NEW] + int(rest * new / max(1, len(compared)))


def _parts(
    drafts: Sequence[Draft], revisions: Sequence[Revision]
) -> Iterator[tuple[int, Sequence[Draft], list[Revision]]]:
    """Yield drafts that are written together, where they end, and their revisions; those of no draft come last."""
    lacking = sum(draft.lacks_vector for draft in drafts)
    step = _EMBEDDED_AT_ONCE if lacking > _EMBEDDED_AT_ONCE else max(1, len(drafts))
    left = list(revisions)
    for start in range(0, len(drafts) - step, step):
        part = drafts[start : start + step]
        ids = {draft.message.message_id for draft in part}
        yield start + step, part, [revision for revision in left if revision.message_id in ids]
        left = [revision for revision in left if revision.message_id not in ids]
    yield len(drafts), drafts[(len(drafts) - 1) // step * step :] if drafts else (), left
