"""Keep what Discord says of channels, threads and posts, in events and in pages of its REST interface.

A channel that the bot may not see comes without its name: it is neither a rename nor a source, and nothing is taken of
it but that it is there, and hidden.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import discord

from memory.authors import kept_name
from memory.consent.rules import NO_RULES, Rules
from memory.message import sanitize
from memory.places.state import PlaceKind, PlaceState

HIDDEN_NAME = "___hidden___"
"""What Discord calls every channel that the bot may not see."""

_OBFUSCATED = 1 << 17  # a flag of channels that the bot may not see
_SPOILER = 1 << 21  # a flag of channels
_LONGEST_ID = 19  # digits
_BEYOND_IDS = 1 << 63  # PostgreSQL keeps no larger numbers
_MOST_TAGS = 20  # of a forum, as Discord allows

_KINDS = {
    0: PlaceKind.TEXT,
    1: PlaceKind.DM,
    2: PlaceKind.VOICE,
    3: PlaceKind.DM,
    4: PlaceKind.CATEGORY,
    5: PlaceKind.ANNOUNCEMENT,
    10: PlaceKind.ANNOUNCEMENT_THREAD,
    11: PlaceKind.PUBLIC_THREAD,
    12: PlaceKind.PRIVATE_THREAD,
    13: PlaceKind.STAGE,
    15: PlaceKind.FORUM,
    16: PlaceKind.MEDIA,
}

_RIGHTS_EVENTS = frozenset({"GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE", "GUILD_MEMBER_UPDATE"})
"""Events after which the bot may see more or fewer channels."""


_RIGHTS_PAUSE = timedelta(seconds=0.5)  # roles are often changed several at a time


class PlaceLog(Protocol):
    """Takes what is known of places, at once, and writes it down later; `memory.places.writer` has the real one."""

    def note(self, state: PlaceState) -> None:
        """Take the state of a place."""

    def note_guild_gone(self, guild_id: int, *, at: datetime) -> None:
        """Take that the bot has left a guild."""

    def note_channels(self, guild_id: int, listed: Collection[int], *, at: datetime) -> None:
        """Take that a guild has these channels and no others."""

    def note_active_threads(
        self, guild_id: int, listed: Collection[int], *, parents: Collection[int] | None, at: datetime
    ) -> None:
        """Take that of the public threads of some channels, or of all in the guild, these alone are active."""

    async def private_threads(self, guild_id: int) -> Mapping[int, int]:
        """Return the private threads of a guild, archived ones too, each with its channel."""
        ...


class Places:
    """Knows what Discord says of places; as a container it holds the ids of channels that are marked as spoilers."""

    def __init__(
        self,
        log: PlaceLog | None,
        *,
        clock: Callable[[], datetime],
        guild_of: Callable[[int], discord.Guild | None],
        rules: Callable[[], Rules] = lambda: NO_RULES,
    ) -> None:
        self._log = log
        self._clock = clock
        self._guild_of = guild_of
        self._rules = rules
        self._spoilers: set[int] = set()
        self._hidden: dict[int, bool] = {}
        self._tag_names: dict[int, str] = {}
        self._looking: set[int] = set()

    def __contains__(self, channel_id: object) -> bool:
        return channel_id in self._spoilers

    def note(self, event: str, data: Mapping[str, Any]) -> None:
        """Learn from an event of the gateway, once the client's cache has learnt from it."""
        match event:
            case "GUILD_CREATE" if not data.get("unavailable"):
                self._note_guild(data)
            case "GUILD_DELETE" if not data.get("unavailable"):
                self._note_guild_gone(int(data["id"]))
            case "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE":
                self.note_payload(data)
            case "CHANNEL_DELETE" | "THREAD_DELETE":
                self._note_gone(data)
            case "THREAD_LIST_SYNC":
                self._note_threads(int(data["guild_id"]), data.get("threads"), _ids(data.get("channel_ids")))
            case _ if event in _RIGHTS_EVENTS:
                self._look_at_rights_soon(int(data["guild_id"]))

    def note_payload(self, channel: Mapping[str, Any], *, guild_id: int | None = None) -> PlaceState:
        """Learn what Discord says of a channel or thread, in an event or on a page; return what was learnt.

        A page leaves out the guild where the request names it. Raises what reading the id raises.
        """
        state = self._state(channel, _id(channel.get("guild_id")) or guild_id, self._clock())
        self._keep(state, owner_id=_id(channel.get("owner_id")))
        return state

    def note_known(self, guild: discord.Guild) -> None:
        """Learn of the channels and active threads of a server that was asked for, and of which no event tells."""
        for channel in guild.channels:
            hidden = not _is_seen(channel, guild)
            self._keep(_state_of(channel, self._clock(), hidden=hidden, spoiler=channel.id in self._spoilers))
        for thread in guild.threads:
            self._keep(_state_of_thread(thread, self._clock()), owner_id=thread.owner_id)

    def _note_guild(self, data: Mapping[str, Any]) -> None:
        guild_id, channels, now = int(data["id"]), _maps(data.get("channels")), self._clock()
        for channel in channels:
            self._keep(self._state(channel, guild_id, now))
        if self._log is not None and channels:
            self._log.note_channels(guild_id, [int(channel["id"]) for channel in channels], at=now)
        self._note_threads(guild_id, data.get("threads"), None)

    def _note_threads(self, guild_id: int, threads: object, parents: Collection[int] | None) -> None:
        now = self._clock()
        payloads = _maps(threads)
        listed = [self._state(thread, guild_id, now) for thread in payloads]
        for thread, state in zip(payloads, listed, strict=True):
            self._keep(state, owner_id=_id(thread.get("owner_id")))
        if self._log is not None:
            self._log.note_active_threads(guild_id, [state.place_id for state in listed], parents=parents, at=now)

    def _note_guild_gone(self, guild_id: int) -> None:
        if self._log is not None:
            self._log.note_guild_gone(guild_id, at=self._clock())

    def _note_gone(self, data: Mapping[str, Any]) -> None:
        now = self._clock()
        place_id, kind = int(data["id"]), _kind(data)
        self._spoilers.discard(place_id)
        self._hidden.pop(place_id, None)
        if self._log is not None:
            parent_id, guild_id = _id(data.get("parent_id")), _id(data.get("guild_id"))
            gone = PlaceState(
                place_id=place_id, guild_id=guild_id, parent_id=parent_id, kind=kind, seen_at=now, gone_at=now
            )
            self._log.note(gone)

    def _look_at_rights_soon(self, guild_id: int) -> None:
        """Look at the rights in a guild once, however many of its roles change at about the same time."""
        if guild_id not in self._looking:
            self._looking.add(guild_id)
            asyncio.get_running_loop().call_later(_RIGHTS_PAUSE.total_seconds(), self._look_at_rights, guild_id)

    def _look_at_rights(self, guild_id: int) -> None:
        """Note the channels of a guild that the bot has lost sight of, or has got sight of."""
        self._looking.discard(guild_id)
        guild = self._guild_of(guild_id)
        for channel in guild.channels if guild is not None else ():
            hidden = not _is_seen(channel, guild)
            if hidden != self._hidden.get(channel.id, hidden):
                self._keep(_state_of(channel, self._clock(), hidden=hidden, spoiler=channel.id in self._spoilers))

    def _keep(self, state: PlaceState, *, owner_id: int | None = None) -> None:
        """Take what is known of a place; the title of a thread is its owner's words, which may not be kept by all."""
        if not state.kind.is_thread:
            self._hidden[state.place_id] = not state.is_there
        if state.spoiler:
            self._spoilers.add(state.place_id)
        elif state.is_there:  # of a hidden channel nobody knows whether it still is one
            self._spoilers.discard(state.place_id)
        if self._log is not None:
            self._log.note(replace(state, name="", tags=()) if self._has_unkept_title(state, owner_id) else state)

    def _has_unkept_title(self, state: PlaceState, owner_id: int | None) -> bool:
        rules = self._rules()
        return state.kind.is_thread and (owner_id in rules.opted_out or rules.ignores(state.parent_id, state.place_id))

    def _state(self, data: Mapping[str, Any], guild_id: int | None, now: datetime) -> PlaceState:
        place_id, kind = int(data["id"]), _kind(data)
        if self._is_hidden(place_id, data, guild_id):
            return PlaceState(place_id=place_id, guild_id=guild_id, kind=kind, seen_at=now, hidden_since=now)
        thread = data.get("thread_metadata")
        metadata = thread if isinstance(thread, Mapping) else {}
        return PlaceState(
            place_id=place_id,
            guild_id=guild_id,
            kind=kind,
            seen_at=now,
            parent_id=_id(data.get("parent_id")),
            name=_name(data.get("name")),
            archived=metadata.get("archived") is True,
            locked=metadata.get("locked") is True,
            age_restricted=data.get("nsfw") is True,
            spoiler=bool(_flags(data) & _SPOILER),
            tags=self._tags(data),
        )

    def _is_hidden(self, place_id: int, data: Mapping[str, Any], guild_id: int | None) -> bool:
        if data.get("name") == HIDDEN_NAME or _flags(data) & _OBFUSCATED:
            return True
        guild = self._guild_of(guild_id) if guild_id is not None else None
        channel = guild.get_channel(place_id) if guild is not None else None
        return channel is not None and not _is_seen(channel, guild)

    def _tags(self, data: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the tags that a forum has, or that a post bears."""
        available = [tag for tag in _maps(data.get("available_tags")) if _id(tag.get("id")) is not None]
        if available:
            names = {int(tag["id"]): _name(tag.get("name")) for tag in available[:_MOST_TAGS]}
            self._tag_names |= names
            return tuple(names.values())
        applied = _ids(data.get("applied_tags")) or ()
        return tuple(self._tag_names[tag] for tag in applied[:_MOST_TAGS] if tag in self._tag_names)


def _is_seen(channel: discord.abc.GuildChannel, guild: discord.Guild | None) -> bool:
    """Return whether the bot may see a channel; while its own roles are not known, it may."""
    me: discord.Member | None = guild.me if guild is not None else None
    return channel.name != HIDDEN_NAME and (me is None or channel.permissions_for(me).view_channel)


def _state_of(channel: discord.abc.GuildChannel, now: datetime, *, hidden: bool, spoiler: bool) -> PlaceState:
    """Return the state of a channel of the cache, of which no event tells anew."""
    tags: Iterable[discord.ForumTag] = getattr(channel, "available_tags", ())
    return PlaceState(
        place_id=channel.id,
        guild_id=channel.guild.id,
        kind=_KINDS.get(channel.type.value, PlaceKind.OTHER),
        seen_at=now,
        parent_id=channel.category_id,
        name=_name(channel.name),
        age_restricted=bool(getattr(channel, "nsfw", False)),
        spoiler=spoiler,
        tags=tuple(_name(tag.name) for tag in tags),
        hidden_since=now if hidden else None,
    )


def _state_of_thread(thread: discord.Thread, now: datetime) -> PlaceState:
    return PlaceState(
        place_id=thread.id,
        guild_id=thread.guild.id,
        kind=_KINDS.get(thread.type.value, PlaceKind.OTHER),
        seen_at=now,
        parent_id=thread.parent_id,
        name=_name(thread.name),
        archived=thread.archived,
        locked=thread.locked,
        tags=tuple(_name(tag.name) for tag in thread.applied_tags),
    )


def _kind(data: Mapping[str, Any]) -> PlaceKind:
    number = data.get("type")
    return _KINDS.get(number, PlaceKind.OTHER) if isinstance(number, int) else PlaceKind.OTHER


def _flags(data: Mapping[str, Any]) -> int:
    flags = data.get("flags")
    return flags if isinstance(flags, int) else 0


def _name(value: object) -> str:
    return kept_name(sanitize(value)) if isinstance(value, str) else ""


def _id(value: object) -> int | None:
    """Return an id, which Discord writes as a string; None for what is none."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID else None
    return number if number is not None and number < _BEYOND_IDS else None


def _ids(values: object) -> list[int] | None:
    """Return a list of ids; None where there is no list."""
    if not isinstance(values, list | tuple):
        return None
    return [number for number in map(_id, values) if number is not None]


def _maps(values: object) -> list[Mapping[str, Any]]:
    return (
        [item for item in values if isinstance(item, Mapping) and _id(item.get("id")) is not None]
        if isinstance(values, list | tuple)
        else []
    )
