"""Open what a session needs, in order, and serve it on Discord or in the terminal."""

import asyncio
import getpass
import logging
import secrets
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer
from pydantic import SecretStr
from rich.prompt import Confirm, Prompt
from sonyflake import SonyFlake

from agent.agent import Agent, Limits
from agent.chat_models import EXTRACTIVE, check_chat_model, create_chat_model
from agent.conversations import Conversations
from commands.failures import exit_with_error
from commands.startup import addresses_of, layouts_of, model_choice, opened_databases, opened_embedder, revealed
from db.databases import Database
from db.vector_index import build, kept_indexed
from db.word_index import kept_whole
from erasure.ledger import is_erased
from erasure.rows import known_erasures
from errors import BackscrollError, SettingsError
from heartbeat import beating
from logs import write_logs
from memory.census import about
from memory.embedder import Embedder
from memory.importing import checked_size, import_csv
from memory.messages import Message
from memory.preparation import begin_session, prepare
from memory.recorder import Recorder, open_recorder
from memory.reembedding import reembed
from memory.search import Memory
from memory.time_zones import TimeZones
from memory.visit import shelf_of
from memory.zone_names import find_zone
from sessions import (
    ProgramSession,
    choose_session,
    open_session_folder,
    remember_session,
    remembered_session,
    session_lock,
)
from settings import Settings, read_settings
from terminal.progress import progress_bar
from terminal.screen import show
from util_async import run_until_first_ends

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

logger = logging.getLogger(__name__)

_BATCH = 64  # messages that are embedded and written together
_BEAT = timedelta(seconds=15)  # the image's health check waits for four of them
_VECTORS_PATIENCE = timedelta(minutes=10)  # at the end of a pipe; the next start goes on with what is left
_GLANCE = timedelta(seconds=1)  # between two looks at how far an import is stored


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """The options of main_async.py as they were typed."""

    terminal: bool = False
    speaker: str = ""
    time_zone: str = ""
    session: str | None = None
    add_date: bool | None = None
    add_number: bool | None = None
    asks: bool = True
    csv: Path | None = None
    reembed: bool = False
    heartbeat: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for, beside the session."""

    terminal: bool
    speaker: str
    time_zone: ZoneInfo | None
    csv: Path | None
    reembed: bool
    heartbeat: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is open while a session runs."""

    recorder: Recorder
    agent: Agent
    embedder: Embedder
    memory: Memory
    databases: tuple[Database, Database]
    models: str
    time_zones: TimeZones
    time_zone: ZoneInfo

    async def about(self) -> str:
        """Return the text of /about."""
        return await about(self.recorder, self.databases, models=self.models)


def run(line: CommandLine) -> None:
    """Serve a session until Ctrl+C; an error that is raised on purpose ends the program with its sentence."""
    try:
        settings = read_settings()
        if line.heartbeat is not None and (settings.discord_token is None or line.terminal):
            raise SettingsError("--heartbeat shows that Discord is connected: set DISCORD_TOKEN, without --terminal.")
        options = Options(
            terminal=line.terminal,
            speaker=line.speaker or _account_name(),
            time_zone=_zone_of_this_run(line.time_zone),
            csv=line.csv,
            reembed=line.reembed,
            heartbeat=line.heartbeat,
        )
        if line.csv is not None:
            checked_size(line.csv)  # before anything is opened for it
        with session_lock(settings.storage_dir), write_logs(settings.storage_dir / "logs"):
            chosen = _session(settings.storage_dir, line, ask=sys.stdin.isatty() and line.asks)
            asyncio.run(run_until_first_ends(_run(settings, chosen, options)))
    except (BackscrollError, BaseExceptionGroup) as error:
        exit_with_error(error)


def prepare_model() -> None:
    """Load the embedding model, which exports it where that has not been done, and show how far that is."""

    async def load(settings: Settings) -> None:
        async with opened_embedder(settings) as embedder:
            with progress_bar("Preparing the embedding model, once") as report:
                await embedder.ready(report)

    try:
        settings = read_settings()
        with write_logs(settings.storage_dir / "logs" / "prepare"):
            asyncio.run(run_until_first_ends(load(settings)))
    except (BackscrollError, BaseExceptionGroup) as error:
        exit_with_error(error)


