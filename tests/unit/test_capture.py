"""What is recorded is in the session's CSV before `record` returns, and is never forgotten on the way."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from memory import capture as capture_module
from memory.capture import open_capture
from memory.journal import Journal
from tests.builders import hears, message, whole
from tests.unit.test_journal import full_disk

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


async def test_a_message_is_in_the_file_when_record_returns(journal: Journal) -> None:
    async with open_capture(journal, capacity=10, on_growth=ignore_growth) as capture:
        for number in (1, 2, 3):
            await capture.record(message(number))
            assert ids(Journal(journal.path)) == list(range(1, number + 1))


async def test_many_at_once_keep_their_order(journal: Journal) -> None:
    async with open_capture(journal, capacity=100, on_growth=ignore_growth) as capture:
        await asyncio.gather(*(capture.record(message(number)) for number in range(1, MANY + 1)))

    assert ids(journal) == list(range(1, MANY + 1))


async def test_whoever_follows_the_journal_hears_of_its_growth(journal: Journal) -> None:
    ends: list[int] = []

    async with open_capture(journal, capacity=10, on_growth=lambda: ends.append(journal.end)) as capture:
        await capture.record(message(1))
        await capture.record(message(2))

    assert len(set(ends)) >= 2
    assert ends[-1] == journal.path.stat().st_size


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
