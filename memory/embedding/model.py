"""What a loaded embedding model can do, whatever it runs on."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class TextBatch(Generic[Content]):
    """Texts that the model reads at once, and where they stood among those that were given."""

    places: list[int]
    content: Content


class RunningModel(Protocol[Content]):
    """A model in memory; `vectors` may run in several threads when `is_reentrant`."""

    dimensions: int
    runs_on: str
    is_reentrant: bool

    def batches(self, texts: Sequence[str], *, prompt: str) -> list[TextBatch[Content]]:
        """Cut texts into batches of similar length; each is read after the prompt, which counts to what is read."""

    def vectors(self, batch: TextBatch[Content]) -> Vectors:
        """Return a unit vector for each text of a batch, float32 of shape (len(batch.places), dimensions)."""


def by_length(lengths: Sequence[int]) -> list[int]:
    """Return the places of the texts, the shortest first: a batch is padded to its longest."""
    return sorted(range(len(lengths)), key=lengths.__getitem__)


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
