"""Renew the samples of contents that PostgreSQL keeps for its planner, so that they hold nothing that is erased.

ANALYZE takes new samples, but passes over a table or a chunk without rows, whose old samples then stay. PostgreSQL 18
alone can clear them. So an empty table is analysed while it has one row that says nothing, in the same transaction.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import LiteralString

from psycopg import sql

from db.copying import Connection, fetch, names
from erasure.gathering import Tables

_HYPERTABLE = "messages"  # the only one of our tables that may be one
_KNOWS_TIMESCALE: LiteralString = "SELECT to_regclass('timescaledb_information.chunks') IS NOT NULL"
_CHUNKS: LiteralString = """
    SELECT chunk_schema, chunk_name, range_start FROM timescaledb_information.chunks
    WHERE hypertable_schema = current_schema() AND hypertable_name = %s
"""
_IS_EMPTY = sql.SQL("SELECT NOT EXISTS (SELECT FROM {})")
_INSERT = sql.SQL("INSERT INTO {} ({}) VALUES ({})")
_DELETE = sql.SQL("DELETE FROM {}")
_DELETE_AT = sql.SQL("DELETE FROM {} WHERE sent_at = %s")
_ANALYZE = sql.SQL("ANALYZE {}")
_NOTHING: dict[str, object] = {"text": "", "bigint": 0, "boolean": False, "jsonb": "[]", "bigint[]": "{}"}
"""What says nothing, by the type of a column; columns of other types may be null."""
_TIME = "timestamp with time zone"
_ALLOWED = {"owner_kind": "person", "kind": "system"}
"""What a column takes that does not take every text."""


async def renew_statistics(connection: Connection, tables: Tables) -> None:
    """Take new samples of some tables of ours, and of each chunk of theirs; the caller may owe it to a transaction."""
    async with connection.transaction():
        for table in tables:
            await _renew(connection, table, tables[table])
        if _HYPERTABLE in tables:
            await _renew_chunks(connection, tables[_HYPERTABLE])


async def _renew(connection: Connection, table: str, columns: Mapping[str, str]) -> None:
    name = sql.Identifier(table)
    is_empty = await _is_empty(connection, name)
    if is_empty:
        await _insert_nothing(connection, table, columns, datetime.now(UTC))
    await connection.execute(_ANALYZE.format(name))
    if is_empty:
        await connection.execute(_DELETE.format(name))


async def _renew_chunks(connection: Connection, columns: Mapping[str, str]) -> None:
    """Renew the samples of chunks without rows; those of the others came with the whole hypertable's."""
    ((knows_timescale,),) = await fetch(connection, _KNOWS_TIMESCALE)
    if not knows_timescale:
        return
    for schema, chunk, start in await fetch(connection, _CHUNKS, [_HYPERTABLE]):
        name = sql.Identifier(schema, chunk)
        if await _is_empty(connection, name):
            await _insert_nothing(connection, _HYPERTABLE, columns, start)
            await connection.execute(_ANALYZE.format(name))
            await connection.execute(_DELETE_AT.format(sql.Identifier(_HYPERTABLE)), [start])


async def _is_empty(connection: Connection, table: sql.Identifier) -> bool:
    ((is_empty,),) = await fetch(connection, _IS_EMPTY.format(table))
    return bool(is_empty)


async def _insert_nothing(connection: Connection, table: str, columns: Mapping[str, str], moment: datetime) -> None:
    """Insert a row that says nothing, of a moment."""
    nothing = _NOTHING | {_TIME: moment}
    values = {name: _ALLOWED.get(name, nothing[kind]) for name, kind in columns.items() if kind in nothing}
    places = sql.SQL(", ").join([sql.Placeholder()] * len(values))
    statement = _INSERT.format(sql.Identifier(table), names(list(values)), places)
    await connection.execute(statement, list(values.values()))
