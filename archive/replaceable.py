"""Make sure, before a restore, that no session is lost which nothing else holds."""

from collections.abc import Set
from datetime import timedelta

from archive.manifest import DatabaseEntry
from db.checksums import tables_of
from db.copying import fetch, open_connection
from db.databases import Database
from db.engines import transaction
from errors import SessionError
from memory import store
from memory.messages import MessageKey
from memory.preparation import SESSION_FACT, keys_without_a_record

_NEEDED = frozenset({"messages", "facts"})
_MISSING = """
    SELECT count(*) FROM unnest(%s::bigint[], %s::timestamptz[]) AS asked (id, at)
    WHERE NOT EXISTS (SELECT FROM messages WHERE message_id = id AND sent_at = at)
"""


async def refuse_to_lose_a_session(
    short_term: Database, entry: DatabaseEntry, long_term: Database | None, *, timeout: timedelta
) -> None:
    """Raise SessionError when short-term memory holds another session than a backup of it, and is all that has it.

    The CSV of the session may have its messages, or `long_term`, which is None when that is to be replaced as well.
    """
    async with open_connection(short_term.dsn, timeout=timeout) as connection:
        if not (await tables_of(connection)).keys() >= _NEEDED:
            return
    async with transaction(short_term.sessions) as session:
        held = await store.fact(session, SESSION_FACT)
        missing = set() if held in {None, entry.session} else await keys_without_a_record(session)
    lost = await _not_in(long_term, missing, timeout=timeout)
    if lost:
        raise SessionError(
            f"Short-term memory holds {lost:,} messages of session {held!r} that neither its CSV nor what stays of "
            f"long-term memory has, and the backup is of session {entry.session!r}: put the CSV back, or save them "
            "first with python backups.py create --database short --empty-short-term."
        )


async def _not_in(database: Database | None, keys: Set[MessageKey], *, timeout: timedelta) -> int:
    """Return how many of these messages a database lacks."""
    if not keys or database is None:
        return len(keys)
    async with open_connection(database.dsn, timeout=timeout) as connection:
        if "messages" not in await tables_of(connection):
            return len(keys)
        ids, times = zip(*keys, strict=True)
        ((count,),) = await fetch(connection, _MISSING, [list(ids), list(times)])
        return int(count)
