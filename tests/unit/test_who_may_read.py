"""Which channels and threads an answer may be made from, on discord.py's own guilds and members."""

import asyncio
import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord import ChannelType, Permissions

import bot.members
from bot.audience import (
    Audience,
    Readers,
    Reason,
    audience_in,
    audience_of_channel,
    joined_private_threads,
)
from bot.guild_rules import is_open_to_all
from bot.members import FRESH_FOR, MOST_ASKED, Members
from bot.permissions import Witness
from bot.places import HIDDEN_NAME
from bot.private_threads import PrivateThreads
from errors import DatabaseUnavailableError
from memory.guild_settings import RESTRICTING_ROLES
from tests.fakes_guild_settings import FakeGuildSettings

GUILD, STAFF, OWNER, ANA, BOSS, ADMIN_ROLE, JAILED, BOT, BOT_ROLE = 1, 2, 3, 4, 5, 6, 7, 8, 9
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


@dataclass
class Asked:
    """Discord's answers to who is a member of what, and what it was asked."""

    roles: dict[int, Collection[int]] = field(default_factory=dict)
    joined: set[tuple[int, int]] = field(default_factory=set)
    requests: list[tuple[int, int]] = field(default_factory=list)
    fails: bool = False
    hangs: bool = False

    async def get_member(self, guild_id: int, member_id: int) -> Any:
        await self._note(guild_id, member_id)
        if member_id not in self.roles:
            raise not_there()
        return member_payload(member_id, *self.roles[member_id])

    async def get_thread_member(self, channel_id: int, user_id: int) -> Any:
        await self._note(channel_id, user_id)
        if (channel_id, user_id) not in self.joined:
            raise not_there()
        return {"id": channel_id, "user_id": user_id, "join_timestamp": "2026-01-01T00:00:00+00:00", "flags": 0}

    async def _note(self, where: int, who: int) -> None:
        self.requests.append((where, who))
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise OSError("no route to host")


def not_there() -> discord.NotFound:
    response: Any = SimpleNamespace(status=404, reason="Not Found")
    return discord.NotFound(response, "Unknown Member")


def a_guild(channels: Sequence[Any], threads: Sequence[Any] = (), *, everyone: Permissions = READ) -> discord.Guild:
    permissions = {
        GUILD: everyone,
        STAFF: Permissions(manage_threads=True),
        ADMIN_ROLE: Permissions(administrator=True),
        JAILED: NONE,
        BOT_ROLE: Permissions(administrator=True),
    }
    state = discord.Client(intents=discord.Intents(guilds=True))._connection
    state.user = discord.ClientUser(state=state, data=member_payload(BOT, bot=True)["user"])
    answers: Any = Asked({ANA: [], BOSS: [STAFF]})
    state.http = answers
    payload: Any = {
        "id": str(GUILD),
        "name": "Guild",
        "owner_id": str(OWNER),
        "roles": [
            {"id": str(role_id), "name": f"role-{role_id}", "permissions": str(granted.value), "position": 0}
            for role_id, granted in permissions.items()
        ],
        "members": [member_payload(BOT, BOT_ROLE, bot=True)],
        "channels": list(channels),
        "threads": list(threads),
    }
    guild = discord.Guild(data=payload, state=state)
    guild._roles[BOT_ROLE].tags = discord.RoleTags({"bot_id": str(BOT)})
    return guild


def asked(guild: discord.Guild) -> Asked:
    answers: Any = guild._state.http
    assert isinstance(answers, Asked)
    return answers


def member_payload(user_id: int, *roles: int, bot: bool = False) -> Any:
    return {
        "user": {"id": str(user_id), "username": f"user-{user_id}", "discriminator": "0", "avatar": None, "bot": bot},
        "roles": [str(role) for role in roles],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "flags": 0,
    }


def a_member(guild: discord.Guild, user_id: int, *roles: int) -> discord.Member:
    return discord.Member(data=member_payload(user_id, *roles), guild=guild, state=guild._state)


def some_readers(**settings: Any) -> Readers:
    return Readers(FakeGuildSettings(**settings))


async def audience(
    guild: discord.Guild,
    place_id: int | None,
    user_id: int = OWNER,
    *roles: int,
    private: bool = False,
    readers: Readers | None = None,
    among: Collection[int] | None = None,
) -> Audience:
    """Return what an answer to a member, by default to the owner, may use that is shown in a place."""
    shown_in = None if place_id is None else guild.get_channel_or_thread(place_id)
    asker = a_member(guild, user_id, *roles)
    return await audience_in(
        shown_in, asker, private=private, readers=readers or some_readers(), among=among, explain=True
    )


async def readable(guild: discord.Guild, user_id: int, *roles: int) -> frozenset[int]:
    """Return what a private answer to a member may use."""
    return (await audience(guild, None, user_id, *roles, private=True)).places


