"""A bot that is spread over shards and processes, over Discord's real protocol."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from discord.gateway import DiscordWebSocket

from agent.types import Answer
from bot.client import SHARDS_REFUSED, Bot, serve
from db.shards import ShardRange
from errors import DiscordSetupError
from tests.fake_discord import Channel, FakeDiscord
from tests.fake_discord.gateway import Session
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.wire import served, without_pauses

COUNT = 4


@pytest.fixture
def channels(fake: FakeDiscord) -> list[Channel]:
    """A channel of one guild of each shard, in order."""
    guilds = [fake.world.guild(f"Guild {shard}", guild_id=(1000 * COUNT + shard) << 22) for shard in range(COUNT)]
    return [fake.world.channel(guild, f"channel {shard}") for shard, guild in enumerate(guilds)]


def bot_of(recorder: FakeRecorder, shards: str | None) -> Bot:
    asker = FakeAsker(Answer(text="-"))
    return Bot(services(recorder, asker), shards=None if shards is None else ShardRange.parse(shards))


def session_of(fake: FakeDiscord, shard_id: int) -> Session:
    (session,) = (session for session in fake.gateway.connected if session.shard_id == shard_id)
    return session


def identified(fake: FakeDiscord) -> list[Any]:
    return sorted(tuple(data["shard"]) for data in fake.gateway.identified)


async def test_each_of_two_processes_hears_of_the_guilds_of_its_shards_and_of_no_other(
    fake: FakeDiscord, channels: list[Channel]
) -> None:
    left, right = FakeRecorder(), FakeRecorder()
    async with AsyncExitStack() as stack:
        for recorder, shards in ((left, "0-1/4"), (right, "2-3/4")):
            await stack.enter_async_context(served(bot_of(recorder, shards), fake))
        for shard, channel in enumerate(channels):
            fake.world.say(channel, f"said to shard {shard}")
        heard = [[(await recorder.news.get()).content for _ in range(2)] for recorder in (left, right)]

    assert [sorted(texts) for texts in heard] == [
        ["said to shard 0", "said to shard 1"],
        ["said to shard 2", "said to shard 3"],
    ]
    assert left.news.empty()
    assert right.news.empty()
    assert identified(fake) == [(0, 4), (1, 4), (2, 4), (3, 4)]


async def test_direct_messages_come_to_the_process_of_shard_0(fake: FakeDiscord, channels: list[Channel]) -> None:
    left, right = FakeRecorder(), FakeRecorder()
    async with AsyncExitStack() as stack:
        for recorder, shards in ((left, "0-1/4"), (right, "2-3/4")):
            await stack.enter_async_context(served(bot_of(recorder, shards), fake))
        ana = fake.world.user("ana")
        fake.world.say(fake.world.direct_message(ana), "to you alone", author=ana)
        fake.world.say(channels[3], "to everybody")
        heard = [(await recorder.news.get()).content for recorder in (left, right)]

    assert heard == ["to you alone", "to everybody"]
    assert left.news.empty()
    assert right.news.empty()


async def test_as_many_shards_are_run_as_discord_recommends(fake: FakeDiscord, channels: list[Channel]) -> None:
    fake.gateway.shards = 2
    recorder = FakeRecorder()
    async with served(bot_of(recorder, None), fake):
        for channel in channels:
            fake.world.say(channel, "hello")
        for _ in channels:
            await recorder.news.get()

    assert identified(fake) == [(0, 2), (1, 2)]


async def test_commands_are_published_by_the_process_of_shard_0_alone(fake: FakeDiscord) -> None:
    async with served(bot_of(FakeRecorder(), "2-3/4"), fake):
        assert fake.rest.count("/commands") == 0

    async with served(bot_of(FakeRecorder(), "0-1/4"), fake):
        assert fake.rest.count("/commands") == 1


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param("{", id="no JSON"),
        pytest.param('{"op": 0, "t": "READY", "s": 7, "d": {}}', id="a welcome without what is needed"),
    ],
)
async def test_a_frame_that_cannot_be_read_costs_its_own_shard_a_new_session_and_no_other_one(
    frame: str, fake: FakeDiscord, channels: list[Channel]
) -> None:
    recorder = FakeRecorder()
    async with served(bot_of(recorder, "0-1/4"), fake):
        kept = session_of(fake, 0)
        session_of(fake, 1).outbox.put_nowait(frame)
        fake.world.say(channels[0], "meanwhile")
        assert (await recorder.news.get()).content == "meanwhile"
        await fake.ready(3)
        fake.world.say(channels[1], "afterwards")
        assert (await recorder.news.get()).content == "afterwards"

        assert session_of(fake, 0) is kept

    assert identified(fake) == [(0, 4), (1, 4), (1, 4)]


async def test_a_shard_takes_its_session_up_again_even_when_it_cannot_connect_at_first(
    fake: FakeDiscord, channels: list[Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = FakeRecorder()
    connect, attempts = DiscordWebSocket.from_client, 0

    async def fail_at_first(*arguments: Any, **options: Any) -> DiscordWebSocket:
        nonlocal attempts
        attempts += 1
        if attempts <= 2:
            raise OSError("the network is down")
        return await connect(*arguments, **options)

    async with served(bot_of(recorder, "0-1/4"), fake):
        monkeypatch.setattr(DiscordWebSocket, "from_client", fail_at_first)
        await fake.gateway.drop()
        for channel in channels[:2]:
            fake.world.say(channel, "while the network was down")
        for _ in range(2):
            assert (await recorder.news.get()).content == "while the network was down"

    assert recorder.news.empty()
    assert len(fake.gateway.resumed) == 2
    assert len(fake.gateway.identified) == 2, "a new session would have missed what was said meanwhile"


class NotedHistory:
    """Notes what is to be read again."""

    def __init__(self) -> None:
        self.missed: list[list[int]] = []

    def connected(self, guild_ids: Iterable[int]) -> None:
        self.missed.append(list(guild_ids))

    async def close(self) -> None:
        """Do nothing: nothing is being read."""


async def test_a_shard_that_begins_a_new_session_has_the_past_of_its_own_guilds_read_again(
    fake: FakeDiscord, channels: list[Channel]
) -> None:
    history, bot = NotedHistory(), bot_of(FakeRecorder(), "0-1/4")
    bot._history = history  # type: ignore[assignment]
    first, second = (channel.guild.id for channel in channels[:2] if channel.guild)
    async with served(bot, fake):
        ended = session_of(fake, 1)
        del fake.gateway.sessions[ended.session_id]
        ended.outbox.put_nowait('{"op": 9, "d": false}')
        async with asyncio.timeout(20):
            while len(history.missed) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    assert sorted(history.missed[:2]) == [[first], [second]]
    assert history.missed[2:] == [[second]]


async def test_a_bot_is_connected_while_all_of_its_shards_are(
    fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = bot_of(FakeRecorder(), "0-1/4")

    async def is_down(*_: Any, **__: Any) -> DiscordWebSocket:
        raise OSError("the network is down")

    assert not bot.is_connected()
    async with served(bot, fake):
        await fake.until(lambda: fake.gateway.heartbeats >= 2)
        async with asyncio.timeout(10):
            while not bot.is_connected():  # noqa: ASYNC110  # the second answer is on its way
                await asyncio.sleep(0.01)
        monkeypatch.setattr(DiscordWebSocket, "from_client", is_down)
        lost = session_of(fake, 1)
        assert lost.socket is not None
        await lost.socket.close(code=4000)
        async with asyncio.timeout(10):
            while bot.is_connected():  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("code", [4010, 4011])
async def test_shards_that_discord_refuses_are_told_in_one_sentence(code: int, fake: FakeDiscord) -> None:
    fake.gateway.close_code = code
    bot = bot_of(FakeRecorder(), "0-1/4")
    without_pauses(bot)

    with pytest.raises(DiscordSetupError) as caught:
        await serve(bot, fake.token)

    assert str(caught.value) == SHARDS_REFUSED
    assert bot.is_closed()
