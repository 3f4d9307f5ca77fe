"""Erase people from one database, in the transaction of whoever asks for it.

With their rows go the words of theirs in the search texts of their neighbours' messages, and in the samples of texts
that PostgreSQL keeps for its planner.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import inspect, select

from db.databases import Database
from db.engines import sessions_of, transaction
from db.name_rows import NAMES, renew_names
from db.schema import ErasureRow
from db.table_copy import Connection, fetch, names, tables_of
from memory.capture.erased import merged
from memory.index.index_text import search_text
from memory.index.neighbours import preceding_by_key
from memory.index.store import MESSAGE_COLUMNS, to_message
from memory.message import Message, MessageKey, sanitize
from ops.erasure.files import Answers
from ops.erasure.find import Conversation, Tables, knows_forwards
from ops.erasure.ledger import LEDGER, read_ledger
from ops.erasure.subject import Subject

TOUCHED = (
    *("messages", "message_revisions", "replaced_messages", "time_zones", "conversation_turns", "answers", "ratings"),
    *("decisions", "catch_ups", "digests", "reminders", "traces"),
    NAMES,
)
"""The tables in which somebody's words, or their id, may stand."""

_FINISHED: LiteralString = "erased_until:"
"""Begins the name of the fact that a database holds no words of a person any more, whoever repeats them."""

_PEOPLE: LiteralString = """
    CREATE TEMPORARY TABLE erased_people ON COMMIT DROP AS
    SELECT * FROM unnest(%s::bigint[], %s::timestamptz[]) AS people(user_id, erased_at)
"""
_PLACES: LiteralString = """
    CREATE TEMPORARY TABLE erased_places ON COMMIT DROP AS
    SELECT * FROM unnest(%s::bigint[], %s::timestamptz[]) AS places(place_id, erased_at)
"""
_NO_OWN: LiteralString = """
    CREATE TEMPORARY TABLE erased_own (message_id bigint, sent_at timestamptz, author_name text) ON COMMIT DROP
"""
_OWN: LiteralString = """
    INSERT INTO erased_own
    SELECT message_id, sent_at, author_name FROM messages
    JOIN erased_people ON user_id = author_id AND sent_at <= erased_at
    UNION
    SELECT message_id, sent_at, author_name FROM messages
    JOIN erased_places ON place_id IN (channel_id, thread_id) AND sent_at <= erased_at
    UNION
    SELECT message_id, sent_at, author_name FROM messages WHERE message_id = ANY (%s::bigint[])
"""
_HAS_ITEMS: LiteralString = """
    SELECT EXISTS (
        SELECT FROM messages WHERE message_id = ANY (%s::bigint[])
        UNION ALL
        SELECT FROM messages JOIN erased_places ON place_id IN (channel_id, thread_id) AND sent_at <= erased_at
    )
"""
_INDEX_OWN: LiteralString = "CREATE INDEX ON erased_own (message_id)"
_ANALYZE_OWN: LiteralString = "ANALYZE erased_own"
_NO_COPIES: LiteralString = """
    CREATE TEMPORARY TABLE erased_copies (message_id bigint, sent_at timestamptz, author_name text) ON COMMIT DROP
"""
_COPIES: LiteralString = """
    INSERT INTO erased_copies
    WITH RECURSIVE copies AS (
        SELECT message_id, sent_at, author_name FROM messages
        WHERE forwarded_from IS NOT NULL AND (
            forwarded_from = ANY (%s::bigint[]) OR forwarded_from IN (SELECT message_id FROM erased_own)
        )
        UNION
        SELECT messages.message_id, messages.sent_at, messages.author_name
        FROM messages JOIN copies ON messages.forwarded_from = copies.message_id
    )
    SELECT * FROM copies
"""
_MARK_COPIES: LiteralString = "INSERT INTO erased_messages SELECT message_id, sent_at FROM erased_copies"
_MARKS: LiteralString = """
    CREATE TEMPORARY TABLE erased_messages (message_id bigint, sent_at timestamptz) ON COMMIT DROP
"""
_MARK_OWN: LiteralString = """
    INSERT INTO erased_messages
    SELECT message_id, sent_at FROM erased_own
    UNION SELECT message_id, sent_at FROM messages WHERE author_id IS NULL AND message_id = ANY (%s::bigint[])
"""
_MARK_ANSWERS: LiteralString = """
    INSERT INTO erased_messages SELECT message_id, sent_at FROM messages
    WHERE kind = 'answer' AND (%s OR message_id = ANY (%s::bigint[]) OR reply_to = ANY (%s::bigint[]))
"""
_ANALYZE: LiteralString = "ANALYZE erased_messages"
_UNMARK: LiteralString = "TRUNCATE erased_messages"
_DROP: LiteralString = "DROP TABLE erased_people, erased_places, erased_own, erased_messages, erased_copies"

