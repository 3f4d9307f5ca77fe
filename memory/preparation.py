"""Make sure, before anything is captured, that both memories fit this session and this embedding model."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from db.content import MOVE_FACT
from db.databases import Database
from db.engines import transaction
from db.moving import is_half_filled
from errors import DatabaseSetupError, EmbeddingModelError, SessionError
from memory import store
from memory.embedder import Embedder
from memory.erased import Erased
from memory.reconciling import complete_csv, write_back

logger = logging.getLogger(__name__)

MODEL_FACT = "embedding_model"
HALF_EMBEDDED = "being replaced"
"""What MODEL_FACT says while vectors of two models may stand side by side."""

SESSION_FACT = "session"
JOURNAL_FACT = "journal"

NAMELESS = "recovered.csv"
"""The CSV that takes the rows of a memory that does not say which session it holds."""


async def prepare(database: Database, embedder: Embedder) -> None:
    """Migrate a database and check that its vectors come from the embedder's model.

    Raises EmbeddingModelError when they come from another, or when embedding them anew was not finished, and
    DatabaseSetupError when it is half filled from another one.
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


async def begin_session(
    database: Database, *, session_name: str, journal_path: Path, erased: Erased | None = None
) -> None:
    """Let short-term memory hold this session: go on with it, or begin anew when the old one is safe.

    Rows that a session's CSV lacks, as it does after a power cut, are written back into it first, but for those that
    are `erased`. Raises SessionError, and empties nothing, when that cannot be done.
    """
    erased = erased or Erased()
    async with transaction(database.sessions) as session:
        held = await store.fact(session, SESSION_FACT)
    if held == session_name:
        await _go_on(database, session_name, journal_path, erased)
        return
    async with transaction(database.sessions) as session:
        await complete_held_csv(session, nameless=journal_path.with_name(NAMELESS), erased=erased)
        await store.empty(session)
        await store.set_fact(session, SESSION_FACT, session_name)
        await store.set_fact(session, JOURNAL_FACT, str(journal_path))
    logger.info("short-term memory now holds session %s (before: %s)", session_name, held)


async def complete_held_csv(session: AsyncSession, *, nameless: Path, erased: Erased) -> None:
    """Write what the CSV of the session in short-term memory lacks of its rows back into it, but what is `erased`.

    A memory that does not say which session it holds gets the CSV `nameless`. Raises SessionError when the rows cannot
    be written.
    """
    held, noted = await store.fact(session, SESSION_FACT), await store.fact(session, JOURNAL_FACT)
    path = nameless if noted is None else Path(noted)
    with _telling_what_keeps_rows(held, path):
        _tell_written_back(await write_back(session, path, erased=erased), path)


async def _go_on(database: Database, session_name: str, journal_path: Path, erased: Erased) -> None:
    """Have the CSV hold what the memory holds of the same session, wherever it lies now."""
    with _telling_what_keeps_rows(session_name, journal_path):
        count = await complete_csv(database.sessions, journal_path, session_name=session_name, erased=erased)
    _tell_written_back(count, journal_path)
    async with transaction(database.sessions) as session:
        await store.set_fact(session, JOURNAL_FACT, str(journal_path))


def _tell_written_back(count: int, path: Path) -> None:
    if count:
        logger.warning("%d messages that %s lacked were written back into it from short-term memory", count, path)


@contextmanager
def _telling_what_keeps_rows(held: str | None, path: Path) -> Iterator[None]:
    try:
        yield
    except SessionError as error:
        raise SessionError(
            f"Short-term memory holds messages of session {held!r} that its CSV ({path}) lacks, and that cannot be "
            f"written back into it ({str(error).rstrip('.')}): make its folder, let this account write there, "
            "free some disk space, or put the CSV back."
        ) from error
