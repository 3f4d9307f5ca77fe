"""Put /timeline on a command tree."""

import discord
from discord import app_commands

from bot.paging import answer_in_pages
from bot.parts import Parts
from bot.time_choices import TimeText, complete_time
from overviews.overview import Overview, Viewer


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let everybody see what happened where they may read, alone or for everybody here."""
    overviews = parts.services.overviews
    if overviews is None:
        return
    timeline = overviews.timeline

    @tree.command(name="timeline", description="What happened in some time, channel by channel; only you see it.")
    @app_commands.describe(
        when='Which time, as in "last week" or "3 to 5 November"',
        channel="One channel or thread; else all channels",
        public="Show it to everybody here, from what everybody here can read",
    )
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def timeline_(
        interaction: discord.Interaction,
        when: TimeText,
        channel: app_commands.AppCommandChannel | app_commands.AppCommandThread | None = None,
        public: bool = False,
    ) -> None:
        conversations = None if channel is None else frozenset({channel.id})

        async def compose(viewer: Viewer) -> Overview:
            return await timeline.of(viewer, when=when, conversations=conversations)

        await answer_in_pages(interaction, compose, said=f"/timeline {when}", private=not public, parts=parts)

    @timeline_.autocomplete("when")
    async def complete(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await complete_time(interaction, typed, parts.services)
