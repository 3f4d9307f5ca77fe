"""What a script says when it cannot go on."""

import pytest
import typer

from cli.script import exit_with_error
from errors import InputFileError


def test_a_sentence_that_quotes_a_file_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught:
        exit_with_error(
            InputFileError("a\x1b[2J\x07\N{RIGHT-TO-LEFT OVERRIDE}b\udc80.csv is empty: name another file.")
        )

    assert caught.value.exit_code == 2
    assert capsys.readouterr().err == "a[2Jb.csv is empty: name another file.\n"
