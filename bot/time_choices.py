"""Complete an option that names a time: each suggestion says which window is understood."""

import asyncio
import logging
from datetime import timedelta

import discord
from discord import app_commands

from bot.services import Services
from overviews.overview import Viewer
from overviews.times import LONGEST, spoken, windows_in
from time_expressions.conventions import date_order

logger = logging.getLogger(__name__)

SUGGESTED = ("today", "yesterday", "this week", "last week", "this month", "last month")
_LONGEST_CHOICE = 100  # characters that Discord shows
_LIMIT = timedelta(seconds=2)  # Discord waits for three

TimeText = app_commands.Range[str, 1, LONGEST]


async def complete_time(
    interaction: discord.Interaction, typed: str, services: Services
) -> list[app_commands.Choice[str]]:
    """Return what is typed with its window, or the suggestions that begin so; nothing that is no time by now."""
    fitting = [phrase for phrase in SUGGESTED if phrase.startswith(typed.strip().casefold())]
    try:
        async with asyncio.timeout(_LIMIT.total_seconds()):
            viewer = await _viewer(interaction, services)
            return [choice for text in fitting or [typed] if (choice := await _choice(text, viewer)) is not None]
    except TimeoutError:
        logger.warning("a time could not be completed soon enough")
        return []


async def _viewer(interaction: discord.Interaction, services: Services) -> Viewer:
    """Return on whose clock a time is read, who need not read anything for that."""
    zone = await services.zone_of(interaction.user.id, interaction.guild_id)
    return Viewer(
        guild=interaction.guild_id,
        places=frozenset(),
        person_id=interaction.user.id,
        channel_id=interaction.channel_id or 0,
        now=services.clock(),
        time_zone=zone.zone,
        date_order=date_order(locale=interaction.locale.value, time_zone=zone.zone, setting=services.date_order),
    )


async def _choice(text: str, viewer: Viewer) -> app_commands.Choice[str] | None:
    try:
        windows = await windows_in(text, viewer)
    except ValueError:
        return None
    words = f"{text.strip()}: {spoken(windows, viewer)}" if windows else ""
    return app_commands.Choice(name=words[:_LONGEST_CHOICE], value=text[:_LONGEST_CHOICE]) if words else None
