"""Read the bot's settings and choose its session, then serve it; look at everything; prepare the embedding model."""

import asyncio
import gc
import getpass
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.prompt import Confirm, Prompt

from agent.models import check_chat_model
from cli.console import progress_bar
from cli.logs import write_logs
from cli.options import Options, path_named, zone_named
from cli.script import exit_with_error
from errors import BackscrollError, SettingsError
from settings import Settings, read_settings
from storage.sessions import ProgramSession, choose_session, open_session_folder, remembered_session, session_lock
from util_async import run_until_first_ends


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
    csv: str | None = None
    reembed: bool = False
    heartbeat: str | None = None
    day_first: bool | None = None


def run(line: CommandLine) -> None:
    """Serve a session until Ctrl+C; an error that is raised on purpose ends the program with its sentence."""
    try:
        settings = read_settings()
        if line.heartbeat is not None and (settings.discord_token is None or line.terminal):
            raise SettingsError("--heartbeat shows that Discord is connected: set DISCORD_TOKEN, without --terminal.")
        options = Options(
            terminal=line.terminal,
            speaker=line.speaker or _account_name(),
            time_zone=zone_named(line.time_zone) if line.time_zone else None,
            csv=None if line.csv is None else path_named(line.csv, "--import"),
            reembed=line.reembed,
            heartbeat=None if line.heartbeat is None else path_named(line.heartbeat, "--heartbeat"),
            day_first=line.day_first,
        )
        if options.csv is not None:
            from memory.capture.import_csv import checked_size

            checked_size(options.csv)  # before anything is opened for it
        if not line.reembed:
            _check_language_model(settings)
        with session_lock(settings.storage_dir), write_logs(settings.storage_dir / "logs"):
            chosen = _session(settings.storage_dir, line, ask=sys.stdin.isatty() and line.asks)
            asyncio.run(run_until_first_ends(_serve(settings, chosen, options)))
    except (BackscrollError, BaseExceptionGroup) as error:
        exit_with_error(error)


async def _serve(settings: Settings, session: ProgramSession, options: Options) -> None:
    """Import the rest of the program, which a refusal up to here does without, and serve the session."""
    gc.disable()  # nothing that is imported is garbage, and looking for some takes a tenth of the time
    from cli.commands.serve import serve

    gc.freeze()
    gc.enable()
    await serve(settings, session, options)


def _check_language_model(settings: Settings) -> None:
    """Refuse a wrong name before anything is opened; raise ChatModelError."""
    key = settings.openai_api_key
    check_chat_model(
        settings.llm_model,
        base_url=settings.llm_base_url,
        openai_api_key=key.get_secret_value() if key is not None else None,
    )


def prepare_model() -> None:
    """Load the embedding model, which exports it where that has not been done, and show how far that is."""
    from cli.commands.startup import opened_embedder

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
    from cli.commands.check import consult, refuse
    from cli.commands.startup import addresses_of, chat_model, layouts_of, model_choice, secret_value
    from ops.checks.models import LanguageModel
    from ops.checks.subject import Subject

    try:
        settings = read_settings()
    except SettingsError as error:
        return refuse(error)
    language_model = LanguageModel(
        name=settings.llm_model,
        base_url=settings.llm_base_url,
        openai_api_key=secret_value(settings.openai_api_key),
        hf_token=secret_value(settings.hf_token),
        create=partial(chat_model, settings),
    )
    subject = Subject(
        storage_dir=settings.storage_dir,
        addresses=addresses_of(settings),
        layouts=layouts_of(settings),
        embedding=model_choice(settings),
        language_model=language_model,
        time_zone=ZoneInfo(settings.time_zone),
        discord_token=secret_value(settings.discord_token),
        discord_server_id=settings.discord_server_id,
    )
    return consult(subject, now=datetime.now(UTC))


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
    return current


def _account_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the account may have a number only
        return "me"
