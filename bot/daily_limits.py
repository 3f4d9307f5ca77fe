"""Tell whether somebody has asked all the questions that their server allows them for the day."""

import logging
from collections import Counter
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

_MOST_KNOWN = 10_000  # people of a day of whom nothing is kept


class DailyLimits:
    """Knows how many questions people may ask a day, and how many they have asked."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._unkept: Counter[tuple[int, int, datetime]] = Counter()
        """Questions of people of whom nothing is kept, by guild, person and day, as long as the program runs."""

    async def refusal_of(self, caller: Caller, *, is_kept: bool) -> str | None:
        """Return why a question is not answered today; None where it may be, and then it counts.

        The most generous of the asker's roles counts, and the day is that of their own clock. While a database is away
        nobody is refused.
        """
        guild_id = caller.guild_id
        most = None if guild_id is None else await _most_a_day(caller, guild_id, self._services)
        if most is None or guild_id is None:
            return None
        if most == 0:
            return NONE_ALLOWED
        zone = await self._services.zone_of(caller.user.id, guild_id)
        start, end = local_day(self._services.clock(), zone.zone)
        count = self._count_kept if is_kept else self._count_unkept
        if await count(caller, guild_id, start) < most:
            return None
        asked = "1 question" if most == 1 else f"{most} questions"
        return ENOUGH.format(asked=asked, when=discord.utils.format_dt(end, "R"))

    async def _count_kept(self, caller: Caller, guild_id: int, since: datetime) -> int:
        store = self._services.answers
        if store is None:
            return 0
        try:
            return await store.count_since(since, asker_id=caller.user.id, guild_id=guild_id, before=caller.id)
        except TemporaryError as error:
            logger.warning("the questions of a day were not counted: %r", error)
            return 0

    async def _count_unkept(self, caller: Caller, guild_id: int, since: datetime) -> int:
        """Return how many questions came before this one, which counts from now on."""
        if len(self._unkept) > _MOST_KNOWN:
            self._unkept.clear()
        self._unkept[guild_id, caller.user.id, since] += 1
        return self._unkept[guild_id, caller.user.id, since] - 1


async def _most_a_day(caller: Caller, guild_id: int, services: Services) -> int | None:
    """Return how many questions the asker's roles allow; None for any number."""
    limits = (await services.guild_settings.get(guild_id, DAILY_LIMITS)).value
    held = {guild_id, *(role.id for role in getattr(caller.user, "roles", ()))}
    return max((most for role_id, most in limits.items() if role_id in held), default=None)


def local_day(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when the day of a clock began and will end."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight, midnight + timedelta(days=1)
