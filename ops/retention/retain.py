"""Keep both memories and the files of sessions free of what servers do not want to be kept any longer."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from db.databases import Database
from db.engines import transaction
from errors import JournalUnavailableError, SessionError
from memory.capture.journal import RunInThread
from memory.capture.members import read_members
from ops.erasure.erase import OpenFiles
from ops.erasure.files import Redactions, cut, find_old
from ops.promotion.history import promotion_lock
from ops.retention.rows import cutoffs_of, erase_old_rows
from util_async import periodic

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
"""How often rows are looked for: what is old is gone within the hour."""

FILES_EVERY = timedelta(days=1)
"""How often the files of sessions are read through."""

_POSITION = text("SELECT position FROM journal_positions WHERE session = :session")
_MOVE = text("UPDATE journal_positions SET position = :position WHERE session = :session")
_SHORTEN = text("UPDATE coverage SET journal_end = :size WHERE session = :session AND journal_end > :size")


class Retention:
    """Erases again and again, once it is asked to, what is too old: rows each time, and lines of files once a day.

    Those files are the ones of sessions that are over, and of the one that `running` writes. Files of other processes
    are left to those.
    """

    def __init__(
        self,
        short_term: Database,
        long_term: Database,
        storage_dir: Path,
        *,
        clock: Callable[[], datetime],
        timeout: timedelta,
        running: OpenFiles | None = None,
    ) -> None:
        self._short_term = short_term
        self._long_term = long_term
        self._storage_dir = storage_dir
        self._clock = clock
        self._timeout = timeout
        self._running = running
        self._files_read_at: datetime | None = None

    async def erase(self) -> None:
        """Erase what is too old by now.

        Raises DatabaseUnavailableError, and SessionInUseError while a promotion or an erasure is at work on the files.
        """
        now = self._clock()
        cutoffs = await cutoffs_of(self._long_term, now=now)
        if not cutoffs:
            return
        databases = self._short_term, self._long_term
        if erased := await erase_old_rows(databases, cutoffs, long_term=self._long_term):
            logger.info("%d messages were erased, as their servers do not want them to be kept any longer", erased)
        if self._files_read_at is None or now - self._files_read_at >= FILES_EVERY:
            async with promotion_lock(self._long_term, timeout=self._timeout):
                await asyncio.to_thread(
                    erase_old_lines, self._storage_dir, cutoffs, in_use=await self._folders_in_use()
                )
                await self._rewrite_open_files(cutoffs)
            self._files_read_at = now

    async def _folders_in_use(self) -> frozenset[Path]:
        async with transaction(self._short_term.sessions) as session:
            members = await read_members(session)
        journals = [member.journal for member in members if member.journal is not None]
        mine = () if self._running is None else self._running.open_files
        return frozenset(path.parent.resolve() for path in (*journals, *mine))

    async def _rewrite_open_files(self, cutoffs: Mapping[int, datetime]) -> None:
        """Take old lines out of the files that are being written, each of which is held only while it is copied."""
        for path, end in () if self._running is None else tuple(self._running.open_files.items()):
            try:
                cuts = await asyncio.to_thread(find_old, path, cutoffs, end=end)
                if cuts.lines and self._running is not None:
                    async with self._running.held(path) as run:
                        await self._rewrite(path, cuts, run)
                    logger.info("%d lines were taken out of %s", cuts.lines, path.name)
            except (SessionError, JournalUnavailableError) as error:
                logger.warning("what is too old stays in a file: %s", error)

    async def _rewrite(self, path: Path, cuts: Redactions, run: RunInThread) -> None:
        """Rewrite a file that is held, and let short-term memory know where in it its journal goes on.

        The position says meanwhile that nothing was read, as it does when somebody is erased: whoever is killed here
        leaves a journal that is read from its start, and what is too old then goes once more.
        """
        session = {"session": path.stem}
        async with transaction(self._short_term.sessions) as connection:
            position = await connection.scalar(_POSITION, session)
        if position is not None:
            await self._move(session, 0)
        try:
            await run(cut, path, cuts)
        except SessionError:
            if position is not None:
                await self._move(session, position)
            raise
        if position is not None:
            await self._move(session, cuts.new_offset(position))
        size = (await asyncio.to_thread(path.stat)).st_size
        async with transaction(self._long_term.sessions) as connection:
            await connection.execute(_SHORTEN, {**session, "size": size})

    async def _move(self, session: Mapping[str, str], position: int) -> None:
        async with transaction(self._short_term.sessions) as connection:
            await connection.execute(_MOVE, {**session, "position": position})


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
