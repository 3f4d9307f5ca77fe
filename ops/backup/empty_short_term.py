"""Empty short-term memory, once every row of it is known to be safe elsewhere."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from psycopg import sql

from db.databases import Database
from db.errors import NO_LOCK, setup_error_for
from db.table_copy import Connection, fetch, open_connection, tables_of
from errors import InputFileError, OperatorError
from ops.backup.catalogue import verified_of
from ops.backup.formats import Format
from ops.backup.manifest import DatabaseEntry, Manifest
from ops.backup.restore import compare, entry_of, only_needed
from ops.backup.verify import check_files, in_thread
from util_async import no_progress

_BATCH = 10_000  # rows that are looked up together
_TABLES = frozenset({"messages", "message_revisions"})
_LOCK_TIMEOUT = "SELECT set_config('lock_timeout', %s, true)"
_LOCK = "LOCK TABLE messages, message_revisions IN SHARE ROW EXCLUSIVE MODE"
_COUNT = "SELECT count(*) FROM messages"
_EMPTY = "TRUNCATE messages, message_revisions, names"  # not the journal's position, or the bot would read it all again

# Vectors can be made again, and how somebody was called is as it was when the message was first heard of.
_MESSAGE = sql.SQL(
    "md5(record_send(ROW(guild_id, channel_id, thread_id, author_id, reply_to, kind, content, attachments::text,"
    " edited_at, deleted_at, in_public_thread, forwarded_from, completed_at, parts::text, reactions::text,"
    " reactions_at)))"
)
_REVISION = sql.SQL("md5(record_send(ROW(content)))")
_COUNT_MISSING = sql.SQL(
    "SELECT count(*) FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS asked (id, at, digest)"
    " WHERE NOT EXISTS (SELECT FROM {table} WHERE message_id = id AND {time} = at AND {state} = digest)"
)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The statements that read a table's rows with a digest of each, and that count which of them another one lacks."""

    read: sql.Composed
    count_missing: sql.Composed


_MESSAGES = _Rows(
    sql.SQL("SELECT message_id, sent_at, {} FROM messages").format(_MESSAGE),
    _COUNT_MISSING.format(table=sql.SQL("messages"), time=sql.SQL("sent_at"), state=_MESSAGE),
)
_REVISIONS = _Rows(
    sql.SQL("SELECT message_id, revised_at, {} FROM message_revisions").format(_REVISION),
    _COUNT_MISSING.format(table=sql.SQL("message_revisions"), time=sql.SQL("revised_at"), state=_REVISION),
)


async def empty_short_term(
    database: Database, long_term: Database, backup: tuple[Path, Manifest] | None, *, timeout: timedelta
) -> int:
    """Delete all messages of short-term memory and their earlier texts; return how many messages that were.

    Nobody can write meanwhile. Raises OperatorError, with nothing deleted, unless each row is, as it is now, in a
    backup that was verified or in long-term memory; DatabaseUnavailableError when a server fails.
    """
    backed_up = await _entry_to_rely_on(backup, database.name)
    async with _locked(database, timeout=timeout) as here, _locked(long_term, timeout=timeout) as there:
        if not await _has_messages(here):
            return 0
        if backed_up is None or not await _is_unchanged(here, backed_up):
            await _refuse_unless_promoted(here, there)
        ((count,),) = await fetch(here, _COUNT)
        await here.execute(_EMPTY)
        return int(count)


async def _entry_to_rely_on(backup: tuple[Path, Manifest] | None, name: str) -> DatabaseEntry | None:
    """Return a backup's entry of short-term memory, if it was verified, still is whole and can be restored."""
    if backup is None or verified_of(backup[0]) is None:
        return None
    folder, manifest = backup
    for source in (Format.BINARY, Format.CSV, Format.DUMP):
        try:
            entry = entry_of(folder, manifest, name)
            await in_thread(partial(check_files, folder, only_needed(manifest, entry, source)), no_progress)
        except InputFileError:
            continue
        return entry
    return None


@asynccontextmanager
async def _locked(database: Database, *, timeout: timedelta) -> AsyncGenerator[Connection]:
    """Yield a connection in a transaction during which nobody else writes messages."""
    async with open_connection(database.dsn, timeout=timeout) as connection:
        in_use = f"Another program is using the {database.name} database: stop it, then try to empty it again."
        with setup_error_for(NO_LOCK, in_use):
            async with connection.transaction():
                await connection.execute(_LOCK_TIMEOUT, [f"{int(timeout.total_seconds() * 1000)}ms"])
                if await _has_messages(connection):
                    await connection.execute(_LOCK)
                yield connection


async def _has_messages(connection: Connection) -> bool:
    """Return whether a database has the tables of messages."""
    return (await tables_of(connection)).keys() >= _TABLES


async def _is_unchanged(here: Connection, entry: DatabaseEntry) -> bool:
    """Return whether the rows are those of a backup."""
    return all([(await compare(here, table)).is_equal for table in entry.tables if table.name in _TABLES])


async def _refuse_unless_promoted(here: Connection, there: Connection) -> None:
    """Raise OperatorError when long-term memory lacks rows, or holds another state of them."""
    has_any = await _has_messages(there)
    messages, revisions = [await _missing(here, there if has_any else None, rows) for rows in (_MESSAGES, _REVISIONS)]
    if messages or revisions:
        raise OperatorError(
            "Short-term memory holds what is, as it is now, neither in a verified backup nor in long-term memory "
            f"(messages: {messages}, earlier texts: {revisions}): make a backup and verify it with python backups.py, "
            "or promote the session with python db_save.py."
        )


async def _missing(here: Connection, there: Connection | None, rows: _Rows) -> int:
    """Return how many rows the other database lacks, or has in another state; thousands at a time are in memory."""
    missing = 0
    async with here.cursor("rows_to_find") as cursor:
        await cursor.execute(rows.read)
        while batch := await cursor.fetchmany(_BATCH):
            if there is None:
                missing += len(batch)
            else:
                columns = [list(column) for column in zip(*batch, strict=True)]
                ((count,),) = await fetch(there, rows.count_missing, columns)
                missing += count
    return missing
