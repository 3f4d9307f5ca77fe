"""What is printed reaches whoever reads it, and ends nothing where nobody does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.processes import ROOT
from cli import console

STREAMS = """
import os, sys
from cli.script import open_missing_streams
from cli.console import show, tell
open_missing_streams()
show("an answer")
tell("a complaint")
show("one more")
with open(sys.argv[1], "w") as note:
    note.write(f"{note.fileno()} {all(os.get_inheritable(number) for number in range(3))}")
"""


def run(redirection: str, note: Path) -> subprocess.CompletedProcess[str]:
    """Run a program that prints, with its streams redirected by a shell."""
    command = f'"$0" -c "$1" "$2" {redirection}'
    return subprocess.run(
        ["/bin/sh", "-c", command, sys.executable, STREAMS, str(note)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("redirection", "out", "err"),
    [
        pytest.param("", "an answer\none more\n", "a complaint\n", id="nothing"),
        pytest.param(">&-", "", "a complaint\n", id="no output"),
        pytest.param("2>&-", "an answer\none more\n", "", id="no error stream"),
        pytest.param("<&- >&- 2>&-", "", "", id="nothing open at all"),
        pytest.param(
            ">/dev/full",
            "",
            "standard output cannot be written (No space left on device): what follows is not shown\na complaint\n",
            id="an output that is full",
        ),
        pytest.param("2>/dev/full", "an answer\none more\n", "", id="an error stream that is full"),
        pytest.param("| true", "", "a complaint\n", id="a reader that has gone"),
    ],
)
def test_a_stream_that_takes_nothing_ends_nothing(tmp_path: Path, redirection: str, out: str, err: str) -> None:
    note = tmp_path / "note"

    finished = run(redirection, note)

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, out, err)
    number, inheritable = note.read_text().split()
    assert int(number) > 2
    assert inheritable == "True"


def test_letters_that_the_output_cannot_show_become_escapes(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with os.fdopen(os.dup(1), "w", encoding="ascii") as output:
        monkeypatch.setattr(sys, "stdout", output)
        console.show("été")
        output.flush()

    assert capfd.readouterr().out == r"\xe9t\xe9" + "\n"
