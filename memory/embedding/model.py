"""What a loaded embedding model can do, whatever it runs on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Backend = Literal["auto", "onnx", "torch"]
"""What runs the model: `auto` is ONNX Runtime, or torch for a model that cannot be exported."""

Precision = Literal["fp32", "int8"]
"""The numbers that ONNX Runtime multiplies; torch always runs in fp32."""

Report = Callable[[int, int], None]
"""Takes what is done and the total."""


def short_name(name: str) -> str:
    """Return the name under which a model is known in a memory."""
    return name.removeprefix("sentence-transformers/")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """A model by its name or folder, how to run it, and where exported models are kept.

    Without `may_export` nothing is written: a model that was not exported before runs on torch.
    """

    name: str
    models_dir: Path
    backend: Backend = "auto"
    precision: Precision = "fp32"
    batch_size: int = 16
    may_export: bool = True


Vectors = NDArray[np.float32]

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class Batch(Generic[Content]):
    """Texts that the model reads at once, and where they stood among those that were given."""

    places: list[int]
    content: Content


class RunningModel(Protocol[Content]):
    """A model in memory; `vectors` may run in several threads when `is_reentrant`."""

    dimensions: int
    runs_on: str
    is_reentrant: bool

    def batches(self, texts: Sequence[str]) -> list[Batch[Content]]:
        """Cut texts into batches of similar length."""

    def vectors(self, batch: Batch[Content]) -> Vectors:
        """Return a unit vector for each text of a batch, float32 of shape (len(batch.places), dimensions)."""


def by_length(lengths: Sequence[int]) -> list[int]:
    """Return the places of the texts, the shortest first: a batch is padded to its longest."""
    return sorted(range(len(lengths)), key=lengths.__getitem__)
