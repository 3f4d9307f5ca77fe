"""Put /settings on a command tree."""

import discord
from discord import app_commands

from bot.buttons import Reply
from bot.features.settings import replies
from bot.features.settings.choices import Chosen, chosen_in
from bot.features.settings.forms import KEPT_LABEL, MEMBERS_LABEL, KeptForm, MembersForm, OpenForm
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
            text = await replies.settings(interaction, change, parts.services, parts.readers)
            return Reply(render_text(text), _buttons(interaction, parts))

        await parts.runner.run(interaction, said=f"/settings {change}".rstrip(), private=True, compose=answer)


def _buttons(interaction: discord.Interaction, parts: Parts) -> tuple[OpenForm, ...]:
    """Return what opens the forms, for administrators."""
    guild_id = interaction.guild_id
    if guild_id is None or not interaction.permissions.administrator:
        return ()

    async def chosen() -> Chosen:
        return await chosen_in(guild_id, parts.services)

    owner_id = interaction.user.id
    return (
        OpenForm(KEPT_LABEL, KeptForm, chosen=chosen, owner_id=owner_id, parts=parts),
        OpenForm(MEMBERS_LABEL, MembersForm, chosen=chosen, owner_id=owner_id, parts=parts),
    )
