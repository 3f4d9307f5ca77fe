"""A message as a row of a session's CSV, and back.

Every message has a row, which `from_row` reads as the same message. Only what no table or file could hold is changed: a
lone surrogate becomes its escape, a time without a zone is taken for UTC, one outside of the years 1 to 9999 for the
nearest inside, and a text far beyond what anybody says is cut off, and says so. A row with an id beyond PostgreSQL's
bigint can be written, and is refused with that reason when it is read.
"""

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError

from memory.messages import Attachment, Kind, Message

logger = logging.getLogger(__name__)

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

_LONGEST_TEXT = 2 * 2**20  # characters; with four bytes for each a record is still short enough to be read again
_LONGEST_NAME = 2000  # characters of whatever else is a text
_NOTE = 100  # characters, at most, that say how much is left out
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_MOST_LINES = 50_000  # of a text; a record may have twice as many
_MOST_FILES = 50

_SURROGATE = re.compile("[\ud800-\udfff]")
_FILES = TypeAdapter(tuple[Attachment, ...])


def to_row(message: Message) -> list[str]:
    """Return the fields of a message in the order of COLUMNS."""
    return [
        _id_text(message.message_id),
        _time_text(message.sent_at),
        _writable(message.session, _LONGEST_NAME),
        _id_text(message.guild_id),
        _id_text(message.channel_id),
        _id_text(message.thread_id),
        _id_text(message.author_id),
        _id_text(message.reply_to),
        _writable(message.author_name, _LONGEST_NAME),
        _writable(message.channel_name, _LONGEST_NAME),
        message.kind.value,
        _writable(message.content, _LONGEST_TEXT),
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
    """Return files as JSON."""
    files = [_short_file(attachment) for attachment in attachments[:_MOST_FILES]]
    return json.dumps(files, ensure_ascii=False) if files else "[]"


def _short_file(attachment: Attachment) -> dict[str, str | int | None]:
    fields: dict[str, str | int | None] = asdict(attachment)
    return {
        name: _writable(value, _LONGEST_NAME) if isinstance(value, str) else value for name, value in fields.items()
    }


def _writable(text: str, longest: int) -> str:
    """Return a text that a record can hold: with escapes for lone surrogates, and without what is too long, said so."""
    if not text.isascii() and _SURROGATE.search(text):
        text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) <= min(longest, _MOST_LINES):
        return text
    kept = text if len(text) <= longest else text[: longest - _NOTE]
    if kept.count("\n") >= _MOST_LINES:
        kept = "\n".join(kept.split("\n", _MOST_LINES)[:_MOST_LINES])
    left_out = len(text) - len(kept)
    if not left_out:
        return text
    logger.warning("a text of %d characters is too long for the session's CSV: its end is left out", len(text))
    return f"{kept} [... {left_out} characters are left out here]"


def _id_text(number: int | None) -> str:
    if number is None:
        return ""
    # Python refuses to write out numbers of thousands of digits in any base that is no power of two.
    return str(number) if abs(number) < 2**1000 else hex(number)


def _time_text(time: datetime | None) -> str:
    if time is None:
        return ""
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC).isoformat()
    try:
        return time.astimezone(UTC).isoformat()
    except OverflowError:
        return (_EARLIEST if time.year == 1 else _LATEST).isoformat()


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
