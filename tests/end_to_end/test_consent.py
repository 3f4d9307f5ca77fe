"""What may not be kept is not kept over Discord's protocol: live, after a time away, and when the past is read."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.history.backfill import BackfillRequest
from db.databases import Database
from memory.consent.opt_outs import Wish
from memory.consent.pauses import Pause
from memory.embedding.embedder import Embedder
from memory.guild_settings import IGNORED_CHANNELS, PAUSES
from memory.search.memory import Memory
from tests.fake_discord import Channel, FakeDiscord, Guild, Member
from tests.running_bot import BotPrograms, RunningBot

pytestmark = pytest.mark.server

SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Harbour:
    """A server with two members and two channels."""

    guild: Guild
    general: Channel
    vault: Channel
    ana: Member
    ben: Member


@pytest.fixture
def harbour(fake: FakeDiscord) -> Harbour:
    guild = fake.world.guild("Harbour")
    general, vault = fake.world.channel(guild, "general"), fake.world.channel(guild, "vault")
    return Harbour(guild, general, vault, fake.world.member(guild, "Ana"), fake.world.member(guild, "Ben"))


@pytest.fixture
def programs(
    tmp_path: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder, fake: FakeDiscord
) -> BotPrograms:
    return BotPrograms(
        folder=tmp_path, short_term=short_term, long_term=long_term, memory=memory, embedder=embedder, fake=fake
    )


async def set_in(running: RunningBot, guild: Guild, setting: Any, value: Any) -> None:
    await running.services.guild_settings.set(guild.id, setting, value, at=discord.utils.utcnow())


async def opt_out(running: RunningBot, member: Member) -> None:
    assert running.services.consent is not None
    await running.services.consent.opt_out(member.id, Wish.EVERYTHING, at=discord.utils.utcnow())


async def read_the_past(running: RunningBot, guild: Guild) -> None:
    backfills = running.bot._backfills
    assert backfills is not None
    found = running.bot.get_guild(guild.id)
    assert found is not None
    await backfills.start(found, BackfillRequest(again=True)).task
    await running.settled()


def written(programs: BotPrograms) -> str:
    """Return all that stands in the files of the sessions."""
    return "".join(path.read_text(encoding="utf-8") for path in programs.folder.glob("*.csv"))


async def test_who_opted_out_is_never_stored(programs: BotPrograms, fake: FakeDiscord, harbour: Harbour) -> None:
    fake.world.say(harbour.general, f"{SEALED} long ago", author=harbour.ana)
    async with programs.started() as running:
        await opt_out(running, harbour.ana)
        first = fake.world.say(harbour.general, f"{SEALED} live", author=harbour.ana)
        fake.world.edit(first, f"{SEALED} edited")
        fake.world.say(harbour.general, "open", author=harbour.ben)
        await running.heard(harbour.general, 1)
    fake.world.say(harbour.general, f"{SEALED} while away", author=harbour.ana)
    fake.world.say(harbour.general, "open while away", author=harbour.ben)

    async with programs.started() as running:
        await running.settled()
        await read_the_past(running, harbour.guild)

        assert sorted(await running.stored(harbour.general)) == ["open", "open while away"]
    assert SEALED not in written(programs)
    assert str(harbour.ana.id) not in written(programs)


async def test_a_question_of_somebody_who_opted_out_is_answered_and_not_stored(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour, long_term: Database
) -> None:
    async with programs.started() as running:
        fake.world.say(harbour.general, "the kiln reaches 1280 degrees", author=harbour.ben)
        await running.heard(harbour.general, 1)
        await opt_out(running, harbour.ana)

        answer = await running.ask(harbour.ana, harbour.general, "how many degrees does the kiln reach?")

        assert "1280" in answer
        await running.settled()
        async with long_term.engine.connect() as connection:
            turns = await connection.exec_driver_sql("SELECT count(*) FROM conversation_turns")
            assert turns.scalar_one() == 0
    assert "how many degrees" not in written(programs)
    assert "searched" not in written(programs)  # nor is the answer


async def test_an_ignored_channel_is_never_stored(programs: BotPrograms, fake: FakeDiscord, harbour: Harbour) -> None:
    fake.world.say(harbour.vault, f"{SEALED} long ago", author=harbour.ben)
    async with programs.started() as running:
        await set_in(running, harbour.guild, IGNORED_CHANNELS, {harbour.vault.id: discord.utils.utcnow()})
        fake.world.say(harbour.vault, f"{SEALED} live", author=harbour.ben)
        fake.world.say(harbour.general, "open", author=harbour.ben)
        await running.heard(harbour.general, 1)
    fake.world.say(harbour.vault, f"{SEALED} while away", author=harbour.ben)

    async with programs.started() as running:
        await running.settled()
        await read_the_past(running, harbour.guild)

        assert await running.stored(harbour.vault) == []
        assert await running.stored(harbour.general) == ["open"]
    assert SEALED not in written(programs)


async def test_what_was_said_in_a_pause_is_never_read_later(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour
) -> None:
    now = discord.utils.utcnow()
    hours = [now - timedelta(hours=number) for number in range(4)]
    fake.world.say(harbour.general, "before", author=harbour.ben, at=hours[3])
    fake.world.say(harbour.general, SEALED, author=harbour.ben, at=hours[2] + timedelta(minutes=1))
    fake.world.say(harbour.general, "after", author=harbour.ben, at=hours[1] + timedelta(minutes=1))

    async with programs.started() as running:
        await set_in(running, harbour.guild, PAUSES, (Pause(start=hours[2], end=hours[1]), Pause(start=now)))
        fake.world.say(harbour.general, f"{SEALED} live", author=harbour.ben)
        await read_the_past(running, harbour.guild)
        assert await running.stored(harbour.general) == ["before", "after"]
    assert SEALED not in written(programs)


async def test_a_server_is_told_once_what_is_kept_and_how_to_make_it_forget(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour
) -> None:
    async with programs.started() as running:
        joined = fake.world.guild("Lighthouse", has_bot=False)
        hall = fake.world.channel(joined, "hall")

        for _ in range(2):
            fake.world.invite(joined)
            await until(lambda: running.bot.get_guild(joined.id) is not None)
            await until(lambda: bool(said_by_the_bot(fake, hall)))
            fake.world.expel(joined)
            await until(lambda: running.bot.get_guild(joined.id) is None)

        (notice,) = said_by_the_bot(fake, hall)
        assert all(words in notice for words in ("/forget me", "/optout", "/pause", "/settings", "privacy page"))
        assert said_by_the_bot(fake, harbour.general) == []


async def test_a_server_in_which_the_bot_may_write_nowhere_is_not_told(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour, caplog: pytest.LogCaptureFixture
) -> None:
    async with programs.started():
        joined = fake.world.guild("Lighthouse", has_bot=False)

        fake.world.invite(joined)

        await until(lambda: f"guild {joined.id} is not told what is kept" in caplog.text)


def said_by_the_bot(fake: FakeDiscord, channel: Channel) -> list[str]:
    return [message.content for message in channel.messages.values() if message.author.id == fake.world.me.id]


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.02)
