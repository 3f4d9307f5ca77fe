"""Say what a message may hold beside its words, a link or a file, of a message and in SQL of its row."""

import re
from collections.abc import Collection
from enum import StrEnum

from psycopg.sql import SQL, Composed, Literal

from memory.file_names import PICTURE_ENDINGS
from memory.message import Attachment, Message, Source


class Holding(StrEnum):
    """Something that stands in a message or came with it."""

    LINK = "link"
    FILE = "file"
    PICTURE = "picture"
    POLL = "poll"


_LINK = re.compile(r"https?://[^\s<>]", re.IGNORECASE)
_POLL = re.compile(r"(?:^|\n)Poll: [^\n]")  # how a poll is written, also where the parts of a text are not known

CONDITIONS: dict[Holding, SQL | Composed] = {
    Holding.LINK: SQL(r"(content LIKE '%%://%%' AND content ~* 'https?://[^\s<>]')"),
    Holding.FILE: SQL("attachments <> '[]'"),
    Holding.PICTURE: SQL(r"""(attachments <> '[]' AND EXISTS (
        SELECT FROM jsonb_array_elements(attachments) AS file
        WHERE file->>'content_type' LIKE 'image/%%'
           OR lower(substring(file->>'name' FROM '\.([^.]*)$')) = ANY ({endings}::text[])
    ))""").format(endings=Literal(sorted(PICTURE_ENDINGS))),
    Holding.POLL: SQL(r"""(
        parts @> '[{{"source": "poll"}}]'
        OR parts = '[]' AND content LIKE '%%Poll: %%' AND content ~ '(^|\n)Poll: [^\n]'
    )""").format(),
}
"""What a row of messages fulfils that holds something; SQL's % is written twice."""


def holds(message: Message, wanted: Collection[Holding]) -> bool:
    """Return whether a message holds all of these things; CONDITIONS say the same of its row."""
    return all(_holds(message, thing) for thing in wanted)


def _holds(message: Message, thing: Holding) -> bool:
    match thing:
        case Holding.LINK:
            return _LINK.search(message.content) is not None
        case Holding.FILE:
            return bool(message.attachments)
        case Holding.PICTURE:
            return any(map(is_picture, message.attachments))
        case Holding.POLL:
            if message.parts:
                return any(part.source is Source.POLL for part in message.parts)
            return _POLL.search(message.content) is not None


def is_picture(file: Attachment) -> bool:
    """Return whether a file is a picture, by what it says of itself or by the ending of its name."""
    if file.content_type is not None and file.content_type.startswith("image/"):
        return True
    _, dot, ending = file.name.rpartition(".")
    return bool(dot) and ending.lower() in PICTURE_ENDINGS