_DELETE_MARKED: dict[str, LiteralString] = {
    "message_revisions": """
        DELETE FROM message_revisions WHERE message_id IN (SELECT message_id FROM erased_messages)
    """,
    "replaced_messages": """
        DELETE FROM replaced_messages USING erased_messages AS erased
        WHERE replaced_messages.message_id = erased.message_id AND replaced_messages.sent_at = erased.sent_at
    """,
    "messages": """
        DELETE FROM messages USING erased_messages AS erased
        WHERE messages.message_id = erased.message_id AND messages.sent_at = erased.sent_at
    """,
}
_NAMES: LiteralString = """
    SELECT author_name FROM erased_own UNION SELECT author_name FROM erased_copies
"""
_DELETE_TIME_ZONES: LiteralString = """
    DELETE FROM time_zones USING erased_people
    WHERE owner_kind = 'person' AND owner_id = user_id AND set_at <= erased_at
"""
_DELETE_DECISIONS: LiteralString = """
    DELETE FROM decisions WHERE message_id = ANY (%s::bigint[])
    OR EXISTS (SELECT FROM erased_people WHERE author_id = user_id AND sent_at <= erased_at)
    OR EXISTS (SELECT FROM erased_places WHERE place_id IN (channel_id, thread_id) AND sent_at <= erased_at)
"""
_CLEAR_DECISIONS: LiteralString = """
    UPDATE decisions SET marked_by = NULL, title = ''
    FROM erased_people WHERE marked_by = user_id AND marked_at <= erased_at
"""
_UNLINK_DECISIONS: LiteralString = """
    UPDATE decisions SET supersedes = NULL WHERE supersedes IS NOT NULL AND NOT EXISTS (
        SELECT FROM decisions AS earlier
        WHERE earlier.guild_id = decisions.guild_id AND earlier.message_id = decisions.supersedes
    )
"""
_DELETE_CATCH_UPS: LiteralString = """
    DELETE FROM catch_ups USING erased_people WHERE person_id = user_id AND shown_at <= erased_at
"""
_DELETE_REMINDERS: LiteralString = """
    DELETE FROM reminders USING erased_people WHERE person_id = user_id AND created_at <= erased_at
"""
_DELETE_TRACES: LiteralString = """
    DELETE FROM traces WHERE has_texts
    OR EXISTS (SELECT FROM erased_people WHERE user_id = asker_id AND made_at <= erased_at)
    OR EXISTS (SELECT FROM erased_places WHERE place_id = channel_id AND made_at <= erased_at)
"""
"""What traces say of texts may repeat anybody, and nobody needs them for long."""
_DELETE_OWN = {
    "time_zones": _DELETE_TIME_ZONES,
    "catch_ups": _DELETE_CATCH_UPS,
    "reminders": _DELETE_REMINDERS,
    "traces": _DELETE_TRACES,
}
"""What deletes rows that are about one person, by their tables."""
_OUTDATE_DIGESTS: LiteralString = """
    WITH gone AS (
        SELECT unnest(%s::bigint[]) AS message_id
        UNION SELECT message_id FROM messages JOIN erased_people ON user_id = author_id AND sent_at <= erased_at
    )
    UPDATE digests SET checksum = '', source_ids = ARRAY(
        SELECT source_id FROM unnest(source_ids) AS source_id WHERE source_id NOT IN (SELECT message_id FROM gone)
    )
    WHERE EXISTS (SELECT FROM unnest(source_ids) AS source_id JOIN gone ON source_id = message_id)
"""
"""Lets the bot write the digests anew that quote the people: an empty checksum is that of no sources."""
_CLEAR_REMINDERS: LiteralString = """
    UPDATE reminders SET text = '' WHERE text <> '' AND (%s OR reminder_id = ANY (%s::bigint[]))
    AND created_at <= (SELECT max(erased_at) FROM erased_people)
    AND person_id NOT IN (SELECT user_id FROM erased_people)
"""
_UNLINK_REMINDERS: LiteralString = "UPDATE reminders SET message_id = NULL WHERE message_id = ANY (%s::bigint[])"
_DELETE_NAMES: LiteralString = """
    DELETE FROM names USING erased_people WHERE author_id = user_id AND last_seen <= erased_at
"""
_DELETE_CONVERSATIONS: LiteralString = """
    WITH deleted AS (
        DELETE FROM conversation_turns
        WHERE %s OR asker_id IN (SELECT user_id FROM erased_people)
        OR channel_id IN (SELECT place_id FROM erased_places)
        OR (asker_id, channel_id, private) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::boolean[]))
        RETURNING asker_id, channel_id, private
    )
    SELECT count(DISTINCT (asker_id, channel_id, private)) FROM deleted
"""
_DELETE_QUESTIONS: LiteralString = """
    DELETE FROM answers
    WHERE %s OR question_id = ANY (%s::bigint[])
    OR EXISTS (SELECT FROM erased_people WHERE user_id = asker_id AND asked_at <= erased_at)
    OR EXISTS (SELECT FROM erased_places WHERE place_id = channel_id AND asked_at <= erased_at) RETURNING question_id
"""
_DELETE_RATINGS: LiteralString = """
    DELETE FROM ratings
    WHERE question_id NOT IN (SELECT question_id FROM answers)
    OR EXISTS (SELECT FROM erased_people WHERE user_id = rater_id AND rated_at <= erased_at)
"""

