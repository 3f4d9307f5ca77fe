"""`python main_async.py --check` tells in a table what is wrong, changes nothing, and says so by its exit status."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.processes import Finished, Workplace, open_workplace
from tests.builders import closed_port
from tests.end_to_end.conftest import NewPlace
from tests.end_to_end.processes import open_program, run_program, terminal_arguments
from tests.fake_discord import open_fake_discord

COLUMNS = re.compile(r"(?P<what>\S.*?)  +(?P<state>ok|warning|wrong|left out) +(?P<found>\S.*)")


def table(finished: Finished) -> dict[str, tuple[str, str]]:
    """Return state and words of each line; every line of a pipe is a whole one."""
    heading, *lines = finished.out.partition("\n\n")[0].splitlines()
    assert heading.split() == ["what", "state", "found"]
    rows = [COLUMNS.fullmatch(line) for line in lines]
    assert None not in rows, finished.out
    found = {row["what"]: (row["state"], row["found"]) for row in rows if row}
    found.pop("encryption", None)  # depends on the disk of the machine
    return found


def verdict(finished: Finished) -> str:
    """Return the last line, whatever the disk of the machine is warned of."""
    return finished.out.splitlines()[-1].replace(", with 1 warning", "").replace(", 1 warning", "")


def files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.fixture
def own_place() -> Iterator[Workplace]:
    """A workplace on an embedded server of its own."""
    with open_workplace() as place:
        yield place


@pytest.mark.own_server
async def test_a_fresh_folder_is_well_and_stays_empty(own_place: Workplace) -> None:
    async with open_fake_discord() as fake:
        finished = await run_program(replace(own_place, settings=fake.settings), "check")

    assert (finished.status, finished.err) == (0, "")
    assert table(finished)["Discord"] == ("ok", "the token is that of backscroll, which may read message texts")
    assert (fake.rest.count("/users/@me"), fake.gateway.identified) == (1, [])
    assert table(finished)["short-term memory"] == ("left out", "not made yet: the first start makes it")
    assert verdict(finished) == "All is well."
    assert files(own_place.folder) == set()


@pytest.mark.own_server
async def test_an_embedded_server_is_started_for_a_look_and_stopped_again(own_place: Workplace) -> None:
    await run_program(own_place, *terminal_arguments("demo"), given="the kiln reaches 1280 degrees\n")
    before = files(own_place.storage_dir)

    finished = await run_program(own_place, "check")

    found = table(finished)
    assert (finished.status, finished.err) == (0, "")
    assert {state for state, _ in found.values()} == {"ok", "left out"}
    assert found["session"][1].startswith("session demo: ")
    assert not (own_place.embedded_dir / "data" / "postmaster.pid").exists()
    assert {path.relative_to(own_place.storage_dir).as_posix() for path in files(own_place.storage_dir) - before} == {
        "logs/check",
        "logs/check/backscroll.log",
    }


async def test_a_running_bot_is_not_disturbed(place: Workplace) -> None:
    async with open_program(place, *terminal_arguments("demo")) as bot:
        await bot.say("the kiln reaches 1280 degrees", "/chat how hot is the kiln?")
        await bot.hear("1280")

        finished = await run_program(place, "check")

        await bot.say("/chat how hot is the kiln?")
        await bot.hear("1280")
        ended = await bot.finish()

    assert (finished.status, finished.err) == (0, "")
    assert table(finished)["short-term words"][0] == "ok"
    assert ended.status == 0


async def test_what_is_wrong_stands_in_the_table_and_no_secret_does(new_place: NewPlace) -> None:
    place = new_place()
    away = f"postgresql://me:hidden@127.0.0.1:{closed_port()}/x"
    wrong_name = place.settings["LONG_TERM_DSN"].replace("process_long", "nobody_made_this")
    settings = {**place.settings, "SHORT_TERM_DSN": away, "LONG_TERM_DSN": wrong_name, "LLM_MODEL": "gpt:x"}

    finished = await run_program(replace(place, settings=settings), "check")

    found = table(finished)
    assert (finished.status, finished.err) == (2, "")
    assert verdict(finished) == "Not all is well: 3 wrong."
    assert found["short-term server"][0] == found["long-term server"][0] == found["language model"][0] == "wrong"
    assert "does not answer: start it, or correct the address in .env" in found["short-term server"][1]
    assert "has no database of that name" in found["long-term server"][1]
    assert "hidden" not in finished.out


async def test_settings_that_cannot_be_read_are_the_whole_table(place: Workplace) -> None:
    wrong = {"TIME_ZONE": "Mars/Olympus", "LONG_TERM_DSN": "mysql://me:hidden@db/x"}

    finished = await run_program(replace(place, settings=wrong), "check")

    assert (finished.status, finished.err) == (2, "")
    assert [*table(finished)] == ["settings"]
    assert "TIME_ZONE: 'Mars/Olympus' is not an IANA time zone" in table(finished)["settings"][1]
    assert "hidden" not in finished.out


async def test_two_models_that_are_wrong_do_not_hide_each_other(place: Workplace, unused_tcp_port: int) -> None:
    settings = {
        "EMBEDDING_MODEL": "no/such-model",
        "LLM_MODEL": "openai:some",
        "LLM_BASE_URL": f"http://127.0.0.1:{unused_tcp_port}/v1",
        "OPENAI_API_KEY": "hidden",
    }

    finished = await run_program(replace(place, settings={**place.settings, **settings}), "check")

    found = table(finished)
    assert finished.status == 2
    assert "cannot be loaded" in found["embedding model"][1]
    assert "does not answer" in found["language model"][1]
    assert found["short-term server"][0] == "ok"
    assert "hidden" not in finished.out
