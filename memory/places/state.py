"""What is known of a channel, thread, post or direct conversation at one moment."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class PlaceKind(StrEnum):
    """What sort of place it is; a post of a forum or a media channel is a public thread."""

    TEXT = "text"
    VOICE = "voice"
    STAGE = "stage"
    FORUM = "forum"
    MEDIA = "media"
    ANNOUNCEMENT = "announcement"
    PUBLIC_THREAD = "public thread"
    PRIVATE_THREAD = "private thread"
    ANNOUNCEMENT_THREAD = "announcement thread"
    DM = "dm"
    CATEGORY = "category"
    OTHER = "other"

    @property
    def is_thread(self) -> bool:
        """Whether it belongs to a channel, which is its parent."""
        return self in _THREADS

    @property
    def is_public_thread(self) -> bool:
        """Whether it is a thread that whoever reads its channel reads as well."""
        return self in PUBLIC_THREADS

    @property
    def is_private(self) -> bool:
        """Whether reading it takes more than the rights to a channel."""
        return self in {PlaceKind.PRIVATE_THREAD, PlaceKind.DM}


PUBLIC_THREADS = frozenset({PlaceKind.PUBLIC_THREAD, PlaceKind.ANNOUNCEMENT_THREAD})
_THREADS = PUBLIC_THREADS | {PlaceKind.PRIVATE_THREAD}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceState:
    """A place as it was seen at a moment.

    `parent_id` is the channel of a thread, or the category of a channel. `tags` are names, of a post those that it
    bears, of a forum all that there are. A state with `gone_at` or `hidden_since` tells nothing else of a place that is
    known: what it was called before is kept.
    """

    place_id: int
    guild_id: int | None
    kind: PlaceKind
    seen_at: datetime
    parent_id: int | None = None
    name: str = ""
    archived: bool = False
    locked: bool = False
    age_restricted: bool = False
    spoiler: bool = False
    tags: tuple[str, ...] = ()
    gone_at: datetime | None = None
    hidden_since: datetime | None = None

    @property
    def is_there(self) -> bool:
        """Whether the bot saw the place then."""
        return self.gone_at is None and self.hidden_since is None


def merged(older: PlaceState, newer: PlaceState) -> PlaceState:
    """Return what two states of a place add up to; `memory.places.store` applies the same rule in SQL."""
    if newer.seen_at < older.seen_at:
        return older
    if newer.is_there:
        return newer
    return replace(
        older,
        seen_at=newer.seen_at,
        gone_at=(older.gone_at or newer.gone_at) if newer.gone_at else None,
        hidden_since=(older.hidden_since or newer.hidden_since) if newer.hidden_since else None,
    )
