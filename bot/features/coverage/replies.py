"""Answer /coverage: find the channels that somebody can read, and draw what memory has seen of them."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import discord
from discord.app_commands import AppCommandChannel, AppCommandThread

from agent.gap_notes import SeenPlace
from bot.audience import Audience, Readers, audience_of
from bot.features.coverage.drawing import Remembered, drawing
from bot.history.memory import HistoryMemory
from bot.services import NOT_LOOKED_UP, Services
from errors import DatabaseUnavailableError
from memory.coverage.ledger import Stretch

logger = logging.getLogger(__name__)

MOST_COUNTED = 15
"""Channels whose messages are counted; a message of Discord's has no room for more of them."""

NOT_KEPT = "Nothing is noted here of what I have read."
NO_CHANNELS = "There is no channel here that you can read and that I remember."
NOT_READABLE = "I know no such channel that you can read."
AWAY = "My notes on what I have read cannot be reached just now; please ask again in a few minutes."


@dataclass(frozen=True, slots=True)
class _Named:
    place_id: int
    name: str


async def coverage(
    interaction: discord.Interaction,
    wanted: AppCommandChannel | AppCommandThread | None,
    services: Services,
    readers: Readers,
) -> str:
    """Return the drawing of one channel or of all that the asker can read, or why there is none."""
    guild, history = interaction.guild, services.history
    if guild is None or history is None:
        return NOT_KEPT
    audience = await audience_of(interaction, private=True, readers=readers)
    if wanted is None:
        channels = list(_channels_of(guild, audience))
    elif _may_read(wanted, audience):
        channels = [_Named(wanted.id, wanted.name)]
    else:
        return NOT_READABLE
    if not channels:
        return NO_CHANNELS
    try:
        known = await history.ledger.of_places([channel.place_id for channel in channels])
        shown = sorted(channels, key=lambda channel: channel.place_id not in known)[:MOST_COUNTED]
        counts = await _counts(history, guild.id, shown, services.session)
    except DatabaseUnavailableError as error:
        logger.warning("what was read of guild %d cannot be drawn: %r", guild.id, error)
        return AWAY
    zone = await services.zone_of(interaction.user.id, guild.id)
    remembered = [_remembered(channel, known.get(channel.place_id, ()), counts) for channel in shown]
    text = drawing(remembered, now=services.clock(), time_zone=zone.zone, of_all=len(channels))
    return text if zone.certain else f"{text}\n{NOT_LOOKED_UP.format(zone.zone.key)}"


def _channels_of(guild: discord.Guild, audience: Audience) -> Iterator[_Named]:
    """Yield the channels of an audience in the order in which Discord shows them; forums hold but threads."""
    for channel in sorted(
        guild.channels, key=lambda one: (one.category.position if one.category else -1, one.position)
    ):
        if channel.id in audience.places and not isinstance(channel, discord.ForumChannel):
            yield _Named(channel.id, channel.name)


def _may_read(wanted: AppCommandChannel | AppCommandThread, audience: Audience) -> bool:
    """Return whether a channel or thread is open to an audience: a public thread is to whoever reads its channel."""
    if wanted.id in audience.places:
        return True
    is_public = wanted.type in {discord.ChannelType.public_thread, discord.ChannelType.news_thread}
    return isinstance(wanted, AppCommandThread) and is_public and wanted.parent_id in audience.places


async def _counts(history: HistoryMemory, guild_id: int, channels: Sequence[_Named], session: str) -> Mapping[int, int]:
    places = [channel.place_id for channel in channels]
    return await history.stored.count(guild_id, places, session=session)


def _remembered(channel: _Named, stretches: Sequence[Stretch], counts: Mapping[int, int]) -> Remembered:
    seen = tuple(stretch.covered for stretch in stretches)
    return Remembered(
        place=SeenPlace(place_id=channel.place_id, name=channel.name, seen=seen),
        messages=counts.get(channel.place_id, 0),
        checked_at=min((stretch.read_at for stretch in stretches), default=None),
    )