async def shared_in(guild: discord.Guild, place_id: int | None) -> frozenset[int]:
    return (await audience(guild, place_id)).places


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
async def test_a_hidden_channel_is_readable_for(user_id: int, roles: list[int], may_read: set[int]) -> None:
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL])

    assert await readable(guild, user_id, *roles) == may_read


@pytest.mark.parametrize("missing", [pytest.param(VIEW, id="view"), pytest.param(HISTORY, id="history")])
async def test_a_channel_is_unreadable_without_either_permission(missing: Permissions) -> None:
    guild = a_guild([channel(GENERAL, overwrite(ANA, deny=missing, member=True))])

    assert await readable(guild, ANA) == frozenset()
    assert await readable(guild, BOSS) == {GENERAL}


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
async def test_kinds_of_channel_that_hold_messages_are_readable(kind: ChannelType, may_read: set[int]) -> None:
    guild = a_guild([channel(OTHER, kind=kind)], everyone=READ | CONNECT)

    assert await readable(guild, ANA) == may_read


async def test_the_chat_of_a_voice_channel_is_closed_to_those_who_may_not_connect() -> None:
    guild = a_guild([channel(VOICE, overwrite(ANA, deny=CONNECT, member=True), kind=ChannelType.voice)])
    guild.default_role._permissions = (READ | CONNECT).value

    assert await readable(guild, ANA) == frozenset()
    assert await readable(guild, BOSS) == {VOICE}
    assert await shared_in(guild, None) == frozenset()


async def test_a_public_thread_is_readable_with_its_parent() -> None:
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL], [thread(THREAD, GENERAL), thread(SECRET_THREAD, SECRET)])

    assert await readable(guild, ANA) == {GENERAL, THREAD}
    assert await readable(guild, BOSS, STAFF) == {GENERAL, THREAD, SECRET, SECRET_THREAD}


async def test_a_private_thread_is_readable_for_those_who_manage_threads_alone() -> None:
    guild = a_guild([channel(GENERAL)], [thread(PRIVATE_THREAD, GENERAL, kind=ChannelType.private_thread)])

    assert await readable(guild, ANA) == {GENERAL}
    assert await readable(guild, BOSS, STAFF) == {GENERAL, PRIVATE_THREAD}


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
async def test_a_channel_that_is_closed_to_anybody_is_not_shared_elsewhere(closing: Any) -> None:
    guild = a_guild([channel(GENERAL), channel(OTHER, closing)])

    assert await shared_in(guild, GENERAL) == {GENERAL}


async def test_a_channel_that_a_role_opens_to_some_is_not_shared_elsewhere() -> None:
    guild = a_guild([channel(GENERAL, overwrite(GUILD, allow=READ)), channel(OTHER)], everyone=NONE)

    assert await shared_in(guild, GENERAL) == {GENERAL}


async def test_a_denial_that_does_not_touch_reading_closes_nothing() -> None:
    guild = a_guild([channel(GENERAL), channel(OTHER, overwrite(GUILD, deny=Permissions(send_messages=True)))])

    assert await shared_in(guild, GENERAL) == {GENERAL, OTHER}


async def test_a_thread_shares_what_its_parent_shares() -> None:
    threads = [thread(THREAD, GENERAL), thread(SECRET_THREAD, SECRET)]
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL], threads)

    assert await shared_in(guild, THREAD) == {GENERAL, THREAD}
    assert await shared_in(guild, SECRET_THREAD) == {GENERAL, THREAD, SECRET, SECRET_THREAD}


async def test_a_private_thread_is_shared_in_itself_alone() -> None:
    guild = a_guild([channel(GENERAL)], [thread(PRIVATE_THREAD, GENERAL, kind=ChannelType.private_thread)])

    assert await shared_in(guild, GENERAL) == {GENERAL}
    assert await shared_in(guild, PRIVATE_THREAD) == {GENERAL, PRIVATE_THREAD}


async def test_a_place_that_is_not_known_shares_open_channels_alone() -> None:
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL])

    assert await shared_in(guild, None) == {GENERAL}


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
async def test_a_channel_that_somebody_may_see_without_its_history_is_not_shared_in_itself(
    overwrites: list[Any], everyone: Permissions
) -> None:
    guild = a_guild([channel(OTHER, *overwrites)], [thread(THREAD, OTHER)], everyone=everyone)

    assert await shared_in(guild, OTHER) == frozenset()
    assert await shared_in(guild, THREAD) == frozenset()


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
async def test_a_channel_that_all_who_see_it_read_is_shared_in_itself(overwrites: list[Any]) -> None:
    guild = a_guild([channel(OTHER, *overwrites)], [thread(THREAD, OTHER)])

    assert await shared_in(guild, OTHER) == {OTHER, THREAD}
    assert await shared_in(guild, THREAD) == {OTHER, THREAD}