_READ_FINISHED: LiteralString = "SELECT name, value FROM facts WHERE starts_with(name, %s)"
_WRITE_FINISHED: LiteralString = """
    INSERT INTO facts SELECT %s || user_id, to_jsonb(erased_at) #>> '{}' FROM erased_people
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
    WHERE facts.value::timestamptz < excluded.value::timestamptz
"""
_NOTE: LiteralString = """
    INSERT INTO erasures (user_id, erased_at) VALUES (%s, %s)
    ON CONFLICT (user_id) DO UPDATE SET erased_at = greatest(erasures.erased_at, excluded.erased_at)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many rows an erasure has taken out of a database, or rewritten: those of `search_texts`."""

    messages: int = 0
    revisions: int = 0
    replaced: int = 0
    answers: int = 0
    conversations: int = 0
    questions: int = 0
    search_texts: int = 0
    time_zones: int = 0
    decisions: int = 0
    reminders: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            messages=self.messages + other.messages,
            revisions=self.revisions + other.revisions,
            replaced=self.replaced + other.replaced,
            answers=self.answers + other.answers,
            conversations=self.conversations + other.conversations,
            questions=self.questions + other.questions,
            search_texts=self.search_texts + other.search_texts,
            time_zones=self.time_zones + other.time_zones,
            decisions=self.decisions + other.decisions,
            reminders=self.reminders + other.reminders,
        )

    def __bool__(self) -> bool:
        return any(astuple(self))


async def known_erasures(backup_dir: Path, long_term: Database) -> dict[int, datetime]:
    """Return until when each person's words are erased, as the ledger beside the backups and long-term memory say."""
    return merged(read_ledger(backup_dir / LEDGER), await erasures_of(long_term))


