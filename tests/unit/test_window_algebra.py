"""Windows are united, intersected and compared as moments, whatever zone their ends are in."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from time_expressions.window import Window, Windows, intersection, union

PARIS = ZoneInfo("Europe/Paris")


def at(day: int) -> datetime:
    return datetime(2026, 11, day, tzinfo=UTC)


def days(first: int | None, end: int | None) -> Window:
    return Window(at(first) if first else None, at(end) if end else None)


TUESDAY = days(17, 18)
THURSDAY = days(19, 20)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        pytest.param([THURSDAY, TUESDAY], (TUESDAY, THURSDAY), id="apart"),
        pytest.param([days(17, 18), days(18, 19)], (days(17, 19),), id="touching"),
        pytest.param([days(17, 20), days(18, 19)], (days(17, 20),), id="one inside the other"),
        pytest.param([days(17, None), days(18, 19)], (days(17, None),), id="inside an open end"),
        pytest.param([days(16, 18), days(17, None)], (days(16, None),), id="reaching into an open end"),
        pytest.param([days(16, 18), days(None, 17)], (days(None, 18),), id="reaching out of an open start"),
        pytest.param([days(None, 3), days(None, 2)], (days(None, 3),), id="two open starts"),
    ],
)
def test_windows_are_united(windows: list[Window], expected: Windows) -> None:
    assert union(windows) == expected


def test_windows_without_a_common_moment_have_nothing_in_common() -> None:
    assert intersection((TUESDAY,), (THURSDAY, days(18, 19))) == ()


def test_moments_of_the_hour_that_comes_twice_are_told_apart() -> None:
    def in_october(hour: int, minute: int, *, again: bool) -> datetime:
        return datetime(2026, 10, 25, hour, minute, tzinfo=PARIS, fold=int(again))

    hour = Window(in_october(2, 30, again=False), in_october(2, 30, again=True))
    night = Window(in_october(2, 15, again=True), in_october(4, 0, again=False))

    overlap = Window(datetime(2026, 10, 25, 1, 15, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert intersection((hour,), (night,)) == (overlap,)


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [
        pytest.param(16, 17, False, id="ends where the window begins"),
        pytest.param(18, 19, False, id="begins where the window ends"),
        pytest.param(16, 18, True, id="around its start"),
        pytest.param(None, 17, False, id="everything before"),
        pytest.param(18, None, False, id="everything after"),
        pytest.param(None, None, True, id="all time"),
    ],
)
def test_a_window_overlaps_what_it_shares_time_with(start: int | None, end: int | None, overlaps: bool) -> None:
    first, last = (at(day) if day else None for day in (start, end))

    assert TUESDAY.overlaps(first, last) is overlaps
    assert Window().overlaps(first, last)


def test_only_a_window_with_two_ends_has_a_length() -> None:
    assert (TUESDAY.length, days(17, None).length, days(None, 17).length) == (timedelta(days=1), None, None)