async def test_the_chat_of_a_voice_channel_is_not_shared_where_some_see_it_and_may_not_connect() -> None:
    closed = channel(VOICE, overwrite(STAFF, deny=CONNECT), kind=ChannelType.voice)
    opened = channel(OTHER, CLOSED, overwrite(STAFF, allow=READ | CONNECT), kind=ChannelType.voice)
    guild = a_guild([closed, opened], everyone=READ | CONNECT)

    assert await shared_in(guild, VOICE) == frozenset()
    assert await shared_in(guild, OTHER) == {OTHER}


async def test_a_channel_of_a_guild_whose_roles_are_not_known_is_not_shared() -> None:
    guild = a_guild([channel(GENERAL)])
    guild._roles.clear()

    assert await shared_in(guild, GENERAL) == frozenset()


async def test_a_source_is_shared_exactly_where_discord_lets_nobody_see_the_answer_and_not_the_source() -> None:
    """Compare with discord.py's own permissions of everybody who could be, in many guilds made by chance."""
    chance = random.Random(9)  # noqa: S311 - no secret
    shared = 0
    for _ in range(400):
        guild = a_guild_by_chance(chance)
        theirs = {person: chance.sample(RANDOM_ROLES, chance.randint(0, 3)) for person in (ANA, BOSS)}
        asked(guild).roles = dict(theirs)
        home, other = guild.get_channel(GENERAL), guild.get_channel(OTHER)
        assert home is not None
        assert other is not None
        anybody = (
            a_member(guild, 99, *(role for bit, role in enumerate(RANDOM_ROLES) if held >> bit & 1))
            for held in range(8)
        )
        everybody = [*anybody, *(a_member(guild, person, *roles) for person, roles in theirs.items())]

        places = await shared_in(guild, GENERAL)

        for source in (home, other):
            closed = any(
                home.permissions_for(m).view_channel and not source.permissions_for(m) >= READ for m in everybody
            )
            assert (source.id in places) == (not closed)
        shared += OTHER in places
    assert 50 < shared < 350


RANDOM_ROLES = [101, 102, 103]


def a_guild_by_chance(chance: random.Random) -> discord.Guild:
    def overwrites() -> Iterable[Any]:
        for target in (GUILD, *RANDOM_ROLES, ANA, BOSS):
            if chance.random() < 0.4:
                yield overwrite(target, allow=some(chance), deny=some(chance), member=target in {ANA, BOSS})

    everyone = READ if chance.random() < 0.5 else some(chance)
    guild = a_guild([channel(GENERAL, *overwrites()), channel(OTHER, *overwrites())], everyone=everyone)
    for role in RANDOM_ROLES:
        guild._add_role(a_role(guild, role, some(chance)))
    return guild


def some(chance: random.Random) -> Permissions:
    return Permissions(view_channel=chance.random() < 0.3, read_message_history=chance.random() < 0.3)


def a_role(guild: discord.Guild, role_id: int, granted: Permissions) -> discord.Role:
    payload: Any = {"id": str(role_id), "name": f"role-{role_id}", "permissions": str(granted.value), "position": 0}
    return discord.Role(guild=guild, state=guild._state, data=payload)


# ---- what is shown where Discord would have asked first


def fitting_in(guild: discord.Guild, place_id: int | None, *, spoilers: Iterable[int] = ()) -> Any:
    readers = Readers(FakeGuildSettings(), spoilers=frozenset(spoilers))
    return audience(guild, place_id, private=True, readers=readers)


@pytest.mark.parametrize("kind", [ChannelType.text, ChannelType.voice, ChannelType.stage_voice, ChannelType.forum])
async def test_an_age_restricted_channel_is_quoted_only_where_age_restriction_holds(kind: ChannelType) -> None:
    restricted = channel(OTHER, kind=kind) | {"nsfw": True}
    other = channel(SECRET) | {"nsfw": True}
    threads = [thread(THREAD, OTHER), thread(SECRET_THREAD, SECRET), thread(PRIVATE_THREAD, GENERAL)]
    guild = a_guild([channel(GENERAL), restricted, other], threads)
    everything = {GENERAL, OTHER, SECRET, THREAD, SECRET_THREAD, PRIVATE_THREAD}

    for place in (GENERAL, PRIVATE_THREAD, None):
        found = await fitting_in(guild, place)
        assert found.places == {GENERAL, PRIVATE_THREAD}
        assert found.left_out == {OTHER: Reason.AGE_RESTRICTED, SECRET: Reason.AGE_RESTRICTED}
    for place in (OTHER, SECRET, THREAD, SECRET_THREAD):
        assert (await fitting_in(guild, place)).places == everything


