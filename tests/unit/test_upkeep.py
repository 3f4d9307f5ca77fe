"""What is done again and again in the background ends nothing when it fails."""

import asyncio
import logging
from datetime import timedelta

import pytest

from util_async import FailureLog, periodic

AT_ONCE = timedelta(0)


async def test_what_fails_is_tried_again_and_said_once_in_a_row(caplog: pytest.LogCaptureFixture) -> None:
    outcomes = [KeyError("a"), KeyError("a"), None, KeyError("a"), ValueError("b")]
    done = asyncio.Event()

    async def look() -> None:
        if not outcomes:
            done.set()
            return
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome

    async with periodic(look, every=AT_ONCE, at_once=True):
        await done.wait()

    told = [record.getMessage() for record in caplog.records]
    assert [one.rpartition(": ")[2] for one in told] == ["KeyError('a')", "KeyError('a')", "ValueError('b')"]


async def test_the_end_of_the_context_is_the_end_of_it() -> None:
    begun = asyncio.Event()

    async def look() -> None:
        begun.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(60):
        async with periodic(look, every=AT_ONCE, at_once=True):
            await begun.wait()


def test_several_subjects_fail_each_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    failures = FailureLog(logging.getLogger("upkeep"))
    for _ in range(2):
        failures.failed("one", "one fails")
        failures.failed("other", "the other fails")
    failures.worked("one")
    failures.failed("one", "one fails")

    assert [record.getMessage() for record in caplog.records] == ["one fails", "the other fails", "one fails"]
