"""Tell the members of a server, once, what is kept of what they say, and how to see, erase and stop it."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta

import discord

from bot.services import Services
from errors import DatabaseUnavailableError
from memory.guild_settings import NOTICE_GIVEN

logger = logging.getLogger(__name__)

SENDING_LIMIT = timedelta(seconds=30)

NOTICE = """\
**Hello. I remember what is said here, and answer questions about it with the messages that prove it: `/chat`.**
- **What I keep**: the messages of every channel that I can see, with who wrote them and when, their edits, reaction \
counts and the names of their files. Nobody is shown what they may not read themselves, and nothing trains a model.
- **Forget**: `/memory` shows what I hold about you, `/forget me` erases it.
- **Opt out**: `/optout` makes me keep nothing of what you write.
- **Stop**: moderators use `/pause` and `/resume`; administrators choose in `/settings` which channels I ignore and \
after how many days messages are erased.
{privacy}"""
PRIVACY_PAGE = "All of it is on the privacy page: <{}>"
NO_PRIVACY_PAGE = "Whoever invited me can tell you where the privacy page is, and who runs me."


def notice(services: Services) -> str:
    """Return what the members of a server are told."""
    page = NO_PRIVACY_PAGE if services.privacy_url is None else PRIVACY_PAGE.format(services.privacy_url)
    return NOTICE.format(privacy=page)


async def give_notice(guild: discord.Guild, services: Services) -> None:
    """Tell the members of a server where most of them see it, unless they were told before; nothing is raised."""
    given = await services.guild_settings.get(guild.id, NOTICE_GIVEN)
    if given.value or not given.certain:
        logger.info("guild %d is not told anew what is kept", guild.id)
        return
    channel = next(_open_channels(guild), None)
    if channel is None:
        logger.warning("guild %d is not told what is kept: the bot may not write in any of its channels", guild.id)
        return
    try:
        await services.guild_settings.set(guild.id, NOTICE_GIVEN, True, at=services.clock())  # first: never twice
        async with asyncio.timeout(SENDING_LIMIT.total_seconds()):
            await channel.send(notice(services), allowed_mentions=discord.AllowedMentions.none(), suppress_embeds=True)
    except (DatabaseUnavailableError, discord.HTTPException, TimeoutError, OSError) as error:
        logger.warning("guild %d is not told what is kept: %r", guild.id, error)


def _open_channels(guild: discord.Guild) -> Iterator[discord.TextChannel]:
    """Yield the channels in which the bot may write: that of the system first, then those that everybody sees."""
    channels = sorted(guild.text_channels, key=lambda one: (not _is_seen_by_all(one), one.position, one.id))
    first = [] if guild.system_channel is None else [guild.system_channel]
    for channel in (*first, *channels):
        may = channel.permissions_for(guild.me)
        if may.view_channel and may.send_messages:
            yield channel


def _is_seen_by_all(channel: discord.TextChannel) -> bool:
    return channel.permissions_for(channel.guild.default_role).view_channel
