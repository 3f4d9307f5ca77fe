"""See that all vectors of a memory are of one embedding model: check it at the start, make those that lack, or all."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, bindparam, delete, func, or_, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from db.databases import Database
from db.engines import Sessions, transaction
from db.errors import operator_errors
from db.metadata import MOVE_FACT, get_metadata, is_half_filled, set_metadata
from db.migrate import LONG_STATEMENT_TIMEOUT
from db.schema import FactRow, MessageRow
from db.vector_index import drop_all
from errors import DatabaseSetupError, EmbeddingModelError, RefusedRowError, StatementFailedError
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.index.index_text import text_to_embed
from memory.index.indexing import embed_each, find_refused
from memory.message import Message
from util_async import Progress

logger = logging.getLogger(__name__)

MODEL_FACT = "embedding_model"
HALF_EMBEDDED = "being replaced"
"""What MODEL_FACT says while vectors of two models may stand side by side."""

MODEL_SETTINGS = "EMBEDDING_MODEL (or EMBEDDING_PASSAGE_PROMPT)"
"""The settings that vectors depend on, as a sentence that says what to do names them."""

WITHOUT_VECTORS = "stored_without_vectors_up_to"
"""The fact that rows were stored before the embedder was ready, with the journal's position of the last of them.

It bears the name of the session, behind a blank, except in memories of earlier versions.
"""

_Embedded = tuple[Message, NDArray[np.float32] | None]


async def prepare(database: Database, embedder: Embedder) -> None:
    """Migrate a database and check that its vectors come from the embedder's model.

    Raises EmbeddingModelError when they come from another, or when embedding them anew was not finished, and
    DatabaseSetupError when it is half filled from another one.
    """
    dimensions = await embedder.dimensions()
    await database.migrate(dimensions=dimensions)
    async with transaction(database.sessions) as session:
        half_filled = is_half_filled(await get_metadata(session, MOVE_FACT))
        width = await store.embedding_width(await session.connection())
        model = await get_metadata(session, MODEL_FACT)
        if model is None:
            await set_metadata(session, MODEL_FACT, embedder.name)
    if half_filled:
        raise DatabaseSetupError(
            f"The move into the {database.name} database was stopped half-way: finish it with: python backups.py move"
        )
    if model == HALF_EMBEDDED:
        raise EmbeddingModelError(
            f"Embedding the {database.name} memory anew was stopped half-way: "
            "finish it with: python main_async.py re-embed"
        )
    if model not in {None, embedder.name} or width != dimensions:
        raise EmbeddingModelError(
            f"The {database.name} memory was embedded with {model!r} ({width} dimensions) and EMBEDDING_MODEL says "
            f"{embedder.name!r} ({dimensions}): set {MODEL_SETTINGS} back, or embed everything anew with: "
            "python main_async.py re-embed"
        )


def lacking_vector(embedder: Embedder) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a row that says something and has no vector of the embedder's model."""
    other_model = or_(MessageRow.embedding_model.is_(None), MessageRow.embedding_model != embedder.name)
    return MessageRow.search_text != "", other_model


async def embed_some(
    sessions: Sessions, embedder: Embedder, batch: int, *, of: str | None = None, refused: set[int] | None = None
) -> int:
    """Give some of the messages that lack a vector one; return how many were looked at, 0 at the end.

    With `of` they are those of one session: several processes that share a memory embed each its own.

    A text that the model cannot take gets none, and the model's name all the same: it is not tried again. A message
    that is edited meanwhile is left for the next call. Those that the database does not let change while it does
    others are added to `refused`, and left out from then on. Raises DatabaseUnavailableError, RefusedRowError, and
    ModelUnavailableError when the model takes no text at all.
    """
    refused = set() if refused is None else refused
    left_out = ~store.one_of(MessageRow.__table__.c.message_id, refused)
    of_session = true() if of is None else MessageRow.session == of
    some = select(*store.MESSAGE_COLUMNS).where(*lacking_vector(embedder), left_out, of_session).limit(batch)
    async with transaction(sessions) as session:
        messages = [store.to_message(row) for row in (await session.execute(some)).mappings()]
    if not messages:
        return 0
    vectors = await embed_each(embedder, [text_to_embed(message) for message in messages])
    refused |= await _write_accepted(sessions, embedder.name, list(zip(messages, vectors, strict=True)))
    return len(messages)


