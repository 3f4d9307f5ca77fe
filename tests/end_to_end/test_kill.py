"""What a kill -9 in the middle of many messages leaves behind."""

import pytest

from bench import kill
from bench.counts import Counts, compare

MESSAGES = 300


@pytest.mark.own_server
async def test_what_was_journalled_before_a_kill_is_stored_exactly_once_after_a_restart() -> None:
    counts = await kill.measure(MESSAGES)

    assert counts.is_right(at_least=MESSAGES // 2), counts.table()


@pytest.mark.parametrize(
    ("journalled", "stored", "counts"),
    [
        pytest.param("ab", "ab", Counts(3, 2, 2, 0, 0), id="right"),
        pytest.param("ab", "a", Counts(3, 2, 1, 0, 1), id="lost by the database"),
        pytest.param("ab", "abb", Counts(3, 2, 3, 1, 0), id="stored twice"),
        pytest.param("ab", "aa", Counts(3, 2, 2, 1, 1), id="lost and stored twice"),
        pytest.param("a", "a", Counts(3, 1, 1, 0, 0), id="too few"),
        pytest.param("ax", "ax", Counts(3, 2, 2, 0, 1), id="never sent"),
    ],
)
def test_the_counts_are_right_only_when_nothing_is_lost_or_doubled(
    journalled: str, stored: str, counts: Counts
) -> None:
    found = compare(list("abc"), list(journalled), list(stored))

    assert found == counts
    assert found.is_right(at_least=2) == (journalled == stored == "ab")
