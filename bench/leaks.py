"""Ask for secrets as every member of random servers, and look who gets to read them, in every edit of every message.

Each channel, thread, private thread and post of a server holds a secret. Members ask for it in public and in private,
in words that name it and in words that fit all of them; in some questions rights change between the answer and its
delivery. Who can read what is decided by discord.py's `permissions_for` over all members that exist, not by the rule of
the bot. The bot, its agent, PostgreSQL and the embedding model are the real ones; Discord is simulated.
"""

import asyncio
import logging
import random
import re
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

import discord
import simcord
import typer
from simcord.results import ResponseMessage

from agent.agent import Agent
from agent.front_end import QuotingAsker
from agent.progress import UNWATCHED, Step, StepKind, Watcher
from agent.types import Answer, Question
from bench.models import shared_model
from bench.processes import PATIENCE, open_workplace
from bench.random_servers import ROOM, TOKEN, Marks, RandomServer, ServerMaker, Spot, people_of
from bench.servers import open_new_database, open_server
from bench.tables import table
from bench.vectors import open_remembering_embedder
from bot import live_answer, members
from bot.answer_buttons import ASK_AGAIN, SEARCH_ALL_TIME, SHOW_REST, SOURCES
from bot.client import Bot
from bot.services import Services
from cli.console import shown_while
from db.config import SHORT_TERM_LAYOUT
from db.databases import LONG_TERM, SHORT_TERM, Database
from memory.capture.recorder import Recorder, open_recorder
from memory.embedding.embedder import Embedder
from memory.guild_settings import GuildSettings
from memory.index.reembed import prepare
from memory.message import Kind, Message
from memory.preferences import TimeZones
from memory.question.parse import ParsedQuestion
from memory.search.memory import Memory
from memory.search_session import searchable_database

PER_SERVER = 250
"""Questions in one server."""

IN_ALL = "in all"

PRIVATE, FOR_OWN, FOR_OTHERS = 0.4, 0.2, 0.5
"""Shares of the questions that are asked in private, for the secret of the place itself, and for that of any place."""

CHANGED = 0.15
"""Share of the questions during which rights change."""

FRESH_FOR = timedelta(milliseconds=100)
"""How long the bot believes what it knows of somebody's roles, in place of a minute: nobody tells it of a change."""

DRAFT_PAUSE = timedelta(milliseconds=5)
"""How long a draft stands: steps and drafts are shown at once, not after a second and a half."""

