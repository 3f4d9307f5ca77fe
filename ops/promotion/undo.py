"""Take a batch out of long-term memory again, and put back what it had changed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from db.databases import Database
from db.name_rows import renew_names
from db.table_copy import Connection, fetch
from errors import OperatorError
from memory.embedding.embedder import Embedder
from memory.index.reembed import MODEL_FACT, embed_some, prepare
from ops.promotion.history import promotion_lock

_EMBEDDED_AT_ONCE = 1000  # messages

_FIND = "SELECT undone_at FROM promotions WHERE promotion_id = %s"
_CHANGED_SINCE: LiteralString = """
    SELECT max(later.replaced_by) FROM replaced_messages AS later
    WHERE later.replaced_by > %(id)s AND (
        EXISTS (
            SELECT FROM messages
            WHERE (message_id, sent_at) = (later.message_id, later.sent_at) AND promotion_id = %(id)s
        ) OR EXISTS (
            SELECT FROM replaced_messages AS ours
            WHERE (ours.message_id, ours.sent_at) = (later.message_id, later.sent_at) AND ours.replaced_by = %(id)s
        )
    )
"""
_EDITED_SINCE: LiteralString = """
    SELECT max(later.promotion_id) FROM message_revisions AS later
    WHERE later.promotion_id > %(id)s
    AND EXISTS (SELECT FROM messages WHERE message_id = later.message_id AND promotion_id = %(id)s)
"""
_REMOVE = "DELETE FROM messages WHERE promotion_id = %s"
_REMOVE_REVISIONS = "DELETE FROM message_revisions WHERE promotion_id = %s"
# A vector of another model, or of another width, would be compared with what it has nothing to do with. What is known
# to be an answer of the bot stays one.
_PUT_BACK: LiteralString = """
    WITH of_today AS (
        SELECT (SELECT value FROM facts WHERE name = %(model)s) AS model,
        (SELECT atttypmod FROM pg_attribute WHERE attrelid = 'messages'::regclass AND attname = 'embedding') AS width
    ), before AS (
        SELECT *, (embedding_model = of_today.model AND vector_dims(embedding) = of_today.width) IS TRUE AS fits
        FROM replaced_messages, of_today WHERE replaced_by = %(id)s
    )
    UPDATE messages SET
        content = before.content,
        attachments = before.attachments,
        edited_at = before.edited_at,
        deleted_at = before.deleted_at,
        completed_at = before.completed_at,
        parts = before.parts,
        reactions = before.reactions,
        reactions_at = before.reactions_at,
        search_text = CASE WHEN messages.kind = 'answer' THEN '' ELSE before.search_text END,
        embedding = CASE WHEN before.fits AND messages.kind <> 'answer' THEN before.embedding END,
        embedding_model = CASE WHEN before.fits AND messages.kind <> 'answer' THEN before.embedding_model END
    FROM before WHERE (messages.message_id, messages.sent_at) = (before.message_id, before.sent_at)
    RETURNING before.embedding IS NOT NULL AND NOT before.fits AND messages.kind <> 'answer'
"""
_FORGET_PLACES = "DELETE FROM places WHERE promotion_id = %s"
_FORGET_REPLACED = "DELETE FROM replaced_messages WHERE replaced_by = %s"
_NOTE = "UPDATE promotions SET undone_at = %s WHERE promotion_id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoResult:
    """What it took to undo a batch: messages removed, messages put back, and those that need a new vector."""

    removed: int
    put_back: int
    without_vector: int


async def undo(
    database: Database, promotion_id: int, *, embedder: Embedder, now: datetime, timeout: timedelta
) -> UndoResult:
    """Leave long-term memory as it would be without a batch.

    What later batches have quoted of it for context stays in their search texts. Raises OperatorError, and changes
    nothing, when there is no such batch, when it is undone already, and when a later one stands upon it.
    """
    await prepare(database, embedder)
    async with promotion_lock(database, timeout=timeout) as connection:
        await _refuse_unless_last(connection, promotion_id)
        undone = await take_back(connection, promotion_id, now=now)
    if undone.without_vector:
        while await embed_some(database.sessions, embedder, _EMBEDDED_AT_ONCE):
            pass
    return undone


async def take_back(connection: Connection, promotion_id: int, *, now: datetime) -> UndoResult:
    """Remove what a batch has added and put back what it has changed, all of it or nothing."""
    async with connection.transaction():
        removed = await connection.execute(_REMOVE, [promotion_id])
        rows = await fetch(connection, _PUT_BACK, {"id": promotion_id, "model": MODEL_FACT})
        for statement in (_REMOVE_REVISIONS, _FORGET_PLACES, _FORGET_REPLACED):
            await connection.execute(statement, [promotion_id])
        await renew_names(connection)
        await connection.execute(_NOTE, [now, promotion_id])
    return UndoResult(
        removed=removed.rowcount, put_back=len(rows), without_vector=sum(lacks_vector for (lacks_vector,) in rows)
    )


async def _refuse_unless_last(connection: Connection, promotion_id: int) -> None:
    found = await fetch(connection, _FIND, [promotion_id])
    if not found:
        raise OperatorError(f"There is no batch {promotion_id}: python db_save.py list shows those there are.")
    if found[0][0] is not None:
        raise OperatorError(f"Batch {promotion_id} was undone already, at {found[0][0]:%Y-%m-%d %H:%M} UTC.")
    ((changed,),) = await fetch(connection, _CHANGED_SINCE, {"id": promotion_id})
    ((edited,),) = await fetch(connection, _EDITED_SINCE, {"id": promotion_id})
    later = max((number for number in (changed, edited) if number is not None), default=None)
    if later is not None:
        raise OperatorError(f"Batch {later} has changed messages of batch {promotion_id}: undo batch {later} first.")
