"""Run the real bot on the fake Discord."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import discord

from bot.client import Bot, serve
from tests.fake_discord import FakeDiscord

_NO_FURTHER_GUILD = 0.05  # seconds; the two that discord.py waits for would be most of the time of each test


def without_pauses(client: discord.Client) -> None:
    """Let a client wait neither for further servers nor, before it identifies itself anew, for Discord's sake."""

    async def at_once(shard_id: int | None, *, initial: bool = False) -> None:
        """Do nothing, where discord.py sleeps for five seconds."""

    client._connection.guild_ready_timeout = _NO_FURTHER_GUILD
    client.before_identify_hook = at_once  # type: ignore[method-assign]


@asynccontextmanager
async def served(bot: Bot, fake: FakeDiscord) -> AsyncGenerator[None]:
    """Run the bot for the length of the block, which begins when Discord has let it in."""
    without_pauses(bot)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        times = fake.gateway.ready + 1
        serving = group.create_task(serve(bot, fake.token))
        await fake.ready(times)
        await bot.wait_until_ready()
        yield
        serving.cancel()
