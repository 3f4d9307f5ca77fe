"""Read the JSON of DiscordChatExporter: one channel or thread with its messages."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from errors import InputFileError
from memory.csv_rows import COLUMNS
from memory.messages import Kind
from memory.place_names import thread_name
from memory.words import words_of
from promotion.chunks import RawChunk
from promotion.json_stream import Items, chunks_of, text_of, values_before
from promotion.opening import Location, opened
from promotion.sources.exporter_message import as_discord

_THREADS = {"GuildNewsThread", "GuildPublicThread", "GuildPrivateThread"}
_SAID = {
    "Default",
    "Reply",
    "20",
    "21",
    "23",
    "46",
    "ChannelNameChange",  # a title that somebody gave to a thread: no other channel tells of its new name
    "ThreadStarterMessage",
    "ChatInputCommand",
    "ContextMenuCommand",
    "PollResult",
}
"""Types of messages that somebody wrote; late ones have only their number. All others Discord itself has made."""
_COMMANDS = {"20", "23", "ChatInputCommand", "ContextMenuCommand"}
_KEY = "messages"
_NAMES = (*(name for name in COLUMNS if name not in {"session", "deleted_at"}), "command_bot")


@dataclass(frozen=True, slots=True)
class JsonExport:
    """An export of a channel; what every message of it shares stands before the messages."""

    path: Location
    place: Mapping[str, str]
    me: int | None
    encoding: str = "utf-8-sig"

    def read(self) -> Iterator[RawChunk]:
        """Yield what the file holds; raises InputFileError behind the last whole message of one that is cut off."""
        messages = Items(source=self.path.name, key=_KEY, names=_NAMES, row=self._row, encoding=self.encoding)
        with opened(self.path) as (plain, raw):
            try:
                yield from chunks_of(plain, messages, position=raw.tell)
            except ValueError as error:
                raise InputFileError(
                    f"{self.path} is damaged or cut off ({error}): export the channel again."
                ) from error

    def _row(self, one: Mapping[str, Any]) -> dict[str, str]:
        author: Mapping[str, Any] = one.get("author") or {}
        return {
            **self.place,
            "message_id": text_of(one["id"]),
            "sent_at": text_of(one.get("timestamp")),
            "edited_at": text_of(one.get("timestampEdited")),
            "author_id": text_of(author.get("id")),
            "author_name": text_of(author.get("nickname") or author.get("name")),
            "reply_to": _replied_to(one),
            "kind": _kind(one, author, self.me).value,
            "command_bot": "1" if self.me is None and author.get("isBot") and one.get("type") in _COMMANDS else "",
            "content": _content(one),
            "attachments": _files(one),
        }


def export_in(path: Location, file: IO[bytes], *, me: int | None, encoding: str = "utf-8-sig") -> JsonExport | None:
    """Return the export that an open file is, by its beginning, or None when it is none.

    `me` is the bot whose messages are answers. Raises InputFileError for what is not JSON.
    """
    try:
        head = values_before(file, _KEY, encoding)
    except ValueError as error:
        raise InputFileError(f"{path} is not JSON ({error}): correct the path.") from error
    return JsonExport(path, _place(head), me, encoding) if "channel.id" in head else None


def _place(head: Mapping[str, str]) -> dict[str, str]:
    """Return where the messages were said; the category of a thread is the channel that it belongs to."""
    guild, channel = head.get("guild.id", ""), head["channel.id"]
    place = {"guild_id": "" if guild == "0" else guild, "channel_id": channel}
    if head.get("channel.type") in _THREADS and "channel.categoryId" in head:
        return place | {
            "channel_id": head["channel.categoryId"],
            "channel_name": thread_name(head.get("channel.category", ""), head.get("channel.name", "")),
            "thread_id": channel,
        }
    return place | {"channel_name": head.get("channel.name", "")}


def _kind(one: Mapping[str, Any], author: Mapping[str, Any], me: int | None) -> Kind:
    if (text_of(one.get("type")) or "Default") not in _SAID:
        return Kind.SYSTEM
    return Kind.ANSWER if me is not None and str(author.get("id")) == str(me) else Kind.MESSAGE


def _replied_to(one: Mapping[str, Any]) -> str:
    """Return the id of the message that this one replies to; a forwarded message is no reply."""
    reference = one.get("reference") or {}
    forwarded = reference.get("type") == "Forward" or one.get("forwardedMessage")
    return "" if forwarded else text_of(reference.get("messageId"))


def _content(one: Mapping[str, Any]) -> str:
    """Return what a person reads; raise TypeError where the text is none."""
    text_of(one.get("content"))
    return words_of(as_discord(one))


def _files(one: Mapping[str, Any]) -> str:
    """Return attachments, those of a forwarded message too, as JSON."""
    files = [
        {"name": text_of(file["fileName"]), "url": text_of(file["url"]), "size": _size(file)}
        for part in (one, one.get("forwardedMessage") or {})
        for file in _list(part, "attachments")
    ]
    return json.dumps(files) if files else ""


def _list(part: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return part.get(name) or []


def _size(file: Mapping[str, Any]) -> int | None:
    size = file.get("fileSizeBytes")
    return None if size is None else int(size)
