"""What is refused together is halved until those are known that are refused alone."""

from collections.abc import Sequence

import pytest

from memory.index.indexing import find_refused


class Taker:
    """Takes numbers together, unless one of some is among them."""

    def __init__(self, *refused: int) -> None:
        self.taken: list[int] = []
        self.attempts = 0
        self._refused = set(refused)

    async def take(self, numbers: Sequence[int]) -> str | None:
        self.attempts += 1
        if self._refused.intersection(numbers):
            return f"{len(numbers)} are refused"
        self.taken += numbers
        return None


@pytest.mark.parametrize("refused", [(), (0,), (99,), (3, 4, 50), tuple(range(100))])
async def test_all_others_are_taken_once_and_in_their_order(refused: tuple[int, ...]) -> None:
    taker = Taker(*refused)

    found = [number async for number, _ in find_refused(range(100), taker.take)]

    assert found == list(refused)
    assert taker.taken == [number for number in range(100) if number not in refused]


async def test_one_of_a_thousand_is_found_in_a_few_attempts_with_its_own_reason() -> None:
    taker = Taker(617)

    found = [pair async for pair in find_refused(range(1000), taker.take)]

    assert found == [(617, "1 are refused")]
    assert taker.attempts <= 21


async def test_all_before_a_refused_one_are_dealt_with_when_it_is_known() -> None:
    taker = Taker(2)

    async for number, _ in find_refused(range(4), taker.take):
        assert (number, taker.taken) == (2, [0, 1])


async def test_of_nothing_nothing_is_attempted() -> None:
    taker = Taker()

    nothing: list[int] = []
    assert [number async for number, _ in find_refused(nothing, taker.take)] == []
    assert taker.attempts == 0
