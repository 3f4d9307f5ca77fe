"""Put /settings on a command tree."""

import discord
from discord import app_commands

from bot.buttons import Reply
from bot.features.settings import replies
from bot.parts import Parts
from bot.rendering import render_text


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let administrators see why channels are left out of answers, and name restricting roles."""

    @tree.command(name="settings", description="See which channels answers here leave out and why; for administrators.")
    @app_commands.describe(
        restricting="A role that nobody has together with one that opens a channel, such as that of the jailed",
        not_restricting="A role of which this is no longer to be assumed",
    )
    @app_commands.default_permissions(administrator=True)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def settings(
        interaction: discord.Interaction,
        restricting: discord.Role | None = None,
        not_restricting: discord.Role | None = None,
    ) -> None:
        change = replies.Change(named=restricting, taken_back=not_restricting)

        async def answer() -> Reply:
            return Reply(render_text(await replies.settings(interaction, change, parts.services, parts.readers)))

        await parts.runner.run(interaction, said=f"/settings {change}".rstrip(), private=True, compose=answer)
