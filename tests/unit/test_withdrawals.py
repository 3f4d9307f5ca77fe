"""Work on a question ends when nobody wants the answer any more, and only then."""

import asyncio

import pytest

from bot.withdrawals import Withdrawals


async def work(withdrawals: Withdrawals, *message_ids: int, begun: asyncio.Event) -> str:
    async with withdrawals.watch(*message_ids) as watched:
        begun.set()
        await asyncio.Event().wait()
    return "withdrawn" if watched.is_withdrawn else "done"


async def test_work_ends_quietly_when_its_question_is_deleted() -> None:
    withdrawals, begun = Withdrawals(), asyncio.Event()
    task = asyncio.create_task(work(withdrawals, 1, 2, begun=begun))
    await begun.wait()

    withdrawals.deleted([2])

    assert await task == "withdrawn"


async def test_work_on_another_question_goes_on() -> None:
    withdrawals, begun = Withdrawals(), asyncio.Event()
    task = asyncio.create_task(work(withdrawals, 1, begun=begun))
    await begun.wait()

    withdrawals.deleted([2, 3])
    await asyncio.sleep(0)

    assert not task.done()
    withdrawals.deleted([1])
    assert await task == "withdrawn"


async def test_a_deletion_that_comes_before_the_work_begins_ends_it_as_well() -> None:
    withdrawals = Withdrawals()
    withdrawals.deleted([1])

    assert await work(withdrawals, 1, begun=asyncio.Event()) == "withdrawn"


async def test_a_deletion_after_the_last_pause_of_the_work_is_not_left_for_what_comes_next() -> None:
    withdrawals = Withdrawals()
    async with withdrawals.watch(1) as watched:
        withdrawals.deleted([1])

    await asyncio.sleep(0)  # would raise
    assert watched.is_withdrawn


async def test_a_program_that_is_stopped_is_told_so() -> None:
    withdrawals, begun = Withdrawals(), asyncio.Event()
    task = asyncio.create_task(work(withdrawals, 1, begun=begun))
    await begun.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_question_that_is_withdrawn_while_the_program_stops_stops() -> None:
    withdrawals, begun = Withdrawals(), asyncio.Event()
    task = asyncio.create_task(work(withdrawals, 1, begun=begun))
    await begun.wait()

    withdrawals.deleted([1])
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
