"""The bot over Discord's real protocol: HTTP and a websocket, on the loopback."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import discord
import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from agent.types import Answer
from bot.client import Bot, serve
from errors import DiscordSetupError
from tests.fakes_discord import (
    CHANNEL_ID,
    GOOD_TOKEN,
    GUILD_ID,
    FakeAsker,
    FakeDiscord,
    FakeRecorder,
    open_fake_discord,
    services,
)


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def bot(recorder: FakeRecorder) -> Bot:
    return Bot(services(recorder, FakeAsker(Answer(text="-"))))


def _point_at(wire: FakeDiscord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "BASE", wire.rest_url)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", wire.gateway_url)


@asynccontextmanager
async def _served(bot: Bot) -> AsyncGenerator[None]:
    """Run the bot for the length of the block."""
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        serving = group.create_task(serve(bot, GOOD_TOKEN))
        yield
        serving.cancel()


async def test_a_refused_token_is_told_in_one_sentence(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_fake_discord() as wire:
        _point_at(wire, monkeypatch)

        with pytest.raises(DiscordSetupError, match="refuses DISCORD_TOKEN: copy the token again"):
            await serve(bot, "bad")

    assert bot.is_closed()


@pytest.mark.parametrize(
    ("close_code", "sentence"),
    [
        pytest.param(4014, "Message Content Intent", id="the privileged intent is switched off"),
        pytest.param(4004, "refuses DISCORD_TOKEN", id="the token was reset after the login"),
        pytest.param(4013, "code 4013", id="anything else that is final"),
    ],
)
async def test_a_gateway_that_closes_for_good_is_told_in_one_sentence(
    bot: Bot, close_code: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_fake_discord(close_code=close_code) as wire:
        _point_at(wire, monkeypatch)

        with pytest.raises(DiscordSetupError, match=sentence):
            await serve(bot, GOOD_TOKEN)

    assert bot.is_closed()


async def test_a_discord_that_is_not_there_is_told_in_one_sentence(
    bot: Bot, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Route, "BASE", f"http://127.0.0.1:{unused_tcp_port}")

    with pytest.raises(DiscordSetupError, match="Discord cannot be reached: Cannot connect to host"):
        await serve(bot, GOOD_TOKEN)

    assert bot.is_closed()


async def test_a_message_is_captured_after_a_normal_login(
    bot: Bot, recorder: FakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_fake_discord() as wire:
        _point_at(wire, monkeypatch)
        async with _served(bot):
            await wire.welcomed.wait()
            await wire.say(700000000000000100, "hello there")
            message = await recorder.news.get()

    assert (message.message_id, message.content, message.author_name) == (700000000000000100, "hello there", "Ana")
    assert (message.guild_id, message.channel_id, message.channel_name) == (GUILD_ID, CHANNEL_ID, "general")
    assert message.sent_at == discord.utils.snowflake_time(700000000000000100)


async def test_an_event_that_discord_py_cannot_read_ends_neither_the_connection_nor_the_capture(
    bot: Bot, recorder: FakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_end: dict[str, object] = {"question": {"text": "When?"}, "answers": [], "expiry": None}
    async with open_fake_discord() as wire:
        _point_at(wire, monkeypatch)
        async with _served(bot):
            await wire.welcomed.wait()
            await wire.say(700000000000000100, "vote", poll=without_end)
            await wire.say(700000000000000101, "hello there")
            kept = [await recorder.news.get() for _ in range(2)]

    assert {message.content for message in kept} == {"vote\nPoll: When?", "hello there"}


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="JSON of another form"),
        pytest.param('{"op": 10, "d": {}}', id="a greeting without what is needed"),
        pytest.param('{"op": 0, "t": "READY", "s": 7, "d": {}}', id="a welcome without what is needed"),
    ],
)
async def test_a_frame_that_discord_py_cannot_read_leads_to_a_new_connection(
    frame: str, bot: Bot, recorder: FakeRecorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_fake_discord() as wire:
        _point_at(wire, monkeypatch)
        async with _served(bot):
            await wire.welcomed.wait()
            await bot.wait_until_ready()
            await wire.send(frame)
            await wire.welcomed.wait()
            await wire.say(700000000000000101, "hello again")
            message = await recorder.news.get()

    assert message.content == "hello again"
    assert len(wire.identified) == 2
    assert "connecting anew" in caplog.text


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param('{"op": 0, "t": "MESSAGE_CREATE", "s": 7, "d": null}', id="a message that is none"),
        pytest.param('{"op": 0, "t": "GUILD_CREATE", "s": 7, "d": {"channels": 7}}', id="a guild that is none"),
        pytest.param('{"op": 0, "t": "CHANNEL_UPDATE", "s": 7, "d": {"flags": []}}', id="a channel that is none"),
        pytest.param('{"op": 0, "t": "INTERACTION_CREATE", "s": 7, "d": {}}', id="a command that is none"),
        pytest.param('{"op": 0, "t": "OF_A_LATER_TIME", "s": 7, "d": {}}', id="an event of a later time"),
        pytest.param('{"op": 99, "d": {}}', id="an operation of a later time"),
    ],
)
async def test_an_event_of_an_unexpected_form_is_passed_over(
    frame: str, bot: Bot, recorder: FakeRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_fake_discord() as wire:
        _point_at(wire, monkeypatch)
        async with _served(bot):
            await wire.welcomed.wait()
            await wire.send(frame)
            await wire.say(700000000000000101, "hello again")
            message = await recorder.news.get()

    assert message.content == "hello again"
    assert len(wire.identified) == 1


async def test_only_the_needed_intents_are_asked_for_and_all_commands_are_published(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_fake_discord() as wire:
        _point_at(wire, monkeypatch)
        async with _served(bot):
            await wire.welcomed.wait()

    asked = discord.Intents._from_value(wire.identified[0]["intents"])
    assert {name for name, wanted in asked if wanted} == {"guilds", "guild_messages", "dm_messages", "message_content"}
    assert {command["name"] for command in wire.published} == {
        "chat",
        "about",
        "help",
        "timezone",
        "servertimezone",
    }


async def test_a_cancelled_bot_closes_its_connection(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_fake_discord() as wire:
        _point_at(wire, monkeypatch)
        async with _served(bot):
            await wire.welcomed.wait()

        assert bot.is_closed()
        assert await wire.left.wait()


async def test_commands_are_published_in_the_bots_server_once_it_is_invited_there(
    recorder: FakeRecorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bot = Bot(services(recorder, FakeAsker(Answer(text="-"))), server_id=GUILD_ID)
    bot._connection.guild_ready_timeout = 0.0  # nothing to wait for: this bot starts in no guild
    async with open_fake_discord(in_guild=False) as wire:
        _point_at(wire, monkeypatch)
        async with _served(bot):
            await wire.welcomed.wait()
            await bot.wait_until_ready()
            await wire.invite()
            await wire.published_in_guild.wait()

    assert wire.refusals == 1
    assert f"The bot is not in server {GUILD_ID} (DISCORD_SERVER_ID) yet" in caplog.text
