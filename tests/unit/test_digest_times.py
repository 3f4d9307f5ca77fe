"""When a weekly digest is due: the same time of day on the server's clock, also where that is changed."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from memory.digests import last_due, sources_of
from memory.guild_settings import DIGEST_CHANNELS, DigestTime
from memory.message import Attachment
from tests.builders import edit, message

PARIS = ZoneInfo("Europe/Paris")
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
MONDAY_AT_NINE = DigestTime(weekday=0, minute=9 * 60, started_at=STARTED)


@pytest.mark.parametrize(
    ("now", "start", "end"),
    [
        pytest.param("2026-11-09 08:00", "2026-11-02 08:00", "2026-11-09 08:00", id="at the moment"),
        pytest.param("2026-11-09 07:59", "2026-10-26 08:00", "2026-11-02 08:00", id="a minute before"),
        pytest.param("2026-11-15 23:59", "2026-11-02 08:00", "2026-11-09 08:00", id="days later"),
        pytest.param("2026-10-26 08:00", "2026-10-19 07:00", "2026-10-26 08:00", id="the clocks were put back"),
        pytest.param("2026-03-30 07:00", "2026-03-23 08:00", "2026-03-30 07:00", id="the clocks were put forward"),
    ],
)
def test_a_digest_is_due_every_week_on_the_server_s_clock(now: str, start: str, end: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)

    found = last_due(MONDAY_AT_NINE, moment, PARIS)

    assert [f"{one:%Y-%m-%d %H:%M}" for one in found] == [start, end]
    assert all(one.tzinfo is UTC for one in found)


def test_a_time_that_the_clock_leaves_out_is_due_all_the_same() -> None:
    in_the_gap = DigestTime(weekday=6, minute=2 * 60 + 30, started_at=STARTED)

    _, end = last_due(in_the_gap, datetime(2026, 3, 29, 12, tzinfo=UTC), PARIS)

    assert end == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_the_setting_comes_back_as_it_was_stored() -> None:
    chosen = {7: MONDAY_AT_NINE, 8: DigestTime(6, 1439, STARTED)}

    assert DIGEST_CHANNELS.load(DIGEST_CHANNELS.dump(chosen)) == chosen


@pytest.mark.parametrize(("weekday", "minute"), [(7, 0), (-1, 0), (0, 1440), (0, -1)])
def test_a_day_or_time_that_is_none_is_refused(weekday: int, minute: int) -> None:
    stored = {"7": {"weekday": weekday, "minute": minute, "started_at": STARTED.isoformat()}}
    with pytest.raises(ValueError, match="weekday"):
        DIGEST_CHANNELS.load(stored)


def test_the_checksum_of_sources_changes_with_their_words_and_not_with_their_order() -> None:
    first, second = message(1, "one"), message(2, "two")
    same = sources_of([first, second])

    assert sources_of([second, first, first]) == same
    assert sources_of([first]) != same
    assert sources_of([first, edit(2, "three", at=9)]).checksum != same.checksum
    file = (Attachment(name="plan.pdf", url="https://example.org/"),)
    assert sources_of([first, message(2, "two", attachments=file)]).checksum != same.checksum
