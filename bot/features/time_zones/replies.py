"""Answer /timezone and /servertimezone in one sentence, and suggest names while they are typed."""

import asyncio
import logging
from datetime import datetime
from zoneinfo import ZoneInfo

import discord
from discord import app_commands

from agent.markdown import line
from bot.services import NOT_LOOKED_UP, Services
from errors import DatabaseUnavailableError
from memory.preferences import Owner, OwnerKind, Zone
from time_expressions.zones import matching

logger = logging.getLogger(__name__)

LONGEST_NAME = 100  # characters, as many as a choice of Discord's may have
MOST_CHOICES = 25

_LONGEST_SENTENCE = 400

NOT_STORED = "I cannot reach the place where I keep time zones just now, so nothing has changed; please try again soon."
NOT_ALLOWED = (
    "The time zone of a server is for its members with the permission Manage Server to choose; "
    "`/timezone` chooses your own."
)
WHOSE = {
    OwnerKind.PERSON: "Your time zone is {}, which you chose yourself.",
    OwnerKind.GUILD: "Your time zone is {}, which was chosen for this server.",
    None: "Your time zone is {}, which counts where nobody has chosen another.",
}
SERVERS = {
    OwnerKind.GUILD: "The time zone of this server is {}; members who chose one of their own keep it.",
    None: "This server has no time zone of its own, so mine counts: {}.",
}


async def personal(interaction: discord.Interaction, text: str, services: Services) -> str:
    """Let a person choose a time zone by its name, or none again, or without a text see which one counts."""
    problem = await _chosen(Owner(OwnerKind.PERSON, interaction.user.id), text, services)
    return problem or _sentence(WHOSE, await services.zone_of(interaction.user.id, interaction.guild_id), services)


async def of_server(interaction: discord.Interaction, text: str, services: Services) -> str:
    """Let those who manage a server do the same for all who have chosen none."""
    if interaction.guild_id is None or not interaction.permissions.manage_guild:
        return NOT_ALLOWED
    problem = await _chosen(Owner(OwnerKind.GUILD, interaction.guild_id), text, services)
    zone = await services.time_zones.of(None, interaction.guild_id, services.time_zone)
    return problem or _sentence(SERVERS, zone, services)


async def suggestions(typed: str, now: datetime) -> list[app_commands.Choice[str]]:
    """Return the names that somebody may be typing, each with the time there."""
    return await asyncio.to_thread(_choices, typed, now)


async def _chosen(owner: Owner, text: str, services: Services) -> str:
    """Choose a time zone for an owner, when a text says which; return why that could not be, or nothing."""
    if not text:
        return ""
    try:
        await services.time_zones.choose(owner, text, at=services.clock())
    except ValueError as error:
        return line(str(error), longest=_LONGEST_SENTENCE)  # it repeats what was typed
    except DatabaseUnavailableError as error:
        logger.warning("a time zone was not stored: %r", error)
        return NOT_STORED
    return ""


def _sentence(sentences: dict[OwnerKind | None, str], zone: Zone, services: Services) -> str:
    shown = _with_time(zone.zone, services.clock())
    return sentences[zone.source].format(shown) if zone.certain else NOT_LOOKED_UP.format(shown)


def _choices(typed: str, now: datetime) -> list[app_commands.Choice[str]]:
    names = matching(typed, limit=MOST_CHOICES)
    return [app_commands.Choice(name=_with_time(ZoneInfo(name), now), value=name) for name in names]


def _with_time(zone: ZoneInfo, now: datetime) -> str:
    return f"{zone.key} ({now.astimezone(zone):%a %H:%M})"
