"""Mentions over Discord's real protocol: typing is seen at once, and nothing that Discord refuses is in the way."""

import asyncio
import logging

import pytest

from agent.types import Answer
from bot.client import Bot
from memory.message import Kind
from tests.fake_discord import Channel, FakeDiscord, Guild, Member
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.wire import served

TYPING_WITHIN = 0.3  # seconds
SOON = 3.0  # seconds


@pytest.fixture
def guild(fake: FakeDiscord) -> Guild:
    return fake.world.guild("Harbour")


@pytest.fixture
def general(fake: FakeDiscord, guild: Guild) -> Channel:
    return fake.world.channel(guild, "general")


@pytest.fixture
def ana(fake: FakeDiscord, guild: Guild) -> Member:
    return fake.world.member(guild, "Ana")


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker(Answer(text="At noon."))


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def bot(recorder: FakeRecorder, asker: FakeAsker) -> Bot:
    return Bot(services(recorder, asker))


def thinks_for(asker: FakeAsker, seconds: float) -> None:
    async def thinking(for_ever: object) -> None:
        if asyncio.iscoroutine(for_ever):
            for_ever.close()
        await asyncio.sleep(seconds)

    asker.hold = thinking


async def answered(recorder: FakeRecorder) -> None:
    """Wait until an answer was sent."""
    async with asyncio.timeout(20):
        while (await recorder.news.get()).kind is not Kind.ANSWER:
            pass


async def test_typing_is_seen_at_once_and_ends_with_the_answer(
    bot: Bot, fake: FakeDiscord, asker: FakeAsker, recorder: FakeRecorder, general: Channel, ana: Member
) -> None:
    thinks_for(asker, 1.0)
    async with served(bot, fake):
        asked_at = asyncio.get_running_loop().time()
        fake.world.say(general, f"<@{fake.world.me.id}> when does the ferry leave?", author=ana)
        await answered(recorder)

    typed = [request.at - asked_at for request in fake.rest.requests if request.path.endswith("/typing")]
    assert len(typed) == 1
    assert typed[0] < TYPING_WITHIN


async def test_a_limit_on_typing_holds_up_no_answer(
    bot: Bot, fake: FakeDiscord, asker: FakeAsker, recorder: FakeRecorder, general: Channel, ana: Member
) -> None:
    thinks_for(asker, 0.1)
    fake.rest.throttle("/typing", retry_after=30)
    async with served(bot, fake):
        asked_at = asyncio.get_running_loop().time()
        fake.world.say(general, f"<@{fake.world.me.id}> when does the ferry leave?", author=ana)
        await answered(recorder)
        took = asyncio.get_running_loop().time() - asked_at

    assert took < SOON


async def test_an_answer_that_came_too_early_is_sent_again_and_costs_no_traceback(
    bot: Bot,
    fake: FakeDiscord,
    recorder: FakeRecorder,
    general: Channel,
    ana: Member,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake.rest.throttle("POST /channels/{channel_id}/messages", retry_after=0.2)
    caplog.set_level(logging.INFO, logger="bot")
    async with served(bot, fake):
        question = fake.world.say(general, f"<@{fake.world.me.id}> when does the ferry leave?", author=ana)
        await answered(recorder)

    (answer,) = recorder.of_kind(Kind.ANSWER)
    assert answer.reply_to == question.id
    assert "At noon." in answer.content
    assert not any(record.exc_info for record in caplog.records)
