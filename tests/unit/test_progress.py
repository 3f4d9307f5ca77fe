"""A bar tells how fast it goes, and rows stand in columns."""

from io import StringIO

import pytest
from rich.console import Console

from cli.console import in_columns, progress_bar, rate


@pytest.mark.parametrize(
    ("speed", "unit", "shown"),
    [
        pytest.param(None, "rows", "", id="not known yet"),
        pytest.param(0.0, "rows", "", id="at rest"),
        pytest.param(41234.5, "rows", "41,234 rows/s", id="rows"),
        pytest.param(123_456_789.0, "B", "123 MB/s", id="bytes"),
    ],
)
def test_a_rate_is_told(speed: float | None, unit: str, shown: str) -> None:
    assert rate(speed, unit) == shown


def test_rows_stand_in_columns_and_nothing_in_them_is_taken_for_a_style() -> None:
    shown = in_columns({"name": "left", "rows": "right"}, [("[red]a[/red]", "1"), ("b", "1,000")])

    assert shown.splitlines() == ["name           rows", "[red]a[/red]      1", "b             1,000"]


def test_a_long_row_stays_one_line() -> None:
    assert len(in_columns({"words": "left"}, [("word " * 300,)]).splitlines()) == 2


def test_a_name_in_a_row_takes_one_line_and_commands_nothing() -> None:
    shown = in_columns({"name": "left", "rows": "right"}, [("a\n\x1b[2Jb\u202e", "1")])

    assert shown.splitlines()[1:] == ["a [2Jb     1"]


def test_the_name_of_a_file_in_a_bar_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr("cli.console.Console", lambda **_: console)

    with progress_bar("Importing a[/b]\x1b[2J.csv") as report:
        report(1, 2)

    assert "Importing a[/b][2J.csv" in console.file.getvalue()  # type: ignore[attr-defined]
