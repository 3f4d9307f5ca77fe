"""Posts of the bot are deleted over Discord's real protocol; one that cannot be is told, with the reason."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from discord.http import Route

from bot.posts import NOT_MINE, OUT_OF_TIME, Deletion, delete_posts
from ops.erasure.ledger import NotedPost
from tests.builders import closed_port
from tests.fakes_discord import CHANNEL_ID, GOOD_TOKEN, GUILD_ID, USER_ID, FakeDiscord, open_fake_discord
from util_async import no_progress

LONG, SHORT = timedelta(seconds=60), timedelta(seconds=2)
FIRST = 1_400_000_000_000_000_000


def post(number: int, *, author_id: int | None = USER_ID) -> NotedPost:
    return NotedPost(message_id=FIRST + number, channel_id=CHANNEL_ID, guild_id=GUILD_ID, author_id=author_id)


POSTS = [post(number) for number in range(10)]


@pytest.fixture
async def wire(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    """A Discord on the loopback in which all posts are."""
    async with open_fake_discord() as discord:
        discord.posts = {(one.channel_id, one.message_id) for one in POSTS}
        monkeypatch.setattr(Route, "BASE", discord.rest_url)
        yield discord


async def deleted(posts: list[NotedPost], *, token: str = GOOD_TOKEN, timeout: timedelta = LONG) -> Deletion:
    return await delete_posts(token, posts, timeout=timeout, report=no_progress)


async def test_all_are_deleted_and_one_that_is_not_there_is_gone_as_well(wire: FakeDiscord) -> None:
    heard: list[tuple[int, int]] = []
    listed = [*POSTS, post(99)]

    deletion = await delete_posts(
        GOOD_TOKEN, listed, timeout=LONG, report=lambda done, total: heard.append((done, total))
    )

    assert wire.posts == set()
    assert deletion == Deletion(gone={one.message_id for one in listed})
    assert heard[-1] == (11, 11)


@pytest.mark.parametrize("status", [403, 400])
async def test_one_that_discord_keeps_keeps_no_other(wire: FakeDiscord, status: int) -> None:
    wire.kept = {FIRST + 3: status}

    deletion = await deleted(POSTS)

    assert wire.posts == {(CHANNEL_ID, FIRST + 3)}
    assert deletion.gone == {one.message_id for one in POSTS} - {FIRST + 3}
    assert "Missing Access" in deletion.problem


async def test_what_another_account_has_written_is_left_alone(wire: FakeDiscord) -> None:
    deletion = await deleted([post(1, author_id=USER_ID + 1), post(2, author_id=None)])

    assert (deletion.gone, deletion.problem) == ({FIRST + 2}, NOT_MINE)
    assert (CHANNEL_ID, FIRST + 1) in wire.posts


async def test_a_refused_token_deletes_nothing(wire: FakeDiscord) -> None:
    deletion = await deleted(POSTS, token="bad")

    assert deletion.gone == set()
    assert deletion.problem.startswith("Discord refuses DISCORD_TOKEN")
    assert len(wire.posts) == len(POSTS)


async def test_a_discord_that_does_not_answer_costs_no_more_than_the_time_given(wire: FakeDiscord) -> None:
    wire.hung = {FIRST + 1}

    deletion = await deleted(POSTS, timeout=SHORT)

    assert deletion.problem == OUT_OF_TIME
    assert FIRST + 1 not in deletion.gone


async def test_no_discord_at_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "BASE", f"http://127.0.0.1:{closed_port()}")

    deletion = await deleted(POSTS)

    assert (deletion.gone, deletion.problem[:27]) == (set(), "Discord cannot be reached: ")
