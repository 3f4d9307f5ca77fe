"""What the bot reads of the past over Discord's REST API, as Discord really answers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import discord
import pytest

from tests.fake_discord import Channel, FakeDiscord, Guild, Overwrite
from tests.fake_discord.models import FORUM, HISTORY, MANAGE_THREADS, VIEW

LONG_AGO = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
async def client(fake: FakeDiscord) -> AsyncIterator[discord.Client]:
    """A client that is logged in over HTTP alone."""
    async with discord.Client(intents=discord.Intents.none()) as client:
        await client.login(fake.token)
        yield client


@pytest.fixture
def guild(fake: FakeDiscord) -> Guild:
    return fake.world.guild("Harbour")


@pytest.fixture
def general(fake: FakeDiscord, guild: Guild) -> Channel:
    return fake.world.channel(guild, "general")


def said(fake: FakeDiscord, channel: Channel, count: int) -> list[int]:
    """Let so much be said, one message a minute, and return the ids from the oldest on."""
    times = (LONG_AGO + timedelta(minutes=number) for number in range(count))
    return [fake.world.say(channel, f"number {number}", at=at).id for number, at in enumerate(times)]


async def page(client: discord.Client, channel: Channel, **where: int) -> list[int]:
    """Return the ids of a page in the order in which Discord answers."""
    return [int(data["id"]) for data in await client.http.logs_from(channel.id, where.pop("limit", 100), **where)]


async def test_a_page_before_a_message_is_the_newest_hundred_below_it_newest_first(
    fake: FakeDiscord, client: discord.Client, general: Channel
) -> None:
    ids = said(fake, general, 250)

    assert await page(client, general) == ids[:149:-1]
    assert await page(client, general, before=ids[150]) == ids[149:49:-1]
    assert await page(client, general, before=ids[50]) == ids[49::-1]
    assert await page(client, general, before=ids[0]) == []


async def test_a_page_after_a_message_is_the_oldest_hundred_above_it_newest_first(
    fake: FakeDiscord, client: discord.Client, general: Channel
) -> None:
    ids = said(fake, general, 250)

    assert await page(client, general, after=ids[0]) == ids[100:0:-1]
    assert await page(client, general, after=0) == ids[99::-1]
    assert await page(client, general, after=ids[200]) == ids[:200:-1]
    assert await page(client, general, after=ids[-1]) == []


async def test_a_page_around_a_message_has_both_sides_of_it(
    fake: FakeDiscord, client: discord.Client, general: Channel
) -> None:
    ids = said(fake, general, 20)

    assert await page(client, general, around=ids[10], limit=5) == ids[12:7:-1]


@pytest.mark.parametrize("limit", [0, 101])
async def test_a_page_of_another_size_is_refused(client: discord.Client, general: Channel, limit: int) -> None:
    with pytest.raises(discord.HTTPException, match="50035"):
        await page(client, general, limit=limit)


async def test_discord_py_walks_through_all_pages_in_either_direction(
    fake: FakeDiscord, client: discord.Client, general: Channel
) -> None:
    ids = said(fake, general, 230)
    channel = await client.fetch_channel(general.id)
    assert isinstance(channel, discord.TextChannel)

    assert [message.id async for message in channel.history(limit=None)] == ids[::-1]
    assert [message.id async for message in channel.history(limit=None, after=LONG_AGO)] == ids[1:]


async def test_a_message_that_is_not_there_has_a_code_of_its_own(
    fake: FakeDiscord, client: discord.Client, general: Channel
) -> None:
    message = fake.world.say(general, "gone soon")
    found = await client.http.get_message(general.id, message.id)
    fake.world.delete(message)

    with pytest.raises(discord.NotFound) as caught:
        await client.http.get_message(general.id, message.id)

    assert (found["content"], caught.value.code) == ("gone soon", 10008)
    assert "guild_id" not in found


async def test_a_channel_that_the_bot_may_not_see_is_left_out_and_refused(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel
) -> None:
    secret = fake.world.channel(guild, "secret", overwrites={guild.everyone: Overwrite(deny=VIEW)})
    own = next(iter(fake.world.bot_in(guild).roles.values()))
    for role in (guild.everyone, own):
        fake.world.permit(secret, role, deny=VIEW)

    listed = await client.http.get_all_guild_channels(guild.id)

    assert [channel["name"] for channel in listed] == ["general"]
    with pytest.raises(discord.Forbidden, match="50001"):
        await page(client, secret)


async def test_a_channel_without_its_past_has_an_empty_history(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel
) -> None:
    said(fake, general, 3)
    for role in (guild.everyone, *fake.world.bot_in(guild).roles.values()):
        fake.world.permit(general, role, deny=HISTORY)

    assert await page(client, general) == []


async def test_active_threads_come_at_once_and_private_ones_only_with_a_right_to_them(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel
) -> None:
    fake.world.thread(general, "open")
    fake.world.thread(general, "closed", archived=True)
    fake.world.thread(general, "between us", private=True)
    fake.world.thread(general, "with the bot", private=True, members=[fake.world.bot_in(guild)])

    answer = await client.http.get_active_threads(guild.id)

    assert [thread["name"] for thread in answer["threads"]] == ["open", "with the bot"]
    assert [member["user_id"] for member in answer["members"]] == [str(fake.world.me.id)]


async def test_archived_threads_are_paged_by_the_time_of_their_archiving(
    fake: FakeDiscord, client: discord.Client, guild: Guild
) -> None:
    forum = fake.world.channel(guild, "help", kind=FORUM)
    for number in range(5):
        post = fake.world.post(forum, f"question {number}", "how?", at=LONG_AGO + timedelta(hours=number))
        fake.world.archive(post, at=LONG_AGO + timedelta(days=10 - number))

    newest = await client.http.get_public_archived_threads(forum.id, limit=3)
    last = newest["threads"][-1]["thread_metadata"]["archive_timestamp"]
    oldest = await client.http.get_public_archived_threads(forum.id, before=last, limit=3)

    assert [thread["name"] for thread in newest["threads"]] == ["question 0", "question 1", "question 2"]
    assert [thread["name"] for thread in oldest["threads"]] == ["question 3", "question 4"]
    assert (newest["has_more"], oldest["has_more"]) == (True, False)


async def test_archived_private_threads_need_a_right_or_a_membership(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel
) -> None:
    bot = fake.world.bot_in(guild)
    fake.world.thread(general, "between us", private=True, archived=True)
    fake.world.thread(general, "with the bot", private=True, archived=True, members=[bot])

    joined = await client.http.get_joined_private_archived_threads(general.id)
    with pytest.raises(discord.Forbidden):
        await client.http.get_private_archived_threads(general.id)
    fake.world.permit(general, bot, allow=MANAGE_THREADS)
    every = await client.http.get_private_archived_threads(general.id)

    assert [thread["name"] for thread in joined["threads"]] == ["with the bot"]
    assert {thread["name"] for thread in every["threads"]} == {"between us", "with the bot"}


async def test_members_are_looked_up_one_by_one(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel
) -> None:
    ana, ben = fake.world.member(guild, "Ana"), fake.world.member(guild, "Ben")
    thread = fake.world.thread(general, "between us", owner=ana)

    assert (await client.http.get_member(guild.id, ben.id))["user"]["username"] == "ben"
    assert (await client.http.get_thread_member(thread.id, ana.id))["user_id"] == str(ana.id)
    with pytest.raises(discord.NotFound, match="10007"):
        await client.http.get_thread_member(thread.id, ben.id)
    fake.world.leave(ben)
    with pytest.raises(discord.NotFound, match="10007"):
        await client.http.get_member(guild.id, ben.id)


async def test_the_members_of_each_role_are_counted(fake: FakeDiscord, client: discord.Client, guild: Guild) -> None:
    staff, jailed = fake.world.role(guild, "staff"), fake.world.role(guild, "jailed")
    fake.world.member(guild, "Ana", roles=[staff])
    fake.world.member(guild, "Ben", roles=[staff])

    counts = await client.http.request(
        discord.http.Route("GET", "/guilds/{guild_id}/roles/member-counts", guild_id=guild.id)
    )

    assert (counts[str(staff.id)], counts[str(jailed.id)]) == (2, 0)


async def test_a_search_while_the_index_is_built_is_no_answer_and_later_hits_are_nested(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel
) -> None:
    route = discord.http.Route("GET", "/guilds/{guild_id}/messages/search", guild_id=guild.id)
    query = [("content", "Harbour"), ("channel_id", str(general.id)), ("limit", "25")]
    other = fake.world.channel(guild, "other")
    hit = fake.world.say(general, "lunch at the harbour")
    fake.world.say(other, "the harbour is closed")
    guild.is_indexed = False

    early = await client.http.request(route, params=query)
    guild.is_indexed = True
    found = await client.http.request(route, params=query)

    assert early["code"] == 110000
    assert "messages" not in early
    assert [[message["id"] for message in group] for group in found["messages"]] == [[str(hit.id)]]
    assert found["total_results"] == 1


async def test_an_attached_file_can_be_downloaded(fake: FakeDiscord, client: discord.Client, general: Channel) -> None:
    fake.world.say(general, attachments=[fake.world.attachment("notes.txt", b"the ferry leaves at noon")])
    channel = await client.fetch_channel(general.id)
    assert isinstance(channel, discord.TextChannel)

    message = await anext(channel.history(limit=1))

    assert await message.attachments[0].read() == b"the ferry leaves at noon"
