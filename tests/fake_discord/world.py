"""What happens on the fake Discord: a plain API that changes its state and emits the events that follow from it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tests.fake_discord.models import (
    CATEGORY,
    DM,
    FORUM,
    MEDIA,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    SEND,
    TEXT,
    USUAL,
    VIEW,
    Channel,
    Guild,
    Member,
    Message,
    Overwrite,
    Role,
    Thread,
    User,
    may_see,
)
from tests.fake_discord.payloads import (
    Payload,
    active_threads,
    channel_payload,
    guild_event,
    hidden_channel_payload,
    member_payload,
    message_event,
    message_payload,
    role_payload,
    thread_member_payload,
    thread_payload,
    user_payload,
)

_EPOCH = 1_420_070_400_000  # milliseconds; the first moment of Discord's snowflakes
_SAME_MILLISECOND = 1 << 22

BOT_PERMISSIONS = SEND | VIEW | 1 << 16 | 1 << 14 | 1 << 38
"""What the bot's own role allows: the permissions of our invitation."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the gateway tells of; `seen_in` is where the bot must see it, if it must."""

    name: str
    guild: Guild | None
    data: Callable[[], Payload]
    seen_in: Channel | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file on the fake's content network."""

    name: str
    content: bytes
    content_type: str


def now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


