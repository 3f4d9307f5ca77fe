"""Whoever is forgotten comes back by no older CSV, import or promotion, and does not stay in the bot's posts."""

from collections.abc import Sequence

from bench.processes import Workplace
from memory.message import Kind, Message
from tests.builders import message
from tests.end_to_end.processes import ROOT, journal_rows, run_program, stored_rows, terminal_arguments
from tests.end_to_end.test_db_save_script import saved
from tests.fake_discord import FakeDiscord, World, open_fake_discord
from tests.forgotten import BOB, BOT, NADIA, journalled, posted

OLD: Sequence[Message] = (
    message(1, "the answer comes first: the key is under the blue flowerpot", kind=Kind.ANSWER, author_id=BOT),
    message(2, "the spare key is under the blue flowerpot", author_id=NADIA, author_name="nadia"),
    message(3, "the kiln reaches 1280 degrees", author_id=BOB),
)
"""What a CSV from before she was forgotten holds."""


async def forgotten(place: Workplace) -> None:
    """Let her be forgotten before anything of hers is there."""
    await saved(place, "forget", str(NADIA), "--yes")


async def test_an_older_csv_that_is_put_back_brings_nothing_of_her_into_memory(place: Workplace) -> None:
    await forgotten(place)
    journal = place.journal_path("hut")
    journalled(journal, OLD)
    with journal.open("a", encoding="utf-8") as file:
        file.write(f"damaged,{NADIA},under the blue flowerpot\n")

    await talk(place, "hut", "and who is here now?")

    assert {row["content"] for row in stored_rows(place)} == {"the kiln reaches 1280 degrees", "and who is here now?"}
    assert "flowerpot" not in journal.with_name("hut_not_added.csv").read_text()


async def test_an_import_leaves_her_out_and_what_may_repeat_her(place: Workplace) -> None:
    await forgotten(place)
    copy = place.folder / "copy.csv"
    journalled(copy, OLD)

    told = await talk(place, "hut", arguments=("--import", str(copy)))

    assert "1 lines taken in" in told
    assert "1 lines of people who are forgotten, 1 answers of the bot that may repeat them" in told
    assert {row["content"] for row in journal_rows(place.journal_path("hut"))} == {
        "hello",
        "the kiln reaches 1280 degrees",
    }


async def test_a_promotion_leaves_out_an_answer_that_stands_before_her(place: Workplace) -> None:
    await forgotten(place)
    copy = place.folder / "copy.csv"
    journalled(copy, OLD)

    told = await saved(place, str(copy))

    assert "1  new" in told
    assert "1  left out, answers of the bot that may repeat them" in told


async def talk(place: Workplace, session: str, *lines: str, arguments: Sequence[str] = ()) -> str:
    """Run a session in the terminal until all that was said is stored; return what it says beside its answers."""
    given = "\n".join(lines or ["hello"]) + "\n"
    finished = await run_program(place, *terminal_arguments(session, *arguments), given=given)
    assert finished.status == 0, finished.err
    return finished.err


ASKED = message(20, "/chat where is the spare key?", kind=Kind.COMMAND, author_id=BOB)
POST = posted(21, "nadia said: the spare key is under the blue flowerpot", to=20, author_id=BOT)
KEPT = posted(22, "and once more: **nadia** said so", to=20, author_id=BOT)
"""What Discord does not let go."""


async def test_posts_of_the_bot_go_from_discord_or_stay_listed_until_they_do(place: Workplace) -> None:
    journalled(place.journal_path("hut"), [OLD[1], ASKED, POST, KEPT])
    told = await saved(place, "forget", str(NADIA), "--yes")
    assert "erased here, but not in Discord yet" in told
    assert told.count("https://discord.com/channels/") == 2
    world = World(bot_id=BOT)
    channel = world.channel(world.guild("Hut"), "general", channel_id=POST.channel_id)
    for noted in (POST, KEPT):
        world.say(channel, noted.content, author=world.me, message_id=noted.message_id)
    async with open_fake_discord(world) as fake:
        fake.rest.fail(str(KEPT.message_id), status=403)

        told = await forgotten_in_discord(place, fake)
        assert set(channel.messages) == {KEPT.message_id}
        assert KEPT.link is not None
        assert KEPT.link in told
        assert "Missing Access" in told

        told = await forgotten_in_discord(place, fake)
        assert not channel.messages
        assert "Discord: 1 post of the bot" in told
        assert "https://" not in await forgotten_in_discord(place, fake)


async def forgotten_in_discord(place: Workplace, fake: FakeDiscord) -> str:
    """Forget her once more, with a token, and return the receipt."""
    finished = await run_program(
        place,
        *("forget", str(NADIA), "--yes"),
        script=ROOT / "db_save.py",
        **fake.settings,
    )
    assert finished.status == 0, finished.err
    return finished.out
