"""Name what a message mentions, as far as everybody who may read the message may know the name."""

from collections.abc import Callable

import discord
from discord.abc import Snowflake

from bot.audience import ReadableChannel, is_open_to_all
from memory.mentions import NameOf, nobody

NamesIn = Callable[[int, int | None], NameOf]
"""Returns how mentions are named in a channel or thread of a guild, by the ids of both."""


def names_in_channel(client: discord.Client, channel_id: int, guild_id: int | None) -> NameOf:
    """Return how mentions are named in a place, as far as the client's cache knows it."""
    guild = client.get_guild(guild_id) if guild_id is not None else None
    channel = guild.get_channel_or_thread(channel_id) if guild else None
    return names_for(channel or discord.Object(channel_id), guild)


def names_for(home: Snowflake, guild: discord.Guild | None) -> NameOf:
    """Return how mentions are named in the channel or thread `home`.

    The names of people come with the message itself. Those of roles the whole server sees. A channel is named when
    every member may read it, or when it is the place itself: the name of any other must not become readable by way of
    a message that mentions it.
    """
    if guild is None:
        return nobody

    def name_of(sign: str, mentioned_id: int) -> str | None:
        if sign == "#":
            return _channel_name(guild, mentioned_id, home)
        role = guild.get_role(mentioned_id) if sign == "@&" else None
        return role.name.removeprefix("@") if role else None

    return name_of


def _channel_name(guild: discord.Guild, channel_id: int, home: Snowflake) -> str | None:
    channel = guild.get_channel_or_thread(channel_id)
    if channel is None or channel_id in {home.id, getattr(home, "parent_id", None)}:
        return channel.name if channel else None
    if isinstance(channel, discord.Thread) and channel.is_private():
        return None
    readers = channel.parent if isinstance(channel, discord.Thread) else channel
    return channel.name if isinstance(readers, ReadableChannel) and is_open_to_all(readers, guild) else None
