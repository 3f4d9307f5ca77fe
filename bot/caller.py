"""Whoever asks something of the bot: what is known of them and of where they ask."""

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
    def locale(self) -> discord.Locale:
        """The language in which they use Discord."""

    @property
    def app_permissions(self) -> discord.Permissions:
        """What the bot may do there."""

    @property
    def permissions(self) -> discord.Permissions:
        """What the person may do there."""

    @property
    def created_at(self) -> datetime:
        """When it was asked."""
