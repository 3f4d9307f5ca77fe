"""Which time a search may look in, and where an answer says that it was looked for."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.citations import footer
from agent.time_scope import TimeScope
from agent.types import Searched
from time_expressions.window import ALL_TIME, Window, Windows

PARIS = ZoneInfo("Europe/Paris")


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def days(first: int | None, end: int | None) -> Window:
    return Window(at(first) if first else None, at(end) if end else None)


TUESDAY = days(17, 18)
THURSDAY = days(19, 20)


@pytest.mark.parametrize(
    ("own", "wanted", "expected"),
    [
        pytest.param((TUESDAY,), None, (TUESDAY,), id="nothing passed"),
        pytest.param((TUESDAY,), (days(16, 23),), (TUESDAY,), id="a wider window"),
        pytest.param((TUESDAY,), (days(10, 11),), (TUESDAY,), id="another window"),
        pytest.param((TUESDAY,), (days(18, 19),), (TUESDAY,), id="the day after, which only touches"),
        pytest.param(
            (TUESDAY,), (Window(at(17, 9), at(17, 12)),), (Window(at(17, 9), at(17, 12)),), id="a narrower window"
        ),
        pytest.param((TUESDAY,), (Window(at(17, 9), None),), (Window(at(17, 9), at(18)),), id="an open end"),
        pytest.param((days(17, None),), (days(None, 18),), (TUESDAY,), id="two open windows"),
        pytest.param((TUESDAY,), ALL_TIME, (TUESDAY,), id="all time"),
        pytest.param((TUESDAY, THURSDAY), None, (TUESDAY, THURSDAY), id="several windows"),
        pytest.param((TUESDAY, THURSDAY), (days(19, 30),), (THURSDAY,), id="one of several"),
        pytest.param((TUESDAY, THURSDAY), (days(10, 30),), (TUESDAY, THURSDAY), id="around several"),
        pytest.param((), (TUESDAY,), (TUESDAY,), id="a question without a time"),
        pytest.param((), None, ALL_TIME, id="no time at all"),
    ],
)
def test_a_model_can_narrow_the_time_of_a_question_and_never_leave_it(
    own: Windows, wanted: Windows | None, expected: Windows
) -> None:
    assert TimeScope(own, all_time=False).narrow(wanted) == expected


@pytest.mark.parametrize("wanted", [None, ALL_TIME, (TUESDAY,)], ids=["nothing", "all time", "a window"])
def test_a_question_of_all_time_is_searched_over_all_time_whatever_is_passed(wanted: Windows | None) -> None:
    assert TimeScope([TUESDAY], all_time=True).narrow(wanted) == ALL_TIME


@pytest.mark.parametrize(
    ("searched", "is_empty", "allowed"),
    [
        pytest.param((TUESDAY,), True, ALL_TIME, id="after a search that found nothing"),
        pytest.param((TUESDAY,), False, (TUESDAY,), id="not after one that found something"),
        pytest.param((Window(at(17, 9), at(17, 10)),), True, (TUESDAY,), id="not after a search of one hour"),
    ],
)
def test_all_time_is_searched_in_place_of_a_window(searched: Windows, is_empty: bool, allowed: Windows) -> None:
    searches = TimeScope([TUESDAY], all_time=False)

    searches.record(searched, is_empty=is_empty)

    assert searches.narrow(ALL_TIME) == allowed


@pytest.mark.parametrize(
    ("own", "made", "windows", "went_beyond"),
    [
        pytest.param([TUESDAY], [(TUESDAY,), (TUESDAY,)], (TUESDAY,), False, id="the same twice"),
        pytest.param([TUESDAY], [(TUESDAY,), ALL_TIME], ALL_TIME, True, id="all time after all"),
        pytest.param([], [(TUESDAY,), (THURSDAY,)], (TUESDAY, THURSDAY), False, id="two windows of the model's"),
        pytest.param([], [(TUESDAY,), ALL_TIME], ALL_TIME, False, id="no time asked for"),
    ],
)
def test_all_that_was_searched_is_kept(
    own: list[Window], made: list[Windows], windows: Windows, went_beyond: bool
) -> None:
    searches = TimeScope(own, all_time=False)
    for one in made:
        searches.record(one, is_empty=False)

    assert (searches.windows, searches.went_beyond) == (windows, went_beyond)


def test_nothing_was_searched_before_the_first_search() -> None:
    searches = TimeScope([TUESDAY], all_time=False)

    assert not searches.were_made
    assert not searches.went_beyond


# ---- the line under an answer


def searched(*windows: Window, **fields: Any) -> Searched:
    usual: dict[str, Any] = {"went_beyond": False, "channels": (), "now": at(21, 10), "time_zone": PARIS}
    return Searched(windows=windows, **{**usual, **fields})


PARIS_TUESDAY = Window(at(16, 23), at(17, 23))


@pytest.mark.parametrize(
    ("where", "line"),
    [
        pytest.param(None, "", id="nothing looked up"),
        pytest.param(searched(), "", id="everything"),
        pytest.param(searched(PARIS_TUESDAY), "searched Tue 17 Nov 00:00 - 24:00 Europe/Paris", id="a window"),
        pytest.param(searched(went_beyond=True), "searched all time", id="all time in place of a window"),
        pytest.param(searched(channels=("deploys",)), "searched in #deploys", id="a channel"),
        pytest.param(
            searched(PARIS_TUESDAY, channels=("deploys", "dev")),
            "searched Tue 17 Nov 00:00 - 24:00 Europe/Paris in #deploys, #dev",
            id="a window in channels",
        ),
        pytest.param(
            searched(went_beyond=True, channels=("deploys",)), "searched all time in #deploys", id="all of a channel"
        ),
    ],
)
def test_the_footer_tells_where_was_looked(where: Searched | None, line: str) -> None:
    assert footer(where) == line
