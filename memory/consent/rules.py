"""Decide of a message whether it may be kept, from who wrote it, where, and when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from memory.consent.pauses import Pause, covered, overlaps
from memory.message import Message
from time_expressions.window import Window


class Refusal(Enum):
    """Why something is not kept."""

    PERSON = "its author has opted out"
    CHANNEL = "its channel is ignored"
    PAUSE = "nothing was kept at that time"
    AGE = "its server does not want it to be kept any longer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Whose words are not kept, of which channels nothing is kept, and of which times.

    People and channels are known by their ids, each with the moment since when; pauses by the id of their guild.
    """

    opted_out: Mapping[int, datetime] = field(default_factory=dict)
    ignored: Mapping[int, datetime] = field(default_factory=dict)
    pauses: Mapping[int, tuple[Pause, ...]] = field(default_factory=dict)
    kept_since: Mapping[int, datetime] = field(default_factory=dict)
    """From which moment on messages of a guild are kept, as of when these rules were read."""
    unlisted: frozenset[int] = frozenset()
    """Who is not named as somebody who knows about something, beside those who have opted out."""

    def refusal_of(self, message: Message) -> Refusal | None:
        """Return why a state of a message is not kept; None for one that may be.

        What somebody says who has opted out is not kept whenever it was said, nor what stands in an ignored channel:
        else the past would be read again. A pause is about its own time, in which an edit may lie by itself.
        """
        if message.author_id is not None and message.author_id in self.opted_out:
            return Refusal.PERSON
        if self.ignored and self.ignores(message.channel_id, message.thread_id):
            return Refusal.CHANNEL
        if self.pauses and self._falls_into_a_pause(message):
            return Refusal.PAUSE
        return Refusal.AGE if self.kept_since and self._is_too_old(message) else None

    def ignores(self, *place_ids: int | None) -> bool:
        """Return whether one of these, a channel and its thread, is ignored."""
        return any(place_id in self.ignored for place_id in place_ids)

    def is_paused(self, guild_id: int | None, *place_ids: int | None, at: datetime) -> bool:
        """Return whether a moment lies in a pause of a guild, or of one of these places there."""
        pauses = () if guild_id is None else self.pauses.get(guild_id, ())
        return bool(pauses) and covered(pauses, at, place_ids)

    def was_paused(self, guild_id: int | None, *place_ids: int | None, windows: Iterable[Window]) -> bool:
        """Return whether some of a time lies in a pause of a guild, or of one of these places there."""
        pauses = () if guild_id is None else self.pauses.get(guild_id, ())
        return bool(pauses) and overlaps(pauses, windows, place_ids)

    def keeps_from(self, person_id: int, guild_id: int | None, *place_ids: int | None, at: datetime) -> bool:
        """Return whether what a person does at a moment in a place, such as asking something, may be kept."""
        is_refused = person_id in self.opted_out or self.ignores(*place_ids)
        return not is_refused and not self.is_paused(guild_id, *place_ids, at=at)

    @property
    def not_named(self) -> frozenset[int]:
        """Who may not be named as somebody who knows about something."""
        return self.unlisted | self.opted_out.keys()

    def names_as_knowing(self, person_id: int) -> bool:
        """Return whether somebody may be named as one who knows about something."""
        return person_id not in self.not_named

    def _is_too_old(self, message: Message) -> bool:
        since = None if message.guild_id is None else self.kept_since.get(message.guild_id)
        return since is not None and message.sent_at < since

    def _falls_into_a_pause(self, message: Message) -> bool:
        places = message.channel_id, message.thread_id
        moments = (message.sent_at, message.edited_at)
        return any(moment is not None and self.is_paused(message.guild_id, *places, at=moment) for moment in moments)


NO_RULES = Rules()
"""Everything is kept."""


def withdrawal(message: Message) -> Message:
    """Return the state of a kept message that now says something which may not be kept: it counts as deleted.

    What it said before is not what its author says any more, and so it is not found or shown.
    """
    return Message(
        message_id=message.message_id,
        sent_at=message.sent_at,
        session=message.session,
        guild_id=message.guild_id,
        channel_id=message.channel_id,
        thread_id=message.thread_id,
        author_name="",
        channel_name=message.channel_name,
        content="",
        deleted_at=message.deleted_at or message.edited_at or message.sent_at,
        in_public_thread=message.in_public_thread,
    )
