"""Put /timezone and /servertimezone on a command tree."""

import discord
from discord import app_commands

from bot.buttons import Reply
from bot.features.time_zones import replies
from bot.parts import Parts
from bot.rendering import render_text

_Zone = app_commands.Range[str, 0, replies.LONGEST_NAME]


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let people choose their time zone, and those who manage a server one for all others."""
    services, runner = parts.services, parts.runner

    async def suggest(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await replies.suggestions(typed, services.clock())

    @tree.command(name="timezone", description="Choose your time zone, or see which one counts for you.")
    @app_commands.describe(zone="A city or a name such as Europe/Paris; none takes your choice back")
    @app_commands.autocomplete(zone=suggest)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def timezone(interaction: discord.Interaction, zone: _Zone = "") -> None:
        async def answer() -> Reply:
            return Reply(render_text(await replies.personal(interaction, zone, services)))

        await runner.run(interaction, said=f"/timezone {zone}".rstrip(), private=True, compose=answer)

    @tree.command(name="servertimezone", description="Choose the time zone of those here who have chosen none.")
    @app_commands.describe(zone="A city or a name such as Europe/Paris; none takes the choice back")
    @app_commands.autocomplete(zone=suggest)
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def server_timezone(interaction: discord.Interaction, zone: _Zone = "") -> None:
        async def answer() -> Reply:
            return Reply(render_text(await replies.of_server(interaction, zone, services)))

        await runner.run(interaction, said=f"/servertimezone {zone}".rstrip(), private=True, compose=answer)
