"""Read the bot's settings and choose its session, then serve it."""

import asyncio
import gc
import getpass
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.prompt import Confirm, Prompt

from agent.models.create import check_chat_model
from cli.commands.front_end import FrontEnd
from cli.logs import write_logs
from cli.options import chosen_order, path_named, zone_named
from cli.script import errors_end_the_script
from db.shards import ShardRange
from errors import SettingsError
from settings import Settings, read_settings
from storage.sessions import ProgramSession, choose_session, open_session_folder, remembered_session, session_lock
from util_async import run_until_first_ends


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of `main_async.py run` as they were typed."""

    terminal: bool
    speaker: str
    time_zone: str
    day_first: bool | None
    csv: str | None
    heartbeat: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How the session is named, as far as it was typed, and whether somebody may be asked for the rest."""

    name: str | None
    add_date: bool | None
    add_number: bool | None
    asks: bool


def run_bot(options: RunOptions, named: SessionOptions) -> None:
    """Serve a session until Ctrl+C; an error that is raised on purpose ends the program with its sentence."""
    with errors_end_the_script():
        settings = read_settings()
        front_end = _front_end(settings, options)
        csv = None if options.csv is None else _checked_csv(options.csv)
        _check_language_model(settings)
        with session_lock(settings.storage_dir), write_logs(settings.storage_dir / "logs"):
            asks = sys.stdin.isatty() and named.asks
            session = opened_session(settings.storage_dir, named, shards=settings.discord_shards, ask=asks)
            asyncio.run(run_until_first_ends(_serve(settings, session, front_end, csv)))


def _front_end(settings: Settings, options: RunOptions) -> FrontEnd:
    """Return where the bot talks; raise SettingsError for options that do not go together."""
    in_terminal = options.terminal or settings.discord_token is None
    if options.heartbeat is not None and in_terminal:
        raise SettingsError("--heartbeat shows that Discord is connected: set DISCORD_TOKEN, without --terminal.")
    return FrontEnd(
        in_terminal=in_terminal,
        speaker=options.speaker or _account_name(),
        time_zone=zone_named(options.time_zone) if options.time_zone else None,
        date_order=chosen_order(settings.date_order, day_first=options.day_first),
        heartbeat=None if options.heartbeat is None else path_named(options.heartbeat, "--heartbeat"),
    )


def _checked_csv(text: str) -> Path:
    """Return the CSV to import; it is looked at before anything is opened for it."""
    from memory.capture.import_csv import checked_size

    csv = path_named(text, "--import")
    checked_size(csv)
    return csv


async def _serve(settings: Settings, session: ProgramSession, front_end: FrontEnd, csv: Path | None) -> None:
    """Import the rest of the program, which a refusal up to here does without, and serve the session."""
    gc.disable()  # nothing that is imported is garbage, and looking for some takes a tenth of the time
    from cli.commands.serve import serve

    gc.freeze()
    gc.enable()
    await serve(settings, session, front_end, csv)


def _check_language_model(settings: Settings) -> None:
    """Refuse a wrong name before anything is opened; raise ChatModelError."""
    for model in settings.language_models:
        check_chat_model(model)


def opened_session(storage_dir: Path, named: SessionOptions, *, shards: ShardRange | None, ask: bool) -> ProgramSession:
    """Return the session to run, its folder open: the current one, or what flags and answers describe."""
    name, add_date, add_number = named.name, named.add_date, named.add_number
    suffix = "" if shards is None else shards.suffix
    current = remembered_session(storage_dir)
    if current is not None and not current.name.endswith(suffix):
        current = None  # it is of other shards
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
            storage_dir,
            name=name,
            add_date=bool(add_date),
            add_number=bool(add_number),
            today=today,
            suffix=suffix,
        )
    open_session_folder(current)
    return current


def _account_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the account may have a number only
        return "me"
