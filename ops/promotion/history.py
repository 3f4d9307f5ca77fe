"""The batches that were brought into long-term memory: their numbers, and the lock that lets one come at a time."""

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from db.databases import Database
from db.table_copy import Connection, fetch, open_connection, tables_of
from errors import SessionInUseError

_TAKE = "SELECT pg_try_advisory_lock(hashtextextended('backscroll.promotion', 0))"
_UNFINISHED = """
    SELECT promotion_id FROM promotions WHERE digest = %s AND finished_at IS NULL AND undone_at IS NULL
    ORDER BY promotion_id DESC LIMIT 1
"""
# Batches follow each other, or they could not be undone one by one: what was stopped ends where it is.
_END_THE_REST = "UPDATE promotions SET finished_at = %s WHERE finished_at IS NULL AND undone_at IS NULL"
_BEGIN = """
    INSERT INTO promotions (promotion_id, source, digest, started_at)
    SELECT coalesce(max(promotion_id), 0) + 1, %s, %s, %s FROM promotions RETURNING promotion_id
"""
_FINISH = "UPDATE promotions SET finished_at = %s, sessions = %s WHERE promotion_id = %s"
_FORGET = """
    DELETE FROM promotions WHERE promotion_id = %(id)s
    AND NOT EXISTS (SELECT FROM messages WHERE promotion_id = %(id)s)
    AND NOT EXISTS (SELECT FROM replaced_messages WHERE replaced_by = %(id)s)
    AND NOT EXISTS (SELECT FROM message_revisions WHERE promotion_id = %(id)s)
    RETURNING promotion_id
"""
_EARLIER = """
    SELECT min(promotion_id) FROM promotions WHERE digest = %s AND finished_at IS NOT NULL AND undone_at IS NULL
"""
_ALL = """
    SELECT promotion_id, source, started_at, finished_at, undone_at, coalesce(added.rows, 0), coalesce(changed.rows, 0)
    FROM promotions
    LEFT JOIN (SELECT promotion_id, count(*) FROM messages GROUP BY promotion_id) AS added (id, rows)
        ON added.id = promotion_id
    LEFT JOIN (SELECT replaced_by, count(*) FROM replaced_messages GROUP BY replaced_by) AS changed (id, rows)
        ON changed.id = promotion_id
    ORDER BY promotion_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedBatch:
    """A batch that is being brought in."""

    promotion_id: int
    resumed: bool
    """Whether it goes on where it was stopped."""
    earlier: int | None
    """The number under which the same source was brought in before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary:
    """A batch, and how many messages it has added and changed."""

    promotion_id: int
    source: str
    started_at: datetime
    finished_at: datetime | None
    undone_at: datetime | None
    added: int
    changed: int


@asynccontextmanager
async def promotion_lock(database: Database, *, timeout: timedelta) -> AsyncGenerator[Connection]:
    """Yield a connection to long-term memory, and keep other promotions out for as long as it lives.

    Raises SessionInUseError at once when there is another one, DatabaseUnavailableError.
    """
    async with open_connection(database.dsn, timeout=timeout) as connection:
        ((taken,),) = await fetch(connection, _TAKE)
        if not taken:
            raise SessionInUseError(
                "Another promotion is at work on long-term memory: wait for its end, then run this again."
            )
        yield connection


async def start_batch(connection: Connection, *, source: str, digest: str, now: datetime) -> StartedBatch:
    """Go on with the batch of these contents that was stopped half-way, or begin a new one."""
    async with connection.transaction():
        ((earlier,),) = await fetch(connection, _EARLIER, [digest])
        if stopped := await fetch(connection, _UNFINISHED, [digest]):
            return StartedBatch(promotion_id=stopped[0][0], resumed=True, earlier=earlier)
        await connection.execute(_END_THE_REST, [now])
        ((promotion_id,),) = await fetch(connection, _BEGIN, [source, digest, now])
        return StartedBatch(promotion_id=promotion_id, resumed=False, earlier=earlier)


async def finish_batch(
    connection: Connection, promotion_id: int, *, sessions: Collection[str] = (), now: datetime
) -> None:
    """Note that a batch is whole, and the stems of the sessions whose CSVs it has read to their ends."""
    await connection.execute(_FINISH, [now, sorted(sessions), promotion_id])


async def forget_empty(connection: Connection, promotion_id: int) -> bool:
    """Remove a batch that has brought nothing in; tell whether it was such a one."""
    return bool(await fetch(connection, _FORGET, {"id": promotion_id}))


async def list_batches(database: Database, *, timeout: timedelta) -> list[BatchSummary]:
    """Return all batches, the oldest first; every message is looked at."""
    async with open_connection(database.dsn, timeout=timeout, read_only=True) as connection:
        if "promotions" not in await tables_of(connection):
            return []
        rows = await fetch(connection, _ALL)
    names = ("promotion_id", "source", "started_at", "finished_at", "undone_at", "added", "changed")
    return [BatchSummary(**dict(zip(names, row, strict=True))) for row in rows]
