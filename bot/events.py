"""Turn what Discord reports into messages to keep.

Discord's messages have dozens of fields, and new ones every few months. No field may cost the message: one that cannot
be read becomes its default here, with a warning in the log, and the rest is kept.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import discord
from discord.abc import Snowflake

from bot.caller import Caller
from bot.guild_rules import ReadableChannel, is_open_to_all
from bot.places import HIDDEN_NAME
from memory.authors import author_in
from memory.mentions import NameOf, nobody
from memory.message import Attachment, Kind, Message, Place, authored, sanitize
from memory.message_text import (
    Words,
    files_of,
    hidden_name,
    is_said,
    is_spoiler,
    of_system,
    reactions_in,
    read_words,
    words_of,
)
from memory.names.places import thread_name

logger = logging.getLogger(__name__)

T = TypeVar("T")
D = TypeVar("D")


class Fields:
    """Reads the fields of one event, each on its own, so that one that surprises costs nothing but itself."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._surprises: list[str] = []

    def read(self, name: str, get: Callable[[], T], default: D) -> T | D:
        """Return a field, or the default when reading it raises."""
        try:
            return get()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other fields are to be kept
            self._surprises.append(f"{name}: {error!r}")
            return default

    def report(self) -> None:
        """Log which fields could not be read, if any."""
        if self._surprises:
            logger.warning("%s is kept without what could not be read (%s)", self._event, "; ".join(self._surprises))


def place_of(channel: Snowflake, guild_id: int | None) -> Place:
    """Return the place that a channel, a thread or a direct-message channel is."""
    if guild_id is None:
        return Place(guild_id=None, channel_id=channel.id, channel_name="DM")
    if isinstance(channel, discord.Thread):
        return Place(
            guild_id=guild_id,
            channel_id=channel.parent_id,
            channel_name=thread_name(_name_of_channel(channel.parent), channel.name),
            thread_id=channel.id,
            in_public_thread=channel.parent is not None and channel.type in _PUBLIC_THREADS,
        )
    return Place(guild_id=guild_id, channel_id=channel.id, channel_name=_name_of_channel(channel))


_PUBLIC_THREADS = {discord.ChannelType.public_thread, discord.ChannelType.news_thread}


def _name_of_channel(channel: object) -> str:
    name = getattr(channel, "name", None) or ""
    return "" if name == HIDDEN_NAME else name


def place_of_id(client: discord.Client, channel_id: int, guild_id: int | None) -> Place:
    """Return the place that an id belongs to, as far as the client's cache knows it."""
    guild = client.get_guild(guild_id) if guild_id is not None else None
    channel = guild.get_channel_or_thread(channel_id) if guild else None
    try:
        return place_of(channel or discord.Object(channel_id), guild_id)
    except Exception:
        logger.exception("channel %d is taken without its name", channel_id)
        return Place(guild_id=guild_id, channel_id=channel_id, channel_name="")


def _message_in(place: Place, message_id: int, session: str) -> Message:
    """Return a message of Discord of which only its id, which tells its time, and its place are known."""
    return place.message(message_id, sent_at=discord.utils.snowflake_time(message_id), session=session)


def asks(message: discord.Message, me: int | None) -> bool:
    """Return whether a person asks the bot `me` with a message: mentions it, or replies to something that it said."""
    if me is None or message.author.bot or message.webhook_id is not None or message.type not in _WRITTEN:
        return False
    replied_to = message.reference.resolved if message.reference and _replied_to(message) else None
    is_reply = isinstance(replied_to, discord.Message) and replied_to.author.id == me
    return is_reply or any(user.id == me for user in message.mentions)


def asks_in_payload(data: Mapping[str, Any], me: int | None) -> bool:
    """Return the same of a message as Discord's API tells of it."""
    author = data.get("author") or {}
    if me is None or author.get("bot") or data.get("webhook_id") or data.get("type", 0) not in _WRITTEN_VALUES:
        return False
    replied_to = data.get("referenced_message") if _reply_in_payload(data) else None
    return any(str(user.get("id")) == str(me) for user in data.get("mentions") or ()) or (
        isinstance(replied_to, Mapping) and _is_of(me, replied_to)
    )


_WRITTEN = frozenset({discord.MessageType.default, discord.MessageType.reply})
_WRITTEN_VALUES = frozenset(one.value for one in _WRITTEN)