async def erasures_of(database: Database) -> dict[int, datetime]:
    """Return whom a database says to be forgotten, and until when; nobody where it has no table for that.

    Raises DatabaseUnavailableError.
    """
    async with transaction(sessions_of(database.engine)) as session:
        connection = await session.connection()
        if not await connection.run_sync(_has_erasures):
            return {}
        return {row.user_id: row.erased_at for row in await session.scalars(select(ErasureRow))}


async def note_erasure(connection: Connection, user_id: int, erased_at: datetime) -> None:
    """Write into a database, if it has a table for that, that somebody is forgotten."""
    if "erasures" in await tables_of(connection):
        await connection.execute(_NOTE, [user_id, erased_at])


async def unfinished(connection: Connection, erasures: Mapping[int, datetime]) -> dict[int, datetime]:
    """Return those of the erasures that this database has not been through, as one in a backup from before has not."""
    if "facts" not in await tables_of(connection):
        return dict(erasures)
    rows = await fetch(connection, _READ_FINISHED, [_FINISHED])
    finished = {name.removeprefix(_FINISHED): datetime.fromisoformat(value) for name, value in rows}
    return {
        user_id: erased_at
        for user_id, erased_at in erasures.items()
        if str(user_id) not in finished or finished[str(user_id)] < erased_at
    }


async def erase_rows(connection: Connection, subject: Subject) -> Counts:
    """Erase what is forgotten from a database that was just restored, within the transaction that restores it.

    Each person's messages up to their moment go, with all that stands for them. What the bot repeats of them cannot be
    told apart any more: it may be what they said in the other memory or in a session of long ago, from where it is
    erased. So a database that has not been through one of the erasures loses all answers and all conversations. Answers
    are no evidence, and a conversation can be begun anew; messages of others stay. The same holds for one that still
    has a message that was erased alone, or with its channel.
    """
    if not subject:
        return Counts()
    tables = await tables_of(connection)
    async with erasing(connection, subject, tables):
        unknown = bool(await unfinished(connection, subject.people)) or await _has_items(connection, subject, tables)
        counts = await erase_repetitions(connection, tables, answers=Answers(every_one=unknown))
        counts += await erase_conversations(connection, tables, every_one=unknown)
        counts += await erase_questions(connection, tables, every_one=unknown)
        counts += await erase_reminders(connection, tables, every_one=unknown)
        counts += await erase_contexts(connection, tables)
        return counts + await erase_own(connection, tables)


@asynccontextmanager
async def erasing(
    connection: Connection, subject: Subject, tables: Tables, *, message_ids: Collection[int] = ()
) -> AsyncGenerator[None]:
    """Let the other functions here know what to erase; it stands within a transaction.

    `message_ids` are known to belong to it, though they may stand in the other database or a file alone.
    """
    await connection.execute(_PEOPLE, [list(subject.people), list(subject.people.values())])
    await connection.execute(_PLACES, [list(subject.channels), list(subject.channels.values())])
    for statement in (_MARKS, _NO_OWN, _NO_COPIES):
        await connection.execute(statement)
    if "messages" in tables:
        await connection.execute(_OWN, [sorted(subject.messages)])
        await connection.execute(_INDEX_OWN)
        await connection.execute(_ANALYZE_OWN)
    if knows_forwards(tables):
        await connection.execute(_COPIES, [list(message_ids)])
    yield
    await connection.execute(_DROP)


async def _has_items(connection: Connection, subject: Subject, tables: Tables) -> bool:
    """Return whether there are messages that are erased alone or with their channel; it stands within `erasing`."""
    if "messages" not in tables or not (subject.messages or subject.channels):
        return False
    ((has_any,),) = await fetch(connection, _HAS_ITEMS, [sorted(subject.messages)])
    return bool(has_any)


