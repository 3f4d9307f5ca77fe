"""Tell what is new or changed in some messages, beside what long-term memory holds and what the run has brought."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, LiteralString

from db.errors import driver_errors
from db.table_copy import Connection
from memory.message import Message, MessageKey, Revision
from ops.promotion.seen_messages import INITIAL_STATE, SeenMessages, SeenState


class Verdict(Enum):
    """What a message is beside what is there."""

    NEW = "new"
    CHANGED = "changed"
    FURTHER = "further"  # another state of a message that this run has brought
    THERE = "there"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedMessage:
    """A message beside what is there."""

    number: int
    """Its place among the messages that were compared."""
    message: Message
    verdict: Verdict
    changes: bool
    """Whether the row has to be written."""
    brings_text: bool
    """Whether what is written has a text of its own; a deletion has none."""


# To be left out by TimescaleDB a chunk has to be outside of bounds that it knows when it plans.
_STORED: LiteralString = """
    SELECT wanted.number::int4 - 1, edited_at, completed_at, reactions_at, deleted_at IS NOT NULL, kind = 'answer',
        in_public_thread
    FROM unnest(%(ids)b::int8[], %(times)b::timestamptz[]) WITH ORDINALITY AS wanted (message_id, sent_at, number)
    JOIN messages USING (message_id, sent_at)
    WHERE sent_at >= %(first)b::timestamptz AND sent_at <= %(last)b::timestamptz
"""
_REVISED: LiteralString = """
    SELECT wanted.number::int4 - 1
    FROM unnest(%(ids)b::int8[], %(times)b::timestamptz[]) WITH ORDINALITY AS wanted (message_id, revised_at, number)
    JOIN message_revisions USING (message_id, revised_at)
"""


class StateComparer:
    """Compares messages with long-term memory, which may have no tables yet, and then holds nothing."""

    def __init__(self, connection: Connection, seen: SeenMessages, *, has_tables: bool) -> None:
        self._connection = connection
        self._seen = seen
        self._has_tables = has_tables

    async def compare(
        self, messages: Sequence[Message], revisions: Sequence[Revision]
    ) -> tuple[list[ComparedMessage], list[Revision]]:
        """Return what each message is, and the revisions that are not there yet; all that is new counts as brought.

        Each key may stand among the messages once. Raises DatabaseUnavailableError.
        """
        stored = await self._stored(messages)
        new_revisions = await self._new(revisions)
        grown = {revision.message_id for revision in new_revisions}
        compared = []
        states: list[tuple[MessageKey, SeenState]] = []
        for number, message in enumerate(messages):
            brought = self._seen.state_of(message)
            state = brought or stored.get(number)
            result = _compared(number, message, state, brought=brought is not None, grown=message.message_id in grown)
            compared.append(result)
            if result.verdict is not Verdict.THERE:
                states.append((message.key, (state or INITIAL_STATE).after(message)))
        self._seen.note(states)
        return compared, new_revisions

    async def _stored(self, messages: Sequence[Message]) -> dict[int, SeenState]:
        """Return the states of those messages that long-term memory holds, by their place."""
        if not messages or not self._has_tables:
            return {}
        times = [message.sent_at for message in messages]
        values = {"ids": [message.message_id for message in messages], "times": times}
        rows = await self._rows(_STORED, {**values, "first": min(times), "last": max(times)})
        return {number: SeenState(*state) for number, *state in rows}

    async def _new(self, revisions: Sequence[Revision]) -> list[Revision]:
        """Return those revisions that long-term memory does not hold."""
        if not revisions or not self._has_tables:
            return list(revisions)
        ids, times = [revision.message_id for revision in revisions], [revision.revised_at for revision in revisions]
        stored = {number for (number,) in await self._rows(_REVISED, {"ids": ids, "times": times})}
        return [revision for number, revision in enumerate(revisions) if number not in stored]

    async def _rows(self, query: LiteralString, values: dict[str, object]) -> list[Any]:
        with driver_errors():
            async with self._connection.cursor(binary=True) as cursor:
                # A plan that serves all values would have TimescaleDB look into every chunk.
                return await (await cursor.execute(query, values, prepare=False)).fetchall()


def _compared(number: int, message: Message, state: SeenState | None, *, brought: bool, grown: bool) -> ComparedMessage:
    changes = state is None or state.is_changed_by(message)
    if brought:
        verdict = Verdict.FURTHER
    elif state is None:
        verdict = Verdict.NEW
    else:
        verdict = Verdict.CHANGED if changes or grown else Verdict.THERE
    text = state is None or state.is_replaced_by(message)
    return ComparedMessage(number=number, message=message, verdict=verdict, changes=changes, brings_text=text)
