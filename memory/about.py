"""Describe in a few lines what the program runs on and how much it remembers."""

from sqlalchemy import text

from db.databases import Database
from db.engines import transaction
from db.errors import DATABASE_ERRORS
from memory.filters import EVERY_GUILD, Guild

_ABOUT = text(
    "SELECT count(*), current_setting('server_version') FROM messages"
    " WHERE :is_everywhere OR guild_id IS NOT DISTINCT FROM CAST(:guild AS bigint)"
)


async def about(
    databases: tuple[Database, ...],
    *,
    guild: Guild,
    session: str,
    models: str,
    journal_progress: tuple[int, int],
    journal_is_failing: bool,
) -> str:
    """Return the text of /about, as Markdown; the names of the session and the models come as such.

    Messages are counted of the `guild` that asks alone.
    `journal_progress` is how many bytes of the session's CSV are searchable, and how many there are.
    """
    lines = [
        "Backscroll remembers what is said here and answers questions with the messages that prove it.",
        f"- session: {session}",
        *[await _describe(database, guild) for database in databases],
        f"- {models}",
    ]
    stored, journalled = journal_progress
    if stored < journalled:
        lines.append(f"- still being stored: {journalled - stored:,} of {journalled:,} bytes of the session's CSV")
    if journal_is_failing:
        lines.append("- the session's CSV cannot be written to the disk just now: nothing new is stored")
    return "\n".join(lines)


async def _describe(database: Database, guild: Guild) -> str:
    scope = {"is_everywhere": guild is EVERY_GUILD, "guild": None if guild is EVERY_GUILD else guild}
    try:
        async with transaction(database.sessions) as session:
            count, version = (await session.execute(_ABOUT, scope)).one()
    except DATABASE_ERRORS:
        return f"- {database.name} memory: does not answer just now"
    words = "BM25" if database.capabilities.bm25 else "full-text search"
    return f"- {database.name} memory: {count:,} messages (PostgreSQL {version}, StreamingDiskANN, {words})"