async def erase_repetitions(connection: Connection, tables: Tables, *, answers: Answers) -> Counts:
    """Delete answers of the bot, and what others forwarded of the people, in all their states."""
    if "messages" not in tables:
        return Counts()
    await connection.execute(_MARK_COPIES)
    copies = await _delete_marked(connection, tables)
    lists = [list(answers.message_ids), list(answers.replies_to)]
    await connection.execute(_MARK_ANSWERS, [answers.every_one, *lists])
    deleted = await _delete_marked(connection, tables)
    return Counts(
        messages=copies["messages"],
        answers=deleted["messages"],
        revisions=copies["message_revisions"] + deleted["message_revisions"],
        replaced=copies["replaced_messages"] + deleted["replaced_messages"],
    )


async def erase_conversations(
    connection: Connection, tables: Tables, *, conversations: Collection[Conversation] = (), every_one: bool = False
) -> Counts:
    """Delete conversations, whole: some, and those of the people themselves; or all."""
    if "conversation_turns" not in tables:
        return Counts()
    askers = [conversation.asker_id for conversation in conversations]
    channels = [conversation.channel_id for conversation in conversations]
    private = [conversation.private for conversation in conversations]
    ((count,),) = await fetch(connection, _DELETE_CONVERSATIONS, [every_one, askers, channels, private])
    return Counts(conversations=count)


async def erase_questions(
    connection: Connection, tables: Tables, *, question_ids: Collection[int] = (), every_one: bool = False
) -> Counts:
    """Delete questions with their answers: some, and those of the people themselves; or all. Ratings go with them."""
    if "answers" not in tables:
        return Counts()
    deleted = await fetch(connection, _DELETE_QUESTIONS, [every_one, list(question_ids)])
    await connection.execute(_DELETE_RATINGS)
    return Counts(questions=len(deleted))


async def erase_reminders(
    connection: Connection, tables: Tables, *, reminder_ids: Collection[int] = (), every_one: bool = False
) -> Counts:
    """Take the words out of others' reminders, of some or of all, that may repeat the people; when they are due stays.

    Nobody is to miss an appointment because of somebody else's erasure. Their own go with all else that is theirs.
    """
    if "reminders" not in tables:
        return Counts()
    return Counts(reminders=(await connection.execute(_CLEAR_REMINDERS, [every_one, list(reminder_ids)])).rowcount)


async def erase_contexts(connection: Connection, tables: Tables, *, names: Collection[str] = ()) -> Counts:
    """Write the search texts anew that carry words of the people, who may bear other names elsewhere.

    Which these are is read from the texts themselves: a line of context begins with its author's name. Neighbours in
    time are not enough: what stood beside a message when it was indexed may not stand there now.
    """
    if "messages" not in tables:
        return Counts()
    known = {name for (name,) in await fetch(connection, _NAMES)}
    starts = sorted({_start(name) for name in known.union(names)})
    if not starts:
        return Counts()
    changed = await _index_anew(connection, _WITH_CONTEXT, starts, _WRITE)
    if "replaced_messages" in tables:
        changed += await _index_anew(connection, _REPLACED_WITH_CONTEXT, starts, _WRITE_REPLACED)
    return Counts(search_texts=changed)


async def erase_own(connection: Connection, tables: Tables, *, message_ids: Collection[int] = ()) -> Counts:
    """Delete what the people said, in all its states, their names, time zones and catch-ups; note that this is done.

    Messages whose author is not known go by their ids. All that repeats the people must be gone by now: what they
    said is what it is found by. PostgreSQL takes new samples of what is left for its planner: the old ones hold texts.
    """
    counts = Counts()
    if "messages" in tables and "digests" in tables:
        await connection.execute(_OUTDATE_DIGESTS, [list(message_ids)])
    if "messages" in tables:
        await connection.execute(_MARK_OWN, [list(message_ids)])
        deleted = await _delete_marked(connection, tables)
        counts = Counts(
            messages=deleted["messages"], revisions=deleted["message_revisions"], replaced=deleted["replaced_messages"]
        )
    own = {table: await _execute(connection, _DELETE_OWN[table]) for table in _DELETE_OWN if table in tables}
    counts += Counts(time_zones=own.get("time_zones", 0), reminders=own.get("reminders", 0))
    if "reminders" in tables:
        await connection.execute(_UNLINK_REMINDERS, [list(message_ids)])
    if "decisions" in tables:
        counts += Counts(decisions=await _erase_decisions(connection, message_ids))
    if NAMES in tables:
        await connection.execute(_DELETE_NAMES)
        if counts.messages:  # those without an author's id have left names, too
            await renew_names(connection)
    await _renew_statistics(connection, {table: tables[table] for table in TOUCHED if table in tables})
    if "facts" in tables:
        await connection.execute(_WRITE_FINISHED, [_FINISHED])
    return counts


