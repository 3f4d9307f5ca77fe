"""What a front end needs from the rest of the program: to record, to ask, to know whose clock counts."""

from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from agent.progress import UNWATCHED, Watcher
from agent.types import Answer, Question
from memory.message import Message
from memory.preferences import Owner, Zone
from memory.question.parse import ParsedQuestion


class Recorder(Protocol):
    """Keeps what is said."""

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        """Return once the message is journalled; raise JournalUnavailableError when that cannot be.

        With `patience` it waits no longer than that while the journal cannot be written.
        """

    async def settle(self, *, timeout: timedelta, newest: bool = True) -> bool:
        """Wait until what was recorded so far is searchable; False when `timeout` came first.

        Without the `newest` it may do without the messages of the last second while many arrive.
        """


class Asker(Protocol):
    """Answers questions from memory."""

    async def ask(self, question: Question, *, watcher: Watcher = UNWATCHED) -> Answer:
        """Return the answer; raise TemporaryError when memory or the model cannot be reached.

        A watcher is told what is being done for it, and how it begins.
        """


class QuotingAsker(Asker, Protocol):
    """Answers questions from memory, quotes from it, and knows what a question asks for."""

    async def parse(self, question: Question) -> ParsedQuestion:
        """Return what a question asks for, by its words alone when memory does not answer."""

    async def quote(self, question: Question) -> Answer:
        """Return quotations from memory, without a language model and outside of every conversation."""


class TimeZones(Protocol):
    """Knows whose clock counts for whom."""

    async def of(self, person_id: int | None, guild_id: int | None, fallback: ZoneInfo) -> Zone:
        """Return the time zone that counts for a person in a guild."""

    async def choose(self, owner: Owner, text: str, *, at: datetime) -> None:
        """Keep what an owner wants; raise ValueError, or TemporaryError when it cannot be kept now."""
