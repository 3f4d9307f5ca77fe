"""Members catch up, and helpers see open questions, on a Discord without sockets and a real memory."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import discord
import pytest
import simcord
from simcord.enums import ChannelType

from agent.agent import Agent
from agent.conversations import Conversations
from bot.client import Bot
from bot.paging import FORWARD
from db.databases import Database
from memory.capture.recorder import open_recorder
from memory.catch_ups import CatchUps
from memory.digests import Digests
from memory.embedding.embedder import Embedder
from memory.preferences import TimeZones
from memory.search.memory import Memory
from overviews.all import Overviews
from tests.end_to_end.test_discord_whole import PATIENCE, Town, services, town
from tests.seen import buttons, seen

OpenTown = Callable[[], AbstractAsyncContextManager[Town]]


class Clock:
    """The bot's clock, which runs ahead of Discord's when a test wants hours to pass."""

    ahead = timedelta(seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_town(
    tmp_path: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder, clock: Clock
) -> OpenTown:
    return town_opener(tmp_path, short_term, long_term, memory, embedder, clock)


def town_opener(
    folder: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder, clock: Clock
) -> OpenTown:
    """Return what opens the bot with overviews over a real memory."""

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Town]:
        async with open_recorder(
            session="overviews",
            journal_path=folder / "overviews.csv",
            not_added_path=folder / "overviews_not_added.csv",
            sessions=short_term.sessions,
            embedder=embedder,
            batch=64,
        ) as recorder:
            overviews = Overviews(
                memory=memory,
                databases=(memory.short_term, memory.long_term),
                catch_ups=CatchUps(long_term.sessions),
            )
            agent = Agent((), memory=memory, conversations=Conversations(long_term.sessions))
            base = services(recorder, agent, TimeZones(long_term.sessions))
            now = base.clock
            bot = Bot(
                replace(
                    base,
                    overviews=overviews,
                    digests=Digests(long_term.sessions),
                    clock=lambda: now() + clock.ahead,
                )
            )
            async with simcord.run(bot, settle_timeout=PATIENCE.total_seconds()) as env:
                yield town(env, recorder, short_term)

    return opened


async def shown(town: Town, asker: simcord.MemberActor, command: str, **options: object) -> str:
    """Return what a member gets for a command, which nobody else sees, once all that was said is searchable."""
    assert await town.recorder.settle(timeout=PATIENCE)
    result = await asker.slash(town.general, command, **options)
    assert result.response is not None
    assert result.response.ephemeral
    return "\n".join([seen(result.response), *(seen(message) for message in result.followups)])


def private_thread(town: Town) -> simcord.ChannelHandle:
    """Return a private thread of Cleo's in #general that Ben and the bot have joined."""
    backend = town.general._env.backend
    bot = town.general._env.bot.user
    assert bot is not None
    thread_id = backend.create_thread(town.general.id, "x", town.cleo.id, type=ChannelType.PRIVATE_THREAD).id
    for member_id in (town.ben.id, bot.id):
        backend.add_thread_member(thread_id, member_id)
    return next(thread for thread in town.general.threads if thread.id == thread_id)


def helpers(town: Town) -> tuple[simcord.MemberActor, simcord.MemberActor]:
    """Return two members who manage messages: one who reads what Ana reads, and one of the staff."""
    role = town.guild.create_role("Helpers", permissions=discord.Permissions(manage_messages=True))
    dora, emil = (town.guild._env.create_user(name) for name in ("dora", "emil"))
    return town.guild.add_member(dora, roles=[role]), town.guild.add_member(emil, roles=[role, town.staff])


