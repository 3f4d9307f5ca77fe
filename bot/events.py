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

from bot.audience import is_open_to_all
from bot.guild_rules import ReadableChannel
from memory.mentions import NameOf, nobody
from memory.message import Attachment, Kind, Message, Place
from memory.message_text import files_of, hidden_name, is_said, is_spoiler, words_of
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
            channel_name=thread_name(channel.parent.name if channel.parent else "", channel.name),
            thread_id=channel.id,
        )
    return Place(guild_id=guild_id, channel_id=channel.id, channel_name=getattr(channel, "name", None) or "")


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


def message_of(message: discord.Message, *, session: str) -> Message:
    """Return the present state of a message: as it was sent, or as it was last edited."""
    fields = Fields(f"message {message.id} of type {_type_of(message)}")
    read = fields.read
    guild_id = read("guild", lambda: _guild_of(message), None)
    place = read("channel", lambda: place_of(message.channel, guild_id), _unnamed(message.channel, guild_id))
    state = replace(
        _message_in(place, message.id, session),
        author_id=read("author", lambda: message.author.id, None),
        author_name=read("author's name", lambda: message.author.display_name, ""),
        reply_to=read("reference", lambda: _replied_to(message), None),
        kind=Kind.SYSTEM if _is_discords_own(message, fields) else Kind.MESSAGE,
        content=_text_of(message, fields),
        attachments=read("attachments", lambda: _attachments_of(message), ()),
        edited_at=read("edit", lambda: message.edited_at, None),
    )
    fields.report()
    return state


def edit_of(payload: discord.RawMessageUpdateEvent, *, session: str, now: datetime) -> Message | None:
    """Return the state after an edit; None when nobody edited anything.

    Discord also sends this event when a link gets its preview or a message is pinned. Where the message is cached that
    shows. Where it is not, as after a restart, a message that was edited once may just have been pinned, or pinned
    after an edit that was made while the bot was away: its state is returned. If memory knows that edit already,
    merging the two states changes nothing.

    An application that answers a command late sends an empty message first. What it then says is no edit to Discord,
    and has no time of one; it counts as made `now`.
    """
    state = message_of(payload.message, session=session)
    known = payload.cached_message
    if state.edited_at is not None:
        return None if known is not None and known.edited_at == state.edited_at else state
    if known is not None and known.flags.loading and not payload.message.flags.loading:
        return replace(state, edited_at=now)
    return None


def deletion_of(message_id: int, place: Place, *, session: str, deleted_at: datetime) -> Message:
    """Return the state of a message that was deleted; its words are not needed for that."""
    return replace(
        _message_in(place, message_id, session),
        deleted_at=deleted_at,
    )


def command_of(interaction: discord.Interaction, text: str, *, session: str) -> Message:
    """Return the slash command that somebody gave, under the interaction's id, which is a snowflake too."""
    fields = Fields(f"command {interaction.id}")
    place = _place_of_interaction(interaction, fields)
    state = replace(
        _message_in(place, interaction.id, session),
        author_id=fields.read("author", lambda: interaction.user.id, None),
        author_name=fields.read("author's name", lambda: interaction.user.display_name, ""),
        kind=Kind.COMMAND,
        content=text,
    )
    fields.report()
    return state


def answer_of(interaction: discord.Interaction, sent: discord.Message, *, session: str) -> Message:
    """Return one message that the bot answered a command with, as a reply to that command."""
    fields = Fields(f"answer {sent.id}")
    place = _place_of_interaction(interaction, fields)
    state = replace(
        _message_in(place, sent.id, session),
        author_id=fields.read("author", lambda: sent.author.id, None),
        author_name=fields.read("author's name", lambda: sent.author.display_name, ""),
        reply_to=interaction.id,
        kind=Kind.ANSWER,
        content=fields.read("content", lambda: sent.content, ""),
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


def _place_of_interaction(interaction: discord.Interaction, fields: Fields) -> Place:
    channel = interaction.channel or discord.Object(interaction.channel_id or 0)
    guild_id = interaction.guild_id
    return fields.read("channel", lambda: place_of(channel, guild_id), _unnamed(channel, guild_id))


def _replied_to(message: discord.Message) -> int | None:
    """Return the id of the message that this one replies to; a forwarded message is no reply."""
    reference = message.reference
    if reference is None or reference.type is discord.MessageReferenceType.forward:
        return None
    return reference.message_id


def _text_of(message: discord.Message, fields: Fields) -> str:
    """Return what a person reads; Discord writes the text of a system message itself, from its type."""
    names = fields.read("names", lambda: names_for(message.channel, message.guild), nobody)
    payload = _as_payload(message, fields)
    words = fields.read("words", lambda: words_of(payload, names), "") or words_of(payload)
    if not _is_discords_own(message, fields):
        return words
    announced = fields.read("system content", lambda: message.system_content, "") or ""
    return announced or words or fields.read("type's name", lambda: message.type.name.replace("_", " "), "")


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
        {"text": answer.text, "emoji": {"name": answer.emoji.name} if answer.emoji else None} for answer in poll.answers
    ]
    return {"question": {"text": poll.question}, "answers": [{"poll_media": media} for media in answers]}