async def _execute(connection: Connection, statement: LiteralString) -> int:
    return (await connection.execute(statement)).rowcount


async def _erase_decisions(connection: Connection, message_ids: Collection[int]) -> int:
    """Delete what is marked of the people's messages, and take from others what the people have written about it."""
    deleted = (await connection.execute(_DELETE_DECISIONS, [list(message_ids)])).rowcount
    cleared = (await connection.execute(_CLEAR_DECISIONS)).rowcount
    await connection.execute(_UNLINK_DECISIONS)
    return deleted + cleared


async def _delete_marked(connection: Connection, tables: Tables) -> dict[str, int]:
    """Delete what is marked from each table that is there; return how many rows that were."""
    await connection.execute(_ANALYZE)
    deleted = dict.fromkeys(_DELETE_MARKED, 0)
    for table in [table for table in _DELETE_MARKED if table in tables]:
        deleted[table] = (await connection.execute(_DELETE_MARKED[table])).rowcount
    await connection.execute(_UNMARK)
    return deleted


def _has_erasures(connection: SyncConnection) -> bool:
    return inspect(connection).has_table(ErasureRow.__tablename__)


Row = dict[str, Any]
_AT_ONCE = 2000  # messages
_OF_MESSAGE = sql.SQL(", ").join(sql.Identifier("messages", column.name) for column in MESSAGE_COLUMNS)
_IS_ERASED: LiteralString = (
    "EXISTS (SELECT FROM erased_own AS own"
    " WHERE own.message_id = messages.message_id AND own.sent_at = messages.sent_at)"
)
_WITH_CONTEXT = sql.SQL(
    """
    SELECT {columns}, messages.search_text FROM messages
    WHERE EXISTS (
        SELECT FROM string_to_table(messages.search_text, E'\\n') AS line
        WHERE split_part(line, ': ', 1) = ANY (%s::text[])
    ) AND NOT {is_erased} ORDER BY messages.sent_at, messages.message_id
    """
).format(columns=_OF_MESSAGE, is_erased=sql.SQL(_IS_ERASED))
_REPLACED_WITH_CONTEXT = sql.SQL(
    """
    SELECT {columns}, former.content, former.attachments, former.search_text, replaced_by
    FROM replaced_messages AS former JOIN messages USING (message_id, sent_at)
    WHERE EXISTS (
        SELECT FROM string_to_table(former.search_text, E'\\n') AS line
        WHERE split_part(line, ': ', 1) = ANY (%s::text[])
    ) AND NOT {is_erased}
    """
).format(columns=_OF_MESSAGE, is_erased=sql.SQL(_IS_ERASED))
# The bounds stand beside the keys: TimescaleDB leaves chunks out by them.
_WRITE: LiteralString = """
    UPDATE messages SET search_text = new.search_text
    FROM unnest(%(ids)s::bigint[], %(times)s::timestamptz[], %(texts)s::text[]) AS new(message_id, sent_at, search_text)
    WHERE messages.message_id = new.message_id AND messages.sent_at = new.sent_at
    AND messages.sent_at BETWEEN %(first)s AND %(last)s
"""
_WRITE_REPLACED: LiteralString = """
    UPDATE replaced_messages SET search_text = new.search_text
    FROM unnest(%(ids)s::bigint[], %(times)s::timestamptz[], %(texts)s::text[], %(by)s::bigint[])
        AS new(message_id, sent_at, search_text, replaced_by)
    WHERE replaced_messages.message_id = new.message_id AND replaced_messages.sent_at = new.sent_at
    AND replaced_messages.replaced_by = new.replaced_by
"""


