"""Put /forget and "Forget this" on a command tree."""

import discord
from discord import app_commands

from bot.features.forget.asking import ask_about_channel, ask_about_menu, ask_about_message, ask_about_person
from bot.parts import Parts


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let people and moderators erase, once they have agreed to what goes."""
    group = app_commands.Group(
        name="forget",
        description="Have me forget you, a message or a channel, for ever.",
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )

    @group.command(name="me", description="Forget all that you have ever said, in every server that I am in.")
    async def me(interaction: discord.Interaction) -> None:
        await ask_about_person(interaction, parts)

    @group.command(name="message", description="Forget a message of yours; moderators: any message.")
    @app_commands.describe(message="The link of the message, or its id")
    async def message(interaction: discord.Interaction, message: app_commands.Range[str, 1, 200]) -> None:
        await ask_about_message(interaction, message, parts)

    @group.command(name="channel", description="Forget all that was said in one; for those who manage a server.")
    @app_commands.describe(channel="The channel, with all of its threads, or a thread")
    async def channel(
        interaction: discord.Interaction, channel: app_commands.AppCommandChannel | app_commands.AppCommandThread
    ) -> None:
        await ask_about_channel(interaction, channel, parts)

    tree.add_command(group)

    @tree.context_menu(name="Forget this")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def forget_this(interaction: discord.Interaction, message: discord.Message) -> None:
        await ask_about_menu(interaction, message, parts)
