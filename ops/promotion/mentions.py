"""Name the people whom imported messages mention, by the names under which they speak there or are known here."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import LiteralString

from db.errors import driver_errors
from db.table_copy import Connection
from memory.mentions import named, people_without_names
from memory.message import Message
from memory.message_text import Words, rewritten
from ops.promotion.records import Vector

_MOST_NAMES = 100_000  # that are kept of a source, so that none can fill the memory
_NameHistory = list[tuple[datetime, str]]
"""Names of somebody, each with when it was first used, in the order of time."""

_Known = Mapping[tuple[int, int], str]
"""The newest names of people by the channel or thread that they have spoken in, and their ids."""

_KNOWN: LiteralString = """
    SELECT DISTINCT ON (place_id, author_id) place_id, author_id, author_name FROM names
    WHERE place_id = ANY(%(places)s::bigint[]) AND author_id = ANY(%(people)s::bigint[]) AND author_name <> ''
    ORDER BY place_id, author_id, last_seen DESC
"""
_LARGEST = 2**63 - 1  # of PostgreSQL's ids


class AuthorNames:
    """Who has spoken under which name so far, in the source or, before that, where long-term memory knows them.

    Without a connection only the source counts.
    """

    def __init__(self, connection: Connection | None = None) -> None:
        self._connection = connection
        self._histories: dict[int, _NameHistory] = {}
        self._count = 0

    async def named(
        self, messages: Sequence[Message], vectors: Mapping[int, Vector]
    ) -> tuple[list[Message], dict[int, Vector]]:
        """Return messages with names in their mentions, and those of the vectors, by place, that still stand for them.

        The messages themselves are taken in first. Somebody whom nobody knows keeps their bare id: so do people whose
        words are forgotten, as their messages are not among these. Raises DatabaseUnavailableError.
        """
        self._learn(messages)
        known = await self._known(messages)
        changed = [self._with_names(message, known) for message in messages]
        kept = {place: vector for place, vector in vectors.items() if changed[place] is messages[place]}
        return changed, kept

    def _learn(self, messages: Sequence[Message]) -> None:
        for message in sorted(messages, key=attrgetter("sent_at")):
            if message.author_id is None or not message.author_name:
                continue
            history = self._histories.setdefault(message.author_id, [])
            at = bisect_right(history, (message.sent_at, message.author_name))
            if self._count < _MOST_NAMES and (at == 0 or history[at - 1][1] != message.author_name):
                history.insert(at, (message.sent_at, message.author_name))
                self._count += 1

    async def _known(self, messages: Sequence[Message]) -> _Known:
        """Return what long-term memory knows of those who do not speak in the source, in the places of the mentions."""
        mentioning = {
            message.place_id: people_without_names(message.content) for message in messages if "<@" in message.content
        }
        people = {
            person
            for ids in mentioning.values()
            for person in ids
            if person <= _LARGEST and not self._histories.get(person)
        }
        if self._connection is None or not people:
            return {}
        values = {"places": list(mentioning), "people": list(people)}
        with driver_errors():
            async with self._connection.cursor() as cursor:
                rows = await (await cursor.execute(_KNOWN, values, prepare=False)).fetchall()
        return {(place, person): name for place, person, name in rows}

    def _with_names(self, message: Message, known: _Known) -> Message:
        if "<@" not in message.content:
            return message

        def name_of(sign: str, mentioned: int) -> str | None:
            if sign != "@":
                return None
            return self._name(mentioned, message.sent_at) or known.get((message.place_id, mentioned))

        words = rewritten(Words(message.content, message.parts), lambda text: named(text, name_of))
        if words.text == message.content:
            return message
        return replace(message, content=words.text, parts=words.parts)

    def _name(self, author_id: int, moment: datetime) -> str | None:
        """Return what somebody was called at a moment, or else as soon after it as is known."""
        history = self._histories.get(author_id)
        if not history:
            return None
        return history[max(0, bisect_right(history, moment, key=lambda name: name[0]) - 1)][1]
