"""Read from discord.py's cache who may see and read the channels of a guild, and keep it until that changes."""

import logging
from collections.abc import Container, Iterator, Mapping
from typing import Any, NamedTuple, cast

import discord

from bot.permissions import (
    CONNECT,
    EVERYBODY,
    MANAGE_THREADS,
    READ,
    READ_MESSAGE_HISTORY,
    READ_VOICE,
    VIEW_CHANNEL,
    ChannelFacts,
    GuildRules,
    Overwrite,
    RoleFacts,
    Sight,
)
from bot.places import HIDDEN_NAME

logger = logging.getLogger(__name__)

ReadableChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel

_NEEDED: dict[type, tuple[int, ...]] = {
    discord.TextChannel: READ,
    discord.ForumChannel: READ,
    discord.VoiceChannel: READ_VOICE,
    discord.StageChannel: READ_VOICE,
}
_RELEVANT = VIEW_CHANNEL | READ_MESSAGE_HISTORY | CONNECT | MANAGE_THREADS
_OF_GUILDS = frozenset({"GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE"})
_MOST_KEPT = 1_000  # sets of channels, and views of guilds

CHANGES = frozenset(
    {
        *_OF_GUILDS,
        *("GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE"),
        *("CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE"),
        "GUILD_MEMBER_UPDATE",  # without the members intent only of the bot itself, whose roles may have changed
    }
)
"""Events of the gateway after which something else may be readable in a guild."""


class _Kind(NamedTuple):
    """What channels have in common that the same people may read, and that fit the same places."""

    facts: ChannelFacts
    is_nsfw: bool
    spoiler: int
    """The id of the channel, if it is marked as a spoiler, so that it is of a kind of its own."""


class GuildView:
    """The channels of a guild at one moment, and who may read them.

    Channels of the same kind share a number, and sets of channels are ints with a bit for each number.
    """

    def __init__(self, guild: discord.Guild, spoilers: Container[int]) -> None:
        """Raise ValueError where the guild, its roles or those of the bot are not known."""
        me = None if guild.unavailable else cast("discord.Member | None", guild.me)
        if me is None:
            raise ValueError(f"guild {guild.id} or the bot's own roles there are not known")
        kinds: dict[_Kind, list[int]] = {}
        for channel in guild.channels:
            if type(channel) in _NEEDED and channel.name != HIDDEN_NAME:
                kinds.setdefault(_kind(channel, spoilers), []).append(channel.id)
        self._roles = role_facts(guild)
        self._guild_id, self._owner_id = guild.id, guild.owner_id
        self._facts = [kind.facts for kind in kinds]
        self.rules = GuildRules(guild.id, guild.owner_id, self._roles, self._facts)
        self._of_threads: GuildRules | None = None
        self.bot_id = me.id
        self.seen = self.rules.visible(self.rules.held(role.id for role in me.roles), me.id)
        self.nsfw = sum(1 << number for number, kind in enumerate(kinds) if kind.is_nsfw)
        self.spoilers = sum(1 << number for number, kind in enumerate(kinds) if kind.spoiler)
        self._ids = [frozenset(channel_ids) for channel_ids in kinds.values()]
        self._numbers = {
            channel_id: number
            for number, channel_ids in enumerate(self._ids)
            if self.seen >> number & 1
            for channel_id in channel_ids
        }
        self._places: dict[int, frozenset[int]] = {}

    @property
    def rules_of_threads(self) -> GuildRules:
        """Who may read the private threads of the channels without having joined them; roles are the same bits."""
        if self._of_threads is None:
            facts = [ChannelFacts(one.overwrites, (*one.need, MANAGE_THREADS)) for one in self._facts]
            self._of_threads = GuildRules(self._guild_id, self._owner_id, self._roles, facts)
        return self._of_threads

    def number(self, channel_id: int | None) -> int | None:
        """Return the number of a channel; None for one that the bot does not see."""
        return None if channel_id is None else self._numbers.get(channel_id)

    def ids(self, channels: int) -> frozenset[int]:
        """Return the ids of a set of channels."""
        if channels not in self._places:
            if len(self._places) >= _MOST_KEPT:
                self._places.clear()
            self._places[channels] = frozenset[int]().union(*(self._ids[number] for number in each_number(channels)))
        return self._places[channels]

    def sight(self, destination: int | None) -> Sight:
        """Return who sees a channel: everybody, for all that is known, where it is not known."""
        return EVERYBODY if destination is None else self.rules.sight(destination)


class GuildViews:
    """The present view of each guild, made when it is needed and dropped when roles or channels change."""

    def __init__(self, spoilers: Container[int]) -> None:
        self._spoilers = spoilers
        self._views: dict[int, GuildView] = {}

    def note(self, event: str, data: Mapping[str, Any]) -> None:
        """Learn from an event of the gateway that a guild changes."""
        if event in CHANGES:
            self._views.pop(int(data["id"] if event in _OF_GUILDS else data.get("guild_id") or 0), None)

    def of(self, guild: discord.Guild) -> GuildView | None:
        """Return the view of a guild; None where it is not known enough."""
        if guild.id not in self._views:
            if len(self._views) >= _MOST_KEPT:
                self._views.clear()
            try:
                self._views[guild.id] = GuildView(guild, self._spoilers)
            except ValueError as error:
                logger.warning("nothing of a guild is shown: %s", error)
                return None
        return self._views[guild.id]


def is_open_to_all(channel: ReadableChannel, guild: discord.Guild) -> bool:
    """Return whether every member, whatever their roles, may read a channel."""
    try:
        rules = GuildRules(guild.id, guild.owner_id, role_facts(guild), [facts_of(channel)])
    except ValueError:
        return False
    people = rules.people_between(None, rules.all_channels)
    return not rules.closed(EVERYBODY) and not any(rules.closed_to_unknown(person, None) for person in people)


def role_facts(guild: discord.Guild) -> list[RoleFacts]:
    """Return the roles of a guild."""
    return [RoleFacts(role.id, role.permissions.value, role.is_bot_managed()) for role in guild.roles]


def facts_of(channel: discord.abc.GuildChannel) -> ChannelFacts:
    """Return what a channel allows and denies, as far as it concerns reading, and what reading it needs.

    From where discord.py keeps it: `channel.overwrites` makes an object of each permission, which takes 20 times as
    long.
    """
    overwrites: list[Overwrite] = [
        (one.id, one.type == 0, one.allow & _RELEVANT, one.deny & _RELEVANT)
        for one in channel._overwrites  # noqa: SLF001
        if (one.allow | one.deny) & _RELEVANT
    ]
    return ChannelFacts(tuple(overwrites), _NEEDED.get(type(channel), READ))


def each_number(channels: int) -> Iterator[int]:
    """Yield the numbers of a set of channels."""
    return (number for number in range(channels.bit_length()) if channels >> number & 1)


def _kind(channel: Any, spoilers: Container[int]) -> _Kind:
    return _Kind(facts_of(channel), channel.is_nsfw(), channel.id if channel.id in spoilers else 0)
