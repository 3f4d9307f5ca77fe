"""/optout, /pause and /resume, and who may not ask, in a simulated Discord."""

from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import discord
import pytest
import simcord

from agent.types import Answer, Searched
from bot import answering, moderators
from bot.client import Bot
from bot.features.consent import opt_out, pausing
from memory.consent.opt_outs import Wish
from memory.consent.pauses import MOST_PAUSES, Pause
from memory.consent.rules import Rules
from memory.guild_settings import (
    ANSWER_MODE,
    BANNED_USERS,
    LOG_CHANNEL,
    MODERATOR_ROLE,
    PAUSES,
    AnswerMode,
    Setting,
)
from tests.fakes_consent import FakeConsent
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.fakes_guild_settings import FakeGuildSettings
from tests.seen import seen
from time_expressions.window import Window

SAID = "The kiln reaches 1280 degrees."


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker(Answer(text=SAID))


@pytest.fixture
def guild_settings() -> FakeGuildSettings:
    return FakeGuildSettings()


@pytest.fixture
def consent() -> FakeConsent:
    return FakeConsent()


@pytest.fixture
def simcord_bot(asker: FakeAsker, guild_settings: FakeGuildSettings, consent: FakeConsent) -> Bot:
    return Bot(services(FakeRecorder(), asker, guild_settings=guild_settings, consent=consent))


@pytest.fixture
def guild(simcord_env: simcord.Env) -> simcord.GuildHandle:
    return simcord_env.create_guild("Guild")


