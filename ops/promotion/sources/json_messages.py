"""Read messages in JSON as Discord's API gives them, or as other programs do that call things by common names."""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from errors import InputFileError
from memory.authors import author_in
from memory.capture.message_csv import items_text
from memory.message import COLUMNS, Kind
from memory.message_text import files_of, hidden_name, is_said, is_spoiler, reactions_in, read_words
from ops.promotion.records import ROWS, RawBatch
from ops.promotion.sources.files import Location, opened
from ops.promotion.sources.foreign_csv import SYNONYMS, plain
from ops.promotion.sources.json_reader import NO_LIST, Items, chunks_of, values_before
from ops.promotion.sources.survey import Survey, survey_file

_AUTHORS = ("author", "user", "sender", "from", "member", "name", *SYNONYMS["author_name"])
_NAMES_OF_AUTHORS = ("nick", "nickname", "global_name", "globalName", "display_name", "displayName", "username", "name")
_TIMES = (*SYNONYMS["sent_at"], "createdtimestamp", "dateunixtime", "timestampms")
_COLUMNS = tuple(name for name in COLUMNS if name != "session")
_READ_OTHERWISE = {
    *("sent_at", "author_id", "author_name", "channel_name", "reply_to", "kind", "content", "attachments"),
    *("parts", "reactions", "forwarded_from"),
}
_PLAIN_COLUMNS = tuple(name for name in _COLUMNS if name not in _READ_OTHERWISE)
"""Those whose value stands under one of the common names, as it is."""

_LOOKED_AT = 20  # messages from the beginning, of which one must be one
_KEY = "messages"
_FORWARD = 1  # the type of a reference


@dataclass(frozen=True, slots=True)
class JsonMessages:
    """Messages in JSON: a list, a list under a key, or one in each line."""

    path: Location
    encoding: str
    key: str = ""
    by_line: bool = False
    channel_name: str = ""
    """The channel of messages that do not tell theirs."""
    me: int | None = None
    surveyed: Survey = field(default_factory=Survey)

    @property
    def has_ids(self) -> bool:
        """Whether its messages come with ids that can be trusted."""
        return self.surveyed.has_ids and not self.surveyed.rounding

    def read(self, *, rows: int = ROWS) -> Generator[RawBatch]:
        """Yield what the file holds; raises InputFileError behind the last whole message of one that is cut off."""
        items = Items(
            source=self.path.name,
            key=self.key,
            names=_COLUMNS,
            row=self._row,
            encoding=self.encoding,
            by_line=self.by_line,
        )
        with opened(self.path) as (file, raw):
            try:
                for chunk in chunks_of(file, items, position=raw.tell, rows=rows):
                    yield replace(chunk, day_first=self.surveyed.day_first, rounding=self.surveyed.rounding)
            except ValueError as error:
                raise InputFileError(f"{self.path} is damaged or cut off ({error}): export it again.") from error

    def _row(self, one: Mapping[str, Any]) -> dict[str, str]:
        values = {plain(name): value for name, value in one.items()}
        author_id, author_name = _author(one, values)
        author_id = author_id or _scalar(_first(values, SYNONYMS["author_id"]))
        channel_id, channel_name = _named(values.get("channel"))
        row = {name: _scalar(_first(values, SYNONYMS[name])) for name in _PLAIN_COLUMNS}
        return row | {
            "sent_at": _scalar(_first(values, _TIMES)),
            "author_id": author_id,
            "author_name": author_name,
            "channel_id": row["channel_id"] or channel_id,
            "channel_name": channel_name or _scalar(_first(values, ("channelname", "room"))) or self.channel_name,
            "guild_id": row["guild_id"] or _named(values.get("guild"))[0],
            "reply_to": _replied_to(one, values),
            "kind": _kind(one, is_own=self.me is not None and author_id == str(self.me)).value,
            "attachments": _files(one),
            "reactions": items_text(reactions_in(one)),
            "forwarded_from": _forwarded_from(one, values),
            **_contents(one, values),
        }


def open_messages(
    path: Location, *, encoding: str, by_line: bool, me: int | None, day_first: bool | None
) -> JsonMessages:
    """Return messages in JSON, of which the file is one list, has one under "messages", or one in each line.

    Raises InputFileError when there are no messages in it, and when its dates may mean two things.
    """
    found = JsonMessages(path, encoding, by_line=by_line, channel_name=PurePath(path.name).stem, me=me)
    if not by_line:
        found = _under_its_key(found)
    if not _has_messages(found):
        raise InputFileError(
            f"{path} is JSON, but not an export of DiscordChatExporter, and holds no other messages: export the "
            "channel again."
        )
    return replace(found, surveyed=survey_file(path, found.read(), day_first=day_first))


def _has_messages(found: JsonMessages) -> bool:
    """Return whether one of the first members is a message; raises InputFileError for a file that is damaged there."""
    with closing(found.read(rows=_LOOKED_AT)) as chunks:
        try:
            first = next(chunks, None)
        except InputFileError as error:
            if NO_LIST in str(error):
                return False
            raise
    return first is not None and any(
        (row.content or row.attachments) and (row.sent_at or row.message_id) for row in first.frame.itertuples()
    )


