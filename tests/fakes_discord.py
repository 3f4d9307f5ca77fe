"""Stand-ins for the services that surround the Discord front end."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from agent.progress import UNWATCHED, Watcher
from agent.types import Answer, Outcome, Question
from bot.services import Services
from errors import JournalUnavailableError
from memory.health import Health
from memory.message import Kind, Message
from memory.question.parse import ParsedQuestion, parse_words
from tests.fakes_answers import FakeAnswerStore
from tests.fakes_consent import FakeConsent
from tests.fakes_guild_settings import FakeGuildSettings
from tests.fakes_time_zones import FakeTimeZones

NOW = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)


class FakeRecorder:
    """Remembers what it was told to keep, in order."""

    def __init__(self, *, settles: bool = True) -> None:
        self.messages: list[Message] = []
        self.news: asyncio.Queue[Message] = asyncio.Queue()
        self.refuses: set[Kind] = set()
        """What cannot be written down just now."""
        self.patience: timedelta | None = None
        """How long the last command may wait for that."""
        self.progress = (0, 0)
        self.journal_is_failing = False
        self._settles = settles

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        if message.kind is Kind.COMMAND:
            self.patience = patience
        if message.kind in self.refuses:
            raise JournalUnavailableError("demo.csv: No space left on device")
        self.messages.append(message)
        self.news.put_nowait(message)

    async def settle(self, *, timeout: timedelta, newest: bool = True) -> bool:
        return self._settles

    def of_kind(self, kind: Kind) -> list[Message]:
        return [message for message in self.messages if message.kind is kind]


class FakeAsker:
    """Gives one answer, or raises one error, to every question; thinks for ever when given a `hold`."""

    def __init__(self, reply: Answer | Exception | Callable[[Question], Answer]) -> None:
        self.reply = reply
        self.questions: list[Question] = []
        self.quotes: Callable[[Question], Answer] = lambda _: Answer(text="", outcome=Outcome.NOTHING_FOUND)
        """What is quoted from memory, without a model."""
        self.hold: Callable[[Awaitable[object]], Awaitable[object]] | None = None

    async def ask(self, question: Question, *, watcher: Watcher = UNWATCHED) -> Answer:
        self.questions.append(question)
        if self.hold is not None:
            await self.hold(asyncio.Event().wait())
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply if isinstance(self.reply, Answer) else self.reply(question)

    async def quote(self, question: Question) -> Answer:
        return self.quotes(question)

    async def parse(self, question: Question) -> ParsedQuestion:
        return parse_words(question.text, places=question.places, now=question.now, time_zone=question.time_zone)


async def about(_: int | None) -> str:
    return "Session **test**, 3 messages."


def services(
    recorder: FakeRecorder,
    asker: FakeAsker,
    time_zones: FakeTimeZones | None = None,
    guild_settings: FakeGuildSettings | None = None,
    consent: FakeConsent | None = None,
    health: Callable[[int | None], Awaitable[Health]] | None = None,
    answers: FakeAnswerStore | None = None,
) -> Services:
    """Return what a bot needs, at a fixed time in Paris."""
    return Services(
        recorder=recorder,
        asker=asker,
        about=about,
        session="test_2026-11-03_1",
        time_zones=time_zones or FakeTimeZones(),
        guild_settings=guild_settings or FakeGuildSettings(),
        consent=consent,
        health=health,
        answers=answers,
        time_zone=ZoneInfo("Europe/Paris"),
        clock=lambda: NOW,
    )
