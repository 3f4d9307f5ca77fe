"""Decide which channels and threads an answer may be made from.

Three questions have to be told apart: what the asker may read, who will read the answer, and what may be shown there.

- A private (ephemeral) answer is read by the asker alone: it may use every place that the asker may read.
- A public answer is read by everyone in the channel where it is given: of the places that the asker may read, it
  may use only those that all of these people may read. That is the channel itself with its public threads and the
  thread where the question was asked, unless somebody may see that channel without its history; and every channel that
  @everyone may read and that no permission overwrite closes to anybody, with its public threads. Roles that open a
  channel to *some* do not make it public.
- In a direct message there are two readers, and the answer uses that conversation only.
- Whoever reads it, an answer quotes an age-restricted channel only where the answer's own channel is age-restricted,
  and a channel marked as a spoiler only in itself: Discord asks before it shows these, and would not ask there.

To read means to see the channel and its history; for voice and stage channels Discord also asks for Connect. Whoever
may see a channel is shown a new answer there, with or without its history. A private thread is for its members and for
those who manage threads. Archived threads are in no cache, so they are left out until somebody writes in them again.
"""

import asyncio
import logging
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

import aiohttp
import discord

logger = logging.getLogger(__name__)

ReadableChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel

_VIEW = discord.Permissions(view_channel=True)

MEMBERSHIPS_ASKED = 20  # private threads per question whose membership Discord is asked for
MEMBERSHIPS_LIMIT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Audience:
    """The places that an answer may use, and whether the asker may read more than that."""

    places: frozenset[int]
    more_in_private: bool = False


async def audience_of(interaction: discord.Interaction, *, private: bool, spoilers: Container[int]) -> Audience:
    """Return what the answer to an interaction may be made from; `spoilers` are the channels marked as such."""
    if interaction.guild_id is None:
        return Audience(frozenset() if interaction.channel_id is None else frozenset({interaction.channel_id}))
    guild, asker, channel = interaction.guild, interaction.user, interaction.channel
    if guild is None or not isinstance(asker, discord.Member):
        return Audience(frozenset())
    readable = readable_places(asker, guild) | _own_thread(channel, asker)
    if private:
        readable |= await joined_private_threads(asker, guild)
    fitting = readable & fitting_places(channel, guild, spoilers=spoilers)
    if private:
        return Audience(fitting)
    # Of a channel that the bot itself cannot see Discord tells it no overwrites, so nobody knows who reads there.
    shared = fitting & shared_places(channel if interaction.app_permissions.view_channel else None, guild)
    return Audience(shared, more_in_private=shared != fitting)


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


def fitting_places(shown_in: object, guild: discord.Guild, *, spoilers: Container[int]) -> frozenset[int]:
    """Return the ids of the places whose words may be shown in a channel or thread, whoever reads them there.

    A thread is age-restricted, or a spoiler, as its parent is.
    """
    home = _parent_or_self(shown_in)
    channels = {channel.id for channel in _text_channels(guild) if _fits(channel, home, spoilers)}
    threads = {thread.id for thread in guild.threads if thread.parent_id in channels}
    if isinstance(shown_in, discord.Thread) and shown_in.parent_id in channels:
        threads.add(shown_in.id)
    return frozenset(channels | threads)


def shared_places(channel: object, guild: discord.Guild) -> frozenset[int]:
    """Return the ids of the places that everyone who sees an answer in `channel` can read too.

    Whoever sees a thread sees its parent channel, so a thread shares what its parent shares.
    """
    shared = {other.id for other in _text_channels(guild) if is_open_to_all(other, guild)}
    home = _parent_or_self(channel)
    own: set[int] = set()
    if home is not None and _read_by_all_who_see(home, guild):
        shared.add(home.id)
        own = {channel.id} if isinstance(channel, discord.Thread) else own
    threads = (thread.id for thread in guild.threads if thread.parent_id in shared and not thread.is_private())
    return frozenset(shared) | frozenset(threads) | own


