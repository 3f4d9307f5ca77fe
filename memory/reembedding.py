"""Embed a whole memory anew, for another model; it goes on where it was stopped."""

from collections.abc import Callable

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.databases import Database
from db.engines import transaction
from db.migrate import PATIENTLY
from db.readiness import operator_errors
from db.tables import MessageRow
from db.vector_index import drop_all
from memory import store
from memory.embedder import Embedder
from memory.missing_vectors import embed_some, lacking_vector
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
        total = await session.scalar(select(func.count()).select_from(MessageRow).where(*lacking_vector(embedder))) or 0
    done = 0
    while count := await embed_some(database.sessions, embedder, batch):
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
