"""The file that tells other processes that this one works."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.heartbeat import heartbeat, staleness
from errors import SettingsError

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT_ONCE = timedelta(0)
LIMIT = timedelta(seconds=60)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "heartbeat"


def touched_at(path: Path, moment: datetime) -> None:
    path.touch()
    os.utime(path, (moment.timestamp(), moment.timestamp()))


def is_there(path: Path) -> bool:
    return path.exists()


def touched(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT.total_seconds()):
        while not condition():  # noqa: ASYNC110  # another process would have to look as well
            await asyncio.sleep(0)


async def test_it_beats_again_and_again_while_all_is_well(path: Path) -> None:
    async with heartbeat(path, every=AT_ONCE, healthy=lambda: True):
        await until(path.exists)
        touched_at(path, NOW)
        await until(lambda: touched(path) != NOW)


async def test_it_stops_while_something_is_wrong_and_goes_on_afterwards(path: Path) -> None:
    healths: list[bool] = [True]
    looks = 0

    def healthy() -> bool:
        nonlocal looks
        looks += 1
        return healths[-1]

    async with heartbeat(path, every=AT_ONCE, healthy=healthy):
        await until(path.exists)
        healths.append(False)
        touched_at(path, NOW)
        seen = looks
        await until(lambda: looks > seen + 2)
        assert touched(path) == NOW
        healths.append(True)
        await until(lambda: touched(path) != NOW)


async def test_a_beat_left_by_a_killed_process_does_not_count(path: Path) -> None:
    touched_at(path, NOW)

    async with heartbeat(path, every=AT_ONCE, healthy=lambda: False):
        assert not is_there(path)


async def test_it_is_gone_at_the_end(path: Path) -> None:
    async with heartbeat(path, every=AT_ONCE, healthy=lambda: True):
        await until(path.exists)

    assert not is_there(path)


async def test_it_is_gone_after_an_error_that_goes_on_as_it_is(path: Path) -> None:
    async def fail() -> None:
        async with heartbeat(path, every=AT_ONCE, healthy=lambda: True):
            await until(path.exists)
            raise RuntimeError("the reason")

    with pytest.raises(RuntimeError, match="the reason"):
        await fail()

    assert not is_there(path)


async def test_a_file_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "no such folder" / "heartbeat"

    with pytest.raises(SettingsError, match="no such folder/heartbeat cannot be written"):
        async with heartbeat(path, every=AT_ONCE, healthy=lambda: True):
            pass


async def test_a_folder_that_goes_away_for_a_while_is_no_reason_to_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "folder" / "heartbeat"
    path.parent.mkdir()

    with caplog.at_level(logging.WARNING, logger="heartbeat"):
        async with heartbeat(path, every=AT_ONCE, healthy=lambda: True):
            await until(path.exists)
            path.parent.rename(tmp_path / "elsewhere")
            await until(lambda: bool(caplog.records))
            path.parent.mkdir()
            await until(path.exists)

    assert f"the heartbeat file {path} cannot be touched" in caplog.messages[0]


@pytest.mark.parametrize(
    ("age", "says"),
    [
        pytest.param(timedelta(0), None, id="just now"),
        pytest.param(timedelta(seconds=60), None, id="as old as may be"),
        pytest.param(timedelta(seconds=61), "is 61 seconds old.", id="too old"),
        pytest.param(timedelta(seconds=-61), "is 61 seconds old.", id="from before the clock was set back"),
    ],
)
def test_a_beat_does_for_a_while(path: Path, age: timedelta, says: str | None) -> None:
    touched_at(path, NOW - age)

    said = staleness(path, at_most=timedelta(seconds=60), now=NOW)

    assert said == (says and f"The heartbeat in {path} {says}")


def test_no_beat_does_not_do(path: Path) -> None:
    said = staleness(path, at_most=timedelta(seconds=60), now=NOW)

    assert said == f"There is no heartbeat in {path} (no such file or directory)."


def checked(path: Path) -> subprocess.CompletedProcess[str]:
    """Run the command of the image's health check."""
    command = [sys.executable, "-m", "cli.heartbeat", str(path), "--at-most", "60"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT.total_seconds())


def test_the_command_ends_well_after_a_beat(path: Path) -> None:
    path.touch()

    check = checked(path)

    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


def test_the_command_fails_with_one_sentence_without_a_beat(path: Path) -> None:
    check = checked(path)

    assert (check.returncode, check.stdout) == (1, "")
    assert check.stderr == f"There is no heartbeat in {path} (no such file or directory).\n"
