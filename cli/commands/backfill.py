"""Read the past of Discord servers into the current session, without coming online."""

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cli.commands.front_end import FrontEnd
from cli.commands.run import SessionOptions, opened_session
from cli.commands.startup import discord_token
from cli.console import live_bar, progress_bar, show, tell
from cli.logs import write_logs
from cli.options import window_named, zone_named
from cli.script import errors_end_the_script
from errors import DiscordSetupError, RefusedPlaceError, SessionInUseError, SettingsError
from memory.authors import bots_named
from settings import Settings, read_settings
from storage.sessions import ProgramSession, session_lock
from util_async import background_task, run_until_first_ends

if TYPE_CHECKING:
    from bot.history.backfill import Backfill, BackfillRequest
    from bot.history.servers import Server
    from cli.commands.serve import RunningSession

logger = logging.getLogger(__name__)

_NO_TOKEN = "DISCORD_TOKEN is not set: put the token of the bot into .env."  # noqa: S105
_BOT_RUNS = "The bot is running with this storage folder: use /remember backfill on Discord, or stop the bot first."
_STOPPED = "Stopped. What was read is kept: run this again, and it goes on where it was."
_CURRENT_SESSION = SessionOptions(name=None, add_date=None, add_number=None, asks=False)
_DRAW_EVERY = 0.5  # seconds
_GLANCE = timedelta(seconds=1)  # between two looks at how far memory is


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """The options of `main_async.py backfill` as they were typed."""

    server: str
    channel: str
    since: str
    until: str
    again: bool
    time_zone: str


@dataclass(slots=True)
class _Run:
    """Whether all was read, for whoever looks at it after Ctrl+C."""

    has_ended: bool = False


def backfill_memory(options: BackfillOptions) -> None:
    """Read the past until all is read or Ctrl+C; an error that is raised on purpose ends with its sentence."""
    with errors_end_the_script():
        settings = read_settings()
        since, until = _span(settings, options)
        if settings.discord_token is None:
            raise SettingsError(_NO_TOKEN)
        run = _Run()
        try:
            with session_lock(settings.storage_dir), write_logs(settings.storage_dir / "logs"):
                session = opened_session(
                    settings.storage_dir, _CURRENT_SESSION, shards=settings.discord_shards, ask=False
                )
                asyncio.run(run_until_first_ends(_backfill(settings, session, options, since, until, run)))
        except SessionInUseError as error:
            raise SessionInUseError(_BOT_RUNS) from error
        if not run.has_ended:
            tell(_STOPPED)


def _span(settings: Settings, options: BackfillOptions) -> tuple[datetime | None, datetime | None]:
    """Return the time that is wanted; raise SettingsError for what is no time, or the wrong way round."""
    zone = zone_named(options.time_zone or settings.time_zone)
    now = datetime.now(UTC)
    since = window_named(options.since, "--since", now=now, time_zone=zone).start if options.since else None
    until = window_named(options.until, "--until", now=now, time_zone=zone).end if options.until else None
    if since is not None and until is not None and since >= until:
        raise SettingsError(f"--since {options.since!r} is not before --until {options.until!r}: exchange them.")
    return since, until


async def _backfill(
    settings: Settings,
    session: ProgramSession,
    options: BackfillOptions,
    since: datetime | None,
    until: datetime | None,
    run: _Run,
) -> None:
    """Log in first, as a wrong token or name needs no memory; then read one server after the other."""
    from bot.history.backfill import BackfillRequest
    from bot.history.servers import find_channel, find_servers, open_client
    from bot.other_bots import OtherBots
    from cli.commands.serve import open_memory, open_program
    from memory.capture.members import claimed_shards

    token = discord_token(settings) or ""
    async with open_client(token) as client:
        other_bots = OtherBots(bots_named(settings.record_bots))
        found = await find_servers(
            client, options.server or str(settings.discord_server_id or ""), shards=settings.discord_shards
        )
        servers = [replace(server, other_bots=other_bots) for server in found]
        channel_id = None
        if options.channel:
            server, channel_id = find_channel(servers, options.channel)
            servers = [server]
        request = BackfillRequest(channel_id=channel_id, since=since, until=until, again=options.again)
        async with (
            open_memory(settings) as (databases, embedder),
            claimed_shards(databases[0], settings.discord_shards, timeout=settings.db_timeout),
            open_program(settings, session, databases, embedder, _front_end(settings)) as program,
            background_task(embedder.ready()),
        ):
            for server in servers:
                await _read(server, program, request)
            await _settle(program)
    run.has_ended = True


def _front_end(settings: Settings) -> FrontEnd:
    zone = ZoneInfo(settings.time_zone)
    return FrontEnd(in_terminal=True, speaker="", time_zone=zone, date_order=None, heartbeat=None)


async def _read(server: "Server", program: "RunningSession", request: "BackfillRequest") -> None:
    """Read the past of one server with a bar, and print what came of it."""
    from bot.history.backfill import Backfill
    from bot.history.pages import PageReader
    from bot.history.progress import describe, failures
    from bot.places import Places

    places = Places(program.places, clock=_now, guild_of=lambda _: server.guild, rules=lambda: program.consent.rules)
    places.note_known(server.guild)
    history = server.history(learn=places.note_payload)
    pages = PageReader(history, writer=program.coverage, recorder=program.recorder, session=program.recorder.session)
    backfill = Backfill(history, pages, ledger=program.ledger, clock=_now, request=request)
    try:
        async with background_task(_draw(server.name, backfill)):
            await backfill.run()
    except RefusedPlaceError as error:
        raise DiscordSetupError(f"Channel {request.channel_id} cannot be read: {error}.") from error
    finally:
        logger.info("%s: %s", server.name, describe(backfill.progress))
        show("\n".join([f"{server.name}: {describe(backfill.progress)}.", *failures(backfill.progress.passed_over)]))


async def _draw(name: str, backfill: "Backfill") -> None:
    """Keep a bar up to date until cancelled."""
    from bot.history.progress import describe

    with live_bar(f"Reading {name}") as report:
        while True:
            report(describe(backfill.progress), backfill.progress.share)
            await asyncio.sleep(_DRAW_EVERY)


async def _settle(program: "RunningSession") -> None:
    """Wait until what was read can be searched; while the database is away, the next start sees to that."""
    recorder = program.recorder
    with progress_bar("Storing what was read", unit="B") as report:
        while not (recorder.database_is_away or await recorder.settle(timeout=_GLANCE)):
            report(*recorder.progress)


def _now() -> datetime:
    return datetime.now(UTC)
