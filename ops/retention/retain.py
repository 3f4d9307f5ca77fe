"""Keep both memories, and the files of sessions that are over, free of what servers do not want to be kept longer."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path

from db.databases import Database
from db.engines import transaction
from errors import SessionError
from memory.capture.members import read_members
from ops.erasure.files import cut, find_old
from ops.retention.rows import cutoffs_of, erase_old_rows
from util_async import periodic

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
"""How often rows are looked for: what is old is gone within the hour."""

FILES_EVERY = timedelta(days=1)
"""How often the files of sessions that are over are read through."""


class Retention:
    """Erases again and again, once it is asked to, what is too old: rows each time, and files once a day.

    The files of sessions that are running, here or in other processes, are left alone until those are over.
    """

    def __init__(
        self, short_term: Database, long_term: Database, storage_dir: Path, *, clock: Callable[[], datetime]
    ) -> None:
        self._short_term = short_term
        self._long_term = long_term
        self._storage_dir = storage_dir
        self._clock = clock
        self._files_read_at: datetime | None = None

    async def erase(self) -> None:
        """Erase what is too old by now; raise DatabaseUnavailableError."""
        now = self._clock()
        cutoffs = await cutoffs_of(self._long_term, now=now)
        if not cutoffs:
            return
        databases = self._short_term, self._long_term
        if erased := await erase_old_rows(databases, cutoffs, long_term=self._long_term):
            logger.info("%d messages were erased, as their servers do not want them to be kept any longer", erased)
        if self._files_read_at is None or now - self._files_read_at >= FILES_EVERY:
            in_use = await self._folders_in_use()
            await asyncio.to_thread(erase_old_lines, self._storage_dir, cutoffs, in_use=in_use)
            self._files_read_at = now

    async def _folders_in_use(self) -> frozenset[Path]:
        async with transaction(self._short_term.sessions) as session:
            members = await read_members(session)
        return frozenset(member.journal.parent.resolve() for member in members if member.journal is not None)


def kept_within_retention(retention: Retention, *, every: timedelta = EVERY) -> AbstractAsyncContextManager[None]:
    """Erase what is too old for as long as the context lasts, the first time at once."""
    return periodic(retention.erase, every=every, at_once=True)


def erase_old_lines(storage_dir: Path, cutoffs: Mapping[int, datetime], *, in_use: Collection[Path]) -> int:
    """Take lines of messages that are too old out of the CSVs of sessions that are over; return how many those were.

    A file that cannot be rewritten is left to the next time, and said in the log.
    """
    lines = 0
    for path in sorted(storage_dir.glob("*/*.csv")):
        if path.parent.resolve() in in_use:
            continue
        try:
            cuts = find_old(path, cutoffs)
            cut(path, cuts)
        except SessionError as error:
            logger.warning("what is too old stays in a file: %s", error)
            continue
        lines += cuts.lines
    if lines:
        logger.info("%d lines were taken out of the files of sessions that are over", lines)
    return lines
