"""Keep a reply up to date with how far something is, for as long as Discord lets it be edited."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

import discord

from bot.buttons import Buttons, Reply
from bot.layout import AnswerStyle, laid_out
from bot.rendering import render_text
from bot.shown import InteractionSender

logger = logging.getLogger(__name__)

EDIT_EVERY = timedelta(seconds=2)
TOKEN_LIFE = timedelta(minutes=14)  # of the 15 that an interaction's token lives
EDIT_LIMIT = timedelta(seconds=10)


class LiveReplies:
    """The replies that are kept up to date; each is edited at most every two seconds, and only where it changes."""

    def __init__(
        self, buttons: Buttons, style: AnswerStyle, *, every: timedelta = EDIT_EVERY, life: timedelta = TOKEN_LIFE
    ) -> None:
        self._buttons = buttons
        self._style = style
        self._every = every.total_seconds()
        self._life = life.total_seconds()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    def follow(self, interaction: discord.Interaction, text: Callable[[], str], *, is_over: Callable[[], bool]) -> None:
        """Show a text in the reply to a command again and again until it is over."""
        task = asyncio.create_task(self._keep_up(interaction, text, is_over))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Show each text for the last time."""
        self._closing.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep_up(
        self, interaction: discord.Interaction, text: Callable[[], str], is_over: Callable[[], bool]
    ) -> None:
        loop = asyncio.get_running_loop()
        sender, shown = InteractionSender(interaction, private=True), None
        until, last = loop.time() + self._life, False
        while not last:
            last = await self._pause() or is_over() or loop.time() >= until
            new = laid_out(Reply(render_text(text())), self._style)[0]
            if new == shown:
                continue
            try:
                async with asyncio.timeout(EDIT_LIMIT.total_seconds()):
                    await sender.send(first=True, **new.fields(new.view(self._buttons)))
            except Exception as error:  # noqa: BLE001 - the work goes on, whether it is shown or not
                logger.info("the reply to command %d is not kept up to date: %r", interaction.id, error)
                return
            shown = new

    async def _pause(self) -> bool:
        """Wait for the next turn; return whether there is none any more."""
        try:
            async with asyncio.timeout(self._every):
                await self._closing.wait()
        except TimeoutError:
            return False
        return True
