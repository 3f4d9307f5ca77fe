"""`backups.py move` brings memory from the embedded server to other databases and back, or says why not."""

import asyncio
import re
from collections.abc import Iterator

import psycopg
import pytest

from bench.processes import ROOT, Finished, Workplace, open_workplace
from storage.sessions import session_lock
from tests.end_to_end.processes import Fresh, run_program, terminal_arguments
from tests.sentences import is_one_sentence
from tests.servers import Server

SCRIPT, BOT = ROOT / "backups.py", ROOT / "main_async.py"
SAID = """the kiln reaches 1280 degrees
we ship the crates on Friday
/timezone Europe/Paris
/chat how hot is the kiln?
"""
TABLES = {
    *("conversation_turns", "erasures", "facts", "journal_positions", "message_revisions", "messages", "promotions"),
    *(
        "answers",
        "catch_ups",
        "coverage",
        "decisions",
        "digests",
        "guild_settings",
        "names",
        "opt_outs",
        "places",
        "ratings",
        "reminders",
        "replaced_messages",
        "time_zones",
        "traces",
    ),
}

Compared = dict[tuple[str, str], tuple[int, int, str]]


@pytest.fixture(scope="module")
def lived_in() -> Iterator[Workplace]:
    """A workplace whose embedded server holds a short session."""
    with open_workplace() as place:
        finished = asyncio.run(run_program(place, *terminal_arguments("pottery"), given=SAID))
        assert finished.status == 0, finished.err
        yield place


@pytest.fixture
def addresses(server: Server) -> dict[str, str]:
    """The addresses of two empty databases."""
    names = {"SHORT_TERM_DSN": "moved_short", "LONG_TERM_DSN": "moved_long"}
    return {setting: server.dsn(server.create_database(name)) for setting, name in names.items()}


async def move(place: Workplace, *arguments: str, **settings: str) -> Finished:
    return await run_program(place, "move", *arguments, script=SCRIPT, **settings)


def compared(finished: Finished) -> Compared:
    """Return the table that was printed: by database and table the rows of both sides, and how their contents are."""
    found: Compared = {}
    for line in finished.out.splitlines()[1:]:
        database, table, there, here, contents = re.split(r"\s{2,}", line.strip())
        found[database, table] = int(there.replace(",", "")), int(here.replace(",", "")), contents
    return found


@pytest.mark.server
async def test_all_arrives_and_the_bot_goes_on_with_it_and_it_can_come_back(
    lived_in: Workplace, addresses: dict[str, str]
) -> None:
    moved = await run_program(lived_in, "move", script=Fresh(SCRIPT), **addresses)

    assert moved.status == 0, moved.err
    tables = compared(moved)
    assert set(tables) == {(database, table) for database in ("short-term", "long-term") for table in TABLES}
    assert {contents for _, _, contents in tables.values()} == {"equal"}
    assert tables["short-term", "messages"][0] >= 4
    assert tables["long-term", "conversation_turns"][0] == 1
    assert tables["long-term", "time_zones"][0] == 1

    again = await move(lived_in, "--verify", **addresses)
    assert (again.status, compared(again)) == (0, tables)

    arguments, question = terminal_arguments("pottery"), "/chat how hot is the kiln?\n"
    answered = await run_program(lived_in, *arguments, given=question, script=BOT, **addresses)
    assert "the kiln reaches 1280 degrees" in answered.out

    differing = await move(lived_in, "--verify", **addresses)
    assert differing.status == 2
    assert compared(differing)["short-term", "messages"][2] == "DIFFERENT"
    assert is_one_sentence(differing.err.strip().splitlines()[-1])

    with open_workplace() as place:
        back = await move(place, "--back", **addresses)
        assert back.status == 0, back.err
        rows, _, _ = compared(back)["short-term", "messages"]
        assert rows > tables["short-term", "messages"][0]


async def refused(place: Workplace, *arguments: str, **settings: str) -> str:
    finished = await move(place, *arguments, **settings)
    assert (finished.status, finished.out) == (2, "")
    assert is_one_sentence(finished.err.strip())
    return finished.err


async def test_a_target_that_holds_other_messages_is_refused_and_left_alone(
    lived_in: Workplace, addresses: dict[str, str]
) -> None:
    with open_workplace(**addresses) as other:
        finished = await run_program(other, *terminal_arguments("weaving"), given="the loom is oak\n")
        assert finished.status == 0, finished.err

    assert "holds something in its table" in await refused(lived_in, **addresses)

    with psycopg.connect(addresses["SHORT_TERM_DSN"]) as connection:
        assert connection.execute("SELECT content FROM messages").fetchall() == [("the loom is oak",)]


async def test_a_running_bot_is_refused(lived_in: Workplace, addresses: dict[str, str]) -> None:
    with session_lock(lived_in.storage_dir):
        assert "runs on the storage folder" in await refused(lived_in, **addresses)


async def test_without_addresses_there_is_nowhere_to_move_to(lived_in: Workplace) -> None:
    assert "SHORT_TERM_DSN" in await refused(lived_in)


async def test_without_an_embedded_server_there_is_nothing_to_move(addresses: dict[str, str]) -> None:
    with open_workplace() as place:
        assert "no embedded server" in await refused(place, **addresses)

        assert not place.embedded_dir.exists()


async def test_a_database_without_an_address_stays_where_it_is(lived_in: Workplace, addresses: dict[str, str]) -> None:
    moved = await move(lived_in, LONG_TERM_DSN=addresses["LONG_TERM_DSN"])

    assert moved.status == 0, moved.err
    assert {database for database, _ in compared(moved)} == {"long-term"}


async def test_a_server_that_does_not_answer_is_named(lived_in: Workplace, addresses: dict[str, str]) -> None:
    gone = dict.fromkeys(addresses, "postgresql://postgres@127.0.0.1:1/moved")

    assert "does not answer" in await refused(lived_in, **gone)
