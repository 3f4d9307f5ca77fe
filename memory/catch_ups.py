"""Keep when each person was last shown what they missed in a guild."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, timely_transaction
from db.schema import CatchUpRow

NO_GUILD = 0
"""Stands for the guild where there is none, as in the terminal."""

ANSWER_LIMIT = timedelta(seconds=2)  # somebody waits for an answer


@dataclass(frozen=True, slots=True)
class CatchUps:
    """When people caught up, in one database."""

    sessions: Sessions
    timeout: timedelta = ANSWER_LIMIT

    async def last_shown(self, person_id: int, guild_id: int) -> datetime | None:
        """Return when a person was last shown what they missed in a guild; raise DatabaseUnavailableError."""
        theirs = (CatchUpRow.person_id == person_id, CatchUpRow.guild_id == guild_id)
        async with self._transaction() as session:
            return await session.scalar(select(CatchUpRow.shown_at).where(*theirs))

    async def note_shown(self, person_id: int, guild_id: int, *, at: datetime) -> None:
        """Note that a person was shown what was said until a moment; raise DatabaseUnavailableError."""
        row = insert(CatchUpRow).values(person_id=person_id, guild_id=guild_id, shown_at=at)
        later = func.greatest(CatchUpRow.shown_at, row.excluded.shown_at)
        async with self._transaction() as session:
            await session.execute(
                row.on_conflict_do_update(
                    index_elements=[CatchUpRow.person_id, CatchUpRow.guild_id], set_={"shown_at": later}
                )
            )

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return timely_transaction(self.sessions, timeout=self.timeout, about="a catch-up")
