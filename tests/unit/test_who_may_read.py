"""Which channels and threads an answer may be made from, on discord.py's own permission rules."""

import random
from collections.abc import Container, Sequence
from typing import Any

import discord
import pytest
from discord import ChannelType, Permissions

from bot.audience import fitting_places, readable_places, shared_places
from bot.spoiler_channels import SpoilerChannels

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
    state = discord.Client(intents=discord.Intents(guilds=True))._connection
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


# ---- those who see a channel without its history


SEES, READS = overwrite(STAFF, allow=VIEW), overwrite(STAFF, allow=READ)
CLOSED = overwrite(GUILD, deny=READ)


@pytest.mark.parametrize(
    ("overwrites", "everyone"),
    [
        pytest.param([overwrite(GUILD, deny=HISTORY)], READ, id="history is taken from everyone"),
        pytest.param([overwrite(GUILD, deny=HISTORY), READS], READ, id="history is given back to a role alone"),
        pytest.param([], VIEW, id="nobody has history"),
        pytest.param([overwrite(STAFF, deny=HISTORY)], READ, id="history is taken from a role"),
        pytest.param([overwrite(ANA, deny=HISTORY, member=True)], READ, id="history is taken from a person"),
        pytest.param([CLOSED, SEES], READ, id="a role is given sight alone"),
        pytest.param([CLOSED, overwrite(ANA, allow=VIEW, member=True)], READ, id="a person is given sight alone"),
        pytest.param([CLOSED, overwrite(99, allow=VIEW)], READ, id="a role that is not known is given sight alone"),
        pytest.param([overwrite(99, deny=HISTORY)], READ, id="history is taken from a role that is not known"),
        pytest.param([SEES], NONE, id="a role is given sight where nobody has history"),
        pytest.param([overwrite(STAFF, deny=READ), overwrite(BOSS, allow=VIEW, member=True)], READ, id="sight beside"),
        pytest.param([overwrite(GUILD, deny=HISTORY), overwrite(STAFF, deny=VIEW)], READ, id="a role sees nothing"),
    ],
)
def test_a_channel_that_somebody_may_see_without_its_history_is_not_shared_in_itself(
    overwrites: list[Any], everyone: Permissions
) -> None:
    guild = a_guild([channel(OTHER, *overwrites)], [thread(THREAD, OTHER)], everyone=everyone)

    assert shared_in(guild, OTHER) == frozenset()
    assert shared_in(guild, THREAD) == frozenset()


@pytest.mark.parametrize(
    "overwrites",
    [
        pytest.param([CLOSED, READS], id="a role that sees it reads it"),
        pytest.param([CLOSED, READS, overwrite(ANA, allow=READ, member=True)], id="a role and a person"),
        pytest.param([overwrite(STAFF, deny=VIEW)], id="a role sees nothing"),
        pytest.param([overwrite(STAFF, deny=READ)], id="a role neither sees nor reads"),
        pytest.param([overwrite(ANA, deny=READ, member=True)], id="a person neither sees nor reads"),
        pytest.param([CLOSED, READS, overwrite(OWNER, allow=VIEW, member=True)], id="the owner reads everything"),
        pytest.param([overwrite(ADMIN_ROLE, deny=HISTORY)], id="administrators read everything"),
        pytest.param([CLOSED, READS, overwrite(ADMIN_ROLE, allow=VIEW)], id="administrators are given sight alone"),
    ],
)
def test_a_channel_that_all_who_see_it_read_is_shared_in_itself(overwrites: list[Any]) -> None:
    guild = a_guild([channel(OTHER, *overwrites)], [thread(THREAD, OTHER)])

    assert shared_in(guild, OTHER) == {OTHER, THREAD}
    assert shared_in(guild, THREAD) == {OTHER, THREAD}


def test_the_chat_of_a_voice_channel_is_not_shared_where_some_see_it_and_may_not_connect() -> None:
    closed = channel(VOICE, overwrite(STAFF, deny=CONNECT), kind=ChannelType.voice)
    opened = channel(OTHER, CLOSED, overwrite(STAFF, allow=READ | CONNECT), kind=ChannelType.voice)
    guild = a_guild([closed, opened], everyone=READ | CONNECT)

    assert shared_in(guild, VOICE) == frozenset()
    assert shared_in(guild, OTHER) == {OTHER}


def test_a_channel_of_a_guild_whose_roles_are_not_known_is_not_shared() -> None:
    guild = a_guild([channel(GENERAL)])
    guild._roles.clear()

    assert shared_in(guild, GENERAL) == frozenset()


