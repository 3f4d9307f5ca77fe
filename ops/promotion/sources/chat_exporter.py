"""Read the JSON of DiscordChatExporter: one channel or thread with its messages."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import IO, Any

from errors import InputFileError
from memory.authors import kept_name, webhook_author_id
from memory.capture.message_csv import flag_text, items_text
from memory.message import COLUMNS, Kind, sanitize
from memory.message_text import SPOILER, of_system, reactions_in, read_words
from memory.names.places import thread_name
from memory.places.state import PlaceKind, PlaceState
from ops.promotion.records import RawBatch
from ops.promotion.sources.files import Location, opened
from ops.promotion.sources.foreign_csv import ForeignCsv, mapped
from ops.promotion.sources.json_reader import Items, chunks_of, text_of, values_before

_TYPES_BY_FIELD = {"poll_question_text": "poll_result", "rule_name": "auto_moderation_message"}
"""Fields that only one type of embed has; the program leaves out the type itself."""
_DEEPEST = 4  # forwards within forwards; Discord allows none


def as_discord(message: Mapping[str, Any], *, depth: int = 0) -> dict[str, Any]:
    """Return what `memory.words` and `memory.mentions` read of a message; raise TypeError for text that is none.

    Whatever is called the same in both, such as a poll of a later version, is left as it is.
    """
    author, forwarded = _map(message.get("author")), _map(message.get("forwardedMessage"))
    is_forward = bool(forwarded) and depth < _DEEPEST
    return {
        **message,
        "author": {"bot": author.get("isBot")} if author else None,
        "webhook_id": author.get("id") if _is_webhook(message) else None,
        "attachments": [_file(file) for file in _maps(message.get("attachments"))],
        "embeds": [_embed(embed) for embed in _maps(message.get("embeds"))],
        "sticker_items": _maps(message.get("stickers")),
        "mentions": [_user(user) for user in _maps(message.get("mentions"))],
        "message_snapshots": [{"message": as_discord(forwarded, depth=depth + 1)}] if is_forward else [],
    }


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    return {**file, "filename": file.get("fileName"), "size": file.get("fileSizeBytes")}


def _embed(embed: Mapping[str, Any]) -> dict[str, Any]:
    names = (field.get("name") for field in _maps(embed.get("fields")))
    known = (_TYPES_BY_FIELD.get(name) for name in names if isinstance(name, str))
    return {"type": next((kind for kind in known if kind), "rich"), **embed}


def _user(user: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": user.get("id"), "username": user.get("name"), "member": {"nick": user.get("nickname")}}


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _maps(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, Sequence) else []


_KINDS = {
    "DirectTextChat": PlaceKind.DM,
    "DirectGroupTextChat": PlaceKind.DM,
    "GuildTextChat": PlaceKind.TEXT,
    "GuildVoiceChat": PlaceKind.VOICE,
    "GuildStageVoice": PlaceKind.STAGE,
    "GuildNews": PlaceKind.ANNOUNCEMENT,
    "GuildForum": PlaceKind.FORUM,
    "GuildMedia": PlaceKind.MEDIA,
    "GuildNewsThread": PlaceKind.ANNOUNCEMENT_THREAD,
    "GuildPublicThread": PlaceKind.PUBLIC_THREAD,
    "GuildPrivateThread": PlaceKind.PRIVATE_THREAD,
}
_BEFORE_DISCORD = datetime(2015, 1, 1, tzinfo=UTC)
_LARGEST_ID = 2**63 - 1  # that PostgreSQL keeps
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
    state: PlaceState | None = None
    """What it says of its channel or thread; None where that is not of a known sort."""

    def read(self) -> Iterator[RawBatch]:
        """Yield what the file holds; raises InputFileError behind the last whole message of one that is cut off."""
        messages = Items(source=self.path.name, key=_KEY, names=_NAMES, row=self._row, encoding=self.encoding)
        with opened(self.path) as (plain, raw):
            try:
                states = () if self.state is None else (self.state,)
                for chunk in chunks_of(plain, messages, position=raw.tell):
                    yield replace(chunk, places=states)
            except ValueError as error:
                raise InputFileError(
                    f"{self.path} is damaged or cut off ({error}): export the channel again."
                ) from error

    def _row(self, one: Mapping[str, Any]) -> dict[str, str]:
        author: Mapping[str, Any] = one.get("author") or {}
        kind = _kind(one, author, self.me)
        return {
            **self.place,
            "message_id": text_of(one["id"]),
            "sent_at": text_of(one.get("timestamp")),
            "edited_at": text_of(one.get("timestampEdited")),
            "author_id": _author_id(one),
            "author_name": text_of(author.get("nickname") or author.get("name")),
            "reply_to": _replied_to(one),
            "kind": kind.value,
            "command_bot": "1" if self.me is None and author.get("isBot") and one.get("type") in _COMMANDS else "",
            **_contents(one, is_system=kind is Kind.SYSTEM),
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
    return JsonExport(path, _place(head), me, encoding, _state(head)) if "channel.id" in head else None


def _place(head: Mapping[str, str]) -> dict[str, str]:
    """Return where the messages were said; the category of a thread is the channel that it belongs to."""
    guild, channel = head.get("guild.id", ""), head["channel.id"]
    place = {"guild_id": "" if guild == "0" else guild, "channel_id": channel}
    kind = _KINDS.get(head.get("channel.type", ""), PlaceKind.OTHER)
    if kind.is_thread and "channel.categoryId" in head:
        return place | {
            "channel_id": head["channel.categoryId"],
            "channel_name": thread_name(head.get("channel.category", ""), head.get("channel.name", "")),
            "thread_id": channel,
            "in_public_thread": flag_text(kind.is_public_thread),
        }
    return place | {"channel_name": head.get("channel.name", "")}


def _state(head: Mapping[str, str]) -> PlaceState | None:
    """Return what an export says of its channel or thread, if that is of a known sort."""
    place_id, guild_id = (_id(head.get(name, "")) for name in ("channel.id", "guild.id"))
    kind = _KINDS.get(head.get("channel.type", ""))
    if place_id is None or kind is None:
        return None
    return PlaceState(
        place_id=place_id,
        guild_id=guild_id,
        kind=kind,
        seen_at=_moment(head.get("exportedAt", "")),
        parent_id=_id(head.get("channel.categoryId", "")),
        name=kept_name(sanitize(head.get("channel.name", ""))),
    )


def _id(text: str) -> int | None:
    """Return an id; None for what is none, 0 among it, which stands for no guild."""
    number = int(text) if _DIGITS.fullmatch(text) else 0
    return number if 0 < number <= _LARGEST_ID else None


def _moment(text: str) -> datetime:
    """Return when an export was made; a time before all of Discord where it does not say, so that others win."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _BEFORE_DISCORD
    return moment if moment.tzinfo is not None else _BEFORE_DISCORD


