"""Leave out of a promotion what may not be kept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import LiteralString

from db.table_copy import Connection, fetch
from memory.capture.erased import digits_of, has_number
from memory.consent.rules import Rules, withdrawal
from memory.message import Kind, Message

_AUTHORS: LiteralString = "SELECT message_id, author_id FROM messages WHERE message_id = ANY (%s)"


@dataclass(slots=True)
class NotKept:
    """Knows the messages of a source that are left out, and with them the answers to them and what forwards them.

    `connection` is one to long-term memory, None where that holds nothing yet.
    """

    rules: Rules
    connection: Connection | None
    _ids: set[int] = field(default_factory=set)

    async def decided(self, messages: Sequence[Message]) -> dict[int, Message | None]:
        """Return what becomes of the messages, by their index, that are not brought in as they are: None: nothing.

        Of one that long-term memory holds, and that was edited or deleted since, it is to know that it counts as
        deleted.
        """
        refused = [index for index, message in enumerate(messages) if self.rules.refusal_of(message) is not None]
        self._ids.update(messages[index].message_id for index in refused)
        refused += await self._repeating(messages, set(refused))
        stored = await self._authors([messages[index].message_id for index in refused])
        return {
            index: withdrawal(messages[index])
            if messages[index].message_id in stored and (messages[index].edited_at or messages[index].deleted_at)
            else None
            for index in refused
        }

    def covers_line(self, text: str) -> bool:
        """Return whether a line that is no message holds the id of somebody who has opted out."""
        return bool(self.rules.opted_out) and has_number(text, digits_of(self.rules.opted_out))

    async def _repeating(self, messages: Sequence[Message], refused: set[int]) -> list[int]:
        """Return the indexes of answers to what is left out, and of forwards of it, in the order of the source."""
        originals = {message.forwarded_from for message in messages if message.forwarded_from is not None}
        authors = await self._authors(originals) if self.rules.opted_out else {}
        found = []
        for index, message in enumerate(messages):
            is_answer = message.kind is Kind.ANSWER and message.reply_to in self._ids
            original = message.forwarded_from
            is_copy = original is not None and (original in self._ids or authors.get(original) in self.rules.opted_out)
            if index not in refused and (is_answer or is_copy):
                self._ids.add(message.message_id)
                found.append(index)
        return found

    async def _authors(self, message_ids: Collection[int]) -> dict[int, int | None]:
        if self.connection is None or not message_ids:
            return {}
        return dict(await fetch(self.connection, _AUTHORS, [sorted(message_ids)]))