def message_of(message: discord.Message, *, session: str, me: int | None = None) -> Message:
    """Return the present state of a message: as it was sent, or as it was last edited.

    What somebody asks the bot `me` by it is a command, as /chat is: it is kept, and no evidence for an answer.
    """
    fields = Fields(f"message {message.id} of type {_type_of(message)}")
    read = fields.read
    guild_id = read("guild", lambda: _guild_of(message), None)
    place = read("channel", lambda: place_of(message.channel, guild_id), _unnamed(message.channel, guild_id))
    words = _words_of(message, fields)
    state = replace(
        _message_in(place, message.id, session),
        author_id=author_in(authorship_of(message, fields)),
        author_name=read("author's name", lambda: message.author.display_name, ""),
        reply_to=read("reference", lambda: _replied_to(message), None),
        kind=_kind_of(message, fields, me),
        content=words.text,
        attachments=read("attachments", lambda: _attachments_of(message), ()),
        edited_at=read("edit", lambda: message.edited_at, None),
        forwarded_from=read("forward", lambda: _forwarded_from(message), None),
        parts=words.parts,
    )
    fields.report()
    return state


def counted_of(message: discord.Message, *, session: str, now: datetime, me: int | None = None) -> Message:
    """Return the state of a message with its reactions as they are counted `now`."""
    counts = [
        {
            "emoji": {"name": getattr(one.emoji, "name", one.emoji), "id": getattr(one.emoji, "id", None)},
            "count": one.count,
        }
        for one in message.reactions
    ]
    return replace(
        message_of(message, session=session, me=me), reactions=reactions_in({"reactions": counts}), reactions_at=now
    )


def edit_of(
    payload: discord.RawMessageUpdateEvent, *, session: str, now: datetime, me: int | None = None
) -> Message | None:
    """Return the state after an edit, or after what it says became more without one; None where neither happened.

    Discord also sends this event when a link gets its preview or a message is pinned. Where the message is cached that
    shows. Where it is not, as after a restart, a message that was edited once may just have been pinned, or pinned
    after an edit that was made while the bot was away: its state is returned. If memory knows that edit already,
    merging the two states changes nothing.

    The end of a poll, the card that is added to the message of an application, and what one says that answers a command
    late, after an empty message, are no edits to Discord and have no time of one: the message is completed `now`.
    """
    state = message_of(payload.message, session=session, me=me)
    known = payload.cached_message
    if state.edited_at is not None and (known is None or known.edited_at != state.edited_at):
        return state
    is_completed = _may_be_completed(payload.message) if known is None else _says_more(payload.message, known)
    return replace(state, completed_at=now) if is_completed else None


def deletion_of(message_id: int, place: Place, *, session: str, deleted_at: datetime) -> Message:
    """Return the state of a message that was deleted; its words are not needed for that."""
    return replace(
        _message_in(place, message_id, session),
        deleted_at=deleted_at,
    )


def command_of(caller: Caller, text: str, *, session: str) -> Message:
    """Return the slash command that somebody gave, under its id, which is a snowflake too."""
    fields = Fields(f"command {caller.id}")
    place = _place_of_caller(caller, fields)
    state = replace(
        _message_in(place, caller.id, session),
        author_id=fields.read("author", lambda: caller.user.id, None),
        author_name=fields.read("author's name", lambda: caller.user.display_name, ""),
        kind=Kind.COMMAND,
        content=text,
        parts=authored(text),
    )
    fields.report()
    return state


def answer_of(caller: Caller, sent: discord.Message, content: str, *, session: str) -> Message:
    """Return one message that the bot answered a command with, as a reply to that command; it says `content`."""
    fields = Fields(f"answer {sent.id}")
    place = _place_of_caller(caller, fields)
    state = replace(
        _message_in(place, sent.id, session),
        author_id=fields.read("author", lambda: sent.author.id, None),
        author_name=fields.read("author's name", lambda: sent.author.display_name, ""),
        reply_to=caller.id,
        kind=Kind.ANSWER,
        content=content,
        parts=authored(content),
    )
    fields.report()
    return state


