"""Bring a source of messages into long-term memory as a batch, or tell what that would do.

While some messages are written, the next are compared and get their vectors, and those behind are read and cleaned in
a thread. No more than that is held in memory.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from db.databases import Database
from db.engines import transaction
from db.table_copy import Connection, open_connection, tables_of
from errors import InputFileError, OperatorError
from memory.capture.erased import Erased
from memory.embedding.embedder import Embedder
from memory.index.neighbours import Neighbour, RecentMessages, find_preceding
from memory.index.reembed import prepare
from memory.message import Message
from ops.erasure.ledger import merged
from ops.erasure.rows import erasures_of
from ops.promotion.batch_builder import BatchBuilder, Comparer
from ops.promotion.compare import Differences
from ops.promotion.history import Begun, begin, finish, forget_empty, promotion_lock
from ops.promotion.mentions import NamesOfAuthors
from ops.promotion.own_answers import OwnAnswers, mark_others
from ops.promotion.read import one_ahead, read
from ops.promotion.records import Source
from ops.promotion.rejects import open_refused
from ops.promotion.report import Tally
from ops.promotion.seen_messages import open_seen
from ops.promotion.twins import Twins
from ops.promotion.undo import take_back
from ops.promotion.vectors import Drafting
from ops.promotion.write import Writer
from util_async import Progress

logger = logging.getLogger(__name__)

_MESSAGES = "messages"
MARKED = "messages of the bot from earlier sources, which are answers from now on, and no evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a promotion works with."""

    long_term: Database
    short_term: Database
    embedder: Embedder
    erasures: Mapping[int, datetime]
    """Until when the words of a person are forgotten."""
    own: OwnAnswers = field(default_factory=OwnAnswers)
    """What is known of the bot's own answers; it learns of those that the source holds."""
    refused_dir: Path
    """Where the CSVs of refused rows are."""
    timeout: timedelta
    """How long it may take to connect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """What a promotion did."""

    promotion_id: int | None
    """The number of the batch; None when there was nothing new, and so no batch is left."""
    resumed: bool
    tally: Tally
    refused_path: Path | None
    """Where the refused rows are, if there are any."""


async def promote(
    source: Source, means: Means, *, time_zone: ZoneInfo, clock: Callable[[], datetime], report: Progress
) -> Promoted:
    """Bring in what of a source long-term memory lacks; `time_zone` is that of times which do not say theirs.

    Whoever was stopped runs it again: it goes on with the same batch. Vector indexes may be gone then, which
    `db.vector_index.build` builds again. The report counts bytes of the source. Raises DatabaseUnavailableError;
    OperatorError, with long-term memory as it was, for what has to be mended first; SessionInUseError while there is
    another promotion.
    """
    await prepare(means.long_term, means.embedder)
    async with promotion_lock(means.long_term, timeout=means.timeout) as connection:
        batch = await begin(connection, source=source.title, digest=source.digest, now=clock())
        logger.info("batch %d %s: %s", batch.promotion_id, "goes on" if batch.resumed else "begins", source.title)
        try:
            promoted = await _bring_in(source, means, batch, connection, time_zone=time_zone, report=report)
        except OperatorError as error:
            # A batch that goes on is kept, but not one of a file that will never be read to its end.
            if not batch.resumed or isinstance(error, InputFileError):
                await take_back(connection, batch.promotion_id, now=clock())
                await forget_empty(connection, batch.promotion_id)
            raise
        if not promoted.tally.has_effect and await forget_empty(connection, batch.promotion_id):
            return replace(promoted, promotion_id=None)
        await finish(connection, batch.promotion_id, now=clock())
        return promoted


async def difference(
    source: Source,
    database: Database,
    erasures: Mapping[int, datetime],
    *,
    time_zone: ZoneInfo,
    timeout: timedelta,
    report: Progress,
    own: OwnAnswers | None = None,
) -> Tally:
    """Tell what a promotion into long-term memory would do; nothing is written, not even a table.

    Raises DatabaseUnavailableError, and InputFileError when the source is not what it should be.
    """
    tally = Tally()
    async with open_connection(database.dsn, timeout=timeout, read_only=True) as connection:
        has_tables = _MESSAGES in await tables_of(connection)
        with open_seen() as seen:
            comparing = Comparer(
                Differences(connection, seen, has_tables=has_tables),
                Twins(connection, seen, has_tables=has_tables, remembers=_mixes_formats(source)),
                Erased(erasures),
                own or OwnAnswers(),
                tally,
                NamesOfAuthors(),
            )
            async with aclosing(one_ahead(read(source, time_zone=time_zone))) as chunks:
                async for chunk in chunks:
                    await comparing.compare(chunk)
                    report(chunk.end_bytes, source.size)
    return tally


async def _bring_in(
    source: Source, means: Means, batch: Begun, connection: Connection, *, time_zone: ZoneInfo, report: Progress
) -> Promoted:
    tally = Tally()
    # Somebody may have been forgotten since `means` were made; from here on the lock keeps that from happening.
    erasures = merged(means.erasures, await erasures_of(means.long_term))
    # A source that is brought in again has had its refused rows written down before.
    path = means.refused_dir / f"{batch.earlier or batch.promotion_id}_refused.csv"
    async with _open_short_term(means) as short_term:
        with open_seen() as seen, open_refused(path) as refused:
            drafting = Drafting(
                model=means.embedder.name,
                width=await means.embedder.dimensions(),
                short_term=short_term,
                recent=RecentMessages(partial(_stored_before, means.long_term)),
            )
            comparing = Comparer(
                Differences(connection, seen, has_tables=True),
                Twins(connection, seen, has_tables=True, remembers=_mixes_formats(source)),
                Erased(erasures),
                means.own,
                tally,
                NamesOfAuthors(connection),
            )
            preparing = BatchBuilder(comparing, drafting, means.embedder, refused, tally, size=source.size)
            writer = Writer(means.long_term, batch.promotion_id, refused, tally)
            chunks = one_ahead(read(source, time_zone=time_zone))
            async with aclosing(one_ahead(preparing.pieces(chunks))) as pieces:
                async for piece in pieces:
                    await writer.write(piece)
                    report(piece.end_bytes, source.size)
    if marked := await mark_others(connection, means.own):
        tally.notes[MARKED] += marked
    return Promoted(
        promotion_id=batch.promotion_id,
        resumed=batch.resumed,
        tally=tally,
        refused_path=path if tally.refused else None,
    )


def _mixes_formats(source: Source) -> bool:
    """Return whether a source may have a message twice, in one file with and in another one without its id."""
    return source.lacks_ids and len(source.files) > 1


@asynccontextmanager
async def _open_short_term(means: Means) -> AsyncGenerator[Connection | None]:
    """Yield a connection to short-term memory, None while it holds nothing."""
    async with open_connection(means.short_term.dsn, timeout=means.timeout) as connection:
        yield connection if _MESSAGES in await tables_of(connection) else None


async def _stored_before(database: Database, messages: Sequence[Message]) -> list[Neighbour]:
    async with transaction(database.reading) as session:
        return await find_preceding(session, messages=messages)
