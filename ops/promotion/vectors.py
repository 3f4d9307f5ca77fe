"""Give messages what makes them findable: vectors and texts that are there already, and new ones for the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import LiteralString

import numpy as np
from numpy.typing import NDArray

from db.databases import Database
from db.errors import driver_errors
from db.schema import EMBEDDING_WIDTH
from db.table_copy import Connection, fetch, open_connection, tables_of
from memory.capture.session import MODEL_FACT
from memory.embedding.config import short_name
from memory.embedding.embedder import Embedder
from memory.index.index_text import said, search_text, text_to_embed
from memory.index.neighbours import RecentMessages
from memory.index.store import Indexed
from memory.message import Message
from ops.promotion.compare import Compared
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


@dataclass(slots=True, kw_only=True)
class Draft:
    """A message on its way into the database; without a vector either it has no text, or it has to be embedded."""

    message: Message
    search_text: str
    vector: NDArray[np.float32] | None

    @property
    def lacks_vector(self) -> bool:
        """Whether the model has to be asked."""
        return self.vector is None and bool(self.search_text)


class Drafting:
    """Looks for vectors and texts beside the messages, then in short-term memory, before any is made."""

    def __init__(self, *, model: str, width: int, short_term: Connection | None, recent: RecentMessages) -> None:
        self._model = model
        self._width = width
        self._short_term = short_term
        self._recent = recent

    async def drafts(
        self, messages: Sequence[Message], vectors: Mapping[int, Vector], coming: Sequence[Compared]
    ) -> list[Draft]:
        """Return drafts of those of some messages that are coming; `vectors` came along, by the place of the message.

        The others may have been said before them. Raises DatabaseUnavailableError.
        """
        drafts = [Draft(message=one.message, search_text="", vector=None) for one in coming]
        speaking = [
            (draft, one.number)
            for draft, one in zip(drafts, coming, strict=True)
            if one.brings_text and said(draft.message)
        ]
        stored = await self._stored([draft.message for draft, _ in speaking])
        without_context = []
        for place, (draft, number) in enumerate(speaking):
            if place in stored:
                draft.search_text, draft.vector = stored[place]
            else:
                draft.vector = self._usable(vectors.get(number))
                without_context.append(draft)
        before = await self._recent.preceding(messages, [draft.message for draft in without_context])
        for draft in without_context:
            draft.search_text = search_text(draft.message, before[draft.message.message_id])
        return drafts

    async def _stored(self, messages: Sequence[Message]) -> dict[int, tuple[str, NDArray[np.float32]]]:
        """Return the texts and vectors that short-term memory holds of messages in the same state, by their place."""
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
            place: (
                text,
                np.frombuffer(vector, ">f4", offset=_HEAD),
            )  # as the bulk path sends it, so it is never copied
            for place, edited_at, content, text, vector in rows
            if (edited_at, content) == (messages[place].edited_at, messages[place].content)
        }

    def _usable(self, given: Vector | None) -> NDArray[np.float32] | None:
        if given is None:
            return None
        vector, model = given
        fits = model == self._model and vector.shape == (self._width,) and bool(np.isfinite(vector).all())
        return vector if fits else None


async def embedded(drafts: Sequence[Draft], embedder: Embedder) -> list[Indexed]:
    """Return messages as the database takes them; the model makes what vectors lack."""
    texts = [text_to_embed(draft.message) for draft in drafts if draft.lacks_vector]
    made = iter(await embedder.embed(texts) if texts else ())
    rows = []
    for draft in drafts:
        vector = next(made) if draft.lacks_vector else draft.vector
        rows.append(Indexed(draft.message, draft.search_text, vector, None if vector is None else embedder.name))
    return rows


async def known_width(database: Database, model: str, *, timeout: timedelta) -> int | None:
    """Return the width of a model's vectors, as a memory that was made with it tells; None when it was not."""
    async with open_connection(database.dsn, timeout=timeout, read_only=True) as connection:
        if not {"facts", "messages"} <= (await tables_of(connection)).keys():
            return None
        if await fetch(connection, _FACT, [MODEL_FACT]) != [(short_name(model),)]:
            return None
        ((width,),) = await fetch(connection, EMBEDDING_WIDTH)
        return int(width)
