"""Vectors and words vote together."""

import numpy as np
import pytest

from memory.fusion import WORD_WEIGHT, fused


def test_what_both_rankings_like_best_comes_first() -> None:
    scores = fused([0.9, 0.5, 0.1], [3.0, 1.0, 0.0])

    assert list(np.argsort(-scores)) == [0, 1, 2]


def test_a_word_match_counts_more_than_the_same_lead_in_meaning() -> None:
    by_meaning, by_words = fused([1.0, 0.0], [0.0, 1.0])

    assert by_words > by_meaning
    assert by_words == pytest.approx(WORD_WEIGHT - 1)


def test_the_scale_of_either_score_does_not_matter() -> None:
    small = fused([0.11, 0.12, 0.13], [2.0, 0.0, 1.0])
    large = fused([0.1, 0.2, 0.3], [200.0, 0.0, 100.0])

    assert small == pytest.approx(large)


def test_a_candidate_without_a_vector_counts_as_the_least_alike() -> None:
    without, least, best = fused([None, 0.2, 0.8], [0.0, 0.0, 0.0])

    assert without == least < best


@pytest.mark.parametrize(
    ("similarities", "lexical"),
    [
        pytest.param([0.4, 0.4], [1.0, 1.0], id="all alike"),
        pytest.param([None, None], [0.0, 0.0], id="no vector at all"),
        pytest.param([0.7], [2.0], id="only one"),
    ],
)
def test_nothing_to_tell_candidates_apart_gives_zeros(similarities: list[float | None], lexical: list[float]) -> None:
    assert list(fused(similarities, lexical)) == [0.0] * len(lexical)


def test_no_candidates_give_no_scores() -> None:
    assert fused([], []).size == 0
