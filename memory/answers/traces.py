"""Keep how answers came about, for some days."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.sql import SQL
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, timely_transaction
from db.statements import execute, fetch
from memory.message import sanitize

MOST_KEPT = 10_000
"""Traces that are kept at most, the newest."""

STORE_LIMIT = timedelta(seconds=5)

_ADD = SQL("""
    INSERT INTO traces (trace_id, made_at, asker_id, guild_id, channel_id, has_texts, tree)
    VALUES (%(trace_id)s, %(made_at)s, %(asker_id)s, %(guild_id)s, %(channel_id)s, %(has_texts)s, %(tree)s)
    ON CONFLICT (trace_id) DO NOTHING
""")
_FIND = SQL("""
    SELECT trace_id, made_at, asker_id, guild_id, channel_id, has_texts, tree FROM traces
    WHERE starts_with(trace_id, %(start)s) ORDER BY made_at DESC LIMIT %(limit)s
""")
_DROP_OLD = SQL("""
    DELETE FROM traces WHERE made_at < %(before)s
    OR made_at < (SELECT made_at FROM traces ORDER BY made_at DESC OFFSET %(most)s LIMIT 1)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrace:
    """How an answer came about: `tree` is its outermost step. It `has_texts` of people, or has none."""

    trace_id: str
    made_at: datetime
    asker_id: int
    guild_id: int | None
    channel_id: int
    has_texts: bool
    tree: Mapping[str, Any]


class TraceStore:
    """Reads and writes traces; all of it raises DatabaseUnavailableError."""

    def __init__(self, sessions: Sessions, *, timeout: timedelta = STORE_LIMIT) -> None:
        self._sessions = sessions
        self._timeout = timeout

    async def add(self, traces: Sequence[StoredTrace]) -> None:
        """Keep traces."""
        async with self._transaction() as session:
            for trace in traces:
                await execute(session, _ADD, _values(trace))

    async def find(self, start: str, *, limit: int) -> list[StoredTrace]:
        """Return the newest traces whose ids begin so."""
        async with self._transaction() as session:
            return [StoredTrace(**row) for row in await fetch(session, _FIND, {"start": start, "limit": limit})]

    async def drop_old(self, *, before: datetime, most: int = MOST_KEPT) -> int:
        """Delete the traces from before a moment, and those beyond the newest `most`; return how many those were."""
        async with self._transaction() as session:
            return await execute(session, _DROP_OLD, {"before": before, "most": most - 1})

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return timely_transaction(self._sessions, timeout=self._timeout, about="a trace")


def _values(trace: StoredTrace) -> dict[str, Any]:
    return {
        "trace_id": trace.trace_id,
        "made_at": trace.made_at,
        "asker_id": trace.asker_id,
        "guild_id": trace.guild_id,
        "channel_id": trace.channel_id,
        "has_texts": trace.has_texts,
        "tree": Jsonb(_sanitized(trace.tree)),
    }


def _sanitized(value: Any) -> Any:
    """Return JSON whose texts PostgreSQL takes."""
    if isinstance(value, str):
        return sanitize(value)
    if isinstance(value, Mapping):
        return {name: _sanitized(part) for name, part in value.items()}
    return [_sanitized(part) for part in value] if isinstance(value, list | tuple) else value