async def test_a_spoiler_channel_is_quoted_only_in_itself() -> None:
    threads = [thread(THREAD, OTHER), thread(SECRET_THREAD, SECRET)]
    guild = a_guild([channel(GENERAL), channel(OTHER), channel(SECRET)], threads)
    spoilers = {OTHER, SECRET}

    elsewhere = await fitting_in(guild, GENERAL, spoilers=spoilers)
    assert elsewhere.places == {GENERAL}
    assert elsewhere.left_out == {OTHER: Reason.SPOILER, SECRET: Reason.SPOILER}
    assert (await fitting_in(guild, OTHER, spoilers=spoilers)).places == {GENERAL, OTHER, THREAD}
    assert (await fitting_in(guild, THREAD, spoilers=spoilers)).places == {GENERAL, OTHER, THREAD}
    assert (await fitting_in(guild, SECRET_THREAD, spoilers=spoilers)).places == {GENERAL, SECRET, SECRET_THREAD}


async def test_the_private_threads_of_an_age_restricted_channel_are_as_restricted_as_it_is() -> None:
    private = thread(PRIVATE_THREAD, OTHER, kind=ChannelType.private_thread)
    guild = a_guild([channel(GENERAL), channel(OTHER) | {"nsfw": True}], [private])

    assert (await fitting_in(guild, GENERAL)).places == {GENERAL}
    assert (await fitting_in(guild, OTHER)).places == {GENERAL, OTHER, PRIVATE_THREAD}


# ---- who sees the answer and could not read the source


ARCHIVE = channel(OTHER, overwrite(GUILD, deny=VIEW), overwrite(STAFF, allow=VIEW))
JAILED_OUT = channel(GENERAL, overwrite(JAILED, deny=VIEW))


async def test_channels_that_the_same_role_opens_share_with_each_other() -> None:
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL, ARCHIVE])

    assert await shared_in(guild, SECRET) == {GENERAL, SECRET, OTHER}
    assert await shared_in(guild, GENERAL) == {GENERAL}


async def test_the_witness_says_who_would_see_what_they_cannot_read() -> None:
    guild = a_guild([JAILED_OUT, SECRET_CHANNEL])

    in_secret = await audience(guild, SECRET)
    assert in_secret.places == {SECRET}
    assert in_secret.left_out == {GENERAL: Witness((STAFF, JAILED))}
    in_general = await audience(guild, GENERAL)
    assert in_general.left_out == {SECRET: Witness()}


async def test_roles_that_never_go_with_access_leave_nothing_out() -> None:
    guild = a_guild([JAILED_OUT, SECRET_CHANNEL])
    readers = some_readers(chosen={(GUILD, RESTRICTING_ROLES.name): frozenset({JAILED})})

    assert (await audience(guild, SECRET, readers=readers)).places == {GENERAL, SECRET}


async def test_no_role_is_restricting_while_settings_cannot_be_looked_up() -> None:
    guild = a_guild([JAILED_OUT, SECRET_CHANNEL])
    readers = some_readers(chosen={(GUILD, RESTRICTING_ROLES.name): frozenset({JAILED})}, away=True)

    assert (await audience(guild, SECRET, readers=readers)).places == {SECRET}


async def test_what_others_may_not_read_is_the_rest_for_the_asker_alone() -> None:
    private = thread(PRIVATE_THREAD, GENERAL, kind=ChannelType.private_thread)
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL], [private])

    found = await audience(guild, GENERAL, BOSS, STAFF)

    assert found.places == {GENERAL}
    assert found.rest == {SECRET, PRIVATE_THREAD}
    assert found.more_in_private
    assert not (await audience(guild, GENERAL, ANA)).more_in_private


async def test_a_reason_is_given_only_for_channels_that_the_asker_may_read() -> None:
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL])

    assert (await audience(guild, GENERAL, ANA)).left_out == {}


async def test_a_private_thread_is_shared_where_all_who_see_the_answer_manage_threads() -> None:
    moderated = [overwrite(GUILD, deny=VIEW), overwrite(STAFF, allow=READ)]
    private = thread(PRIVATE_THREAD, GENERAL, kind=ChannelType.private_thread)
    guild = a_guild([channel(GENERAL), channel(SECRET, *moderated)], [private])

    assert await shared_in(guild, SECRET) == {GENERAL, SECRET, PRIVATE_THREAD}

    guild.get_role(STAFF)._permissions = 0  # type: ignore[union-attr]
    assert await shared_in(guild, SECRET) == {GENERAL, SECRET}


async def test_administrators_and_bots_are_no_reason_to_leave_anything_out() -> None:
    closed = channel(OTHER, overwrite(ADMIN_ROLE, deny=READ), overwrite(BOT, deny=HISTORY, member=True))
    guild = a_guild([channel(GENERAL, overwrite(BOT, allow=VIEW, member=True)), closed])

    assert await shared_in(guild, GENERAL) == {GENERAL, OTHER}
    assert asked(guild).requests == []


