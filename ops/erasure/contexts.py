"""Write the search texts anew that carry what forgotten people said as context of their neighbours' messages.

Which these are is read from the texts themselves: a line of context begins with its author's name. Neighbours in time
are not enough, as messages that came late have what stood last in the channel then as their context.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any, LiteralString, cast

from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import RowMapping

from db.table_copy import Connection
from memory.index.index_text import search_text
from memory.index.neighbours import preceding_by_key
from memory.index.store import MESSAGE_COLUMNS, to_message
from memory.message import sanitize
from ops.erasure.find import Tables

Row = dict[str, Any]

_AT_ONCE = 2000  # messages

_OF_MESSAGE = sql.SQL(", ").join(sql.Identifier("messages", column.name) for column in MESSAGE_COLUMNS)
_IS_ERASED = sql.SQL(
    "EXISTS (SELECT FROM erased_people WHERE user_id = messages.author_id AND messages.sent_at <= erased_at)"
)
_WITH_CONTEXT = sql.SQL(
    """
    SELECT {columns}, messages.search_text FROM messages
    WHERE EXISTS (
        SELECT FROM string_to_table(messages.search_text, E'\\n') AS line
        WHERE split_part(line, ': ', 1) = ANY (%s::text[])
    ) AND NOT {is_erased} ORDER BY messages.sent_at, messages.message_id
    """
).format(columns=_OF_MESSAGE, is_erased=_IS_ERASED)
_REPLACED_WITH_CONTEXT = sql.SQL(
    """
    SELECT {columns}, former.content, former.attachments, former.search_text, replaced_by
    FROM replaced_messages AS former JOIN messages USING (message_id, sent_at)
    WHERE EXISTS (
        SELECT FROM string_to_table(former.search_text, E'\\n') AS line
        WHERE split_part(line, ': ', 1) = ANY (%s::text[])
    ) AND NOT {is_erased}
    """
).format(columns=_OF_MESSAGE, is_erased=_IS_ERASED)
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


async def renew_search_texts(connection: Connection, tables: Tables, names: Iterable[str]) -> int:
    """Write anew what carries words of people of these names, from all but the people of table `erased_people`.

    Return the number of texts that have changed.
    """
    starts = sorted({_start(name) for name in names})
    if not starts or "messages" not in tables:
        return 0
    changed = await _renew(connection, _WITH_CONTEXT, starts, _WRITE)
    if "replaced_messages" in tables:
        changed += await _renew(connection, _REPLACED_WITH_CONTEXT, starts, _WRITE_REPLACED)
    return changed


def _start(name: str) -> str:
    """Return what a line of context begins with, up to its first colon and blank."""
    return sanitize(name).split("\n")[-1].partition(": ")[0]


async def _renew(connection: Connection, found: sql.Composed, starts: list[str], write: LiteralString) -> int:
    changed = 0
    async for rows in _batches(connection, found, starts):
        messages = [to_message(cast("RowMapping", row)) for row in rows]
        before = await preceding_by_key(connection, messages, left_out=_IS_ERASED)
        texts = [search_text(message, before.get(message.key, ())) for message in messages]
        new = [(row, text) for row, text in zip(rows, texts, strict=True) if text != row["search_text"]]
        if new:
            await connection.execute(write, _values(new))
        changed += len(new)
    return changed


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
