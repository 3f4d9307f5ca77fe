"""`main_async.py backfill` reads the past of a server, shows how far it is, and goes on where it was stopped."""

import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from storage.sessions import session_lock
from tests.end_to_end.processes import MAIN, Workplace, open_program, open_terminal, run_program, stored_rows
from tests.fake_discord import Channel, FakeDiscord, open_fake_discord
from tests.sentences import is_one_sentence


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    """A Discord whose limits are enforced."""
    async with open_fake_discord() as fake:
        yield fake


@pytest.fixture
def general(fake: FakeDiscord) -> Channel:
    return fake.world.channel(fake.world.guild("Harbour"), "general")


def say(fake: FakeDiscord, channel: Channel, count: int) -> None:
    for number in range(count):
        fake.world.say(channel, f"number {number}", at=datetime.now(UTC) - timedelta(hours=number + 1))


async def test_all_is_read_once_and_a_second_run_asks_for_nothing(
    fake: FakeDiscord, general: Channel, place: Workplace
) -> None:
    say(fake, general, 320)

    first = await run_program(place, "backfill", script=MAIN, **fake.settings)

    assert (first.status, first.err) == (0, "")
    assert first.out == "Harbour: 320 of about 320 messages, 1 of 1 places.\n"
    assert len(stored_rows(place)) == 320
    pages = fake.rest.count("/messages")

    again = await run_program(place, "backfill", script=MAIN, **fake.settings)

    assert (again.status, again.out) == (0, "Harbour: 0 messages, 1 of 1 places.\n")
    assert fake.rest.count("/messages") == pages
    assert fake.throttled == []


async def test_the_terminal_shows_how_far_it_is_and_ctrl_c_leaves_what_was_read(
    fake: FakeDiscord, general: Channel, place: Workplace
) -> None:
    say(fake, general, 1200)

    async with open_terminal(place, "backfill", script=MAIN, **fake.settings) as terminal:
        await terminal.shows("Reading Harbour: ")
        await terminal.shows("of about 1,200 messages")
        await fake.requested("/messages", times=3)
        terminal.press("\x03")
        status, shown = await terminal.ends()
    assert status == 0, shown
    assert "Stopped. What was read is kept: run this again, and it goes on where it was." in shown

    finished = await run_program(place, "backfill", script=MAIN, **fake.settings)

    assert finished.status == 0, finished.err
    assert len(stored_rows(place)) == 1200
    pages = fake.rest.count("GET /channels/{channel_id}/messages", status=200)
    assert pages <= 14, "of twelve and an empty one at most one was read twice"


async def test_only_what_the_options_name_is_read(fake: FakeDiscord, general: Channel, place: Workplace) -> None:
    say(fake, general, 60)
    say(fake, fake.world.channel(fake.world.guild("Island"), "beach"), 5)

    beach = await run_program(
        place, "backfill", "--server", "island", "--channel", "#beach", script=MAIN, **fake.settings
    )
    recent = await run_program(
        place, "backfill", "--server", "Harbour", "--since", "the last 24 hours", script=MAIN, **fake.settings
    )

    assert beach.out == "Island: 5 of about 5 messages, 1 of 1 places.\n"
    assert recent.out.startswith("Harbour: 60 of about 2")
    assert {row["channel_name"] for row in stored_rows(place)} == {"beach", "general"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--server", "Atlantis"], "The bot is in no server 'Atlantis'", id="a server"),
        pytest.param(["--channel", "attic"], "There is no channel 'attic'", id="a channel"),
        pytest.param(["--channel", "12345"], "Channel 12345 cannot be read: there is no such channel", id="an id"),
        pytest.param(["--since", "the greenest day"], "--since: 'the greenest day' is no time", id="a time"),
        pytest.param(["--since", "2026-05-02", "--until", "2026-05-01"], "exchange them", id="times"),
    ],
)
async def test_what_is_not_known_is_refused_in_one_sentence(
    fake: FakeDiscord, general: Channel, place: Workplace, arguments: list[str], words: str
) -> None:
    finished = await run_program(place, "backfill", *arguments, script=MAIN, **fake.settings)

    assert finished.status == 2, finished.err
    assert words in finished.err
    assert is_one_sentence(finished.err.strip())


async def test_a_refused_or_missing_token_is_said_in_one_sentence(fake: FakeDiscord, place: Workplace) -> None:
    refused = await run_program(place, "backfill", script=MAIN, **{**fake.settings, "DISCORD_TOKEN": "wrong"})
    missing = await run_program(place, "backfill")

    assert (refused.status, missing.status) == (2, 2)
    assert refused.err.startswith("Discord refuses DISCORD_TOKEN: ")
    assert missing.err == "DISCORD_TOKEN is not set: put the token of the bot into .env.\n"


async def test_beside_a_running_bot_it_names_the_command_of_discord(fake: FakeDiscord, place: Workplace) -> None:
    with session_lock(place.storage_dir):
        finished = await run_program(place, "backfill", script=MAIN, **fake.settings)

    assert finished.status == 2
    assert "use /remember backfill on Discord" in finished.err
    assert is_one_sentence(finished.err.strip())


async def test_a_stop_by_the_system_ends_it_in_order(fake: FakeDiscord, general: Channel, place: Workplace) -> None:
    say(fake, general, 1200)

    async with open_program(place, "backfill", script=MAIN, **fake.settings) as program:
        await fake.requested("/messages", times=2)
        program.process.send_signal(signal.SIGTERM)
        finished = await program.finish()

    assert finished.status == 0
    assert finished.err.startswith("Stopped. What was read is kept")
    assert "Traceback" not in finished.err
