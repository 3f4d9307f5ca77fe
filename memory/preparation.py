"""Make sure, before anything is captured, that both memories fit this session and this embedding model."""

import asyncio
import logging
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.content import MOVE_FACT
from db.databases import Database
from db.engines import transaction
from db.moving import is_half_filled
from db.tables import MessageRow
from errors import DatabaseSetupError, EmbeddingModelError, SessionError
from memory import store
from memory.embedder import Embedder
from memory.journal import Journal
from memory.messages import MessageKey

logger = logging.getLogger(__name__)

MODEL_FACT = "embedding_model"
HALF_EMBEDDED = "being replaced"
"""What MODEL_FACT says while vectors of two models may stand side by side."""

SESSION_FACT = "session"
JOURNAL_FACT = "journal"


async def prepare(database: Database, embedder: Embedder) -> None:
    """Migrate a database and check that its vectors come from the embedder's model.

    Raises EmbeddingModelError when they come from another, or when embedding them anew was not finished, and
    DatabaseSetupError when the database is half filled from another one.
    """
    dimensions = await embedder.dimensions()
    await database.migrate(dimensions=dimensions)
    async with transaction(database.sessions) as session:
        half_filled = is_half_filled(await store.fact(session, MOVE_FACT))
        width = await store.embedding_width(await session.connection())
        model = await store.fact(session, MODEL_FACT)
        if model is None:
            await store.set_fact(session, MODEL_FACT, embedder.name)
    if half_filled:
        raise DatabaseSetupError(
            f"The move into the {database.name} database was stopped half-way: finish it with: python move.py"
        )
    if model == HALF_EMBEDDED:
        raise EmbeddingModelError(
            f"Embedding the {database.name} memory anew was stopped half-way: "
            "finish it with: python main_async.py --re-embed"
        )
    if model not in {None, embedder.name} or width != dimensions:
        raise EmbeddingModelError(
            f"The {database.name} memory was embedded with {model!r} ({width} dimensions) and EMBEDDING_MODEL says "
            f"{embedder.name!r} ({dimensions}): set it back, or embed everything anew with: "
            "python main_async.py --re-embed"
        )


async def begin_session(database: Database, *, session_name: str, journal_path: Path) -> None:
    """Let short-term memory hold this session: go on with it, or begin anew when the old one is safe.

    Raises SessionError, and changes nothing, when the old session's CSV lacks rows that the memory holds.
    """
    async with transaction(database.sessions) as session:
        held = await store.fact(session, SESSION_FACT)
        if held == session_name:
            return
        old_journal = await store.fact(session, JOURNAL_FACT)
        missing = await keys_without_a_record(session)
        if missing:
            raise SessionError(
                f"Short-term memory holds {len(missing)} messages of session {held!r} that its CSV "
                f"({old_journal}) lacks: go on with --session {held}, or put the CSV back first."
            )
        await store.empty(session)
        await store.set_fact(session, SESSION_FACT, session_name)
        await store.set_fact(session, JOURNAL_FACT, str(journal_path))
    logger.info("short-term memory now holds session %s (before: %s)", session_name, held)


async def keys_without_a_record(session: AsyncSession) -> set[MessageKey]:
    """Return those messages of short-term memory that the CSV of the session which it holds lacks."""
    return await asyncio.to_thread(_without_a_record, await _keys(session), await store.fact(session, JOURNAL_FACT))


async def _keys(session: AsyncSession) -> set[MessageKey]:
    rows = await session.execute(select(MessageRow.message_id, MessageRow.sent_at))
    return {(row.message_id, row.sent_at) for row in rows}


def _without_a_record(keys: set[MessageKey], journal_path: str | None) -> set[MessageKey]:
    """Return those of the keys that a journal does not hold."""
    if keys and journal_path is not None and Path(journal_path).is_file():
        for batch in Journal(Path(journal_path)).read_all():
            keys.difference_update(message.key for message in batch.messages)
    return keys
