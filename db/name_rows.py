"""Make the table of names anew from the messages: in a migration, and where messages went."""

from typing import LiteralString

from db.copying import Connection

NAMES: LiteralString = "names"

FILL: LiteralString = """
    INSERT INTO names (place_id, channel_id, channel_name, author_id, author_name, first_seen, last_seen)
    SELECT coalesce(thread_id, channel_id), channel_id, left(channel_name, 200),
        CASE WHEN spoke THEN coalesce(author_id, 0) ELSE 0 END, CASE WHEN spoke THEN left(author_name, 200) ELSE '' END,
        min(sent_at), max(sent_at)
    FROM (SELECT *, kind = 'message' AND deleted_at IS NULL AS spoke FROM messages) AS messages
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (place_id, channel_id, channel_name, author_id, author_name) DO UPDATE SET
        first_seen = least(names.first_seen, excluded.first_seen),
        last_seen = greatest(names.last_seen, excluded.last_seen)
"""
"""Takes the names of all messages in; a name is kept as far as `memory.authors.LONGEST_NAME`."""

_EMPTY: LiteralString = "DELETE FROM names"


async def renew_names(connection: Connection) -> None:
    """Let the names be those of the messages that are there, in the transaction of whoever has removed some."""
    await connection.execute(_EMPTY)
    await connection.execute(FILL)