def check_everything() -> int:
    """Print a table of all that the settings lead to, and return the exit status."""
    from doctor.consultation import consult, refuse
    from doctor.models import LanguageModel
    from doctor.subject import Subject

    try:
        settings = read_settings()
    except SettingsError as error:
        return refuse(error)
    language_model = LanguageModel(
        name=settings.llm_model,
        base_url=settings.llm_base_url,
        openai_api_key=revealed(settings.openai_api_key),
        hf_token=revealed(settings.hf_token),
        create=partial(_chat_model, settings),
    )
    subject = Subject(
        storage_dir=settings.storage_dir,
        addresses=addresses_of(settings),
        layouts=layouts_of(settings),
        embedding=model_choice(settings),
        language_model=language_model,
        time_zone=ZoneInfo(settings.time_zone),
        discord_token=revealed(settings.discord_token),
        discord_server_id=settings.discord_server_id,
    )
    return consult(subject, now=_now())


def _zone_of_this_run(name: str) -> ZoneInfo | None:
    """Return the time zone that --time-zone names, if it does; raise SettingsError when there is none of that name."""
    try:
        return find_zone(name) if name else None
    except ValueError as error:
        raise SettingsError(f"--time-zone: {error}") from error


def _session(storage_dir: Path, line: CommandLine, *, ask: bool) -> ProgramSession:
    """Return the session to run, its folder open: the current one, or what flags and answers describe."""
    name, add_date, add_number = line.session, line.add_date, line.add_number
    current = remembered_session(storage_dir)
    described = (name, add_date, add_number) != (None, None, None)
    if current is None or described or (ask and not Confirm.ask(f"Keep the session {current.stem}?", default=True)):
        if ask and name is None:
            name = Prompt.ask("Name of the session (empty: a random one)", default="", show_default=False)
        if ask and add_date is None:
            add_date = Confirm.ask("Add today's date to the name?", default=False)
        if ask and add_number is None:
            add_number = Confirm.ask("Add a number?", default=False)
        today = datetime.now().astimezone().date()
        current = choose_session(
            storage_dir, name=name, add_date=bool(add_date), add_number=bool(add_number), today=today
        )
    open_session_folder(current)
    remember_session(storage_dir, current)
    return current


async def _run(settings: Settings, session: ProgramSession, options: Options) -> None:
    """Open everything, then serve until the front end ends; cancelling closes everything again."""
    if options.reembed:
        async with _open_memory(settings) as (databases, embedder):
            await _reembed(databases, embedder, batch=_BATCH)
        return
    check_chat_model(  # before anything is opened: a wrong name is told at once
        settings.llm_model, base_url=settings.llm_base_url, openai_api_key=revealed(settings.openai_api_key)
    )
    async with (
        _open_memory(settings) as (databases, embedder),
        _open_program(
            settings, session, databases, embedder, options.time_zone or ZoneInfo(settings.time_zone)
        ) as program,
    ):
        if options.csv is not None:
            await _import(options.csv, program.recorder, await known_erasures(settings.backup_dir, databases[1]))
        async with _models_load(program):
            if settings.discord_token is None or options.terminal:
                await _serve_terminal(program, options.speaker, options.time_zone)
            else:
                await _serve_discord(program, settings.discord_token, settings.discord_server_id, options.heartbeat)


@asynccontextmanager
async def _models_load(program: Program) -> AsyncGenerator[None]:
    """Load both models while the front end already listens; one that cannot be loaded ends the context.

    Raises an ExceptionGroup with EmbeddingModelError or ChatModelError.
    """
    async with asyncio.TaskGroup() as group:
        loading = [group.create_task(program.embedder.ready()), group.create_task(program.agent.ready())]
        try:
            yield
        finally:
            for task in loading:
                task.cancel()


@asynccontextmanager
async def _open_memory(settings: Settings) -> AsyncGenerator[tuple[tuple[Database, Database], Embedder]]:
    """Yield both databases, and then the embedder: a start that they refuse need not wait for its packages."""
    async with (
        opened_databases(settings) as databases,
        opened_embedder(settings) as embedder,
    ):
        yield databases, embedder


@asynccontextmanager
async def _open_program(
    settings: Settings,
    session: ProgramSession,
    databases: tuple[Database, Database],
    embedder: Embedder,
    time_zone: ZoneInfo,
) -> AsyncGenerator[Program]:
    """Yield what serves a session, ready to record."""
    short_term, long_term = databases
    for database in databases:  # one after the other: Alembic works on one database of a process at a time
        await prepare(database, embedder)
    await begin_session(short_term, session_name=session.stem, journal_path=session.journal_path)
    memory = Memory(shelf_of(short_term), shelf_of(long_term), embedder)
    async with (
        kept_whole(database.engine for database in databases if database.capabilities.bm25),
        kept_indexed((database.engine, database.layout) for database in databases),
        open_recorder(
            session=session.stem,
            journal_path=session.journal_path,
            not_added_path=session.not_added_path,
            sessions=short_term.sessions,
            embedder=embedder,
            batch=_BATCH,
        ) as recorder,
    ):
        yield Program(
            recorder=recorder,
            agent=Agent(
                _model_creator(settings),
                memory=memory,
                conversations=Conversations(long_term.sessions),
                limits=_limits(settings),
            ),
            embedder=embedder,
            memory=memory,
            databases=databases,
            models=f"embeddings: {embedder.name}; language model: {settings.llm_model}",
            time_zones=TimeZones(long_term.sessions),
            time_zone=time_zone,
        )


