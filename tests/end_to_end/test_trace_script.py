"""`python -m agent.trace ID` prints how an answer came about, and says in a sentence when it cannot."""

import asyncio
import re
import sys
from dataclasses import replace

import pytest

from bench.processes import ROOT, Workplace
from tests.end_to_end.conftest import NewPlace
from tests.end_to_end.processes import run_program, terminal_arguments
from tests.sentences import is_one_sentence

pytestmark = pytest.mark.server

SAID = "the zephyr key is under the pot\n/chat where is the zephyr key?\n"


async def show_trace(place: Workplace, trace_id: str) -> tuple[int, str, str]:
    """Return the exit status of the command, and what it has printed on both streams."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent.trace", trace_id),
        cwd=place.folder,
        env=place.environment(PYTHONPATH=str(ROOT)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_debug_answer_names_its_trace_which_can_be_printed(new_place: NewPlace) -> None:
    bare = new_place()
    place = replace(bare, settings={**bare.settings, "DEBUG_ANSWERS": "on"})
    finished = await run_program(place, *terminal_arguments("pottery"), given=SAID)
    assert finished.status == 0, finished.err
    named = re.search(r"\(trace ([0-9a-f]{32})\)", finished.out)
    assert named, finished.out

    status, out, err = await show_trace(place, named[1][:8])

    assert status == 0, err
    assert out.startswith(f"Trace {named[1]}, ")
    assert "- search memory  " in out
    assert "zephyr" not in out

    for wrong, words in (("0" * 32, "There is no trace"), ("key", "is no id of a trace")):
        status, out, err = await show_trace(place, wrong)
        assert (status, out) == (2, "")
        assert words in err
        assert is_one_sentence(err.strip())
