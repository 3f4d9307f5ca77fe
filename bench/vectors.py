"""An embedder that embeds no text twice, so that variants of a bench cost no vectors of their own."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import numpy as np
from numpy.typing import NDArray

from memory.embedding.config import EmbeddingConfig
from memory.embedding.embedder import Embedder
from memory.embedding.model import Vectors


class RememberingEmbedder(Embedder):
    """An embedder that keeps every vector; the first one of a text takes as long as ever."""

    def __init__(self, choice: EmbeddingConfig) -> None:
        super().__init__(choice)
        self._known: dict[str, NDArray[np.float32]] = {}

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, float32 of shape (len(texts), dimensions)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, await super().embed(new), strict=True))
        return np.array([self._known[text] for text in texts], dtype=np.float32)


@asynccontextmanager
async def open_remembering_embedder(choice: EmbeddingConfig) -> AsyncGenerator[RememberingEmbedder]:
    """Yield an embedder whose model is being loaded; its threads end on exit."""
    embedder = RememberingEmbedder(choice)
    try:
        embedder.begin()
        yield embedder
    finally:
        embedder.close()


async def already(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a vector that is known, where one is waited for."""
    return vector
