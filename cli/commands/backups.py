"""Create, list, verify, restore and prune backups, as command lines ask for."""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import JustifyMethod
from rich.prompt import Confirm, Prompt

from cli.commands.backup_list import LISTED, line_of
from cli.commands.startup import opened_databases, opened_memory
from cli.console import in_columns, progress_bar, show, shown_while
from cli.options import Compression, Which, Written
from cli.script import script_run
from db.databases import LONG_TERM, SHORT_TERM, Database
from db.table_copy import TableComparison
from db.vector_index import build
from errors import DatabaseUnavailableError, InputFileError, OperatorError, SettingsError
from memory.capture.members import refuse_while_running
from memory.embedding.prompts import identity_of
from ops.backup.catalogue import Backup, find_backup, valid_name
from ops.backup.create import BackupPlan, create, run_every
from ops.backup.empty_short_term import empty_short_term
from ops.backup.formats import Format
from ops.backup.restore import Restored, entry_of, restore, secure_session, verify_by_restoring
from ops.backup.retention import RetentionPolicy, prune
from ops.backup.session_files import go_on_with_session, refuse_damaged_session
from ops.backup.verify import note_damage, note_verified, verify
from ops.erasure.ledger import read_items
from ops.erasure.rows import known_erasures
from ops.promotion.history import promotion_lock
from ops.retention.rows import cutoffs_of, erase_old_rows
from settings import Settings
from storage.sessions import remembered_session, session_lock
from util_async import run_until_first_ends

logger = logging.getLogger(__name__)

_COMPARED: dict[str, JustifyMethod] = {
    "database": "left",
    "format": "left",
    "table": "left",
    "rows in the backup": "right",
    "rows restored": "right",
    "contents": "left",
}
_RESTORABLE = (Format.BINARY, Format.CSV, Format.DUMP)  # the fastest first
_SHORTEST = timedelta(minutes=1)
_NOBODY = (
    "Nobody is here to be asked: say what to do, as in python backups.py create --database both --format csv "
    "--name backup; python backups.py --help lists all commands."
)


@dataclass(frozen=True, slots=True)
class CreateOptions:
    """The options of `backups.py create` as they were typed."""

    which: Which
    written: Sequence[Written]
    name: str
    compress: Compression
    empty: bool
    verifies: bool
    every: str
    daily: int | None
    weekly: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRequest:
    """A backup that is asked for, and what is to be done when it is there."""

    which: Which
    plan: BackupPlan
    verifies: bool
    empties: bool = False


def ask_and_create() -> None:
    """Make the backup that somebody at the terminal asks for."""
    with script_run("backups") as settings:
        _create_once(settings, _asked())


def create_backups(options: CreateOptions) -> None:
    """Make a backup, or one after the other, as a command line asks for."""
    plan = BackupPlan(
        name=options.name, formats=_formats(options.written), compress=options.compress is Compression.ZSTD
    )
    request = BackupRequest(which=options.which, plan=plan, verifies=options.verifies, empties=options.empty)
    with script_run("backups") as settings:
        valid_name(options.name)
        if not options.every:
            if options.daily is not None or options.weekly is not None:
                raise SettingsError(
                    "--keep-daily and --keep-weekly go with --every: python backups.py prune has them too."
                )
            _create_once(settings, request)
            return
        if options.empty:
            raise SettingsError("--every does not go with --empty-short-term, for which the bot must be stopped.")
        keeps_all = options.daily is None and options.weekly is None
        rule = None if keeps_all else RetentionPolicy(options.daily or 0, options.weekly or 0)
        asyncio.run(_create_every(settings, request, _interval(options.every), rule))


def verify_backup(name: str, *, restores: bool) -> None:
    """Read a backup again, and restore it into databases that are dropped then when it `restores`."""
    with script_run("backups") as settings:
        backup = find_backup(settings.backup_dir, name)
        asyncio.run(_verify(settings, backup, restores=restores))


def restore_backup(name: str, *, which: Which | None, source: Format | None, asks: bool, index: bool) -> None:
    """Replace what the databases hold by what they held then."""
    with script_run("backups") as settings, session_lock(settings.storage_dir):
        backup = find_backup(settings.backup_dir, name)
        _refuse_damaged(backup)
        names = _to_restore(backup, which)
        chosen = _source(backup, source)
        if not asks or _is_agreed(backup, names):
            asyncio.run(_restore(settings, backup, names, chosen, index=index))


