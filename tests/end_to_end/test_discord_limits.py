"""How many questions a day people may ask: set by those who manage the server, counted on the asker's own clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
import simcord

from agent.types import Answer
from bot.client import Bot
from bot.daily_limits import NONE_ALLOWED, local_day
from bot.features.limits import replies
from memory.answers.kept import State
from memory.consent.rules import Rules
from memory.guild_settings import DAILY_LIMITS
from memory.preferences import Zone
from tests.fakes_answers import FakeAnswerStore
from tests.fakes_consent import FakeConsent
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.fakes_guild_settings import FakeGuildSettings
from tests.seen import seen
from tests.sentences import is_one_sentence
from time_expressions.zones import find_zone

FOUND = "The deploy is on Friday."


class Clock:
    """The time, which a test moves."""

    now = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker(Answer(text=FOUND))


@pytest.fixture
def store() -> FakeAnswerStore:
    return FakeAnswerStore()


@pytest.fixture
def guild_settings() -> FakeGuildSettings:
    return FakeGuildSettings()


@pytest.fixture
def consent() -> FakeConsent:
    return FakeConsent()


@pytest.fixture
def simcord_bot(
    asker: FakeAsker, store: FakeAnswerStore, guild_settings: FakeGuildSettings, consent: FakeConsent, clock: Clock
) -> Bot:
    given = services(FakeRecorder(), asker, guild_settings=guild_settings, answers=store, consent=consent)
    return Bot(replace(given, clock=clock))


@pytest.fixture
def guild(simcord_env: simcord.Env, clock: Clock) -> simcord.GuildHandle:
    guild = simcord_env.create_guild("Guild")
    clock.now = discord.utils.snowflake_time(guild.id).replace(hour=12)
    return guild


@pytest.fixture
def general(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("general")


@pytest.fixture
def manager(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    role = guild.create_role("manager", permissions=discord.Permissions(manage_guild=True))
    return guild.add_member(simcord_env.create_user("chief"), roles=[role])


async def chat(member: simcord.MemberActor, channel: simcord.ChannelHandle) -> str:
    return seen((await member.slash(channel, "chat", text="when is the deploy?")).response)


async def limits(member: simcord.MemberActor, channel: simcord.ChannelHandle, **options: Any) -> str:
    return seen((await member.slash(channel, "limits", **options)).response)


async def test_without_limits_everybody_may_ask_as_often_as_they_like(
    simcord_env: simcord.Env, guild: simcord.GuildHandle, general: simcord.ChannelHandle, manager: simcord.MemberActor
) -> None:
    ana = guild.add_member(simcord_env.create_user("ana"))

    assert [FOUND in await chat(ana, general) for _ in range(4)] == [True] * 4
    assert replies.NO_LIMITS in await limits(manager, general)


async def test_whoever_has_asked_enough_is_told_in_one_sentence_when_they_can_ask_again(
    simcord_env: simcord.Env,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    manager: simcord.MemberActor,
    asker: FakeAsker,
    store: FakeAnswerStore,
    clock: Clock,
) -> None:
    ana, ben = (guild.add_member(simcord_env.create_user(name)) for name in ("ana", "ben"))
    assert "everybody: 2" in await limits(manager, general, questions=2)

    assert [FOUND in await chat(ana, general) for _ in range(2)] == [True, True]
    refused = await chat(ana, general)

    _, midnight = local_day(clock(), find_zone("Europe/Paris"))
    assert refused == (
        "You have asked me 2 questions today, as many as this server allows you a day; you can ask again "
        f"{discord.utils.format_dt(midnight, 'R')}."
    )
    assert is_one_sentence(refused)
    assert FOUND in await chat(ben, general)
    assert len(asker.questions) == 3
    assert [kept.state for kept in store.kept.values()].count(State.GIVEN_UP) == 1

    clock.now += timedelta(days=1)
    assert FOUND in await chat(ana, general)


async def test_the_most_generous_role_counts_and_a_role_may_be_left_out_of_it_all(
    simcord_env: simcord.Env, guild: simcord.GuildHandle, general: simcord.ChannelHandle, manager: simcord.MemberActor
) -> None:
    helpers, muted = guild.create_role("helpers"), guild.create_role("muted")
    ana = guild.add_member(simcord_env.create_user("ana"), roles=[helpers, muted])
    ben = guild.add_member(simcord_env.create_user("ben"), roles=[muted])
    cora = guild.add_member(simcord_env.create_user("cora"))
    await limits(manager, general, role=helpers, questions=1)
    shown = await limits(manager, general, role=muted, questions=0)
    assert "@helpers: 1" in shown
    assert "@muted: 0" in shown
    assert replies.UNLIMITED in shown

    assert FOUND in await chat(ana, general)
    assert "You have asked me 1 question today" in await chat(ana, general)
    assert await chat(ben, general) == NONE_ALLOWED
    assert FOUND in await chat(cora, general)

    assert "@muted" not in await limits(manager, general, role=muted, remove=True)
    assert FOUND in await chat(ben, general)


async def test_nobody_is_refused_while_a_database_is_away(
    simcord_env: simcord.Env,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    store: FakeAnswerStore,
    guild_settings: FakeGuildSettings,
) -> None:
    ana = guild.add_member(simcord_env.create_user("ana"))
    guild_settings.chosen[guild.id, DAILY_LIMITS.name] = {guild.id: 1}
    store.away = True

    assert [FOUND in await chat(ana, general) for _ in range(2)] == [True, True]


async def test_whoever_has_opted_out_may_ask_no_more_than_others(
    simcord_env: simcord.Env,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    store: FakeAnswerStore,
    guild_settings: FakeGuildSettings,
    consent: FakeConsent,
    clock: Clock,
) -> None:
    ana = guild.add_member(simcord_env.create_user("ana"))
    guild_settings.chosen[guild.id, DAILY_LIMITS.name] = {guild.id: 2}
    consent.rules = Rules(opted_out={ana.id: clock()})

    assert [FOUND in await chat(ana, general) for _ in range(3)] == [True, True, False]
    assert store.kept == {}

    clock.now += timedelta(days=1)
    assert FOUND in await chat(ana, general)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"questions": 3, "remove": True}, replies.BOTH, id="a number and its removal"),
        pytest.param({"role": "helpers"}, replies.WHICH, id="a role alone"),
    ],
)
async def test_what_is_not_meant_is_said_and_changes_nothing(
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    manager: simcord.MemberActor,
    guild_settings: FakeGuildSettings,
    options: dict[str, Any],
    words: str,
) -> None:
    roles = {"role": guild.create_role("helpers")} if "role" in options else {}

    assert await limits(manager, general, **{**options, **roles}) == words
    assert guild_settings.chosen == {}


async def test_limits_are_not_changed_while_the_settings_cannot_be_looked_up(
    general: simcord.ChannelHandle, manager: simcord.MemberActor, guild_settings: FakeGuildSettings
) -> None:
    guild_settings.away = True

    assert await limits(manager, general, questions=3) == replies.NOT_LOOKED_UP


def test_a_day_is_that_of_the_asker() -> None:
    zone = Zone(find_zone("Pacific/Auckland")).zone

    start, end = local_day(datetime(2026, 11, 3, 15, 0, tzinfo=UTC), zone)

    assert (start.astimezone(UTC), end.astimezone(UTC)) == (
        datetime(2026, 11, 3, 11, 0, tzinfo=UTC),
        datetime(2026, 11, 4, 11, 0, tzinfo=UTC),
    )
