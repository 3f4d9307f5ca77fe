"""Keeping names at hand never ends or stops what it is there for."""

import asyncio
import time
from collections.abc import Collection
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import async_sessionmaker

from errors import DatabaseUnavailableError
from memory.message import Message
from memory.names.known import Index, Named, named_in
from memory.search import names as remembered
from memory.search.names import RememberedNames
from memory.search_session import SearchableDatabase
from tests.builders import message
from util_async import background_task

SHELF = SearchableDatabase("short-term", async_sessionmaker(), bm25=True, hypertable=False)


class Enough(BaseException):
    """Ends the test."""


@pytest.mark.parametrize("error", [DatabaseUnavailableError("away"), ValueError("nobody foresaw this")])
async def test_whatever_the_reading_of_names_fails_of_it_is_tried_again_and_said_once(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    names, tries = RememberedNames(), 0

    async def read(_: Collection[SearchableDatabase]) -> None:
        nonlocal tries
        tries += 1
        raise error if tries < 4 else Enough

    monkeypatch.setattr(remembered, "_PAUSE", timedelta(0))
    monkeypatch.setattr(names, "_read", read)

    with pytest.raises(Enough):
        await names.load([SHELF])

    assert len(caplog.records) == 1


def test_a_message_whose_names_cannot_be_kept_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []

    def add(_: object, named: Message) -> None:
        if named.message_id == 1:
            raise ValueError("nobody foresaw this")
        kept.append(named.message_id)

    monkeypatch.setattr(remembered, "named_in", lambda one: one)
    monkeypatch.setattr(remembered._NamesOfMemory, "add", add)

    RememberedNames().note("short-term", [message(1), message(2)])

    assert kept == [2]


async def test_names_that_take_long_to_take_in_hold_nothing_up() -> None:
    class SlowIndex(Index):
        def add(self, named: Named) -> None:
            time.sleep(0.002)

    gaps: list[float] = []

    async def watch() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            gaps.append(time.perf_counter() - last)
            last = time.perf_counter()

    async with background_task(watch()):
        await remembered._take_in(SlowIndex(), [named_in(message(number)) for number in range(100)])

    assert len(gaps) > 20
