"""A weekly digest is posted once, from what all its readers may read, and stays true: on simcord and a real memory."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite
from simcord.enums import OverwriteType
from sqlalchemy import text

from bot.client import Bot
from bot.features.digest.keeper import DigestKeeper
from db.databases import Database
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from ops.erasure.erase import forget
from tests.end_to_end.test_catch_up_commands import Clock, shown, town_opener
from tests.end_to_end.test_discord_whole import PATIENCE, Town
from util_async import no_progress

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Digested:
    """A town with an administrator, in which #general has a digest on Fridays at nine."""

    town: Town
    boss: simcord.MemberActor
    clock: Clock
    databases: tuple[Database, Database]

    @property
    def long_term(self) -> Database:
        return self.databases[1]

    @property
    def bot(self) -> Bot:
        bot = self.town.general._env.bot
        assert isinstance(bot, Bot)
        return bot

    @property
    def keeper(self) -> DigestKeeper:
        assert self.bot._digests is not None
        return self.bot._digests

    async def said(self) -> dict[str, discord.Message]:
        """Have a week's worth of things said; the digest is due a day later."""
        town = self.town
        messages = {
            "liked": await town.ana.send(town.general, "the new kiln has arrived"),
            "link": await town.ben.send(town.releases, "release 0.4 is out: https://example.org/0.4"),
            "secret": await town.cleo.send(town.mods, "we ban Zed, see https://example.org/zed"),
            "question": await town.ana.send(town.general, "who helps me to carry the kiln?"),
            "more": await town.ana.send(town.general, "it is heavy"),
        }
        for member in (town.ben, town.cleo):
            await member.react(messages["liked"], "👍")
        for _ in range(4):
            await town.cleo.send(town.mods, "and that is that")
        return messages

    async def turn(self, later: timedelta = timedelta()) -> list[str]:
        """Let the bot look after its digests, some time later; return the digests in #general."""
        assert await self.town.recorder.settle(timeout=PATIENCE)
        self.clock.ahead += later
        await self.keeper.turn()
        return self.posted()

    def posted(self) -> list[str]:
        """Return what the bot has posted in #general."""
        history = self.town.general.history(viewer=self.town.ana)
        return [message.content for message in history if message.author == self.bot.user]


