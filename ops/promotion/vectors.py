"""Draft messages for the index with the vectors and search texts that are there already."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import LiteralString

import numpy as np
from numpy.typing import NDArray

from db.databases import Database
from db.errors import driver_errors
from db.schema import EMBEDDING_WIDTH
from db.table_copy import Connection, fetch, open_connection, tables_of
from memory.index.index_text import said
from memory.index.indexing import Draft, draft_of
from memory.index.neighbours import RecentMessages
from memory.index.reembed import MODEL_FACT
from memory.message import Message, MessageKey
from ops.promotion.compare import ComparedMessage
from ops.promotion.records import Vector

_STORED: LiteralString = """
    SELECT wanted.number::int4 - 1, edited_at, content, search_text, vector_send(embedding)
    FROM unnest(%(ids)b::int8[], %(times)b::timestamptz[]) WITH ORDINALITY AS wanted (message_id, sent_at, number)
    JOIN messages USING (message_id, sent_at)
    WHERE sent_at >= %(first)b::timestamptz AND sent_at <= %(last)b::timestamptz
    AND embedding_model = %(model)s AND vector_dims(embedding) = %(width)s
"""
_FACT = "SELECT value FROM facts WHERE name = %s"
_HEAD = 4  # bytes before the numbers of a vector


class Drafting:
    """Looks for vectors and texts beside the messages, then in short-term memory, before any is made."""

    def __init__(self, *, model: str, width: int, short_term: Connection | None, recent: RecentMessages) -> None:
        self._model = model
        self._width = width
        self._short_term = short_term
        self._recent = recent

    async def drafts(
        self, messages: Sequence[Message], vectors: Mapping[int, Vector], coming: Sequence[ComparedMessage]
    ) -> list[Draft]:
        """Return drafts of those of some messages that are coming; `vectors` came along, by the place of the message.

        The others may have been said before them. Raises DatabaseUnavailableError.
        """
        speaking = {one.number: one.message for one in coming if one.brings_text and said(one.message)}
        stored = await self._stored(list(speaking.values()))
        without_context = [message for message in speaking.values() if message.key not in stored]
        before = await self._recent.preceding(messages, without_context)
        drafts = []
        for compared in coming:
            message = compared.message
            if compared.number not in speaking:
                drafts.append(Draft(message))
            elif message.key in stored:
                drafts.append(Draft(message, *stored[message.key]))
            else:
                draft = draft_of(message, before[message.message_id])
                drafts.append(replace(draft, vector=self._usable(vectors.get(compared.number))))
        return drafts

    async def _stored(self, messages: Sequence[Message]) -> dict[MessageKey, tuple[str, NDArray[np.float32]]]:
        """Return the search texts and vectors that short-term memory holds of messages in the same state."""
        if not messages or self._short_term is None:
            return {}
        times = [message.sent_at for message in messages]
        values = {
            "ids": [message.message_id for message in messages],
            "times": times,
            "first": min(times),
            "last": max(times),
            "model": self._model,
            "width": self._width,
        }
        with driver_errors():
            async with self._short_term.cursor(binary=True) as cursor:
                rows = await (await cursor.execute(_STORED, values, prepare=False)).fetchall()
        return {
            # The numbers stay as the bulk path sends them, so they are never copied.
            messages[place].key: (text, np.frombuffer(vector, ">f4", offset=_HEAD))
            for place, edited_at, content, text, vector in rows
            if (edited_at, content) == (messages[place].edited_at, messages[place].content)
        }

    def _usable(self, given: Vector | None) -> NDArray[np.float32] | None:
        if given is None:
            return None
        vector, model = given
        fits = model == self._model and vector.shape == (self._width,) and bool(np.isfinite(vector).all())
        return vector if fits else None


async def known_width(database: Database, model: str, *, timeout: timedelta) -> int | None:
    """Return the width of a model's vectors, as a memory that was made with it tells; None when it was not.

    The model is what `memory.embedding.prompts.identity` makes of it.
    """
    async with open_connection(database.dsn, timeout=timeout, read_only=True) as connection:
        if not {"facts", "messages"} <= (await tables_of(connection)).keys():
            return None
        if await fetch(connection, _FACT, [MODEL_FACT]) != [(model,)]:
            return None
        ((width,),) = await fetch(connection, EMBEDDING_WIDTH)
        return int(width)
