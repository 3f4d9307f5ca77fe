"""Say in a few lines what the program runs on and how much it remembers."""

from sqlalchemy import text

from db.databases import Database
from db.engines import transaction
from db.errors import DATABASE_ERRORS
from memory.capture.recorder import Recorder
from memory.index import store

_VERSION = text("SELECT current_setting('server_version')")


async def about(recorder: Recorder, databases: tuple[Database, ...], *, session: str, models: str) -> str:
    """Return the text of /about, as Markdown; the names of the session and the models come as such."""
    lines = [
        "Backscroll remembers what is said here and answers questions with the messages that prove it.",
        f"- session: {session}",
        *[await _describe(database) for database in databases],
        f"- {models}",
    ]
    stored, journalled = recorder.progress
    if stored < journalled:
        lines.append(f"- still being stored: {journalled - stored:,} of {journalled:,} bytes of the session's CSV")
    if recorder.journal_is_failing:
        lines.append("- the session's CSV cannot be written to the disk just now: nothing new is stored")
    return "\n".join(lines)


async def _describe(database: Database) -> str:
    try:
        async with transaction(database.sessions) as session:
            count = await store.count(session)
            version = await session.scalar(_VERSION)
    except DATABASE_ERRORS:
        return f"- {database.name} memory: does not answer just now"
    words = "BM25" if database.capabilities.bm25 else "full-text search"
    return f"- {database.name} memory: {count:,} messages (PostgreSQL {version}, StreamingDiskANN, {words})"
