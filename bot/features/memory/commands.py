"""Put /memory on a command tree."""

import discord
from discord import app_commands

from bot.buttons import Reply
from bot.features.memory.export import ExportButton
from bot.features.memory.replies import NO_PERSONAL, summary
from bot.parts import Parts
from bot.rendering import render_text


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let everybody see what is held of them, where nobody else sees it."""

    @tree.command(name="memory", description="What I hold about you, and a button that exports it; only you see it.")
    @app_commands.allowed_installs(guilds=True, users=False)
    async def memory(interaction: discord.Interaction) -> None:
        personal = parts.services.personal

        async def answer() -> Reply:
            if personal is None:
                return Reply(render_text(NO_PERSONAL))
            return Reply(
                render_text(await summary(interaction, personal, parts)),
                buttons=(ExportButton(interaction.user.id, personal, parts),),
            )

        await parts.runner.run(interaction, said="/memory", private=True, compose=answer)
