"""When things were said is told on the asker's own clock, also on days when it is set."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from memory.counting.activity import by_unit
from memory.counting.results import Unit

PARIS, KATHMANDU, LOS_ANGELES = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/Los_Angeles")


def counted(unit: Unit, time_zone: ZoneInfo, *moments: datetime) -> list[tuple[str, int]]:
    """Return the units and how often something was said in them."""
    buckets = by_unit({moment: moments.count(moment) for moment in moments}, unit, time_zone)
    return [(f"{bucket.start:%a %Y-%m-%d %H:%M}", bucket.amount) for bucket in buckets]


@pytest.mark.parametrize(
    ("time_zone", "moment", "day"),
    [
        (PARIS, datetime(2026, 3, 28, 23, 0, tzinfo=UTC), "Sun 2026-03-29 00:00"),
        (PARIS, datetime(2026, 3, 29, 21, 45, tzinfo=UTC), "Sun 2026-03-29 00:00"),
        (PARIS, datetime(2026, 3, 29, 22, 0, tzinfo=UTC), "Mon 2026-03-30 00:00"),
        (PARIS, datetime(2026, 10, 25, 22, 45, tzinfo=UTC), "Sun 2026-10-25 00:00"),
        (PARIS, datetime(2026, 10, 25, 23, 0, tzinfo=UTC), "Mon 2026-10-26 00:00"),
        (KATHMANDU, datetime(2026, 3, 1, 18, 15, tzinfo=UTC), "Mon 2026-03-02 00:00"),
        (LOS_ANGELES, datetime(2026, 3, 9, 6, 45, tzinfo=UTC), "Sun 2026-03-08 00:00"),
    ],
)
def test_a_day_is_one_of_the_time_zone(time_zone: ZoneInfo, moment: datetime, day: str) -> None:
    assert counted(Unit.DAY, time_zone, moment) == [(day, 1)]


def test_the_hour_that_comes_twice_is_one_and_the_hour_that_is_left_out_has_nothing() -> None:
    autumn = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1, 2)]
    spring = [datetime(2026, 3, 29, hour, 30, tzinfo=UTC) for hour in (0, 1)]

    assert [(hour[-5:], amount) for hour, amount in counted(Unit.HOUR, PARIS, *autumn)] == [("02:00", 2), ("03:00", 1)]
    assert [(hour[-5:], amount) for hour, amount in counted(Unit.HOUR, PARIS, *spring)] == [("01:00", 1), ("03:00", 1)]


def test_weeks_begin_on_monday_and_months_on_their_first() -> None:
    sunday = datetime(2026, 11, 1, 12, tzinfo=UTC)
    monday = sunday + timedelta(days=1)

    assert counted(Unit.WEEK, PARIS, sunday, monday) == [("Mon 2026-10-26 00:00", 1), ("Mon 2026-11-02 00:00", 1)]
    assert counted(Unit.MONTH, PARIS, sunday, monday) == [("Sun 2026-11-01 00:00", 2)]
    assert [day[:3] for day, _ in counted(Unit.WEEKDAY, PARIS, sunday, monday)] == ["Mon", "Sun"]


def test_a_bucket_knows_the_quarter_of_its_newest_message() -> None:
    first, last = datetime(2026, 11, 2, 8, 15, tzinfo=UTC), datetime(2026, 11, 9, 8, 30, tzinfo=UTC)

    (bucket,) = by_unit({last: 2, first: 3}, Unit.HOUR, PARIS)

    assert (bucket.amount, bucket.newest_window.start) == (5, last)
    assert last + timedelta(minutes=14) in bucket.newest_window
