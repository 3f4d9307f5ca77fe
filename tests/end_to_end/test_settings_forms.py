"""Administrators choose for their server in forms, in a simulated Discord; what is chosen is stored, and told."""

from typing import Any

import discord
import pytest
import simcord

from agent.types import Answer
from bot.client import Bot
from bot.features.settings import forms
from bot.features.settings.choices import NOTHING_CHANGED
from bot.features.settings.replies import NOT_ALLOWED
from memory.guild_settings import (
    ANSWER_MODE,
    BANNED_USERS,
    DIGEST_CHANNELS,
    IGNORED_CHANNELS,
    LOG_CHANNEL,
    MODERATOR_ROLE,
    RESTRICTING_ROLES,
    RETENTION_DAYS,
    AnswerMode,
    DigestTime,
    Setting,
)
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.fakes_guild_settings import FakeGuildSettings
from tests.seen import seen


@pytest.fixture
def guild_settings() -> FakeGuildSettings:
    return FakeGuildSettings()


@pytest.fixture
def simcord_bot(guild_settings: FakeGuildSettings) -> Bot:
    return Bot(services(FakeRecorder(), FakeAsker(Answer(text="-")), guild_settings=guild_settings))


@pytest.fixture
def guild(simcord_env: simcord.Env) -> simcord.GuildHandle:
    return simcord_env.create_guild("Guild")


@pytest.fixture
def general(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("general")


@pytest.fixture
def vault(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("vault")


@pytest.fixture
def log(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("log")


@pytest.fixture
def chiefs(guild: simcord.GuildHandle) -> simcord.RoleHandle:
    return guild.create_role("chiefs", permissions=discord.Permissions(administrator=True))


@pytest.fixture
def chief(simcord_env: simcord.Env, guild: simcord.GuildHandle, chiefs: simcord.RoleHandle) -> simcord.MemberActor:
    return guild.add_member(simcord_env.create_user("chief"), roles=[chiefs])


@pytest.fixture
def troll(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    return guild.add_member(simcord_env.create_user("troll"))


async def opened(chief: simcord.MemberActor, general: simcord.ChannelHandle, label: str) -> Any:
    """Return the form behind a button under /settings."""
    shown = await chief.slash(general, "settings")
    assert shown.response is not None
    return await chief.click(shown.response, label=label)


async def filled(chief: simcord.MemberActor, form: Any, **values: Any) -> str:
    """Fill in a form, and return the answer, which others do not see."""
    result = await chief.submit_modal(form, values)
    assert result.response is not None
    assert result.response.ephemeral
    return seen(result.response)


async def test_what_is_kept_is_chosen_in_one_form_and_told_in_the_log_channel(
    chief: simcord.MemberActor,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    vault: simcord.ChannelHandle,
    log: simcord.ChannelHandle,
    guild_settings: FakeGuildSettings,
) -> None:
    form = await opened(chief, general, forms.KEPT_LABEL)

    told = await filled(chief, form, ignored=[vault], retention="30", mode="private", log=[log])

    chosen = {name: value for (_, name), value in guild_settings.chosen.items()}
    assert chosen[IGNORED_CHANNELS.name].keys() == {vault.id}
    assert chosen[RETENTION_DAYS.name] == 30
    assert chosen[ANSWER_MODE.name] is AnswerMode.PRIVATE
    assert chosen[LOG_CHANNEL.name] == log.id
    assert f"<#{vault.id}>" in told
    assert "after 30 days" in told
    assert log.last_message is not None
    assert told in log.last_message.content
    guild_settings.chosen[guild.id, DIGEST_CHANNELS.name] = {general.id: DigestTime(0, 540, discord.utils.utcnow())}
    summary = (await chief.slash(general, "settings")).response
    assert summary is not None
    assert "after: 30 days" in seen(summary)
    assert f"`/digest` changes: <#{general.id}>" in seen(summary)


async def test_roles_and_members_are_chosen_in_another_form(
    simcord_env: simcord.Env,
    chief: simcord.MemberActor,
    troll: simcord.MemberActor,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    guild_settings: FakeGuildSettings,
) -> None:
    mods, jailed = guild.create_role("mods"), guild.create_role("jailed")
    form = await opened(chief, general, forms.MEMBERS_LABEL)

    await filled(chief, form, moderator=[mods], banned=[troll], restricting=[jailed])

    assert guild_settings.chosen == {
        (guild.id, MODERATOR_ROLE.name): mods.id,
        (guild.id, BANNED_USERS.name): frozenset({troll.id}),
        (guild.id, RESTRICTING_ROLES.name): frozenset({jailed.id}),
    }


async def test_a_channel_is_ignored_no_more_once_it_is_taken_out(
    chief: simcord.MemberActor,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    vault: simcord.ChannelHandle,
    guild_settings: FakeGuildSettings,
) -> None:
    since = discord.utils.utcnow()
    guild_settings.chosen[guild.id, IGNORED_CHANNELS.name] = {vault.id: since, 12345: since}
    form = await opened(chief, general, forms.KEPT_LABEL)

    await filled(chief, form, ignored=[], mode="public")

    # A channel that the form could not show, as it is gone, stays as it was.
    assert guild_settings.chosen[guild.id, IGNORED_CHANNELS.name] == {12345: since}


async def test_a_form_that_changes_nothing_stores_nothing(
    chief: simcord.MemberActor, general: simcord.ChannelHandle, guild_settings: FakeGuildSettings
) -> None:
    form = await opened(chief, general, forms.KEPT_LABEL)

    assert await filled(chief, form, mode="public") == NOTHING_CHANGED
    assert guild_settings.chosen == {}


@pytest.mark.parametrize("days", ["0", "-3", "1.5", "ever", "99999", "\N{SUPERSCRIPT TWO}"])
async def test_days_that_are_no_number_change_nothing(
    days: str, chief: simcord.MemberActor, general: simcord.ChannelHandle, guild_settings: FakeGuildSettings
) -> None:
    form = await opened(chief, general, forms.KEPT_LABEL)

    assert await filled(chief, form, mode="off", retention=days) == forms.NO_DAYS
    assert guild_settings.chosen == {}


async def test_settings_that_cannot_be_stored_are_said_to_be_so(
    chief: simcord.MemberActor, general: simcord.ChannelHandle, guild_settings: FakeGuildSettings
) -> None:
    form = await opened(chief, general, forms.KEPT_LABEL)
    guild_settings.away = True

    assert await filled(chief, form, mode="off") == forms.NOT_STORED


async def test_who_is_no_administrator_any_more_changes_nothing(
    simcord_env: simcord.Env,
    chief: simcord.MemberActor,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    guild_settings: FakeGuildSettings,
) -> None:
    form = await opened(chief, general, forms.KEPT_LABEL)
    simcord_env.backend.edit_member(guild.id, chief.id, {"role_ids": []})
    await simcord_env.settle()

    assert await filled(chief, form, mode="off") == NOT_ALLOWED
    assert guild_settings.chosen == {}


@pytest.mark.parametrize(
    "setting", [IGNORED_CHANNELS, RETENTION_DAYS, LOG_CHANNEL, MODERATOR_ROLE, ANSWER_MODE], ids=lambda one: one.name
)
def test_what_is_stored_and_cannot_be_a_value_is_refused(setting: Setting[Any]) -> None:
    for value in ("x", [1], -5, 1.5, True):
        with pytest.raises((TypeError, ValueError)):
            setting.load(value)
