"""Turn texts into vectors with one embedding model, off the event loop."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from errors import EmbeddingModelError, first_line
from memory.embedding.config import EmbeddingConfig, Prompts
from memory.embedding.exported_model import NotExportedError, find_export, open_export
from memory.embedding.model import RunningModel, Vectors
from memory.embedding.onnx_model import OnnxModel
from memory.embedding.prompts import find_prompts, identity
from memory.embedding.source_model import carried_dimensions, is_carried
from memory.embedding.torch_model import TorchModel
from util_async import Progress, shared

logger = logging.getLogger(__name__)

T = TypeVar("T")

Vector = NDArray[np.float32]

_QUESTIONS_KEPT = 16
_PASSAGES_KEPT = 512  # a megabyte of vectors


class Embedder:
    """A model in worker threads of its own: texts wait their turn there, the event loop does not.

    Many texts go through one thread, batch by batch, those of several callers in turn; a text alone, which is what
    somebody asks, goes through another one and does not wait for them. A caller never has more than a batch in line.
    """

    def __init__(self, choice: EmbeddingConfig, *, width: int | None = None) -> None:
        self._choice = choice
        self._prompts: Prompts | None = None
        self._questions: dict[str, Vector] = {}
        self._passages: dict[bytes, Vector] = {}
        self._width = width
        self._many = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder")
        self._alone = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedder-question")
        self._reports: list[Progress] = []
        self._stopped = threading.Event()
        self._model: Future[RunningModel[Any]] | None = None

    @property
    def name(self) -> str:
        """What a memory notes of the model of its vectors (`memory.embedding.prompts.identity`).

        Before a model that has to be downloaded is loaded, it says what is known of its name alone.
        """
        return identity(self._choice.name, self._known_prompts())

    def _known_prompts(self) -> Prompts:
        if self._prompts is None:
            self._prompts = find_prompts(self._choice)
        return self._prompts

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory, so that a text is embedded at once; loading takes a moment, or minutes."""
        done = self._model is not None and self._model.done() and not self._model.cancelled()
        return done and self.begin().exception() is None

    @property
    def runs_on(self) -> str:
        """What runs the model, such as `ONNX Runtime, fp32`; nothing while it is not loaded."""
        return self.begin().result().runs_on if self.loaded else ""

    def begin(self) -> "Future[RunningModel[Any]]":
        """Begin to load the model, unless somebody has; return what it comes to."""
        if self._model is None:
            self._model = self._many.submit(self._load)
        return self._model

    def _load(self) -> RunningModel[Any]:
        try:
            model = _load_model(self._choice, report=self._report, stopped=self._stopped)
        except Exception as error:
            logger.info("the embedding model %s cannot be used: %s", self.name, error)  # nobody may be waiting for it
            raise
        self._prompts = find_prompts(self._choice)  # which are known of any model by now
        logger.info("embedding model %s loaded (%s)", self._choice.name, model.runs_on)
        return model

    def _report(self, done: int, total: int) -> None:
        for report in self._reports:
            report(done, total)

    async def ready(self, report: Progress | None = None) -> None:
        """Wait until the model is loaded; raise EmbeddingModelError when it cannot be.

        `report` hears, in another thread, how far an export is, which happens at the first start only.
        """
        if report is not None:
            self._reports.append(report)
        await shared(self.begin())

    async def ready_within(self, limit: timedelta) -> bool:
        """Wait for the model, and not longer than this; return whether it is loaded; raise as `ready` does."""
        if self.loaded:  # however busy the event loop is
            return True
        try:
            async with asyncio.timeout(limit.total_seconds()):
                await self.ready()
        except TimeoutError:
            return False
        return True

    async def dimensions(self) -> int:
        """Return the width of the vectors; without loading the model where that is known."""
        if self._width is None:
            self._width = await asyncio.to_thread(self._known_dimensions)
        if self._width is None:
            await self.ready()
            self._width = self.begin().result().dimensions
        return self._width

    def _known_dimensions(self) -> int | None:
        """Return what a carried model's configuration tells, or an export's description."""
        if is_carried(self._choice.name):
            return carried_dimensions()
        try:
            export = find_export(self._choice)
        except NotExportedError:
            return None
        return export.description.dimensions if export is not None else None

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of passages, which is what is searched, float32 of shape (len(texts), dimensions)."""
        await self.ready()
        return await self.embed_after(self._known_prompts().passage, texts)

    async def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of what is searched for, float32 of shape (len(texts), dimensions).

        Those of the last few are kept, for one question is searched for, compared, and searched for again.
        """
        await self.ready()
        known = {text: self._questions[text] for text in texts if text in self._questions}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            made = await self.embed_after(self._known_prompts().query, new)
            known.update(zip(new, made, strict=True))
        self._questions = dict([*self._questions.items(), *known.items()][-_QUESTIONS_KEPT:])
        vectors = np.array([known[text] for text in texts], dtype=np.float32)
        return vectors.reshape(len(texts), self.begin().result().dimensions)

    async def embed_again(self, texts: Sequence[str]) -> Vectors:
        """Return the same as `embed`, of texts that come again: the vectors of the last few hundred are kept.

        They are kept under hashes, so that no text outlives its message here.
        """
        await self.ready()
        keys = [blake2b(text.encode(), digest_size=16).digest() for text in texts]
        known = {key: self._passages.pop(key) for key in dict.fromkeys(keys) if key in self._passages}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            known.update(zip(new, await self.embed(list(new.values())), strict=True))
        self._passages = dict([*self._passages.items(), *known.items()][-_PASSAGES_KEPT:])
        vectors = np.array([known[key] for key in keys], dtype=np.float32)
        return vectors.reshape(len(texts), self.begin().result().dimensions)

    async def embed_after(self, prompt: str, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of texts that stand after a prompt, float32 of shape (len(texts), dimensions)."""
        await self.ready()
        model = self.begin().result()
        worker = self._alone if len(texts) == 1 and model.is_reentrant else self._many
        vectors = np.empty((len(texts), model.dimensions), dtype=np.float32)
        for batch in await _in(worker, partial(model.batches, texts, prompt=prompt)):
            vectors[batch.places] = await _in(worker, model.vectors, batch)
        return vectors

    def close(self) -> None:
        """End the threads when they are done with what they do; stop an export."""
        self._stopped.set()
        for worker in (self._many, self._alone):
            worker.shutdown(wait=False, cancel_futures=True)


async def _in(worker: ThreadPoolExecutor, call: Callable[..., T], *arguments: object) -> T:
    return await asyncio.wrap_future(worker.submit(call, *arguments))


@asynccontextmanager
async def open_embedder(
    choice: EmbeddingConfig, *, at_once: bool = True, width: int | None = None
) -> AsyncGenerator[Embedder]:
    """Yield an embedder; its threads end on exit.

    Its model is being loaded, or else, not `at_once`, when the first text comes. `width` is that of its vectors, where
    somebody knows it without the model.
    """
    embedder = Embedder(choice, width=width)
    try:
        if at_once:
            embedder.begin()
        yield embedder
    finally:
        embedder.close()


def _load_model(choice: EmbeddingConfig, *, report: Progress, stopped: threading.Event) -> RunningModel[Any]:
    """Return the export of a model on ONNX Runtime, or else the original on torch, ready to run.

    It blocks for a moment, or for as long as an export takes. Raises EmbeddingModelError when there is no such model,
    or none that the chosen backend can run.
    """
    if choice.backend == "torch":
        return TorchModel(choice.name, batch_size=choice.batch_size)
    try:
        return _load_export(choice, report=report, stopped=stopped)
    except NotExportedError as error:
        if choice.backend == "onnx" and choice.may_export:
            raise EmbeddingModelError(
                f"The embedding model {choice.name!r} cannot run on ONNX Runtime ({error}): "
                "set EMBEDDING_BACKEND to auto, or choose another EMBEDDING_MODEL."
            ) from error
        level = logging.WARNING if choice.may_export else logging.INFO
        logger.log(level, "the embedding model %s runs on torch, which takes longer: %s", choice.name, error)
        return TorchModel(choice.name, batch_size=choice.batch_size)


def _load_export(choice: EmbeddingConfig, *, report: Progress, stopped: threading.Event) -> OnnxModel:
    export = open_export(choice, report=report, stopped=stopped)
    try:
        return OnnxModel(export, batch_size=choice.batch_size)
    except Exception as error:  # ONNX Runtime has no error of its own that all others are
        raise NotExportedError(f"ONNX Runtime cannot load its export: {first_line(error)[:200]}") from error
