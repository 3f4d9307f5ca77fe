"""Take names out of messages that are stored: in a migration, in a load, and where messages went."""

from typing import LiteralString

from db.table_copy import Connection

NAMES: LiteralString = "names"

_INSERT: LiteralString = """
    INSERT INTO names
        (place_id, channel_id, channel_name, author_id, author_name, first_seen, last_seen, promotion_id,
         in_public_thread)
    SELECT coalesce(thread_id, channel_id), channel_id, left(channel_name, 200),
        CASE WHEN spoke THEN coalesce(author_id, 0) ELSE 0 END, CASE WHEN spoke THEN left(author_name, 200) ELSE '' END,
        min(sent_at), max(sent_at), max(promotion_id), bool_or(in_public_thread)
"""
_GROUP: LiteralString = """
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (place_id, channel_id, channel_name, author_id, author_name) DO UPDATE SET
        first_seen = least(names.first_seen, excluded.first_seen),
        last_seen = greatest(names.last_seen, excluded.last_seen),
        promotion_id = greatest(names.promotion_id, excluded.promotion_id),
        in_public_thread = names.in_public_thread OR excluded.in_public_thread
"""
_SPOKE: LiteralString = "SELECT messages.*, messages.kind = 'message' AND messages.deleted_at IS NULL AS spoke"

FILL: LiteralString = f"{_INSERT} FROM ({_SPOKE} FROM messages) AS messages {_GROUP}"
"""Takes the names of all messages in; a name is kept as far as `memory.authors.LONGEST_NAME`."""

FILL_FROM_STAGE: LiteralString = (
    f"{_INSERT} FROM ({_SPOKE} FROM messages JOIN messages_coming USING (message_id, sent_at)) AS messages {_GROUP}"
)
"""Takes the names in of those messages, as they are now, whose keys stand in the table `messages_coming`."""

_EMPTY: LiteralString = "DELETE FROM names"


async def renew_names(connection: Connection) -> None:
    """Let the names be those of the messages that are there, in the transaction of whoever has removed some."""
    await connection.execute(_EMPTY)
    await connection.execute(FILL)
