"""Two servers in one memory never meet: the same names, the same words, and nothing of the one is told in the other."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import simcord
from langchain_core.language_models import BaseChatModel
from sqlalchemy import func, select

from agent.agent import Agent
from agent.conversations import Conversations
from bot.client import Bot
from db.databases import Database
from db.engines import transaction
from db.schema import MessageRow
from db.shards import ShardRange
from memory.about import about
from memory.capture.recorder import Recorder, open_recorder
from memory.embedding.embedder import Embedder
from memory.message import Kind
from memory.preferences import TimeZones
from memory.search.memory import Memory
from tests.agents import of
from tests.end_to_end.test_discord_whole import services
from tests.fakes import ScriptedModel, calls, says
from tests.seen import seen

PATIENCE = timedelta(seconds=60)

QUESTIONS = (
    "where is the key?",
    "when is the release?",
    "what did Ana say?",
    "what did Ben say about the key in #general?",
    "what was said today?",
    "what was said in #releases today?",
    "how often was the release mentioned?",
    "who spoke of the release?",
    "which links were posted?",
    "catch me up",
)


@dataclass(frozen=True, slots=True)
class Server:
    """A guild with two channels and two people, and the words that nobody but its members may read."""

    guild: simcord.GuildHandle
    general: simcord.ChannelHandle
    releases: simcord.ChannelHandle
    ana: simcord.MemberActor
    ben: simcord.MemberActor
    secrets: tuple[str, ...]

    def marks(self) -> set[str]:
        """Return what shows that a text is of this server: its words and ids."""
        places = (self.guild.id, self.general.id, self.releases.id)
        return {*self.secrets, *map(str, places)}


@dataclass(frozen=True, slots=True)
class World:
    """One bot with one memory in two servers, each on a shard of its own."""

    env: simcord.Env
    recorder: Recorder
    short_term: Database
    harbour: Server
    orchard: Server

    async def ask(self, server: Server, text: str, *, private: bool = False) -> str:
        """Return all that Ana gets for a question in a server, once what was said is searchable."""
        assert await self.recorder.settle(timeout=PATIENCE)
        return shown(await server.ana.slash(server.general, "chat", text=text, private=private))

    async def ask_alone(self, text: str) -> str:
        """Return all that Ana gets for a question in direct messages."""
        assert await self.recorder.settle(timeout=PATIENCE)
        return shown(await self.harbour.ana.user.slash("chat", text=text))


def shown(result: simcord.InteractionResult) -> str:
    assert result.response is not None
    return "\n".join([seen(result.response), *(seen(message) for message in result.followups)])


@asynccontextmanager
async def open_world(
    folder: Path,
    databases: tuple[Database, Database],
    memory: Memory,
    embedder: Embedder,
    model: BaseChatModel | None = None,
) -> AsyncGenerator[World]:
    short_term, long_term = databases
    async with open_recorder(
        session="two",
        journal_path=folder / "two.csv",
        not_added_path=folder / "two_not_added.csv",
        sessions=short_term.sessions,
        embedder=embedder,
        batch=64,
    ) as recorder:
        conversations = Conversations(long_term.sessions)
        agent = Agent(() if model is None else of(model), memory=memory, conversations=conversations)

        async def about_guild(guild_id: int | None) -> str:
            progress = recorder.progress
            return await about(
                databases,
                guild=guild_id,
                session="two",
                models="none",
                journal_progress=progress,
                journal_is_failing=False,
            )

        needed = replace(services(recorder, agent, TimeZones(long_term.sessions)), about=about_guild)
        bot = Bot(needed, shards=ShardRange(0, 1, 2))
        async with simcord.run(bot, settle_timeout=PATIENCE.total_seconds()) as env:
            ana = env.create_user("ana")
            server = partial(server_of, env, ana)
            world = World(
                env,
                recorder,
                short_term,
                harbour=server("Harbour", 0, secrets=("heron", "lighthouse")),
                orchard=server("Orchard", 1, secrets=("otter", "Quentin")),
            )
            await fill(world)
            yield world


def server_of(env: simcord.Env, ana: simcord.UserHandle, name: str, shard: int, *, secrets: tuple[str, ...]) -> Server:
    guild = env.create_guild(name, shard_id=shard)
    return Server(
        guild,
        general=guild.create_text_channel("general"),
        releases=guild.create_text_channel("releases"),
        ana=guild.add_member(ana, nick="Ana"),
        ben=guild.add_member(env.create_user(f"ben of {name.lower()}"), nick="Ben"),
        secrets=secrets,
    )


async def fill(world: World) -> None:
    """Let the same be said in both servers but for one word, and more of it in the orchard."""
    for server in (world.harbour, world.orchard):
        secret = server.secrets[0]
        await server.ana.send(server.releases, f"the release is on Friday, if the {secret} allows it")
        await server.ben.send(server.general, f"the key is under the {secret}, see https://{secret}.example.org/key")
        await server.ana.user.send_dm(f"the key of my own is not with the {secret}s")
    quentin = world.orchard.guild.add_member(world.env.create_user("quentin"), nick="Quentin")
    for number in range(2):
        await quentin.send(world.orchard.releases, f"the release number {number} went well")


OpenWorld = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture
def open_two(
    tmp_path: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder
) -> OpenWorld:
    """Opens the bot in both servers, with a language model or without."""
    return partial(open_world, tmp_path, (short_term, long_term), memory, embedder)


def found_in(text: str, marks: set[str]) -> set[str]:
    return {mark for mark in marks if mark in text}


async def test_nothing_of_one_server_is_told_in_the_other_in_public_or_in_private(open_two: OpenWorld) -> None:
    async with open_two() as world:
        told: dict[str, list[str]] = {"harbour": [], "orchard": []}
        for private in (False, True):
            for text in QUESTIONS:
                told["harbour"].append(await world.ask(world.harbour, text, private=private))
                told["orchard"].append(await world.ask(world.orchard, text, private=private))

        assert [found_in(text, world.orchard.marks()) for text in told["harbour"]] == [set()] * len(told["harbour"])
        assert [found_in(text, world.harbour.marks()) for text in told["orchard"]] == [set()] * len(told["orchard"])
        key = QUESTIONS.index("where is the key?")
        assert "under the heron" in told["harbour"][key]
        assert "under the otter" in told["orchard"][key]


async def test_direct_messages_tell_of_neither_server(open_two: OpenWorld) -> None:
    async with open_two() as world:
        told = [await world.ask_alone(text) for text in QUESTIONS]

        marks = world.harbour.marks() | world.orchard.marks() | {"Ben", "under the", "Friday"}
        said_there = {"heron", "otter"}  # what Ana wrote to the bot herself
        assert [found_in(text, marks - said_there) for text in told] == [set()] * len(told)
        assert "key of my own" in told[0]


async def test_a_number_counts_the_messages_of_one_server(open_two: OpenWorld) -> None:
    async with open_two() as world:
        question = "how many messages mention the release?"
        in_harbour, in_orchard = [await world.ask(server, question) for server in (world.harbour, world.orchard)]

        assert re.match(r"\W*1 message\b", in_harbour)
        assert re.match(r"\W*3 messages\b", in_orchard)


async def test_a_name_that_only_the_other_server_knows_is_like_one_that_nobody_bears(open_two: OpenWorld) -> None:
    async with open_two() as world:
        in_harbour = await world.ask(world.harbour, "what did Quentin say about the release?")
        nobody = await world.ask(world.harbour, "what did Zebulon say about the release?")
        in_orchard = await world.ask(world.orchard, "what did Quentin say about the release?")

        assert in_harbour.replace("Quentin", "Zebulon") == nobody
        assert "went well" in in_orchard


async def test_about_counts_what_is_kept_of_the_server_alone(open_two: OpenWorld) -> None:
    async with open_two() as world:
        assert await world.recorder.settle(timeout=PATIENCE)
        result = await world.harbour.ana.slash(world.harbour.general, "about")

        async with transaction(world.short_term.sessions) as session:
            of_guild = MessageRow.guild_id == world.harbour.guild.id
            kept = select(func.count()).select_from(MessageRow).where(of_guild, MessageRow.kind == Kind.MESSAGE.value)
            count = await session.scalar(kept)
        assert count == 2
        # The command itself may have been stored by then.
        assert re.search(r"short-term memory: [23] messages", shown(result))


async def test_a_conversation_in_one_server_feeds_none_in_the_other(open_two: OpenWorld) -> None:
    lines = [calls("search_messages", query="key"), says("It is there [1].")] * 3
    model = ScriptedModel(lines)
    async with open_two(model) as world:
        await world.ask(world.harbour, "where is the key?")
        heard_before = len(model.heard)
        await world.ask(world.orchard, "and where is it now?")
        await world.ask_alone("where was it?")

    later = "\n".join(message.text for heard in model.heard[heard_before:] for message in heard)
    assert "under the otter" in later
    assert "under the heron" not in later
    assert "lighthouse" not in later