OpenDigested = Callable[[], AbstractAsyncContextManager[Digested]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_digested(
    tmp_path: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder, clock: Clock
) -> OpenDigested:
    @asynccontextmanager
    async def opened() -> AsyncGenerator[Digested]:
        async with town_opener(tmp_path, short_term, long_term, memory, embedder, clock)() as town:
            role = town.guild.create_role("Boss", permissions=discord.Permissions(administrator=True))
            boss = town.guild.add_member(town.guild._env.create_user("boss"), roles=[role])
            digested = Digested(town, boss, clock, (short_term, long_term))
            answer = await shown(town, boss, "digest start", channel=town.general, day=4, time="9:00")
            assert "gets a digest every Friday at 09:00 (UTC)" in answer
            yield digested

    return opened


async def test_a_digest_is_posted_once_and_late_where_the_bot_was_away(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        await digested.said()

        assert await digested.turn(timedelta(hours=8)) == []  # it is Thursday
        (digest,) = await digested.turn(timedelta(days=4))  # on Monday it is late
        assert await digested.turn() == [digest]
        assert await digested.turn(timedelta(hours=1)) == [digest]

        assert "**What happened from Fri 26 Dec 2025 to Fri 2 Jan 2026**" in digest
        assert "#general, 3 messages from 1 person" in digest
        assert "- 2 reactions: **Ana** in #general" in digest
        assert "https://example.org/0.4" in digest


async def test_a_digest_tells_nothing_that_some_reader_of_its_channel_may_not_read(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        await digested.said()

        (digest,) = await digested.turn(timedelta(days=2))

        assert "mods" not in digest
        assert "zed" not in digest.casefold()
        assert "and that is that" not in digest


async def test_a_digest_shows_nobody_up_whom_nobody_answered(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        await digested.said()

        (digest,) = await digested.turn(timedelta(days=2))

        assert "who helps me" not in digest
        assert "question" not in digest.casefold()


async def test_a_digest_of_a_week_in_which_nothing_was_said_is_not_posted(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        assert await digested.turn(timedelta(days=2)) == []

        await digested.said()
        assert await digested.turn(timedelta(hours=1)) == []  # that week is over


async def test_what_was_claimed_and_never_sent_is_sent_by_the_next_turn(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        await digested.said()
        await digested.turn(timedelta(hours=8))
        await run(digested.long_term, _CLAIM, channel=digested.town.general.id, guild=digested.town.guild.id)

        (digest,) = await digested.turn(timedelta(days=2))

        assert "What happened from" in digest


async def test_two_processes_post_one_digest(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        await digested.said()
        keeper, services = digested.keeper, digested.bot._services
        assert services.digests is not None
        other = DigestKeeper(
            digested.bot,
            services=services,
            readers=keeper._readers,
            digests=services.digests,
            digest=keeper._digest,
        )
        digested.clock.ahead += timedelta(days=2)
        assert await digested.town.recorder.settle(timeout=PATIENCE)

        await asyncio.gather(keeper.turn(), other.turn())
        await asyncio.gather(keeper.turn(), other.turn())

        assert len(digested.posted()) == 1


async def test_an_erasure_reaches_a_digest_within_a_turn(open_digested: OpenDigested, tmp_path: Path) -> None:
    async with open_digested() as digested:
        await digested.said()
        (digest,) = await digested.turn(timedelta(days=2))
        await digested.turn()  # what has changed is looked at twice

        await forget(
            digested.town.ana.id,
            short_term=digested.databases[0],
            long_term=digested.long_term,
            storage_dir=tmp_path / "elsewhere",
            backup_dir=tmp_path / "backups",
            now=digested.bot._services.clock(),
            timeout=PATIENCE,
            report=no_progress,
        )
        (rewritten,) = await digested.turn()

        assert "Ana" in digest
        assert "Ana" not in rewritten
        assert "kiln" not in rewritten
        assert "https://example.org/0.4" in rewritten


async def test_what_was_sent_and_never_noted_is_not_sent_again(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        await digested.said()
        (digest,) = await digested.turn(timedelta(days=2))
        await run(digested.long_term, _NOT_NOTED)

        assert await digested.turn() == [digest]
        assert await count(digested.long_term, "message_id IS NOT NULL AND cardinality(source_ids) > 0") == 1


async def test_a_digest_is_rewritten_when_a_source_is_deleted_or_edited(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        said = await digested.said()
        (digest,) = await digested.turn(timedelta(days=2))

        await digested.town.ben.edit(said["link"], "release 0.4 was taken back: https://example.org/back")
        (edited,) = await digested.turn()
        await digested.town.ana.delete(said["liked"])
        (cut,) = await digested.turn()

        assert "0.4 is out" in digest
        assert "https://example.org/back" in edited
        assert "0.4 is out" not in edited
        assert "kiln has arrived" in edited
        assert "kiln has arrived" not in cut
        assert "Most reactions" not in cut
        assert "https://example.org/back" in cut


async def test_a_digest_that_nothing_has_happened_to_is_left_as_it_is(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        said = await digested.said()
        (digest,) = await digested.turn(timedelta(days=2))

        await digested.town.cleo.react(said["more"], "🎉")
        await digested.town.ben.react(said["more"], "🎉")

        assert await digested.turn(timedelta(hours=2)) == [digest]


async def test_a_digest_is_rewritten_when_not_all_of_its_readers_may_read_a_source_any_more(
    open_digested: OpenDigested,
) -> None:
    async with open_digested() as digested:
        await digested.said()
        (digest,) = await digested.turn(timedelta(days=2))

        await close(digested.town.releases, digested)
        (rewritten,) = await digested.turn()

        assert "example.org/0.4" in digest
        assert "releases" not in rewritten
        assert "example.org" not in rewritten
        assert "kiln has arrived" in rewritten


async def test_a_digest_is_rewritten_at_the_next_start_when_somebody_was_forgotten_meanwhile(
    open_digested: OpenDigested,
) -> None:
    async with open_digested() as digested:
        await digested.said()
        (digest,) = await digested.turn(timedelta(days=2))
        await digested.turn()  # what has changed is looked at twice
        for database in digested.databases:
            await run(database, "DELETE FROM messages WHERE author_id = :author", author=digested.town.ana.id)

        assert await digested.turn() == [digest]  # no event has told
        digested.keeper.check_all()
        (rewritten,) = await digested.turn()

        assert "Ana" in digest
        assert "Ana" not in rewritten
        assert "kiln" not in rewritten


async def test_a_digest_that_somebody_deleted_does_not_come_back(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        said = await digested.said()
        await digested.turn(timedelta(days=2))
        (post,) = [one for one in digested.town.general.history() if one.author == digested.bot.user]
        await digested.boss.delete(post)

        await digested.town.ana.delete(said["liked"])

        assert await digested.turn() == []
        assert await digested.turn(timedelta(hours=2)) == []


async def test_after_thirty_days_a_digest_stays_as_it_is(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        said = await digested.said()
        (digest,) = await digested.turn(timedelta(days=2))
        await shown(digested.town, digested.boss, "digest stop", channel=digested.town.general)

        await digested.turn(timedelta(days=31))
        await digested.town.ana.delete(said["liked"])

        assert await digested.turn() == [digest]
        assert await count(digested.long_term, "true") == 0


async def test_the_bot_looks_after_digests_by_itself(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        await digested.said()
        assert await digested.town.recorder.settle(timeout=PATIENCE)
        digested.clock.ahead += timedelta(days=2)

        digested.keeper.start()
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while not digested.posted():  # no event tells
                await digested.town.general._env.advance_time(1)

        assert len(digested.posted()) == 1


async def test_an_administrator_sees_stops_and_lists_digests_and_others_cannot(open_digested: OpenDigested) -> None:
    async with open_digested() as digested:
        town, boss = digested.town, digested.boss
        await digested.said()

        preview = await shown(town, boss, "digest preview", channel=town.general)
        listed = await shown(town, boss, "digest show")
        again = await shown(town, boss, "digest start", channel=town.general, day=0, time="25:00")
        stopped = await shown(town, boss, "digest stop", channel=town.general)
        none = await shown(town, boss, "digest show")
        nothing = await shown(town, boss, "digest stop", channel=town.general)
        with pytest.raises(simcord.SetupError, match="default-member-permissions"):
            await town.ana.slash(town.general, "digest show")

        assert "https://example.org/0.4" in preview
        assert "zed" not in preview
        assert f"<#{town.general.id}>, Friday at 09:00" in listed
        assert again.startswith("Say the time")
        assert "gets no digest any more" in stopped
        assert none.startswith("No channel has a digest")
        assert "has no digest" in nothing
        assert await digested.turn(timedelta(days=2)) == []


_NOT_NOTED = """
    UPDATE digests SET message_id = NULL, posted_at = NULL, source_ids = '{}', claimed_at = '2026-01-01 00:00+00'
"""  # claimed on Discord's clock, which the bot's is ahead of here
_CLAIM = """
    INSERT INTO digests (channel_id, guild_id, starts_at, due_at, claimed_at)
    VALUES (:channel, :guild, '2025-12-26 09:00+00', '2026-01-02 09:00+00', '2026-01-02 09:00+00')
"""


async def run(database: Database, statement: str, **values: object) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(statement), values)


async def count(database: Database, condition: str) -> int:
    async with database.engine.connect() as connection:
        found = await connection.scalar(text(f"SELECT count(*) FROM digests WHERE {condition}"))  # noqa: S608
    assert isinstance(found, int)
    return found


async def close(channel: simcord.ChannelHandle, digested: Digested) -> None:
    """Hide a channel from all but the bot and the staff."""
    bot = digested.bot.user
    assert bot is not None
    backend, view = channel._env.backend, discord.Permissions(view_channel=True).value
    backend.set_overwrite(channel.id, Overwrite(bot.id, OverwriteType.MEMBER, allow=view))
    backend.set_overwrite(channel.id, Overwrite(digested.town.guild.id, OverwriteType.ROLE, deny=view))
    await channel._env.settle()
