"""What a message is, from the front end that heard it to the row that keeps it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


class Kind(StrEnum):
    """What sort of thing was said."""

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
    A deletion that is learnt of later carries `deleted_at` and no content.
    """

    message_id: int
    sent_at: datetime
    session: str
    channel_id: int
    channel_name: str
    author_name: str
    content: str
    kind: Kind = Kind.MESSAGE
    guild_id: int | None = None
    thread_id: int | None = None
    author_id: int | None = None
    reply_to: int | None = None
    attachments: tuple[Attachment, ...] = ()
    edited_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def key(self) -> MessageKey:
        """The primary key: a snowflake and the time it was sent."""
        return self.message_id, self.sent_at

    @property
    def place_id(self) -> int:
        """The thread, or else the channel, whose readers may read this message."""
        return self.thread_id if self.thread_id is not None else self.channel_id

    @property
    def link(self) -> str | None:
        """The address that opens this message in Discord; None for one that was never there."""
        if self.guild_id is None:
            return None
        return f"https://discord.com/channels/{self.guild_id}/{self.place_id}/{self.message_id}"


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
    """Tell whether `newer` carries an edit that `older` does not know of."""
    if newer.edited_at is None:
        return False
    return older.edited_at is None or newer.edited_at > older.edited_at


def merged(older: Message, newer: Message) -> Message:
    """Return the state that two states of one message add up to; `memory.store` applies the same rule in SQL.

    What one of them knows to be an answer of the bot is one: an export of others tells it from nobody's message.
    """
    state = older
    if edited_later(newer, older):
        state = replace(state, content=newer.content, attachments=newer.attachments, edited_at=newer.edited_at)
    kind = Kind.ANSWER if newer.kind is Kind.ANSWER else older.kind
    return replace(state, kind=kind, deleted_at=older.deleted_at or newer.deleted_at)


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
