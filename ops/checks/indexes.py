"""Check the indexes of the messages: that they are valid, that they find, and that the planner counts right."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pgvector.sqlalchemy import Vector as VectorType
from sqlalchemy import ARRAY, BigInteger, Text, bindparam, column, func, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.schema import CreateIndex

from db.chunks import find_chunks, indexes_of, is_hypertable
from db.databases import Database
from db.schema import AwareTime, Base, MessageRow
from db.word_index import BM25_INDEX, has_restarted
from memory.filters import Filters
from memory.index import store
from memory.message import Kind, MessageKey
from memory.search import rows, vectors
from memory.search.planner import FEWEST_PROPOSALS, Costs, Size, Trace, estimate
from memory.search.vectors import Vector
from ops.checks.database import read_only_session
from ops.checks.result import CheckResult, left_out, ok, warning, wrong

SIZE = 10

# Each is found through the index of times: a random choice of rows would read the whole table.
_OLD_AND_NEW = text(
    """
    WITH known AS (
        SELECT message_id, sent_at, search_text, embedding FROM messages
        WHERE embedding IS NOT NULL AND deleted_at IS NULL AND kind <> 'answer'
          AND to_tsvector('english', search_text) <> ''
    ), ends AS (SELECT min(sent_at) AS first, max(sent_at) AS last FROM messages)
    SELECT spread.* FROM ends, generate_series(0, :half - 1) AS number, LATERAL (
        SELECT * FROM known WHERE sent_at >= first + (last - first) * number / :half
        ORDER BY sent_at, message_id LIMIT 1
    ) AS spread
    UNION
    (SELECT * FROM known ORDER BY sent_at DESC, message_id DESC LIMIT :half)
    """
).columns(
    column("message_id", BigInteger), column("sent_at", AwareTime), column("search_text", Text),
    column("embedding", VectorType()),
)  # fmt: skip


class SampledMessage(NamedTuple):
    """A stored message, as far as it can be looked for."""

    message_id: int
    sent_at: datetime
    search_text: str
    embedding: NDArray[np.float32]


async def sample(session: AsyncSession) -> list[SampledMessage]:
    """Return up to SIZE messages that have a vector and words, half of them the newest, in no order."""
    return [SampledMessage(*row) for row in await session.execute(_OLD_AND_NEW, {"half": SIZE // 2})]


ENOUGH = 0.9
"""The share of the nearest messages below which an index is worth building anew."""

WANTED = 10
FEW = 10 * FEWEST_PROPOSALS
"""Rows below which nothing is measured: the index is asked for hundreds, so that a few thousand tell nothing."""

BUDGET = timedelta(seconds=30)
"""After so long no further message is looked for: to compare every vector of a large memory takes seconds."""

_ALWAYS_BY_INDEX = Costs(compare=1e9)  # with which the index is always the cheaper way
_DISTANCE_ROUNDING = 1e-5  # of distances that are computed twice


async def recall(database: Database) -> CheckResult:
    """Check that the vector index finds the nearest messages, by comparing with all vectors."""
    async with read_only_session(database) as session:
        filters = Filters(places=frozenset(await rows.places(session)), kinds=frozenset(Kind))
        hypertable = await is_hypertable(session)
        known = sum(chunk.rows for chunk in await find_chunks(session, hypertable=hypertable))
        size = await estimate(session, filters, hypertable=hypertable)
        sampled = await sample(session)
        repair = await rebuild_statements(session, method="diskann")
    if known < FEW or not sampled:
        return left_out(f"about {known:,} rows: with fewer than {FEW:,} every vector is compared anyway")
    if not repair or not size.indexes:
        return left_out("there is no vector index yet, every vector is compared")
    return judge_recall(await _shares(database, filters, size, sampled), repair=repair)


def judge_recall(shares: Sequence[float], *, repair: str) -> CheckResult:
    """Judge the shares of the nearest messages that were found, one for each message looked for."""
    mean = sum(shares) / len(shares)
    summary = f"{mean:.0%} of the {WANTED} nearest of {len(shares)} stored messages are found"
    if mean < ENOUGH:
        return warning(f"{summary}, less than {ENOUGH:.0%}: rebuild the vector indexes with {repair}")
    return ok(summary)


async def _shares(database: Database, filters: Filters, size: Size, sampled: Sequence[SampledMessage]) -> list[float]:
    """Return, for as many of the messages as time allows, the share of the nearest that the index finds."""
    shares: list[float] = []
    start = perf_counter()
    for message in sampled:
        async with read_only_session(database) as session:
            shares.append(await _share(session, filters, size, message.embedding))
        if perf_counter() - start > BUDGET.total_seconds():
            break
    return shares


async def _share(session: AsyncSession, filters: Filters, size: Size, vector: Vector) -> float:
    """Return the share for one vector; what is as near as the farthest that belongs there counts as found."""
    nearest = await vectors.nearest_of_all(session, vector=vector, filters=filters, wanted=WANTED)
    trace = Trace()
    proposed = await vectors.nearest(
        session, vector=vector, filters=filters, wanted=WANTED, size=size, costs=_ALWAYS_BY_INDEX, trace=trace
    )
    if len(trace.steps) > 1:  # the index proposed too few, so that every vector had to be compared after all
        return 0.0
    limit = max(await _distances(session, nearest, vector)) + _DISTANCE_ROUNDING
    found = [distance for distance in await _distances(session, proposed, vector) if distance <= limit]
    return len(found) / len(nearest)


async def _distances(session: AsyncSession, keys: set[MessageKey], vector: Vector) -> list[float]:
    times, columns = {sent_at for _, sent_at in keys}, MessageRow.__table__.c
    statement = select(columns.message_id, columns.sent_at, columns.embedding).where(
        store.one_of(columns.message_id, {message_id for message_id, _ in keys}),
        columns.sent_at.between(min(times), max(times)),
        columns.embedding.is_not(None),
    )
    found = [row for row in await session.execute(statement) if (row.message_id, row.sent_at) in keys]
    return [1 - float(np.dot(row.embedding, vector) / np.linalg.norm(row.embedding)) for row in found]


_OF_TABLES = text(
    "SELECT indexrelid::regclass::text AS name, indrelid = to_regclass('messages') AS is_ours,"
    " indisvalid AND indisready AND indislive AS usable,"
    " EXISTS (SELECT FROM pg_stat_progress_create_index WHERE index_relid = indexrelid) AS growing"
    " FROM pg_index WHERE indrelid = ANY (CAST(:tables AS regclass[]))"
).bindparams(bindparam("tables", type_=ARRAY(Text)))
_CHANGED = text(
    "SELECT coalesce(sum(n_mod_since_analyze), 0)::bigint FROM pg_stat_user_tables"
    " WHERE relid = ANY (CAST(:tables AS regclass[]))"
).bindparams(bindparam("tables", type_=ARRAY(Text)))
_BY_INDEX = text(
    "SELECT set_config('enable_sort', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)"
)
_DISTANCE = f"search_text <@> to_bm25query(CAST(:words AS text), '{BM25_INDEX}')"
_OWN = text(f"SELECT {_DISTANCE} FROM messages WHERE message_id = :message_id AND sent_at = :sent_at")  # noqa: S608
_BEST_ROWS = text(
    f"SELECT message_id, {_DISTANCE} AS distance FROM messages ORDER BY {_DISTANCE} LIMIT :wanted"  # noqa: S608  # ours
)

_NAMED = 3
_BEST = 20
_ROUNDING = 1e-4
_FEW_CHANGES = 10_000
_STALE = 0.2
"""The share of rows that may change before PostgreSQL itself, by its own settings, should have counted them anew."""


async def validity(database: Database) -> CheckResult:
    """Check that every index is there and can be used."""
    async with read_only_session(database) as session:
        chunks = await find_chunks(session, hypertable=await is_hypertable(session))
        tables = sorted({"messages", *(chunk.table for chunk in chunks)})
        found = (await session.execute(_OF_TABLES, {"tables": tables})).all()
    broken = sorted(row.name for row in found if not row.usable and not row.growing)
    if broken:
        repair = " ".join(f"REINDEX INDEX {name};" for name in broken)
        return wrong(f"PostgreSQL does not use {', '.join(broken)}, which was not built to its end: run {repair}")
    there = {row.name for row in found if row.is_ours}
    missing = [index for index in Base.metadata.tables[MessageRow.__tablename__].indexes if index.name not in there]
    if missing:
        statements = [CreateIndex(index).compile(dialect=postgresql.dialect()) for index in missing]  # type: ignore[no-untyped-call]
        repair = " ".join(f"{statement};" for statement in statements)
        return wrong(f"Searches go through every row for want of {len(missing)} indexes: run {repair}")
    growing = sum(not row.usable and row.growing for row in found)
    return ok(f"{len(found)} indexes, all of them valid{f' but {growing} that is being built' if growing else ''}")


async def words(database: Database) -> CheckResult:
    """Check that stored messages are found by their words."""
    async with read_only_session(database) as session:
        if await session.scalar(select(func.to_regclass(BM25_INDEX))) is None:
            return await _full_text(session)
        if await has_restarted(await session.connection()):
            return ok("the server was restarted: the bot looks whether it has to rebuild the index as it starts")
        await session.execute(_BY_INDEX)
        sampled = await sample(session)
        found = [await _is_found(session, message) for message in sampled]
        repair = await rebuild_statements(session, method="bm25")
    if not found:
        return left_out("no messages with words yet")
    summary = f"{sum(found)} of {len(found)} stored messages are found by their words"
    if all(found):
        return ok(summary)
    return warning(f"{summary}: rebuild the index of words with {repair}")


async def rebuild_statements(session: AsyncSession, *, method: str) -> str:
    """Return the statements that rebuild the indexes of a method, the first few of a hypertable's."""
    connection = await session.connection()
    chunks = await find_chunks(connection, hypertable=await is_hypertable(connection))
    names = [name for chunk in chunks for name in await indexes_of(connection, chunk, method=method)]
    rest = f" (and {len(names) - _NAMED} more)" if len(names) > _NAMED else ""
    return " ".join(f"REINDEX INDEX {name};" for name in names[:_NAMED]) + rest


