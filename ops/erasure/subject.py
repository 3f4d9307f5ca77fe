"""What is erased: what people said, messages one by one, or all of channels and threads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from memory.capture.erased import is_erased, is_in_erased
from memory.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """People and channels or threads, each up to a moment of sending, and messages."""

    people: Mapping[int, datetime] = field(default_factory=dict)
    messages: frozenset[int] = frozenset()
    channels: Mapping[int, datetime] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.people or self.messages or self.channels)

    def covers(self, message: Message) -> bool:
        """Return whether a message is to be erased, whatever state of it this is."""
        is_own = is_erased(self.people, message.author_id, message.sent_at)
        return is_own or message.message_id in self.messages or is_in_erased(self.channels, message)

    @property
    def values(self) -> dict[str, list[int] | list[datetime]]:
        """What statements of SQL bind of it, by name."""
        return {
            "people": list(self.people),
            "people_until": list(self.people.values()),
            "messages": sorted(self.messages),
            "channels": list(self.channels),
            "channels_until": list(self.channels.values()),
        }