async def test_the_role_of_a_bot_is_held_by_no_reader() -> None:
    guild = a_guild([channel(GENERAL), channel(OTHER, overwrite(77, deny=HISTORY))])
    guild._add_role(a_role(guild, 77, NONE))
    assert await shared_in(guild, GENERAL) == {GENERAL}

    guild._roles[77].tags = discord.RoleTags({"bot_id": "55"})
    assert await shared_in(guild, GENERAL) == {GENERAL, OTHER}


# ---- people with an overwrite of their own


SEES_GENERAL = channel(GENERAL, overwrite(GUILD, deny=VIEW), overwrite(ANA, allow=READ, member=True))
OPEN_TO_STAFF = channel(OTHER, overwrite(GUILD, deny=VIEW), overwrite(STAFF, allow=READ))


@pytest.mark.parametrize(
    ("roles", "places"),
    [
        pytest.param([STAFF], {GENERAL, OTHER}, id="who reads it by a role"),
        pytest.param([], {GENERAL}, id="who does not read it"),
        pytest.param([ADMIN_ROLE], {GENERAL, OTHER}, id="who is an administrator"),
    ],
)
async def test_a_channel_is_shared_with_a_person_who_sees_the_answer_by_name(
    roles: list[int], places: set[int]
) -> None:
    guild = a_guild([SEES_GENERAL, OPEN_TO_STAFF])
    asked(guild).roles[ANA] = roles

    assert await shared_in(guild, GENERAL) == places


async def test_whoever_has_left_is_no_reader() -> None:
    guild = a_guild([SEES_GENERAL, OPEN_TO_STAFF, channel(SECRET, overwrite(ANA, deny=VIEW, member=True))])
    del asked(guild).roles[ANA]

    assert await shared_in(guild, GENERAL) == {GENERAL, OTHER, SECRET}


async def test_another_bot_is_no_reader() -> None:
    guild = a_guild([SEES_GENERAL, OPEN_TO_STAFF])
    readers = some_readers()
    readers.members.meet(discord.Member(data=member_payload(ANA, bot=True), guild=guild, state=guild._state))

    assert (await audience(guild, GENERAL, readers=readers)).places == {GENERAL, OTHER}


async def test_a_channel_that_is_denied_to_a_person_is_shared_where_that_person_sees_nothing() -> None:
    denied = channel(OTHER, overwrite(ANA, deny=HISTORY, member=True))
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL, denied])

    found = await audience(guild, GENERAL)
    assert found.left_out == {SECRET: Witness(), OTHER: Witness(person_id=ANA)}
    assert await shared_in(guild, SECRET) == {GENERAL, SECRET, OTHER}, "she does not have the role"
    asked(guild).roles[ANA] = [STAFF]
    assert await shared_in(guild, SECRET) == {GENERAL, SECRET}


async def test_nobody_is_asked_for_where_the_overwrites_alone_decide() -> None:
    both = [overwrite(GUILD, deny=VIEW), overwrite(ANA, allow=READ, member=True)]
    hidden = [overwrite(ANA, deny=READ, member=True)]
    guild = a_guild([channel(GENERAL, *both), channel(OTHER, *both), channel(SECRET)])
    assert await shared_in(guild, GENERAL) == {GENERAL, OTHER, SECRET}

    other = a_guild([channel(GENERAL, *hidden), channel(OTHER, *hidden)])
    assert await shared_in(other, GENERAL) == {GENERAL, OTHER}
    assert asked(guild).requests == asked(other).requests == []


@pytest.mark.parametrize("trouble", ["fails", "hangs"])
async def test_a_channel_is_left_out_while_it_is_not_known_whether_a_person_may_read_it(
    trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot.members, "ASKING_LIMIT", timedelta(seconds=0.05))
    guild = a_guild([SEES_GENERAL, OPEN_TO_STAFF])
    asked(guild).roles[ANA] = [STAFF]
    setattr(asked(guild), trouble, True)
    readers = some_readers()

    found = await audience(guild, GENERAL, readers=readers)
    assert found.places == {GENERAL}
    assert found.left_out == {OTHER: Witness(person_id=ANA, certain=False)}

    setattr(asked(guild), trouble, False)
    assert (await audience(guild, GENERAL, readers=readers)).places == {GENERAL, OTHER}


async def test_too_many_people_leave_a_channel_out_and_only_so_many_are_asked_for() -> None:
    people = range(1000, 1000 + MOST_ASKED + 1)
    crowd = channel(GENERAL, overwrite(GUILD, deny=VIEW), *(overwrite(p, allow=READ, member=True) for p in people))
    guild = a_guild([crowd, OPEN_TO_STAFF])
    asked(guild).roles |= {person: [STAFF] for person in people}

    assert await shared_in(guild, GENERAL) == {GENERAL}
    assert len(asked(guild).requests) == MOST_ASKED


