"""Nobody's answer is lost or comes twice when the bot is killed while many wait for theirs."""

import pytest

from bench import many_askers
from bench.many_askers import Counts, Seen

PEOPLE = 12


@pytest.mark.own_server
async def test_everybody_who_was_waiting_at_a_kill_is_answered_once_after_the_next_start() -> None:
    counts = await many_askers.measure(people=PEOPLE, share=0.25, think=1.5, quiet=3)

    assert len(counts.seen) == PEOPLE
    assert 0 < sum(one.before for one in counts.seen) < PEOPLE
    assert counts.is_right, counts.text()


@pytest.mark.parametrize(
    ("seen", "is_right"),
    [
        pytest.param(Seen(True, False, False, True, 1), True, id="answered at once"),
        pytest.param(Seen(True, True, True, False, 1), True, id="after a turn in the queue"),
        pytest.param(Seen(True, True, False, False, 1), False, id="not told a place"),
        pytest.param(Seen(False, False, False, False, 1), False, id="not acknowledged"),
        pytest.param(Seen(True, False, False, False, 0), False, id="lost"),
        pytest.param(Seen(True, False, False, True, 2), False, id="answered twice"),
    ],
)
def test_the_counts_are_right_only_when_everybody_was_answered_once_and_saw_it_coming(
    seen: Seen, is_right: bool
) -> None:
    assert Counts([Seen(True, False, False, True, 1), seen], 10.0, 1.0).is_right == is_right
