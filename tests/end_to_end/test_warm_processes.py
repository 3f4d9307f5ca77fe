"""A script that begins with its libraries loaded already is what one is that Python starts anew."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.processes import Workplace, open_workplace
from tests.end_to_end.processes import Finished, Fresh, open_program, open_terminal, run_program

LOOKS_AROUND = """
import atexit, os, signal, sys
print(sys.argv, os.getcwd(), __name__, __file__, sys.path[0], os.environ.get("TIME_ZONE"), os.environ.get("LEFT"))
print([stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)], sys.stdin.encoding, sys.stdout.errors)
print([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)], sys.stdin.read())
print(sorted(os.listdir("/proc/self/fd"))[:3], [name for name in os.environ if name.startswith("OPENBLAS")])
os.environ["LEFT"] = "something"
signal.signal(signal.SIGTERM, signal.SIG_IGN)
atexit.register(print, "good bye")
sys.exit(3)
"""
ENDINGS = {
    "its end": "print('done')",
    "a status": "raise SystemExit(7)",
    "a status beyond a byte": "raise SystemExit(259)",
    "a thread": "import threading; threading.Timer(0.2, print, ['late']).start()",
    "rubbish": "class Rubbish:\n  __del__ = lambda _: print('gone')\nit = Rubbish(); it.it = it; del it",
    "a full disk": "import sys; sys.stdout = open('/dev/full', 'w'); print('lost')",
    "a sentence": "raise SystemExit('no more')",
    "a defect": "print(1 / 0)",
    "a kill": "import os; os.kill(os.getpid(), 9)",
    "Ctrl+C": "import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(60)",
}


@pytest.fixture
def place() -> Iterator[Workplace]:
    with open_workplace() as opened:
        yield opened


async def run_both(place: Workplace, code: str, *arguments: str, given: str = "") -> list[Finished]:
    """Return how a script ends that was started anew, and how it ends, twice, with its libraries loaded."""
    script = place.folder / "script.py"
    script.write_text(code, encoding="utf-8")
    started: list[Path | Fresh] = [Fresh(script), script, script]
    return [await run_program(place, *arguments, given=given, script=one, TIME_ZONE="Asia/Tokyo") for one in started]


async def test_it_sees_what_a_fresh_one_sees_and_nothing_of_the_one_before(place: Workplace) -> None:
    fresh, first, second = await run_both(place, LOOKS_AROUND, "tea", "--limit=1", given="two\nlines")

    assert (fresh.status, fresh.err) == (3, "")
    assert fresh.out.endswith("good bye\n")
    assert first == second == fresh


@pytest.mark.parametrize("code", [pytest.param(code, id=name) for name, code in ENDINGS.items()])
async def test_it_ends_as_a_fresh_one_ends(place: Workplace, code: str) -> None:
    fresh, *warm = await run_both(place, code)

    for one in warm:
        assert (one.status, one.out) == (fresh.status, fresh.out)
        assert one.err.splitlines()[-1:] == fresh.err.splitlines()[-1:]


async def test_it_is_a_process_of_its_own_that_takes_signals(place: Workplace) -> None:
    script = place.folder / "script.py"
    script.write_text("import os; print(os.getpid(), flush=True); input()", encoding="utf-8")

    async with open_program(place, script=script) as program:
        await program.hear(str(program.process.pid))
        program.process.terminate()
        status = await program.process.wait()

    assert status == -signal.SIGTERM


async def test_at_a_terminal_a_key_reaches_it(place: Workplace) -> None:
    script = place.folder / "script.py"
    script.write_text("import time; print('waits', flush=True); time.sleep(60)", encoding="utf-8")

    async with open_terminal(place, script=script) as terminal:
        await terminal.shows("waits")
        terminal.press("\x03")
        async with asyncio.timeout(30):
            status, shown = await terminal.ends()

    assert status == -signal.SIGINT
    assert "KeyboardInterrupt" in shown