_SECRET = re.compile(TOKEN + r"[0-9a-f]{8}")
_NAME = re.compile(ROOM + r"[0-9]+x[0-9]+")
_FOR_ALL = (
    "what are the passwords?",
    "which passwords were said today?",
    "how many messages are there about a password?",
    "what was said today?",
    "who said most about passwords?",
    "what are the newest messages?",
)
_READS = discord.Permissions(view_channel=True, read_message_history=True)


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret that somebody was shown who may not read where it was said, or the name of a channel they do not see."""

    question: str
    shown_in: int
    secret: Spot | None
    reader: str
    text: str

    def __str__(self) -> str:
        place = self.secret.place_id if self.secret else "a channel that they do not know of"
        return f"{self.question} in {self.shown_in}: {self.reader} reads of {place}: {self.text!r}"


@dataclass(slots=True)
class Report:
    """What became of the questions."""

    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    secrets_shown: int = 0
    messages_read: int = 0
    offers: int = 0
    leaks: list[Leak] = field(default_factory=list)

    @property
    def questions(self) -> int:
        """How many were asked."""
        return self.asked[IN_ALL]

    def __add__(self, other: Self) -> "Report":
        """Return what became of the questions of both."""
        return Report(
            self.asked + other.asked,
            self.answered + other.answered,
            self.secrets_shown + other.secrets_shown,
            self.messages_read + other.messages_read,
            self.offers + other.offers,
            self.leaks + other.leaks,
        )

    def share(self, kind: str) -> float:
        """Return the share of questions of a kind that could be answered and were."""
        return self.answered[kind] / self.asked[kind] if self.asked[kind] else 0.0


class Readers:
    """Decides who may see and who may read what, over all members of a server, by discord.py."""

    def __init__(self, server: RandomServer, marks: Marks) -> None:
        self._server = server
        self._marks = marks
        self._spots = {spot.place_id: spot for spot in server.spots}
        self._backend = server.env.backend

    @property
    def guild(self) -> discord.Guild:
        """The server as the bot has it."""
        guild = self._server.env.bot.get_guild(self._server.guild.id)
        if guild is None:
            raise LookupError("the bot has not joined the server")
        return guild

    def who_see(self, place_id: int) -> list[discord.Member]:
        """Return the members who see what is sent to a place."""
        return [member for member in people_of(self._server, self.guild) if self.sees(member, place_id)]

    def sees(self, member: discord.Member, place_id: int) -> bool:
        """Return whether a member sees what is sent to a place."""
        given = self._given(member, self._home(place_id))
        return given.view_channel and self._is_let_in(member, place_id, given)

    def may_read(self, member: discord.Member, spot: Spot) -> bool:
        """Return whether a member may read what was said in a place."""
        given = self._given(member, spot.home_id)
        home = self.guild.get_channel(spot.home_id)
        needs_connect = isinstance(home, discord.VoiceChannel | discord.StageChannel)
        return (
            given >= _READS and (given.connect or not needs_connect) and self._is_let_in(member, spot.place_id, given)
        )

    def knows(self, member: discord.Member, name: str) -> bool:
        """Return whether a member sees a channel, by its name, in the list of channels."""
        channels = (channel for channel in self.guild.channels if channel.name == name)
        return any(channel.permissions_for(member).view_channel for channel in channels)

    def fits(self, spot: Spot, shown_in: int) -> bool:
        """Return whether Discord would have asked about age or spoilers where the words of a place are shown."""
        home, source = self._home(shown_in), spot.home_id
        marks = self._marks.fields.get(source, {})
        if home == source or not marks:
            return True
        return bool(marks.get("nsfw") and self._marks.fields.get(home, {}).get("nsfw"))

    def _home(self, place_id: int) -> int:
        return self._backend.get_channel(place_id).permission_channel_id()

    def _given(self, member: discord.Member, home_id: int) -> discord.Permissions:
        channel = self.guild.get_channel(home_id)
        return channel.permissions_for(member) if channel is not None else discord.Permissions.none()

    def _is_let_in(self, member: discord.Member, place_id: int, given: discord.Permissions) -> bool:
        spot = self._spots.get(place_id)
        if spot is None or not spot.is_private_thread:
            return True
        return given.manage_threads or member.id in self._backend.get_channel(place_id).thread_members


class Reading:
    """Reads every message and every edit of the bot's as everybody who can see it, while a question is answered."""

    def __init__(self, env: simcord.Env, report: Report) -> None:
        self._report = report
        self._spots: dict[str, Spot] = {}
        self._readers: Readers | None = None
        self._asker_id = 0
        self._question = ""
        self.shown: set[str] = set()
        """The secrets that the asker got to read since the question was asked."""
        self._listen(env.backend)

    def enter(self, server: RandomServer, marks: Marks) -> Readers:
        """Read in a server from now on."""
        self._readers = Readers(server, marks)
        self._spots = {spot.token: spot for spot in server.spots}
        return self._readers

    def expect(self, asker_id: int, question: str) -> None:
        """Read the answer to a question from now on."""
        self._asker_id, self._question = asker_id, question
        self.shown = set()

    def _listen(self, backend: Any) -> None:
        commit, edit = backend.commit_message, backend.edit_message

        def committed(message: Any, **options: Any) -> Any:
            self._read(message, backend)
            return commit(message, **options)

        def edited(*arguments: Any) -> Any:
            message = edit(*arguments)
            self._read(message, backend)
            return message

        backend.commit_message, backend.edit_message = committed, edited

    def _read(self, message: Any, backend: Any) -> None:
        if message.author_id != backend.bot_user.id or self._readers is None:
            return
        self._report.messages_read += 1
        shown = f"{message.content} {message.components}"
        for token in set(_SECRET.findall(shown)):
            self._report.secrets_shown += 1
            self._judge(token, message)
        for name in set(_NAME.findall(shown)):
            self._judge_name(name, message, self._readers)

    def _judge(self, token: str, message: Any) -> None:
        readers, spot = self._readers, self._spots.get(token)
        if readers is None:
            return
        seeing = readers.who_see(message.channel_id)
        asker = next((one for one in seeing if one.id == self._asker_id), None)
        if message.is_ephemeral:
            seeing = [asker] if asker else []
        for reader in seeing:
            allowed = spot is not None and readers.may_read(reader, spot) and readers.fits(spot, message.channel_id)
            if not allowed:
                leak = Leak(
                    self._question,
                    message.channel_id,
                    spot,
                    reader.name,
                    f"{message.content} {message.components}"[:300],
                )
                self._report.leaks.append(leak)
        if asker is not None:
            self.shown.add(token)

    def _judge_name(self, name: str, message: Any, readers: Readers) -> None:
        seeing = readers.who_see(message.channel_id)
        for reader in seeing:
            if message.is_ephemeral and reader.id != self._asker_id:
                continue
            if not readers.knows(reader, name):
                self._report.leaks.append(Leak(self._question, message.channel_id, None, reader.name, name))