class Stopwatch:
    """A monotonic clock that somebody else moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_the_roles_of_a_person_are_asked_for_once_a_minute() -> None:
    guild, stopwatch = a_guild([SEES_GENERAL, OPEN_TO_STAFF]), Stopwatch()
    readers = Readers(FakeGuildSettings(), Members(monotonic=stopwatch))
    for _ in range(3):
        await audience(guild, GENERAL, ADMIN_ROLE, ADMIN_ROLE, readers=readers)
    assert asked(guild).requests == [(GUILD, ANA)]

    asked(guild).roles |= {ANA: [STAFF], ADMIN_ROLE: [ADMIN_ROLE]}
    stopwatch.now += FRESH_FOR.total_seconds()
    found = await audience(guild, GENERAL, ADMIN_ROLE, ADMIN_ROLE, readers=readers)
    assert found.places == {GENERAL, OTHER}
    assert sorted(asked(guild).requests[1:]) == [(GUILD, ANA), (GUILD, ADMIN_ROLE)], "the asker's roles age too"


async def test_roles_that_come_with_an_event_need_not_be_asked_for() -> None:
    guild = a_guild([SEES_GENERAL, OPEN_TO_STAFF])
    readers = some_readers()
    assert (await audience(guild, GENERAL, readers=readers)).places == {GENERAL}

    payload = member_payload(ANA, STAFF)
    event = {"guild_id": str(GUILD), "author": payload["user"], "member": {"roles": payload["roles"]}}
    readers.note("MESSAGE_CREATE", event)
    assert (await audience(guild, GENERAL, readers=readers)).places == {GENERAL, OTHER}

    readers.note("INTERACTION_CREATE", {"guild_id": str(GUILD), "member": member_payload(ANA)})
    assert (await audience(guild, GENERAL, readers=readers)).places == {GENERAL}
    assert asked(guild).requests == [(GUILD, ANA)]


async def test_an_asker_who_has_lost_a_role_meanwhile_gets_nothing_by_it() -> None:
    guild, stopwatch = a_guild([channel(GENERAL), SECRET_CHANNEL]), Stopwatch()
    readers = Readers(FakeGuildSettings(), Members(monotonic=stopwatch))
    boss = a_member(guild, BOSS, STAFF)
    asked(guild).roles[BOSS] = []
    assert (await audience_in(None, boss, private=True, readers=readers)).places == {GENERAL, SECRET}

    stopwatch.now += FRESH_FOR.total_seconds()
    assert (await audience_in(None, boss, private=True, readers=readers)).places == {GENERAL}
    stopwatch.now += FRESH_FOR.total_seconds()
    asked(guild).fails = True
    assert (await audience_in(None, boss, private=True, readers=readers)).places == frozenset()


async def test_an_asker_who_has_left_meanwhile_gets_nothing() -> None:
    guild, stopwatch = a_guild([channel(GENERAL)]), Stopwatch()
    readers = Readers(FakeGuildSettings(), Members(monotonic=stopwatch))
    ana = a_member(guild, ANA)
    assert (await audience_in(None, ana, private=True, readers=readers)).places == {GENERAL}

    del asked(guild).roles[ANA]
    stopwatch.now += FRESH_FOR.total_seconds()

    assert (await audience_in(None, ana, private=True, readers=readers)).places == frozenset()


async def test_time_outs_are_passed_over() -> None:
    guild = a_guild([channel(VOICE, kind=ChannelType.voice)], everyone=READ | CONNECT)
    ana = a_member(guild, ANA)
    ana.timed_out_until = discord.utils.utcnow() + timedelta(hours=1)
    assert not guild.channels[0].permissions_for(ana).connect

    assert (await audience_in(None, ana, private=True, readers=some_readers())).places == {VOICE}


# ---- private threads of others


PRIVATE = [thread(number, GENERAL, kind=ChannelType.private_thread) for number in range(500, 503)]


async def test_membership_is_asked_for_only_of_the_threads_that_matter() -> None:
    guild = a_guild(
        [channel(GENERAL), SECRET_CHANNEL], [*PRIVATE, thread(600, SECRET, kind=ChannelType.private_thread)]
    )
    asked(guild).joined = {(501, ANA), (502, ANA), (600, ANA)}
    readers = some_readers()

    found = await audience(guild, GENERAL, ANA, private=True, readers=readers, among=())
    assert found.places == {GENERAL}
    assert found.joinable == {500, 501, 502}
    assert asked(guild).requests == []

    for _ in range(2):
        found = await audience(guild, GENERAL, ANA, private=True, readers=readers, among={500, 501, 600})
        assert found.places == {GENERAL, 501}
    assert sorted(asked(guild).requests) == [(500, ANA), (501, ANA)]
    ana = a_member(guild, ANA)
    assert await joined_private_threads(ana, guild, readers, among=[500, 501, 502, 404]) == {501, 502}
    assert asked(guild).requests[2:] == [(502, ANA)]


ARCHIVED, OF_STAFF = 700, 701


def readers_of_archives(*, fails: Exception | None = None) -> Readers:
    """Return readers of a guild with an archived private thread in #general and one in the channel of the staff."""

    async def load(guild_id: int) -> dict[int, int]:
        if fails is not None:
            raise fails
        return {ARCHIVED: GENERAL, OF_STAFF: SECRET} if guild_id == GUILD else {}

    return Readers(FakeGuildSettings(), private_threads=PrivateThreads(load))


