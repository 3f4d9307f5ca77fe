"""Tell whether somebody has asked all the questions that their server allows them for the day."""

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import discord

from bot.caller import Caller
from bot.services import Services
from errors import TemporaryError
from memory.guild_settings import DAILY_LIMITS

logger = logging.getLogger(__name__)

NONE_ALLOWED = "Your roles do not allow you to ask me questions on this server."
ENOUGH = "You have asked me {asked} today, as many as this server allows you a day; you can ask again {when}."


async def refusal_of(caller: Caller, services: Services) -> str | None:
    """Return why a question is not answered today; None where it may be.

    The most generous of the asker's roles counts, and the day is that of their own clock. While a database is away
    nobody is refused.
    """
    store, guild_id = services.answers, caller.guild_id
    if store is None or guild_id is None:
        return None
    most = await _most_a_day(caller, guild_id, services)
    if most is None:
        return None
    if most == 0:
        return NONE_ALLOWED
    zone = await services.zone_of(caller.user.id, guild_id)
    start, end = local_day(services.clock(), zone.zone)
    try:
        count = await store.count_since(start, asker_id=caller.user.id, guild_id=guild_id, before=caller.id)
    except TemporaryError as error:
        logger.warning("the questions of a day were not counted: %r", error)
        return None
    if count < most:
        return None
    asked = "1 question" if most == 1 else f"{most} questions"
    return ENOUGH.format(asked=asked, when=discord.utils.format_dt(end, "R"))


async def _most_a_day(caller: Caller, guild_id: int, services: Services) -> int | None:
    """Return how many questions the asker's roles allow; None for any number."""
    limits = (await services.guild_settings.get(guild_id, DAILY_LIMITS)).value
    held = {guild_id, *(role.id for role in getattr(caller.user, "roles", ()))}
    return max((most for role_id, most in limits.items() if role_id in held), default=None)


def local_day(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when the day of a clock began and will end."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight, midnight + timedelta(days=1)
