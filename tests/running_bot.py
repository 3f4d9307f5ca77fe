"""Run the whole bot on the fake Discord: real capture, databases, embeddings, search and ledger."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import discord

from agent.agent import Agent
from agent.answer_watch import AnswerWatch
from agent.conversations import Conversations
from bot.client import Bot
from bot.history.memory import HistoryMemory
from bot.services import Services
from db.databases import Database
from memory.answers.changes import AnswerChanges
from memory.answers.store import AnswerStore
from memory.capture.recorder import Recorder, open_recorder
from memory.consent.consent import Consent, kept_fresh
from memory.consent.opt_outs import OptOuts
from memory.consent.stored import StoredAuthors
from memory.coverage.ledger import Ledger
from memory.coverage.writer import CoverageWriter, open_coverage_writer
from memory.embedding.embedder import Embedder
from memory.guild_settings import GuildSettings
from memory.preferences import TimeZones
from memory.search.memory import Memory
from memory.search.stored import StoredMessages
from tests.fake_discord import Channel, FakeDiscord, Member
from tests.wire import served
from util_async import background_task

PATIENCE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class RunningBot:
    """A bot that is connected, with what a test looks into."""

    bot: Bot
    fake: FakeDiscord
    recorder: Recorder
    ledger: Ledger
    writer: CoverageWriter
    memory: Memory
    services: Services

    async def settled(self) -> None:
        """Wait until all that was said and missed is searchable."""
        assert self.bot._history is not None
        await self.bot._history.caught_up()
        assert await self.recorder.settle(timeout=PATIENCE)

    async def stored(self, channel: Channel) -> list[str]:
        """Return the texts that memory has of a channel."""
        await self.settled()
        found = await self.memory.list_messages(places=frozenset({channel.id}))
        return [line.message.content for excerpt in found.excerpts for line in excerpt.lines]

    async def heard(self, channel: Channel, amount: int) -> None:
        """Wait until so many messages of a channel are searchable."""
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while len(await self.stored(channel)) < amount:  # noqa: ASYNC110  # no event tells
                await asyncio.sleep(0.05)

    async def ask(self, member: Member, channel: Channel, text: str) -> str:
        """Return the answer that a member gets for /chat in a channel."""
        asked = self.fake.interactions.use(channel, member, "chat", text=text)
        return await self.fake.interactions.answered(asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotPrograms:
    """Starts the bot again and again on the same memory, as somebody who restarts the program does."""

    folder: Path
    short_term: Database
    long_term: Database
    memory: Memory
    embedder: Embedder
    fake: FakeDiscord

    @asynccontextmanager
    async def started(self, session: str = "demo") -> AsyncGenerator[RunningBot]:
        """Run the bot for the length of the block; in the end it is stopped as Ctrl+C stops it."""
        ledger = Ledger(self.long_term.sessions, session=session)
        guild_settings = GuildSettings(self.long_term.sessions)
        stored_authors = StoredAuthors([self.short_term.sessions, self.long_term.sessions])
        consent = Consent(OptOuts(self.long_term.sessions), guild_settings, stored_authors, clock=discord.utils.utcnow)
        watch = AnswerWatch(AnswerChanges(self.long_term.sessions), clock=discord.utils.utcnow)
        async with (
            kept_fresh(consent),
            background_task(watch.run()),
            open_recorder(
                session=session,
                journal_path=self.journal(session),
                not_added_path=self.folder / f"{session}_not_added.csv",
                sessions=self.short_term.sessions,
                embedder=self.embedder,
                batch=64,
                consent=consent,
                on_stored=watch.note_stored,
            ) as recorder,
            open_coverage_writer(ledger, recorder, clock=discord.utils.utcnow) as writer,
        ):
            stored = StoredMessages(self.memory.short_term, self.memory.long_term)
            history = HistoryMemory(ledger=ledger, writer=writer, stored=stored)
            conversations = Conversations(self.long_term.sessions)
            agent = Agent((), memory=self.memory, conversations=conversations, coverage=ledger)
            services = self._services(recorder, agent, history, guild_settings, consent)
            bot = Bot(services)
            async with served(bot, self.fake):
                yield RunningBot(bot, self.fake, recorder, ledger, writer, self.memory, services)

    def journal(self, session: str = "demo") -> Path:
        """Return where a session's CSV is."""
        return self.folder / f"{session}.csv"

    def _services(
        self,
        recorder: Recorder,
        agent: Agent,
        history: HistoryMemory,
        guild_settings: GuildSettings,
        consent: Consent,
    ) -> Services:
        async def about(_: int | None) -> str:
            return "-"

        return Services(
            recorder=recorder,
            asker=agent,
            about=about,
            session=recorder.session,
            time_zones=TimeZones(self.long_term.sessions),
            guild_settings=guild_settings,
            consent=consent,
            time_zone=ZoneInfo("UTC"),
            clock=discord.utils.utcnow,
            history=history,
            answers=AnswerStore(self.long_term.sessions),
            answer_changes=AnswerChanges(self.long_term.sessions),
            lookup=self.memory,
        )