def _start(name: str) -> str:
    """Return what a line of context begins with, up to its first colon and blank."""
    return sanitize(name).split("\n")[-1].partition(": ")[0]


async def _index_anew(connection: Connection, found: sql.Composed, starts: list[str], write: LiteralString) -> int:
    """Write the search texts of found rows anew where they have changed; return how many have."""
    changed = 0
    async for rows in _batches(connection, found, starts):
        messages = [to_message(row) for row in rows]
        before = await preceding_by_key(connection, messages, left_out=_IS_ERASED)
        texts = await asyncio.to_thread(_texts_of, messages, before)
        new = [(row, text) for row, text in zip(rows, texts, strict=True) if text != row["search_text"]]
        if new:
            await connection.execute(write, _values(new))
        changed += len(new)
    return changed


def _texts_of(messages: Sequence[Message], before: Mapping[MessageKey, Sequence[Message]]) -> list[str]:
    return [search_text(message, before.get(message.key, ())) for message in messages]


def _values(new: Sequence[tuple[Row, str]]) -> dict[str, Any]:
    times = [row["sent_at"] for row, _ in new]
    return {
        "ids": [row["message_id"] for row, _ in new],
        "times": times,
        "texts": [text for _, text in new],
        "by": [row.get("replaced_by") for row, _ in new],
        "first": min(times),
        "last": max(times),
    }


async def _batches(connection: Connection, query: sql.Composed, starts: list[str]) -> AsyncGenerator[list[Row]]:
    """Yield the rows of a query, some at a time; it does not see what is written meanwhile."""
    async with connection.cursor(name="contexts", row_factory=dict_row) as cursor:
        await cursor.execute(query, [starts])
        while rows := await cursor.fetchmany(_AT_ONCE):
            yield rows


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
_ANALYZE_TABLE = sql.SQL("ANALYZE {}")
_NOTHING: dict[str, object] = {"text": "", "bigint": 0, "boolean": False, "jsonb": "[]", "bigint[]": "{}"}
"""What says nothing, by the type of a column; columns of other types may be null."""
_TIME = "timestamp with time zone"
_ALLOWED = {"owner_kind": "person", "kind": "system"}
"""What a column takes that does not take every text."""


async def _renew_statistics(connection: Connection, tables: Tables) -> None:
    """Take new samples of some tables of ours, and of each chunk of theirs; the caller may owe it to a transaction."""
    async with connection.transaction():
        for table in tables:
            await _sample_anew(connection, table, tables[table])
        if _HYPERTABLE in tables:
            await _sample_chunks_anew(connection, tables[_HYPERTABLE])


async def _sample_anew(connection: Connection, table: str, columns: Mapping[str, str]) -> None:
    name = sql.Identifier(table)
    is_empty = await _is_empty(connection, name)
    if is_empty:
        await _insert_nothing(connection, table, columns, datetime.now(UTC))
    await connection.execute(_ANALYZE_TABLE.format(name))
    if is_empty:
        await connection.execute(_DELETE.format(name))


async def _sample_chunks_anew(connection: Connection, columns: Mapping[str, str]) -> None:
    """Renew the samples of chunks without rows; those of the others came with the whole hypertable's."""
    ((knows_timescale,),) = await fetch(connection, _KNOWS_TIMESCALE)
    if not knows_timescale:
        return
    for schema, chunk, start in await fetch(connection, _CHUNKS, [_HYPERTABLE]):
        name = sql.Identifier(schema, chunk)
        if await _is_empty(connection, name):
            await _insert_nothing(connection, _HYPERTABLE, columns, start)
            await connection.execute(_ANALYZE_TABLE.format(name))
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
