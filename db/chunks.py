"""Make messages a hypertable where TimescaleDB is there, and list its chunks, or else the one plain table."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ARRAY, BigInteger, Connection, Interval, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

logger = logging.getLogger(__name__)

_HAS_TIMESCALE = text("SELECT to_regclass('timescaledb_information.hypertables') IS NOT NULL")
_IS_HYPERTABLE = text(
    "SELECT EXISTS (SELECT FROM timescaledb_information.hypertables"
    " WHERE hypertable_schema = current_schema() AND hypertable_name = 'messages')"
)
_CHUNKS = text(
    "SELECT format('%I.%I', chunk_schema, chunk_name)::regclass::oid::bigint AS oid, range_start, range_end"
    " FROM timescaledb_information.chunks"
    " WHERE hypertable_schema = current_schema() AND hypertable_name = 'messages' ORDER BY range_start"
)
_PLAIN = text("SELECT to_regclass('messages')::oid::bigint AS oid, NULL AS range_start, NULL AS range_end")
# PostgreSQL counts rows when it analyses a table; between two counts they are as dense as they were then.
_TABLES = text(
    """
    SELECT tables.oid::bigint AS oid, relname AS name, nspname AS schema, tables.oid::regclass::text AS quoted,
           CASE WHEN reltuples >= 0 AND relpages > 0 THEN reltuples / relpages ELSE :rows_a_page END
           * pg_relation_size(tables.oid) / current_setting('block_size')::integer AS rows,
           EXISTS (SELECT FROM pg_index JOIN pg_class indexes ON indexes.oid = indexrelid
                   JOIN pg_am ON pg_am.oid = indexes.relam
                   WHERE indrelid = tables.oid AND amname = 'diskann' AND indisvalid) AS indexed,
           (SELECT min(indexrelid::regclass::text) FROM pg_index JOIN pg_class indexes ON indexes.oid = indexrelid
            JOIN pg_am ON pg_am.oid = indexes.relam
            WHERE indrelid = tables.oid AND amname = 'bm25' AND indisvalid) AS word_index
    FROM pg_class tables JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE tables.oid = ANY (:oids)
    """
).bindparams(bindparam("oids", type_=ARRAY(BigInteger)))

_INDEXES = text(
    "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
    " JOIN pg_am ON pg_am.oid = relam WHERE amname = :method AND indrelid = CAST(:table AS regclass)"
)

_DROP_PLAIN_INDEX = text("DROP INDEX IF EXISTS messages_diskann")
_CREATE_EXTENSION = text("CREATE EXTENSION IF NOT EXISTS timescaledb")
_INTERVAL = text(
    "SELECT time_interval FROM timescaledb_information.dimensions"
    " WHERE hypertable_schema = current_schema() AND hypertable_name = 'messages'"
)
_CREATE_HYPERTABLE = text(
    "SELECT create_hypertable('messages', by_range('sent_at', :interval),"
    " create_default_indexes => false, migrate_data => true)"
).bindparams(bindparam("interval", type_=Interval()))
_SET_INTERVAL = text("SELECT set_chunk_time_interval('messages', :interval)").bindparams(
    bindparam("interval", type_=Interval())
)

_ROWS_A_PAGE = 4  # of a message with a vector of 384 dimensions, for a table that was never analysed


@dataclass(frozen=True, slots=True)
class Chunk:
    """A table that messages stand in: `start` and `end` bound the time of a chunk, None those of a plain table."""

    table: str
    """Its name, qualified and quoted as a statement needs it."""
    schema: str
    name: str
    start: datetime | None
    end: datetime | None
    rows: int
    """As many as PostgreSQL's statistics let expect."""
    indexed: bool
    """Whether it has a vector index that can be used."""
    word_index: str | None
    """The name of its BM25 index, qualified and quoted."""
    is_newest: bool
    """Whether it is the newest, which new messages go to."""


def ensure_hypertable(connection: Connection, *, interval: timedelta) -> None:
    """Make `messages` a hypertable with chunks of this length, rows and all; chunks that are there keep theirs.

    This is no revision of its own: a server may get TimescaleDB, or a database move to one that has it, after the last
    revision has run. So it is called after every migration, as the search indexes are made.
    """
    connection.execute(_CREATE_EXTENSION)
    current = connection.scalar(_INTERVAL)
    if current is None:
        connection.execute(_DROP_PLAIN_INDEX)  # else every chunk that is to come would begin with one
        connection.execute(_CREATE_HYPERTABLE, {"interval": interval})
        logger.info("messages are a hypertable now, a chunk for every %s", interval)
    elif current != interval:
        connection.execute(_SET_INTERVAL, {"interval": interval})
        logger.info("new chunks of messages hold %s; those that are there hold %s", interval, current)


async def is_hypertable(connection: AsyncConnection | AsyncSession) -> bool:
    """Return whether messages are a hypertable."""
    return bool(await connection.scalar(_HAS_TIMESCALE)) and bool(await connection.scalar(_IS_HYPERTABLE))


async def find_chunks(connection: AsyncConnection | AsyncSession, *, hypertable: bool) -> list[Chunk]:
    """Return the tables of the messages in the order of their times."""
    ranges = (await connection.execute(_CHUNKS if hypertable else _PLAIN)).all()
    oids = [row.oid for row in ranges if row.oid is not None]
    rows = await connection.execute(_TABLES, {"oids": oids, "rows_a_page": _ROWS_A_PAGE})
    tables = {row.oid: row for row in rows}
    return [
        Chunk(
            table=tables[oid].quoted,
            schema=tables[oid].schema,
            name=tables[oid].name,
            start=start,
            end=end,
            rows=int(tables[oid].rows),
            indexed=tables[oid].indexed,
            word_index=tables[oid].word_index,
            is_newest=oid == oids[-1],
        )
        for oid, start, end in ranges
        if oid in tables  # a chunk may be dropped between the two statements
    ]


async def indexes_of(connection: AsyncConnection, chunk: Chunk, *, method: str) -> list[str]:
    """Return the names, quoted as a statement needs them, of a chunk's indexes of a method, half-built ones too."""
    return list(await connection.scalars(_INDEXES, {"table": chunk.table, "method": method}))
