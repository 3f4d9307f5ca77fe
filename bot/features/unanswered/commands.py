"""Put /unanswered on a command tree."""

import discord
from discord import app_commands

from bot.paging import answer_in_pages
from bot.parts import Parts
from overviews.overview import Overview, Viewer
from overviews.unanswered import HOURS, MOST_HOURS


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let helpers see which questions are open, each from what they may read, where nobody else sees it.

    Whoever manages messages may use it; administrators give it to other roles in the settings of their server. It is
    never shown to everybody: a list of those whom nobody answered embarrasses them.
    """
    overviews = parts.services.overviews
    if overviews is None:
        return
    unanswered = overviews.unanswered

    @tree.command(name="unanswered", description="Questions without an answer or a reaction; only you see them.")
    @app_commands.describe(
        hours=f"For how many hours they have been open; else {HOURS}",
        channel="One channel or thread; else all channels",
    )
    @app_commands.default_permissions(manage_messages=True)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def unanswered_(
        interaction: discord.Interaction,
        hours: app_commands.Range[int, 1, MOST_HOURS] = HOURS,
        channel: app_commands.AppCommandChannel | app_commands.AppCommandThread | None = None,
    ) -> None:
        among = None if channel is None else frozenset({channel.id})

        async def compose(viewer: Viewer) -> Overview:
            return await unanswered.overview(viewer, hours=hours, among=among)

        said = f"/unanswered {hours}" if channel is None else f"/unanswered {hours} #{channel.name}"
        await answer_in_pages(interaction, compose, said=said, private=True, parts=parts)