@pytest.fixture
def general(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("general")


@pytest.fixture
def log(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("log")


@pytest.fixture
def ana(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    return guild.add_member(simcord_env.create_user("ana"))


@pytest.fixture
def warden(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    """Somebody who may manage the server."""
    managers = guild.create_role("wardens", permissions=discord.Permissions(manage_guild=True, manage_messages=True))
    return guild.add_member(simcord_env.create_user("warden"), roles=[managers])


@pytest.fixture
def helper_role(guild: simcord.GuildHandle) -> simcord.RoleHandle:
    return guild.create_role("helpers", permissions=discord.Permissions(manage_messages=True))


@pytest.fixture
def helper(
    simcord_env: simcord.Env, guild: simcord.GuildHandle, helper_role: simcord.RoleHandle
) -> simcord.MemberActor:
    """Somebody who sees the commands of moderators, and is none unless their role is named."""
    return guild.add_member(simcord_env.create_user("helper"), roles=[helper_role])


@pytest.fixture
def me(simcord_env: simcord.Env) -> int:
    assert simcord_env.bot.user is not None
    return simcord_env.bot.user.id


async def use(
    member: simcord.MemberActor, place: simcord.ChannelHandle, command: str, /, *, ephemeral: bool, **options: Any
) -> Any:
    """Use a command, and return its answer, which is seen by the right people."""
    result = await member.slash(place, command, **options)
    assert result.response is not None
    assert result.response.ephemeral is ephemeral
    return result.response


def chosen(settings: FakeGuildSettings, guild: simcord.GuildHandle, setting: Setting[Any], value: Any) -> None:
    settings.chosen[guild.id, setting.name] = value


@pytest.mark.parametrize("wish", list(Wish)[:2])
async def test_an_opt_out_says_what_it_means_and_counts_once_it_is_confirmed(
    wish: Wish, ana: simcord.MemberActor, general: simcord.ChannelHandle, consent: FakeConsent
) -> None:
    asked = await use(ana, general, "optout", ephemeral=True, what=wish.value)
    assert seen(asked) == opt_out.MEANING[wish]
    assert consent.wishes == {}

    await ana.click(asked, label=opt_out.ConfirmButton.words)

    assert consent.wish_of(ana.id).wish is wish
    shown = await use(ana, general, "optout", ephemeral=True)
    assert seen(shown).startswith(opt_out.CHOSEN[wish])


async def test_an_opt_out_offers_to_erase_what_is_stored(
    ana: simcord.MemberActor, general: simcord.ChannelHandle
) -> None:
    asked = await use(ana, general, "optout", ephemeral=True, what=Wish.EVERYTHING.value)

    assert "/forget me" in seen(asked)


async def test_an_opt_out_can_be_taken_back(
    ana: simcord.MemberActor, general: simcord.ChannelHandle, consent: FakeConsent
) -> None:
    await consent.opt_out(ana.id, Wish.EVERYTHING, at=discord.utils.utcnow())
    asked = await use(ana, general, "optout", ephemeral=True, what=Wish.NOTHING.value)

    await ana.click(asked, label=opt_out.ConfirmButton.words)

    assert consent.wish_of(ana.id).wish is Wish.NOTHING


async def test_who_cannot_be_noted_as_opted_out_is_told_so(
    ana: simcord.MemberActor, general: simcord.ChannelHandle, consent: FakeConsent
) -> None:
    asked = await use(ana, general, "optout", ephemeral=True, what=Wish.EVERYTHING.value)
    consent.away = True

    await ana.click(asked, label=opt_out.ConfirmButton.words)

    assert consent.wishes == {}
    assert seen(await use(ana, general, "optout", ephemeral=True)).startswith(opt_out.CHOSEN[Wish.NOTHING])


async def test_a_pause_is_seen_by_everybody_and_told_in_the_log_channel(
    warden: simcord.MemberActor,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    log: simcord.ChannelHandle,
    guild_settings: FakeGuildSettings,
) -> None:
    chosen(guild_settings, guild, LOG_CHANNEL, log.id)
    shown = await use(warden, general, "pause", ephemeral=False, minutes=30)

    (pause,) = guild_settings.chosen[guild.id, PAUSES.name]
    assert (pause.channel_id, pause.end - pause.start) == (None, timedelta(minutes=30))
    assert "Nothing that is said on this server is kept" in seen(shown)
    assert log.last_message is not None
    assert "Nothing that is said on this server is kept" in log.last_message.content


async def test_a_channel_is_paused_until_it_is_resumed(
    warden: simcord.MemberActor,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    guild_settings: FakeGuildSettings,
) -> None:
    await use(warden, general, "pause", ephemeral=False, channel=general)
    (pause,) = guild_settings.chosen[guild.id, PAUSES.name]
    assert (pause.channel_id, pause.end) == (general.id, None)

    shown = await use(warden, general, "resume", ephemeral=False)
    assert seen(shown).startswith(pausing.NOT_PAUSED.format(where="on this server"))
    assert f"<#{general.id}>" in seen(shown)

    shown = await use(warden, general, "resume", ephemeral=False, channel=general)
    assert seen(shown) == pausing.RESUMED.format(where=f"in <#{general.id}>")
    assert all(pause.end is not None for pause in guild_settings.chosen[guild.id, PAUSES.name])


async def test_the_role_of_moderators_may_pause_and_others_may_not(
    helper: simcord.MemberActor,
    helper_role: simcord.RoleHandle,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    guild_settings: FakeGuildSettings,
) -> None:
    refused = await use(helper, general, "pause", ephemeral=False)
    assert seen(refused) == moderators.NOT_A_MODERATOR
    assert guild_settings.chosen == {}

    chosen(guild_settings, guild, MODERATOR_ROLE, helper_role.id)
    await use(helper, general, "pause", ephemeral=False)

    assert len(guild_settings.chosen[guild.id, PAUSES.name]) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param({"until": "when it is over"}, pausing.NO_MOMENT, id="no time"),
        pytest.param({"until": "2001-01-01 10:00"}, pausing.TOO_EARLY, id="in the past"),
    ],
)
async def test_a_pause_until_what_cannot_be_is_none(
    warden: simcord.MemberActor,
    general: simcord.ChannelHandle,
    guild_settings: FakeGuildSettings,
    options: dict[str, Any],
    sentence: str,
) -> None:
    shown = await use(warden, general, "pause", ephemeral=False, **options)

    assert seen(shown) == sentence
    assert guild_settings.chosen == {}


async def test_a_banned_member_is_not_answered(
    ana: simcord.MemberActor,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    guild_settings: FakeGuildSettings,
    asker: FakeAsker,
    me: int,
) -> None:
    chosen(guild_settings, guild, BANNED_USERS, frozenset({ana.id}))

    shown = await use(ana, general, "chat", ephemeral=False, text="how hot?")
    await ana.send(general, f"<@{me}> how hot?")

    assert seen(shown) == moderators.BANNED
    assert asker.questions == []


async def test_where_answers_are_private_nobody_else_sees_them(
    ana: simcord.MemberActor,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    guild_settings: FakeGuildSettings,
    asker: FakeAsker,
    me: int,
) -> None:
    chosen(guild_settings, guild, ANSWER_MODE, AnswerMode.PRIVATE)

    shown = await use(ana, general, "chat", ephemeral=True, text="how hot?")
    await ana.send(general, f"<@{me}> how hot?")

    assert SAID in seen(shown)
    assert len(asker.questions) == 1
    assert general.last_message is not None
    assert seen(general.last_message) == moderators.ONLY_IN_PRIVATE


async def test_where_answers_are_off_nobody_gets_one(
    ana: simcord.MemberActor,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    guild_settings: FakeGuildSettings,
    asker: FakeAsker,
) -> None:
    chosen(guild_settings, guild, ANSWER_MODE, AnswerMode.OFF)

    shown = await use(ana, general, "chat", ephemeral=True, text="how hot?")

    assert seen(shown) == moderators.SWITCHED_OFF
    assert asker.questions == []


async def test_while_nobody_knows_who_may_see_answers_the_asker_alone_does(
    ana: simcord.MemberActor, general: simcord.ChannelHandle, guild_settings: FakeGuildSettings
) -> None:
    guild_settings.away = True

    assert SAID in seen(await use(ana, general, "chat", ephemeral=True, text="how hot?"))


@pytest.mark.parametrize(("hours", "said"), [(2, True), (20, False)], ids=["in that time", "at another time"])
async def test_an_answer_about_a_time_that_was_paused_says_so(
    hours: int,
    said: bool,
    ana: simcord.MemberActor,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    consent: FakeConsent,
    asker: FakeAsker,
) -> None:
    day = Window(NOW - timedelta(hours=10), NOW)
    searched = Searched(windows=(day,), went_beyond=False, channels=(), now=NOW, time_zone=ZoneInfo("UTC"))
    asker.reply = Answer(text=SAID, searched=searched)
    start = NOW - timedelta(hours=hours)
    consent.rules = Rules(pauses={guild.id: (Pause(start=start, end=start + timedelta(hours=1)),)})

    shown = seen(await use(ana, general, "chat", ephemeral=False, text="what was said?"))

    assert (answering.WAS_PAUSED in shown) is said


NOW = datetime.fromisoformat("2026-11-03T17:30:00+01:00")


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        pytest.param("18:00", "2026-11-03T18:00:00+01:00", id="later today"),
        pytest.param("9:15", "2026-11-04T09:15:00+01:00", id="tomorrow"),
        pytest.param(" 2026-12-24  18:00", "2026-12-24T18:00:00+01:00", id="a date"),
        pytest.param("24.12.2026 18:00", "2026-12-24T18:00:00+01:00", id="a date with dots"),
        pytest.param("25:00", None, id="no time of day"),
        pytest.param("soon", None, id="words"),
    ],
)
def test_until_when_is_read_on_the_clock_of_whoever_pauses(words: str, moment: str | None) -> None:
    read = pausing.moment_in(words, now=NOW, time_zone=timezone(timedelta(hours=1)))

    assert read == (None if moment is None else datetime.fromisoformat(moment))


def test_a_server_that_was_paused_too_often_is_told_so() -> None:
    known = tuple(
        Pause(start=NOW + timedelta(hours=number), end=NOW + timedelta(hours=number, minutes=1), channel_id=5)
        for number in range(MOST_PAUSES)
    )

    with pytest.raises(OverflowError):
        pausing._begun(known, Pause(start=NOW))