def prune_backups(*, daily: int | None, weekly: int | None, dry_run: bool) -> None:
    """Remove the backups that no day or week keeps, or only print their names."""
    with script_run("backups") as settings:
        if daily is None and weekly is None:
            raise SettingsError("Say how many to keep, as in python backups.py prune --keep-daily 7 --keep-weekly 4.")
        asyncio.run(_prune(settings, RetentionPolicy(daily or 0, weekly or 0), dry_run=dry_run))


def _names_of(which: Which) -> list[str]:
    """Return the names that the databases have elsewhere."""
    return {Which.SHORT: [SHORT_TERM], Which.LONG: [LONG_TERM]}.get(which, [SHORT_TERM, LONG_TERM])


def _formats(written: Iterable[Written]) -> list[Format]:
    """Return what is written, each format once."""
    both = [Format.CSV, Format.DUMP]
    formats = (one for choice in written for one in (both if choice is Written.BOTH else [Format(choice.value)]))
    return list(dict.fromkeys(formats))


def _now(settings: Settings) -> datetime:
    return datetime.now(ZoneInfo(settings.time_zone))


def _asked() -> BackupRequest:
    """Return the backup that somebody at the terminal asks for."""
    if not sys.stdin.isatty():
        raise OperatorError(_NOBODY)
    which = Which(Prompt.ask("Which database?", choices=[*Which], default=Which.BOTH.value))
    written = Written(Prompt.ask("CSV, dump or both?", choices=["csv", "dump", "both"], default="csv"))
    name = valid_name(Prompt.ask("Name of the backup", default="backup"))
    empties = Confirm.ask("Empty the short-term table afterwards?", default=False)
    return BackupRequest(
        which=which, plan=BackupPlan(name=name, formats=_formats([written])), verifies=True, empties=empties
    )


def _interval(text: str) -> timedelta:
    """Return the time between two backups; raise SettingsError when it is none."""
    import pandas as pd  # only here: it takes more memory than a whole backup

    try:
        interval = pd.Timedelta(text)
    except ValueError as error:
        raise SettingsError(f"--every: {text!r} is not a length of time such as 24h or 30min.") from error
    if not interval >= _SHORTEST:  # of something that is no time at all nothing is true
        raise SettingsError(f"--every: {text!r} is less than a minute, write it with its unit as in 24h.")
    return interval.to_pytimedelta()


def _create_once(settings: Settings, request: BackupRequest) -> None:
    if request.empties and not request.verifies:
        raise SettingsError("--empty-short-term needs a backup that was read again: leave --no-verify out.")
    with session_lock(settings.storage_dir) if request.empties else nullcontext():
        asyncio.run(_create(settings, request))


async def _create_every(
    settings: Settings, request: BackupRequest, interval: timedelta, rule: RetentionPolicy | None
) -> None:
    """Make backups, and remove old ones after each, until a signal comes."""

    async def work() -> None:
        await _create(settings, request)
        if rule is not None:
            await _prune(settings, rule, dry_run=False, says_nothing=True)

    logger.info("a backup is made every %s", interval)
    await run_until_first_ends(run_every(interval, work, now=lambda: datetime.now(UTC)))


async def _create(settings: Settings, request: BackupRequest) -> None:
    async with _opened(settings, _names_of(request.which), made=True) as databases:
        backup = await _back_up(settings, request, databases)
    if request.verifies:
        backup = await _read_again(settings, backup)
    show(in_columns(LISTED, [line_of(backup, ZoneInfo(settings.time_zone))]))
    if request.empties:
        await _empty(settings, backup)


async def _back_up(settings: Settings, request: BackupRequest, databases: Sequence[Database]) -> Backup:
    with progress_bar("Backing up", unit="rows") as report:
        try:
            return await create(
                databases,
                request.plan,
                session=remembered_session(settings.storage_dir),
                backup_dir=settings.backup_dir,
                now=_now(settings),
                timeout=settings.db_timeout,
                report=report,
            )
        except DatabaseUnavailableError as error:
            raise DatabaseUnavailableError(f"{error}: there is no backup, run it again when it answers.") from error


async def _read_again(settings: Settings, backup: Backup) -> Backup:
    with progress_bar(f"Reading {backup.name} again", unit="B") as report:
        verified = await verify(backup.folder, backup.manifest, now=_now(settings), report=report)
        return replace(backup, verified=verified, damage=None)


async def _empty(settings: Settings, backup: Backup) -> None:
    """Empty short-term memory, of which every row has to be in the backup or in long-term memory."""
    holds_it = SHORT_TERM in {one.name for one in backup.manifest.databases}
    async with opened_databases(settings.database) as (short_term, long_term):
        await refuse_while_running(short_term)
        held = (backup.folder, backup.manifest) if holds_it else None
        count = await empty_short_term(short_term, long_term, held, timeout=settings.db_timeout)
    show(f"Short-term memory is empty, of {count:,} messages.")


