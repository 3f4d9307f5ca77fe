"""Channels, threads and posts are known to the whole bot as Discord has them, those in no cache among them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite
from simcord.enums import ChannelType, OverwriteType
from simcord.results import ResponseMessage

from agent.agent import Agent
from agent.conversations import Conversations
from bot.client import Bot
from db.databases import Database
from db.engines import transaction
from memory.capture.recorder import Recorder, open_recorder
from memory.embedding.embedder import Embedder
from memory.places import store
from memory.places.state import PlaceKind, PlaceState
from memory.places.writer import PlaceWriter, open_place_writer
from memory.preferences import TimeZones
from memory.search.memory import Memory
from tests.end_to_end.test_discord_whole import services
from tests.seen import seen

PATIENCE = timedelta(seconds=60)
VIEW = discord.Permissions(view_channel=True).value


@dataclass(frozen=True, slots=True)
class World:
    """A server with a forum, and all that keeps what is said and known of it."""

    env: simcord.Env
    guild: simcord.GuildHandle
    forum: simcord.ChannelHandle
    general: simcord.ChannelHandle
    ana: simcord.MemberActor
    ben: simcord.MemberActor
    recorder: Recorder
    places: PlaceWriter
    long_term: Database

    def open_thread(
        self, parent: simcord.ChannelHandle, title: str, kind: int = ChannelType.PUBLIC_THREAD
    ) -> simcord.ChannelHandle:
        """Return a new thread of Ana's."""
        made = self.env.backend.create_thread(parent.id, title, self.ana.id, type=kind, broadcast=False)
        self.env.backend.announce_thread_create(made)
        return next(thread for thread in parent.threads if thread.id == made.id)

    async def archive(self, thread: simcord.ChannelHandle) -> None:
        """Archive a thread, as Discord does after some days, so that the bot's cache lets go of it."""
        self.env.backend.edit_channel(thread.id, {}, thread_metadata={"archived": True})
        await self.env.settle()
        cached = self.env.bot.get_guild(self.guild.id)
        assert cached is not None
        assert cached.get_thread(thread.id) is None

    async def known(self, place: simcord.ChannelHandle) -> PlaceState:
        """Return what is written of a place once all is."""
        await self.env.settle()
        assert await self.places.settle(timeout=PATIENCE)
        async with transaction(self.long_term.reading) as session:
            return (await store.by_id(session, [place.id]))[place.id]

    async def ask(
        self,
        asker: simcord.MemberActor,
        text: str,
        *,
        private: bool = False,
        place: simcord.ChannelHandle | None = None,
    ) -> ResponseMessage:
        """Return what a member gets for /chat, in #general or elsewhere, once all said and learnt is searchable."""
        await self.env.settle()
        assert await self.recorder.settle(timeout=PATIENCE)
        assert await self.places.settle(timeout=PATIENCE)
        result = await asker.slash(place or self.general, "chat", text=text, private=private)
        assert result.response is not None
        return result.response


OpenWorld = Callable[[], AbstractAsyncContextManager[World]]


@pytest.fixture
def open_world(
    tmp_path: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder
) -> OpenWorld:
    """Opens the bot on a Discord without sockets, with all that keeps what is said and learnt there."""

    @asynccontextmanager
    async def opened() -> AsyncGenerator[World]:
        async with (
            open_place_writer(long_term.sessions, short_term.sessions) as places,
            open_recorder(
                session="places",
                journal_path=tmp_path / "places.csv",
                not_added_path=tmp_path / "places_not_added.csv",
                sessions=short_term.sessions,
                embedder=embedder,
                batch=64,
                on_stored=places.note_stored,
            ) as recorder,
        ):
            places.on_changes.append(lambda changes: memory.note_places(one.now for one in changes))
            places.on_resolved.append(memory.note_resolved)
            agent = Agent((), memory=memory, conversations=Conversations(long_term.sessions))
            bot = Bot(services(recorder, agent, TimeZones(long_term.sessions), places))
            async with simcord.run(bot, settle_timeout=PATIENCE.total_seconds()) as env:
                yield world_in(env, recorder, places, long_term)

    return opened


def world_in(env: simcord.Env, recorder: Recorder, places: PlaceWriter, long_term: Database) -> World:
    guild = env.create_guild("Guild")
    return World(
        env,
        guild,
        forum=guild.create_forum_channel("help-forum"),
        general=guild.create_text_channel("general"),
        ana=guild.add_member(env.create_user("ana"), nick="Ana"),
        ben=guild.add_member(env.create_user("ben"), nick="Ben"),
        recorder=recorder,
        places=places,
        long_term=long_term,
    )


