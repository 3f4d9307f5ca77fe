"""What the fake Discord knows of: guilds, roles, members, channels, threads and messages."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import discord

TEXT = discord.ChannelType.text.value
DM = discord.ChannelType.private.value
VOICE = discord.ChannelType.voice.value
CATEGORY = discord.ChannelType.category.value
NEWS_THREAD = discord.ChannelType.news_thread.value
PUBLIC_THREAD = discord.ChannelType.public_thread.value
PRIVATE_THREAD = discord.ChannelType.private_thread.value
STAGE = discord.ChannelType.stage_voice.value
FORUM = discord.ChannelType.forum.value
MEDIA = discord.ChannelType.media.value

_TEXT_DISPLAY = discord.ComponentType.text_display.value

EPHEMERAL = 1 << 6
LOADING = 1 << 7
"""Flags of messages."""

VIEW = discord.Permissions(view_channel=True).value
HISTORY = discord.Permissions(read_message_history=True).value
SEND = discord.Permissions(send_messages=True).value
MANAGE_THREADS = discord.Permissions(manage_threads=True).value
MANAGE_MESSAGES = discord.Permissions(manage_messages=True).value
ADMINISTRATOR = discord.Permissions(administrator=True).value
EVERYTHING = discord.Permissions.all().value

USUAL = discord.Permissions(
    view_channel=True,
    read_message_history=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    add_reactions=True,
    connect=True,
).value
"""What @everyone may do in a new guild."""


@dataclass(slots=True, frozen=True, eq=False)
class User:
    """An account."""

    id: int
    name: str
    display_name: str
    is_bot: bool = False


@dataclass(slots=True, eq=False)
class Role:
    """A role of a guild; one with a `bot_id` belongs to that bot alone."""

    id: int
    name: str
    permissions: int = 0
    position: int = 0
    bot_id: int | None = None


@dataclass(slots=True, eq=False)
class Member:
    """A user in a guild; @everyone is not among the `roles`."""

    user: User
    guild: "Guild"
    roles: dict[int, Role] = field(default_factory=dict)
    nick: str | None = None

    @property
    def id(self) -> int:
        """The id of the user."""
        return self.user.id


@dataclass(slots=True, frozen=True)
class Overwrite:
    """What a channel allows and denies to a role or to a user, as bits."""

    allow: int = 0
    deny: int = 0


@dataclass(slots=True, eq=False)
class Message:
    """A message; `fields` are further parts of its payload, such as `attachments` or `embeds`."""

    id: int
    channel: "Channel"
    author: User
    content: str
    sent_at: datetime
    edited_at: datetime | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    reactions: dict[str, dict[int, None]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All that it says: its content, or the text displays among its components."""
        return "\n".join(filter(None, [self.content, *texts_displayed(self.fields.get("components", []))]))

    @property
    def flags(self) -> int:
        """The bits of its flags."""
        return int(self.fields.get("flags", 0))

    @property
    def is_ephemeral(self) -> bool:
        """Whether only one person sees it; no history has it."""
        return bool(self.flags & EPHEMERAL)


