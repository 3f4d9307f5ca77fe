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
        self._vectors: dict[tuple[str, str], NDArray[np.float32]] = {}

    async def embed_after(self, prompt: str, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of texts that stand after a prompt, float32 of shape (len(texts), dimensions)."""
        keys = [(prompt, text) for text in texts]
        new = [key for key in dict.fromkeys(keys) if key not in self._vectors]
        if new:
            made = await super().embed_after(prompt, [text for _, text in new])
            self._vectors.update(zip(new, made, strict=True))
        return np.array([self._vectors[key] for key in keys], dtype=np.float32)


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
