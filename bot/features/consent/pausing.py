"""Answer /pause and /resume: for a while nothing is kept of what is said in a server, or in one of its channels."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

import discord

from agent.markdown import inline
from bot.moderators import NOT_A_MODERATOR, is_moderator, tell_moderators
from bot.services import Services
from errors import DatabaseUnavailableError
from memory.consent.pauses import MOST_PAUSES, Pause, begin, end, in_force
from memory.guild_settings import PAUSES

logger = logging.getLogger(__name__)

MOST_MINUTES = 60 * 24 * 366
LONGEST_MOMENT = 40
"""Characters of what says until when."""

_MOMENTS = ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M")

PAUSED = "**Paused.** Nothing that is said {where} is kept, from now {until}. It will not be read later either."
UNTIL_RESUMED = "until somebody uses `/resume`"
RESUMED = "**Resumed.** What is said {where} is kept again. What was said meanwhile stays out."
STILL_PAUSED = "The whole server is still paused: `/resume` without a channel ends that."
CHANNELS_PAUSED = "Still paused by themselves: {}."
NOT_PAUSED = "Nothing was paused {where}."
NOT_STORED = "I cannot reach the place where I note that just now, so nothing has changed. Please try again soon."
NO_MOMENT = 'I do not understand until when: write it as in "18:00" or "2026-12-24 18:00", or give minutes.'
TOO_EARLY = "That moment is over already: name one that is to come."
TOO_MANY = "This server has been paused too often for another pause to be noted: ignore the channel in `/settings`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What shall be paused, and for how long."""

    minutes: int | None = None
    until: str = ""
    channel: Any = None


async def pause(interaction: discord.Interaction, wanted: Wanted, services: Services) -> str:
    """Pause a server or a channel, and return what everybody there is told."""
    guild = interaction.guild
    if guild is None or not await is_moderator(interaction, services):
        return NOT_A_MODERATOR
    start = interaction.created_at  # on Discord's clock, as are the times of messages
    zone = (await services.zone_of(interaction.user.id, guild.id)).zone
    until = None
    if wanted.until.strip():
        until = moment_in(wanted.until, now=start, time_zone=zone)
        if until is None:
            return NO_MOMENT
    elif wanted.minutes is not None:
        until = start + timedelta(minutes=wanted.minutes)
    if until is not None and until <= start:
        return TOO_EARLY
    new = Pause(start=start, end=until, channel_id=None if wanted.channel is None else wanted.channel.id)
    try:
        await services.guild_settings.change(guild.id, PAUSES, lambda known: _begun(known, new), at=services.clock())
    except OverflowError:
        return TOO_MANY
    except DatabaseUnavailableError as error:
        logger.warning("a pause was not stored: %r", error)
        return NOT_STORED
    shown = UNTIL_RESUMED if until is None else f"until <t:{int(until.timestamp())}:f> or `/resume`"
    told = PAUSED.format(where=_where(new.channel_id), until=shown)
    await tell_moderators(guild, services, f"{inline(interaction.user.display_name)}: {told}")
    return told


async def resume(interaction: discord.Interaction, channel: Any, services: Services) -> str:
    """End the pause of a server or of a channel, and return what everybody there is told."""
    guild = interaction.guild
    if guild is None or not await is_moderator(interaction, services):
        return NOT_A_MODERATOR
    at, channel_id = interaction.created_at, None if channel is None else channel.id
    before: list[tuple[Pause, ...]] = []

    def ended(known: tuple[Pause, ...]) -> tuple[Pause, ...]:
        before.append(in_force(known, at=at))
        return end(known, at=at, channel_id=channel_id)

    try:
        pauses = await services.guild_settings.change(guild.id, PAUSES, ended, at=services.clock())
    except DatabaseUnavailableError as error:
        logger.warning("the end of a pause was not stored: %r", error)
        return NOT_STORED
    was_paused = any(pause.channel_id == channel_id for pause in before[-1])
    told = (RESUMED if was_paused else NOT_PAUSED).format(where=_where(channel_id))
    still = in_force(pauses, at=at)
    if channel_id is not None and any(pause.channel_id is None for pause in still):
        told = f"{told}\n{STILL_PAUSED}"
    elif channel_id is None and still:
        told = f"{told}\n{CHANNELS_PAUSED.format(', '.join(f'<#{pause.channel_id}>' for pause in still[:20]))}"
    if was_paused:
        await tell_moderators(guild, services, f"{inline(interaction.user.display_name)}: {told}")
    return told


def moment_in(words: str, *, now: datetime, time_zone: tzinfo) -> datetime | None:
    """Return the moment that words name on a clock: one of today or tomorrow, or with its date; None for others."""
    words = " ".join(words.split())
    here = now.astimezone(time_zone)
    for form in _MOMENTS:
        try:
            return datetime.strptime(words, form).replace(tzinfo=time_zone)
        except (ValueError, OverflowError):
            continue
    try:
        at = datetime.strptime(words, "%H:%M").time()  # noqa: DTZ007 - a time of day on the asker's clock
    except ValueError:
        return None
    today = datetime.combine(here.date(), at, time_zone)
    return today if today > here else datetime.combine(here.date() + timedelta(days=1), at, time_zone)


def _begun(known: tuple[Pause, ...], new: Pause) -> tuple[Pause, ...]:
    """Return pauses with a new one; raise OverflowError where there are too many to note."""
    pauses = begin(known, new)
    if len(pauses) > MOST_PAUSES:
        raise OverflowError("too many pauses")
    return pauses


def _where(channel_id: int | None) -> str:
    return "on this server" if channel_id is None else f"in <#{channel_id}>"