async def test_a_solved_post_is_found_though_discord_has_archived_it(open_world: OpenWorld) -> None:
    async with open_world() as world:
        post = world.open_thread(world.forum, "Boiler makes noises")
        proof = await world.ana.send(post, "bleed the radiator on the top floor first")
        await world.archive(post)

        for private in (False, True):
            result = await world.ask(world.ben, "what should I bleed on the top floor?", private=private)
            assert "bleed the radiator on the top floor first" in seen(result)
            assert f"https://discord.com/channels/{world.guild.id}/{post.id}/{proof.id}" in seen(result)
        named = await world.ask(world.ben, "what was said in the boiler makes noises thread?")
        assert "bleed the radiator on the top floor first" in seen(named)
        assert (await world.known(post)).archived


async def test_a_private_thread_is_found_by_its_members_alone_when_it_is_archived(open_world: OpenWorld) -> None:
    async with open_world() as world:
        secret = world.open_thread(world.general, "surprise", ChannelType.PRIVATE_THREAD)
        await world.ana.send(secret, "the party for Ben is on Saturday at the quarry")
        state = await world.known(secret)
        assert (state.kind, state.parent_id) == (PlaceKind.PRIVATE_THREAD, world.general.id)
        in_itself = await world.ask(world.ana, "when is the party at the quarry?", place=secret)
        assert "Saturday" in seen(in_itself)
        await world.archive(secret)

        for private in (False, True):
            result = await world.ask(world.ben, "when is the party at the quarry?", private=private)
            assert "Saturday" not in seen(result)
            assert "surprise" not in seen(result)
        of_member = await world.ask(world.ana, "when is the party at the quarry?", private=True)
        assert "Saturday" in seen(of_member)
        in_public = await world.ask(world.ana, "when is the party at the quarry?")
        assert "Saturday" not in seen(in_public)


async def test_a_question_names_a_channel_as_it_is_called_today(open_world: OpenWorld) -> None:
    async with open_world() as world:
        await world.ana.send(world.general, "the ferry leaves at noon")
        assert (await world.known(world.general)).name == "general"
        world.env.backend.edit_channel(world.general.id, {"name": "harbour"})

        result = await world.ask(world.ben, "when does the ferry leave? in #harbour")

        assert "the ferry leaves at noon" in seen(result)
        assert (await world.known(world.general)).name == "harbour"


async def test_losing_and_regaining_sight_of_a_channel_is_told_and_no_rename(open_world: OpenWorld) -> None:
    async with open_world() as world:
        told: list[tuple[str, int]] = []

        def lost(place_id: int, _: datetime) -> None:
            told.append(("lost", place_id))

        def regained(place_id: int, _: datetime) -> None:
            told.append(("regained", place_id))

        world.places.watch_sight(on_hidden=lost, on_visible=regained)
        everyone = world.guild.default_role.id
        assert (await world.known(world.general)).is_there

        world.env.backend.set_overwrite(
            world.general.id, Overwrite(target_id=everyone, type=OverwriteType.ROLE, allow=0, deny=VIEW)
        )
        hidden = await world.known(world.general)
        world.env.backend.delete_overwrite(world.general.id, everyone)
        back = await world.known(world.general)

        assert (hidden.name, hidden.hidden_since is None) == ("general", False)
        assert (back.name, back.hidden_since) == ("general", None)
        assert told == [("lost", world.general.id), ("regained", world.general.id)]


async def test_sight_is_lost_with_a_role_too(open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_world() as world:
        monkeypatch.setattr("bot.places._RIGHTS_PAUSE", timedelta(0))
        assert (await world.known(world.general)).is_there
        assert world.guild.me is not None

        for role in world.guild.me.roles:
            world.env.backend.edit_role(world.guild.id, role.id, {"permissions": 0})
        await world.env.settle()
        await asyncio.sleep(0.05)  # for the timer that looks at rights once after several changes

        assert not (await world.known(world.general)).is_there


async def test_what_is_deleted_or_left_is_gone(open_world: OpenWorld) -> None:
    async with open_world() as world:
        post = world.open_thread(world.forum, "Wrong place")
        assert (await world.known(post)).is_there

        world.env.backend.delete_channel(post.id)
        deleted = await world.known(post)
        world.env.backend.remove_guild(world.guild.id)
        left = await world.known(world.general)

        assert (deleted.name, deleted.gone_at is None) == ("Wrong place", False)
        assert left.gone_at is not None
