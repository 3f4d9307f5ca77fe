"""Who may read what, in a simulated Discord: what is searched for an answer, and what /settings says about it."""

from typing import Any

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite
from simcord.backend.serializers import channel_payload
from simcord.enums import OverwriteType

from agent.types import Answer
from bot.client import Bot
from bot.features.settings import replies
from memory.guild_settings import RESTRICTING_ROLES
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.fakes_guild_settings import FakeGuildSettings
from tests.seen import seen

Overwrites = dict[Any, discord.PermissionOverwrite]

HIDDEN = discord.PermissionOverwrite(view_channel=False)
SHOWN = discord.PermissionOverwrite(view_channel=True)


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker(Answer(text="I found nothing."))


@pytest.fixture
def guild_settings() -> FakeGuildSettings:
    return FakeGuildSettings()


@pytest.fixture
def simcord_bot(asker: FakeAsker, guild_settings: FakeGuildSettings) -> Bot:
    return Bot(services(FakeRecorder(), asker, guild_settings=guild_settings))


@pytest.fixture
def guild(simcord_env: simcord.Env) -> simcord.GuildHandle:
    return simcord_env.create_guild("Guild")


@pytest.fixture
def mod(guild: simcord.GuildHandle) -> simcord.RoleHandle:
    return guild.create_role("mod")


@pytest.fixture
def jailed(guild: simcord.GuildHandle) -> simcord.RoleHandle:
    return guild.create_role("jailed")


@pytest.fixture
def general(guild: simcord.GuildHandle, jailed: simcord.RoleHandle) -> simcord.ChannelHandle:
    """A channel that everybody sees but the jailed."""
    return guild.create_text_channel("general", overwrites={jailed: HIDDEN})


@pytest.fixture
def for_mods(simcord_env: simcord.Env, guild: simcord.GuildHandle, mod: simcord.RoleHandle) -> Overwrites:
    assert simcord_env.bot.user is not None
    return {guild.default_role: HIDDEN, mod: SHOWN, simcord_env.bot.user: SHOWN}


@pytest.fixture
def staff(guild: simcord.GuildHandle, for_mods: Overwrites) -> simcord.ChannelHandle:
    return guild.create_text_channel("staff", overwrites=for_mods)


@pytest.fixture
def archive(guild: simcord.GuildHandle, for_mods: Overwrites) -> simcord.ChannelHandle:
    return guild.create_text_channel("staff-archive", overwrites=for_mods)


@pytest.fixture
def boss(simcord_env: simcord.Env, guild: simcord.GuildHandle, mod: simcord.RoleHandle) -> simcord.MemberActor:
    return guild.add_member(simcord_env.create_user("boss"), roles=[mod])