async def test_a_member_catches_up_with_what_they_may_read_and_then_has_nothing_left(open_town: OpenTown) -> None:
    async with open_town() as town:
        mine = await town.ana.send(town.general, "I am away for lunch")
        reply = await town.ben.send(town.general, "enjoy it", reply_to=mine)
        await town.ben.send(town.releases, "release 0.4 is out: https://example.org/0.4")
        await town.cleo.send(town.mods, f"shall we warn {town.ana.mention} of this?")

        first = await shown(town, town.ana, "catchup")
        again = await shown(town, town.ana, "catchup")
        since = await shown(town, town.ana, "catchup", since="yesterday")
        for_cleo = await shown(town, town.cleo, "catchup", since="yesterday")

    assert first.startswith("**What you missed since ")
    assert "**Ben** in #general, [" in first
    assert town.link(reply) in first
    assert "#general, 1 reply to you, 1 message" in first
    assert "#releases, only 1 message" in first
    assert "warn" not in first + again + since
    assert "mods" not in first + again + since
    assert "Nobody else has said anything" in again
    assert "#releases, only 1 message" in since
    assert "#mods" not in for_cleo
    assert "enjoy it" not in again


async def test_a_long_catch_up_has_pages_that_begin_where_the_first_one_does(open_town: OpenTown) -> None:
    async with open_town() as town:
        mine = await town.ana.send(town.general, "I am away for lunch")
        for number in range(30):
            words = f"number {number} of the many things that happened while you were away, see https://example.org/x"
            await town.ben.send(town.general, words, reply_to=mine)
        assert await town.recorder.settle(timeout=PATIENCE)
        result = await town.ana.slash(town.general, "catchup")
        assert result.response is not None
        assert not result.followups
        first, labels = seen(result.response), buttons(result.response)
        await town.ana.click(result.response, label=FORWARD)
        second = seen(result.response)
        again = await shown(town, town.ana, "catchup")

    assert "1 of 2" in labels
    assert first.startswith("**What you missed since ")
    assert "while you were away" in second
    assert "Nobody else has said anything" not in second
    assert "Nobody else has said anything" in again


async def test_a_private_thread_is_caught_up_with_by_those_alone_who_joined_it(open_town: OpenTown) -> None:
    async with open_town() as town:
        thread = private_thread(town)
        await town.cleo.send(thread, "is the cake in the fridge by now?")

        for_ana = await shown(town, town.ana, "catchup", since="yesterday")
        for_ben = await shown(town, town.ben, "catchup", since="yesterday")

    assert "#general, only 1 message" in for_ana  # which says that there is a thread
    assert "cake" not in for_ana
    assert "is the cake in the fridge by now?" in for_ben


async def test_what_is_no_time_is_answered_with_a_sentence(open_town: OpenTown) -> None:
    async with open_town() as town:
        assert await shown(town, town.ana, "catchup", since="purple") == (
            'I do not know which time that is: say it like "Monday", "yesterday" or "3 hours ago".'
        )


async def test_helpers_see_the_questions_that_nobody_answered_where_they_may_read_them(
    open_town: OpenTown, clock: Clock
) -> None:
    async with open_town() as town:
        question = await town.ana.send(town.general, "how do I change the belt of the wheel?")
        await town.cleo.send(town.mods, "who writes the minutes this week?")
        asked = await town.ana.send(town.releases, "when is the next release out?")
        await town.ben.send(town.releases, "on Friday", reply_to=asked)
        dora, emil = helpers(town)
        clock.ahead = timedelta(hours=7)

        for_dora = await shown(town, dora, "unanswered")
        later = await shown(town, dora, "unanswered", hours=8)
        elsewhere = await shown(town, dora, "unanswered", channel=town.releases)
        for_emil = await shown(town, emil, "unanswered")
        with pytest.raises(simcord.SetupError, match="default-member-permissions"):
            await town.ana.slash(town.general, "unanswered")

    assert "- 7 hours old: **Ana** in #general, [" in for_dora
    assert town.link(question) in for_dora
    assert "minutes" not in for_dora
    assert "release out" not in for_dora
    assert "belt" not in later + elsewhere
    assert "minutes" in for_emil
