"""What was missed is read again within Discord's rate limits, which the fake enforces."""

from collections import Counter
from pathlib import Path

import pytest

from db.databases import Database
from memory.capture.journal import Journal
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from tests.builders import whole
from tests.fake_discord import open_fake_discord
from tests.fake_discord.limits import HISTORY
from tests.running_bot import BotPrograms

pytestmark = pytest.mark.server

CHANNELS = 30
MISSED = 250  # messages in one channel: three pages, of which five may be asked for in five seconds


async def test_a_start_that_reads_many_channels_again_asks_for_nothing_too_early(
    tmp_path: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder
) -> None:
    async with open_fake_discord() as fake:
        guild = fake.world.guild("Harbour")
        channels = [fake.world.channel(guild, f"number {number}") for number in range(CHANNELS)]
        programs = BotPrograms(
            folder=tmp_path, short_term=short_term, long_term=long_term, memory=memory, embedder=embedder, fake=fake
        )
        async with programs.started() as running:
            for channel in channels:
                fake.world.say(channel, f"before in {channel.name}")
            for channel in channels:
                await running.heard(channel, 1)
        for channel in channels:
            fake.world.say(channel, f"while away in {channel.name}")
        for number in range(MISSED):
            fake.world.say(channels[0], f"and {number}")
        read = fake.rest.count(HISTORY)

        async with programs.started() as running:
            await running.settled()
        kept = Counter(message.content for message in whole(Journal(programs.journal())).messages)

    assert fake.throttled == []
    assert fake.rest.count(HISTORY) - read >= CHANNELS
    assert kept == Counter(message.content for channel in channels for message in channel.messages.values())