async def _verify(settings: Settings, backup: Backup, *, restores: bool) -> None:
    read = await _read_again(settings, backup)
    if restores:
        await _verify_by_restoring(settings, backup)
        read = replace(read, verified=note_verified(backup.folder, now=_now(settings), restored=True), damage=None)
    show(in_columns(LISTED, [line_of(read, ZoneInfo(settings.time_zone))]))


async def _verify_by_restoring(settings: Settings, backup: Backup) -> None:
    """Restore each database from each format beside where it is; raise InputFileError when that gives other rows."""
    sources = [one for one in _RESTORABLE if one in backup.manifest.formats]
    if not sources:
        raise InputFileError(f"{backup.name} is there for analysis, nothing is restored from it: leave --restore out.")
    rows: list[tuple[str, Format, TableComparison]] = []
    async with _opened(settings, [one.name for one in backup.manifest.databases]) as databases:
        for database in databases:
            for source in sources:
                with progress_bar(f"Restoring the {database.name} database from {source}", unit="B") as report:
                    compared = await verify_by_restoring(
                        backup.folder,
                        backup.manifest,
                        database,
                        source=source,
                        timeout=settings.db_timeout,
                        report=report,
                    )
                rows += [(database.name, source, one) for one in compared]
    show(_compared(rows))
    if not all(one.is_equal for _, _, one in rows):
        damage = f"{backup.name} does not restore to what was backed up: take another backup."
        note_damage(backup.folder, damage, now=_now(settings))
        raise InputFileError(damage)


async def _restore(settings: Settings, backup: Backup, names: Sequence[str], source: Format, *, index: bool) -> None:
    rows: list[tuple[str, Format, TableComparison]] = []
    async with (
        opened_databases(settings.database) as (short_term, long_term),
        promotion_lock(long_term, timeout=settings.db_timeout),
    ):
        await refuse_while_running(short_term)
        if SHORT_TERM in names:
            await _make_safe_to_replace(settings, backup, short_term, long_term)
        for database in (long_term, short_term):  # in this order: long-term memory knows who was forgotten
            if database.name in names:
                restored = await _restore_one(settings, backup, database, long_term, source)
                rows += [(database.name, source, one) for one in restored.tables]
                if restored.erased:
                    show(f"{restored.erased.messages:,} messages of people who are forgotten were left out.")
                if database.name == SHORT_TERM:
                    await _go_on(settings, backup, database, long_term)
        show(_compared(rows))
        await _erase_old(settings, [one for one in (short_term, long_term) if one.name in names], long_term)
        for database in (long_term, short_term):
            if index and database.name in names:
                with progress_bar(f"Indexing the vectors of the {database.name} database", unit="rows") as report:
                    await build(database.engine, database.layout, report=report)


async def _erase_old(settings: Settings, restored: Sequence[Database], long_term: Database) -> None:
    """Leave out of what was restored what servers do not want to be kept any longer."""
    cutoffs = await cutoffs_of(long_term, now=_now(settings))
    if erased := await erase_old_rows(restored, cutoffs, long_term=long_term):
        show(f"{erased:,} messages that their servers do not want to be kept any longer were left out.")


async def _make_safe_to_replace(settings: Settings, backup: Backup, short_term: Database, long_term: Database) -> None:
    """Write back what only short-term memory has; raise OperatorError when that, or going on afterwards, cannot be."""
    await refuse_damaged_session(backup.folder, backup.manifest, storage_dir=settings.storage_dir)
    entry = entry_of(backup.folder, backup.manifest, SHORT_TERM)
    erasures = await known_erasures(settings.backup_dir, long_term)
    await secure_session(
        short_term,
        entry,
        settings.storage_dir,
        erasures=erasures,
        items=await asyncio.to_thread(read_items, settings.backup_dir),
        timeout=settings.db_timeout,
    )


async def _go_on(settings: Settings, backup: Backup, short_term: Database, long_term: Database) -> None:
    """Let the next start go on with the session that is restored, and say what has changed for that."""
    going = await go_on_with_session(
        backup.folder,
        backup.manifest,
        short_term,
        storage_dir=settings.storage_dir,
        erasures=await known_erasures(settings.backup_dir, long_term),
        items=await asyncio.to_thread(read_items, settings.backup_dir),
    )
    for path in going.written:
        show(f"{path} is back.")
    if going.session is not None and going.before not in {None, going.session}:
        show(
            f"The next start goes on with the session {going.session.stem}, as short-term memory does "
            f"(before: {going.before.stem})."
        )


