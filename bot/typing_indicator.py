"""Show in a channel that the bot is typing, for as long as it works on an answer and no longer."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import discord

from util_async import background_task

logger = logging.getLogger(__name__)

REFRESH_EVERY = timedelta(seconds=8)  # Discord shows it for ten seconds
REQUEST_LIMIT = timedelta(seconds=5)


@asynccontextmanager
async def typing_in(channel: discord.abc.Messageable, *, every: timedelta = REFRESH_EVERY) -> AsyncGenerator[None]:
    """Show that the bot is typing while the context lasts; what fails of it costs nobody an answer."""
    async with background_task(_keep_typing(channel, every)):
        yield


async def _keep_typing(channel: discord.abc.Messageable, every: timedelta) -> None:
    while True:
        try:
            async with asyncio.timeout(REQUEST_LIMIT.total_seconds()):
                await channel.typing()
        except Exception as error:  # noqa: BLE001 - the answer comes, whether or not somebody sees it coming
            logger.info("typing is not shown: %r", error)
            return
        await asyncio.sleep(every.total_seconds())
