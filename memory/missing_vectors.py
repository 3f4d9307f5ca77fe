"""Give vectors to the messages that have none of the embedding model's."""

from sqlalchemy import ColumnElement, bindparam, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, transaction
from db.tables import FactRow, MessageRow
from memory import store
from memory.context import text_to_embed
from memory.embedder import Embedder

WITHOUT_VECTORS = "stored_without_vectors_up_to"
"""The fact that rows were stored before the embedder was ready, with the journal's position of the last of them."""


def lacking_vector(embedder: Embedder) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a row that says something and has no vector of the embedder's model."""
    other_model = or_(MessageRow.embedding_model.is_(None), MessageRow.embedding_model != embedder.name)
    return MessageRow.search_text != "", other_model


async def embed_some(sessions: Sessions, embedder: Embedder, batch: int) -> int:
    """Give some of the messages that lack a vector one; return how many were looked at, 0 at the end.

    A message that is edited meanwhile is left for the next call. Raises DatabaseUnavailableError.
    """
    some = select(*store.MESSAGE_COLUMNS).where(*lacking_vector(embedder)).limit(batch)
    async with transaction(sessions) as session:
        messages = [store.to_message(row) for row in (await session.execute(some)).mappings()]
    if not messages:
        return 0
    vectors = await embedder.embed([text_to_embed(message) for message in messages])
    write = (
        update(MessageRow)
        .where(
            MessageRow.message_id == bindparam("of_id"),
            MessageRow.sent_at == bindparam("of_time"),
            MessageRow.edited_at.is_not_distinct_from(bindparam("as_edited")),
        )
        .values(embedding=bindparam("vector"), embedding_model=embedder.name)
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
                for message, vector in zip(messages, vectors, strict=True)
            ],
        )
    return len(messages)


async def note_missing(session: AsyncSession, position: int) -> None:
    """Note, in the transaction that stores them, that rows up to a position of the journal may lack their vectors."""
    await store.set_fact(session, WITHOUT_VECTORS, str(position))


async def missing_up_to(session: AsyncSession) -> str | None:
    """Return what was noted last; None when no row lacks a vector."""
    return await store.fact(session, WITHOUT_VECTORS)


async def note_complete(session: AsyncSession, noted: str) -> None:
    """Take the note back, unless another one has taken its place since."""
    await session.execute(delete(FactRow).where(FactRow.name == WITHOUT_VECTORS, FactRow.value == noted))