async def test_an_archived_private_thread_is_read_by_those_who_have_joined_it() -> None:
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL])
    asked(guild).joined = {(ARCHIVED, ANA), (OF_STAFF, ANA)}
    readers = readers_of_archives()

    found = await audience(guild, GENERAL, ANA, private=True, readers=readers, among=())
    assert found.places == {GENERAL}
    assert found.joinable == {ARCHIVED}
    found = await audience(guild, GENERAL, ANA, private=True, readers=readers, among={ARCHIVED, OF_STAFF})
    assert found.places == {GENERAL, ARCHIVED}
    assert await joined_private_threads(a_member(guild, ANA), guild, readers, among=[ARCHIVED]) == {ARCHIVED}
    assert (await audience(guild, GENERAL, BOSS, private=True, readers=readers, among={ARCHIVED})).places == {GENERAL}
    assert (await audience(guild, GENERAL, ANA, readers=readers)).places == {GENERAL}, "not where others read"


async def test_an_archived_private_thread_is_read_by_those_who_manage_threads_in_its_channel() -> None:
    moderated = [overwrite(GUILD, deny=VIEW), overwrite(STAFF, allow=READ)]
    guild = a_guild([channel(GENERAL), channel(SECRET, *moderated)])

    assert (await audience(guild, SECRET, BOSS, STAFF, readers=readers_of_archives())).places == {
        *(GENERAL, SECRET, ARCHIVED, OF_STAFF)
    }
    assert (await audience(guild, GENERAL, BOSS, STAFF, readers=readers_of_archives())).places == {GENERAL}
    guild.get_role(STAFF)._permissions = 0  # type: ignore[union-attr]
    assert (await audience(guild, SECRET, BOSS, STAFF, readers=readers_of_archives())).places == {GENERAL, SECRET}


async def test_archived_private_threads_that_cannot_be_looked_up_are_closed() -> None:
    guild = a_guild([channel(GENERAL)])
    asked(guild).joined = {(ARCHIVED, ANA)}
    readers = readers_of_archives(fails=DatabaseUnavailableError("PostgreSQL did not answer"))

    assert (await audience(guild, GENERAL, ANA, private=True, readers=readers)).places == {GENERAL}


async def test_the_newest_private_threads_are_asked_for_where_nobody_says_which_matter() -> None:
    guild = a_guild([channel(GENERAL)], PRIVATE)
    asked(guild).joined = {(501, ANA)}

    assert await readable(guild, ANA) == {GENERAL, 501}
    asked(guild).fails = True
    assert await readable(guild, ANA) == {GENERAL}


# ---- what the bot cannot see


OBFUSCATED = channel(SECRET, overwrite(GUILD, deny=VIEW)) | {"name": HIDDEN_NAME}


async def test_what_the_bot_cannot_see_is_a_source_for_nobody() -> None:
    guild = a_guild([channel(GENERAL), OBFUSCATED, channel(OTHER, overwrite(BOT, deny=VIEW, member=True))])
    guild._roles[BOT_ROLE]._permissions = 0

    assert await readable(guild, OWNER) == await readable(guild, BOSS, ADMIN_ROLE) == {GENERAL}


async def test_where_the_bot_sees_nothing_an_answer_has_to_be_private() -> None:
    guild = a_guild([channel(GENERAL), SECRET_CHANNEL, OBFUSCATED | {"id": str(OTHER)}], [thread(THREAD, OTHER)])
    guild._roles[BOT_ROLE]._permissions = 0
    bots_own = member_payload(BOT, STAFF, bot=True)
    guild._add_member(discord.Member(data=bots_own, guild=guild, state=guild._state))

    for place in (OTHER, THREAD, None, 404):
        public, private = [await audience(guild, place, BOSS, STAFF, private=private) for private in (False, True)]
        assert public.must_be_private
        assert private.must_be_private
        assert public.places == {GENERAL}
        assert private.places == {GENERAL, SECRET}
    assert not (await audience(guild, GENERAL, BOSS, STAFF)).must_be_private


async def test_a_guild_that_is_not_available_shares_nothing() -> None:
    guild = a_guild([channel(GENERAL)])
    guild.unavailable = True

    assert await audience(guild, GENERAL) == Audience(must_be_private=True)


# ---- when something changes


