"""Open what a session needs, in order, and serve it on Discord or in the terminal."""

import asyncio
import logging
import secrets
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sonyflake import SonyFlake

from agent.agent import Agent
from agent.answer_watch import AnswerWatch
from agent.conversations import Conversations, kept_free_of_stale_turns
from agent.markdown import inline
from agent.models.create import EXTRACTIVE
from agent.models.report import state_line
from agent.trace.keeper import TraceKeeper, kept_traces
from agent.types import Versions
from agent.web.sites import open_sites
from cli.commands.front_end import FrontEnd
from cli.commands.startup import discord_token, model_creators, opened_databases, opened_embedder
from cli.console import progress_bar, show, tell
from cli.heartbeat import heartbeat as beat
from cli.version import version
from db.databases import Database
from db.vector_index import maintain_vector_indexes
from db.word_index import maintain_word_indexes
from memory.about import about
from memory.answers.changes import AnswerChanges
from memory.answers.store import AnswerStore
from memory.answers.traces import TraceStore
from memory.authors import bots_named
from memory.capture.erased import Erased
from memory.capture.import_csv import Imported, import_csv
from memory.capture.members import claimed_shards
from memory.capture.recorder import Recorder, open_recorder
from memory.capture.session import begin_session
from memory.catch_ups import CatchUps
from memory.consent.consent import Consent, kept_fresh
from memory.consent.opt_outs import OptOuts
from memory.consent.stored import StoredAuthors
from memory.coverage.ledger import Ledger
from memory.coverage.writer import CoverageWriter, open_coverage_writer
from memory.decisions import Decisions
from memory.digests import Digests
from memory.embedding.embedder import Embedder
from memory.filters import EVERY_GUILD, Guild
from memory.guild_settings import GuildSettings
from memory.health import Health, answering, last_message_at
from memory.index.reembed import prepare
from memory.message import Message
from memory.personal import PersonalData
from memory.places.writer import PlaceWriter, open_place_writer
from memory.preferences import TimeZones
from memory.reminders import Reminders
from memory.search.memory import Memory
from memory.search.stored import StoredMessages
from memory.search_session import searchable_database
from ops.erasure.ledger import read_items
from ops.erasure.live import LiveErasure, note_unfinished
from ops.erasure.rows import known_erasures
from ops.retention.retain import Retention, kept_within_retention
from overviews.all import Overviews
from overviews.decisions import DecisionList
from settings import Settings
from storage.sessions import ProgramSession, remember_session
from time_expressions.conventions import DateOrder
from util_async import background_task

if TYPE_CHECKING:
    from agent.trace.export import SpanExport
    from bot.services import Services

logger = logging.getLogger(__name__)

_BATCH = 64  # messages that are embedded and written together
_BEAT = timedelta(seconds=15)  # the image's health check waits for four of them
_VECTORS_PATIENCE = timedelta(minutes=10)  # at the end of a pipe; the next start goes on with what is left
_GLANCE = timedelta(seconds=1)  # between two looks at how far an import is stored


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSession:
    """What is open while a session runs."""

    recorder: Recorder
    agent: Agent
    embedder: Embedder
    memory: Memory
    overviews: Overviews
    ledger: Ledger
    coverage: CoverageWriter
    stored: StoredMessages
    databases: tuple[Database, Database]
    models: str
    time_zones: TimeZones
    guild_settings: GuildSettings
    erasing: LiveErasure
    personal: PersonalData
    consent: Consent
    places: PlaceWriter
    time_zone: ZoneInfo
    date_order: DateOrder | None

    async def about(self, guild: Guild) -> str:
        """Return the text of /about for a guild."""
        return await about(
            self.databases,
            guild=guild,
            session=inline(self.recorder.session),
            models=inline(self.models, longest=500),
            journal_progress=self.recorder.progress,
            journal_is_failing=self.recorder.journal_is_failing,
        )

    async def health(self, guild_id: int | None) -> Health:
        """Return how the program is."""
        stored, end = self.recorder.progress
        answers = await answering(self.databases)
        names = [database.name for database in self.databases]
        states = self.agent.model_states
        return Health(
            version=version(),
            models=self.models,
            answering=tuple(name for name in names if name in answers),
            silent=tuple(name for name in names if name not in answers),
            waiting_bytes=max(0, end - stored),
            journal_is_failing=self.recorder.journal_is_failing,
            last_message_at=None
            if guild_id is None
            else await last_message_at(self.databases[0], guild_id, now=_now()),
            language_models=tuple(map(state_line, states)),
            models_rest=any(state.is_on_trial for state in states),
        )


