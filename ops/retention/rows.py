"""Erase from a database what servers do not want to be kept any longer, some rows in each transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import LiteralString

from psycopg.sql import SQL
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncSession

from db.databases import Database
from db.engines import Sessions, transaction
from db.schema import GuildSettingRow, MessageRow
from db.statements import execute, fetch
from memory.guild_settings import RETENTION_DAYS, GuildSettings

AT_ONCE = 2_000
"""Messages that one transaction erases."""

_BREATH = 0.05  # seconds between two transactions, in which others write

# Several processes may erase side by side: each leaves to the others what they are at.
_OLD = SQL("""
    SELECT message_id, sent_at FROM messages WHERE guild_id = %(guild_id)s AND sent_at < %(before)s
    ORDER BY sent_at, message_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
""")
_BY_KEY: dict[LiteralString, LiteralString] = {
    "message_revisions": "DELETE FROM message_revisions WHERE message_id = ANY (%(ids)s::bigint[])",
    "replaced_messages": """
        DELETE FROM replaced_messages USING unnest(%(ids)s::bigint[], %(times)s::timestamptz[]) AS old(id, at)
        WHERE message_id = old.id AND sent_at = old.at
    """,
    "messages": """
        DELETE FROM messages USING unnest(%(ids)s::bigint[], %(times)s::timestamptz[]) AS old(id, at)
        WHERE message_id = old.id AND sent_at = old.at
    """,
}
_PLACES = SQL("SELECT place_id FROM places WHERE guild_id = %(guild_id)s")
_WITH_THEM: tuple[LiteralString, ...] = (
    "DELETE FROM names WHERE last_seen < %(before)s AND place_id = ANY (%(places)s::bigint[])",
    "DELETE FROM conversation_turns WHERE asked_at < %(before)s AND channel_id = ANY (%(places)s::bigint[])",
    """
        DELETE FROM ratings USING answers
        WHERE ratings.question_id = answers.question_id AND guild_id = %(guild_id)s AND asked_at < %(before)s
    """,
    "DELETE FROM answers WHERE guild_id = %(guild_id)s AND asked_at < %(before)s",
    "DELETE FROM decisions WHERE guild_id = %(guild_id)s AND sent_at < %(before)s",
    "DELETE FROM digests WHERE guild_id = %(guild_id)s AND due_at < %(before)s",
)
"""What else tells of that time; a decision is not kept longer than the message that says it."""


async def cutoffs_of(long_term: Database, *, now: datetime) -> dict[int, datetime]:
    """Return up to which moment nothing of a guild is to be kept, of each guild that has said so.

    Raises DatabaseUnavailableError.
    """
    async with transaction(long_term.sessions) as session:
        if not await (await session.connection()).run_sync(_has_tables):
            return {}
    days = await GuildSettings(long_term.sessions).of_every_guild(RETENTION_DAYS)
    return {guild_id: now - timedelta(days=number) for guild_id, number in days.items() if number is not None}


async def erase_old_rows(
    databases: Sequence[Database], cutoffs: Mapping[int, datetime], *, long_term: Database, limit: int = AT_ONCE
) -> int:
    """Erase what is older than the moment of its guild from some memories; return how many messages that were.

    Long-term memory knows the places of a guild. Raises DatabaseUnavailableError; what is erased stays erased.
    """
    erased = 0
    for guild_id, before in cutoffs.items():
        values = {"guild_id": guild_id, "before": before}
        async with transaction(long_term.sessions) as session:
            places = [row["place_id"] for row in await fetch(session, _PLACES, values)]
        for database in databases:
            erased += await _erase_messages(database.sessions, guild_id, before, limit)
            async with transaction(database.sessions) as session:
                for statement in _WITH_THEM:
                    await execute(session, SQL(statement), {**values, "places": places})
    return erased


async def _erase_messages(sessions: Sessions, guild_id: int, before: datetime, limit: int) -> int:
    erased = 0
    while True:
        async with transaction(sessions) as session:
            count = await _erase_some(session, guild_id, before, limit)
        erased += count
        if count < limit:
            return erased
        await asyncio.sleep(_BREATH)


async def _erase_some(session: AsyncSession, guild_id: int, before: datetime, limit: int) -> int:
    old = await fetch(session, _OLD, {"guild_id": guild_id, "before": before, "limit": limit})
    keys = {"ids": [row["message_id"] for row in old], "times": [row["sent_at"] for row in old]}
    for statement in _BY_KEY.values() if old else ():
        await execute(session, SQL(statement), keys)
    return len(old)


def _has_tables(connection: Connection) -> bool:
    tables = {MessageRow.__tablename__, GuildSettingRow.__tablename__}
    return tables <= set(inspect(connection).get_table_names())
