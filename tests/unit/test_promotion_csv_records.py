"""Records of a CSV are found again behind a quote that is lost or one too many, and never cost all that follows."""

import io

import pytest

from ops.promotion.sources.csv_reader import CsvTable, records_in

TABLE = CsvTable(source="chat.csv", header=["text", "time"], columns={})


def records(*lines: str) -> list[str]:
    return list(records_in(io.StringIO("".join(lines), newline=""), TABLE.is_record))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["a,1\n", "b,2\n"], ["a,1\n", "b,2\n"], id="a line each"),
        pytest.param(['"a\n', "\n", 'b",1\n', "c,2\n"], ['"a\n\nb",1\n', "c,2\n"], id="lines within quotes"),
        pytest.param(["a,1\n", "\n", "\r\n", "b,2"], ["a,1\n", "b,2"], id="blank lines between"),
        pytest.param(['5" disk,1\n', "b,2\n", "c,3\n"], ['5" disk,1\n', "b,2\n", "c,3\n"], id="a stray quote"),
        pytest.param(['"a,1\n', "b,2\n", '"c\nd",3\n'], ['"a,1\n', "b,2\n", '"c\nd",3\n'], id="a quote not closed"),
        pytest.param(
            ['"a,1\n', '5" disk,2\n', "b,3\n"], ['"a,1\n', '5" disk,2\n', "b,3\n"], id="two that do not belong"
        ),
        pytest.param(["a,1\n", '"b\n', "c"], ["a,1\n", '"b\n', "c"], id="an end within quotes"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_lines_are_joined_to_records(lines: list[str], expected: list[str]) -> None:
    assert records(*lines) == expected


def test_no_more_than_the_largest_record_is_held() -> None:
    file = io.StringIO('"never closed,1\n' + "a line,2\n" * 1000)

    first = next(records_in(file, TABLE.is_record, largest=100))

    assert first == '"never closed,1\n'
    assert file.tell() < 200
