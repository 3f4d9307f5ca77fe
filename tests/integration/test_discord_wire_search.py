"""Minute one over Discord's real protocol: what was said before the bot came is found by Discord's own search."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.agent import Agent
from bot.beyond import INDEX_NOT_READY
from bot.client import Bot
from bot.commands import PRIVATE_HERE
from memory.message import Kind
from tests.end_to_end.test_discord_search import Ledger, RememberingRecorder
from tests.fake_discord import Channel, FakeDiscord, Guild, Member
from tests.fakes import FakeMemory
from tests.fakes_discord import NOW, FakeAsker, services
from tests.wire import served

FOUNDED, LONG_AGO = NOW - timedelta(days=400), NOW - timedelta(days=300)


@pytest.fixture
def guild(fake: FakeDiscord) -> Guild:
    return fake.world.guild("Harbour")


@pytest.fixture
def general(fake: FakeDiscord, guild: Guild) -> Channel:
    return fake.world.channel(guild, "general", channel_id=fake.world.new_id(FOUNDED))


@pytest.fixture
def ana(fake: FakeDiscord, guild: Guild) -> Member:
    return fake.world.member(guild, "Ana")


@pytest.fixture
def recorder() -> RememberingRecorder:
    return RememberingRecorder(FakeMemory())


@pytest.fixture
def bot(recorder: RememberingRecorder) -> Bot:
    given = services(recorder, FakeAsker(RuntimeError("not asked")))
    bot = Bot(replace(given, asker=Agent((), memory=recorder.memory)))
    bot._commands.answerer._coverage = Ledger()
    return bot


async def test_what_was_said_before_the_bot_came_is_found_stored_and_marked(
    bot: Bot, fake: FakeDiscord, recorder: RememberingRecorder, general: Channel, ana: Member
) -> None:
    said = fake.world.say(general, "the ferry does leave at noon", author=ana, at=LONG_AGO)

    async with served(bot, fake):
        text = await fake.interactions.answered(fake.interactions.use(general, ana, "chat", text="the ferry leave?"))

    assert "the ferry does leave at noon" in text
    assert "[1] found by Discord's search" in text
    (stored,) = recorder.of_kind(Kind.MESSAGE)
    assert (stored.message_id, stored.channel_id, stored.author_name) == (said.id, general.id, "Ana")


async def test_a_post_in_an_archived_thread_is_found_by_whoever_reads_its_channel(
    bot: Bot, fake: FakeDiscord, recorder: RememberingRecorder, general: Channel, ana: Member
) -> None:
    thread = fake.world.thread(general, "boats", owner=ana)
    fake.world.say(thread, "the ferry does leave at noon", author=ana, at=LONG_AGO)
    fake.world.archive(thread)

    async with served(bot, fake):
        text = await fake.interactions.answered(fake.interactions.use(general, ana, "chat", text="the ferry leave?"))

    assert "the ferry does leave at noon" in text
    stored = next(message for message in recorder.of_kind(Kind.MESSAGE) if "noon" in message.content)
    assert (stored.thread_id, stored.access_id, stored.channel_name) == (thread.id, general.id, "general › boats")


async def test_an_index_that_is_not_ready_is_no_empty_result(
    bot: Bot, fake: FakeDiscord, guild: Guild, general: Channel, ana: Member
) -> None:
    fake.world.say(general, "the ferry does leave at noon", author=ana, at=LONG_AGO)
    guild.is_indexed = False

    async with served(bot, fake):
        text = await fake.interactions.answered(fake.interactions.use(general, ana, "chat", text="the ferry leave?"))

    assert INDEX_NOT_READY in text


async def test_a_channel_that_discord_hides_from_the_bot_gets_private_answers(
    bot: Bot, fake: FakeDiscord, guild: Guild, ana: Member
) -> None:
    hidden = fake.world.channel(guild, "den")
    fake.world.hide(hidden)

    async with served(bot, fake):
        asked = fake.interactions.use(hidden, ana, "chat", text="the ferry leave?")
        text = await fake.interactions.answered(asked)

    assert all(message.is_ephemeral for message in asked.messages())
    assert PRIVATE_HERE in text
