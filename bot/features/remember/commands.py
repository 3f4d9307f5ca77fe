"""Put /remember on a command tree."""

from collections.abc import Awaitable, Callable

import discord
from discord import app_commands

from bot.buttons import Reply
from bot.features.remember import words
from bot.history.backfill import BackfillRequest
from bot.history.running import RunningBackfills
from bot.parts import Parts
from bot.rendering import render_text
from time_expressions.stated import LONGEST, stated_window

_Channel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel | discord.Thread
_Time = app_commands.Range[str, 0, LONGEST]
_Compose = Callable[[RunningBackfills, discord.Guild], Awaitable[str]]


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let administrators have the past of their server read, look how far that is, and stop it."""
    tree.add_command(Remember(parts))


class Remember(app_commands.Group):
    """/remember backfill, status and stop."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(
            name="remember",
            description="Have what was said here before read; for administrators.",
            default_permissions=discord.Permissions(administrator=True),
            guild_only=True,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        self._runner = parts.runner
        self._services = parts.services
        self._backfills = parts.backfills
        self._live = parts.live_replies

    @app_commands.command(description="Read what was said here before; it goes on where it was stopped.")
    @app_commands.describe(
        channel="Only this channel with its threads, or this thread",
        since='No further back than this time, as in "last May" or 2026-05-01',
    )
    async def backfill(
        self, interaction: discord.Interaction, channel: _Channel | None = None, since: _Time = ""
    ) -> None:
        """Begin to read the past, or show how far that is already."""

        async def start(running: RunningBackfills, guild: discord.Guild) -> str:
            try:
                request = await self._request(interaction, channel, since)
            except ValueError:
                return words.no_time(since)
            reading = running.start(guild, request)

            def text() -> str:
                return words.report(reading, is_kept_up=True)

            self._live.follow(interaction, text, is_over=lambda: not reading.is_running)
            return text()

        where = "" if channel is None else f" channel:#{channel.name}"
        await self._run(interaction, f"/remember backfill{where}{f' since:{since}' if since else ''}", start)

    @app_commands.command(description="See how far the reading of what was said here before is.")
    async def status(self, interaction: discord.Interaction) -> None:
        """Show how far it is."""

        async def look(running: RunningBackfills, guild: discord.Guild) -> str:
            reading = running.of(guild.id)
            return words.NOTHING_READ if reading is None else words.report(reading)

        await self._run(interaction, "/remember status", look)

    @app_commands.command(description="Stop reading what was said here before; what was read is kept.")
    async def stop(self, interaction: discord.Interaction) -> None:
        """Stop it."""

        async def end(running: RunningBackfills, guild: discord.Guild) -> str:
            reading = await running.stop(guild.id)
            return words.NOTHING_RUNS if reading is None else words.report(reading)

        await self._run(interaction, "/remember stop", end)

    async def _run(self, interaction: discord.Interaction, said: str, compose: _Compose) -> None:
        """Answer an administrator, whom alone the names of all places are for."""

        async def answer() -> Reply:
            if interaction.guild is None or not interaction.permissions.administrator:
                return Reply(render_text(words.ONLY_ADMINISTRATORS))
            if self._backfills is None:
                return Reply(render_text(words.NO_MEMORY))
            return Reply(render_text(await compose(self._backfills, interaction.guild)))

        await self._runner.run(interaction, said=said, private=True, compose=answer)

    async def _request(self, interaction: discord.Interaction, channel: _Channel | None, since: str) -> BackfillRequest:
        """Return what is to be read; raise ValueError for a time that is none."""
        channel_id = None if channel is None else channel.id
        if not since.strip():
            return BackfillRequest(channel_id=channel_id)
        zone = await self._services.zone_of(interaction.user.id, interaction.guild_id)
        window = stated_window(since, now=self._services.clock(), time_zone=zone.zone)
        return BackfillRequest(channel_id=channel_id, since=window.start)
