"""Pages and single messages are read over Discord's REST API, and no error is taken for a deletion."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import discord
import pytest

from bot.history.rest import HistoryReader
from bot.history.source import ReadablePlace
from bot.other_bots import OtherBots
from errors import DiscordUnavailableError, RefusedPlaceError
from memory.coverage.intervals import Interval, first_id_at
from memory.message import Place
from tests.fake_discord import Channel, FakeDiscord, Guild, Message
from tests.fake_discord.models import HISTORY, VIEW

LONG_AGO = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOW = LONG_AGO + timedelta(days=9)


@pytest.fixture
def guild(fake: FakeDiscord) -> Guild:
    return fake.world.guild("Harbour")


@pytest.fixture
def general(fake: FakeDiscord, guild: Guild) -> Channel:
    return fake.world.channel(guild, "general")


@pytest.fixture
async def reader(fake: FakeDiscord, general: Channel) -> AsyncIterator[HistoryReader]:
    """A reader whose client knows the server from the gateway."""
    client = discord.Client(intents=discord.Intents(guilds=True))
    client._connection.guild_ready_timeout = 0.05
    async with client, asyncio.TaskGroup() as group:
        connection = group.create_task(client.start(fake.token))
        await fake.ready()
        await client.wait_until_ready()
        yield HistoryReader(client, session="demo", clock=lambda: NOW)
        connection.cancel()


def place_of(channel: Channel) -> ReadablePlace:
    assert channel.guild is not None
    return ReadablePlace(
        place=Place(guild_id=channel.guild.id, channel_id=channel.id, channel_name=channel.name), last_message_id=None
    )


def said(fake: FakeDiscord, channel: Channel, count: int) -> list[Message]:
    times = (LONG_AGO + timedelta(minutes=number) for number in range(count))
    return [fake.world.say(channel, f"number {number}", at=at) for number, at in enumerate(times)]


async def test_pages_after_a_message_go_from_the_oldest_to_the_present(
    fake: FakeDiscord, reader: HistoryReader, general: Channel
) -> None:
    messages = said(fake, general, 150)
    ids = [message.id for message in messages]

    first = await reader.page_after(place_of(general), ids[0])
    last = await reader.page_after(place_of(general), first.interval.newest_id)

    assert [message.message_id for message in first.messages] == ids[1:101]
    assert (first.interval, first.is_last) == (Interval(ids[0] + 1, ids[100]), False)
    assert [message.message_id for message in last.messages] == ids[101:]
    assert (last.interval, last.is_last) == (Interval(ids[100] + 1, first_id_at(NOW)), True)


async def test_pages_before_a_message_go_from_the_newest_to_the_beginning(
    fake: FakeDiscord, reader: HistoryReader, general: Channel
) -> None:
    ids = [message.id for message in said(fake, general, 150)]

    first = await reader.page_before(place_of(general), ids[149])
    last = await reader.page_before(place_of(general), first.interval.oldest_id)

    assert (first.interval, first.is_last) == (Interval(ids[49], ids[149] - 1), False)
    assert first.ids == frozenset(ids[49:149])
    assert (last.interval, last.is_last) == (Interval(0, ids[49] - 1), True)


async def test_a_message_is_read_as_it_is_kept(fake: FakeDiscord, reader: HistoryReader, general: Channel) -> None:
    ana = fake.world.member(general.guild, "Ana")  # type: ignore[arg-type]
    message = fake.world.say(general, "first", author=ana, at=LONG_AGO)
    fake.world.edit(message, "second", at=LONG_AGO + timedelta(hours=1))

    (kept,) = (await reader.page_after(place_of(general), 0)).messages

    assert (kept.content, kept.author_name, kept.author_id) == ("second", "Ana", ana.id)
    assert kept.edited_at == LONG_AGO + timedelta(hours=1)
    assert (kept.guild_id, kept.channel_id, kept.channel_name) == (general.guild.id, general.id, "general")  # type: ignore[union-attr]


async def test_what_the_bot_said_is_on_the_page_and_not_kept(
    fake: FakeDiscord, reader: HistoryReader, general: Channel
) -> None:
    own = fake.world.say(general, "an answer", author=fake.world.me, at=LONG_AGO)

    page = await reader.page_after(place_of(general), 0)

    assert (page.ids, page.messages) == (frozenset({own.id}), ())


async def test_what_bots_say_that_are_left_out_is_on_the_page_and_not_kept(
    fake: FakeDiscord, reader: HistoryReader, general: Channel
) -> None:
    said_by_bot = fake.world.say(general, "build 7 failed", author=fake.world.user("ci", is_bot=True), at=LONG_AGO)
    leaving_out = HistoryReader(reader._client, session="demo", clock=lambda: NOW, other_bots=OtherBots(frozenset({1})))

    page = await leaving_out.page_after(place_of(general), 0)

    assert (page.ids, page.messages) == (frozenset({said_by_bot.id}), ())
    assert len((await reader.page_after(place_of(general), 0)).messages) == 1


async def test_only_an_unknown_message_counts_as_gone(
    fake: FakeDiscord, reader: HistoryReader, guild: Guild, general: Channel
) -> None:
    message, other = said(fake, general, 2)
    fake.world.delete(message)

    assert await reader.look_up(place_of(general), message.id) is None
    found = await reader.look_up(place_of(general), other.id)
    assert found is not None
    assert found.content == "number 1"

    fake.rest.fail("messages", status=503, times=9)
    with pytest.raises(DiscordUnavailableError):
        await reader.look_up(place_of(general), other.id)


async def test_an_empty_page_of_a_channel_whose_history_is_closed_is_not_believed(
    fake: FakeDiscord, reader: HistoryReader, guild: Guild, general: Channel
) -> None:
    fake.world.say(general, "hello", at=LONG_AGO)
    own = next(role for role in fake.world.bot_in(guild).roles.values())
    for role in (guild.everyone, own):
        fake.world.permit(general, role, deny=HISTORY)
    known = reader._client.get_channel(general.id)
    assert isinstance(known, discord.TextChannel)
    async with asyncio.timeout(10):
        while known.permissions_for(known.guild.me).read_message_history:  # noqa: ASYNC110  # until the event is read
            await asyncio.sleep(0.01)

    for page in (reader.page_after(place_of(general), 0), reader.page_before(place_of(general), first_id_at(NOW))):
        with pytest.raises(RefusedPlaceError):
            await page


async def test_a_channel_that_is_gone_or_hidden_is_closed(
    fake: FakeDiscord, reader: HistoryReader, guild: Guild, general: Channel
) -> None:
    message = fake.world.say(general, "hello", at=LONG_AGO)
    for role in (guild.everyone, *fake.world.bot_in(guild).roles.values()):
        fake.world.permit(general, role, deny=VIEW)
    with pytest.raises(RefusedPlaceError):
        await reader.look_up(place_of(general), message.id)

    fake.world.remove(general)

    with pytest.raises(RefusedPlaceError):
        await reader.look_up(place_of(general), message.id)
    with pytest.raises(RefusedPlaceError):
        await reader.page_before(place_of(general), message.id + 1)