def _guild_of(message: discord.Message) -> int | None:
    """Return the guild of a message, also of one that the cache lacks: without a guild it would be a direct message."""
    return message.guild.id if message.guild else getattr(message.channel, "guild_id", None)


def _type_of(message: discord.Message) -> str:
    return str(getattr(getattr(message, "type", None), "value", "?"))


def _unnamed(channel: Snowflake, guild_id: int | None) -> Place:
    """Return the place that a channel is when nothing but its id is to be trusted."""
    return Place(guild_id=guild_id, channel_id=channel.id, channel_name="")


def _place_of_caller(caller: Caller, fields: Fields) -> Place:
    channel = caller.channel or discord.Object(caller.channel_id or 0)
    guild_id = caller.guild_id
    return fields.read("channel", lambda: place_of(channel, guild_id), _unnamed(channel, guild_id))


def _replied_to(message: discord.Message) -> int | None:
    """Return the id of the message that this one replies to; a forwarded message is no reply."""
    reference = message.reference
    if reference is None or reference.type is discord.MessageReferenceType.forward:
        return None
    return reference.message_id


def _forwarded_from(message: discord.Message) -> int | None:
    """Return the id of the message that this one is a copy of."""
    reference = message.reference
    if reference is None or reference.type is not discord.MessageReferenceType.forward:
        return None
    return reference.message_id


def _says_more(message: discord.Message, known: discord.Message) -> bool:
    """Return whether a message says something else than it did before; who or what it mentions may be called anew."""
    return _said_in(message) != _said_in(known)


def _said_in(message: discord.Message) -> tuple[str, list[str]]:
    fields = Fields(f"message {message.id}")
    files = fields.read("attachments", lambda: [file.name for file in _attachments_of(message)], [])
    return words_of(_as_payload(message, fields)), files


def _may_be_completed(message: discord.Message) -> bool:
    """Return whether what a message says may have become more by itself, where nobody knows what it said before."""
    read = Fields(f"message {message.id}").read
    has_ended = read("poll", lambda: message.poll is not None and message.poll.is_finalised(), False)
    return has_ended or read(
        "cards", lambda: bool(message.author.bot and (message.embeds or message.components)), False
    )


def _words_of(message: discord.Message, fields: Fields) -> Words:
    """Return what a person reads; Discord writes the text of a system message itself, from its type."""
    names = fields.read("names", lambda: names_for(message.channel, message.guild), nobody)
    payload = _as_payload(message, fields)
    words = fields.read("words", lambda: read_words(payload, names), Words())
    words = words if words.text else read_words(payload)
    if not _is_discords_own(message, fields):
        return words
    announced = fields.read("system content", lambda: message.system_content, "") or words.text
    announced = announced or fields.read("type's name", lambda: message.type.name.replace("_", " "), "")
    return of_system(Words(sanitize(announced)))


def _kind_of(message: discord.Message, fields: Fields, me: int | None) -> Kind:
    if _is_discords_own(message, fields):
        return Kind.SYSTEM
    return Kind.COMMAND if fields.read("mentions of the bot", lambda: asks(message, me), False) else Kind.MESSAGE


def _is_discords_own(message: discord.Message, fields: Fields) -> bool:
    """Return whether Discord made a message, and nobody wrote even a title in it."""
    return not fields.read("type", lambda: is_said(message.type.value, message.content), True)


def _as_payload(message: discord.Message, fields: Fields) -> Mapping[str, Any]:
    """Return the parts of a message that have words, as Discord's API writes them."""
    snapshots = fields.read("forwarded messages", lambda: tuple(message.message_snapshots), ())
    return {
        **_parts_of(message, fields),
        "type": fields.read("type", lambda: message.type.value, 0),
        "author": _author_of(message, fields),
        "referenced_message": fields.read("referenced message", lambda: _shown_in_thread(message, fields), None),
        "webhook_id": fields.read("webhook", lambda: message.webhook_id, None),
        "poll": fields.read("poll", lambda: _poll_of(message.poll), None),
        "mentions": fields.read("mentions", lambda: [_mentioned(user) for user in message.mentions], ()),
        "message_snapshots": [{"message": _parts_of(snapshot, fields)} for snapshot in snapshots],
        "applied_tags": fields.read("tags", lambda: _tags_of(message), ()),
    }