def _under_its_key(found: JsonMessages) -> JsonMessages:
    """Return messages with the key of their list, empty where the file is the list, and the name before it."""
    with opened(found.path) as (file, _):
        if file.read(64).decode(found.encoding, "replace").lstrip("\ufeff \t\r\n").startswith("["):
            return found
    with opened(found.path) as (file, _):
        try:
            head = values_before(file, _KEY, found.encoding)
        except ValueError as error:
            raise InputFileError(f"{found.path} is not JSON ({error}): correct the path.") from error
    name = head.get("channel.name") or head.get("name") or head.get("title") or found.channel_name
    return replace(found, key=_KEY, channel_name=name)


def _author(one: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[str, str]:
    """Return the id and the name of who wrote a message, each empty where it is missing."""
    author_id, name = _named(_first(values, _AUTHORS))
    if author_id and one.get("webhook_id"):
        author_id = str(author_in(one) or author_id)
    member = one.get("member")
    nick = _named({"name": member.get("nick")})[1] if isinstance(member, Mapping) else ""
    return author_id, nick or name


def _named(value: object) -> tuple[str, str]:
    """Return the id and the name of a person, channel or guild, which may be an object or a name alone."""
    if not isinstance(value, Mapping):
        return "", _scalar(value)
    name = next((text for key in _NAMES_OF_AUTHORS if (text := _scalar(value.get(key)))), "")
    return _scalar(value.get("id")), name


def _replied_to(one: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    reference = _first(values, _REFERENCES)
    if not isinstance(reference, Mapping):
        return _scalar(_first(values, (*SYNONYMS["reply_to"], "replytomessageid")))
    return "" if _is_forward(one, reference) else _id_in(reference)


def _forwarded_from(one: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    reference = _first(values, _REFERENCES)
    if not isinstance(reference, Mapping):
        return _scalar(_first(values, SYNONYMS["forwarded_from"]))
    return _id_in(reference) if _is_forward(one, reference) else ""


_REFERENCES = ("messagereference", "reference", "replyto")


def _is_forward(one: Mapping[str, Any], reference: Mapping[str, Any]) -> bool:
    return reference.get("type") in (_FORWARD, "Forward") or bool(one.get("message_snapshots"))


def _id_in(reference: Mapping[str, Any]) -> str:
    return _scalar(reference.get("message_id") or reference.get("messageId") or reference.get("id"))


def _kind(one: Mapping[str, Any], *, is_own: bool) -> Kind:
    kind = one.get("type")
    if kind == "service" or (_is_of_discord(one) and not is_said(kind, one.get("content"))):
        return Kind.SYSTEM
    return Kind.ANSWER if is_own else Kind.MESSAGE


def _is_of_discord(one: Mapping[str, Any]) -> bool:
    return isinstance(one.get("type"), int) and "channel_id" in one


def _contents(one: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
    """Return what a person reads, and where it comes from.

    Raises TypeError where the words are neither a text nor pieces of one.
    """
    content = _first(values, SYNONYMS["content"])
    if isinstance(content, list):
        pieces = (piece.get("text") if isinstance(piece, Mapping) else piece for piece in content)
        content = "".join(piece for piece in pieces if isinstance(piece, str))
    kind = one.get("type") if _is_of_discord(one) else None
    words = read_words({**one, "content": _scalar(content), "type": kind})
    return {"content": words.text, "parts": items_text(words.parts)}


def _files(one: Mapping[str, Any]) -> str:
    """Return attachments, those of a forwarded message too, as JSON, or as addresses."""
    found: object = list(files_of(one)) or one.get("attachments") or one.get("files")
    if isinstance(found, str):
        return found
    if not isinstance(found, Sequence):
        return ""
    if texts := [file for file in found if isinstance(file, str)]:
        return ", ".join(texts)
    files = [
        {"name": _file_name(file), "url": _scalar(file.get("url"))}
        | ({"size": file["size"]} if type(file.get("size")) is int else {})
        | ({"description": text} if isinstance(text := file.get("description"), str) and text else {})
        | ({"spoiler": True} if is_spoiler(file) else {})
        for file in found
        if isinstance(file, Mapping)
    ]
    return json.dumps(files) if files else ""


def _file_name(file: Mapping[str, Any]) -> str:
    name = _scalar(_first(file, ("filename", "fileName", "name", "url")))
    return hidden_name(name) if is_spoiler(file) else name


def _first(values: Mapping[str, Any], names: Sequence[str]) -> Any:
    """Return the first value that is there under one of several names, None if there is none."""
    return next((values[name] for name in names if values.get(name) not in (None, "")), None)


def _scalar(value: object) -> str:
    """Return a text or a number as text; raise TypeError for anything else but null."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"where a text should be is a {type(value).__name__}")
    return str(value)