def _kind(one: Mapping[str, Any], author: Mapping[str, Any], me: int | None) -> Kind:
    if (text_of(one.get("type")) or "Default") not in _SAID:
        return Kind.SYSTEM
    return Kind.ANSWER if me is not None and str(author.get("id")) == str(me) else Kind.MESSAGE


def _is_webhook(message: Mapping[str, Any]) -> bool:
    """Return whether a webhook has written a message: it has no discriminator, and answers no commands."""
    author = _map(message.get("author"))
    is_command = message.get("type") in _COMMANDS
    return bool(author.get("isBot")) and author.get("discriminator") == "0000" and not is_command


def _author_id(message: Mapping[str, Any]) -> str:
    """Return the id of an author, which a webhook has for each of its names."""
    author = _map(message.get("author"))
    author_id = text_of(author.get("id"))
    if not _is_webhook(message) or not author_id.isdecimal():
        return author_id
    return str(webhook_author_id(int(author_id), text_of(author.get("name"))))


def _is_forward(one: Mapping[str, Any], reference: Mapping[str, Any]) -> bool:
    return reference.get("type") == "Forward" or bool(one.get("forwardedMessage"))


def _replied_to(one: Mapping[str, Any]) -> str:
    """Return the id of the message that this one replies to; a forwarded message is no reply."""
    reference = one.get("reference") or {}
    return "" if _is_forward(one, reference) else text_of(reference.get("messageId"))