def _tags_of(message: discord.Message) -> list[dict[str, str]]:
    """Return the tags of the forum post that a message is the first of."""
    post = message.channel
    if not isinstance(post, discord.Thread) or post.id != message.id:
        return []
    return [{"name": tag.name} for tag in post.applied_tags]


def authorship_of(message: discord.Message, fields: Fields | None = None) -> dict[str, Any]:
    """Return what tells who wrote a message, as Discord's API writes it."""
    fields = fields or Fields(f"message {message.id}")
    return {
        "author": fields.read(
            "author",
            lambda: {"id": message.author.id, "username": message.author.name, "bot": message.author.bot},
            {},
        ),
        "webhook_id": fields.read("webhook", lambda: message.webhook_id, None),
        "application_id": fields.read("application", lambda: message.application_id, None),
        "interaction_metadata": fields.read("interaction", lambda: message.interaction_metadata, None),
    }


def _author_of(message: discord.Message, fields: Fields) -> dict[str, Any]:
    return fields.read("author", lambda: {"id": message.author.id, "bot": message.author.bot}, {})


def _shown_in_thread(message: discord.Message, fields: Fields) -> dict[str, Any] | None:
    """Return the message that a thread began with, where this one shows it there."""
    first = message.reference.resolved if message.reference else None
    if message.type is not discord.MessageType.thread_starter_message or not isinstance(first, discord.Message):
        return None
    return {**_parts_of(first, fields), "author": _author_of(first, fields), "webhook_id": first.webhook_id}


def _parts_of(message: discord.Message | discord.MessageSnapshot, fields: Fields) -> dict[str, Any]:
    """Return what a message and a forwarded one have in common."""
    return {
        "content": fields.read("content", lambda: message.content, ""),
        "embeds": fields.read("embeds", lambda: [embed.to_dict() for embed in message.embeds], ()),
        "components": fields.read("components", lambda: [_component(part) for part in message.components], ()),
        "sticker_items": fields.read("stickers", lambda: [{"name": one.name} for one in message.stickers], ()),
        "attachments": fields.read("files", lambda: [_described(file) for file in message.attachments], ()),
    }


def _component(part: object) -> dict[str, Any]:
    """Return what of a component may have words; `to_dict` raises for one with parts that discord.py does not know."""
    return {
        "content": getattr(part, "content", None),
        "description": getattr(part, "description", None),
        "spoiler": getattr(part, "spoiler", False),
        "components": [_component(child) for child in getattr(part, "children", ())],
        "items": [_component(item) for item in getattr(part, "items", ())],
        "accessory": _component(accessory) if (accessory := getattr(part, "accessory", None)) else None,
    }


def _mentioned(user: discord.User | discord.Member) -> dict[str, Any]:
    return {"id": user.id, "username": user.display_name}


def _described(file: discord.Attachment) -> dict[str, Any]:
    return {
        "filename": _name_of(file),
        "description": file.description,
        "title": file.title,
        "duration_secs": file.duration,
        "waveform": "recorded" if file.waveform else None,
    }


def _poll_of(poll: discord.Poll | None) -> dict[str, Any]:
    if poll is None:
        return {}
    answers = [
        {
            "answer_id": answer.id,
            "poll_media": {"text": answer.text, "emoji": {"name": answer.emoji.name} if answer.emoji else None},
        }
        for answer in poll.answers
    ]
    counts = [{"id": answer.id, "count": answer.vote_count} for answer in poll.answers]
    results = {"is_finalized": poll.is_finalised(), "answer_counts": counts if poll.is_finalised() else []}
    return {"question": {"text": poll.question}, "answers": answers, "results": results}


def _attachments_of(message: discord.Message) -> tuple[Attachment, ...]:
    forwarded = [file for snapshot in message.message_snapshots for file in snapshot.attachments]
    return tuple(_kept(message.attachments)) + tuple(_kept(forwarded))


def _kept(files: Iterable[discord.Attachment]) -> Iterable[Attachment]:
    for file in files:
        yield Attachment(
            name=_name_of(file),
            url=file.url,
            content_type=file.content_type,
            size=file.size,
            description=_text_or_none(file.description),
            spoiler=file.is_spoiler(),
        )


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _name_of(file: discord.Attachment) -> str:
    return hidden_name(file.filename) if file.is_spoiler() else file.filename


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


