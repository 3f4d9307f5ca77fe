"""Reach the embedded server, without making one, and leave it as it was found."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from db.embedded import EmbeddedServer, is_running, open_embedded, start_embedded
from db.embedded.places import STATE_DIR, substitute_of


@asynccontextmanager
async def open_if_made(folder: Path, *, start_timeout: timedelta) -> AsyncGenerator[EmbeddedServer | None]:
    """Yield the server of a folder, or None where none was ever made; started for this, it is stopped again.

    Raises DatabaseSetupError when there is one that cannot be used.
    """
    if not _is_made(folder):
        yield None
    elif await is_running(folder):
        yield await start_embedded(folder)  # to join for a while would be to stop, as the last to leave, what runs
    else:
        async with open_embedded(folder, start_timeout=start_timeout) as server:
            yield server


def _is_made(folder: Path) -> bool:
    folder = folder.resolve()
    return any((home / "data").exists() for home in (folder, substitute_of(folder, STATE_DIR)))
