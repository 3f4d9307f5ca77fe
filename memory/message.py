"""What a message is, from the front end that receives it to the row that keeps it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import UnionType
from typing import Any, get_args, get_origin

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
EARLIEST = datetime.min.replace(tzinfo=UTC)

SaidAt = tuple[datetime, datetime]
"""When a message was last edited, and when it was last completed since; EARLIEST where it was not."""


def said_at_of(edited_at: datetime | None, completed_at: datetime | None) -> SaidAt:
    """Return both times in the form in which two states are compared."""
    return edited_at or EARLIEST, completed_at or EARLIEST


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
    description: str | None = None
    """What somebody wrote about it for those who do not see it."""
    spoiler: bool = False
    """Whether Discord hides it until it is clicked on; its name then begins with `SPOILER_` as well."""


class Source(StrEnum):
    """Where a part of what a message says comes from."""

    AUTHORED = "authored"
    FILE = "file"  # the title of a file, or what a text file says
    PICTURE = "picture"  # what somebody wrote about it for those who do not see it
    VOICE = "voice"
    FORWARD = "forward"
    POLL = "poll"
    CARD = "card"  # an embed
    COMPONENT = "component"
    STICKER = "sticker"
    TITLE = "title"  # of a thread, or of a forum post with its tags
    SYSTEM = "system"  # what Discord itself says


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of the content of a message, `content[start:end]`, and where it comes from."""

    source: Source
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """How many people, bots included, have answered a message with an emoji: itself, or `:its name:`."""

    emoji: str
    count: int


_LEFT_OUT = {"description": None, "spoiler": False}
"""Fields of files that joined later: without a value they are not written, and rows are as they were before."""

Item = Attachment | Part | Reaction
_NAMES_IN_ITEMS = {kind: tuple(field.name for field in fields(kind)) for kind in (Attachment, Part, Reaction)}


def as_json(item: Item) -> dict[str, Any]:
    """Return an item of one of the tuples of a message as the CSV and the table hold it."""
    values = {name: getattr(item, name) for name in _NAMES_IN_ITEMS[type(item)]}  # a tenth of the time of asdict
    if isinstance(item, Attachment):
        return {name: value for name, value in values.items() if name not in _LEFT_OUT or value != _LEFT_OUT[name]}
    return values


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

    `forwarded_from` is the message that a forward is a copy of. `completed_at` is when what a message says became more
    without an edit by its author: a file was read, a poll ended, an application answered late, a card came. `parts`
    says where each stretch of the content comes from; it is empty where that is not known. `reactions` are the counts
    as they stood at `reactions_at`.
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
    forwarded_from: int | None = None
    completed_at: datetime | None = None
    parts: tuple[Part, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    reactions_at: datetime | None = None

    @property
    def said_at(self) -> SaidAt:
        """Since when it says this: of two states the later one says what the message says."""
        return said_at_of(self.edited_at, self.completed_at)

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
    """int (an id), datetime, str, bool, Kind, or tuple (of `element`)."""
    is_optional: bool
    """Whether None may stand in its place."""
    element: Any = None
    """The class of what a tuple holds: Attachment, Part or Reaction."""


def _field(name: str, annotation: Any) -> Field:
    if isinstance(annotation, UnionType):
        return Field(name, get_args(annotation)[0], is_optional=True)
    if get_origin(annotation) is tuple:
        return Field(name, tuple, is_optional=False, element=get_args(annotation)[0])
    return Field(name, annotation, is_optional=False)


FIELDS = tuple(_field(field.name, field.type) for field in fields(Message))
"""The one list of what is kept of a message."""

COLUMNS = tuple(field.name for field in FIELDS)
"""The columns of a CSV of messages, in their order, and those of the table that hold a message."""


def names_of(kind: type) -> tuple[str, ...]:
    """Return the names of the fields of a type, see `Field.type`."""
    return tuple(field.name for field in FIELDS if field.type is kind)


CHANGED_BY_EDITS = ("content", "attachments", "edited_at", "completed_at", "parts")
"""The fields that an edit or a completion replaces; a deletion sets `deleted_at` alone."""

COUNTED = ("reactions", "reactions_at")
"""The fields that a later count replaces."""


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


def authored(text: str) -> tuple[Part, ...]:
    """Return the parts of a text that its author has typed."""
    return (Part(source=Source.AUTHORED, start=0, end=len(text)),) if text else ()


def within(parts: tuple[Part, ...], length: int) -> tuple[Part, ...]:
    """Return parts as far as they lie in the first `length` characters of a text that was cut."""
    if not parts or parts[-1].end <= length:
        return parts
    return tuple(replace(part, end=min(part.end, length)) for part in parts if part.start < length)


def sanitize(text: str) -> str:
    """Return a text that PostgreSQL and embedding models take: NUL and lone surrogates are replaced."""
    return _NOT_STORABLE.sub("\ufffd", text)


def edited_later(newer: Message, older: Message) -> bool:
    """Return whether `newer` carries an edit that `older` does not know of."""
    if newer.edited_at is None:
        return False
    return older.edited_at is None or newer.edited_at > older.edited_at


def counted_later(newer: Message, older: Message) -> bool:
    """Return whether `newer` carries counts of reactions that `older` does not know of."""
    if newer.reactions_at is None:
        return False
    return older.reactions_at is None or newer.reactions_at > older.reactions_at


def merged(older: Message, newer: Message) -> Message:
    """Return the state that two states of one message add up to; `memory.index.store` applies the same rule in SQL.

    What a message says is that of the later edit, and of two states of one edit that of the later completion.

    An answer of the bot stays one: the exports of other programs do not tell it from a person's message.
    """
    state = older
    if newer.said_at > older.said_at:
        state = replace(state, **{name: getattr(newer, name) for name in CHANGED_BY_EDITS})
    if counted_later(newer, older):
        state = replace(state, **{name: getattr(newer, name) for name in COUNTED})
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
