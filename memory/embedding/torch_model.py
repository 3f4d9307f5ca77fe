"""Run an embedding model on torch, through sentence-transformers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from errors import EmbeddingModelError, first_line
from memory.embedding.model import TextBatch, Vectors, by_length, usable_cores
from memory.embedding.source_model import cannot_be_loaded, carried_folder, is_carried

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


PromptedTexts = tuple[str, list[str]]
"""A prompt and the texts that are read after it."""


class TorchModel:
    """A model of sentence-transformers, for one thread at a time."""

    is_reentrant = False  # the number of torch's threads, for one, is the whole process's

    def __init__(self, name: str, *, batch_size: int) -> None:
        self._model = load_sentence_transformer(name)
        self._batch_size = batch_size
        dimensions = self._model.get_embedding_dimension()
        if dimensions is None:
            raise EmbeddingModelError(f"The embedding model {name!r} does not tell the width of its vectors.")
        self.dimensions = dimensions
        self.runs_on = f"torch on {self._model.device}"

    def batches(self, texts: Sequence[str], *, prompt: str) -> list[TextBatch[PromptedTexts]]:
        """Cut texts into batches of similar length; each is read after the prompt, which counts to what is read."""
        order = by_length([len(text) for text in texts])
        cut = [order[start : start + self._batch_size] for start in range(0, len(order), self._batch_size)]
        return [TextBatch(places, (prompt, [texts[place] for place in places])) for places in cut]

    def vectors(self, batch: TextBatch[PromptedTexts]) -> Vectors:
        """Return a unit vector for each text of a batch, float32 of shape (len(batch.places), dimensions)."""
        import torch

        # A short text has no work for two threads, and those that wait for more spin on the cores the server needs.
        torch.set_num_threads(1 if len(batch.places) == 1 else usable_cores())
        prompt, texts = batch.content
        return encode(self._model, texts, prompt=prompt, batch_size=self._batch_size)


def load_sentence_transformer(name: str) -> "SentenceTransformer":
    """Load a model: the carried one from its package, any other by name or folder.

    Raises EmbeddingModelError when there is none of that name, or it cannot be reached.
    """
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(str(carried_folder()) if is_carried(name) else name, device=None)
    except Exception as error:  # the libraries below raise whatever they like
        raise cannot_be_loaded(name, first_line(error)) from error


def encode(model: "SentenceTransformer", texts: Sequence[str], *, prompt: str, batch_size: int) -> Vectors:
    """Return unit vectors of texts after a prompt, float32 of shape (len(texts), dimensions)."""
    vectors = model.encode(
        list(texts), prompt=prompt, batch_size=batch_size, normalize_embeddings=True, show_progress_bar=False
    )
    return np.asarray(vectors, dtype=np.float32)
