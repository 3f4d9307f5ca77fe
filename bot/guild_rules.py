"""Read from discord.py's cache who may see and read the channels of a guild, and keep it until that changes."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

import discord

from bot.permissions import (
    CONNECT,
    MANAGE_THREADS,
    READ,
    READ_MESSAGE_HISTORY,
    READ_VOICE,
    VIEW_CHANNEL,
    ChannelRules,
    GuildRules,
    Overwrite,
    RoleFacts,
    Witness,
)

logger = logging.getLogger(__name__)

ReadableChannel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel

HIDDEN_NAME = "___hidden___"
"""What Discord calls a channel that the bot may not see."""

_RELEVANT = VIEW_CHANNEL | READ_MESSAGE_HISTORY | CONNECT | MANAGE_THREADS
_MOST_KEPT = 20_000  # results of a kind

_OF_GUILDS = frozenset({"GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE"})
CHANGES = frozenset(
    {
        *_OF_GUILDS,
        *("GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE"),
        *("CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE"),
        "GUILD_MEMBER_UPDATE",  # without the members intent only of the bot itself, whose roles may have changed
    }
)
"""Events of the gateway after which something else may be readable in a guild."""


class Source(NamedTuple):
    """What may be quoted: the rules of its channel, and the permissions that reading it needs there."""

    rules: ChannelRules
    need: tuple[int, ...]


class KnownChannel(NamedTuple):
    """A channel that the bot sees."""

    source: Source
    is_nsfw: bool

    @property
    def private_threads(self) -> Source:
        """What reading the private threads of the channel needs of those who have not joined them."""
        return Source(self.source.rules, (*self.source.need, MANAGE_THREADS))


class GuildView:
    """The channels of a guild that the bot sees, and who may read them, at one moment."""

    def __init__(self, guild: discord.Guild) -> None:
        """Raise ValueError where the guild, its roles or those of the bot are not known."""
        if guild.unavailable:
            raise ValueError(f"guild {guild.id} is not available")
        self.rules = rules_of(guild)
        me = cast("discord.Member | None", guild.me)
        if me is None:
            raise ValueError(f"the bot's own roles in guild {guild.id} are not known")
        self.bot_id = me.id
        self.channels = dict(self._visible(guild, self.rules.held(role.id for role in me.roles)))
        self.nsfw = frozenset(channel_id for channel_id, channel in self.channels.items() if channel.is_nsfw)
        self._readable: dict[tuple[int, int], Mapping[Source, frozenset[int]]] = {}
        self._witnesses: dict[tuple[ChannelRules | None, Source, int], Witness | None] = {}
        self._people: dict[tuple[ChannelRules | None, Source], tuple[int, ...]] = {}

    def readable(self, person_id: int, held: int) -> Mapping[Source, frozenset[int]]:
        """Return the channels that a person with these roles may read, together where the same people may."""
        key = person_id, held
        if key not in self._readable:
            _make_room(self._readable)
            self._readable[key] = self._readable_for(person_id, held)
        return self._readable[key]

    def may_read(self, source: Source, person_id: int, held: int) -> bool:
        """Return whether a person with these roles may read something."""
        return self.rules.may(source.rules, source.need, held=held, person_id=person_id)

    def witness(self, destination: ChannelRules | None, source: Source, restricting: int) -> Witness | None:
        """Return roles whose holder sees a destination, which everyone does where it is None, and lacks a source."""
        key = destination, source, restricting
        if key not in self._witnesses:
            _make_room(self._witnesses)
            self._witnesses[key] = self.rules.witness(destination, *source, restricting=restricting)
        return self._witnesses[key]

    def people_between(self, destination: ChannelRules | None, source: Source) -> tuple[int, ...]:
        """Return those with an overwrite of their own who might see a destination and not read a source."""
        key = destination, source
        if key not in self._people:
            _make_room(self._people)
            seeing = () if destination is None else destination.people_who_see()
            named = dict.fromkeys((*seeing, *source.rules.people_who_lack(source.need)))
            self._people[key] = tuple(
                person_id
                for person_id in named
                if person_id != self.bot_id
                and self.rules.witness_of_unknown(destination, *source, person_id=person_id) is not None
            )
        return self._people[key]

    def sees_and_lacks(self, destination: ChannelRules | None, source: Source, person_id: int, held: int) -> bool:
        """Return whether a person with these roles sees a destination and may not read a source."""
        sees = destination is None or self.may_read(Source(destination, (VIEW_CHANNEL,)), person_id, held)
        return sees and not self.may_read(source, person_id, held)

    def _readable_for(self, person_id: int, held: int) -> Mapping[Source, frozenset[int]]:
        readable: dict[Source, set[int]] = {}
        closed: set[Source] = set()
        for channel_id, (source, _) in self.channels.items():
            if source in readable:
                readable[source].add(channel_id)
            elif source not in closed and self.may_read(source, person_id, held):
                readable[source] = {channel_id}
            else:
                closed.add(source)
        return {source: frozenset(channel_ids) for source, channel_ids in readable.items()}

    def _visible(self, guild: discord.Guild, held: int) -> Iterator[tuple[int, KnownChannel]]:
        for channel in readable_channels(guild):
            rules = self.rules.channel(overwrites_of(channel))
            if channel.name != HIDDEN_NAME and self.may_read(Source(rules, (VIEW_CHANNEL,)), self.bot_id, held):
                yield channel.id, KnownChannel(Source(rules, needed_in(channel)), channel.is_nsfw())


class GuildViews:
    """The present view of each guild, made when it is needed and dropped when roles or channels change."""

    def __init__(self) -> None:
        self._views: dict[int, GuildView] = {}

    def note(self, event: str, data: Mapping[str, Any]) -> None:
        """Learn from an event of the gateway that a guild changes."""
        if event in CHANGES:
            self._views.pop(int(data["id"] if event in _OF_GUILDS else data.get("guild_id") or 0), None)

    def of(self, guild: discord.Guild) -> GuildView | None:
        """Return the view of a guild; None where it is not known enough."""
        if guild.id not in self._views:
            try:
                self._views[guild.id] = GuildView(guild)
            except ValueError as error:
                logger.warning("nothing of a guild is shown: %s", error)
                return None
        return self._views[guild.id]


def rules_of(guild: discord.Guild) -> GuildRules:
    """Return the roles of a guild as bits; raise ValueError where they are not known."""
    roles = (RoleFacts(role.id, role.permissions.value, role.is_bot_managed()) for role in guild.roles)
    return GuildRules(guild.id, guild.owner_id, roles)


def overwrites_of(channel: discord.abc.GuildChannel) -> tuple[Overwrite, ...]:
    """Return what a channel allows and denies, as far as it concerns reading.

    From where discord.py keeps it: `channel.overwrites` makes an object of each permission, which takes 20 times as
    long.
    """
    return tuple(
        Overwrite(one.id, one.is_role(), one.allow & _RELEVANT, one.deny & _RELEVANT)
        for one in channel._overwrites  # noqa: SLF001
        if (one.allow | one.deny) & _RELEVANT
    )


def source_of(channel: ReadableChannel, rules: GuildRules) -> Source:
    """Return what reading a channel needs."""
    return Source(rules.channel(overwrites_of(channel)), needed_in(channel))


def needed_in(channel: ReadableChannel) -> tuple[int, ...]:
    """Return the permissions without which nobody reads a channel."""
    return READ_VOICE if isinstance(channel, discord.VoiceChannel | discord.StageChannel) else READ


def readable_channels(guild: discord.Guild) -> Iterable[ReadableChannel]:
    """Return the channels of a guild that hold messages."""
    return (channel for channel in guild.channels if isinstance(channel, ReadableChannel))


def _make_room(results: dict[Any, Any]) -> None:
    if len(results) >= _MOST_KEPT:
        results.clear()
