"""What a server's past is read from: its places, and their messages page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from memory.coverage.intervals import Interval
from memory.message import Message, Place

PAGE = 100
"""Messages, or threads, that Discord gives at once; a shorter page is the last one."""

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadablePlace:
    """A channel or thread whose messages can be asked for.

    `last_message_id` is that of the newest message there has been, None where Discord names none; `archived_at` is when
    a thread was archived.
    """

    place: Place
    last_message_id: int | None
    archived_at: datetime | None = None

    @property
    def place_id(self) -> int:
        """The id of the thread, or else of the channel."""
        return self.place.thread_id or self.place.channel_id

    @property
    def name(self) -> str:
        """What people call it."""
        return f"#{self.place.channel_name}" if self.place.channel_name else str(self.place_id)


@dataclass(frozen=True, slots=True)
class Archive:
    """Archived threads of one channel that are listed together: the public, or the private ones."""

    channel_id: int
    name: str
    is_private: bool
    is_joined_only: bool = False
    """Whether only the private ones that the bot has joined are listed, as it must not manage threads."""


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """Some threads of an archive, the last archived first; `before` asks for the next page, None: this is the last."""

    threads: Sequence[ReadablePlace]
    before: str | None


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A place that is not read, or not to its end, and why; one that is left `for_later` may work then."""

    place_id: int
    name: str
    reason: str
    for_later: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """The places of a server that can be read, the archives with more of them, and what cannot be read."""

    places: Sequence[ReadablePlace]
    archives: Sequence[Archive]
    passed_over: Sequence[PassedOver]


class History(Protocol):
    """The past of one server.

    All of it raises DiscordUnavailableError; what asks for one place also RefusedPlaceError.
    """

    @property
    def guild_id(self) -> int:
        """The id of the server."""
        ...

    async def listing(self, channel_id: int | None) -> Listing:
        """Return what there is to read in the whole server, or in a channel with its threads, or in one thread."""
        ...

    async def archived(self, archive: Archive, before: str | None) -> ArchivePage:
        """Return a page of an archive."""
        ...

    async def page(self, place: ReadablePlace, *, before: int) -> Sequence[Payload]:
        """Return the newest PAGE messages with ids below one, newest first; all there are, where they are fewer."""
        ...

    def message(self, payload: Payload, place: ReadablePlace, *, session: str) -> Message | None:
        """Return a message of a page; None for what is not to be kept."""
        ...

    async def about_how_many(self, channel_id: int | None, span: Interval) -> int | None:
        """Return about how many messages of a span there are; None where Discord does not tell now."""
        ...
