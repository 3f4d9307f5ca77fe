"""An embedder that embeds no text twice, so that variants of a bench cost no vectors of their own."""

from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np
from numpy.typing import NDArray

from memory.embedder import Embedder, Vectors


class RememberingEmbedder(Embedder):
    """An embedder that keeps every vector; the first one of a text takes as long as ever."""

    def __init__(self, name: str, *, batch_size: int, worker: ThreadPoolExecutor) -> None:
        super().__init__(name, batch_size=batch_size, worker=worker)
        self._known: dict[str, NDArray[np.float32]] = {}

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, float32 of shape (len(texts), dimensions)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, await super().embed(new), strict=True))
        return np.array([self._known[text] for text in texts], dtype=np.float32)


@asynccontextmanager
async def open_remembering_embedder(name: str, *, batch_size: int) -> AsyncGenerator[RememberingEmbedder]:
    """Yield an embedder whose model is being loaded; its thread ends on exit."""
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")
    try:
        yield RememberingEmbedder(name, batch_size=batch_size, worker=worker)
    finally:
        worker.shutdown(wait=False, cancel_futures=True)


async def already(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a vector that is known, where one is waited for."""
    return vector
