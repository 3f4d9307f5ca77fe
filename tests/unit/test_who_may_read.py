"""Which channels and threads an answer may be made from, on discord.py's own permission rules."""

from collections.abc import Sequence
from typing import Any

import discord
import pytest
from discord import ChannelType, Permissions

from bot.audience import readable_places, shared_places

GUILD, STAFF, OWNER, ANA, BOSS, ADMIN_ROLE = 1, 2, 3, 4, 5, 6
GENERAL, SECRET, CATEGORY, VOICE, FORUM, OTHER = 10, 11, 12, 13, 14, 15
THREAD, SECRET_THREAD, PRIVATE_THREAD = 20, 21, 22

READ = Permissions(view_channel=True, read_message_history=True)
VIEW = Permissions(view_channel=True)
HISTORY = Permissions(read_message_history=True)
CONNECT = Permissions(connect=True)
NONE = Permissions.none()


def overwrite(target: int, *, allow: Permissions = NONE, deny: Permissions = NONE, member: bool = False) -> Any:
    return {"id": str(target), "type": int(member), "allow": str(allow.value), "deny": str(deny.value)}


def channel(channel_id: int, *overwrites: Any, kind: ChannelType = ChannelType.text) -> Any:
    return {
        "id": str(channel_id),
        "type": kind.value,
        "name": f"channel-{channel_id}",
        "position": channel_id,
        "permission_overwrites": list(overwrites),
        "bitrate": 64000,
        "user_limit": 0,
    }


def thread(thread_id: int, parent_id: int, *, kind: ChannelType = ChannelType.public_thread) -> Any:
    long_ago = "2026-01-01T00:00:00+00:00"
    return {
        "id": str(thread_id),
        "guild_id": str(GUILD),
        "parent_id": str(parent_id),
        "owner_id": str(OWNER),
        "name": f"thread-{thread_id}",
        "type": kind.value,
        "message_count": 0,
        "member_count": 1,
        "rate_limit_per_user": 0,
        "thread_metadata": {
            "archived": False,
            "auto_archive_duration": 60,
            "archive_timestamp": long_ago,
            "locked": False,
        },
    }


def a_guild(channels: Sequence[Any], threads: Sequence[Any] = (), *, everyone: Permissions = READ) -> discord.Guild:
    permissions = {
        GUILD: everyone,
        STAFF: Permissions(manage_threads=True),
        ADMIN_ROLE: Permissions(administrator=True),
    }
    state = discord.Client(intents=discord.Intents.none())._connection
    payload: Any = {
        "id": str(GUILD),
        "name": "Guild",
        "owner_id": str(OWNER),
        "roles": [
            {"id": str(role_id), "name": f"role-{role_id}", "permissions": str(granted.value), "position": 0}
            for role_id, granted in permissions.items()
        ],
        "channels": list(channels),
        "threads": list(threads),
    }
    return discord.Guild(data=payload, state=state)


def a_member(guild: discord.Guild, user_id: int, *roles: int) -> discord.Member:
    payload: Any = {
        "user": {"id": str(user_id), "username": f"user-{user_id}", "discriminator": "0", "avatar": None},
        "roles": [str(role) for role in roles],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "flags": 0,
    }
    return discord.Member(data=payload, guild=guild, state=guild._state)


def readable(guild: discord.Guild, user_id: int, *roles: int) -> frozenset[int]:
    return readable_places(a_member(guild, user_id, *roles), guild)


def shared_in(guild: discord.Guild, place_id: int) -> frozenset[int]:
    return shared_places(guild.get_channel_or_thread(place_id), guild)


SECRET_CHANNEL = channel(SECRET, overwrite(GUILD, deny=VIEW), overwrite(STAFF, allow=VIEW))


# ---- what one member may read


@pytest.mark.parametrize(
    ("user_id", "roles", "may_read"),
    [
        pytest.param(ANA, [], {GENERAL}, id="a member"),
        pytest.param(BOSS, [STAFF], {GENERAL, SECRET}, id="a member with the role"),
        pytest.param(ANA, [ADMIN_ROLE], {GENERAL, SECRET}, id="an administrator"),
        pytest.param(OWNER, [], {GENERAL, SECRET}, id="the owner"),
    ],
)
def test_a_hidden_channel_is_readable_for(user_id: int, roles: list[int], may_read: set[int]) -> None:
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL])

    assert readable(guild, user_id, *roles) == may_read