async def _write_accepted(sessions: Sessions, model: str, embedded: Sequence[_Embedded]) -> set[int]:
    """Write vectors and return the ids of the messages that are refused theirs; raise the last reason when all are."""

    async def attempt(some: Sequence[_Embedded]) -> Exception | None:
        try:
            await _write(sessions, model, some)
        except (StatementFailedError, RefusedRowError) as error:
            return error
        return None

    refused: dict[int, Exception] = {}
    async for (message, _), error in find_refused(embedded, attempt):
        refused[message.message_id] = error
        if len(refused) == len(embedded):
            raise error
    for message_id, reason in refused.items():
        logger.warning("message %d gets no vector: %s", message_id, reason)
    return set(refused)


async def _write(sessions: Sessions, model: str, embedded: Sequence[_Embedded]) -> None:
    write = (
        update(MessageRow)
        .where(
            MessageRow.message_id == bindparam("of_id"),
            MessageRow.sent_at == bindparam("of_time"),
            MessageRow.edited_at.is_not_distinct_from(bindparam("as_edited")),
            MessageRow.completed_at.is_not_distinct_from(bindparam("as_completed")),
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
                    "as_completed": message.completed_at,
                    "vector": vector,
                }
                for message, vector in embedded
            ],
        )


async def note_missing(session: AsyncSession, position: int, *, of: str) -> None:
    """Note, in the transaction that stores them, that rows of a session may lack their vectors.

    They are those up to a position of its journal.
    """
    await set_metadata(session, missing_fact(of), str(position))


async def missing_up_to(session: AsyncSession, *, of: str) -> str | None:
    """Return what was noted last of a session; None when no row of it lacks a vector."""
    return await get_metadata(session, missing_fact(of)) or await get_metadata(session, WITHOUT_VECTORS)


async def note_complete(session: AsyncSession, noted: str, *, of: str) -> None:
    """Take the note of a session back, unless another one has taken its place since."""
    names = (missing_fact(of), WITHOUT_VECTORS)
    await session.execute(delete(FactRow).where(FactRow.name.in_(names), FactRow.value == noted))


async def forget_missing(session: AsyncSession, *, of: str) -> None:
    """Take the note of a session back, whose rows are about to go."""
    await session.execute(delete(FactRow).where(FactRow.name == missing_fact(of)))


def missing_fact(session_name: str) -> str:
    """Return the name of the fact that rows of a session lack their vectors."""
    return f"{WITHOUT_VECTORS} {session_name}"


async def reembed(database: Database, embedder: Embedder, *, batch: int, report: Progress) -> int:
    """Give every message a vector of the embedder's model; return how many needed one.

    `report` hears, batch by batch, of the messages done and of all that needed it. The vector indexes are gone then,
    which is faster than keeping them up meanwhile: `db.vector_index.build` builds them again.
    """
    dimensions = await embedder.dimensions()
    await database.migrate(dimensions=dimensions)
    async with transaction(database.sessions) as session:
        await set_metadata(session, MODEL_FACT, HALF_EMBEDDED)
    with operator_errors(database.engine.url, name=database.name):
        async with database.engine.begin() as connection:
            await _make_room(connection, dimensions)
    async with transaction(database.sessions) as session:
        total = await session.scalar(select(func.count()).select_from(MessageRow).where(*lacking_vector(embedder))) or 0
    done = 0
    while count := await embed_some(database.sessions, embedder, batch):
        done += count
        report(done, total)
    async with transaction(database.sessions) as session:
        await set_metadata(session, MODEL_FACT, embedder.name)
    await database.migrate(dimensions=dimensions)
    return done


async def _make_room(connection: AsyncConnection, dimensions: int) -> None:
    """Drop the vector index, and the vectors too when their width changes."""
    await connection.execute(LONG_STATEMENT_TIMEOUT)
    await drop_all(connection)
    if await store.embedding_width(connection) != dimensions:
        # A type takes no bound parameter; `dimensions` is a whole number that the model itself reports.
        await connection.execute(
            text(f"ALTER TABLE messages ALTER COLUMN embedding TYPE vector({dimensions:d}) USING NULL")
        )
        # Another type brings its own way of storing, and vectors should stand in their rows (docs/decisions/0005).
        await connection.execute(text("ALTER TABLE messages ALTER COLUMN embedding SET STORAGE MAIN"))
        await connection.execute(update(MessageRow).values(embedding_model=None))
