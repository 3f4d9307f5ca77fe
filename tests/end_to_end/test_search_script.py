"""`main_async.py search` finds what the bot has kept, tells how, and refuses what it cannot understand."""

import asyncio
from pathlib import Path

import pytest

from bench.processes import ROOT, Finished, Workplace
from tests.end_to_end.conftest import NewPlace
from tests.end_to_end.processes import Fresh, run_program
from tests.sentences import is_one_sentence

SCRIPT = ROOT / "main_async.py"
SAID = """the kiln reaches 1280 degrees
lunch was good
we ship the crates on Friday
"""


@pytest.fixture(scope="module")
def lived_in(new_place: NewPlace) -> Workplace:
    """A workplace whose current session, `pottery`, holds a few messages."""
    place = new_place(understands=True)
    arguments = ("--terminal", "--yes", "--as", "ana", "--session", "pottery")
    finished = asyncio.run(run_program(place, *arguments, given=SAID))
    assert finished.status == 0, finished.err
    return place


async def search(place: Workplace, *arguments: str, script: Path | Fresh = SCRIPT) -> Finished:
    return await run_program(place, "search", *arguments, script=script)


async def test_it_prints_what_was_found_and_the_time_that_was_searched(lived_in: Workplace) -> None:
    found = await search(lived_in, "how hot is the kiln?", "--limit", "1", "--session", "pottery", script=Fresh(SCRIPT))

    assert found.status == 0, found.err
    assert found.out.startswith("searched all time\n")
    (hit,) = [line for line in found.out.splitlines() if line.startswith(">")]
    assert hit.endswith("ana: the kiln reaches 1280 degrees")
    assert "rows expected" not in found.out


@pytest.mark.server
@pytest.mark.parametrize(("option", "day"), [("--day-first", "10 Nov"), ("--month-first", "11 Oct")])
async def test_a_date_in_digits_is_read_in_the_order_that_is_asked_for(
    lived_in: Workplace, option: str, day: str
) -> None:
    found = await search(lived_in, "the kiln on 10/11/2025", option, script=Fresh(SCRIPT))

    assert found.status == 0, found.err
    assert f"{day} 2025 00:00 - 24:00" in found.out.splitlines()[0]
    assert found.out.splitlines()[0].endswith(f"({option.removeprefix('--').replace('-', ' ')})")


@pytest.mark.server
async def test_it_prints_the_newest_messages_when_they_are_asked_for(lived_in: Workplace) -> None:
    found = await search(lived_in, "what were the last messages?", "--limit", "1")

    (hit,) = [line for line in found.out.splitlines() if line.startswith(">")]
    assert hit.endswith("ana: we ship the crates on Friday")


@pytest.mark.server
async def test_it_explains_how_each_memory_was_searched(lived_in: Workplace) -> None:
    found = await search(lived_in, "crates", "--explain")

    assert found.status == 0, found.err
    explained = [line for line in found.out.splitlines() if "rows expected" in line]
    assert [line.partition(":")[0] for line in sorted(explained)] == ["long-term", "short-term"]
    assert [line for line in explained if "3 counted" in line]
    assert "vectors of every matching row: 3 rows" in found.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("tea", "--now", "yesterday"), "--now", id="a moment that is none"),
        pytest.param(("tea", "--time-zone", "Europe/Atlantis"), "--time-zone", id="a zone that is none"),
        pytest.param(("tea", "--limit", "0"), "--limit", id="no messages at all"),
        pytest.param((" ",), "question", id="no question"),
        pytest.param(("tea " * 501,), "2000", id="a question that is too long"),
        pytest.param(("tea", "--session", "weaving"), "weaving", id="another session"),
    ],
)
async def test_a_wrong_value_is_refused_with_one_sentence(
    lived_in: Workplace, arguments: tuple[str, ...], words: str
) -> None:
    refused = await search(lived_in, *arguments)

    assert (refused.status, refused.out) == (2, "")
    assert words in refused.err
    assert is_one_sentence(refused.err.strip())
