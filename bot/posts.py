"""Delete posts of the bot in Discord while it is stopped: over HTTP alone, without the gateway."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import discord

from bot.client import login
from bot.post_deletion import OUT_OF_TIME, Deletion, Post, delete_with
from errors import DiscordSetupError
from util_async import Progress


async def delete_posts(token: str, posts: Iterable[Post], *, timeout: timedelta, report: Progress) -> Deletion:
    """Delete posts as `delete_with` does, with a client of its own, whose log-in takes at most as long again."""
    try:
        async with discord.Client(intents=discord.Intents.none()) as client:
            async with asyncio.timeout(timeout.total_seconds()):
                await login(client, token)
            return await delete_with(client, posts, timeout=timeout, report=report)
    except DiscordSetupError as error:
        return Deletion(problem=str(error).rstrip("."))
    except TimeoutError:
        return Deletion(problem=OUT_OF_TIME)
