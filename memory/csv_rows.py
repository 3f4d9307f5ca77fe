"""A message as a row of a session's CSV, and back."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError

from memory.messages import Attachment, Kind, Message

COLUMNS = (
    "message_id",
    "sent_at",
    "session",
    "guild_id",
    "channel_id",
    "thread_id",
    "author_id",
    "reply_to",
    "author_name",
    "channel_name",
    "kind",
    "content",
    "attachments",
    "edited_at",
    "deleted_at",
)
"""The header of a session's CSV; times are ISO 8601 in UTC, an empty field is a null."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_FILES = TypeAdapter(tuple[Attachment, ...])


def to_row(message: Message) -> list[str]:
    """Return the fields of a message in the order of COLUMNS."""
    return [
        str(message.message_id),
        _time_text(message.sent_at),
        message.session,
        _id_text(message.guild_id),
        str(message.channel_id),
        _id_text(message.thread_id),
        _id_text(message.author_id),
        _id_text(message.reply_to),
        message.author_name,
        message.channel_name,
        message.kind.value,
        message.content,
        _files_text(message.attachments),
        _time_text(message.edited_at),
        _time_text(message.deleted_at),
    ]


def from_row(fields: Sequence[str]) -> Message:
    """Return the message of a row; raise ValueError, with the reason, for one that is none."""
    if len(fields) != len(COLUMNS):
        raise ValueError(f"has {len(fields)} fields instead of {len(COLUMNS)}")
    row = dict(zip(COLUMNS, fields, strict=True))
    return Message(
        message_id=id_of(row["message_id"]),
        sent_at=time_of(row["sent_at"]),
        session=row["session"],
        guild_id=_optional_id(row["guild_id"]),
        channel_id=id_of(row["channel_id"]),
        thread_id=_optional_id(row["thread_id"]),
        author_id=_optional_id(row["author_id"]),
        reply_to=_optional_id(row["reply_to"]),
        author_name=row["author_name"],
        channel_name=row["channel_name"],
        kind=Kind(row["kind"]),
        content=row["content"],
        attachments=_attachments(row["attachments"]),
        edited_at=_optional_time(row["edited_at"]),
        deleted_at=_optional_time(row["deleted_at"]),
    )


def _files_text(attachments: Sequence[Attachment]) -> str:
    """Return files as JSON, where the escape of a lone surrogate would be read as one again: it is escaped itself."""
    text = json.dumps([asdict(attachment) for attachment in attachments], ensure_ascii=False)
    return _SURROGATE.sub(lambda found: rf"\\u{ord(found[0]):x}", text)


def _id_text(number: int | None) -> str:
    return "" if number is None else str(number)


def _time_text(time: datetime | None) -> str:
    return "" if time is None else time.astimezone(UTC).isoformat()


def id_of(text: str) -> int:
    """Return an id; raise ValueError for what is none, or does not fit into the tables."""
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"the id {text} is larger than PostgreSQL's bigint")
    return number


def _optional_id(text: str) -> int | None:
    return id_of(text) if text else None


def _optional_time(text: str) -> datetime | None:
    return time_of(text) if text else None


def time_of(text: str) -> datetime:
    """Return a time of ours, in UTC; raise ValueError for what is none."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"the time {text!r} has no offset from UTC")
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"the time {text!r} is outside of the years 1 to 9999 in UTC") from error


def _attachments(text: str) -> tuple[Attachment, ...]:
    try:
        return _FILES.validate_json(text or "[]")
    except ValidationError as error:
        raise ValueError(f"attachments are not a list of files: {error.errors()[0]['msg']}") from error
