"""A scheduler works at once, again when its time has come, and outlives what goes wrong."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from errors import DatabaseUnavailableError
from ops.backup.create import run_every

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Stopped(BaseException):
    """Ends the scheduler, as a signal does."""


class Clock:
    """Tells times that were set, and stops the scheduler when there are no more."""

    def __init__(self, *hours: float) -> None:
        self.times = iter([START + hour * HOUR for hour in hours])
        self.last = START

    def __call__(self) -> datetime:
        try:
            self.last = next(self.times)
        except StopIteration:
            raise Stopped from None
        return self.last


async def runs(*hours: float, fails: BaseException | None = None) -> list[float]:
    """Return the hours at which the work ran, of a clock that is looked at in these hours."""
    clock, ran = Clock(*hours), list[float]()

    async def work() -> None:
        ran.append((clock.last - START) / HOUR)
        if fails is not None:
            raise fails

    with pytest.raises(Stopped):
        await run_every(24 * HOUR, work, now=clock, step=timedelta(0))
    return ran


async def test_the_first_is_at_once_and_the_next_when_its_time_has_come() -> None:
    assert await runs(0, 1, 12, 23.9, 24, 24, 30, 48, 48) == [0, 24, 48]


async def test_a_run_that_takes_long_does_not_shift_the_next() -> None:
    assert await runs(0, 5, 24, 24) == [0, 24]


async def test_a_computer_that_slept_over_it_makes_up_for_one() -> None:
    assert await runs(0, 1, 80, 80, 81) == [0, 80]


async def test_a_clock_that_was_set_back_does_not_stop_it() -> None:
    assert await runs(100, 101, 3, 3, 4) == [100, 3]


@pytest.mark.parametrize(
    "error", [DatabaseUnavailableError("PostgreSQL is away."), OSError("disk")], ids=["one of ours", "another one"]
)
async def test_it_outlives_what_goes_wrong_and_says_so(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    assert await runs(0, 24, 24, 48, 48, fails=error) == [0, 24, 48]

    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 3


async def test_what_ends_the_program_ends_it() -> None:
    assert await runs(0, 24, 24, fails=Stopped()) == [0]
