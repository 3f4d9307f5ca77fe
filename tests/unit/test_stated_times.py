"""A text that states a time and nothing else is read, as an ISO date or as a phrase."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from time_expressions.stated import stated_window
from time_expressions.window import Window

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=PARIS)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "window"),
    [
        pytest.param("2026-05-01", Window(local(2026, 5, 1), local(2026, 5, 2)), id="a date is its day"),
        pytest.param(
            " 2026-05-01T10:00 ", Window(local(2026, 5, 1, 10), local(2026, 5, 1, 10)), id="a moment, on the own clock"
        ),
        pytest.param(
            "2026-05-01T10:00Z",
            Window(datetime(2026, 5, 1, 10, tzinfo=UTC), datetime(2026, 5, 1, 10, tzinfo=UTC)),
            id="a moment with its zone",
        ),
        pytest.param("last May", Window(local(2026, 5, 1), local(2026, 6, 1)), id="a phrase"),
        pytest.param("yesterday", Window(local(2026, 11, 29), local(2026, 11, 30)), id="a day"),
    ],
)
def test_the_window_is(text: str, window: Window) -> None:
    assert stated_window(text, now=NOW, time_zone=PARIS) == window


@pytest.mark.parametrize("text", ["", "the greenest day", "Monday or Tuesday", "yesterday " * 30])
def test_what_is_no_time_or_several_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="it is"):
        stated_window(text, now=NOW, time_zone=PARIS)