@pytest.mark.parametrize("missing", [pytest.param(VIEW, id="view"), pytest.param(HISTORY, id="history")])
def test_a_channel_is_unreadable_without_either_permission(missing: Permissions) -> None:
    guild = a_guild([channel(GENERAL, overwrite(ANA, deny=missing, member=True))])

    assert readable(guild, ANA) == frozenset()
    assert readable(guild, BOSS) == {GENERAL}


@pytest.mark.parametrize(
    ("kind", "may_read"),
    [
        pytest.param(ChannelType.text, {OTHER}, id="text"),
        pytest.param(ChannelType.news, {OTHER}, id="announcements"),
        pytest.param(ChannelType.forum, {OTHER}, id="a forum"),
        pytest.param(ChannelType.voice, {OTHER}, id="voice"),
        pytest.param(ChannelType.stage_voice, {OTHER}, id="a stage"),
        pytest.param(ChannelType.category, set(), id="a category holds no messages"),
    ],
)
def test_kinds_of_channel_that_hold_messages_are_readable(kind: ChannelType, may_read: set[int]) -> None:
    guild = a_guild([channel(OTHER, kind=kind)], everyone=READ | CONNECT)

    assert readable(guild, ANA) == may_read


def test_the_chat_of_a_voice_channel_is_closed_to_those_who_may_not_connect() -> None:
    guild = a_guild([channel(VOICE, overwrite(ANA, deny=CONNECT, member=True), kind=ChannelType.voice)])
    guild.default_role._permissions = (READ | CONNECT).value

    assert readable(guild, ANA) == frozenset()
    assert readable(guild, BOSS) == {VOICE}
    assert shared_in(guild, VOICE) == {VOICE}
    assert shared_places(None, guild) == frozenset()


def test_a_public_thread_is_readable_with_its_parent() -> None:
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL], [thread(THREAD, GENERAL), thread(SECRET_THREAD, SECRET)])

    assert readable(guild, ANA) == {GENERAL, THREAD}
    assert readable(guild, BOSS, STAFF) == {GENERAL, THREAD, SECRET, SECRET_THREAD}


def test_a_private_thread_is_readable_for_those_who_manage_threads_alone() -> None:
    guild = a_guild([channel(GENERAL)], [thread(PRIVATE_THREAD, GENERAL, kind=ChannelType.private_thread)])

    assert readable(guild, ANA) == {GENERAL}
    assert readable(guild, BOSS, STAFF) == {GENERAL, PRIVATE_THREAD}


# ---- what everyone who reads the answer may read


@pytest.mark.parametrize(
    "closing",
    [
        pytest.param(overwrite(GUILD, deny=VIEW), id="hidden from everyone"),
        pytest.param(overwrite(GUILD, deny=HISTORY), id="without history for everyone"),
        pytest.param(overwrite(STAFF, deny=VIEW), id="hidden from a role"),
        pytest.param(overwrite(ANA, deny=HISTORY, member=True), id="without history for one member"),
    ],
)
def test_a_channel_that_is_closed_to_anybody_is_not_shared_elsewhere(closing: Any) -> None:
    guild = a_guild([channel(GENERAL), channel(OTHER, closing)])

    assert shared_in(guild, GENERAL) == {GENERAL}
    assert shared_in(guild, OTHER) == {GENERAL, OTHER}


def test_a_channel_that_a_role_opens_to_some_is_not_shared_elsewhere() -> None:
    guild = a_guild([channel(GENERAL, overwrite(GUILD, allow=READ)), channel(OTHER)], everyone=NONE)

    assert shared_in(guild, GENERAL) == {GENERAL}


def test_a_denial_that_does_not_touch_reading_closes_nothing() -> None:
    guild = a_guild([channel(GENERAL), channel(OTHER, overwrite(GUILD, deny=Permissions(send_messages=True)))])

    assert shared_in(guild, GENERAL) == {GENERAL, OTHER}


def test_a_thread_shares_what_its_parent_shares() -> None:
    threads = [thread(THREAD, GENERAL), thread(SECRET_THREAD, SECRET)]
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL], threads)

    assert shared_in(guild, THREAD) == {GENERAL, THREAD}
    assert shared_in(guild, SECRET_THREAD) == {GENERAL, THREAD, SECRET, SECRET_THREAD}


def test_a_private_thread_is_shared_in_itself_alone() -> None:
    guild = a_guild([channel(GENERAL)], [thread(PRIVATE_THREAD, GENERAL, kind=ChannelType.private_thread)])

    assert shared_in(guild, GENERAL) == {GENERAL}
    assert shared_in(guild, PRIVATE_THREAD) == {GENERAL, PRIVATE_THREAD}


def test_a_place_that_is_not_known_shares_open_channels_alone() -> None:
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL])

    assert shared_places(None, guild) == {GENERAL}
