"""Show a long reply page by page, with buttons that turn its pages for whoever asked.

Everything is made anew for each page, from what may be read by then, so that a page never shows what may be read no
more. The buttons end with the token of the reply, as all do that `bot.buttons` owns.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import discord

from bot.buttons import EDIT_LIMIT, Control, Reply, ReplyCard, ReplyView
from bot.caller import Caller
from bot.overviews import Compose as ComposeOverview
from bot.overviews import overview_reply
from bot.parts import Parts

NOT_YOURS = "Only the person who asked can turn these pages. You can give the command yourself."
FIRST, BACK, FORWARD, LAST = "⏮", "◀", "▶", "⏭"

Compose = Callable[[Caller], Awaitable[Reply]]
"""Makes a reply, whose parts are its pages, for somebody who gives a command or turns a page."""


async def answer_in_pages(
    interaction: discord.Interaction, compose: ComposeOverview, *, said: str, private: bool, parts: Parts
) -> None:
    """Answer a command, which is recorded as `said`, with an overview that has pages; a private one is for the asker.

    `compose` makes the overview for a viewer, as `bot.overviews.overview_reply` takes it.
    """

    async def pages(caller: Caller) -> Reply:
        return await overview_reply(
            caller, private=private, compose=compose, services=parts.services, readers=parts.readers
        )

    first = partial(paged, interaction, pages, parts=parts)
    await parts.runner.run(interaction, said=said, private=private, compose=first)


async def paged(caller: Caller, compose: Compose, *, parts: Parts, number: int = 0) -> Reply:
    """Return one page, from 0, of the reply that `compose` makes, or the last one where it has fewer by now.

    Under it are buttons to other pages, unless it has one alone, and those that the reply has itself.
    """
    return _page(await compose(caller), number, caller.user.id, compose, parts)


def _page(reply: Reply, number: int, asker_id: int, compose: Compose, parts: Parts) -> Reply:
    count = len(reply.parts)
    if count < 2:
        return reply
    at = min(number, count - 1)

    async def turn(interaction: discord.Interaction, to: int) -> None:
        async def turned() -> Reply:
            return await paged(interaction, compose, parts=parts, number=to)

        await parts.runner.replace(interaction, compose=turned)

    async def renew() -> Reply | None:
        newer = None if reply.renew is None else await reply.renew()
        return None if newer is None else _page(newer, at, asker_id, compose, parts)

    targets = ((FIRST, 0), (BACK, at - 1), (f"{at + 1} of {count}", None), (FORWARD, at + 1), (LAST, count - 1))
    turning = [
        PageButton(label, to if to is not None and 0 <= to < count and to != at else None, asker_id, turn, parts)
        for label, to in targets
    ]
    controls: tuple[Control, ...] = (*turning, *reply.buttons)
    return replace(reply, parts=[reply.parts[at]], buttons=controls, renew=renew)


class PageButton(discord.ui.Button[ReplyView | ReplyCard]):
    """A button to a page, for the person who asked; to None it only says which page is shown, or that none is there."""

    def __init__(
        self,
        label: str,
        to: int | None,
        asker_id: int,
        turn: Callable[[discord.Interaction, int], Awaitable[None]],
        parts: Parts,
    ) -> None:
        super().__init__(style=discord.ButtonStyle.secondary, label=label, disabled=to is None)
        self._to = to
        self._asker_id = asker_id
        self._turn = turn
        self._in_flight = parts.in_flight

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Let the person who asked turn the pages, and tell the others."""
        if interaction.user.id == self._asker_id:
            return True
        with self._in_flight.entered():
            async with asyncio.timeout(EDIT_LIMIT.total_seconds()):
                await interaction.response.send_message(NOT_YOURS, ephemeral=True)
        return False

    async def callback(self, interaction: discord.Interaction) -> None:
        """Show the page in the place of this one; of presses that come together each shows its own."""
        if self._to is not None:
            await self._turn(interaction, self._to)
