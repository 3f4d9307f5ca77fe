"""Embed a whole memory anew, for another model; it goes on where it was stopped."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, bindparam, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.databases import Database
from db.engines import transaction
from db.migrate import PATIENTLY
from db.readiness import operator_errors
from db.tables import MessageRow
from db.vector_index import drop_all
from memory import store
from memory.context import text_to_embed
from memory.embedder import Embedder
from memory.preparation import HALF_EMBEDDED, MODEL_FACT


async def reembed(database: Database, embedder: Embedder, *, batch: int, report: Callable[[int, int], None]) -> int:
    """Give every message a vector of the embedder's model; return how many needed one.

    `report` hears, batch by batch, of the messages done and of all that needed it. The vector indexes are gone then,
    which is faster than keeping them up meanwhile: `db.vector_index.build` builds them again.
    """
    dimensions = await embedder.dimensions()
    await database.migrate(dimensions=dimensions)
    async with transaction(database.sessions) as session:
        await store.set_fact(session, MODEL_FACT, HALF_EMBEDDED)
    with operator_errors(database.engine, name=database.name):
        async with database.engine.begin() as connection:
            await _make_room(connection, dimensions)
    async with transaction(database.sessions) as session:
        total = await session.scalar(select(func.count()).select_from(MessageRow).where(*_needing(embedder))) or 0
    done = 0
    while count := await embed_some(database, embedder, batch):
        done += count
        report(done, total)
    async with transaction(database.sessions) as session:
        await store.set_fact(session, MODEL_FACT, embedder.name)
    await database.migrate(dimensions=dimensions)
    return done


async def _make_room(connection: AsyncConnection, dimensions: int) -> None:
    """Drop the vector index, and the vectors too when their width changes."""
    await connection.execute(PATIENTLY)
    await drop_all(connection)
    if await store.embedding_width(connection) != dimensions:
        # A type takes no bound parameter; `dimensions` is a whole number that the model itself reports.
        await connection.execute(
            text(f"ALTER TABLE messages ALTER COLUMN embedding TYPE vector({dimensions:d}) USING NULL")
        )
        # Another type brings its own way of storing, and vectors should stand in their rows (docs/decisions/0005).
        await connection.execute(text("ALTER TABLE messages ALTER COLUMN embedding SET STORAGE MAIN"))
        await connection.execute(update(MessageRow).values(embedding_model=None))


def _needing(embedder: Embedder) -> tuple[ColumnElement[bool], ...]:
    other_model = or_(MessageRow.embedding_model.is_(None), MessageRow.embedding_model != embedder.name)
    return MessageRow.search_text != "", other_model


async def embed_some(database: Database, embedder: Embedder, batch: int) -> int:
    """Give some of the messages that have no vector of the embedder's model one; return their number, 0 at the end."""
    some = select(*store.MESSAGE_COLUMNS).where(*_needing(embedder)).limit(batch)
    async with transaction(database.sessions) as session:
        messages = [store.to_message(row) for row in (await session.execute(some)).mappings()]
    if not messages:
        return 0
    vectors = await embedder.embed([text_to_embed(message) for message in messages])
    write = (
        update(MessageRow)
        .where(
            MessageRow.message_id == bindparam("of_id"),
            MessageRow.sent_at == bindparam("of_time"),
        )
        .values(embedding=bindparam("vector"), embedding_model=embedder.name)
    )
    async with transaction(database.sessions) as session:
        connection = await session.connection()
        await connection.execute(
            write,
            [
                {"of_id": message.message_id, "of_time": message.sent_at, "vector": vector}
                for message, vector in zip(messages, vectors, strict=True)
            ],
        )
    return len(messages)
