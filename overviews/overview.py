"""What an overview is: sections of lines that lead to messages, for somebody who may read them."""

from dataclasses import dataclass
from datetime import datetime
from enum import Flag, auto
from zoneinfo import ZoneInfo

from memory.filters import Guild
from memory.message import Message
from time_expressions.conventions import DateOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who asks for an overview, from where, and what it may be made from.

    `places` are the ids of the channels, with their public threads, and private threads that it may use; of no places
    an overview is empty. One that is `private` is shown to this person alone. Times are read and shown in `time_zone`.
    """

    guild: Guild
    places: frozenset[int]
    person_id: int
    channel_id: int
    now: datetime
    time_zone: ZoneInfo
    date_order: DateOrder | None = None
    private: bool = True


class Shown(Flag):
    """What a line shows of its message, whose link it always is."""

    NOTHING = 0
    AUTHOR = auto()
    PLACE = auto()
    TIME = auto()
    QUOTE = auto()
    ALL = AUTHOR | PLACE | TIME | QUOTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of an overview: words of ours, a message, or both.

    The words are plain text: whoever renders them lets no name in them be read as a mark or a mention.
    """

    words: str = ""
    message: Message | None = None
    shown: Shown = Shown.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Lines under a heading, which is plain text; an `is_more` says that there are others, beyond what is listed."""

    heading: str = ""
    lines: tuple[Line, ...] = ()
    is_more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An overview; without any line it says `empty` in their place. The `notes`, in plain text, say what it covers."""

    title: str
    sections: tuple[Section, ...] = ()
    notes: tuple[str, ...] = ()
    empty: str = "There is nothing to show."

    @property
    def is_empty(self) -> bool:
        """Whether there is no line in it."""
        return not any(section.lines for section in self.sections)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages that it shows or leads to, in their order."""
        lines = (line for section in self.sections for line in section.lines)
        return tuple(line.message for line in lines if line.message is not None)
