"""Put /digest on a command tree."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import discord
from discord import app_commands

from bot.buttons import Reply
from bot.features.digest.page import digest_page, readable_places
from bot.parts import Parts
from bot.rendering import render_text
from errors import DatabaseUnavailableError
from memory.guild_settings import DIGEST_CHANNELS, MOST_DIGESTS, DigestTime

logger = logging.getLogger(__name__)

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEK = timedelta(days=7)

NOT_ALLOWED = "The digests of a server are for its administrators."
NOT_STORED = "I cannot reach the place where I keep settings just now, so nothing has changed; please try again soon."
NO_TIME = "Say the time as on a clock with 24 hours, as in `9:00` or `18:30`."
TOO_MANY = f"A server can have {MOST_DIGESTS} channels with a digest at most: stop another one first."
CANNOT_POST = "Give me *View Channel*, *Read Message History* and *Send Messages* in {channel} first, then try again."
STARTED = (
    "From now on {channel} gets a digest every {when} ({zone}): what was most discussed, decided and liked in the "
    "week before, from what everybody who sees {channel} can read. `/digest preview` shows it to you, "
    "`/digest stop` ends it."
)
STOPPED = "{channel} gets no digest any more. Those that were posted stay, and are kept true for 30 days."
NONE_THERE = "{channel} has no digest."
NONE_ANYWHERE = "No channel has a digest. `/digest start` begins one."
LISTED = "Channels with a digest every week ({zone}):"
NOT_KNOWN = "I do not know who can read {channel}, as I cannot see it, so I would post nothing there."
NOT_LOOKED_UP = "I cannot look up just now which channels have a digest; please try again soon."

_Channel = discord.TextChannel
_Choices = [app_commands.Choice(name=day, value=number) for number, day in enumerate(DAYS)]


class NothingChangedError(Exception):
    """What was asked for changes nothing; its words say why."""


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let administrators have digests posted."""
    if parts.services.overviews is not None and parts.services.digests is not None:
        tree.add_command(DigestCommands(parts))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks in which guild, with the clock that counts there."""

    guild: discord.Guild
    zone: str
    at: datetime


class DigestCommands(app_commands.Group):
    """/digest start, stop, preview and show."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(
            name="digest",
            description="Have what happened in a week posted in a channel; for administrators.",
            default_permissions=discord.Permissions(administrator=True),
            guild_only=True,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        self._parts = parts

    @app_commands.command(description="Post a digest in a channel every week.")
    @app_commands.describe(channel="Where", day="On which day", time="When on this server's clock, as in 9:00 or 18:30")
    @app_commands.choices(day=_Choices)
    async def start(
        self,
        interaction: discord.Interaction,
        channel: _Channel,
        day: app_commands.Choice[int],
        time: app_commands.Range[str, 1, 5] = "9:00",
    ) -> None:
        """Begin to post digests in a channel, or post them at another time."""

        async def answer(asked: _Asked) -> str:
            minute = _minute(time)
            if minute is None:
                return NO_TIME
            mine = channel.permissions_for(asked.guild.me)
            if not (mine.view_channel and mine.read_message_history and mine.send_messages):
                return CANNOT_POST.format(channel=channel.mention)
            chosen = DigestTime(day.value, minute, asked.at)
            await self._change(asked, lambda times: _with(times, channel.id, chosen))
            return STARTED.format(channel=channel.mention, when=_when(chosen), zone=asked.zone)

        await self._run(interaction, f"/digest start channel:#{channel.name} day:{day.name} time:{time}", answer)

    @app_commands.command(description="Post no digest in a channel any more.")
    @app_commands.describe(channel="Where")
    async def stop(self, interaction: discord.Interaction, channel: _Channel) -> None:
        """Post no digests in a channel any more."""

        async def answer(asked: _Asked) -> str:
            await self._change(asked, lambda times: _without(times, channel))
            return STOPPED.format(channel=channel.mention)

        await self._run(interaction, f"/digest stop channel:#{channel.name}", answer)

    @app_commands.command(description="See what a channel would be told of the last seven days; only you see it.")
    @app_commands.describe(channel="Where; else this channel")
    async def preview(self, interaction: discord.Interaction, channel: _Channel | None = None) -> None:
        """Show the digest that a channel would get now."""
        chosen = channel or interaction.channel

        async def answer(asked: _Asked) -> str:
            overviews, shown_in = self._parts.services.overviews, asked.guild.get_channel(chosen.id if chosen else 0)
            if overviews is None or not isinstance(shown_in, discord.TextChannel):
                return NOT_KNOWN.format(channel="this channel")
            places = await readable_places(shown_in, self._parts.readers)
            if places is None:
                return NOT_KNOWN.format(channel=shown_in.mention)
            page = await digest_page(
                overviews.digest,
                shown_in,
                start=asked.at - WEEK,
                end=asked.at,
                places=places,
                services=self._parts.services,
            )
            return page.text

        where = "" if channel is None else f" channel:#{channel.name}"
        await self._run(interaction, f"/digest preview{where}", answer)

    @app_commands.command(description="See which channels have a digest.")
    async def show(self, interaction: discord.Interaction) -> None:
        """List the channels with a digest."""

        async def answer(asked: _Asked) -> str:
            times = await self._parts.services.guild_settings.get(asked.guild.id, DIGEST_CHANNELS)
            if not times.certain:
                return NOT_LOOKED_UP
            if not times.value:
                return NONE_ANYWHERE
            ordered = sorted(times.value.items(), key=lambda pair: (pair[1].weekday, pair[1].minute, pair[0]))
            lines = (f"- <#{channel_id}>, {_when(time)}" for channel_id, time in ordered)
            return "\n".join((LISTED.format(zone=asked.zone), *lines))

        await self._run(interaction, "/digest show", answer)

    async def _change(
        self, asked: _Asked, change: Callable[[Mapping[int, DigestTime]], Mapping[int, DigestTime]]
    ) -> None:
        """Change which channels have a digest; channels that are gone have none."""

        def changed(times: Mapping[int, DigestTime]) -> Mapping[int, DigestTime]:
            present = {channel_id: time for channel_id, time in times.items() if asked.guild.get_channel(channel_id)}
            return change(present)

        await self._parts.services.guild_settings.change(asked.guild.id, DIGEST_CHANNELS, changed, at=asked.at)

    async def _run(
        self, interaction: discord.Interaction, said: str, answer: Callable[[_Asked], Awaitable[str]]
    ) -> None:
        async def compose() -> Reply:
            return Reply(render_text(await self._answered(interaction, answer)))

        await self._parts.runner.run(interaction, said=said, private=True, compose=compose)

    async def _answered(self, interaction: discord.Interaction, answer: Callable[[_Asked], Awaitable[str]]) -> str:
        guild, services = interaction.guild, self._parts.services
        if guild is None or not interaction.permissions.administrator:
            return NOT_ALLOWED
        zone = await services.time_zones.of(None, guild.id, services.time_zone)
        try:
            return await answer(_Asked(guild, zone.zone.key, services.clock()))
        except NothingChangedError as error:
            return str(error)
        except DatabaseUnavailableError as error:
            logger.warning("digests were not changed or shown: %r", error)
            return NOT_STORED


def _with(times: Mapping[int, DigestTime], channel_id: int, time: DigestTime) -> Mapping[int, DigestTime]:
    changed = {**times, channel_id: time}
    if len(changed) > MOST_DIGESTS:
        raise NothingChangedError(TOO_MANY)
    return changed


def _without(times: Mapping[int, DigestTime], channel: _Channel) -> Mapping[int, DigestTime]:
    if channel.id not in times:
        raise NothingChangedError(NONE_THERE.format(channel=channel.mention))
    return {channel_id: time for channel_id, time in times.items() if channel_id != channel.id}


def _minute(text: str) -> int | None:
    """Return the minute of the day that a text says, None for one that says none."""
    for form in ("%H:%M", "%H"):
        try:
            said = datetime.strptime(text.strip(), form)  # noqa: DTZ007 - a time of day has no zone of its own
        except ValueError:
            continue
        return said.hour * 60 + said.minute
    return None


def _when(time: DigestTime) -> str:
    return f"{DAYS[time.weekday]} at {time.minute // 60:02}:{time.minute % 60:02}"
