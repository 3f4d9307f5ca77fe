"""Promote sources into long-term memory, one after the other."""

import asyncio
import codecs
import gc
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.prompt import Confirm, Prompt

from cli.commands.startup import open_embedder_for, opened_memory
from cli.console import progress_bar, show, shown_while
from cli.options import path_named, zone_named
from cli.script import script_run
from db.databases import Database
from db.vector_index import build
from errors import DatabaseUnavailableError, InputFileError, OperatorError, SettingsError
from ops.erasure.ledger import read_items
from ops.erasure.rows import known_erasures
from ops.promotion.own_answers import OwnAnswers, find_own_answers
from ops.promotion.promote import PromotionResources, PromotionResult, preview, promote
from ops.promotion.records import MessageSource
from ops.promotion.report import describe
from ops.promotion.sources.detect import open_source
from settings import Settings
from storage.session_names import PROMOTIONS
from storage.sessions import session_folders

logger = logging.getLogger(__name__)

_NOBODY = "Nobody is here to be asked: name what to promote, as in python db_save.py demo."


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How sources are to be read, as it was typed."""

    columns: str
    time_zone: str
    me: int | None
    day_first: bool | None
    encoding: str
    author: str
    author_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRequest:
    """Sources, and how they are to be understood."""

    names: Sequence[str]
    mapping: dict[str, str]
    time_zone: ZoneInfo
    me: int | None
    dry_run: bool
    index: bool
    day_first: bool | None
    encoding: str | None
    author: dict[str, str]
    """Who has written a data package that does not tell: `author_id` and `author_name`, as far as given."""


def promote_sources(names: Sequence[str], options: SourceOptions, *, dry_run: bool, asks: bool, index: bool) -> None:
    """Promote what a command line names, or what somebody at the terminal chooses."""
    gc.freeze()  # what is imported stays: to look through it for garbage again and again costs a tenth of the time
    with script_run("db_save") as settings:
        request = PromotionRequest(
            names=names or [_asked(settings.storage_dir)],
            mapping=_mapping(options.columns),
            time_zone=zone_named(options.time_zone or settings.time_zone),
            me=options.me,
            dry_run=dry_run,
            index=index,
            day_first=options.day_first,
            encoding=_encoding(options.encoding),
            author=_author(options),
        )
        asyncio.run(_promote_all(settings, request, ask=asks and not names))


def _mapping(columns: str) -> dict[str, str]:
    """Return their column by ours; raise SettingsError when the option is not written as it should be."""
    pairs = [pair.partition("=") for pair in columns.split(",") if pair.strip()]
    mapping = {ours.strip(): theirs.strip() for ours, _, theirs in pairs}
    if not all(mapping.values()) or len(mapping) < len(pairs):
        raise SettingsError(
            f"--map: {columns!r} is not a list of columns: write it as in author_name=user,content=text, each once."
        )
    return mapping


def _encoding(name: str) -> str | None:
    """Return how the letters of text files are written, None where that is to be found out.

    Raises SettingsError for a name that no encoding of texts has.
    """
    if not name:
        return None
    try:
        encoding = codecs.lookup(name).name
        "".encode(encoding)
    except (LookupError, ValueError) as error:
        raise SettingsError(
            f"--encoding: {name!r} is no encoding: write it as in utf-8, cp1251 or shift_jis."
        ) from error
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _author(options: SourceOptions) -> dict[str, str]:
    given = {
        "author_id": "" if options.author_id is None else str(options.author_id),
        "author_name": options.author.strip(),
    }
    return {name: text for name, text in given.items() if text}


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
    return folder if is_session else path_named(name, name)


async def _promote_all(settings: Settings, request: PromotionRequest, *, ask: bool) -> None:
    """Promote sources one after the other; each is a batch of its own."""
    sources = [await _source(settings, request, name) for name in request.names]
    async with opened_memory(settings.database, make=not request.dry_run) as (short_term, long_term):
        finding = find_own_answers((short_term, long_term), settings.storage_dir, timeout=settings.db_timeout)
        own = await shown_while(finding, "Looking for the bot's own answers")
        for source in sources:
            for remark in source.remarks:
                show(remark)
            if request.dry_run or ask:
                show(await _difference(settings, request, source, long_term, own))
            if not request.dry_run and (not ask or Confirm.ask("Promote it?", default=True)):
                await _promote(settings, request, source, short_term, long_term, own)
        if request.index and not request.dry_run:
            await _index(long_term)


async def _source(settings: Settings, request: PromotionRequest, name: str) -> MessageSource:
    opening = asyncio.to_thread(
        open_source,
        _path_of(name, settings.storage_dir),
        mapping=request.mapping,
        time_zone=request.time_zone,
        me=request.me,
        day_first=request.day_first,
        encoding=request.encoding,
        author=request.author,
    )
    return await shown_while(opening, f"Opening {name}")


async def _difference(
    settings: Settings, request: PromotionRequest, source: MessageSource, long_term: Database, own: OwnAnswers
) -> str:
    erasures = await known_erasures(settings.backup_dir, long_term)
    with progress_bar(f"Comparing the {source.title}", unit="B") as report:
        tally = await preview(
            source,
            long_term,
            erasures,
            time_zone=request.time_zone,
            now=_now(),
            timeout=settings.db_timeout,
            report=report,
            own=own,
            items=await asyncio.to_thread(read_items, settings.backup_dir),
        )
    return describe(tally, source.title, source)


async def _promote(
    settings: Settings,
    request: PromotionRequest,
    source: MessageSource,
    short_term: Database,
    long_term: Database,
    own: OwnAnswers,
) -> None:
    async with open_embedder_for(settings, long_term, short_term) as embedder:
        means = PromotionResources(
            long_term=long_term,
            short_term=short_term,
            embedder=embedder,
            erasures=await known_erasures(settings.backup_dir, long_term),
            items=await asyncio.to_thread(read_items, settings.backup_dir),
            own=own,
            refused_dir=settings.storage_dir / PROMOTIONS,
            timeout=settings.db_timeout,
        )
        try:
            with progress_bar(f"Promoting the {source.title}", unit="B") as report:
                promoted = await promote(source, means, time_zone=request.time_zone, clock=_now, report=report)
        except DatabaseUnavailableError as error:
            raise DatabaseUnavailableError(f"{error}: run this again, it goes on where it was.") from error
    told = "\n".join([describe(promoted.tally, source.title, source), *_conclusion(promoted)])
    for line in told.splitlines():
        logger.info("%s", line)
    show(told)


def _conclusion(promoted: PromotionResult) -> Iterator[str]:
    if promoted.refused_path is not None:
        yield f"Refused records are in {promoted.refused_path}, each with its reason."
    if promoted.promotion_id is None:
        yield "Nothing new: long-term memory is as it was."
        return
    tally, number = promoted.tally, promoted.promotion_id
    yield f"{tally.reused:,} vectors were there already, {tally.embedded:,} were made."
    went_on = ", which had been stopped half-way, and is whole now" if promoted.resumed else ""
    yield f"This is batch {number}{went_on}: python db_save.py undo {number} takes it out again."


async def _index(long_term: Database) -> None:
    """Build the vector indexes that lack; when that is interrupted, the bot goes on with it."""
    with progress_bar("Indexing the vectors of long-term memory", unit="rows") as report:
        await build(long_term.engine, long_term.layout, report=report)


def _now() -> datetime:
    return datetime.now(UTC)
