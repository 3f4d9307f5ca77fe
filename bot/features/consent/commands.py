"""Put /optout, /pause and /resume on a command tree."""

import discord
from discord import app_commands

from bot.buttons import Reply
from bot.features.consent import opt_out, pausing
from bot.parts import Parts
from bot.rendering import render_text
from memory.consent.opt_outs import Wish

_WISHES = [
    app_commands.Choice(name="everything: keep nothing of what I write", value=Wish.EVERYTHING.value),
    app_commands.Choice(name="who knows: do not name me as somebody who knows", value=Wish.WHO_KNOWS.value),
    app_commands.Choice(name="none: keep what I write", value=Wish.NOTHING.value),
]
_Place = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel | discord.Thread
_Minutes = app_commands.Range[int, 1, pausing.MOST_MINUTES]
_Until = app_commands.Range[str, 0, pausing.LONGEST_MOMENT]


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let everybody say what may not be kept of them, and moderators when nothing is."""

    @tree.command(name="optout", description="See and choose whether I keep what you write; only you see it.")
    @app_commands.describe(what="What I shall not keep; without it I say what is chosen now")
    @app_commands.choices(what=_WISHES)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def optout(interaction: discord.Interaction, what: str | None = None) -> None:
        async def answer() -> Reply:
            return opt_out.reply(interaction, None if what is None else Wish(what), parts)

        await parts.runner.run(interaction, said=f"/optout {what or ''}".rstrip(), private=True, compose=answer)

    @tree.command(name="pause", description="Keep nothing of what is said here for a while; for moderators.")
    @app_commands.describe(
        minutes="For how many minutes; else until somebody uses /resume",
        until='Until when, as in "18:00" or "2026-12-24 18:00", on your clock',
        channel="One channel or thread; else the whole server",
    )
    @app_commands.default_permissions(manage_messages=True)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def pause(
        interaction: discord.Interaction,
        minutes: _Minutes | None = None,
        until: _Until = "",
        channel: _Place | None = None,
    ) -> None:
        async def answer() -> Reply:
            wanted = pausing.Wanted(minutes=minutes, until=until, channel=channel)
            return Reply(render_text(await pausing.pause(interaction, wanted, parts.services)))

        await parts.runner.run(interaction, said="/pause", private=False, compose=answer)

    @tree.command(name="resume", description="Keep again what is said here, after /pause; for moderators.")
    @app_commands.describe(channel="One channel or thread; else the whole server")
    @app_commands.default_permissions(manage_messages=True)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def resume(interaction: discord.Interaction, channel: _Place | None = None) -> None:
        async def answer() -> Reply:
            return Reply(render_text(await pausing.resume(interaction, channel, parts.services)))

        await parts.runner.run(interaction, said="/resume", private=False, compose=answer)