async def serve(settings: Settings, session: ProgramSession, front_end: FrontEnd, csv: Path | None) -> None:
    """Open everything, import a CSV if there is one, then serve until the front end ends; cancelling closes all."""
    async with (
        open_memory(settings) as (databases, embedder),
        claimed_shards(databases[0], settings.discord_shards, timeout=settings.db_timeout),
        open_program(settings, session, databases, embedder, front_end) as program,
    ):
        if csv is not None:
            await _import(csv, program.recorder)
        async with _models_load(program):
            token = None if front_end.in_terminal else discord_token(settings)
            if token is None:
                await _serve_terminal(program, front_end.speaker, front_end.time_zone)
            else:
                await _serve_discord(program, token, settings, front_end.heartbeat)


@asynccontextmanager
async def _models_load(program: RunningSession) -> AsyncGenerator[None]:
    """Load both models and all names while the front end already listens; a model that cannot be loaded ends it.

    Raises an ExceptionGroup with EmbeddingModelError or ChatModelError.
    """
    async with asyncio.TaskGroup() as group:
        loading = [
            group.create_task(program.embedder.ready()),
            group.create_task(program.agent.ready()),
            group.create_task(program.memory.load_names()),
        ]
        try:
            yield
        finally:
            for task in loading:
                task.cancel()


@asynccontextmanager
async def open_memory(settings: Settings) -> AsyncGenerator[tuple[tuple[Database, Database], Embedder]]:
    """Yield both databases, and then the embedder: a start that they refuse need not wait for its packages."""
    async with (
        opened_databases(settings.database) as databases,
        opened_embedder(settings) as embedder,
    ):
        yield databases, embedder


