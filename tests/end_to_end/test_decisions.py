"""Messages are marked as decisions and listed, in a simulated Discord."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import discord
import pytest
import simcord

from agent.types import Answer
from bot.client import Bot
from bot.events import message_of
from bot.features.decisions import marking
from db.databases import Database
from memory.decisions import Decisions
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from memory.search_session import searchable_database
from overviews.all import Overviews
from overviews.decisions import NONE_YET, DecisionList
from tests.builders import remember
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.seen import seen

pytestmark = pytest.mark.server

HIDDEN = discord.PermissionOverwrite(view_channel=False)
SHOWN = discord.PermissionOverwrite(view_channel=True)

Say = Callable[[simcord.MemberActor, simcord.ChannelHandle, str], Awaitable[discord.Message]]


@pytest.fixture
def simcord_bot(short_term: Database, long_term: Database, memory: Memory) -> Bot:
    overviews = Overviews(
        memory=memory,
        databases=(searchable_database(short_term), searchable_database(long_term)),
        decisions=DecisionList(Decisions(long_term.sessions), memory),
    )
    given = services(FakeRecorder(), FakeAsker(Answer(text="-")))
    return Bot(replace(given, overviews=overviews, clock=discord.utils.utcnow))


@pytest.fixture
def guild(simcord_env: simcord.Env) -> simcord.GuildHandle:
    return simcord_env.create_guild("Guild")


@pytest.fixture
def general(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("general")


@pytest.fixture
def mods(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.RoleHandle:
    return guild.create_role("mods", permissions=discord.Permissions(manage_messages=True, view_channel=True))


@pytest.fixture
def staff(simcord_env: simcord.Env, guild: simcord.GuildHandle, mods: simcord.RoleHandle) -> simcord.ChannelHandle:
    assert simcord_env.bot.user is not None
    return guild.create_text_channel(
        "staff", overwrites={guild.default_role: HIDDEN, mods: SHOWN, simcord_env.bot.user: SHOWN}
    )


@pytest.fixture
def ana(simcord_env: simcord.Env, guild: simcord.GuildHandle, mods: simcord.RoleHandle) -> simcord.MemberActor:
    """A moderator."""
    return guild.add_member(simcord_env.create_user("ana"), roles=[mods])


@pytest.fixture
def bob(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    """Somebody without any role."""
    return guild.add_member(simcord_env.create_user("bob"))


@pytest.fixture
def say(simcord_env: simcord.Env, short_term: Database, embedder: Embedder) -> Say:
    """Lets somebody say something, and memory hold it."""

    async def saying(member: simcord.MemberActor, channel: simcord.ChannelHandle, words: str) -> discord.Message:
        said = await member.send(channel, words)
        cached = discord.utils.get(simcord_env.bot.cached_messages, id=said.id)
        assert cached is not None
        await remember(short_term, embedder, [message_of(cached, session="test")])
        return said

    return saying


async def mark(
    member: simcord.MemberActor, channel: simcord.ChannelHandle, said: discord.Message, **values: str | list[str]
) -> str:
    form = await member.context_menu(channel, "Mark as decision", said)
    result = await member.submit_modal(form, values)
    assert result.response is not None
    assert result.response.ephemeral
    return seen(result.response)


async def shown(member: simcord.MemberActor, here: simcord.ChannelHandle, **options: Any) -> str:
    result = await member.slash(here, "decisions", **options)
    assert result.response is not None
    assert result.response.ephemeral is not bool(options.get("public"))
    return seen(result.response)


async def test_a_marked_message_is_listed_with_its_title_and_link(
    say: Say, general: simcord.ChannelHandle, ana: simcord.MemberActor, bob: simcord.MemberActor
) -> None:
    said = await say(bob, general, "We ship on Fridays.")

    told = await mark(ana, general, said, title="When we *ship*")

    link = said.jump_url
    assert told == marking.MARKED.format(link=link)
    assert r"When we \*ship\*: **bob** in #general" in await shown(bob, general)
    assert link in await shown(bob, general, public=True)
    assert "We ship on Fridays." in await shown(bob, general, topic="shipping")


async def test_a_later_decision_replaces_the_one_that_is_chosen(
    say: Say, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    first = await say(ana, general, "We ship on Fridays.")
    await mark(ana, general, first, title="Fridays")
    second = await say(ana, general, "From now on we ship on Mondays.")

    told = await mark(ana, general, second, title="Mondays", replaces=[str(first.id)])

    assert marking.REPLACES.split("{", maxsplit=1)[0] in told
    listed = await shown(ana, general)
    assert listed.index("Mondays") < listed.index("replaces Fridays")
    assert "We ship on Fridays" not in listed


async def test_marking_again_offers_to_withdraw(
    say: Say, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    said = await say(ana, general, "We ship on Fridays.")
    await mark(ana, general, said, title="Fridays")

    told = await mark(ana, general, said, state=["withdrawn"])

    assert told.startswith(marking.WITHDRAWN.split("{", maxsplit=1)[0])
    assert NONE_YET in await shown(ana, general)


async def test_a_public_list_shows_only_what_everybody_there_may_read(
    say: Say,
    general: simcord.ChannelHandle,
    staff: simcord.ChannelHandle,
    ana: simcord.MemberActor,
    bob: simcord.MemberActor,
) -> None:
    await mark(ana, general, await say(ana, general, "We ship on Fridays."), title="Fridays")
    await mark(ana, staff, await say(ana, staff, "Bob gets a rise."), title="Wages")

    assert "Wages" in await shown(ana, general)
    for listed in (
        await shown(ana, general, public=True),
        await shown(bob, general),
        await shown(ana, general, public=True, channel=staff),
    ):
        assert "Wages" not in listed
        assert "rise" not in listed
    assert "Wages" in await shown(ana, staff, public=True)


async def test_what_memory_does_not_hold_cannot_be_marked(
    general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    said = await ana.send(general, "Nobody has kept this.")

    result = await ana.context_menu(general, "Mark as decision", said)

    assert result.response is not None
    assert seen(result.response) == marking.NOT_REMEMBERED


async def test_an_unclear_moment_is_answered_in_a_sentence(
    general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    assert "I do not know which time that is" in await shown(ana, general, as_of="the blue moon")


async def test_marking_is_offered_to_those_who_manage_messages_unless_a_server_says_otherwise(
    simcord_bot: Bot, general: simcord.ChannelHandle, bob: simcord.MemberActor
) -> None:
    command = simcord_bot.tree.get_command("Mark as decision", type=discord.AppCommandType.message)

    assert isinstance(command, discord.app_commands.ContextMenu)
    assert command.default_permissions == discord.Permissions(manage_messages=True)
