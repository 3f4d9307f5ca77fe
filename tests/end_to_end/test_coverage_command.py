"""/coverage draws what is remembered of the channels that somebody can read, for them alone."""

from datetime import timedelta
from pathlib import Path

import discord
import pytest

from bot.features.coverage.drawing import LEGEND
from bot.features.coverage.replies import NOT_READABLE
from db.databases import Database
from memory.coverage.intervals import Interval, first_id_at
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from tests.fake_discord import Channel, FakeDiscord, Guild, Overwrite
from tests.fake_discord.models import EPHEMERAL, VIEW
from tests.running_bot import BotPrograms, RunningBot

pytestmark = pytest.mark.server


@pytest.fixture
def programs(
    tmp_path: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder, fake: FakeDiscord
) -> BotPrograms:
    return BotPrograms(
        folder=tmp_path, short_term=short_term, long_term=long_term, memory=memory, embedder=embedder, fake=fake
    )


async def seen(running: RunningBot, guild: Guild, *channels: Channel) -> None:
    """Let the ledger say that channels were read for the last five weeks but for one."""
    now = discord.utils.utcnow()
    for channel in channels:
        for start, end in ((5.1, 3.1), (1.9, 0)):
            ids = [first_id_at(now - timedelta(weeks=weeks)) for weeks in (start, end)]
            running.writer.add(channel.id, guild.id, Interval(*ids))
    assert await running.writer.flush()


async def test_it_draws_the_channels_that_the_asker_can_read_and_no_others(
    programs: BotPrograms, fake: FakeDiscord
) -> None:
    guild = fake.world.guild("Harbour")
    old = first_id_at(discord.utils.utcnow() - timedelta(weeks=90))
    general = fake.world.channel(guild, "general", channel_id=old)
    quiet = fake.world.channel(guild, "quiet", channel_id=old + 1)
    staff = fake.world.channel(guild, "staff", overwrites={guild.everyone: Overwrite(deny=VIEW)}, channel_id=old + 2)
    fake.world.permit(staff, fake.world.bot_in(guild), allow=VIEW)
    ana = fake.world.member(guild, "Ana")
    async with programs.started() as running:
        await running.settled()
        fake.world.say(general, "hello", author=ana)
        await running.heard(general, 1)
        await seen(running, guild, general, staff)

        asked = fake.interactions.use(general, ana, "coverage")
        text = await fake.interactions.answered(asked)

    lines = text.split("\n")
    assert lines[0] == LEGEND
    assert lines[1].startswith("`" + "░" * 20 + "▒█▒░▒█` **#general** since ")
    assert " · about 1 message · checked " in lines[1]
    assert lines[2].startswith("**#quiet** I have not read it yet.")
    assert "staff" not in text
    assert quiet.name in text
    assert asked.original is not None
    assert asked.original.flags & EPHEMERAL


async def test_one_channel_is_drawn_or_refused(programs: BotPrograms, fake: FakeDiscord) -> None:
    guild = fake.world.guild("Harbour")
    general = fake.world.channel(guild, "general")
    staff = fake.world.channel(guild, "staff", overwrites={guild.everyone: Overwrite(deny=VIEW)})
    fake.world.permit(staff, fake.world.bot_in(guild), allow=VIEW)
    ana = fake.world.member(guild, "Ana")
    async with programs.started() as running:
        await running.settled()
        texts = {}
        for channel in (general, staff):
            asked = fake.interactions.use(general, ana, "coverage", channel=channel)
            texts[channel.name] = await fake.interactions.answered(asked)

    assert "**#general**" in texts["general"]
    assert texts["staff"] == NOT_READABLE
