"""Name the people whom imported messages mention, by the names under which the same source has them speak."""

from bisect import bisect_right
from dataclasses import replace
from datetime import datetime

from memory.mentions import named
from memory.messages import Message
from promotion.chunks import Cleaned

_MOST_NAMES = 100_000  # that are kept of a source, so that none can fill the memory
_Borne = list[tuple[datetime, str]]
"""Names of somebody, each with when it was first borne, in the order of time."""


class NamesOfAuthors:
    """Who has spoken under which name so far; each chunk is taken in before its mentions are named."""

    def __init__(self) -> None:
        self._borne: dict[int, _Borne] = {}
        self._count = 0

    def named(self, cleaned: Cleaned) -> Cleaned:
        """Return what a chunk came to, with names in its mentions; those whom nobody knows keep their bare ids.

        A vector that came along stands for the words without the name: it is left out, to be made again.
        """
        self._learn(cleaned.messages)
        messages = [self._with_names(message) for message in cleaned.messages]
        changed = {place for place, one in enumerate(messages) if one is not cleaned.messages[place]}
        vectors = {place: vector for place, vector in cleaned.vectors.items() if place not in changed}
        return replace(cleaned, messages=messages, vectors=vectors) if changed else cleaned

    def _learn(self, messages: list[Message]) -> None:
        for message in sorted(messages, key=lambda one: one.sent_at):
            if message.author_id is None or not message.author_name:
                continue
            borne = self._borne.setdefault(message.author_id, [])
            at = bisect_right(borne, (message.sent_at, message.author_name))
            if self._count < _MOST_NAMES and (at == 0 or borne[at - 1][1] != message.author_name):
                borne.insert(at, (message.sent_at, message.author_name))
                self._count += 1

    def _with_names(self, message: Message) -> Message:
        if "<@" not in message.content:
            return message
        content = named(message.content, lambda sign, mentioned: self._name(mentioned, message.sent_at, sign))
        return message if content == message.content else replace(message, content=content)

    def _name(self, author_id: int, moment: datetime, sign: str) -> str | None:
        """Return what somebody was called at a moment, or else as soon after it as is known."""
        borne = self._borne.get(author_id) if sign == "@" else None
        if not borne:
            return None
        return borne[max(0, bisect_right(borne, moment, key=lambda name: name[0]) - 1)][1]