async def _restore_one(
    settings: Settings, backup: Backup, database: Database, long_term: Database, source: Format
) -> Restored:
    """Restore one database, and make its words searchable."""
    entry = entry_of(backup.folder, backup.manifest, database.name)
    with progress_bar(f"Restoring the {database.name} database", unit="B") as report:
        try:
            restored = await restore(
                backup.folder,
                backup.manifest,
                database,
                source=source,
                erasures=await known_erasures(settings.backup_dir, long_term),
                items=await asyncio.to_thread(read_items, settings.backup_dir),
                dimensions=entry.dimensions,
                model=await asyncio.to_thread(identity_of, settings.embedding),
                timeout=settings.db_timeout,
                report=report,
            )
        except DatabaseUnavailableError as error:
            raise DatabaseUnavailableError(
                f"{error}: the {database.name} database holds what it held before, restore again when it answers."
            ) from error
    migrated = database.migrate(dimensions=entry.dimensions)
    await shown_while(migrated, f"Indexing the words of the {database.name} database")
    return restored


@asynccontextmanager
async def _opened(settings: Settings, names: Iterable[str], *, made: bool = False) -> AsyncGenerator[list[Database]]:
    """Yield some of the databases; an embedded server has to be `made` already, or else is made."""
    async with opened_memory(settings.database, make=not made) as both:
        yield [one for one in both if one.name in names]


def _to_restore(backup: Backup, which: Which | None) -> list[str]:
    """Return the databases that are restored; raise InputFileError when the backup lacks one that is asked for."""
    held = [one.name for one in backup.manifest.databases]
    wanted = held if which is None else _names_of(which)
    for name in wanted:
        if name not in held:
            raise InputFileError(f"{backup.name} does not hold the {name} database: leave --database out.")
    return wanted


def _refuse_damaged(backup: Backup) -> None:
    """Raise InputFileError for a backup that was found to be damaged."""
    if backup.damage is not None:
        raise InputFileError(
            f"{backup.name} failed to verify ({backup.damage.rstrip('.')}): restore another one, or mend it and run "
            f"python backups.py verify {backup.name}."
        )


def _source(backup: Backup, wanted: Format | None) -> Format:
    """Return the format that is restored from; raise InputFileError when the backup has none that will do."""
    there = [one for one in _RESTORABLE if one in backup.manifest.formats]
    if not there or wanted not in {None, *there}:
        raise InputFileError(
            f"{backup.name} cannot be restored from {wanted or Format.PARQUET}: "
            f"it has {', '.join(there) or 'nothing else'}."
        )
    return wanted or there[0]


def _is_agreed(backup: Backup, names: Sequence[str]) -> bool:
    """Ask whether the databases shall really be replaced; raise OperatorError when there is nobody to ask."""
    if not sys.stdin.isatty():
        raise OperatorError(
            f"A restore replaces all that the {' and the '.join(names)} database hold: say --yes if that is meant."
        )
    return Confirm.ask(f"Replace all that the {' and the '.join(names)} database hold by {backup.name}?", default=False)


async def _prune(settings: Settings, rule: RetentionPolicy, *, dry_run: bool, says_nothing: bool = False) -> None:
    """Remove what the rule does not keep, or only print it; where that is nothing, that is said as well or not."""
    zone = ZoneInfo(settings.time_zone)
    with progress_bar("Reading the backups that stay", unit="B") as report:
        pruned = await prune(settings.backup_dir, rule, zone, now=_now(settings), report=report, dry_run=dry_run)
    lines = [f"{'would be removed' if dry_run else 'removed'}: {backup.name}" for backup in pruned.removed]
    lines += [f"{name} is left alone and does not count. {damage}" for name, damage in pruned.damaged.items()]
    if not pruned.removed and not says_nothing:
        lines.insert(0, "Nothing would be removed." if dry_run else "Nothing was removed.")
    if lines:
        show("\n".join(lines))


def _compared(rows: Iterable[tuple[str, Format, TableComparison]]) -> str:
    return in_columns(
        _COMPARED,
        [
            (name, source, one.table, f"{one.there.rows:,}", f"{one.here.rows:,}", _contents(one))
            for name, source, one in rows
        ],
    )


def _contents(one: TableComparison) -> str:
    return "equal" if one.is_equal else "DIFFERENT"