async def test_what_may_be_read_is_found_out_again_when_roles_or_channels_change() -> None:
    guild, readers = a_guild([channel(GENERAL), channel(OTHER)]), some_readers()
    assert (await audience(guild, GENERAL, ANA, readers=readers)).places == {GENERAL, OTHER}

    other = guild.get_channel(OTHER)
    assert isinstance(other, discord.TextChannel)
    other._update(guild, channel(OTHER, overwrite(GUILD, deny=VIEW)))
    readers.note("CHANNEL_UPDATE", {"id": str(OTHER), "guild_id": str(GUILD)})
    assert (await audience(guild, GENERAL, ANA, readers=readers)).places == {GENERAL}

    guild.default_role._permissions = Permissions(administrator=True).value
    readers.note("GUILD_ROLE_UPDATE", {"guild_id": str(GUILD), "role": {"id": str(GUILD)}})
    assert (await audience(guild, GENERAL, ANA, readers=readers)).places == {GENERAL, OTHER}

    guild.default_role._permissions = READ.value
    guild.owner_id = ANA
    readers.note("GUILD_UPDATE", {"id": str(GUILD)})
    assert (await audience(guild, None, ANA, private=True, readers=readers)).places == {GENERAL, OTHER}


# ---- whose names everybody may know


@pytest.mark.parametrize(
    ("overwrites", "is_open"),
    [
        pytest.param([], True, id="a channel without overwrites"),
        pytest.param([overwrite(GUILD, deny=VIEW)], False, id="a hidden channel"),
        pytest.param([overwrite(STAFF, deny=HISTORY)], False, id="a channel without history for a role"),
        pytest.param([overwrite(STAFF, deny=HISTORY, allow=HISTORY)], True, id="a denial beside what is allowed"),
        pytest.param([overwrite(ADMIN_ROLE, deny=VIEW)], True, id="a denial that administrators do not heed"),
        pytest.param([overwrite(ANA, deny=VIEW, member=True)], False, id="a channel that is hidden from a person"),
        pytest.param([overwrite(OWNER, deny=VIEW, member=True)], True, id="a denial that the owner does not heed"),
        pytest.param([overwrite(STAFF, deny=Permissions(send_messages=True))], True, id="a denial of something else"),
    ],
)
def test_a_channel_is_open_to_all_if_every_member_may_read_it(overwrites: list[Any], is_open: bool) -> None:
    guild = a_guild([channel(GENERAL, *overwrites)])
    general = guild.get_channel(GENERAL)
    assert isinstance(general, discord.TextChannel)

    assert is_open_to_all(general, guild) is is_open


def test_a_channel_of_a_guild_whose_roles_are_not_known_is_open_to_nobody() -> None:
    guild = a_guild([channel(GENERAL)])
    guild._roles.clear()
    general = guild.get_channel(GENERAL)
    assert isinstance(general, discord.TextChannel)

    assert not is_open_to_all(general, guild)


# ---- what is shown in a channel without anybody asking


async def test_what_nobody_asked_for_is_made_from_what_all_who_see_the_channel_may_read() -> None:
    chance = random.Random(4)  # noqa: S311 - no secret
    differing = 0
    for _ in range(300):
        guild = a_guild_by_chance(chance)
        for shown_in in guild.text_channels:
            of_channel = await audience_of_channel(shown_in, some_readers())
            assert of_channel.places == await shared_in(guild, shown_in.id)  # the owner reads everything
            assert of_channel.places <= (await audience(guild, shown_in.id, ANA, private=True)).places or not (
                shown_in.permissions_for(a_member(guild, ANA)).view_channel
            )
            differing += len(of_channel.places) < len(guild.text_channels)
    assert differing > 100


async def test_what_nobody_asked_for_has_the_private_threads_that_all_who_see_it_read() -> None:
    private = thread(PRIVATE_THREAD, GENERAL, kind=ChannelType.private_thread)
    staff_only = channel(SECRET, overwrite(GUILD, deny=VIEW), overwrite(STAFF, allow=VIEW))
    guild = a_guild([channel(GENERAL), staff_only], [private, thread(THREAD, GENERAL)])

    general, staff = (guild.get_channel(channel_id) for channel_id in (GENERAL, SECRET))
    assert isinstance(general, discord.TextChannel)
    assert isinstance(staff, discord.TextChannel)
    assert (await audience_of_channel(general, some_readers())).places == {GENERAL, THREAD}
    assert (await audience_of_channel(staff, some_readers())).places == {GENERAL, SECRET, THREAD, PRIVATE_THREAD}
    assert asked(guild).requests == []


async def test_in_a_channel_that_the_bot_does_not_see_nothing_is_shown_that_nobody_asked_for() -> None:
    guild = a_guild([channel(GENERAL), channel(SECRET, overwrite(BOT, deny=VIEW, member=True))])
    guild._roles[BOT_ROLE]._permissions = READ.value

    hidden = guild.get_channel(SECRET)
    assert isinstance(hidden, discord.TextChannel)
    of_hidden = await audience_of_channel(hidden, some_readers())
    assert (of_hidden.places, of_hidden.must_be_private) == (frozenset(), True)
