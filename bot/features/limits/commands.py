"""Put /limits on a command tree."""

import discord
from discord import app_commands

from bot.buttons import Reply
from bot.features.limits import replies
from bot.parts import Parts
from bot.rendering import render_text
from memory.guild_settings import MOST_A_DAY


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let those who manage a server set how many questions a day the members of a role may ask."""

    @tree.command(name="limits", description="See or set how many questions a day people may ask; for managers.")
    @app_commands.describe(
        role="Whose questions: the most generous of somebody's roles counts; without a role everybody's",
        questions="How many questions a day",
        remove="Take the limit of this role, or that of everybody, away",
    )
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def limits(
        interaction: discord.Interaction,
        role: discord.Role | None = None,
        questions: app_commands.Range[int, 0, MOST_A_DAY] | None = None,
        remove: bool = False,
    ) -> None:
        change = replies.Change(role, questions, remove)

        async def answer() -> Reply:
            return Reply(render_text(await replies.limits(interaction, change, parts.services)))

        await parts.runner.run(interaction, said=f"/limits {change}".rstrip(), private=True, compose=answer)