async def _serve_terminal(program: Program, speaker: str, time_zone: ZoneInfo | None) -> None:
    from terminal.channel import TerminalChannel, speaker_id
    from terminal.lines import piped_lines, typed_lines
    from terminal.time_zones import SpeakerZone

    interactive = sys.stdin.isatty()
    channel = TerminalChannel(
        recorder=program.recorder,
        asker=program.agent,
        about=program.about,
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
    )
    if interactive:
        await channel.serve(typed_lines(f"{speaker}> "))
        return
    await channel.serve(piped_lines(sys.stdin.fileno()))
    if not program.embedder.loaded:  # else a start for every few lines would never get through the first export
        with progress_bar("Preparing the embedding model, once") as report:
            await program.embedder.ready(report)
    await program.recorder.settle_vectors(timeout=_VECTORS_PATIENCE)


async def _serve_discord(program: Program, token: SecretStr, server_id: int | None, heartbeat: Path | None) -> None:
    from bot.client import Bot, serve
    from bot.services import Services

    services = Services(
        recorder=program.recorder,
        asker=program.agent,
        about=program.about,
        session=program.recorder.session,
        time_zones=program.time_zones,
        time_zone=program.time_zone,
        clock=_now,
    )
    bot = Bot(services, server_id=server_id, announce=show)
    async with AsyncExitStack() as stack:
        if heartbeat is not None:
            await stack.enter_async_context(beating(heartbeat, every=_BEAT, healthy=bot.is_connected))
        await serve(bot, token.get_secret_value())


async def _import(csv: Path, recorder: Recorder, erasures: Mapping[int, datetime]) -> None:
    """Take a CSV in, without what is erased, and wait until it is searchable."""

    def erased(message: Message) -> bool:
        return is_erased(erasures, message.author_id, message.sent_at)

    with progress_bar(f"Importing {csv.name}", unit="B") as report:
        imported = await import_csv(csv, recorder, is_erased=erased, report=report)
    logger.info("%s: %s", csv, imported)
    with progress_bar(f"Storing {csv.name}") as report:
        while not (recorder.database_is_away or await recorder.settle(timeout=_GLANCE)):
            report(*recorder.progress)
    counts = f"{imported.added} lines taken in, {imported.already_there} were there, {imported.refused} refused"
    typer.echo(f"{csv.name}: {counts}.", err=True)
    if imported.left_out:
        typer.echo(f"{imported.left_out} lines of people who are forgotten were left out.", err=True)


async def _reembed(databases: tuple[Database, Database], embedder: Embedder, *, batch: int) -> None:
    for database in databases:
        with progress_bar(f"Embedding the {database.name} memory") as report:
            count = await reembed(database, embedder, batch=batch, report=report)
        with progress_bar(f"Indexing the {database.name} memory") as report:
            await build(database.engine, database.layout, report=report)
        typer.echo(f"{database.name} memory: {count} messages embedded with {embedder.name}.", err=True)


async def _all_places(memory: Memory) -> frozenset[int]:
    from terminal.channel import CHANNEL_ID

    return await memory.all_places() | {CHANNEL_ID}


def _model_creator(settings: Settings) -> "Callable[[], BaseChatModel] | None":
    """Return what creates the language model; None for the setting that needs none."""
    return None if settings.llm_model == EXTRACTIVE else partial(_chat_model, settings)


def _chat_model(settings: Settings) -> "BaseChatModel":
    return create_chat_model(
        settings.llm_model,
        base_url=settings.llm_base_url,
        openai_api_key=revealed(settings.openai_api_key),
        hf_token=revealed(settings.hf_token),
        max_tokens=settings.llm_max_tokens,
        timeout=settings.llm_timeout,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        max_steps=settings.llm_max_steps, timeout=settings.llm_timeout, history_tokens=settings.llm_history_tokens
    )


def _account_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the account may have a number only
        return "me"


def _new_ids() -> Callable[[], int]:
    """Return a generator of ids for what has no Discord snowflake; each process counts as a machine of its own."""
    machine = secrets.randbits(16)
    flakes = SonyFlake(machine_id=lambda: machine)
    return lambda: int(flakes.next_id())


def _now() -> datetime:
    return datetime.now(UTC)
