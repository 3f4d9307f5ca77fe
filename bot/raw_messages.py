"""Turn gateway payloads that discord.py cannot read into messages to keep, all the same."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import discord

from bot.capture import Fields, Place
from bot.mention_names import NamesIn
from memory.mentions import nobody
from memory.messages import Attachment, Kind, Message
from memory.words import files_of, hidden_name, is_said, is_spoiler, words_of

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
    state = Message(
        message_id=message_id,
        sent_at=discord.utils.snowflake_time(message_id),
        session=session,
        guild_id=place.guild_id,
        channel_id=place.channel_id,
        channel_name=place.channel_name,
        thread_id=place.thread_id,
        author_id=author_of_payload(data),
        author_name=read("author's name", lambda: _author_name(data), ""),
        reply_to=read("reference", lambda: _replied_to(data), None),
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


def _replied_to(data: Mapping[str, Any]) -> int | None:
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