def _attachments_of(message: discord.Message) -> tuple[Attachment, ...]:
    forwarded = [file for snapshot in message.message_snapshots for file in snapshot.attachments]
    return tuple(_kept(message.attachments)) + tuple(_kept(forwarded))


def _kept(files: Iterable[discord.Attachment]) -> Iterable[Attachment]:
    for file in files:
        yield Attachment(name=_name_of(file), url=file.url, content_type=file.content_type, size=file.size)


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


def message_of_payload(data: Mapping[str, Any], *, session: str, place_of_id: PlaceOfId, names_in: NamesIn) -> Message:
    """Return the state of a message that MESSAGE_CREATE or MESSAGE_UPDATE tells of.

    Only its id and its channel's are needed; raises what reading these raises.
    """
    message_id = int(data["id"])
    fields = Fields(f"message {message_id} of type {data.get('type', '?')}")
    read = fields.read
    place = place_of_id(int(data["channel_id"]), read("guild", lambda: _id(data.get("guild_id")), None))
    names = read("names", lambda: names_in(place.thread_id or place.channel_id, place.guild_id), nobody)
    state = replace(
        _message_in(place, message_id, session),
        author_id=author_of_payload(data),
        author_name=read("author's name", lambda: _author_name(data), ""),
        reply_to=read("reference", lambda: _reply_in_payload(data), None),
        kind=read("type", lambda: _kind(data), Kind.MESSAGE),
        content=read("words", lambda: words_of(data, names), "") or read("content", lambda: words_of(data), ""),
        attachments=read("attachments", lambda: tuple(_attachment(file) for file in files_of(data)), ()),
        edited_at=read("edit", lambda: _edited_at(data), None),
    )
    fields.report()
    return state


def author_of_payload(data: Mapping[str, Any]) -> int | None:
    """Return whose message a payload tells of, if it says so."""
    try:
        return _id(data["author"]["id"])
    except (KeyError, TypeError, ValueError):
        return None


def _kind(data: Mapping[str, Any]) -> Kind:
    return Kind.MESSAGE if is_said(data["type"], data.get("content")) else Kind.SYSTEM


def _id(value: object) -> int | None:
    return int(value) if isinstance(value, str | int) else None


def _author_name(data: Mapping[str, Any]) -> str:
    author, member = data.get("author") or {}, data.get("member") or {}
    return str(member.get("nick") or author.get("global_name") or author.get("username") or "")


def _reply_in_payload(data: Mapping[str, Any]) -> int | None:
    """Return the id of the message that this one replies to; a forwarded message is no reply."""
    reference = data.get("message_reference") or {}
    return (
        None
        if reference.get("type") == discord.MessageReferenceType.forward.value
        else _id(reference.get("message_id"))
    )


def _edited_at(data: Mapping[str, Any]) -> datetime | None:
    return discord.utils.parse_time(data.get("edited_timestamp"))


def _attachment(file: Mapping[str, Any]) -> Attachment:
    name, size, kind = str(file.get("filename", "")), file.get("size"), file.get("content_type")
    return Attachment(
        name=hidden_name(name) if is_spoiler(file) else name,
        url=str(file.get("url", "")),
        content_type=kind if isinstance(kind, str) else None,
        size=size if isinstance(size, int) else None,
    )