async def _full_text(session: AsyncSession) -> CheckResult:
    if await session.scalar(select(func.to_regclass("messages_full_text"))) is None:
        return wrong("There is no index of words: the next start builds it.")
    return ok("full text, without BM25's ranking: the server has no pg_textsearch")


async def _is_found(session: AsyncSession, message: SampledMessage) -> bool:
    """Return whether the index finds a message for its own words, or as many others that have them as well."""
    values = {
        "words": message.search_text,
        "message_id": message.message_id,
        "sent_at": message.sent_at,
        "wanted": _BEST,
    }
    own = await session.scalar(_OWN, values)
    best = [row for row in await session.execute(_BEST_ROWS, values) if row.distance < 0]  # the operator's sign
    as_good = [row for row in best if own is not None and row.distance <= own + _ROUNDING]
    return message.message_id in {row.message_id for row in best} or len(as_good) == _BEST


async def without_vector(database: Database) -> CheckResult:
    """Check that every message with a text has a vector: else only its words can find it."""
    blind = (
        select(func.count())
        .select_from(MessageRow)
        .where(MessageRow.embedding.is_(None), MessageRow.deleted_at.is_(None), MessageRow.search_text != "")
    )
    async with read_only_session(database) as session:
        count = await session.scalar(blind) or 0
    if count:
        return warning(f"{count:,} messages have no vector: give them one with python main_async.py re-embed.")
    return ok("every message with a text has its vector")


async def statistics(database: Database) -> CheckResult:
    """Check that the planner knows how many rows there are, and of what kind."""
    async with read_only_session(database) as session:
        chunks = await find_chunks(session, hypertable=await is_hypertable(session))
        tables = [chunk.table for chunk in chunks]
        changed = (await session.execute(_CHANGED, {"tables": tables})).scalar_one()
    rows = sum(chunk.rows for chunk in chunks)
    return judge_statistics(changed=changed, rows=rows)


def judge_statistics(*, changed: int, rows: int) -> CheckResult:
    """Judge how many rows have changed since PostgreSQL last looked at them."""
    summary = f"{changed:,} of about {rows:,} rows have changed since they were last counted"
    if changed > max(_FEW_CHANGES, _STALE * rows):
        return warning(f"{summary}: run ANALYZE messages;")
    return ok(summary)