class World:
    """All guilds and what is said in them; whatever changes here is an event for whoever listens."""

    def __init__(
        self, *, clock: Callable[[], datetime] = now, bot_name: str = "backscroll", bot_id: int | None = None
    ) -> None:
        self.clock = clock
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        """All channels, threads and direct messages."""
        self.users: dict[int, User] = {}
        self.files: dict[int, File] = {}
        self.files_url = ""
        self.listeners: list[Callable[[Event], None]] = []
        self._count = 0
        self.me = self.user(bot_name, is_bot=True, user_id=bot_id)

    # ---- ids

    def new_id(self, at: datetime | None = None) -> int:
        """Return a snowflake of a moment, greater than all of that moment before it."""
        self._count += 1
        milliseconds = round((at or self.clock()).timestamp() * 1000) - _EPOCH
        return milliseconds << 22 | self._count % _SAME_MILLISECOND

    # ---- people and servers

    def user(self, name: str, *, is_bot: bool = False, user_id: int | None = None) -> User:
        """Make an account, in no guild yet."""
        user = User(user_id or self.new_id(), name.lower().replace(" ", "_"), name, is_bot)
        self.users[user.id] = user
        return user

    def guild(self, name: str, *, guild_id: int | None = None, everyone: int = USUAL, has_bot: bool = True) -> Guild:
        """Make a guild with an owner, and with the bot unless `has_bot` is false."""
        guild = Guild(guild_id or self.new_id(), name, self.user("Owner"), has_bot=False)
        guild.roles[guild.id] = Role(guild.id, "@everyone", everyone)
        guild.members[guild.owner.id] = Member(guild.owner, guild)
        self.guilds[guild.id] = guild
        if has_bot:
            self.invite(guild)
        return guild

    def invite(self, guild: Guild) -> None:
        """Let the bot into a guild."""
        own = Role(self.new_id(), self.me.display_name, BOT_PERMISSIONS, len(guild.roles), bot_id=self.me.id)
        guild.roles[own.id] = own
        guild.members[self.me.id] = Member(self.me, guild, {own.id: own})
        guild.has_bot = True
        self._emit("GUILD_CREATE", guild, lambda: guild_event(guild, self.bot_in(guild)))

    def expel(self, guild: Guild) -> None:
        """Take the bot out of a guild."""
        self._emit("GUILD_DELETE", guild, lambda: {"id": str(guild.id)})
        guild.has_bot = False
        for role_id in guild.members.pop(self.me.id).roles:
            del guild.roles[role_id]

    def fail(self, guild: Guild) -> None:
        """Let a guild be unavailable for a while, as in an outage at Discord."""
        self._emit("GUILD_DELETE", guild, lambda: {"id": str(guild.id), "unavailable": True})

    def recover(self, guild: Guild) -> None:
        """Let a guild be available again."""
        self._emit("GUILD_CREATE", guild, lambda: guild_event(guild, self.bot_in(guild)) | {"unavailable": False})

    def bot_in(self, guild: Guild) -> Member:
        """Return the bot as a member of a guild."""
        return guild.members[self.me.id]

    def sees(self, channel: Channel) -> bool:
        """Return whether the bot sees a channel, a thread or a direct message."""
        return channel.guild is None or (channel.guild.has_bot and may_see(self.bot_in(channel.guild), channel))

    def member(self, guild: Guild, who: User | str, *, roles: Iterable[Role] = (), nick: str | None = None) -> Member:
        """Let somebody join a guild."""
        user = self.user(who) if isinstance(who, str) else who
        member = Member(user, guild, {role.id: role for role in roles}, nick)
        guild.members[user.id] = member
        self._emit("GUILD_MEMBER_ADD", guild, lambda: member_payload(member) | {"guild_id": str(guild.id)})
        return member

    def leave(self, member: Member) -> None:
        """Let somebody leave a guild."""
        guild = member.guild
        del guild.members[member.id]
        self._emit("GUILD_MEMBER_REMOVE", guild, lambda: {"guild_id": str(guild.id), "user": user_payload(member.user)})

    def role(self, guild: Guild, name: str, *, permissions: int = 0) -> Role:
        """Make a role."""
        role = Role(self.new_id(), name, permissions, len(guild.roles))
        guild.roles[role.id] = role
        self._emit("GUILD_ROLE_CREATE", guild, lambda: {"guild_id": str(guild.id), "role": role_payload(role)})
        return role

    def set_permissions(self, guild: Guild, role: Role, permissions: int) -> None:
        """Change what a role may do in the whole guild."""
        with self._changed_sight(guild):
            role.permissions = permissions
            self._emit("GUILD_ROLE_UPDATE", guild, lambda: {"guild_id": str(guild.id), "role": role_payload(role)})

    def give(self, member: Member, *roles: Role) -> None:
        """Give somebody roles."""
        self._set_roles(member, member.roles | {role.id: role for role in roles})

    def take(self, member: Member, *roles: Role) -> None:
        """Take roles from somebody."""
        gone = {role.id for role in roles}
        self._set_roles(member, {role_id: role for role_id, role in member.roles.items() if role_id not in gone})

    def _set_roles(self, member: Member, roles: dict[int, Role]) -> None:
        guild = member.guild
        with self._changed_sight(guild):
            member.roles = roles
            self._emit("GUILD_MEMBER_UPDATE", guild, lambda: member_payload(member) | {"guild_id": str(guild.id)})

    # ---- channels and threads

    def channel(
        self,
        guild: Guild,
        name: str,
        *,
        kind: int = TEXT,
        parent: Channel | None = None,
        overwrites: Mapping[Role | Member, Overwrite] | None = None,
        channel_id: int | None = None,
        **fields: Any,
    ) -> Channel:
        """Make a channel of a guild; `fields` are further parts of its payload, such as `nsfw=True`."""
        channel = Channel(channel_id or self.new_id(), guild, kind, name, parent, position=len(guild.channels))
        channel.overwrites = {who.id: (int(isinstance(who, Member)), it) for who, it in (overwrites or {}).items()}
        channel.fields = fields
        guild.channels[channel.id] = self.channels[channel.id] = channel
        self._emit("CHANNEL_CREATE", guild, lambda: self._shown(channel))
        return channel

    def category(self, guild: Guild, name: str) -> Channel:
        """Make a category, which other channels can have as their parent."""
        return self.channel(guild, name, kind=CATEGORY)

    def direct_message(self, user: User) -> Channel:
        """Return the bot's direct messages with somebody."""
        for channel in self.channels.values():
            if channel.recipient is user:
                return channel
        channel = Channel(self.new_id(), None, DM, "", recipient=user)
        self.channels[channel.id] = channel
        return channel

    def permit(self, channel: Channel, who: Role | Member, *, allow: int = 0, deny: int = 0) -> None:
        """Set what a channel allows and denies to a role or a member; with neither it has no overwrite for them."""
        assert channel.guild is not None
        with self._changed_sight(channel.guild, changed=channel):
            channel.overwrites.pop(who.id, None)
            if allow or deny:
                channel.overwrites[who.id] = int(isinstance(who, Member)), Overwrite(allow, deny)

    def hide(self, channel: Channel) -> None:
        """Let nobody see a channel but administrators; not even the bot."""
        assert channel.guild is not None
        self.permit(channel, channel.guild.everyone, deny=VIEW)

    def show(self, channel: Channel) -> None:
        """Take back what `hide` did."""
        assert channel.guild is not None
        self.permit(channel, channel.guild.everyone)

    def update(self, channel: Channel, *, name: str | None = None, **fields: Any) -> None:
        """Change a channel or thread: its name, or parts of its payload."""
        channel.name = channel.name if name is None else name
        channel.fields |= fields
        if isinstance(channel, Thread):
            self._thread_changed(channel)
        else:
            self._emit("CHANNEL_UPDATE", channel.guild, lambda: self._shown(channel))

    def remove(self, channel: Channel) -> None:
        """Delete a channel with its threads, or a thread."""
        guild = channel.guild
        assert guild is not None
        for thread in [thread for thread in guild.threads.values() if thread.parent is channel]:
            del guild.threads[thread.id], self.channels[thread.id]
        if isinstance(channel, Thread):
            gone = {"id": str(channel.id), "guild_id": str(guild.id), "parent_id": str(channel.home.id)}
            self._emit("THREAD_DELETE", guild, lambda: gone | {"type": channel.kind}, channel.home)
            del guild.threads[channel.id]
        else:
            self._emit("CHANNEL_DELETE", guild, lambda: self._shown(channel))
            del guild.channels[channel.id]
        del self.channels[channel.id]

    def thread(
        self,
        parent: Channel,
        name: str,
        *,
        owner: Member | None = None,
        private: bool = False,
        archived: bool = False,
        start: Message | None = None,
        members: Iterable[Member] = (),
        at: datetime | None = None,
        tags: Iterable[int] = (),
        thread_id: int | None = None,
    ) -> Thread:
        """Make a thread of a channel, on the message `start` if there is one, or a post of a forum without a text."""
        guild = parent.guild
        assert guild is not None
        created = at or self.clock()
        made_id = thread_id or (start.id if start else self.new_id(created))
        thread = Thread(made_id, guild, PRIVATE_THREAD if private else PUBLIC_THREAD, name, parent)
        thread.owner_id = owner.id if owner else guild.owner.id
        thread.archived, thread.created_at = archived, created
        thread.archived_at = created
        thread.tags = list(tags)
        thread.members = dict.fromkeys([thread.owner_id, *(member.id for member in members)], created)
        guild.threads[thread.id] = self.channels[thread.id] = thread
        self._emit("THREAD_CREATE", guild, lambda: self._shown(thread) | {"newly_created": True}, thread)
        return thread

    def post(self, forum: Channel, title: str, text: str, *, author: Member | None = None, **options: Any) -> Thread:
        """Make a post of a forum with its first message, whose id is that of the post; options as `thread` has them."""
        assert forum.kind in {FORUM, MEDIA}
        thread = self.thread(forum, title, owner=author, **options)
        self.say(thread, text, author=author, message_id=thread.id, at=thread.created_at)
        return thread

    def archive(self, thread: Thread, *, at: datetime | None = None, locked: bool = False) -> None:
        """Archive a thread."""
        thread.archived, thread.locked, thread.archived_at = True, locked, at or self.clock()
        self._thread_changed(thread)

    def reopen(self, thread: Thread) -> None:
        """Take a thread out of the archive."""
        thread.archived, thread.archived_at = False, self.clock()
        self._thread_changed(thread)

    def join(self, thread: Thread, member: Member) -> None:
        """Add somebody to a thread; the bot is shown a private thread then."""
        thread.members[member.id] = self.clock()
        assert thread.guild is not None
        if member.user is self.me:
            self._emit("THREAD_CREATE", thread.guild, lambda: self._shown(thread), thread)
        added = thread_member_payload(thread, member.id) | {"member": member_payload(member)}
        changed = {"id": str(thread.id), "guild_id": str(thread.guild.id), "member_count": len(thread.members)}
        self._emit("THREAD_MEMBERS_UPDATE", thread.guild, lambda: changed | {"added_members": [added]}, thread)

    def part(self, thread: Thread, member: Member) -> None:
        """Remove somebody from a thread."""
        assert thread.guild is not None
        changed = {"id": str(thread.id), "guild_id": str(thread.guild.id), "member_count": len(thread.members) - 1}
        removed = changed | {"removed_member_ids": [str(member.id)]}
        self._emit("THREAD_MEMBERS_UPDATE", thread.guild, lambda: removed, thread)
        del thread.members[member.id]

    # ---- messages

    def say(
        self,
        channel: Channel,
        text: str = "",
        *,
        author: Member | User | None = None,
        at: datetime | None = None,
        reply_to: Message | None = None,
        message_id: int | None = None,
        reactions: Mapping[str, Iterable[Member]] | None = None,
        **fields: Any,
    ) -> Message:
        """Send a message, by the owner of the guild unless an author is named.

        `at` makes it one of an earlier time; `fields` are further parts of its payload, such as `embeds`.
        """
        user = author.user if isinstance(author, Member) else author
        if user is None:
            user = channel.guild.owner if channel.guild else channel.recipient
        assert user is not None
        sent_at = at or self.clock()
        if reply_to is not None:
            fields |= _reply(reply_to, self.me.id)
        message = Message(message_id or self.new_id(sent_at), channel, user, text, sent_at, fields=fields)
        message.reactions = {emoji: {m.id: None for m in who} for emoji, who in (reactions or {}).items()}
        if isinstance(channel, Thread) and channel.archived and at is None:
            self.reopen(channel)
        self.send(message)
        return message

    def relay(self, channel: Channel, text: str, *, name: str, webhook_id: int, **options: Any) -> Message:
        """Send a message by a webhook under some name, as bridges and proxies do; options as `say` has them."""
        author = User(webhook_id, name, name, is_bot=True)
        return self.say(channel, text, author=author, webhook_id=str(webhook_id), **options)

    def forward(self, message: Message, channel: Channel, *, author: Member | None = None, **options: Any) -> Message:
        """Forward a message: the copy has neither its author nor its id, which are known by the reference alone."""
        copied = ("content", "embeds", "attachments", "components", "timestamp", "edited_timestamp", "flags", "type")
        whole = message_payload(message, self.me.id)
        snapshot = {"message": {name: whole[name] for name in copied} | {"mentions": [], "mention_roles": []}}
        reference = _pointing_at(message) | {"type": 1}
        forwarded: dict[str, Any] = {"message_reference": reference, "message_snapshots": [snapshot], "flags": 1 << 14}
        return self.say(channel, author=author, **forwarded, **options)

    def send(self, message: Message) -> None:
        """Let a message appear; one that only one person sees is in no history and no event."""
        if not message.is_ephemeral:
            message.channel.add(message)
            self._said("MESSAGE_CREATE", message)

    def edit(self, message: Message, text: str | None = None, *, at: datetime | None = None, **fields: Any) -> None:
        """Edit a message; without a text it is changed in other parts alone, and has no time of an edit for that."""
        if text is not None:
            message.content = text
            message.edited_at = at or self.clock()
        message.fields |= fields
        if not message.is_ephemeral:
            self._said("MESSAGE_UPDATE", message)

    def delete(self, message: Message) -> None:
        """Delete a message."""
        message.channel.discard(message)
        self._emit("MESSAGE_DELETE", message.channel.guild, lambda: _where(message), message.channel)

    def delete_many(self, messages: list[Message]) -> None:
        """Delete messages of one channel at once."""
        for message in messages:
            message.channel.discard(message)
        where = _where(messages[0])
        del where["id"]
        ids = [str(message.id) for message in messages]
        self._emit("MESSAGE_DELETE_BULK", messages[0].channel.guild, lambda: where | {"ids": ids}, messages[0].channel)

    def react(self, message: Message, emoji: str, who: Member | User) -> None:
        """Add a reaction."""
        message.reactions.setdefault(emoji, {})[who.id] = None
        self._reacted("MESSAGE_REACTION_ADD", message, emoji, who.id)

    def unreact(self, message: Message, emoji: str, who: Member | User) -> None:
        """Take a reaction back."""
        users = message.reactions[emoji]
        del users[who.id]
        if not users:
            del message.reactions[emoji]
        self._reacted("MESSAGE_REACTION_REMOVE", message, emoji, who.id)

    def attachment(
        self, name: str, content: bytes = b"", *, content_type: str = "text/plain; charset=utf-8", **fields: Any
    ) -> Payload:
        """Return an attachment for `say(..., attachments=[...])`, whose content can be downloaded."""
        file_id = self.new_id()
        self.files[file_id] = File(name, content, content_type)
        url = f"{self.files_url}/attachments/{file_id}/{name}"
        described = {"id": str(file_id), "filename": name, "size": len(content), "url": url, "proxy_url": url}
        return described | {"content_type": content_type} | fields

    # ---- events

    def emit(self, name: str, data: Payload, *, guild: Guild | None = None) -> None:
        """Emit an event of any kind."""
        self._emit(name, guild, lambda: data)

    def _emit(
        self, name: str, guild: Guild | None, data: Callable[[], Payload], seen_in: Channel | None = None
    ) -> None:
        if guild is not None and not guild.has_bot:
            return
        for listener in self.listeners:
            listener(Event(name, guild, data, seen_in))

    def _said(self, name: str, message: Message) -> None:
        channel = message.channel
        self._emit(name, channel.guild, lambda: message_event(message, self.me.id), channel)

    def _reacted(self, name: str, message: Message, emoji: str, user_id: int) -> None:
        guild = message.channel.guild
        data = _pointing_at(message) | {"user_id": str(user_id), "emoji": {"id": None, "name": emoji}}
        data |= {"burst": False, "type": 0, "message_author_id": str(message.author.id)}
        if guild is not None and name.endswith("ADD") and user_id in guild.members:
            data["member"] = member_payload(guild.members[user_id])
        self._emit(name, guild, lambda: data, message.channel)

    def _thread_changed(self, thread: Thread) -> None:
        self._emit("THREAD_UPDATE", thread.guild, lambda: self._shown(thread), thread)

    def _shown(self, channel: Channel) -> Payload:
        """Return a channel or thread as the gateway shows it to the bot."""
        if isinstance(channel, Thread):
            return thread_payload(channel, member_id=self.me.id)
        return channel_payload(channel) if self.sees(channel) else hidden_channel_payload(channel)

    @contextmanager
    def _changed_sight(self, guild: Guild, *, changed: Channel | None = None) -> Iterator[None]:
        """Tell of each channel that the bot has come to see or has lost by what is done in the block."""
        if not guild.has_bot:
            yield
            return
        before = {channel.id for channel in guild.channels.values() if self.sees(channel)}
        yield
        after = {channel.id for channel in guild.channels.values() if self.sees(channel)}
        touched = before ^ after | ({changed.id} & after if changed else set())
        for channel in [guild.channels[channel_id] for channel_id in sorted(touched)]:
            self._emit("CHANNEL_UPDATE", guild, partial(self._shown, channel))
        if gained := sorted(after - before):
            self._emit("THREAD_LIST_SYNC", guild, lambda: self._threads_in(guild, gained))

    def _threads_in(self, guild: Guild, channel_ids: list[int]) -> Payload:
        threads = [thread for thread in guild.threads.values() if thread.home.id in channel_ids]
        return {
            "guild_id": str(guild.id),
            "channel_ids": [str(channel_id) for channel_id in channel_ids],
            "threads": active_threads(threads, self.bot_in(guild)),
            "members": [],
        }


def _where(message: Message) -> Payload:
    """Return what a deletion or a reaction says of its message."""
    where = {"id": str(message.id), "channel_id": str(message.channel.id)}
    guild = message.channel.guild
    return where if guild is None else where | {"guild_id": str(guild.id)}


def _pointing_at(message: Message) -> Payload:
    """Return what something else says of a message that it belongs to."""
    where = _where(message)
    message_id = where.pop("id")
    return where | {"message_id": message_id}


def _reply(to: Message, viewer_id: int) -> dict[str, Any]:
    """Return the fields of a message that replies to another."""
    reference = _pointing_at(to) | {"type": 0}
    return {"type": 19, "message_reference": reference, "referenced_message": message_payload(to, viewer_id)}