@asynccontextmanager
async def open_program(
    settings: Settings,
    session: ProgramSession,
    databases: tuple[Database, Database],
    embedder: Embedder,
    front_end: FrontEnd,
) -> AsyncGenerator[RunningSession]:
    """Yield what serves a session, ready to record."""
    short_term, long_term = databases
    for database in databases:  # one after the other: Alembic works on one database of a process at a time
        await prepare(database, embedder)
    await asyncio.to_thread(note_unfinished, settings.backup_dir)
    items = await asyncio.to_thread(read_items, settings.backup_dir)
    erased = Erased(await known_erasures(settings.backup_dir, long_term), items.messages, items.channels)
    await begin_session(
        short_term,
        session_name=session.stem,
        journal_path=session.journal_path,
        erased=erased,
        shards=settings.discord_shards,
    )
    remember_session(settings.storage_dir, session)  # only now: a session that is refused is not the current one
    searchable = searchable_database(short_term), searchable_database(long_term)
    memory = Memory(*searchable, embedder)
    guild_settings = GuildSettings(long_term.sessions)
    authors = StoredAuthors([database.sessions for database in databases])
    consent = Consent(OptOuts(long_term.sessions), guild_settings, authors, clock=_now)
    answer_watch = AnswerWatch(AnswerChanges(long_term.sessions), clock=_now)
    async with (
        maintain_word_indexes(database.engine for database in databases if database.capabilities.bm25),
        maintain_vector_indexes((database.engine, database.layout) for database in databases),
        kept_free_of_stale_turns(long_term.sessions, short_term.sessions, clock=_now),
        background_task(answer_watch.run()),
        open_place_writer(long_term.sessions, short_term.sessions) as places,
        kept_fresh(consent),
        open_recorder(
            session=session.stem,
            journal_path=session.journal_path,
            not_added_path=session.not_added_path,
            sessions=short_term.sessions,
            embedder=embedder,
            batch=_BATCH,
            erased=erased,
            consent=consent,
            on_stored=lambda messages: _note_stored(messages, memory, places, answer_watch),
        ) as recorder,
        AsyncExitStack() as stack,
    ):
        places.on_changes.append(lambda changes: memory.note_places(one.now for one in changes if one.has_new_name))
        places.on_resolved.append(memory.note_resolved)
        ledger = Ledger(long_term.sessions, session=session.stem)
        await ledger.begin(journal_end=recorder.progress[1])
        coverage = await stack.enter_async_context(open_coverage_writer(ledger, recorder, clock=_now))
        erasing = LiveErasure(
            short_term=short_term,
            long_term=long_term,
            storage_dir=settings.storage_dir,
            backup_dir=settings.backup_dir,
            timeout=settings.db_timeout,
            running=recorder,
            erased=erased,
            clock=_now,
        )
        await stack.enter_async_context(background_task(erasing.run()))
        retention = Retention(
            *databases, settings.storage_dir, clock=_now, timeout=settings.db_timeout, running=recorder
        )
        await stack.enter_async_context(kept_within_retention(retention))
        overviews = Overviews(
            memory=memory,
            databases=searchable,
            decisions=DecisionList(Decisions(long_term.sessions), memory),
            catch_ups=CatchUps(long_term.sessions),
            not_listed=lambda: consent.rules.not_named,
        )
        exporter = await _exporter(settings)
        keeper = _trace_keeper(settings, long_term, exporter)
        if keeper is not None:
            await stack.enter_async_context(kept_traces(keeper, exporter))
        models = model_creators(settings)
        model_names = ",".join(model.name for model in models) or EXTRACTIVE
        agent = Agent(
            models,
            memory=memory,
            conversations=Conversations(long_term.sessions),
            coverage=ledger,
            config=settings.agent,
            versions=Versions(model=model_names, embedding=embedder.name),
            web=open_sites(settings.web_sites, language=settings.wikipedia_language),
            knowers=overviews.who,
            keep_trace=None if keeper is None else keeper.keep,
        )
        with closing(agent):
            yield RunningSession(
                recorder=recorder,
                agent=agent,
                embedder=embedder,
                memory=memory,
                overviews=overviews,
                ledger=ledger,
                coverage=coverage,
                stored=StoredMessages(*searchable),
                databases=databases,
                models=f"embeddings: {embedder.name}; language model: {model_names}",
                time_zones=TimeZones(long_term.sessions),
                guild_settings=guild_settings,
                consent=consent,
                erasing=erasing,
                personal=PersonalData(short_term.sessions, long_term.sessions, session=session.stem),
                places=places,
                time_zone=front_end.time_zone or ZoneInfo(settings.time_zone),
                date_order=front_end.date_order,
            )


async def _exporter(settings: Settings) -> "SpanExport | None":
    """Return what sends traces to the collector of the settings; None without one."""
    if settings.otel_exporter_otlp_endpoint is None:
        return None

    def load() -> "SpanExport":
        from agent.trace.export import SpanExport  # a second of imports that few need

        return SpanExport(settings.otel_exporter_otlp_endpoint or "")

    return await asyncio.to_thread(load)


def _trace_keeper(settings: Settings, long_term: Database, exporter: "SpanExport | None") -> TraceKeeper | None:
    """Return what keeps and exports traces; None where neither is wanted."""
    if not settings.trace_days and exporter is None:
        return None
    store = TraceStore(long_term.sessions) if settings.trace_days else None
    return TraceKeeper(store, clock=_now, kept_for=timedelta(days=settings.trace_days), exporter=exporter)


def _note_stored(messages: Sequence[Message], *listeners: Memory | PlaceWriter | AnswerWatch) -> None:
    for listener in listeners:
        listener.note_stored(messages)


async def _serve_terminal(program: RunningSession, speaker: str, time_zone: ZoneInfo | None) -> None:
    from terminal.channel import SpeakerZone, TerminalChannel, speaker_id
    from terminal.input import piped_lines, typed_lines

    interactive = sys.stdin.isatty()
    channel = TerminalChannel(
        recorder=program.recorder,
        session=program.recorder.session,
        asker=program.agent,
        overviews=program.overviews.commands,
        about=partial(program.about, EVERY_GUILD),
        places=partial(_all_places, program.memory),
        new_id=_new_ids(),
        clock=_now,
        speaker_zone=SpeakerZone(
            time_zones=program.time_zones,
            speaker_id=speaker_id(speaker),
            default=program.time_zone,
            of_this_run=time_zone,
            clock=_now,
        ),
        speaker=speaker,
        show=show,
        echo=not interactive,
        date_order=program.date_order,
    )
    if interactive:
        await channel.serve(typed_lines(f"{speaker}> "))
        return
    await channel.serve(piped_lines(sys.stdin.fileno()))
    await program.agent.ready()  # a model that its server does not have is told of, whether it was asked or not
    if not program.embedder.loaded:  # else a start for every few lines would never get through the first export
        with progress_bar("Preparing the embedding model, once") as report:
            await program.embedder.ready(report)
    await program.recorder.settle_vectors(timeout=_VECTORS_PATIENCE)