@pytest.fixture
def chief(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    """An administrator who is not the owner."""
    administrators = guild.create_role("chiefs", permissions=discord.Permissions(administrator=True))
    return guild.add_member(simcord_env.create_user("chief"), roles=[administrators])


async def changed(env: simcord.Env, channel: simcord.ChannelHandle, target: int, *, person: bool, **bits: int) -> None:
    kind = OverwriteType.MEMBER if person else OverwriteType.ROLE
    env.backend.set_overwrite(channel.id, Overwrite(target, kind, **bits))
    await env.settle()


async def asked(member: simcord.MemberActor, channel: simcord.ChannelHandle, **options: Any) -> str:
    """Ask something, and return what is shown."""
    result = await member.slash(channel, "chat", text="well?", **options)
    assert result.response is not None
    return seen(result.response)


async def settings(member: simcord.MemberActor, channel: simcord.ChannelHandle, **options: Any) -> str:
    result = await member.slash(channel, "settings", **options)
    assert result.response is not None
    assert result.response.ephemeral
    return seen(result.response)


async def test_an_answer_uses_other_channels_that_the_same_people_read(
    asker: FakeAsker, staff: simcord.ChannelHandle, archive: simcord.ChannelHandle, boss: simcord.MemberActor
) -> None:
    await asked(boss, staff)

    assert asker.questions[0].places == {staff.id, archive.id}


async def test_what_is_closed_to_a_role_meanwhile_is_not_used_any_more(
    simcord_env: simcord.Env,
    asker: FakeAsker,
    staff: simcord.ChannelHandle,
    archive: simcord.ChannelHandle,
    mod: simcord.RoleHandle,
    boss: simcord.MemberActor,
) -> None:
    await asked(boss, staff)
    await changed(simcord_env, archive, mod.id, person=False, deny=1 << 10)
    await asked(boss, staff)

    assert [question.places for question in asker.questions] == [{staff.id, archive.id}, {staff.id}]


async def test_a_guest_in_a_channel_is_shown_nothing_that_they_may_not_read(
    simcord_env: simcord.Env,
    asker: FakeAsker,
    guild: simcord.GuildHandle,
    staff: simcord.ChannelHandle,
    archive: simcord.ChannelHandle,
    boss: simcord.MemberActor,
) -> None:
    guest = guild.add_member(simcord_env.create_user("guest"))
    await changed(simcord_env, staff, guest.id, person=True, allow=1 << 10 | 1 << 16)

    await asked(boss, staff)

    assert asker.questions[0].places == {staff.id}


async def test_an_overwrite_of_somebody_who_has_left_closes_nothing(
    simcord_env: simcord.Env,
    asker: FakeAsker,
    guild: simcord.GuildHandle,
    staff: simcord.ChannelHandle,
    archive: simcord.ChannelHandle,
    boss: simcord.MemberActor,
) -> None:
    guest = guild.add_member(simcord_env.create_user("guest"))
    await changed(simcord_env, staff, guest.id, person=True, allow=1 << 10 | 1 << 16)
    guild.remove_member(guest)
    await simcord_env.settle()

    await asked(boss, staff)

    assert asker.questions[0].places == {staff.id, archive.id}


async def test_a_channel_that_discord_hides_from_the_bot_is_searched_for_nobody(
    simcord_env: simcord.Env,
    asker: FakeAsker,
    general: simcord.ChannelHandle,
    archive: simcord.ChannelHandle,
    guild: simcord.GuildHandle,
    chief: simcord.MemberActor,
) -> None:
    await asked(chief, general, private=True)
    hidden = {"name": "___hidden___", "flags": 1 << 17, "permission_overwrites": [
        {"id": str(guild.id), "type": 0, "allow": "0", "deny": str(1 << 10)}
    ]}  # fmt: skip
    payload = dict(channel_payload(simcord_env.backend, simcord_env.backend.channels[archive.id])) | hidden
    simcord_env.backend.emit("CHANNEL_UPDATE", payload)
    await simcord_env.settle()
    await asked(chief, general, private=True)

    assert [question.places for question in asker.questions] == [{general.id, archive.id}, {general.id}]


async def test_settings_say_which_channel_is_left_out_and_who_would_see_it(
    asker: FakeAsker,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    staff: simcord.ChannelHandle,
    chief: simcord.MemberActor,
) -> None:
    there = f"- <#{general.id}> is left out of answers in <#{staff.id}> because somebody with @mod and @jailed"

    assert f"{there} would see them" in await settings(chief, staff)
    assert f"<#{staff.id}> is left out of answers in <#{general.id}> because somebody without" in await settings(
        chief, general
    )


async def test_a_role_that_is_named_as_restricting_leaves_nothing_out_until_it_is_taken_back(
    asker: FakeAsker,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    staff: simcord.ChannelHandle,
    jailed: simcord.RoleHandle,
    boss: simcord.MemberActor,
    chief: simcord.MemberActor,
    guild_settings: FakeGuildSettings,
) -> None:
    shown = await settings(chief, staff, restricting=jailed)
    assert replies.NOTHING_LEFT_OUT.format(home=f"<#{staff.id}>") in shown
    assert "Restricting roles: @jailed." in shown
    assert guild_settings.chosen == {(guild.id, RESTRICTING_ROLES.name): frozenset({jailed.id})}
    await asked(boss, staff)

    assert replies.NO_RESTRICTING in await settings(chief, staff, not_restricting=jailed)
    await asked(boss, staff)

    assert [question.places for question in asker.questions] == [{general.id, staff.id}, {staff.id}]


async def test_settings_name_the_person_who_would_see_what_they_may_not_read(
    simcord_env: simcord.Env,
    guild: simcord.GuildHandle,
    staff: simcord.ChannelHandle,
    archive: simcord.ChannelHandle,
    chief: simcord.MemberActor,
) -> None:
    guest = guild.add_member(simcord_env.create_user("guest"), nick="Guest *of* mine")
    await changed(simcord_env, staff, guest.id, person=True, allow=1 << 10 | 1 << 16)

    assert r"because Guest \*of\* mine would see them" in await settings(chief, staff)


async def test_settings_say_what_is_left_out_whoever_sees_the_answer(
    simcord_env: simcord.Env, guild: simcord.GuildHandle, general: simcord.ChannelHandle, chief: simcord.MemberActor
) -> None:
    adults, ending = guild.create_text_channel("adults"), guild.create_text_channel("ending")
    for channel, fields in ((adults, {"nsfw": True}), (ending, {"flags": 1 << 21})):
        payload = channel_payload(simcord_env.backend, simcord_env.backend.channels[channel.id])
        simcord_env.backend.emit("CHANNEL_UPDATE", dict(payload) | fields)
    await simcord_env.settle()

    shown = await settings(chief, general)

    assert f"<#{adults.id}> is left out of answers in <#{general.id}> because of an age restriction" in shown
    assert f"<#{ending.id}> is left out of answers in <#{general.id}> because what is said in a spoiler" in shown


async def test_settings_are_for_administrators(
    simcord_bot: Bot,
    simcord_env: simcord.Env,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    jailed: simcord.RoleHandle,
    guild_settings: FakeGuildSettings,
) -> None:
    role = guild.create_role("helpers", permissions=discord.Permissions(manage_guild=True, manage_roles=True))
    helper = guild.add_member(simcord_env.create_user("helper"), roles=[role])
    command = next(one for one in await simcord_bot.tree.fetch_commands() if one.name == "settings")
    assert command.default_member_permissions == discord.Permissions(administrator=True)
    guild.set_command_permissions(command, {role: True})  # as a server may

    assert await settings(helper, general, restricting=jailed) == replies.NOT_ALLOWED
    assert guild_settings.chosen == {}


async def test_everybodys_role_cannot_be_restricting(
    guild: simcord.GuildHandle, general: simcord.ChannelHandle, chief: simcord.MemberActor
) -> None:
    assert await settings(chief, general, restricting=guild.default_role) == replies.EVERYBODY


async def test_settings_that_cannot_be_reached_are_not_changed_and_that_is_said(
    general: simcord.ChannelHandle,
    jailed: simcord.RoleHandle,
    chief: simcord.MemberActor,
    guild_settings: FakeGuildSettings,
) -> None:
    guild_settings.away = True

    assert replies.NOT_LOOKED_UP in await settings(chief, general)
    assert await settings(chief, general, restricting=jailed) == replies.NOT_STORED
    assert guild_settings.chosen == {}


async def test_settings_of_a_channel_that_the_bot_cannot_see_say_so(
    guild: simcord.GuildHandle, mod: simcord.RoleHandle, chief: simcord.MemberActor
) -> None:
    unseen = guild.create_text_channel("unseen", overwrites={guild.default_role: HIDDEN, mod: SHOWN})

    assert replies.NOT_SEEN in await settings(chief, unseen)
