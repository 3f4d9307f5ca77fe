"""Whoever asks something of the bot: what is known of them and of where they ask."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import discord


class Caller(Protocol):
    """A person who asks, by a command, by a mention or by a question that is taken up again, and where they ask.

    An interaction of discord.py is one. `app_permissions` are those of the bot and `permissions` those of the person
    where they ask; `channel` and `guild` are None where they are not known.
    """

    @property
    def id(self) -> int:
        """The snowflake of the command or message that asks."""

    @property
    def client(self) -> Any:
        """The Discord client that heard it."""

    @property
    def guild(self) -> discord.Guild | None:
        """The guild in which it is asked."""

    @property
    def guild_id(self) -> int | None:
        """The id of the guild; None in direct messages."""

    @property
    def channel(self) -> Any:
        """The channel or thread in which it is asked."""

    @property
    def channel_id(self) -> int | None:
        """The id of that channel or thread."""

    @property
    def user(self) -> discord.User | discord.Member:
        """The person who asks."""

    @property
    def locale(self) -> discord.Locale | None:
        """The language in which they use Discord; None where it is not known."""

    @property
    def app_permissions(self) -> discord.Permissions:
        """What the bot may do there."""

    @property
    def permissions(self) -> discord.Permissions:
        """What the person may do there."""

    @property
    def created_at(self) -> datetime:
        """When it was asked."""


@dataclass(frozen=True, slots=True)
class MessageCaller:
    """A person who asks by a message in a channel; satisfies `Caller`."""

    message: discord.Message
    client: Any

    @property
    def id(self) -> int:
        """The snowflake of the message."""
        return self.message.id

    @property
    def guild(self) -> discord.Guild | None:
        """The guild of the message."""
        return self.message.guild

    @property
    def guild_id(self) -> int | None:
        """The id of the guild, also of one that the cache lacks; None in direct messages."""
        return self.message.guild.id if self.message.guild else getattr(self.message.channel, "guild_id", None)

    @property
    def channel(self) -> Any:
        """The channel or thread of the message."""
        return self.message.channel

    @property
    def channel_id(self) -> int | None:
        """The id of that channel or thread."""
        return self.message.channel.id

    @property
    def user(self) -> discord.User | discord.Member:
        """The author of the message."""
        return self.message.author

    @property
    def locale(self) -> discord.Locale | None:
        """None: a message does not tell in which language its author uses Discord."""
        return None

    @property
    def app_permissions(self) -> discord.Permissions:
        """What the bot may do there."""
        me = self.guild.me if self.guild else self.client.user
        return self._permissions_of(me)

    @property
    def permissions(self) -> discord.Permissions:
        """What the author may do there."""
        return self._permissions_of(self.message.author)

    @property
    def created_at(self) -> datetime:
        """When the message was sent."""
        return self.message.created_at

    def _permissions_of(self, somebody: Any) -> discord.Permissions:
        """Return what somebody may do there; nothing where that is not known, as in a thread without its channel."""
        if somebody is None:
            return discord.Permissions.none()
        try:
            return self.message.channel.permissions_for(somebody)
        except discord.ClientException:
            return discord.Permissions.none()