async def nothing() -> None:
    """Change nothing."""


class MeddledAsker:
    """The agent, with something that happens between its answer and the delivery."""

    def __init__(self, agent: QuotingAsker) -> None:
        self._agent = agent
        self.meddle: Callable[[], Awaitable[None]] = nothing

    async def ask(self, question: Question, *, watcher: Watcher = UNWATCHED) -> Answer:
        """Answer, and let it happen once, between two drafts that say all of the answer."""
        answer = await self._agent.ask(question, watcher=watcher)
        meddle, self.meddle = self.meddle, nothing
        for change in (meddle, nothing):
            watcher.draft(answer)
            await asyncio.sleep(DRAFT_PAUSE.total_seconds())
            await change()
            watcher.step(
                Step(kind=StepKind.WRITING, channels=tuple(found.message.channel_name for found in answer.sources))
            )
        return answer

    async def quote(self, question: Question) -> Answer:
        """Quote."""
        return await self._agent.quote(question)

    async def parse(self, question: Question) -> ParsedQuestion:
        """Parse."""
        return await self._agent.parse(question)


class MessagesOnly:
    """Keeps what people say; commands and answers, which are never evidence, cost a bench an embedding each."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        """Record a message of a person's."""
        if message.kind in {Kind.MESSAGE, Kind.SYSTEM}:
            await self._recorder.record(message, patience=patience)

    async def settle(self, *, timeout: timedelta, newest: bool = True) -> bool:
        """Wait until that is searchable."""
        return await self._recorder.settle(timeout=timeout)

    @property
    def progress(self) -> tuple[int, int]:
        """How much of the journal is searchable, and how much there is."""
        return self._recorder.progress

    @property
    def journal_is_failing(self) -> bool:
        """Whether the journal cannot be written just now."""
        return self._recorder.journal_is_failing


