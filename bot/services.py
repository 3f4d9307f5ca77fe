"""What the Discord front end needs from the rest of the program."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from agent.answers import Answer, Question
from memory.messages import Message


class Recorder(Protocol):
    """Keeps what is said."""

    async def record(self, message: Message) -> None:
        """Return once the message is journalled."""

    async def settle(self, *, timeout: timedelta) -> bool:
        """Wait until what was recorded so far is searchable; False when `timeout` came first."""


class Asker(Protocol):
    """Answers questions from memory."""

    async def ask(self, question: Question) -> Answer:
        """Return the answer; raise TemporaryError when memory or the model cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that the front end is given.

    `about` writes the text of /about in Markdown, `session` is the name of the program session.
    """

    recorder: Recorder
    asker: Asker
    about: Callable[[], Awaitable[str]]
    session: str
    time_zone: ZoneInfo
    clock: Callable[[], datetime]
