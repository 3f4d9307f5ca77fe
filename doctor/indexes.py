"""Look at the indexes of the messages, and at what they and the planner know."""

from sqlalchemy import ARRAY, Index, Text, bindparam, func, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.schema import CreateIndex

from db.databases import Database
from db.parts import indexes_of, is_hypertable, parts
from db.tables import Base, MessageRow
from db.word_index import BM25_INDEX, restarted
from doctor.findings import Finding, left_out, ok, warning, wrong
from doctor.looking import looking
from doctor.sample import Sampled, sample

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


async def validity(database: Database) -> Finding:
    """Tell whether every index is there and can be used."""
    async with looking(database) as session:
        found = (await session.execute(_OF_TABLES, {"tables": await _tables(session)})).all()
    broken = sorted(row.name for row in found if not row.usable and not row.growing)
    if broken:
        mend = " ".join(f"REINDEX INDEX {name};" for name in broken)
        return wrong(f"PostgreSQL does not use {', '.join(broken)}, which was not built to its end: run {mend}")
    there = {row.name for row in found if row.is_ours}
    lacking = [index for index in Base.metadata.tables[MessageRow.__tablename__].indexes if index.name not in there]
    if lacking:
        mend = " ".join(_creation(index) for index in lacking)
        return wrong(f"Searches go through every row for want of {len(lacking)} indexes: run {mend}")
    growing = sum(not row.usable and row.growing for row in found)
    return ok(f"{len(found)} indexes, all of them valid{f' but {growing} that is being built' if growing else ''}")


def _creation(index: Index) -> str:
    """Return the statement that creates an index."""
    return f"{CreateIndex(index).compile(dialect=postgresql.dialect())};"  # type: ignore[no-untyped-call]


async def words(database: Database) -> Finding:
    """Tell whether messages are found by their words."""
    async with looking(database) as session:
        if await session.scalar(select(func.to_regclass(BM25_INDEX))) is None:
            return await _full_text(session)
        if await restarted(await session.connection()):
            return ok("the server was restarted: the bot looks whether it has to rebuild the index as it starts")
        await session.execute(_BY_INDEX)
        sampled = await sample(session)
        found = [await _is_found(session, one) for one in sampled]
        mend = await rebuilding(session, method="bm25")
    if not found:
        return left_out("no messages with words yet")
    said = f"{sum(found)} of {len(found)} stored messages are found by their words"
    if all(found):
        return ok(said)
    return warning(f"{said}: rebuild the index of words with {mend}")


async def rebuilding(session: AsyncSession, *, method: str) -> str:
    """Return the statements that rebuild the indexes of a method, the first few of a hypertable's."""
    connection = await session.connection()
    known = await parts(connection, hypertable=await is_hypertable(connection))
    names = [name for part in known for name in await indexes_of(connection, part, method=method)]
    rest = f" (and {len(names) - _NAMED} more)" if len(names) > _NAMED else ""
    return " ".join(f"REINDEX INDEX {name};" for name in names[:_NAMED]) + rest


async def _full_text(session: AsyncSession) -> Finding:
    if await session.scalar(select(func.to_regclass("messages_full_text"))) is None:
        return wrong("There is no index of words: the next start builds it.")
    return ok("full text, without BM25's ranking: the server has no pg_textsearch")


async def _is_found(session: AsyncSession, one: Sampled) -> bool:
    """Tell whether the index brings a message for its own words, or as many others that have them as well."""
    values = {"words": one.search_text, "message_id": one.message_id, "sent_at": one.sent_at, "wanted": _BEST}
    own = await session.scalar(_OWN, values)
    best = [row for row in await session.execute(_BEST_ROWS, values) if row.distance < 0]  # the operator's sign
    as_good = [row for row in best if own is not None and row.distance <= own + _ROUNDING]
    return one.message_id in {row.message_id for row in best} or len(as_good) == _BEST


async def without_vector(database: Database) -> Finding:
    """Tell whether there are messages that only their words can find."""
    blind = (
        select(func.count())
        .select_from(MessageRow)
        .where(MessageRow.embedding.is_(None), MessageRow.deleted_at.is_(None), MessageRow.search_text != "")
    )
    async with looking(database) as session:
        count = await session.scalar(blind) or 0
    if count:
        return warning(f"{count:,} messages have no vector: give them one with python main_async.py --re-embed.")
    return ok("every message with a text has its vector")


async def statistics(database: Database) -> Finding:
    """Tell whether the planner knows how many rows there are, and of what kind."""
    async with looking(database) as session:
        known = await parts(session, hypertable=await is_hypertable(session))
        tables = [part.table for part in known]
        changed = (await session.execute(_CHANGED, {"tables": tables})).scalar_one()
    rows = sum(part.rows for part in known)
    return counted(changed=changed, rows=rows)


def counted(*, changed: int, rows: int) -> Finding:
    """Judge how many rows have changed since PostgreSQL last looked at them."""
    said = f"{changed:,} of about {rows:,} rows have changed since they were last counted"
    if changed > max(_FEW_CHANGES, _STALE * rows):
        return warning(f"{said}: run ANALYZE messages;")
    return ok(said)


async def _tables(session: AsyncSession) -> list[str]:
    known = await parts(session, hypertable=await is_hypertable(session))
    return sorted({"messages", *(part.table for part in known)})
