"""Put /catchup on a command tree."""

import logging
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import discord
from discord import app_commands

from bot.buttons import Reply
from bot.caller import Caller
from bot.overviews import overview_reply
from bot.paging import paged
from bot.parts import Parts
from errors import DatabaseUnavailableError
from overviews.catch_up import CatchUp
from overviews.moments import LONGEST_PHRASE
from overviews.overview import Overview, Viewer

logger = logging.getLogger(__name__)

SUGGESTED = ("today", "yesterday", "Monday", "last week", "3 hours ago")


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let everybody see what they missed, from what they may read, where nobody else sees it."""
    overviews = parts.services.overviews
    if overviews is None:
        return
    catch_up = overviews.catch_up

    async def suggest(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        fitting = [phrase for phrase in SUGGESTED if phrase.casefold().startswith(typed.casefold())]
        return [app_commands.Choice(name=phrase, value=phrase) for phrase in fitting]

    @tree.command(name="catchup", description="What you missed since you were last here; only you see it.")
    @app_commands.describe(since='Since when instead, as in "Monday", "yesterday" or "3 hours ago"')
    @app_commands.autocomplete(since=suggest)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def catchup(interaction: discord.Interaction, since: app_commands.Range[str, 0, LONGEST_PHRASE] = "") -> None:
        pages = partial(reply, since=Since(since, catch_up), parts=parts)
        first = partial(paged, interaction, pages, parts=parts)
        await parts.runner.run(interaction, said=f"/catchup {since}".rstrip(), private=True, compose=first)


@dataclass(slots=True)
class Since:
    """Since when a person catches up: it stays the same on all pages, though the first one is noted as shown."""

    text: str
    catch_up: CatchUp
    _start: datetime | None = field(default=None, init=False)

    async def start(self, viewer: Viewer) -> datetime:
        """Return the moment; raise ValueError as `CatchUp.start` does."""
        if self._start is None:
            self._start = await self.catch_up.start(viewer, self.text)
        return self._start


async def reply(caller: Caller, *, since: Since, parts: Parts) -> Reply:
    """Return what a person missed; once they were shown it, the next catch-up begins there."""
    viewers: list[Viewer] = []

    async def compose(viewer: Viewer) -> Overview:
        overview = await since.catch_up.overview(viewer, start=await since.start(viewer))
        viewers.append(viewer)
        return overview

    async def note() -> None:
        try:
            if viewers:
                await since.catch_up.note_shown(viewers[-1])
        except DatabaseUnavailableError as error:  # the next catch-up begins earlier than it might
            logger.warning("it was not noted that somebody has caught up: %r", error)

    shown = await overview_reply(caller, private=True, compose=compose, services=parts.services, readers=parts.readers)
    return replace(shown, offer=note)
