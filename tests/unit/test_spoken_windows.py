"""How stretches of time are written."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from memory.question.parse import fallback_days
from time_expressions.find import times_in
from time_expressions.format import MOST_NAMED, spoken_windows
from time_expressions.window import Window, intersection, union
from time_expressions.zones import zone_names

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def window(start: str | None, end: str | None, zone: str) -> Window:
    """Return the window between two times on a zone's clock."""
    moments = [None if text is None else datetime.fromisoformat(text) for text in (start, end)]
    return Window(*(moment and moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for moment in moments))


@pytest.mark.parametrize(
    ("start", "end", "zone", "spoken"),
    [
        pytest.param("2026-11-17", "2026-11-18", "Europe/Paris", "Tue 17 Nov 00:00 - 24:00", id="a day"),
        pytest.param(
            "2026-11-16", "2026-11-23", "Europe/Paris", "Mon 16 Nov 00:00 - Sun 22 Nov 24:00", id="a week of days"
        ),
        pytest.param(
            "2026-11-17T18:00", "2026-11-17T21:30", "Europe/Paris", "Tue 17 Nov 18:00 - 21:30", id="an evening"
        ),
        pytest.param("2026-11-17T18:00", "2026-11-18", "Europe/Paris", "Tue 17 Nov 18:00 - 24:00", id="till midnight"),
        pytest.param(
            "2026-11-17T22:00", "2026-11-18T02:00", "Europe/Paris", "Tue 17 Nov 22:00 - Wed 18 Nov 02:00", id="a night"
        ),
        pytest.param("2026-11-17", None, "Europe/Paris", "since Tue 17 Nov", id="since a day"),
        pytest.param("2026-11-17T14:00", None, "Europe/Paris", "since Tue 17 Nov 14:00", id="since a moment"),
        pytest.param(None, "2026-11-17", "Europe/Paris", "before Tue 17 Nov", id="before a day"),
        pytest.param(None, "2025-11-17T08:05", "Europe/Paris", "before Mon 17 Nov 2025 08:05", id="before a moment"),
        pytest.param(None, None, "Europe/Paris", "all time", id="no end at all"),
        pytest.param("2025-11-17", "2025-11-18", "Asia/Tokyo", "Mon 17 Nov 2025 00:00 - 24:00", id="another year"),
        pytest.param(
            "2025-12-31",
            "2026-01-02",
            "Europe/Paris",
            "Wed 31 Dec 2025 00:00 - Thu 1 Jan 2026 24:00",
            id="across new year",
        ),
        pytest.param("2026-12-31", "2027-01-01", "Europe/Paris", "Thu 31 Dec 00:00 - 24:00", id="the last of the year"),
        pytest.param("2026-11-17", "2026-11-18", "Pacific/Auckland", "Tue 17 Nov 00:00 - 24:00", id="ahead of UTC"),
        pytest.param("2026-11-17", "2026-11-18", "America/Los_Angeles", "Tue 17 Nov 00:00 - 24:00", id="behind UTC"),
        pytest.param("2026-03-29", "2026-03-30", "Europe/Paris", "Sun 29 Mar 00:00 - 24:00", id="a day of 23 hours"),
        pytest.param("2026-10-25", "2026-10-26", "Europe/Paris", "Sun 25 Oct 00:00 - 24:00", id="a day of 25 hours"),
        pytest.param("2026-04-24", "2026-04-25", "Africa/Cairo", "Fri 24 Apr 00:00 - 24:00", id="no midnight"),
        pytest.param("2026-04-23", "2026-04-24", "Africa/Cairo", "Thu 23 Apr 00:00 - 24:00", id="up to no midnight"),
    ],
)
def test_a_window_is_written_on_the_clock_of_its_zone(
    start: str | None, end: str | None, zone: str, spoken: str
) -> None:
    windows = [window(start, end, zone)]

    assert spoken_windows(windows, time_zone=ZoneInfo(zone), now=NOW) == f"{spoken} {zone}"


def test_the_year_of_now_is_that_of_the_zone() -> None:
    new_year = datetime(2026, 12, 31, 20, tzinfo=UTC)  # 2027 in Tokyo
    day = window("2027-01-01", "2027-01-02", "Asia/Tokyo")

    assert spoken_windows([day], time_zone=ZoneInfo("Asia/Tokyo"), now=new_year) == "Fri 1 Jan 00:00 - 24:00 Asia/Tokyo"


def test_without_a_now_every_date_has_its_year() -> None:
    day = window("2026-11-17", "2026-11-18", "UTC")

    assert spoken_windows([day], time_zone=ZoneInfo("UTC")) == "Tue 17 Nov 2026 00:00 - 24:00 UTC"


@pytest.mark.parametrize(
    ("count", "spoken"),
    [
        pytest.param(0, "", id="none"),
        pytest.param(2, "Sun 1 Nov 00:00 - 24:00 and Mon 2 Nov 00:00 - 24:00 UTC", id="two"),
        pytest.param(3, "Sun 1 Nov 00:00 - 24:00, Mon 2 Nov 00:00 - 24:00 and Tue 3 Nov 00:00 - 24:00 UTC", id="three"),
    ],
)
def test_several_windows_are_joined(count: int, spoken: str) -> None:
    days = [window(f"2026-11-0{day}", f"2026-11-0{day + 1}", "UTC") for day in range(1, count + 1)]

    assert spoken_windows(days, time_zone=ZoneInfo("UTC"), now=NOW) == spoken


def test_of_many_windows_the_first_are_named_and_the_rest_counted() -> None:
    days = [window(f"2026-11-{day:02}", f"2026-11-{day + 1:02}", "UTC") for day in range(1, MOST_NAMED + 4)]

    assert spoken_windows(days, time_zone=ZoneInfo("UTC"), now=NOW).endswith("Wed 4 Nov 00:00 - 24:00 and 3 more UTC")


def test_every_zone_shows_any_window_there_can_be() -> None:
    for here in map(ZoneInfo, zone_names()):
        ends = [(datetime(1, 1, 1, tzinfo=zone), datetime(9999, 12, 31, 23, 59, tzinfo=zone)) for zone in (here, UTC)]
        for first, last in ends:
            for window in (Window(first, last), Window(None, first), Window(first), Window(None, last), Window(last)):
                assert here.key in spoken_windows((window,), time_zone=here)
                assert intersection((window,), (window,)) == union((window,))
        assert list(fallback_days("last Saturday", Window(ends[0][0], ends[1][0])))


@pytest.mark.parametrize("text", ["what happened 2025 years ago?", "in the year 1", "since the year 9999", "in 1 AD"])
@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati"])
def test_what_was_said_long_ago_is_told_on_every_clock(text: str, zone: str) -> None:
    said = times_in(text, now=NOW, time_zone=ZoneInfo(zone)).windows

    windows = union(one.window for one in said)

    assert not windows or zone in spoken_windows(windows, time_zone=ZoneInfo(zone), now=NOW)
