"""Make messages searchable: each becomes a row with the text that is indexed word by word, and a vector.

A text may be more than the embedding model can take, and a row more than the database: what is refused together is
halved until those are known that are refused alone, and nothing else is kept out.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from errors import ModelUnavailableError, OperatorError, first_line
from memory.embedding.embedder import Embedder
from memory.index.index_text import search_text, text_to_embed
from memory.index.store import Indexed
from memory.message import Message

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Reason = TypeVar("Reason")

_PLAIN_TEXT = "A text like any other."


@dataclass(slots=True)
class Draft:
    """A message on its way into the database; without a search text it says nothing, and gets no vector either."""

    message: Message
    search_text: str = ""
    vector: NDArray[np.float32] | None = None
    """Float32 of shape (dimensions,), where one is there already."""

    @property
    def lacks_vector(self) -> bool:
        """Whether the model has to be asked."""
        return self.vector is None and bool(self.search_text)


def draft_of(message: Message, preceding: Sequence[Message]) -> Draft:
    """Return the draft of a message, given those before it (`memory.index.neighbours`)."""
    return Draft(message, search_text(message, preceding))


async def index_drafts(drafts: Sequence[Draft], embedder: Embedder) -> list[Indexed]:
    """Return drafts as the database takes them; the model makes the vectors that lack.

    A text that the model cannot take has the model's name and no vector: it is not tried again. Raises as `embed_each`.
    """
    vectors = iter(await embed_each(embedder, [text_to_embed(draft.message) for draft in drafts if draft.lacks_vector]))
    return [
        Indexed(
            draft.message,
            draft.search_text,
            next(vectors) if draft.lacks_vector else draft.vector,
            embedder.name if draft.search_text else None,
        )
        for draft in drafts
    ]


def index_without_vectors(drafts: Sequence[Draft]) -> list[Indexed]:
    """Return drafts as the database takes them while the model is not there: the vectors follow (`reembed`)."""
    return [Indexed(draft.message, draft.search_text, None, None) for draft in drafts]


async def embed_each(embedder: Embedder, texts: Sequence[str]) -> list[NDArray[np.float32] | None]:
    """Return the vector of each text, float32 of shape (dimensions,); None for one that the model cannot take.

    Raises ModelUnavailableError when it takes no text at all just now, EmbeddingModelError as `Embedder.ready` does.
    """
    vectors: list[NDArray[np.float32] | None] = [None] * len(texts)

    async def embed(places: Sequence[int]) -> Exception | None:
        try:
            made = await embedder.embed([texts[place] for place in places])
        except OperatorError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever the model raises, on this text or on all
            return error
        for place, vector in zip(places, made, strict=True):
            vectors[place] = vector if np.isfinite(vector).all() else None
        return None

    async for place, error in find_refused(range(len(texts)), embed):
        await _embed_plain_text(embedder)
        logger.warning("a text of %d characters gets no vector: %s", len(texts[place]), first_line(error))
    return vectors


async def _embed_plain_text(embedder: Embedder) -> None:
    """Find out whether the model takes a text like any other; raise ModelUnavailableError when it does not."""
    try:
        await embedder.embed([_PLAIN_TEXT])
    except OperatorError:
        raise
    except Exception as error:
        raise ModelUnavailableError(f"the embedding model takes no text ({first_line(error)})") from error


async def find_refused(
    items: Sequence[Item], attempt: Callable[[Sequence[Item]], Awaitable[Reason | None]]
) -> AsyncGenerator[tuple[Item, Reason]]:
    """Attempt items together, in halves where that is refused, and yield those refused alone, each with the reason.

    `attempt` returns why all of its items are refused, None once they are done. The order is that of the items: when
    one is yielded, all before it are dealt with. Of n items with one refused about 2 log2(n) attempts are made.
    """
    waiting = [items] if items else []
    while waiting:
        part = waiting.pop()
        reason = await attempt(part)
        if reason is None:
            continue
        middle = len(part) // 2
        if middle:
            waiting += [part[middle:], part[:middle]]
        else:
            yield part[0], reason
