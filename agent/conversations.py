"""Keep the turns of each conversation in long-term memory, so that a restart does not end it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, transaction
from db.tables import TurnRow
from errors import DatabaseUnavailableError, RefusedRowError
from memory.messages import storable

ANSWER_LIMIT = timedelta(seconds=15)
"""How long to read or write a conversation may take by default: an answer without its history is better than none."""

KEPT_TURNS = 50
"""Turns of a conversation that are kept: with a line of question and one of answer each, they fill the default
LLM_HISTORY_TOKENS. What no later question can build on is not kept."""


class ConversationKey(NamedTuple):
    """What one conversation is kept under: what was answered in private must not come up in public."""

    channel_id: int
    asker_id: int
    private: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A question with its final answer, without citation marks.

    `cites` are the ids of the messages that the answer cites, and `audience` those of the places that it may tell of:
    whoever reads it should be allowed to read all of them. Both are empty where nothing was cited or shown, and for
    turns of versions that did not keep them.
    """

    asked_at: datetime
    question: str
    answer: str
    cites: tuple[int, ...] = ()
    audience: frozenset[int] = frozenset()


class Conversations:
    """Read and append to conversations, each of which keeps its newest KEPT_TURNS turns."""

    def __init__(self, sessions: Sessions, *, timeout: timedelta = ANSWER_LIMIT) -> None:
        self._sessions = sessions
        self._timeout = timeout

    async def recall(self, key: ConversationKey) -> list[Turn]:
        """Return the turns of a conversation, oldest first; raise DatabaseUnavailableError when they cannot be read."""
        newest_first = select(TurnRow).where(_belongs_to(key)).order_by(TurnRow.number.desc()).limit(KEPT_TURNS)
        async with self._transaction() as session:
            rows = (await session.scalars(newest_first)).all()
        return [_turn(row) for row in reversed(rows)]

    async def append(self, key: ConversationKey, turn: Turn) -> None:
        """Add a turn to the end of a conversation, and delete those that are too old to be kept.

        Raises DatabaseUnavailableError when that cannot be done now.
        """
        async with self._transaction() as session:
            await session.execute(select(_lock(key)))  # two that append at once take turns
            newest = await session.scalar(select(func.max(TurnRow.number)).where(_belongs_to(key)))
            number = (newest or 0) + 1
            await session.execute(insert(TurnRow).values({**key._asdict(), "number": number, **_values(turn)}))
            await session.execute(delete(TurnRow).where(_belongs_to(key), TurnRow.number <= number - KEPT_TURNS))

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[AsyncSession]:
        try:
            async with asyncio.timeout(self._timeout.total_seconds()), transaction(self._sessions) as session:
                yield session
        except (RefusedRowError, TimeoutError) as error:
            raise DatabaseUnavailableError("PostgreSQL did not answer about a conversation") from error


def _belongs_to(key: ConversationKey) -> ColumnElement[bool]:
    return and_(
        TurnRow.asker_id == key.asker_id, TurnRow.channel_id == key.channel_id, TurnRow.private.is_(key.private)
    )


def _lock(key: ConversationKey) -> ColumnElement[None]:
    """Return the call that holds a lock of this conversation until the transaction ends."""
    name = f"backscroll.conversation {key.channel_id}:{key.asker_id}:{key.private}"
    return func.pg_advisory_xact_lock(func.hashtextextended(literal(name), literal(0)))


def _values(turn: Turn) -> dict[str, object]:
    return {
        "asked_at": turn.asked_at,
        "question": storable(turn.question),
        "answer": storable(turn.answer),
        "cites": list(turn.cites),
        "audience": sorted(turn.audience),
    }


def _turn(row: TurnRow) -> Turn:
    return Turn(
        asked_at=row.asked_at,
        question=row.question,
        answer=row.answer,
        cites=tuple(row.cites),
        audience=frozenset(row.audience),
    )