def test_no_role_or_person_that_sees_a_shared_channel_lacks_its_history() -> None:
    """Compare with discord.py's own permissions of every member that could be, in many guilds made by chance."""
    chance = random.Random(9)  # noqa: S311 - no secret
    shared = 0
    for _ in range(2000):
        roles = [STAFF, STAFF + 100, STAFF + 200]
        places = [
            overwrite(
                target, allow=allowed, deny=Permissions(some(chance).value & ~allowed.value), member=target == ANA
            )
            for target in (GUILD, *roles, ANA)
            for allowed in [some(chance)] * chance.randint(0, 1)
        ]
        guild = a_guild([channel(OTHER, *places)], everyone=some(chance))
        for role in roles:
            guild._add_role(a_role(guild, role, some(chance)))
        if OTHER not in shared_in(guild, OTHER):
            continue
        shared += 1
        for number in range(8):
            held = [role for bit, role in enumerate(roles) if number >> bit & 1]
            for person in (ANA, BOSS):
                given = guild.channels[0].permissions_for(a_member(guild, person, *held))
                assert given.read_message_history or not given.view_channel, (places, held, person)
    assert shared > 100


def some(chance: random.Random) -> Permissions:
    return Permissions(view_channel=chance.random() < 0.4, read_message_history=chance.random() < 0.4)


def a_role(guild: discord.Guild, role_id: int, granted: Permissions) -> discord.Role:
    payload: Any = {"id": str(role_id), "name": f"role-{role_id}", "permissions": str(granted.value), "position": 0}
    return discord.Role(guild=guild, state=guild._state, data=payload)


# ---- what is shown where Discord would have asked first


def fitting_in(guild: discord.Guild, place_id: int, *, spoilers: Container[int] = ()) -> frozenset[int]:
    return fitting_places(guild.get_channel_or_thread(place_id), guild, spoilers=spoilers)


@pytest.mark.parametrize("kind", [ChannelType.text, ChannelType.voice, ChannelType.stage_voice, ChannelType.forum])
def test_an_age_restricted_channel_is_quoted_only_where_age_restriction_holds(kind: ChannelType) -> None:
    restricted = channel(OTHER, kind=kind) | {"nsfw": True}
    other = channel(SECRET) | {"nsfw": True}
    threads = [thread(THREAD, OTHER), thread(SECRET_THREAD, SECRET), thread(PRIVATE_THREAD, GENERAL)]
    guild = a_guild([channel(GENERAL), restricted, other], threads)
    everything = {GENERAL, OTHER, SECRET, THREAD, SECRET_THREAD, PRIVATE_THREAD}

    assert fitting_in(guild, GENERAL) == fitting_in(guild, PRIVATE_THREAD) == {GENERAL, PRIVATE_THREAD}
    for place in (OTHER, SECRET, THREAD, SECRET_THREAD):
        assert fitting_in(guild, place) == everything
    assert fitting_places(None, guild, spoilers=()) == {GENERAL, PRIVATE_THREAD}


def test_a_spoiler_channel_is_quoted_only_in_itself() -> None:
    threads = [thread(THREAD, OTHER), thread(SECRET_THREAD, SECRET)]
    guild = a_guild([channel(GENERAL), channel(OTHER), channel(SECRET)], threads)
    spoilers = {OTHER, SECRET}

    assert fitting_in(guild, GENERAL, spoilers=spoilers) == {GENERAL}
    assert fitting_in(guild, OTHER, spoilers=spoilers) == {GENERAL, OTHER, THREAD}
    assert fitting_in(guild, THREAD, spoilers=spoilers) == {GENERAL, OTHER, THREAD}
    assert fitting_in(guild, SECRET_THREAD, spoilers=spoilers) == {GENERAL, SECRET, SECRET_THREAD}


def test_channels_that_are_marked_as_spoilers_are_learnt_and_unlearnt_from_the_gateway() -> None:
    spoilers = SpoilerChannels()
    marked = {"id": str(OTHER), "flags": 1 << 21}

    spoilers.note("GUILD_CREATE", {"channels": [marked, {"id": str(GENERAL)}]})
    spoilers.note("CHANNEL_CREATE", {"id": str(SECRET), "flags": 1 << 21 | 1})
    assert [place in spoilers for place in (OTHER, GENERAL, SECRET)] == [True, False, True]

    spoilers.note("CHANNEL_UPDATE", {"id": str(OTHER), "flags": 0})
    assert OTHER not in spoilers