def _own_thread(channel: object, asker: discord.Member) -> frozenset[int]:
    """Return the thread that a question was asked in, private or not, for an asker who may read history there."""
    parent = _parent_or_self(channel)
    if not isinstance(channel, discord.Thread) or parent is None or not _may_read(parent, asker):
        return frozenset()
    return frozenset({channel.id})


def _parent_or_self(channel: object) -> ReadableChannel | None:
    """Return the channel whose permissions count for a place; None for one that is not known."""
    parent = channel.parent if isinstance(channel, discord.Thread) else channel
    return parent if isinstance(parent, ReadableChannel) else None


def _text_channels(guild: discord.Guild) -> Iterable[ReadableChannel]:
    return (channel for channel in guild.channels if isinstance(channel, ReadableChannel))


def _fits(channel: ReadableChannel, home: ReadableChannel | None, spoilers: Container[int]) -> bool:
    if home is not None and channel.id == home.id:
        return True
    return channel.id not in spoilers and (not channel.is_nsfw() or (home is not None and home.is_nsfw()))


def _needed(channel: ReadableChannel) -> discord.Permissions:
    """Return the permissions without which nobody reads a channel."""
    by_voice = isinstance(channel, discord.VoiceChannel | discord.StageChannel)
    return discord.Permissions(view_channel=True, read_message_history=True, connect=by_voice)


def _may_read(channel: ReadableChannel, who: discord.Member | discord.Role) -> bool:
    return _needed(channel) <= channel.permissions_for(who)


def is_open_to_all(channel: ReadableChannel, guild: discord.Guild) -> bool:
    """Return whether every member, whatever their roles, may read a channel."""
    everyone = guild.get_role(guild.id)
    if everyone is None or not _may_read(channel, everyone):
        return False
    denied = (overwrite.pair()[1] for overwrite in channel.overwrites.values())
    return not any(_needed(channel).value & deny.value for deny in denied)


def _read_by_all_who_see(channel: ReadableChannel, guild: discord.Guild) -> bool:
    """Tell whether nobody can see a channel without being able to read it too; False where that is not certain.

    Nobody knows who holds which roles together, so it is asked of every role and every overwrite by itself: none takes
    away what reading needs from somebody who may still see the channel, and whatever gives sight of it gives the rest
    as well.
    """
    everyone = guild.get_role(guild.id)
    if everyone is None:
        return False
    rest = discord.Permissions(_needed(channel).value & ~_VIEW.value)
    overwrites = [
        (target, *overwrite.pair())
        for target, overwrite in channel.overwrites.items()
        if target != everyone and not _is_aside(target, guild)
    ]
    sight_alone = [target for target, allow, _ in overwrites if allow.view_channel and not rest <= allow]
    for target, _, deny in overwrites:
        is_hidden = deny.view_channel and (_is_person(target) or not sight_alone)
        if rest.value & deny.value and not is_hidden:
            return False
    if rest <= channel.permissions_for(everyone):
        return True
    by_role = (channel.permissions_for(role) for role in guild.roles if not _is_aside(role, guild))
    if any(given.view_channel and not rest <= given for given in by_role):
        return False
    return all(isinstance(target, discord.Role) for target in sight_alone)  # of a person's roles nothing is known


_Target = discord.Role | discord.Member | discord.Object


def _is_aside(target: _Target, guild: discord.Guild) -> bool:
    """Tell whether an overwrite or a role is that of administrators or the owner, who read everything, or of a bot."""
    if isinstance(target, discord.Role):
        return target.permissions.administrator or target.is_bot_managed()
    return target.id == guild.owner_id or (isinstance(target, discord.Member) and target.bot)


def _is_person(target: _Target) -> bool:
    """Tell whether an overwrite is one person's, which counts for more than all of their roles'."""
    return not isinstance(target, discord.Role) and not (
        isinstance(target, discord.Object) and target.type is discord.Role
    )


async def _joined(thread: discord.Thread, member: discord.Member) -> bool:
    try:
        await thread.fetch_member(member.id)
    except discord.NotFound:
        return False
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        logger.warning("Discord did not say who has joined thread %d: %r", thread.id, error)
        return False
    return True
