"""/status says how the bot is, to whoever asks alone."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import simcord

from agent.types import Answer
from bot.client import Bot
from bot.features.status import commands
from memory.consent.opt_outs import Wish
from memory.consent.pauses import Pause
from memory.consent.rules import Rules
from memory.health import Health
from tests.fakes_consent import FakeConsent
from tests.fakes_discord import NOW, FakeAsker, FakeRecorder, services
from tests.seen import seen

WELL = Health(
    version="0.5.0",
    models="embeddings: made up; language model: extractive",
    answering=("short-term", "long-term"),
    silent=(),
    waiting_bytes=0,
    journal_is_failing=False,
    last_message_at=NOW - timedelta(minutes=5),
)


@dataclass
class FakeHealth:
    """Says what it is told to say."""

    now: Health = WELL

    async def __call__(self, _: int | None) -> Health:
        return self.now


@pytest.fixture
def health() -> FakeHealth:
    return FakeHealth()


@pytest.fixture
def consent() -> FakeConsent:
    return FakeConsent()


@pytest.fixture
def simcord_bot(health: FakeHealth, consent: FakeConsent) -> Bot:
    return Bot(services(FakeRecorder(), FakeAsker(Answer(text="-")), consent=consent, health=health))


@pytest.fixture
def guild(simcord_env: simcord.Env) -> simcord.GuildHandle:
    return simcord_env.create_guild("Guild")


@pytest.fixture
def general(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("general")


@pytest.fixture
def ana(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    return guild.add_member(simcord_env.create_user("ana"))


async def test_it_says_of_each_language_model_how_it_is(
    ana: simcord.MemberActor, general: simcord.ChannelHandle, health: FakeHealth
) -> None:
    health.now = replace(WELL, language_models=("openai:a: 3 answered, 1 not in 24 hours", "ollama:b: not asked yet"))

    text = (await status(ana, general)).replace("\\", "")  # names are escaped

    assert "**All is well.**" in text
    assert "**Language model** openai:a: 3 answered, 1 not in 24 hours" in text
    assert "**Language model** ollama:b: not asked yet" in text

    health.now = replace(health.now, models_rest=True)
    assert commands.SOMETHING_IS_WRONG in await status(ana, general)


async def status(member: simcord.MemberActor, channel: simcord.ChannelHandle) -> str:
    result = await member.slash(channel, "status")
    assert result.response is not None
    assert result.response.ephemeral
    return seen(result.response)


async def test_all_is_well(ana: simcord.MemberActor, general: simcord.ChannelHandle) -> None:
    shown = await status(ana, general)

    assert "short-term memory**: answers" in shown
    assert "Waits to be stored**: nothing" in shown
    assert "extractive" in shown
    assert "0.5.0" in shown
    assert f"<t:{int((NOW - timedelta(minutes=5)).timestamp())}:R>" in shown
    assert "Paused**: no" in shown


async def test_what_is_not_well_is_said(
    ana: simcord.MemberActor, general: simcord.ChannelHandle, health: FakeHealth
) -> None:
    health.now = replace(
        WELL, answering=("long-term",), silent=("short-term",), waiting_bytes=12_345, journal_is_failing=True
    )

    shown = await status(ana, general)

    assert commands.SOMETHING_IS_WRONG in shown
    assert "short-term memory**: does not answer" in shown
    assert "12,345 bytes" in shown
    assert "cannot be written" in shown


async def test_what_holds_where_somebody_asks_and_for_them_is_said(
    ana: simcord.MemberActor, guild: simcord.GuildHandle, general: simcord.ChannelHandle, consent: FakeConsent
) -> None:
    await consent.opt_out(ana.id, Wish.EVERYTHING, at=NOW)
    consent.rules = replace(consent.rules, pauses={guild.id: (Pause(start=NOW - timedelta(hours=1)),)})

    shown = await status(ana, general)

    assert "Paused**: nothing that is said here is kept" in shown
    assert "You** have opted out" in shown

    consent.rules = Rules(ignored={general.id: NOW})
    assert "is ignored" in await status(ana, general)
