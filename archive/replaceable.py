"""Make sure, before a restore, that no session is lost which nothing else holds."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from archive.manifest import DatabaseEntry
from db.checksums import tables_of
from db.copying import open_connection
from db.databases import Database
from db.engines import transaction
from memory import store
from memory.erased import Erased
from memory.preparation import NAMELESS, SESSION_FACT, complete_held_csv

_NEEDED = frozenset({"messages", "facts"})


async def secure_session(
    short_term: Database,
    entry: DatabaseEntry,
    storage_dir: Path,
    *,
    erasures: Mapping[int, datetime],
    timeout: timedelta,
) -> None:
    """Have the session that short-term memory holds wholly in its CSV, when a backup of another is to replace it.

    What those in `erasures` had said until they were forgotten is left out.

    Raises SessionError when that cannot be done.
    """
    async with open_connection(short_term.dsn, timeout=timeout) as connection:
        if not (await tables_of(connection)).keys() >= _NEEDED:
            return
    async with transaction(short_term.sessions) as session:
        if await store.fact(session, SESSION_FACT) != entry.session:
            await complete_held_csv(session, nameless=storage_dir / NAMELESS, erased=Erased(erasures))
