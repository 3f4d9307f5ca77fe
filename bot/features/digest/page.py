"""Make the text of a digest for everybody who sees a channel."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import discord

from bot.audience import Readers, audience_of_channel
from bot.overviews import render_overview
from bot.services import Services
from memory.digests import Sources, sources_of
from overviews.digest import Digest, shortened
from overviews.overview import Overview, Viewer

NOBODY = 0
"""Stands for the viewer: a digest is made for nobody in particular."""

_MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class DigestPage:
    """A digest as one message, and what it quotes; without sources there is nothing to tell.

    `places` are those that it may be made from.
    """

    text: str
    sources: Sources
    places: frozenset[int]


async def readable_places(channel: discord.TextChannel, readers: Readers) -> frozenset[int] | None:
    """Return what everybody who sees a channel may read; None where it is not known who that is."""
    audience = await audience_of_channel(channel, readers)
    return None if audience.must_be_private else audience.places


async def digest_page(
    digest: Digest,
    channel: discord.TextChannel,
    *,
    start: datetime,
    end: datetime,
    places: frozenset[int],
    services: Services,
) -> DigestPage:
    """Return the digest of a time for a channel; raise DatabaseUnavailableError."""
    zone = (await services.time_zones.of(None, channel.guild.id, services.time_zone)).zone
    viewer = Viewer(
        guild=channel.guild.id,
        places=places,
        person_id=NOBODY,
        channel_id=channel.id,
        now=services.clock(),
        time_zone=zone,
        date_order=services.date_order,
        private=False,
    )
    overview = await digest.overview(viewer, start=start, end=end)
    text, shown = _one_page(overview, zone)
    return DigestPage(text, sources_of(shown.messages), places)


def _one_page(overview: Overview, zone: ZoneInfo) -> tuple[str, Overview]:
    """Return an overview as one message, with as many lines as that takes."""
    pages = render_overview(overview, zone)
    for _ in range(_MOST_LINES):
        if len(pages) == 1:
            break
        overview = shortened(overview)
        pages = render_overview(overview, zone)
    return pages[0], overview
