"""Keep in long-term memory what people have asked not to be kept of them."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, timely_transaction
from db.schema import OptOutRow

ANSWER_LIMIT = timedelta(seconds=5)
"""How long one reading or writing may take by default; somebody waits."""


class Wish(StrEnum):
    """What a person has asked for."""

    EVERYTHING = "everything"
    """Nothing that they say is kept."""
    WHO_KNOWS = "who_knows"
    """They are not named as somebody who knows about something."""
    NOTHING = "none"
    """They have taken back what they asked for."""


class OptOut(NamedTuple):
    """A wish, and since when it counts."""

    wish: Wish
    since: datetime


class OptOuts:
    """The wishes of people, each of whom has one; the latest counts."""

    def __init__(self, sessions: Sessions, *, timeout: timedelta = ANSWER_LIMIT) -> None:
        self._sessions = sessions
        self._timeout = timeout

    async def set(self, person_id: int, wish: Wish, *, at: datetime) -> None:
        """Write a wish down; raise DatabaseUnavailableError when it cannot be stored now."""
        row = insert(OptOutRow).values(person_id=person_id, kind=str(wish), opted_out_at=at)
        newer = row.on_conflict_do_update(
            index_elements=[OptOutRow.person_id],
            set_={"kind": row.excluded.kind, "opted_out_at": row.excluded.opted_out_at},
            where=OptOutRow.opted_out_at <= row.excluded.opted_out_at,
        )
        async with self._transaction() as session:
            await session.execute(newer)

    async def all(self) -> Mapping[int, OptOut]:
        """Return the wish of everybody who has one that counts; raise DatabaseUnavailableError.

        A kind that this version does not know counts as the one that asks for most.
        """
        rows = select(OptOutRow.person_id, OptOutRow.kind, OptOutRow.opted_out_at)
        async with self._transaction() as session:
            found = (await session.execute(rows)).all()
        wishes = {row.person_id: OptOut(_wish(row.kind), row.opted_out_at) for row in found}
        return {person_id: one for person_id, one in wishes.items() if one.wish is not Wish.NOTHING}

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return timely_transaction(self._sessions, timeout=self._timeout, about="who has opted out")


def _wish(kind: str) -> Wish:
    try:
        return Wish(kind)
    except ValueError:
        return Wish.EVERYTHING
