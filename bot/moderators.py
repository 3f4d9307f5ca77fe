"""Who may do for a server what its moderators do, and may not ask there; what they change is told in a channel."""

import asyncio
import logging
from datetime import timedelta

import discord

from bot.caller import Caller
from bot.rendering import MESSAGE_LIMIT, neutralised
from bot.services import Services
from memory.guild_settings import ANSWER_MODE, BANNED_USERS, LOG_CHANNEL, MODERATOR_ROLE, AnswerMode

logger = logging.getLogger(__name__)

NOT_A_MODERATOR = "That is for those who may manage this server, and for its moderators: `/settings` names their role."
BANNED = (
    "You may not ask me on this server; whoever manages it can change that. `/memory`, `/forget` and `/optout` work "
    "all the same."
)
SWITCHED_OFF = "I answer no questions on this server: whoever manages it has switched that off."
ONLY_IN_PRIVATE = "On this server I answer those alone who ask: use `/chat`, and only you see my answer."

TELLING_LIMIT = timedelta(seconds=10)


async def is_moderator(caller: Caller, services: Services) -> bool:
    """Return whether somebody may manage the server in which they ask, or has the role of its moderators."""
    if caller.guild_id is None:
        return False
    if caller.permissions.administrator or caller.permissions.manage_guild:
        return True
    role_id = (await services.guild_settings.get(caller.guild_id, MODERATOR_ROLE)).value
    roles = caller.user.roles if isinstance(caller.user, discord.Member) else ()
    return role_id is not None and role_id != caller.guild_id and any(role.id == role_id for role in roles)


async def answer_mode(caller: Caller, services: Services) -> AnswerMode:
    """Return who sees answers where somebody asks; while that cannot be looked up, only they themselves do."""
    if caller.guild_id is None:
        return AnswerMode.PUBLIC
    mode = await services.guild_settings.get(caller.guild_id, ANSWER_MODE)
    return AnswerMode.PRIVATE if mode.value is AnswerMode.PUBLIC and not mode.certain else mode.value


async def refusal_to_answer(caller: Caller, services: Services, *, private: bool) -> str | None:
    """Return why a question is not answered, or not where others see it; None where it is."""
    if caller.guild_id is None:
        return None
    if caller.user.id in (await services.guild_settings.get(caller.guild_id, BANNED_USERS)).value:
        return BANNED
    match await answer_mode(caller, services):
        case AnswerMode.OFF:
            return SWITCHED_OFF
        case AnswerMode.PRIVATE if not private:
            return ONLY_IN_PRIVATE
        case _:
            return None


async def tell_moderators(guild: discord.Guild, services: Services, line: str) -> None:
    """Write a line into the log channel of a server, if it has one; nothing is raised.

    Names in the line are escaped by whoever makes it; nobody is pinged.
    """
    channel_id = (await services.guild_settings.get(guild.id, LOG_CHANNEL)).value
    channel = None if channel_id is None else guild.get_channel_or_thread(channel_id)
    if not isinstance(channel, discord.abc.Messageable):
        return
    try:
        async with asyncio.timeout(TELLING_LIMIT.total_seconds()):
            await channel.send(neutralised(line)[:MESSAGE_LIMIT], allowed_mentions=discord.AllowedMentions.none())
    except Exception as error:  # noqa: BLE001 - what was changed is changed, whether it can be told or not
        logger.warning("the log channel of guild %d was not told: %r", guild.id, error)
