"""Put /coverage on a command tree."""

import discord
from discord import app_commands

from bot.buttons import Reply
from bot.features.coverage import replies
from bot.parts import Parts
from bot.rendering import render_text


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let everybody see what is remembered of the channels that they can read."""

    @tree.command(name="coverage", description="See what I remember of the channels that you can read, and what not.")
    @app_commands.describe(channel="One channel or thread; else all channels")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def coverage(
        interaction: discord.Interaction,
        channel: app_commands.AppCommandChannel | app_commands.AppCommandThread | None = None,
    ) -> None:
        async def answer() -> Reply:
            return Reply(render_text(await replies.coverage(interaction, channel, parts.services, parts.readers)))

        said = "/coverage" if channel is None else f"/coverage #{channel.name}"
        await parts.runner.run(interaction, said=said, private=True, compose=answer)
