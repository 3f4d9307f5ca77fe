"""What is recorded is in the session's CSV before `record` returns, and is never forgotten on the way."""

import asyncio
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from errors import JournalUnavailableError
from memory.capture import recorder as capture_module
from memory.capture.journal import Journal
from memory.capture.recorder import open_capture
from memory.message import Message
from tests.builders import hears, message, whole
from tests.unit.test_journal import full_disk

SOON = timedelta(milliseconds=20)
MANY = 1200  # more than one write to the journal carries


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An open journal of a megabyte, so that a limit on its growth is none to other files of this process."""
    opened = Journal(tmp_path / "demo.csv")
    opened.open()
    opened.record([message(0, "x" * 1_000_000)])
    yield opened
    opened.close()


@pytest.fixture
def alarm() -> Iterator[asyncio.Event]:
    """Is set when the capture raises the alarm."""
    with hears("MESSAGES CANNOT BE JOURNALLED") as event:
        yield event


def ignore_growth() -> None:
    """Nobody follows the journal."""


def ids(journal: Journal) -> list[int]:
    return [one.message_id for one in whole(journal).messages[1:]]


def ids_on_disk(journal: Journal) -> list[int]:
    return [one.message_id for one in journal.read(0, 100).messages[1:]]


async def test_a_message_is_in_the_file_when_record_returns(journal: Journal) -> None:
    async with open_capture(journal, capacity=10, on_growth=ignore_growth) as capture:
        for number in (1, 2, 3):
            await capture.record(message(number))
            assert ids(Journal(journal.path)) == list(range(1, number + 1))


async def test_many_at_once_keep_their_order(journal: Journal) -> None:
    async with open_capture(journal, capacity=100, on_growth=ignore_growth) as capture:
        await asyncio.gather(*(capture.record(message(number)) for number in range(1, MANY + 1)))

    assert ids(journal) == list(range(1, MANY + 1))


async def test_whoever_follows_the_journal_hears_of_what_the_disk_has(journal: Journal) -> None:
    heard: asyncio.Queue[tuple[int, ...]] = asyncio.Queue()

    def hear() -> None:
        heard.put_nowait(tuple(ids_on_disk(journal)))

    async with open_capture(journal, capacity=10, on_growth=hear) as capture:
        await capture.record(message(1))
        assert await heard.get() == (1,)
        await capture.record(message(2))
        assert await heard.get() == (1, 2)


async def test_on_exit_what_was_brought_is_in_the_journal(journal: Journal) -> None:
    async with open_capture(journal, capacity=MANY, on_growth=ignore_growth) as capture:
        recording = [asyncio.create_task(capture.record(message(number))) for number in range(1, MANY + 1)]
        await asyncio.sleep(0)  # each brings its message; nothing is written yet
        assert not ids(journal)

    assert ids(journal) == list(range(1, MANY + 1))
    await asyncio.gather(*recording)


async def test_a_message_stays_recorded_when_whoever_waited_gave_up(journal: Journal) -> None:
    async with open_capture(journal, capacity=10, on_growth=ignore_growth) as capture:
        recording = asyncio.create_task(capture.record(message(1)))
        await asyncio.sleep(0)
        recording.cancel()
        with suppress(asyncio.CancelledError):
            await recording
        await capture.record(message(2))

    assert ids(journal) == [1, 2]


async def test_a_full_disk_raises_the_alarm_and_loses_nothing(
    journal: Journal, alarm: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_capture(journal, capacity=100, on_growth=ignore_growth) as capture:
        with full_disk(40, journal.path):
            recording = [asyncio.create_task(capture.record(message(number))) for number in range(1, 301)]
            await alarm.wait()
            while_full = capture.failing, any(task.done() for task in recording)
        await asyncio.gather(*recording)

    assert while_full == (True, False)
    assert capture.failing is False
    assert ids(journal) == list(range(1, 301))
    assert [record.levelname for record in caplog.records if "free some disk space" in record.message] == ["CRITICAL"]


async def test_ending_on_a_full_disk_says_what_is_lost(
    journal: Journal, alarm: asyncio.Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(capture_module, "_PATIENCE", timedelta(milliseconds=1))
    with full_disk(40, journal.path):
        async with open_capture(journal, capacity=10, on_growth=ignore_growth) as capture:
            recording = asyncio.create_task(capture.record(message(1)))
            await alarm.wait()

    assert ids(journal) == []
    assert "the last messages could not be journalled" in caplog.text
    recording.cancel()


async def test_a_busy_default_executor_holds_no_message_up(journal: Journal) -> None:
    loop = asyncio.get_running_loop()
    released = threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(2))
    heard = asyncio.Event()
    blocked = [asyncio.create_task(asyncio.to_thread(released.wait)) for _ in range(4)]
    try:
        async with asyncio.timeout(30), open_capture(journal, capacity=10, on_growth=heard.set) as capture:
            await capture.record(message(1))
            await heard.wait()
            assert (await journal.in_thread(journal.read, 0, 100)).messages[1:] == (message(1),)
    finally:
        released.set()
    await asyncio.gather(*blocked)


async def test_whoever_asks_is_told_soon_that_the_journal_is_full_and_others_wait_on(journal: Journal) -> None:
    async with open_capture(journal, capacity=100, on_growth=ignore_growth) as capture:
        with full_disk(40, journal.path):
            waiting = asyncio.create_task(capture.record(message(1)))
            with pytest.raises(JournalUnavailableError):
                await capture.record(message(2), patience=SOON)
            with pytest.raises(JournalUnavailableError):
                await capture.record(message(3), patience=SOON)
            assert not waiting.done()
            assert capture.failing
        await waiting
        await capture.record(message(4), patience=timedelta(seconds=60))

    assert ids(journal) == [1, 4], "what somebody was told is not kept is not kept"


async def test_when_only_questions_waited_the_journal_still_counts_as_failing(journal: Journal) -> None:
    async with open_capture(journal, capacity=100, on_growth=ignore_growth) as capture:
        with full_disk(40, journal.path):
            for number in (1, 2):
                with pytest.raises(JournalUnavailableError):
                    await capture.record(message(number), patience=SOON)
                assert capture.failing
        await capture.record(message(3))
        assert not capture.failing

    assert ids(journal) == [3]


async def test_a_disk_that_never_answers_counts_as_failing(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def hang(_: list[Message]) -> None:
        answered.wait()

    monkeypatch.setattr(capture_module, "_STUCK", SOON)
    monkeypatch.setattr(journal, "record", hang)
    async with open_capture(journal, capacity=100, on_growth=ignore_growth) as capture:
        try:
            with pytest.raises(JournalUnavailableError):
                await capture.record(message(1), patience=SOON)
        finally:
            answered.set()


async def test_what_waits_while_the_disk_is_full_is_bounded_and_what_is_beyond_is_counted(
    journal: Journal, alarm: asyncio.Event, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_capture(journal, capacity=50, on_growth=ignore_growth) as capture:
        with full_disk(40, journal.path):
            recording = [asyncio.create_task(capture.record(message(number))) for number in range(1, 51)]
            await alarm.wait()
            for number in range(51, 1551):
                with pytest.raises(JournalUnavailableError):
                    await capture.record(message(number))
        await asyncio.gather(*recording)

    assert ids(journal) == list(range(1, 51))
    assert [record.getMessage() for record in caplog.records if "MESSAGES ARE LOST (" in record.getMessage()] == [
        f"MESSAGES ARE LOST ({count} so far): too many wait for the journal; free some disk space"
        for count in (1, 1001)
    ]
    assert "the journal can be written again; 1500 MESSAGES ARE LOST" in caplog.text


async def test_a_disk_that_takes_nothing_for_good_is_said_and_nobody_reads_what_it_lacks(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(capture_module, "_SYNC_RETRY", 0.01)
    heard = asyncio.Event()
    async with open_capture(journal, capacity=10, on_growth=heard.set) as capture:
        with monkeypatch.context() as broken, hears("THE JOURNAL DOES NOT REACH THE DISK") as said:
            broken.setattr(os, "fsync", refuse)
            await capture.record(message(1))
            await said.wait()
            while_broken = capture.is_synced, ids_on_disk(journal), heard.is_set()
        await heard.wait()
        afterwards = capture.is_synced, ids_on_disk(journal)

    assert while_broken == (False, [], False)
    assert afterwards == (True, [1])
    assert "the journal reaches the disk again" in caplog.text


async def test_a_message_that_cannot_be_written_at_all_costs_no_other(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choosy(messages: list[Message]) -> None:
        if any(one.message_id == 2 for one in messages):
            raise ValueError("nobody foresaw this")
        record(messages)

    record = journal.record
    monkeypatch.setattr(journal, "record", choosy)
    async with open_capture(journal, capacity=10, on_growth=ignore_growth) as capture:
        recording = [asyncio.create_task(capture.record(message(number))) for number in (1, 2, 3)]
        outcomes = await asyncio.gather(*recording, return_exceptions=True)

    assert ids(journal) == [1, 3]
    assert [type(outcome) for outcome in outcomes] == [type(None), ValueError, type(None)]