class Interrogation:
    """Asks questions in one server after the other."""

    def __init__(
        self, env: simcord.Env, asker: MeddledAsker, recorder: MessagesOnly, *, seed: int, report: Report
    ) -> None:
        self._env = env
        self._asker = asker
        self._recorder = recorder
        self._rng = random.Random(seed)  # noqa: S311 - the same servers and questions for the same seed
        self._report = report
        self._marks = Marks(env)
        self._maker = ServerMaker(env, random.Random(seed + 1), self._marks)  # noqa: S311
        self._reading = Reading(env, report)

    async def ask(self, questions: int) -> None:
        """Make a server and ask this many questions in it."""
        server = self._maker.make()
        readers = self._reading.enter(server, self._marks)
        await self._env.settle()
        if not await self._recorder.settle(timeout=PATIENCE):
            raise TimeoutError("what was said is not searchable yet")
        for _ in range(questions):
            await self._ask_one(server, readers)
            self._report.asked[IN_ALL] += 1
        self._env.backend.http_requests.clear()
        self._env.backend.transcript.clear()

    async def _ask_one(self, server: RandomServer, readers: Readers) -> None:
        rng = self._rng
        people = {member.id: member for member in people_of(server, readers.guild)}
        asker = rng.choice(server.members)
        places = [spot.place_id for spot in server.spots if readers.sees(people[asker.id], spot.place_id)]
        if not places:
            return
        place_id, private = rng.choice(places), rng.random() < PRIVATE
        spot = self._choose(server, place_id)
        text = f"what is the {spot.noun} password?" if spot else rng.choice(_FOR_ALL)
        is_changed = rng.random() < CHANGED
        if is_changed:
            self._asker.meddle = lambda: self._change(server, asker)
        kind = None if spot is None or is_changed else self._kind(people[asker.id], spot, place_id, private, readers)
        self._reading.expect(asker.id, f"{asker.name}{' privately' if private else ''}: {text}")
        result = await asker.slash(server.handle(place_id), "chat", text=text, private=private)
        for message in filter(None, (result.response, *result.followups)):
            await self._press(asker, message)
        self._asker.meddle = nothing
        if kind is not None and spot is not None:
            self._report.asked[kind] += 1
            self._report.answered[kind] += spot.token in self._reading.shown

    def _choose(self, server: RandomServer, place_id: int) -> Spot | None:
        """Return the secret that is asked for: that of the place itself, any other one, or all of them."""
        chance = self._rng.random()
        if chance < FOR_OWN:
            return next(spot for spot in server.spots if spot.place_id == place_id)
        return self._rng.choice(server.spots) if chance < FOR_OWN + FOR_OTHERS else None

    def _kind(self, member: discord.Member, spot: Spot, place_id: int, private: bool, readers: Readers) -> str | None:
        """Return what kind of question it is that could be answered without a leak; None for one that could not."""
        bot_sees = readers.guild.me.guild.get_channel(spot.home_id)
        if bot_sees is None or not bot_sees.permissions_for(readers.guild.me) >= _READS:
            return None
        if not readers.may_read(member, spot) or not readers.fits(spot, place_id):
            return None
        if private:
            return "private, thread" if spot.is_private_thread else "private"
        if all(readers.may_read(one, spot) for one in readers.who_see(place_id)):
            return "public, in its own channel" if spot.place_id == place_id else "public, elsewhere"
        return "public, for the asker alone" if not spot.is_private_thread else None

    async def _press(self, asker: simcord.MemberActor, message: ResponseMessage) -> None:
        """Press every button under a message."""
        labels = [part.get("label") for row in message.components for part in row.get("components", ())]
        for label in {SEARCH_ALL_TIME, SHOW_REST, SOURCES, ASK_AGAIN} & set(labels):
            self._report.offers += label == SHOW_REST
            with suppress(simcord.SetupError):  # who has lost sight of the channel can press nothing there
                await asker.click(message, label=label)

    async def _change(self, server: RandomServer, asker: simcord.MemberActor) -> None:
        self._maker.change(server, asker)
        await asyncio.sleep(1.2 * FRESH_FOR.total_seconds())  # until the bot has heard of it, and forgotten the roles


async def about(_: int | None) -> str:
    """Return nothing in particular."""
    return "-"