PlaceOfId = Callable[[int, int | None], Place]


def message_of_payload(
    data: Mapping[str, Any],
    *,
    session: str,
    place_of_id: PlaceOfId,
    names_in: NamesIn,
    me: int | None = None,
    now: datetime | None = None,
) -> Message:
    """Return the state of a message as Discord's API tells of it, such as MESSAGE_CREATE or a page of a channel's past.

    What `me`, the bot, has said is an answer, and what it is asked a command. Reactions are counted as of `now`;
    without it, as when the past is read for the first time, any count that has a time takes their place. A payload of a
    forum post's first message may have `applied_tags`, a list of objects with a `name`. Only the ids of the message and
    its channel are needed; raises what reading these raises.
    """
    message_id = int(data["id"])
    fields = Fields(f"message {message_id} of type {data.get('type', '?')}")
    read = fields.read
    place = place_of_id(int(data["channel_id"]), read("guild", lambda: _id(data.get("guild_id")), None))
    names = read("names", lambda: names_in(place.thread_id or place.channel_id, place.guild_id), nobody)
    words = read("words", lambda: read_words(data, names), Words())
    words = words if words.text else read("content", lambda: read_words(data), Words())
    author_id = author_of_payload(data)
    kind = read("type", lambda: _kind(data, me), Kind.MESSAGE)
    if kind is Kind.SYSTEM:
        words = of_system(words)
    state = replace(
        _message_in(place, message_id, session),
        author_id=author_id,
        author_name=read("author's name", lambda: _author_name(data), ""),
        reply_to=read("reference", lambda: _reply_in_payload(data), None),
        kind=Kind.ANSWER if me is not None and _is_of(me, data) else kind,
        content=words.text,
        attachments=read("attachments", lambda: tuple(_attachment(file) for file in files_of(data)), ()),
        edited_at=read("edit", lambda: _edited_at(data), None),
        forwarded_from=read("forward", lambda: _forward_in_payload(data), None),
        parts=words.parts,
        reactions=read("reactions", lambda: reactions_in(data), ()),
        reactions_at=now,
    )
    fields.report()
    return state


def _is_of(account_id: int, data: Mapping[str, Any]) -> bool:
    author = data.get("author")
    return isinstance(author, Mapping) and str(author.get("id")) == str(account_id)


def author_of_payload(data: Mapping[str, Any]) -> int | None:
    """Return whose message a payload tells of, if it says so; a webhook speaks as a person of its own for each name."""
    return author_in(data)


def _kind(data: Mapping[str, Any], me: int | None) -> Kind:
    if not is_said(data["type"], data.get("content")):
        return Kind.SYSTEM
    return Kind.COMMAND if asks_in_payload(data, me) else Kind.MESSAGE


def _id(value: object) -> int | None:
    return int(value) if isinstance(value, str | int) else None


def _author_name(data: Mapping[str, Any]) -> str:
    author, member = data.get("author") or {}, data.get("member") or {}
    return str(member.get("nick") or author.get("global_name") or author.get("username") or "")


def _reply_in_payload(data: Mapping[str, Any]) -> int | None:
    """Return the id of the message that this one replies to; a forwarded message is no reply."""
    reference = data.get("message_reference") or {}
    return None if _is_forward(reference) else _id(reference.get("message_id"))


def _forward_in_payload(data: Mapping[str, Any]) -> int | None:
    """Return the id of the message that this one is a copy of."""
    reference = data.get("message_reference") or {}
    return _id(reference.get("message_id")) if _is_forward(reference) else None


def _is_forward(reference: Mapping[str, Any]) -> bool:
    return reference.get("type") == discord.MessageReferenceType.forward.value


def _edited_at(data: Mapping[str, Any]) -> datetime | None:
    return discord.utils.parse_time(data.get("edited_timestamp"))


def _attachment(file: Mapping[str, Any]) -> Attachment:
    name, size, kind = str(file.get("filename", "")), file.get("size"), file.get("content_type")
    return Attachment(
        name=hidden_name(name) if is_spoiler(file) else name,
        url=str(file.get("url", "")),
        content_type=kind if isinstance(kind, str) else None,
        size=size if isinstance(size, int) else None,
        description=_text_or_none(file.get("description")),
        spoiler=is_spoiler(file),
    )
