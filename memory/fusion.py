"""Fuse what the vectors say and what the words say into one score."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WORD_WEIGHT = 1.5
"""How much more a word match counts than a likeness of meaning; the ratio that did best on public chat data."""


def fused(similarities: Sequence[float | None], lexical: Sequence[float]) -> NDArray[np.float64]:
    """Return one score for each candidate: the sum of the weighted z-scores of its two scores.

    A candidate without a vector is taken to be as unlike as the least alike.
    """
    known = [similarity for similarity in similarities if similarity is not None]
    least = min(known, default=0.0)
    dense = np.array([least if similarity is None else similarity for similarity in similarities], dtype=np.float64)
    words = np.array(lexical, dtype=np.float64)
    scores: NDArray[np.float64] = _z_scores(dense) + WORD_WEIGHT * _z_scores(words)
    return scores


def _z_scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values as distances from their mean in standard deviations; zeros when they are all alike."""
    if values.size == 0 or (spread := values.std()) == 0:
        return np.zeros_like(values)
    scores: NDArray[np.float64] = (values - values.mean()) / spread
    return scores
