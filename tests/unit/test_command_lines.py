"""A script runs its default command when none is named, and still understands the flags of earlier versions."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.script import with_command

ROOT = Path(__file__).parents[2]
FLAGS = {"--list": "list", "--undo": "undo", "--forget": "forget"}


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        pytest.param("", "promote", id="nothing"),
        pytest.param("demo --yes", "promote demo --yes", id="arguments without a command"),
        pytest.param("promote list", "promote list", id="a source that is called like a command"),
        pytest.param("list", "list", id="a command"),
        pytest.param("--help", "--help", id="the help of the script"),
        pytest.param("--list", "list", id="a flag that became a command"),
        pytest.param("--undo 3", "undo 3", id="a flag with a value"),
        pytest.param("--undo=3", "undo 3", id="a flag with its value behind a sign"),
        pytest.param("--yes --forget 42", "forget --yes 42", id="a flag behind another"),
        pytest.param("--undo 3 --yes", "undo 3", id="with --yes, where nothing is asked any more"),
        pytest.param("demo --list", "list demo", id="a flag behind a source, which its command refuses"),
        pytest.param("-- --list", "promote -- --list", id="behind the end of all flags"),
    ],
)
def test_arguments_begin_with_a_command(typed: str, understood: str) -> None:
    commands = {"promote", "list", "undo", "forget"}

    arguments = with_command(
        typed.split(), commands=commands, asking={"promote", "forget"}, default="promote", flags=FLAGS
    )

    assert arguments == understood.split()


@pytest.mark.parametrize(
    ("script", "command"), [("search.py", "python main_async.py search"), ("move.py", "python backups.py move")]
)
def test_a_former_script_says_in_a_line_what_to_type_now(script: str, command: str) -> None:
    finished = subprocess.run(
        [sys.executable, str(ROOT / script), "kiln"], capture_output=True, text=True, check=False, timeout=60
    )

    assert (finished.returncode, finished.stdout) == (2, "")
    assert command in finished.stderr
    assert finished.stderr.count("\n") == 1
