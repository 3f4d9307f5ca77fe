"""`python -m time_expressions`, as it is typed."""

import asyncio
import json
import subprocess
import sys
from functools import partial

import pytest

from tests.end_to_end.processes import PATIENCE, ROOT


async def windows_command(*arguments: str, texts: str = "") -> "subprocess.CompletedProcess[str]":
    """Run the command from the project's folder and return how it ended."""
    command = [sys.executable, "-m", "time_expressions", *arguments]
    run = partial(subprocess.run, cwd=ROOT, input=texts, capture_output=True, encoding="utf-8")
    return await asyncio.to_thread(run, command, timeout=PATIENCE.total_seconds())


PARIS = ("--now", "2026-11-21T10:00:00", "--tz", "Europe/Paris")


async def test_each_line_of_text_is_answered_with_one_json_object() -> None:
    finished = await windows_command(*PARIS, "--stdin", texts="since last Tuesday\nMarch on!\nin session 2\n")

    assert finished.returncode == 0, finished.stderr
    assert [json.loads(line) for line in finished.stdout.splitlines()] == [
        {
            "text": "since last Tuesday",
            "windows": [{"phrase": "since last Tuesday", "start": "2026-11-17T00:00:00+01:00", "end": None}],
            "discussions": [],
        },
        {"text": "March on!", "windows": [], "discussions": []},
        {"text": "in session 2", "windows": [], "discussions": [{"phrase": "session 2", "first": 2, "last": 2}]},
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(("--now", "soon", "--tz", "UTC", "today"), "--now 'soon' is no time", id="no time"),
        pytest.param(("--now", "2026-11-21", "--tz", "Pariss", "today"), "no time zone 'Pariss'", id="no zone"),
        pytest.param(
            ("--now", "0001-01-01T00:00+00:00", "--tz", "America/New_York", "today"),
            "is no time",
            id="before the years",
        ),
        pytest.param(PARIS, "Give one text, or --stdin", id="no text"),
    ],
)
async def test_bad_input_is_told_in_one_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    finished = await windows_command(*arguments)

    assert finished.returncode == 2
    assert sentence in finished.stderr
    assert finished.stderr.count("\n") == 1
    assert finished.stdout == ""
