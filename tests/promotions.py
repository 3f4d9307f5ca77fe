"""Promote what a test names, and look at what came of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from db.databases import Database
from db.engines import transaction
from db.schema import MessageRow
from db.table_copy import Content, content_of, content_tables, open_connection, tables_of
from memory.embedding.embedder import Embedder
from memory.embedding.model import Vectors
from memory.index import store
from memory.message import Message
from ops.promotion.own_answers import OwnAnswers
from ops.promotion.promote import PromotionResources, PromotionResult, preview, promote
from ops.promotion.records import MessageSource
from ops.promotion.report import RecordTally
from util_async import no_progress

UTC_ZONE = ZoneInfo("UTC")
PATIENCE = timedelta(seconds=60)
NOW = datetime(2026, 11, 21, tzinfo=UTC)


class CountingEmbedder(Embedder):
    """An embedder that does as another one, and remembers what it was asked."""

    def __init__(self, real: Embedder) -> None:
        self._real = real
        self.asked: list[str] = []

    @property
    def name(self) -> str:
        return self._real.name

    async def dimensions(self) -> int:
        return await self._real.dimensions()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return await self._real.embed(texts)


def means_of(
    long_term: Database,
    short_term: Database,
    embedder: Embedder,
    folder: Path,
    erasures: Mapping[int, datetime] | None = None,
    own: OwnAnswers | None = None,
) -> PromotionResources:
    """Return what a promotion needs; refused rows go to a folder."""
    return PromotionResources(
        long_term=long_term,
        short_term=short_term,
        embedder=embedder,
        erasures=erasures or {},
        own=own or OwnAnswers(),
        refused_dir=folder / "promotions",
        timeout=PATIENCE,
    )


async def bring_in(source: MessageSource, means: PromotionResources) -> PromotionResult:
    """Promote a source."""
    return await promote(source, means, time_zone=UTC_ZONE, clock=lambda: NOW, report=no_progress)


async def differ(source: MessageSource, means: PromotionResources) -> RecordTally:
    """Tell what it would do to promote a source."""
    return await preview(
        source, means.long_term, means.erasures, time_zone=UTC_ZONE, now=NOW, timeout=PATIENCE, report=no_progress
    )


async def contents(database: Database, *, but: Sequence[str] = ()) -> dict[str, Content]:
    """Return what each table holds, some left out."""
    async with open_connection(database.dsn, timeout=PATIENCE, read_only=True) as connection:
        tables = content_tables(await tables_of(connection))
        return {table.name: await content_of(connection, table) for table in tables if table.name not in but}


async def stored(database: Database) -> dict[int, Message]:
    """Return all messages by their ids."""
    async with transaction(database.sessions) as session:
        rows = (await session.execute(select(*store.MESSAGE_COLUMNS))).mappings()
        return {row["message_id"]: store.to_message(row) for row in rows}


async def column(database: Database, name: str) -> dict[int, object]:
    """Return a column of all messages by their ids."""
    async with transaction(database.sessions) as session:
        rows = await session.execute(select(MessageRow.message_id, MessageRow.__table__.c[name].label("value")))
        return {row.message_id: row.value for row in rows}


def counts(tally: RecordTally) -> dict[str, int]:
    """Return how many messages there are of each sort that there is."""
    return {verdict.value: count for verdict, count in tally.verdicts.items() if count}