def _contents(one: Mapping[str, Any], *, is_system: bool) -> dict[str, str]:
    """Return what a person reads, where it comes from, and how people reacted; raise TypeError where text is none."""
    text_of(one.get("content"))
    reference = one.get("reference") or {}
    words = read_words(as_discord(one))
    words = of_system(words) if is_system else words
    return {
        "content": words.text,
        "parts": items_text(words.parts),
        "reactions": items_text(reactions_in(one)),
        "forwarded_from": text_of(reference.get("messageId")) if _is_forward(one, reference) else "",
    }


def _files(one: Mapping[str, Any]) -> str:
    """Return attachments, those of a forwarded message too, as JSON."""
    files = [
        {"name": text_of(file["fileName"]), "url": text_of(file["url"]), "size": _size(file)}
        | ({"spoiler": True} if text_of(file["fileName"]).startswith(SPOILER) else {})
        for part in (one, one.get("forwardedMessage") or {})
        for file in _list(part, "attachments")
    ]
    return json.dumps(files) if files else ""


def _list(part: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return part.get(name) or []


def _size(file: Mapping[str, Any]) -> int | None:
    size = file.get("fileSizeBytes")
    return None if size is None else int(size)


_COLUMNS = {
    "content": "Content",
    "sent_at": "Date",
    "author_name": "Author",
    "author_id": "AuthorID",
    "attachments": "Attachments",
    "message_id": "MessageID",  # only of late versions
}
_DIGITS = re.compile(r"[0-9]{1,19}")
_ID = re.compile(r" \[(\d{15,20})\]")


def is_export(header: Sequence[str]) -> bool:
    """Return whether a CSV with this header is of DiscordChatExporter."""
    return {"AuthorID", "Author", "Date", "Content"} <= set(header)


def as_export(csv: ForeignCsv, mapping: Mapping[str, str]) -> ForeignCsv:
    """Return an export with its columns; its channel is that of the name that the program gives to such files.

    The name is `server - category - channel - thread [id].csv`, without what is not there. After any other the channel
    is called after the file.
    """
    known = {ours: theirs for ours, theirs in _COLUMNS.items() if theirs in csv.header}
    return replace(mapped(csv, {**known, **mapping}), added=_channel(csv.path.name))


def _channel(name: str) -> dict[str, str]:
    """Return the channel that the name of a file tells; nothing when it tells none."""
    ids = list(_ID.finditer(name))
    if not ids:
        return {}
    return {"channel_id": ids[-1][1], "channel_name": _place_in_name(name[: ids[-1].start()].split(" - "))}


def _place_in_name(parts: Sequence[str]) -> str:
    """Return the channel, or the thread with its channel, that the parts of a name mean: server, category, and so on.

    Names may have dashes themselves, which nothing tells from those between them. A title is never cut: it begins
    behind the first part that can be a channel's name, and is all that follows. The last of two parts behind the server
    is taken for a channel in a category, which it mostly is.
    """
    inner = parts[1:] or parts
    channels = [at for at, part in enumerate(inner) if _can_be_channel(part)]
    if channels and (channels == [len(inner) - 1] or len(inner) == 2 == len(channels)):
        return inner[-1]
    if channels and channels[0] < 2:  # behind the server, or the category
        return thread_name(inner[channels[0]], " - ".join(inner[channels[0] + 1 :]))
    return " - ".join(inner[1:] or inner)


def _can_be_channel(name: str) -> bool:
    """Return whether a text channel or forum can have this name: those have no blanks and no capitals."""
    return bool(name) and name == name.lower() and not any(letter.isspace() for letter in name)
