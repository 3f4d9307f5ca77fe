"""What a message is, from the front end that receives it to the row that keeps it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_origin

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


class Kind(StrEnum):
    """What sort of message it is."""

    MESSAGE = "message"
    COMMAND = "command"
    ANSWER = "answer"  # the bot's own words: stored, never evidence
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message."""

    name: str
    url: str
    content_type: str | None = None
    size: int | None = None


MessageKey = tuple[int, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One state of one message: as sent, as edited, or as deleted.

    The journal holds a line for every state it heard of; the database holds the merged last one.
    A deletion that is learnt of later carries `deleted_at` and no content. A message is `in_public_thread` when its
    thread or forum post is known to be public; Discord never changes that.

    These fields, in this order, are the columns of every CSV of messages and of the table: `FIELDS` derives from them,
    and all that reads or writes a message from `FIELDS`. A new one stands at the end and has a default, as older files
    lack it.
    """

    message_id: int
    sent_at: datetime
    session: str
    guild_id: int | None = None
    channel_id: int
    thread_id: int | None = None
    author_id: int | None = None
    reply_to: int | None = None
    author_name: str
    channel_name: str
    kind: Kind = Kind.MESSAGE
    content: str
    attachments: tuple[Attachment, ...] = ()
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    in_public_thread: bool = False

    @property
    def key(self) -> MessageKey:
        """The primary key: a snowflake and the time it was sent."""
        return self.message_id, self.sent_at

    @property
    def place_id(self) -> int:
        """The thread, or else the channel, that this message was sent in: the conversation that it belongs to."""
        return self.thread_id if self.thread_id is not None else self.channel_id

    @property
    def access_id(self) -> int:
        """The channel or private thread whose readers may read this message.

        A public thread is read by whoever reads its channel, archived or not. A thread that is not known to be public
        counts as private.
        """
        return self.channel_id if self.in_public_thread else self.place_id

    @property
    def link(self) -> str | None:
        """The address that opens this message in Discord; None for one that was never there."""
        if self.guild_id is None:
            return None
        return f"https://discord.com/channels/{self.guild_id}/{self.place_id}/{self.message_id}"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message, as whoever reads and writes messages has to know it."""

    name: str
    type: type
    """int (an id), datetime, str, bool, Kind, or tuple (files)."""
    is_optional: bool
    """Whether None may stand in its place."""


def _field(name: str, annotation: Any) -> Field:
    if isinstance(annotation, UnionType):
        return Field(name, get_args(annotation)[0], is_optional=True)
    return Field(name, get_origin(annotation) or annotation, is_optional=False)


FIELDS = tuple(_field(field.name, field.type) for field in fields(Message))
"""The one list of what is kept of a message."""

COLUMNS = tuple(field.name for field in FIELDS)
"""The columns of a CSV of messages, in their order, and those of the table that hold a message."""


def names_of(kind: type) -> tuple[str, ...]:
    """Return the names of the fields of a type, see `Field.type`."""
    return tuple(field.name for field in FIELDS if field.type is kind)


CHANGED_BY_EDITS = ("content", "attachments", "edited_at")
"""The fields that an edit replaces; a deletion sets `deleted_at` alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message is sent; in a thread, `channel_id` is its parent's, and `channel_name` names both."""

    guild_id: int | None
    channel_id: int
    channel_name: str
    thread_id: int | None = None
    in_public_thread: bool = False

    def message(self, message_id: int, *, sent_at: datetime, session: str) -> Message:
        """Return a message that was sent here, without its author and words."""
        return Message(
            message_id=message_id,
            sent_at=sent_at,
            session=session,
            guild_id=self.guild_id,
            channel_id=self.channel_id,
            thread_id=self.thread_id,
            author_name="",
            channel_name=self.channel_name,
            content="",
            in_public_thread=self.in_public_thread,
        )


@dataclass(frozen=True, slots=True)
class Revision:
    """What a message said until `revised_at`."""

    message_id: int
    revised_at: datetime
    content: str


def sanitize(text: str) -> str:
    """Return a text that PostgreSQL and embedding models take: NUL and lone surrogates are replaced."""
    return _NOT_STORABLE.sub("\ufffd", text)


def edited_later(newer: Message, older: Message) -> bool:
    """Return whether `newer` carries an edit that `older` does not know of."""
    if newer.edited_at is None:
        return False
    return older.edited_at is None or newer.edited_at > older.edited_at


def merged(older: Message, newer: Message) -> Message:
    """Return the state that two states of one message add up to; `memory.index.store` applies the same rule in SQL.

    An answer of the bot stays one: the exports of other programs do not tell it from a person's message.
    """
    state = older
    if edited_later(newer, older):
        state = replace(state, **{name: getattr(newer, name) for name in CHANGED_BY_EDITS})
    kind = Kind.ANSWER if newer.kind is Kind.ANSWER else older.kind
    return replace(
        state,
        kind=kind,
        deleted_at=older.deleted_at or newer.deleted_at,
        in_public_thread=older.in_public_thread or newer.in_public_thread,
    )


def fold(states: Iterable[Message]) -> tuple[list[Message], list[Revision]]:
    """Merge the states of each message, in order of arrival, and list the texts that edits replaced."""
    last: dict[MessageKey, Message] = {}
    revisions: list[Revision] = []
    for state in states:
        older = last.get(state.key)
        if older is None:
            last[state.key] = state
            continue
        if state.edited_at and edited_later(state, older) and state.content != older.content:
            revisions.append(Revision(state.message_id, state.edited_at, older.content))
        last[state.key] = merged(older, state)
    return list(last.values()), revisions
