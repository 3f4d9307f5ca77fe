"""Decide which channels and threads an answer may be made from.

Two questions have to be told apart: what the asker may read, and who will read the answer.

- A private (ephemeral) answer is read by the asker alone: it may use every place that the asker may read.
- A public answer is read by everyone in the channel where it is given: of the places that the asker may read, it
  may use only those that all of these people may read. That is the channel itself with its public threads, the
  thread where the question was asked, and every channel that @everyone may read and that no permission overwrite
  closes to anybody, with its public threads. Roles that open a channel to *some* do not make it public.
- In a direct message there are two readers, and the answer uses that conversation only.

To read means to see the channel and its history; for voice and stage channels Discord also asks for Connect.
A private thread is for its members and for those who manage threads. Archived threads are in no cache, so they are
left out until somebody writes in them again.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

import aiohttp
import discord

logger = logging.getLogger(__name__)

ReadableChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel

MEMBERSHIPS_ASKED = 20  # private threads per question whose membership Discord is asked for
MEMBERSHIPS_LIMIT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Audience:
    """The places that an answer may use, and whether the asker may read more than that."""

    places: frozenset[int]
    more_in_private: bool = False


async def audience_of(interaction: discord.Interaction, *, private: bool) -> Audience:
    """Return what the answer to an interaction may be made from."""
    if interaction.guild_id is None:
        return Audience(frozenset() if interaction.channel_id is None else frozenset({interaction.channel_id}))
    guild, asker = interaction.guild, interaction.user
    if guild is None or not isinstance(asker, discord.Member):
        return Audience(frozenset())
    readable = readable_places(asker, guild) | _own_thread(interaction.channel)
    if private:
        return Audience(readable | await joined_private_threads(asker, guild))
    shared = readable & shared_places(interaction.channel, guild)
    return Audience(shared, more_in_private=shared != readable)


def readable_places(member: discord.Member, guild: discord.Guild) -> frozenset[int]:
    """Return the ids of the channels and active threads that a member may read.

    Private threads count only for those who manage threads there; `joined_private_threads` adds the member's own.
    """
    channels = {channel.id: channel for channel in _text_channels(guild) if _may_read(channel, member)}
    threads = (
        thread.id
        for thread in guild.threads
        if (parent := channels.get(thread.parent_id)) is not None
        and (not thread.is_private() or parent.permissions_for(member).manage_threads)
    )
    return frozenset(channels) | frozenset(threads)


async def joined_private_threads(member: discord.Member, guild: discord.Guild) -> frozenset[int]:
    """Ask Discord which of the newest private threads a member has joined; none of them when it does not answer.

    The gateway does not tell a bot without the members intent, hence the requests.
    """
    readable = {channel.id for channel in _text_channels(guild) if _may_read(channel, member)}
    newest_first = sorted(guild.threads, key=lambda thread: thread.id, reverse=True)
    private = (thread for thread in newest_first if thread.is_private() and thread.parent_id in readable)
    asked = list(islice(private, MEMBERSHIPS_ASKED))
    try:
        async with asyncio.timeout(MEMBERSHIPS_LIMIT.total_seconds()):
            joined = await asyncio.gather(*(_joined(thread, member) for thread in asked))
    except TimeoutError:
        logger.warning("Discord did not say in time which private threads member %d has joined", member.id)
        return frozenset()
    return frozenset(thread.id for thread, is_member in zip(asked, joined, strict=True) if is_member)


def shared_places(channel: object, guild: discord.Guild) -> frozenset[int]:
    """Return the ids of the places that everyone who can read `channel` can read too.

    Whoever sees a thread sees its parent channel, so a thread shares what its parent shares.
    """
    open_channels = {other.id for other in _text_channels(guild) if _open_to_all(other, guild)}
    if isinstance(channel, discord.Thread):
        open_channels.add(channel.parent_id)
    elif isinstance(channel, ReadableChannel):
        open_channels.add(channel.id)
    threads = (thread.id for thread in guild.threads if thread.parent_id in open_channels and not thread.is_private())
    return frozenset(open_channels) | frozenset(threads) | _own_thread(channel)


def _own_thread(channel: object) -> frozenset[int]:
    """Return the thread that a question was asked in: whoever asks there reads it, and so do its readers."""
    return frozenset({channel.id}) if isinstance(channel, discord.Thread) else frozenset()


def _text_channels(guild: discord.Guild) -> Iterable[ReadableChannel]:
    return (channel for channel in guild.channels if isinstance(channel, ReadableChannel))


def _needed(channel: ReadableChannel) -> discord.Permissions:
    """Return the permissions without which nobody reads a channel."""
    by_voice = isinstance(channel, discord.VoiceChannel | discord.StageChannel)
    return discord.Permissions(view_channel=True, read_message_history=True, connect=by_voice)


def _may_read(channel: ReadableChannel, who: discord.Member | discord.Role) -> bool:
    return _needed(channel) <= channel.permissions_for(who)


def _open_to_all(channel: ReadableChannel, guild: discord.Guild) -> bool:
    """Tell whether every member, whatever their roles, may read a channel."""
    denied = (overwrite.pair()[1] for overwrite in channel.overwrites.values())
    needed = _needed(channel)
    return _may_read(channel, guild.default_role) and not any(needed.value & deny.value for deny in denied)


async def _joined(thread: discord.Thread, member: discord.Member) -> bool:
    try:
        await thread.fetch_member(member.id)
    except discord.NotFound:
        return False
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        logger.warning("Discord did not say who has joined thread %d: %r", thread.id, error)
        return False
    return True
