"""How the program is: whether its databases answer, what waits to be stored, and when a message was last kept."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from db.databases import Database
from db.engines import transaction
from errors import DatabaseUnavailableError, RefusedRowError

LIMIT = timedelta(seconds=2)
"""How long a database may take to answer."""

LOOKED_BACK = timedelta(days=30)
"""How far back the last message is looked for."""

_ANSWERS = text("SELECT 1")
_LAST = text(
    "SELECT sent_at FROM messages WHERE guild_id = :guild AND sent_at > :since AND kind = 'message'"
    " ORDER BY sent_at DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the program is; `last_message_at` is of one guild, None where there was none for LOOKED_BACK."""

    version: str
    models: str
    answering: tuple[str, ...]
    """The databases that answer, by their names."""
    silent: tuple[str, ...]
    """Those that do not."""
    waiting_bytes: int
    """What of the session's CSV is not in the database yet."""
    journal_is_failing: bool
    last_message_at: datetime | None
    language_models: tuple[str, ...] = ()
    """A line for each: how it is, and what it was used for."""
    models_rest: bool = False
    """Whether one of them has failed so often that it is left alone just now."""


async def answering(databases: Sequence[Database]) -> frozenset[str]:
    """Return the names of the databases that answer now."""
    answers = await asyncio.gather(*map(_answers, databases))
    return frozenset(database.name for database, works in zip(databases, answers, strict=True) if works)


async def _answers(database: Database) -> bool:
    try:
        async with asyncio.timeout(LIMIT.total_seconds()), transaction(database.sessions) as session:
            await session.execute(_ANSWERS)
    except (DatabaseUnavailableError, RefusedRowError, TimeoutError):
        return False
    return True


async def last_message_at(short_term: Database, guild_id: int, *, now: datetime) -> datetime | None:
    """Return when the last message of a guild was sent that is stored; None where there is none, or nobody can tell."""
    values = {"guild": guild_id, "since": now - LOOKED_BACK}
    try:
        async with asyncio.timeout(LIMIT.total_seconds()), transaction(short_term.sessions) as session:
            sent_at: datetime | None = await session.scalar(_LAST, values)
    except (DatabaseUnavailableError, RefusedRowError, TimeoutError):
        return None
    return sent_at