async def _serve_discord(program: RunningSession, token: str, settings: Settings, heartbeat: Path | None) -> None:
    from bot.client import Bot
    from bot.client import serve as serve_discord

    services = discord_services(program, settings, clock=_now)
    bot = Bot(services, server_id=settings.discord_server_id, announce=show, shards=settings.discord_shards)
    async with AsyncExitStack() as stack:
        if heartbeat is not None:
            await stack.enter_async_context(beat(heartbeat, every=_BEAT, healthy=bot.is_connected))
        await serve_discord(bot, token)


def discord_services(program: RunningSession, settings: Settings, *, clock: Callable[[], datetime]) -> "Services":
    """Return what the Discord front end is given of a running program."""
    from bot.history.memory import HistoryMemory
    from bot.layout import AnswerStyle
    from bot.other_bots import OtherBots
    from bot.services import Services

    return Services(
        recorder=program.recorder,
        asker=program.agent,
        about=program.about,
        session=program.recorder.session,
        time_zones=program.time_zones,
        guild_settings=program.guild_settings,
        consent=program.consent,
        erasing=program.erasing,
        personal=program.personal,
        time_zone=program.time_zone,
        clock=clock,
        date_order=program.date_order,
        answer_style=AnswerStyle(settings.answer_style),
        other_bots=OtherBots(bots_named(settings.record_bots)),
        health=program.health,
        privacy_url=settings.privacy_url,
        places=program.places,
        answers=AnswerStore(program.databases[1].sessions),
        answer_changes=AnswerChanges(program.databases[1].sessions),
        lookup=program.memory,
        overviews=program.overviews,
        reminders=Reminders(program.databases[1].sessions),
        digests=Digests(program.databases[1].sessions),
        history=HistoryMemory(
            ledger=program.ledger,
            writer=program.coverage,
            stored=program.stored,
            sweep_at=settings.check_history_at,
        ),
    )


async def _import(csv: Path, recorder: Recorder) -> None:
    """Take a CSV in, without what is erased, and wait until it is searchable."""
    with progress_bar(f"Importing {csv.name}", unit="B") as report:
        imported = await import_csv(csv, recorder, report=report)
    logger.info("%s: %s", csv, imported)
    with progress_bar(f"Storing {csv.name}") as report:
        while not (recorder.database_is_away or await recorder.settle(timeout=_GLANCE)):
            report(*recorder.progress)
    counts = f"{imported.added} lines taken in, {imported.already_there} were there, {imported.refused} refused"
    tell(f"{csv.name}: {counts}.")
    if left_out := _left_out(imported):
        tell(f"Left out: {left_out}.")


def _left_out(imported: Imported) -> str:
    """Return what an import has left out for the sake of people; empty when that was nothing."""
    amounts = (
        (imported.erased, "lines of people who are forgotten"),
        (imported.answers, "answers of the bot that may repeat them"),
        (imported.not_kept, "lines of people who have opted out, of ignored channels or of pauses"),
        (imported.damaged, "damaged lines that may be theirs"),
    )
    return ", ".join(f"{amount} {what}" for amount, what in amounts if amount)


async def _all_places(memory: Memory) -> frozenset[int]:
    from terminal.channel import CHANNEL_ID

    return await memory.all_places() | {CHANNEL_ID}


def _new_ids() -> Callable[[], int]:
    """Return a generator of ids for what has no Discord snowflake; each process counts as a machine of its own."""
    machine = secrets.randbits(16)
    flakes = SonyFlake(machine_id=lambda: machine)
    return lambda: int(flakes.next_id())


def _now() -> datetime:
    return datetime.now(UTC)
