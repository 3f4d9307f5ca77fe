"""Give vectors to the messages that have none of the embedding model's."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, bindparam, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, transaction
from db.tables import FactRow, MessageRow
from errors import RefusedRowError, StatementFailedError
from memory import store
from memory.careful_embedding import embed_each
from memory.context import text_to_embed
from memory.embedder import Embedder
from memory.messages import Message

logger = logging.getLogger(__name__)

_Embedded = tuple[Message, NDArray[np.float32] | None]

WITHOUT_VECTORS = "stored_without_vectors_up_to"
"""The fact that rows were stored before the embedder was ready, with the journal's position of the last of them."""


def lacking_vector(embedder: Embedder) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a row that says something and has no vector of the embedder's model."""
    other_model = or_(MessageRow.embedding_model.is_(None), MessageRow.embedding_model != embedder.name)
    return MessageRow.search_text != "", other_model


async def embed_some(sessions: Sessions, embedder: Embedder, batch: int, *, refused: set[int] | None = None) -> int:
    """Give some of the messages that lack a vector one; return how many were looked at, 0 at the end.

    A text that the model cannot take gets none, and the model's name all the same: it is not tried again. A message
    that is edited meanwhile is left for the next call. Those that the database does not let change while it does
    others are added to `refused`, and left out from then on. Raises DatabaseUnavailableError, RefusedRowError, and
    ModelUnavailableError when the model takes no text at all.
    """
    refused = set() if refused is None else refused
    left_out = ~store.one_of(MessageRow.__table__.c.message_id, refused)
    some = select(*store.MESSAGE_COLUMNS).where(*lacking_vector(embedder), left_out).limit(batch)
    async with transaction(sessions) as session:
        messages = [store.to_message(row) for row in (await session.execute(some)).mappings()]
    if not messages:
        return 0
    vectors = await embed_each(embedder, [text_to_embed(message) for message in messages])
    embedded = list(zip(messages, vectors, strict=True))
    try:
        await _write(sessions, embedder.name, embedded)
    except (StatementFailedError, RefusedRowError):
        if len(embedded) == 1:
            raise
        await _write_one_by_one(sessions, embedder.name, embedded, refused)
    return len(messages)


async def _write_one_by_one(sessions: Sessions, model: str, embedded: Sequence[_Embedded], refused: set[int]) -> None:
    """Write vectors of which some are refused; raise what the last one is refused for when all are."""
    failed: dict[int, Exception] = {}
    for message, vector in embedded:
        try:
            await _write(sessions, model, [(message, vector)])
        except (StatementFailedError, RefusedRowError) as error:
            failed[message.message_id] = error
    if len(failed) == len(embedded):
        raise failed[embedded[-1][0].message_id]
    for message_id, reason in failed.items():
        logger.warning("message %d gets no vector: %s", message_id, reason)
    refused.update(failed)


async def _write(sessions: Sessions, model: str, embedded: Sequence[_Embedded]) -> None:
    write = (
        update(MessageRow)
        .where(
            MessageRow.message_id == bindparam("of_id"),
            MessageRow.sent_at == bindparam("of_time"),
            MessageRow.edited_at.is_not_distinct_from(bindparam("as_edited")),
        )
        .values(embedding=bindparam("vector"), embedding_model=model)
    )
    async with transaction(sessions) as session:
        connection = await session.connection()
        await connection.execute(
            write,
            [
                {
                    "of_id": message.message_id,
                    "of_time": message.sent_at,
                    "as_edited": message.edited_at,
                    "vector": vector,
                }
                for message, vector in embedded
            ],
        )


async def note_missing(session: AsyncSession, position: int) -> None:
    """Note, in the transaction that stores them, that rows up to a position of the journal may lack their vectors."""
    await store.set_fact(session, WITHOUT_VECTORS, str(position))


async def missing_up_to(session: AsyncSession) -> str | None:
    """Return what was noted last; None when no row lacks a vector."""
    return await store.fact(session, WITHOUT_VECTORS)


async def note_complete(session: AsyncSession, noted: str) -> None:
    """Take the note back, unless another one has taken its place since."""
    await session.execute(delete(FactRow).where(FactRow.name == WITHOUT_VECTORS, FactRow.value == noted))
