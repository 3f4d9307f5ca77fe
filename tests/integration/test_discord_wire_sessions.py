"""What becomes of the bot when Discord interrupts it, limits it or fails, over Discord's real protocol."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import discord
import pytest
from aiohttp import ClientSession
from sqlalchemy import select

from agent.types import Answer
from bot.client import Bot
from db.databases import Database
from db.engines import transaction
from db.schema import MessageRow
from memory.capture.recorder import open_recorder
from memory.embedding.embedder import Embedder
from tests.fake_discord import Channel, FakeDiscord, Guild, Limits, Rate, open_fake_discord
from tests.fake_discord.limits import HISTORY, RATES
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.wire import served, without_pauses

PATIENCE = timedelta(seconds=60)


@pytest.fixture
def guild(fake: FakeDiscord) -> Guild:
    return fake.world.guild("Harbour")


@pytest.fixture
def general(fake: FakeDiscord, guild: Guild) -> Channel:
    return fake.world.channel(guild, "general")


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def bot(recorder: FakeRecorder) -> Bot:
    return Bot(services(recorder, FakeAsker(Answer(text="-"))))


async def heard(recorder: FakeRecorder, count: int) -> list[str]:
    return [(await recorder.news.get()).content for _ in range(count)]


# ---- interruptions


async def asked_to_reconnect(fake: FakeDiscord) -> None:
    fake.gateway.ask_to_reconnect()


async def told_that_it_may_resume(fake: FakeDiscord) -> None:
    fake.gateway.invalidate(resumable=True)


async def cut_off(fake: FakeDiscord) -> None:
    await fake.gateway.drop()


async def cut_off_without_a_word(fake: FakeDiscord) -> None:
    await fake.gateway.drop(code=None)


async def closed_for_no_reason(fake: FakeDiscord) -> None:
    await fake.gateway.drop(code=1000)


Interruption = Callable[[FakeDiscord], Awaitable[None]]


@pytest.mark.parametrize(
    "interrupt",
    [
        pytest.param(asked_to_reconnect, id="Discord asks it to come back (op 7)"),
        pytest.param(told_that_it_may_resume, id="its session may be resumed (op 9)"),
        pytest.param(cut_off, id="its connection is closed"),
        pytest.param(closed_for_no_reason, id="its connection is closed as if all were well"),
        pytest.param(cut_off_without_a_word, id="its connection is lost"),
    ],
)
async def test_what_is_said_meanwhile_is_heard_once_when_the_session_goes_on(
    interrupt: Interruption, bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, general: Channel
) -> None:
    async with served(bot, fake):
        fake.world.say(general, "before")
        assert await heard(recorder, 1) == ["before"]
        await interrupt(fake)
        fake.world.say(general, "meanwhile")
        await fake.ready(2)
        fake.world.say(general, "after")
        assert await heard(recorder, 2) == ["meanwhile", "after"]

    assert recorder.news.empty()
    assert (len(fake.gateway.identified), len(fake.gateway.resumed)) == (1, 1)


async def test_a_connection_that_answers_no_heartbeat_is_given_up_and_the_session_goes_on(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, general: Channel
) -> None:
    fake.gateway.heartbeat_interval = 100
    bot._connection.heartbeat_timeout = 0.4
    async with served(bot, fake):
        fake.gateway.is_silent, before = True, len(fake.gateway.resumed)
        await fake.until(lambda: len(fake.gateway.resumed) > before)
        fake.gateway.is_silent = False
        fake.world.say(general, "still here?")
        assert await heard(recorder, 1) == ["still here?"]

    assert len(fake.gateway.identified) == 1


async def test_a_heartbeat_that_discord_asks_for_is_sent_at_once(bot: Bot, fake: FakeDiscord) -> None:
    async with served(bot, fake):
        before = fake.gateway.heartbeats
        fake.gateway.ask_for_heartbeat()
        await fake.until(lambda: fake.gateway.heartbeats > before)


async def test_edits_and_deletions_made_meanwhile_are_heard_when_the_session_goes_on(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, general: Channel
) -> None:
    async with served(bot, fake):
        first, second = fake.world.say(general, "one"), fake.world.say(general, "two")
        await heard(recorder, 2)
        await fake.gateway.drop()
        fake.world.edit(first, "one, changed")
        fake.world.delete(second)
        edited, deleted = await recorder.news.get(), await recorder.news.get()

    assert (edited.message_id, edited.content) == (first.id, "one, changed")
    assert (deleted.message_id, deleted.deleted_at is not None) == (second.id, True)


@pytest.mark.parametrize("ended", ["by Discord (op 9)", "while the bot was away"])
async def test_a_session_that_has_ended_is_begun_anew_and_what_was_said_meanwhile_is_not_replayed(
    ended: str, bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, guild: Guild, general: Channel
) -> None:
    async with served(bot, fake):
        fake.world.say(general, "before")
        await heard(recorder, 1)
        if ended.startswith("by"):
            fake.gateway.invalidate(resumable=False)
        else:
            await fake.gateway.drop()
            fake.gateway.forget_sessions()
        fake.world.say(general, "meanwhile")
        fresh = fake.world.channel(guild, "new here")
        await fake.ready(2)
        fake.world.say(fresh, "after")
        assert await heard(recorder, 1) == ["after"]

    assert recorder.messages[-1].channel_name == "new here"
    assert recorder.news.empty()
    assert len(fake.gateway.identified) == 2


async def test_a_bot_that_stops_ends_its_session(bot: Bot, fake: FakeDiscord) -> None:
    async with served(bot, fake):
        assert len(fake.gateway.sessions) == 1

    await fake.until(lambda: not fake.gateway.sessions)


async def test_each_shard_hears_of_its_own_servers(fake: FakeDiscord) -> None:
    guilds = [fake.world.guild(f"number {number}", guild_id=number << 22) for number in range(1, 6)]
    channels = [fake.world.channel(guild, "general") for guild in guilds]
    heard: Counter[tuple[int, str]] = Counter()
    all_heard = asyncio.Event()
    fake.gateway.shards = 2

    class Sharded(discord.AutoShardedClient):
        async def on_message(self, message: discord.Message) -> None:
            assert message.guild is not None
            heard[message.guild.shard_id, message.content] += 1
            if len(heard) == len(channels):
                all_heard.set()

    client = Sharded(intents=discord.Intents(guilds=True, guild_messages=True, message_content=True))
    without_pauses(client)
    async with client:
        await client.login(fake.token)
        connecting = client.loop.create_task(client.connect())
        await fake.ready(2)
        for channel in channels:
            fake.world.say(channel, f"in {channel.guild.name if channel.guild else ''}")
        await asyncio.wait_for(all_heard.wait(), PATIENCE.total_seconds())
        await client.close()
        await connecting

    assert [data["shard"] for data in fake.gateway.identified] == [[0, 2], [1, 2]]
    assert heard == Counter({(number % 2, f"in number {number}"): 1 for number in range(1, 6)})


async def test_what_is_sent_twice_is_stored_once(
    fake: FakeDiscord, general: Channel, tmp_path: Path, short_term: Database, embedder: Embedder
) -> None:
    async with open_recorder(
        session="wire",
        journal_path=tmp_path / "wire.csv",
        not_added_path=tmp_path / "wire_not_added.csv",
        sessions=short_term.sessions,
        embedder=embedder,
        batch=64,
    ) as recorder:
        bot = Bot(services(recorder, FakeAsker(Answer(text="-"))))  # type: ignore[arg-type]
        async with served(bot, fake):
            first = fake.world.say(general, "said once")
            await fake.gateway.drop()
            second = fake.world.say(general, "said while away")
            await fake.ready(2)
            fake.gateway.replay()
            third = fake.world.say(general, "the end")
            await _stored_at_last(short_term, third.id)
        assert await recorder.settle(timeout=PATIENCE)

    async with transaction(short_term.sessions) as session:
        rows = (await session.execute(select(MessageRow.message_id, MessageRow.content))).all()
    assert sorted((row.message_id, row.content) for row in rows) == [
        (first.id, "said once"),
        (second.id, "said while away"),
        (third.id, "the end"),
    ]


async def _stored_at_last(database: Database, message_id: int) -> None:
    while True:
        async with transaction(database.sessions) as session:
            if await session.scalar(select(MessageRow.message_id).where(MessageRow.message_id == message_id)):
                return


# ---- limits


async def test_a_request_that_came_too_early_is_made_again_when_discord_says(
    fake: FakeDiscord, general: Channel
) -> None:
    fake.rest.throttle(HISTORY, retry_after=0.2)

    async with discord.Client(intents=discord.Intents.none()) as client:
        await client.login(fake.token)
        begun = client.loop.time()
        assert await client.http.logs_from(general.id, 10) == []
        waited = client.loop.time() - begun

    assert waited >= 0.2
    assert [fake.rest.count(HISTORY, status=status) for status in (429, 200)] == [1, 1]


async def test_a_limit_for_everything_holds_up_all_other_requests_as_well(
    fake: FakeDiscord, guild: Guild, general: Channel
) -> None:
    fake.rest.throttle(HISTORY, retry_after=0.3, is_global=True)

    async with discord.Client(intents=discord.Intents.none()) as client:
        await client.login(fake.token)
        held = client.loop.create_task(client.http.logs_from(general.id, 10))
        while client.http._global_over.is_set():  # noqa: ASYNC110 - nothing tells when it has read the answer
            await asyncio.sleep(0)
        begun = client.loop.time()
        await client.http.get_all_guild_channels(guild.id)
        waited = client.loop.time() - begun
        await held

    assert waited >= 0.2


async def test_a_client_that_reads_the_headers_is_never_refused_and_one_that_does_not_is() -> None:
    statuses: list[int] = []
    limits = Limits(rates={**RATES, HISTORY: Rate(5, 0.3)})
    async with open_fake_discord(limits=limits) as fake:
        general = fake.world.channel(fake.world.guild("Harbour"), "general")
        ids = [fake.world.say(general, f"number {number}").id for number in range(60)]
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.login(fake.token)
            channel = await client.fetch_channel(general.id)
            assert isinstance(channel, discord.TextChannel)
            begun = client.loop.time()
            pages = [await client.http.logs_from(general.id, 5, before=above) for above in ids[5::5]]
            took = client.loop.time() - begun
            assert fake.throttled == []
        async with ClientSession(headers={"Authorization": f"Bot {fake.token}"}) as session:
            for _ in range(6):
                async with session.get(f"{fake.api_base}/channels/{general.id}/messages") as response:
                    statuses.append(response.status)

    assert len(pages) == 11
    assert took >= 0.6
    assert 429 in statuses
    assert {(refusal.route, refusal.is_global) for refusal in fake.throttled} == {(HISTORY, False)}


async def test_more_than_fifty_requests_a_second_are_refused_whatever_they_are_for(fake: FakeDiscord) -> None:
    async with open_fake_discord(limits=Limits(rates={}, usual=None, per_client=Rate(50, 0.5))) as fake:
        guild = fake.world.guild("Harbour")
        channels = [fake.world.channel(guild, f"number {number}") for number in range(60)]
        async with discord.Client(intents=discord.Intents.none()) as client:
            await client.login(fake.token)
            for channel in channels:
                await client.http.get_channel(channel.id)

    assert [refusal.is_global for refusal in fake.throttled] == [True]


# ---- failures


async def test_a_request_that_fails_at_discord_is_made_again(fake: FakeDiscord, general: Channel) -> None:
    fake.rest.fail(HISTORY, status=502)

    async with discord.Client(intents=discord.Intents.none()) as client:
        await client.login(fake.token)
        assert await client.http.logs_from(general.id, 10) == []

    assert fake.rest.count(HISTORY) == 2


async def test_a_start_during_a_fault_at_discord_goes_on_afterwards(
    bot: Bot, fake: FakeDiscord, recorder: FakeRecorder, general: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    fake.rest.fail("PUT /applications", status=500)

    with caplog.at_level(logging.WARNING):
        async with served(bot, fake):
            fake.world.say(general, "hello")
            assert await heard(recorder, 1) == ["hello"]

    assert fake.rest.count("PUT /applications", status=200) == 1
