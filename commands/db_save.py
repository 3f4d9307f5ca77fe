"""Promote sources into long-term memory, list and undo batches, and erase a person."""

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import JustifyMethod
from rich.prompt import Confirm, Prompt

from commands.startup import addresses_of, opened_databases, refuse_without_server, running
from db.databases import Database
from db.vector_index import build
from erasure.forgetting import forget
from erasure.rows import known_erasures
from errors import DatabaseUnavailableError, InputFileError, OperatorError, SettingsError
from memory.embedder import Embedder, open_embedder
from memory.zone_names import find_zone
from promotion.batches import Listed, list_batches, promotion_lock
from promotion.chunks import Source
from promotion.detecting import open_source
from promotion.embeddings import known_width
from promotion.promoting import Means, Promoted, difference, promote
from promotion.report import in_words
from promotion.undoing import undo
from sessions import session_folders, session_lock
from settings import Settings
from terminal.columns import in_columns
from terminal.progress import progress_bar, shown_while
from terminal.screen import show
from util_async import PROMOTIONS

_LISTED: dict[str, JustifyMethod] = {
    "batch": "right",
    "source": "left",
    "begun at": "left",
    "added": "right",
    "changed": "right",
    "state": "left",
}
_TIME = "%Y-%m-%d %H:%M"
_NOBODY = "Nobody is here to be asked: name what to promote, as in python db_save.py demo."
_ONE_THING = "--list, --undo, --forget and names of sources do not go together: ask for one of them."


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """The options of db_save.py as they were typed."""

    sources: Sequence[str]
    columns: str
    time_zone: str
    me: int | None
    dry_run: bool
    asks: bool
    index: bool
    batch: int | None
    listing: bool
    user_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Sources, and how they are to be understood."""

    names: Sequence[str]
    mapping: dict[str, str]
    time_zone: ZoneInfo
    me: int | None
    dry_run: bool
    index: bool


def run(line: CommandLine) -> None:
    """Do what a command line asks for; an error that is raised on purpose ends the program with its sentence."""
    with running("db_save") as settings:
        if (line.batch is not None) + line.listing + (line.user_id is not None) + bool(line.sources) > 1:
            raise SettingsError(_ONE_THING)
        if line.listing:
            asyncio.run(_list(settings))
        elif line.batch is not None:
            asyncio.run(_undo(settings, line.batch))
        elif line.user_id is not None:
            _forget(settings, line.user_id, yes=not line.asks)
        else:
            _promote_sources(settings, line)


def _promote_sources(settings: Settings, line: CommandLine) -> None:
    gc.freeze()  # what is imported stays: to look through it for garbage again and again costs a tenth of the time
    request = Request(
        names=line.sources or [_asked(settings.storage_dir)],
        mapping=_mapping(line.columns),
        time_zone=_zone(line.time_zone or settings.time_zone),
        me=line.me,
        dry_run=line.dry_run,
        index=line.index,
    )
    asyncio.run(_promote_all(settings, request, ask=line.asks and not line.sources))


def _mapping(columns: str) -> dict[str, str]:
    """Return their column by ours; raise SettingsError when the option is not written as it should be."""
    pairs = [pair.partition("=") for pair in columns.split(",") if pair.strip()]
    mapping = {ours.strip(): theirs.strip() for ours, _, theirs in pairs}
    if not all(mapping.values()) or len(mapping) < len(pairs):
        raise SettingsError(
            f"--map: {columns!r} is not a list of columns: write it as in author_name=user,content=text, each once."
        )
    return mapping


def _zone(name: str) -> ZoneInfo:
    try:
        return find_zone(name)
    except ValueError as error:
        raise SettingsError(f"--time-zone: {error}") from error


def _asked(storage_dir: Path) -> str:
    """Return the session that somebody at the terminal chooses; the newest stand first."""
    if not sys.stdin.isatty():
        raise OperatorError(_NOBODY)
    folders = session_folders(storage_dir)
    if not folders:
        raise InputFileError(f"There is no session in {storage_dir} yet: name a file, or let the bot run first.")
    names = [folder.name for folder in folders]
    show("\n".join(f"{number:>3}  {name}" for number, name in enumerate(names, 1)))
    answer = Prompt.ask("Which session?", default=names[0])
    return names[int(answer) - 1] if answer.isdecimal() and 0 < int(answer) <= len(names) else answer


def _path_of(name: str, storage_dir: Path) -> Path:
    """Return the path that a name on the command line stands for: a session's folder, or else a file or folder."""
    folder = storage_dir / name
    is_session = Path(name).name == name and folder in session_folders(storage_dir)
    return folder if is_session else Path(name)


async def _promote_all(settings: Settings, request: Request, *, ask: bool) -> None:
    """Promote sources one after the other; each is a batch of its own."""
    sources = [await _source(settings, request, name) for name in request.names]
    async with _opened(settings, make=not request.dry_run) as (short_term, long_term):
        for source in sources:
            for remark in source.remarks:
                show(remark)
            if request.dry_run or ask:
                show(await _difference(settings, request, source, long_term))
            if not request.dry_run and (not ask or Confirm.ask("Promote it?", default=True)):
                await _promote(settings, request, source, short_term, long_term)
        if request.index and not request.dry_run:
            await _index(long_term)


async def _source(settings: Settings, request: Request, name: str) -> Source:
    opening = asyncio.to_thread(
        open_source,
        _path_of(name, settings.storage_dir),
        mapping=request.mapping,
        time_zone=request.time_zone,
        me=request.me,
    )
    return await shown_while(opening, f"Opening {name}")


