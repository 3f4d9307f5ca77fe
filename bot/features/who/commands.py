"""Put /who knows on a command tree."""

from functools import partial

import discord
from discord import app_commands

from bot.paging import answer_in_pages
from bot.parts import Parts
from overviews.overview import Overview, Viewer
from overviews.who import LONGEST_TOPIC


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let everybody find who knows about a topic, by what was written where they may read."""
    overviews = parts.services.overviews
    if overviews is None:
        return
    who_knows = overviews.who

    who = app_commands.Group(
        name="who",
        description="Find people.",
        guild_only=True,
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )

    @who.command(name="knows", description="Who knows about a topic, with their best messages; only you see it.")
    @app_commands.describe(
        topic="What they should know about, in a few words",
        public="Show it to everybody here, from what everybody here can read",
    )
    async def knows(
        interaction: discord.Interaction,
        topic: app_commands.Range[str, 1, LONGEST_TOPIC],
        public: bool = False,
    ) -> None:
        may_be_listed = partial(parts.readers.members.still_here, interaction.guild)

        async def compose(viewer: Viewer) -> Overview:
            return await who_knows.about(viewer, topic, may_be_listed=may_be_listed)

        await answer_in_pages(interaction, compose, said=f"/who knows {topic}", private=not public, parts=parts)

    tree.add_command(who)