@dataclass(slots=True, eq=False)
class Channel:
    """A channel of a guild, or a direct message with its `recipient`."""

    id: int
    guild: "Guild | None"
    kind: int
    name: str
    parent: "Channel | None" = None
    position: int = 0
    overwrites: dict[int, tuple[int, Overwrite]] = field(default_factory=dict)
    """By the id of a role or user: 0 for a role or 1 for a user, and what counts for them."""
    fields: dict[str, Any] = field(default_factory=dict)
    recipient: User | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    _ids: list[int] = field(default_factory=list)

    def add(self, message: Message) -> None:
        """Take a message in, wherever in time it is."""
        self.messages[message.id] = message
        if self._ids and message.id < self._ids[-1]:
            insort(self._ids, message.id)
        else:
            self._ids.append(message.id)

    def discard(self, message: Message) -> None:
        """Lose a message."""
        del self.messages[message.id]
        self._ids.pop(bisect_left(self._ids, message.id))

    def page(
        self, *, before: int | None = None, after: int | None = None, around: int | None = None, limit: int
    ) -> list[Message]:
        """Return a page of the history as Discord cuts it, newest first whatever was asked for.

        `before` means the newest ones below an id, `after` the oldest ones above it, `around` both sides of it.
        """
        if around is not None:
            middle, half = bisect_left(self._ids, around), limit // 2
            ids = self._ids[max(0, middle - half) : middle + half + 1][:limit]
        elif after is not None:
            start = bisect_right(self._ids, after)
            ids = self._ids[start : start + limit]
        else:
            end = len(self._ids) if before is None else bisect_left(self._ids, before)
            ids = self._ids[max(0, end - limit) : end]
        return [self.messages[message_id] for message_id in reversed(ids)]

    @property
    def last_message_id(self) -> int | None:
        """The id of the newest message."""
        return self._ids[-1] if self._ids else None

    @property
    def home(self) -> "Channel":
        """Where the permissions come from: the channel itself."""
        return self


@dataclass(slots=True, eq=False)
class Thread(Channel):
    """A thread or a forum post; its permissions are those of its parent."""

    owner_id: int = 0
    archived: bool = False
    locked: bool = False
    archived_at: datetime | None = None
    created_at: datetime | None = None
    tags: list[int] = field(default_factory=list)
    members: dict[int, datetime] = field(default_factory=dict)

    @property
    def home(self) -> Channel:
        """Where the permissions come from: the parent."""
        assert self.parent is not None
        return self.parent

    @property
    def is_private(self) -> bool:
        """Whether it is for its members and for those who manage threads."""
        return self.kind == PRIVATE_THREAD


@dataclass(slots=True, eq=False)
class Guild:
    """A server; `is_indexed` tells whether its messages can be searched."""

    id: int
    name: str
    owner: User
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    threads: dict[int, Thread] = field(default_factory=dict)
    is_indexed: bool = True
    has_bot: bool = True

    @property
    def everyone(self) -> Role:
        """The role of all members."""
        return self.roles[self.id]

    def places(self) -> Iterator[Channel]:
        """Yield all channels and threads."""
        yield from self.channels.values()
        yield from self.threads.values()

    def messages(self, places: Iterable[int], *, most: int) -> Iterator[Message]:
        """Yield up to so many messages of these channels and threads."""
        known: dict[int, Channel] = {**self.channels, **self.threads}
        found = (message for place in places if place in known for message in known[place].messages.values())
        yield from islice(found, most)


def texts_displayed(components: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the texts that components show."""
    for component in components:
        if component.get("type") == _TEXT_DISPLAY:
            yield str(component["content"])
        yield from texts_displayed(component.get("components", []))


def permissions_in(member: Member, channel: Channel) -> int:
    """Return what a member may do in a channel, as bits, by the algorithm of Discord's documentation on permissions."""
    guild, home = member.guild, channel.home
    base = guild.everyone.permissions
    for role in member.roles.values():
        base |= role.permissions
    if base & ADMINISTRATOR or guild.owner.id == member.id:
        return EVERYTHING
    for overwrites in _in_turn(member, home):
        allow = deny = 0
        for overwrite in overwrites:
            allow |= overwrite.allow
            deny |= overwrite.deny
        base = base & ~deny | allow
    return base if base & VIEW else 0


def _in_turn(member: Member, channel: Channel) -> Iterator[list[Overwrite]]:
    """Yield the overwrites that count for a member: those of @everyone, of all other roles together, of the member."""
    written = channel.overwrites
    for ids in ([member.guild.id], list(member.roles), [member.id]):
        yield [written[target][1] for target in ids if target in written]


def may_see(member: Member, channel: Channel) -> bool:
    """Return whether a member sees a channel or thread."""
    permissions = permissions_in(member, channel)
    if isinstance(channel, Thread) and channel.is_private:
        return bool(permissions & VIEW) and (member.id in channel.members or bool(permissions & MANAGE_THREADS))
    return bool(permissions & VIEW)