async def _difference(settings: Settings, request: Request, source: Source, long_term: Database) -> str:
    erasures = await known_erasures(settings.backup_dir, long_term)
    with progress_bar(f"Comparing the {source.title}", unit="B") as report:
        tally = await difference(
            source, long_term, erasures, time_zone=request.time_zone, timeout=settings.db_timeout, report=report
        )
    return in_words(tally, source.title)


async def _promote(
    settings: Settings, request: Request, source: Source, short_term: Database, long_term: Database
) -> None:
    async with _open_embedder(settings, long_term, short_term) as embedder:
        means = Means(
            long_term=long_term,
            short_term=short_term,
            embedder=embedder,
            erasures=await known_erasures(settings.backup_dir, long_term),
            refused_dir=settings.storage_dir / PROMOTIONS,
            timeout=settings.db_timeout,
        )
        try:
            with progress_bar(f"Promoting the {source.title}", unit="B") as report:
                promoted = await promote(source, means, time_zone=request.time_zone, clock=_now, report=report)
        except DatabaseUnavailableError as error:
            raise DatabaseUnavailableError(f"{error}: run this again, it goes on where it was.") from error
    show("\n".join([in_words(promoted.tally, source.title), *_conclusion(promoted)]))


def _conclusion(promoted: Promoted) -> Iterator[str]:
    if promoted.refused_path is not None:
        yield f"Refused records are in {promoted.refused_path}, each with its reason."
    if promoted.promotion_id is None:
        yield "Nothing new: long-term memory is as it was."
        return
    tally, number = promoted.tally, promoted.promotion_id
    yield f"{tally.reused:,} vectors were there already, {tally.embedded:,} were made."
    went_on = ", which had been stopped half-way, and is whole now" if promoted.resumed else ""
    yield f"This is batch {number}{went_on}: python db_save.py --undo {number} takes it out again."


async def _index(long_term: Database) -> None:
    """Build the vector indexes that lack; when that is interrupted, the bot goes on with it."""
    with progress_bar("Indexing the vectors of long-term memory", unit="rows") as report:
        await build(long_term.engine, long_term.layout, report=report)


async def _list(settings: Settings) -> None:
    async with _opened(settings) as (_, long_term):
        batches = await shown_while(list_batches(long_term, timeout=settings.db_timeout), "Counting")
    zone = ZoneInfo(settings.time_zone)
    lines = [_line(one, zone) for one in batches]
    show(in_columns(_LISTED, lines) if lines else "Nothing was promoted yet.")


def _line(one: Listed, zone: ZoneInfo) -> Sequence[str]:
    state = "stopped half-way: run it again" if one.finished_at is None else "whole"
    if one.undone_at is not None:
        state = f"undone at {one.undone_at.astimezone(zone):{_TIME}}"
    begun_at = f"{one.started_at.astimezone(zone):{_TIME}}"
    return f"{one.promotion_id}", one.source, begun_at, f"{one.added:,}", f"{one.changed:,}", state


async def _undo(settings: Settings, promotion_id: int) -> None:
    async with _opened(settings) as (_, long_term), _open_embedder(settings, long_term) as embedder:
        undoing = undo(long_term, promotion_id, embedder=embedder, now=_now(), timeout=settings.db_timeout)
        undone = await shown_while(undoing, f"Undoing batch {promotion_id}")
    show(f"Batch {promotion_id} is undone: {undone.removed:,} messages removed, {undone.put_back:,} put back.")


def _forget(settings: Settings, user_id: int, *, yes: bool) -> None:
    """Erase a person, once somebody at the terminal agrees."""
    if not yes and not sys.stdin.isatty():
        raise OperatorError(f"Nobody is here to agree: python db_save.py --forget {user_id} --yes asks nothing.")
    with session_lock(settings.storage_dir):
        question = f"Erase all that user {user_id} has said, for ever?"
        if yes or Confirm.ask(question, default=False):
            asyncio.run(_erase(settings, user_id))


async def _erase(settings: Settings, user_id: int) -> None:
    async with _opened(settings) as (short_term, long_term), promotion_lock(long_term, timeout=settings.db_timeout):
        with progress_bar(f"Forgetting user {user_id}") as report:
            receipt = await forget(
                user_id,
                short_term=short_term,
                long_term=long_term,
                storage_dir=settings.storage_dir,
                backup_dir=settings.backup_dir,
                now=_now(),
                timeout=settings.db_timeout,
                report=report,
            )
    show(receipt.text())


@asynccontextmanager
async def _open_embedder(settings: Settings, *databases: Database) -> AsyncGenerator[Embedder]:
    """Yield an embedder that loads its model, which takes a third of a gigabyte, only when a text needs it."""
    name = settings.embedding_model
    widths = [await known_width(one, name, timeout=settings.db_timeout) for one in databases]
    width = next(filter(None, widths), None)
    async with open_embedder(name, batch_size=settings.embedding_batch_size, at_once=False, width=width) as embedder:
        yield embedder


@asynccontextmanager
async def _opened(settings: Settings, *, make: bool = False) -> AsyncGenerator[tuple[Database, Database]]:
    """Yield short-term and long-term memory; only to `make` something an embedded server is made that is not there."""
    if not make:
        await refuse_without_server(addresses_of(settings))
    async with opened_databases(settings) as databases:
        yield databases


def _now() -> datetime:
    return datetime.now(UTC)
