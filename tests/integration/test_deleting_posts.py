"""Posts of the bot are deleted over Discord's real protocol; one that cannot be is told, with the reason."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.endpoints import use_endpoints
from bot.post_deletion import NOT_MINE, OUT_OF_TIME, Deletion
from bot.posts import delete_posts
from ops.erasure.ledger import NotedPost
from tests.builders import closed_port
from tests.fake_discord import GOOD_TOKEN, FakeDiscord, World, open_fake_discord, unlimited
from util_async import no_progress

LONG, SHORT = timedelta(seconds=60), timedelta(seconds=2)
FIRST = 1_400_000_000_000_000_000
BOT_ID, GUILD_ID, CHANNEL_ID = 700000000000000001, 700000000000000002, 700000000000000003


def post(number: int, *, author_id: int | None = BOT_ID) -> NotedPost:
    return NotedPost(message_id=FIRST + number, channel_id=CHANNEL_ID, guild_id=GUILD_ID, author_id=author_id)


POSTS = [post(number) for number in range(10)]


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    """A Discord on the loopback in which all posts are."""
    world = World(bot_id=BOT_ID)
    channel = world.channel(world.guild("Harbour", guild_id=GUILD_ID), "general", channel_id=CHANNEL_ID)
    for noted in POSTS:
        world.say(channel, "an answer", author=world.me, message_id=noted.message_id)
    async with open_fake_discord(world, limits=unlimited()) as fake:
        yield fake


def left(fake: FakeDiscord) -> set[int]:
    """Return the ids of the posts that are still there."""
    return set(fake.world.channels[CHANNEL_ID].messages)


async def deleted(posts: list[NotedPost], *, token: str = GOOD_TOKEN, timeout: timedelta = LONG) -> Deletion:
    return await delete_posts(token, posts, timeout=timeout, report=no_progress)


async def test_all_are_deleted_and_one_that_is_not_there_is_gone_as_well(fake: FakeDiscord) -> None:
    heard: list[tuple[int, int]] = []
    listed = [*POSTS, post(99)]

    deletion = await delete_posts(
        GOOD_TOKEN, listed, timeout=LONG, report=lambda done, total: heard.append((done, total))
    )

    assert left(fake) == set()
    assert deletion == Deletion(gone={one.message_id for one in listed})
    assert heard[-1] == (11, 11)


@pytest.mark.parametrize("status", [403, 400])
async def test_one_that_discord_keeps_keeps_no_other(fake: FakeDiscord, status: int) -> None:
    fake.rest.fail(str(FIRST + 3), status=status)

    deletion = await deleted(POSTS)

    assert left(fake) == {FIRST + 3}
    assert deletion.gone == {one.message_id for one in POSTS} - {FIRST + 3}
    assert "Missing Access" in deletion.problem


async def test_what_another_account_has_written_is_left_alone(fake: FakeDiscord) -> None:
    deletion = await deleted([post(1, author_id=BOT_ID + 1), post(2, author_id=None)])

    assert (deletion.gone, deletion.problem) == ({FIRST + 2}, NOT_MINE)
    assert FIRST + 1 in left(fake)


async def test_a_refused_token_deletes_nothing(fake: FakeDiscord) -> None:
    deletion = await deleted(POSTS, token="bad")

    assert deletion.gone == set()
    assert deletion.problem.startswith("Discord refuses DISCORD_TOKEN")
    assert len(left(fake)) == len(POSTS)


async def test_a_discord_that_does_not_answer_costs_no_more_than_the_time_given(fake: FakeDiscord) -> None:
    fake.rest.fail(str(FIRST + 1), status=None)

    deletion = await deleted(POSTS, timeout=SHORT)

    assert deletion.problem == OUT_OF_TIME
    assert FIRST + 1 not in deletion.gone


async def test_no_discord_at_all_is_told(fake: FakeDiscord) -> None:
    use_endpoints(f"http://127.0.0.1:{closed_port()}", None)  # what `fake` takes back at its end

    deletion = await deleted(POSTS)

    assert (deletion.gone, deletion.problem[:27]) == (set(), "Discord cannot be reached: ")
