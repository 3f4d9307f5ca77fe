"""What blocks an event loop is noticed, and what only waits for a processor is not taken for it."""

import asyncio
import gc
import multiprocessing
import time
from collections.abc import Callable

import pytest

from tests.slow_callbacks import LONGEST, watched


def compute() -> None:
    """Keep the processor for longer than may be."""
    end = time.thread_time() + 1.5 * LONGEST
    while time.thread_time() < end:
        pass


def block() -> None:
    """Wait for something, and let nothing else run meanwhile."""
    time.sleep(1.5 * LONGEST)


@pytest.mark.parametrize("hog", [compute, block])
async def test_what_blocks_the_loop_is_noticed(hog: Callable[[], None]) -> None:
    with watched(asyncio.get_running_loop()) as slow:
        asyncio.get_running_loop().call_soon(hog)
        await asyncio.sleep(0)

    assert len(slow) == 1
    assert hog.__name__ in slow[0]


async def test_what_runs_in_a_thread_does_not_block_the_loop() -> None:
    with watched(asyncio.get_running_loop()) as slow:
        await asyncio.to_thread(block)

    assert slow == []


def spin(seconds: float) -> None:
    """Keep a processor busy."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


async def test_a_loop_that_waits_for_a_processor_is_not_taken_for_one_that_is_blocked() -> None:
    others = [multiprocessing.get_context("fork").Process(target=spin, args=(1.5,)) for _ in range(6)]
    for other in others:
        other.start()

    with watched(asyncio.get_running_loop()) as slow:
        for _ in range(20):
            asyncio.get_running_loop().call_soon(lambda: sum(range(300_000)))
            await asyncio.sleep(0.01)

    for other in others:
        await asyncio.to_thread(other.join)
    assert slow == []


async def test_collecting_the_garbage_of_all_tests_is_not_taken_for_blocking() -> None:
    left_behind: list[list[list[object]]] = [[[]] for _ in range(1_000_000)]

    with watched(asyncio.get_running_loop()) as slow:
        for _ in range(3):
            asyncio.get_running_loop().call_soon(gc.collect)
            await asyncio.sleep(0)

    assert len(left_behind) == 1_000_000
    assert slow == []
