"""Turn what Discord reports into messages to keep."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import discord
from discord.abc import Snowflake

from memory.messages import Attachment, Kind, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was said; in a thread, `channel_id` and `channel_name` are its parent's."""

    guild_id: int | None
    channel_id: int
    channel_name: str
    thread_id: int | None = None


def place_of(channel: Snowflake, guild_id: int | None) -> Place:
    """Return the place that a channel, a thread or a direct-message channel is."""
    if guild_id is None:
        return Place(guild_id=None, channel_id=channel.id, channel_name="DM")
    if isinstance(channel, discord.Thread):
        return Place(
            guild_id=guild_id,
            channel_id=channel.parent_id,
            channel_name=channel.parent.name if channel.parent else channel.name,
            thread_id=channel.id,
        )
    return Place(guild_id=guild_id, channel_id=channel.id, channel_name=getattr(channel, "name", ""))


def place_of_id(client: discord.Client, channel_id: int, guild_id: int | None) -> Place:
    """Return the place that an id belongs to, as far as the client's cache knows it."""
    guild = client.get_guild(guild_id) if guild_id is not None else None
    channel = guild.get_channel_or_thread(channel_id) if guild else None
    return place_of(channel or discord.Object(channel_id), guild_id)


def message_of(message: discord.Message, *, session: str) -> Message:
    """Return the present state of a message: as it was sent, or as it was last edited."""
    place = place_of(message.channel, message.guild.id if message.guild else None)
    return Message(
        message_id=message.id,
        sent_at=message.created_at,
        session=session,
        guild_id=place.guild_id,
        channel_id=place.channel_id,
        channel_name=place.channel_name,
        thread_id=place.thread_id,
        author_id=message.author.id,
        author_name=message.author.display_name,
        reply_to=_replied_to(message),
        kind=Kind.SYSTEM if message.is_system() else Kind.MESSAGE,
        content=_text_of(message),
        attachments=_attachments_of(message),
        edited_at=message.edited_at,
    )


def edit_of(payload: discord.RawMessageUpdateEvent, *, session: str) -> Message | None:
    """Return the state after an edit; None when nobody edited anything.

    Discord also sends this event when a link gets its preview or a message is pinned.
    """
    edited_at = payload.message.edited_at
    known = payload.cached_message
    if edited_at is None or (known is not None and known.edited_at == edited_at):
        return None
    return message_of(payload.message, session=session)


def deletion_of(message_id: int, place: Place, *, session: str, deleted_at: datetime) -> Message:
    """Return the state of a message that was deleted; its words are not needed for that."""
    return Message(
        message_id=message_id,
        sent_at=discord.utils.snowflake_time(message_id),
        session=session,
        guild_id=place.guild_id,
        channel_id=place.channel_id,
        channel_name=place.channel_name,
        thread_id=place.thread_id,
        author_name="",
        content="",
        deleted_at=deleted_at,
    )


def command_of(interaction: discord.Interaction, text: str, *, session: str) -> Message:
    """Return the slash command that somebody gave, under the interaction's id, which is a snowflake too."""
    place = _place_of_interaction(interaction)
    return Message(
        message_id=interaction.id,
        sent_at=interaction.created_at,
        session=session,
        guild_id=place.guild_id,
        channel_id=place.channel_id,
        channel_name=place.channel_name,
        thread_id=place.thread_id,
        author_id=interaction.user.id,
        author_name=interaction.user.display_name,
        kind=Kind.COMMAND,
        content=text,
    )


def answer_of(interaction: discord.Interaction, sent: discord.Message, *, session: str) -> Message:
    """Return one message that the bot answered a command with, as a reply to that command."""
    place = _place_of_interaction(interaction)
    return Message(
        message_id=sent.id,
        sent_at=sent.created_at,
        session=session,
        guild_id=place.guild_id,
        channel_id=place.channel_id,
        channel_name=place.channel_name,
        thread_id=place.thread_id,
        author_id=sent.author.id,
        author_name=sent.author.display_name,
        reply_to=interaction.id,
        kind=Kind.ANSWER,
        content=sent.content,
    )


def _place_of_interaction(interaction: discord.Interaction) -> Place:
    channel = interaction.channel or discord.Object(interaction.channel_id or 0)
    return place_of(channel, interaction.guild_id)


def _replied_to(message: discord.Message) -> int | None:
    """Return the id of the message that this one replies to; a forwarded message is no reply."""
    reference = message.reference
    if reference is None or reference.type is discord.MessageReferenceType.forward:
        return None
    return reference.message_id


def _text_of(message: discord.Message) -> str:
    """Return what a person reads: a forwarded message has its words in snapshots, not in its content."""
    if message.is_system():
        return message.system_content or ""
    forwarded = [snapshot.content for snapshot in message.message_snapshots]
    return "\n".join(text for text in (message.content, *forwarded) if text)


def _attachments_of(message: discord.Message) -> tuple[Attachment, ...]:
    forwarded = [file for snapshot in message.message_snapshots for file in snapshot.attachments]
    return tuple(_kept(message.attachments)) + tuple(_kept(forwarded))


def _kept(files: Iterable[discord.Attachment]) -> Iterable[Attachment]:
    for file in files:
        yield Attachment(name=file.filename, url=file.url, content_type=file.content_type, size=file.size)
