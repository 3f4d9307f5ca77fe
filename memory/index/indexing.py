"""Embed texts of which some may be more than the embedding model can take."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from errors import ModelUnavailableError, OperatorError, first_line
from memory.embedding.embedder import Embedder

logger = logging.getLogger(__name__)

_PLAIN_TEXT = "A text like any other."


async def embed_each(embedder: Embedder, texts: Sequence[str]) -> list[NDArray[np.float32] | None]:
    """Return the vector of each text, float32 of shape (dimensions,); None for one that the model cannot take.

    Raises ModelUnavailableError when it takes no text at all just now, EmbeddingModelError as `Embedder.ready` does.
    """
    try:
        vectors = await embedder.embed(texts)
    except OperatorError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever the model raises, on this text or on all
        return await _embed_fewer(embedder, texts, error)
    return [vector if np.isfinite(vector).all() else None for vector in vectors]


async def _embed_fewer(embedder: Embedder, texts: Sequence[str], error: Exception) -> list[NDArray[np.float32] | None]:
    """Embed halves, until a text that the model fails of stands alone while it takes another one."""
    middle = len(texts) // 2
    if middle:
        return [*await embed_each(embedder, texts[:middle]), *await embed_each(embedder, texts[middle:])]
    try:
        await embedder.embed([_PLAIN_TEXT])
    except OperatorError:
        raise
    except Exception as failure:
        raise ModelUnavailableError(f"the embedding model takes no text ({first_line(failure)})") from failure
    logger.warning("a text of %d characters gets no vector: %s", len(texts[0]), first_line(error))
    return [None]
