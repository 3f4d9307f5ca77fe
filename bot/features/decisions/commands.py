"""Put /decisions and "Mark as decision" on a command tree."""

import discord
from discord import app_commands

from bot.features.decisions.marking import mark
from bot.paging import answer_in_pages
from bot.parts import Parts
from overviews.overview import Overview, Viewer

NO_LIST = "No decisions are kept here."

_Text = app_commands.Range[str, 0, 200]


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let everybody see what was decided where they can read, and those who may say that something is a decision."""

    @tree.command(name="decisions", description="What was decided in the channels that you can read.")
    @app_commands.describe(
        topic="What it is about; else everything",
        as_of='What counted then: "last March", "two weeks ago", "2026-03-31"; else now',
        channel="One channel or thread; else all that you can read",
        public="Show it to everybody here, from what everybody here can read",
    )
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def decisions(
        interaction: discord.Interaction,
        topic: _Text = "",
        as_of: _Text = "",
        channel: app_commands.AppCommandChannel | app_commands.AppCommandThread | None = None,
        public: bool = False,
    ) -> None:
        async def compose(viewer: Viewer) -> Overview:
            if parts.services.overviews is None or parts.services.overviews.decisions is None:
                raise ValueError(NO_LIST)
            return await parts.services.overviews.decisions.overview(
                viewer, topic=topic, as_of=as_of, channel_id=None if channel is None else channel.id
            )

        options = {"topic": topic, "as_of": as_of, "channel": "" if channel is None else f"#{channel.name}"}
        said = " ".join(["/decisions", *(f"{name}:{value}" for name, value in options.items() if value)])
        await answer_in_pages(interaction, compose, said=said, private=not public, parts=parts)

    @tree.context_menu(name="Mark as decision")
    @app_commands.default_permissions(manage_messages=True)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def mark_as_decision(interaction: discord.Interaction, message: discord.Message) -> None:
        await mark(interaction, message, parts)
