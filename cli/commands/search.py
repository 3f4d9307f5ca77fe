"""Search both memories for a question, and print what was found."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cli.commands.startup import opened_databases, opened_embedder
from cli.console import progress_bar, show
from cli.logs import write_logs
from cli.options import chosen_order, zone_named
from cli.script import errors_end_the_script
from errors import SessionError, SettingsError
from memory.index.reembed import prepare
from memory.question.namesakes import no_such_channels
from memory.question.parse import LONGEST_QUESTION, ParsedQuestion, parse_question
from memory.search.memory import Memory
from memory.search.results import SearchResult
from memory.search_session import searchable_database
from settings import Settings, read_settings
from storage.sessions import remembered_session
from terminal.channel import CHANNEL_ID
from terminal.rendering import render_excerpts
from time_expressions.conventions import OURS, DateOrder, date_order
from time_expressions.format import spoken_windows

_INCOMPLETE = "Not all names of channels and people were known in time: one that the question names may be overlooked."


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """The options of `main_async.py search` as they were typed."""

    now: str
    time_zone: str
    day_first: bool | None
    limit: int
    session: str
    explain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What is asked, when and on which clock."""

    text: str
    now: datetime
    time_zone: ZoneInfo
    date_order: DateOrder
    limit: int
    explain: bool


def search_memory(text: str, options: SearchOptions) -> None:
    """Answer a question; an error that is raised on purpose ends the program with its sentence."""
    with errors_end_the_script():
        settings = read_settings()
        question = _question(settings, text, options)
        _check_session(settings, options.session)
        with write_logs(settings.storage_dir / "logs" / "search"):  # the bot may be writing its own
            if options.explain:
                logging.getLogger("memory.search.planner").setLevel(logging.DEBUG)
            show(asyncio.run(_answer(settings, question)))


def _question(settings: Settings, text: str, options: SearchOptions) -> SearchRequest:
    """Return the question that the command line describes; raise SettingsError when it cannot be understood."""
    if not text.strip():
        raise SettingsError('The question is empty: write one, such as "what did Ana say last Tuesday?".')
    if len(text) > LONGEST_QUESTION:
        raise SettingsError(f"The question has {len(text)} characters: ask in {LONGEST_QUESTION} or fewer.")
    if options.limit < 1:
        raise SettingsError(f"--limit: {options.limit} messages cannot be found, ask for 1 or more.")
    zone = zone_named(options.time_zone or settings.time_zone)
    chosen = chosen_order(settings.date_order, day_first=options.day_first)
    return SearchRequest(
        text=text,
        now=_moment(options.now, zone),
        time_zone=zone,
        date_order=date_order(locale=None, time_zone=zone, setting=chosen),
        limit=options.limit,
        explain=options.explain,
    )


def _moment(now: str, time_zone: ZoneInfo) -> datetime:
    """Return the moment that --now means, on the asker's clock unless it names another."""
    if not now:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(now)
        return (moment if moment.tzinfo else moment.replace(tzinfo=time_zone)).astimezone(time_zone)
    except (ValueError, OverflowError) as error:  # the first and the last year end within a day in some zones
        raise SettingsError(f"--now: {now!r} is not an ISO date and time such as 2026-11-21T10:00.") from error


def _check_session(settings: Settings, name: str) -> None:
    """Raise SessionError when another session than the one that is asked for is the current one."""
    current = remembered_session(settings.storage_dir)
    if name and (current is None or name not in {current.name, current.stem}):
        held = f"is {current.stem}" if current else "does not exist yet"
        raise SessionError(
            f"The current session {held}: leave --session out, or start {name} with python main_async.py --session."
        )


async def _answer(settings: Settings, question: SearchRequest) -> str:
    async with _open_memory(settings) as memory:
        places = await memory.all_places() | {CHANNEL_ID}
        asked = await parse_question(
            question.text,
            places=places,
            here=CHANNEL_ID,
            now=question.now,
            time_zone=question.time_zone,
            memory=memory,
            conventions=OURS.in_order(question.date_order),
        )
        findings = await _find(memory, asked, question.limit)
    parts = [
        _searched(asked, question),
        *([no_such_channels(asked.unknown)] if asked.unknown else []),
        *asked.namesakes,
        *([] if asked.complete else [_INCOMPLETE]),
        render_excerpts(findings, question.time_zone),
    ]
    if question.explain:
        parts += [str(plan) for plan in findings.plans] or ["Read in time order, without a plan."]
    return "\n\n".join(parts)


async def _find(memory: Memory, asked: ParsedQuestion, limit: int) -> SearchResult:
    if asked.topic:
        return await memory.search(
            asked.topic, places=asked.places, windows=asked.windows, authors=asked.authors, limit=limit
        )
    newest = asked.selection is not None and asked.selection.newest
    return await memory.list_messages(
        places=asked.places, windows=asked.windows, authors=asked.authors, limit=limit, newest=newest
    )


def _searched(asked: ParsedQuestion, question: SearchRequest) -> str:
    windows = spoken_windows(asked.windows, time_zone=question.time_zone)
    ordered = f" ({question.date_order.replace('-', ' ')})" if any(time.order_mattered for time in asked.times) else ""
    return f"searched {windows or 'all time'}{ordered}"


@asynccontextmanager
async def _open_memory(settings: Settings) -> AsyncGenerator[Memory]:
    """Yield both memories, as the bot sees them; it may be running."""
    async with (
        opened_databases(settings.database) as databases,
        opened_embedder(settings) as embedder,
    ):
        for database in databases:
            await prepare(database, embedder)
        with progress_bar("Loading the embedding model") as report:
            await embedder.ready(report)
        short_term, long_term = databases
        yield Memory(searchable_database(short_term), searchable_database(long_term), embedder)
