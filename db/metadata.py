"""Read and write the facts that a database holds of itself, and say which of them mean nothing elsewhere."""

import json
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from db.schema import FactRow

FACTS = FactRow.__tablename__

MOVE_FACT = "moved_from"
"""Names the fact that says how far a database was filled from another one: a MoveProgress in JSON."""

WORD_INDEX_FACT = "word_index_whole_since"
"""Names the fact that says at which start of the server the word index was checked last."""

OWN_FACTS = (MOVE_FACT, WORD_INDEX_FACT)
"""The facts that a database holds of its own server: they mean nothing elsewhere, or later."""


async def get_metadata(connection: AsyncConnection | AsyncSession, name: str) -> str | None:
    """Return a fact about this database; None when it does not hold it."""
    return await connection.scalar(select(FactRow.value).where(FactRow.name == name))


async def set_metadata(connection: AsyncConnection | AsyncSession, name: str, value: str) -> None:
    """Write a fact about this database, in place of what it said before."""
    statement = insert(FactRow).values(name=name, value=value)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=[FactRow.name], set_={"value": statement.excluded.value})
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveProgress:
    """How far a move has filled a database: from where, and up to which message."""

    source: str
    time: str = "-infinity"
    message_id: int = -(2**63)
    messages: int = 0
    copied: bool = False
    """Whether everything is there: the search indexes alone may be missing."""


def is_half_filled(move_fact: str | None) -> bool:
    """Return whether a move into this database, whose MOVE_FACT this is, was stopped before its end."""
    return move_fact is not None and not MoveProgress(**json.loads(move_fact)).copied
