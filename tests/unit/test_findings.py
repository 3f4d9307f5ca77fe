"""Hits and their neighbours become excerpts that read in time order."""

import pytest

from memory.search.results import Excerpt, RankedMessage, by_place, stitch
from tests.builders import message, minute


def hit(number: int, score: float = 1.0) -> RankedMessage:
    return RankedMessage(message(number), hit=True, score=score)


def neighbour(number: int) -> RankedMessage:
    return RankedMessage(message(number))


def numbers(excerpt: Excerpt) -> list[int]:
    return [line.message.message_id for line in excerpt.lines]


def test_stretches_that_share_a_message_become_one_excerpt_in_time_order() -> None:
    (excerpt,) = stitch([[hit(4), neighbour(3), neighbour(5)], [hit(2), neighbour(1), neighbour(3)]])

    assert numbers(excerpt) == [1, 2, 3, 4, 5]


def test_a_stretch_between_two_others_joins_all_three() -> None:
    (excerpt,) = stitch([[hit(1), neighbour(2)], [hit(5), neighbour(4)], [hit(3), neighbour(2), neighbour(4)]])

    assert numbers(excerpt) == [1, 2, 3, 4, 5]


def test_stretches_that_share_nothing_stay_apart_and_the_best_comes_first() -> None:
    excerpts = stitch([[hit(1, score=0.2), neighbour(2)], [hit(8, score=0.9), neighbour(9)]])

    assert [numbers(excerpt) for excerpt in excerpts] == [[8, 9], [1, 2]]


@pytest.mark.parametrize("turned", [pytest.param(False, id="hit first"), pytest.param(True, id="neighbour first")])
def test_a_hit_that_is_also_a_neighbour_stays_a_hit_with_its_score(turned: bool) -> None:
    stretches = [[hit(1, score=0.5), neighbour(2)], [hit(2, score=0.7), neighbour(1)]]

    (excerpt,) = stitch(reversed(stretches) if turned else stretches)

    assert [(line.hit, line.score) for line in excerpt.lines] == [(True, 0.5), (True, 0.7)]


def test_messages_of_one_moment_stand_in_the_order_of_their_ids() -> None:
    one, other = RankedMessage(message(2, sent_at=minute(0)), hit=True), RankedMessage(message(1, sent_at=minute(0)))

    assert numbers(stitch([[one, other]])[0]) == [1, 2]


def test_the_score_of_an_excerpt_is_that_of_its_best_hit() -> None:
    excerpt = Excerpt((hit(1, 0.3), hit(2, 0.6), RankedMessage(message(3), score=9.0)))

    assert excerpt.score == 0.6


def test_nothing_stitched_is_nothing() -> None:
    assert stitch([]) == []


def test_each_run_in_a_place_is_an_excerpt() -> None:
    lines = [
        RankedMessage(message(3, channel_id=1), hit=True),
        RankedMessage(message(1, channel_id=1), hit=True),
        RankedMessage(message(2, channel_id=1, thread_id=9), hit=True),
        RankedMessage(message(4, channel_id=1), hit=True),
    ]

    assert [numbers(excerpt) for excerpt in by_place(lines)] == [[1], [2], [3, 4]]