@asynccontextmanager
async def open_interrogation(
    short_term: Database, long_term: Database, embedder: Embedder, folder: Path, *, seed: int, report: Report
) -> AsyncGenerator[Interrogation]:
    """Yield the whole bot on a simulated Discord, and somebody who asks it questions."""
    memory = Memory(searchable_database(short_term), searchable_database(long_term), embedder)
    asker = MeddledAsker(Agent((), memory=memory))
    async with open_recorder(
        session="leaks",
        journal_path=folder / "leaks.csv",
        not_added_path=folder / "leaks_not_added.csv",
        sessions=short_term.sessions,
        embedder=embedder,
        batch=64,
    ) as recorder:
        kept = MessagesOnly(recorder)
        services = Services(
            recorder=kept,
            asker=asker,
            about=about,
            session="leaks",
            time_zones=TimeZones(long_term.sessions),
            guild_settings=GuildSettings(long_term.sessions),
            time_zone=ZoneInfo("UTC"),
            clock=discord.utils.utcnow,
        )
        fresh_for, members.FRESH_FOR = members.FRESH_FOR, FRESH_FOR
        times = live_answer.FIRST_AFTER, live_answer.EDIT_GAP
        live_answer.FIRST_AFTER = live_answer.EDIT_GAP = timedelta()
        try:
            async with simcord.run(Bot(services), settle_timeout=PATIENCE.total_seconds()) as env:
                yield Interrogation(env, asker, kept, seed=seed, report=report)
        finally:
            members.FRESH_FOR = fresh_for
            live_answer.FIRST_AFTER, live_answer.EDIT_GAP = times


async def interrogate(questions: int, *, seed: int) -> Report:
    """Ask so many questions of a bot on databases of its own, and return what became of them."""
    report = Report()
    with open_workplace() as place, tempfile.TemporaryDirectory(prefix="backscroll-leaks-") as folder:
        async with (
            open_remembering_embedder(shared_model()) as embedder,
            open_server(place, on_timescale=False) as address_of,
            open_new_database(address_of, name=SHORT_TERM, layout=SHORT_TERM_LAYOUT) as short_term,
            open_new_database(address_of, name=LONG_TERM) as long_term,
        ):
            await embedder.ready()
            for database in (short_term, long_term):
                await prepare(database, embedder)
            opening = open_interrogation(short_term, long_term, embedder, Path(folder), seed=seed, report=report)
            async with opening as interrogation:
                while report.questions < questions:
                    await interrogation.ask(min(PER_SERVER, questions - report.questions))
    return report


def _in_process(questions: int, seed: int) -> Report:
    logging.disable(logging.WARNING)
    return asyncio.run(interrogate(questions, seed=seed))


async def interrogate_at_once(questions: int, *, seed: int, processes: int) -> Report:
    """Share the questions among processes, each with a bot, databases and servers of its own."""
    shares = [len(range(number, questions, processes)) for number in range(processes)]
    seeds = [seed * 1000 + 10 * number for number in range(processes)]
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        running = [
            loop.run_in_executor(pool, _in_process, share, own)
            for share, own in zip(shares, seeds, strict=True)
            if share
        ]
        reports = await asyncio.gather(*running)
    return sum(reports, Report())


def main(
    questions: Annotated[int, typer.Option(min=1, help="How many questions are asked")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same servers and questions for the same seed")] = 1,
    processes: Annotated[int, typer.Option(min=1, max=16, help="How many bots are asked at once")] = 2,
) -> None:
    """Ask, print what became of the questions, and end with status 1 when anything leaked."""
    began = perf_counter()
    report = asyncio.run(shown_while(interrogate_at_once(questions, seed=seed, processes=processes), "Asking"))
    rows: list[list[str | float]] = [
        [kind, report.asked[kind], report.answered[kind], f"{report.share(kind):.1%}"]
        for kind in sorted(report.asked.keys() - {IN_ALL})
    ]
    typer.echo(table(["could be answered", "asked", "answered", "share"], rows))
    typer.echo(
        f"{report.questions} questions in {perf_counter() - began:.0f} s; {report.messages_read} messages and edits"
        f" read, with {report.secrets_shown} secrets; {report.offers} offers of more taken; {len(report.leaks)} leaks"
    )
    for leak in report.leaks[:20]:
        typer.echo(f"LEAK {leak}")
    raise typer.Exit(1 if report.leaks else 0)


if __name__ == "__main__":
    typer.run(main)
