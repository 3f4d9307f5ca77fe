"""Remove old backups, once those that stay in their place have been read again and are whole."""

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from errors import InputFileError, OperatorError
from ops.backup.catalogue import Backup, list_backups, series_of
from ops.backup.files import remove_folder, writing_lock
from ops.backup.formats import Format
from ops.backup.manifest import DatabaseEntry
from ops.backup.verify import bytes_to_read, check_files, in_thread, note_damage, note_verified, read_again
from util_async import Progress


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How many days and weeks that have backups shall keep one; the newest backup is always kept."""

    daily: int
    weekly: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup as the rule sees it."""

    name: str
    created_at: datetime
    purposes: frozenset[Hashable]
    """What it is there for; one that serves something else does not take its place."""


def expired(backups: Sequence[Backup], rule: RetentionPolicy, time_zone: ZoneInfo) -> list[Backup]:
    """Return the backups that the rule does not keep.

    A folder that was given a name by hand, or was found to be damaged, is always kept, and takes no other's place.
    """
    ours = [backup for backup in backups if is_counted(backup)]
    keep = kept([Kept(one.name, one.manifest.created_at, _purposes(one)) for one in ours], rule, time_zone)
    return [backup for backup in ours if backup.name not in keep]


def relied_on(backups: Sequence[Backup], old: Sequence[Backup]) -> list[Backup]:
    """Return which backups must be whole before the `old` ones may go.

    Of those that stay and serve what an old one serves, these are the newest for each purpose, and all that were never
    verified.
    """
    going = {backup.name for backup in old}
    staying = [backup for backup in backups if is_counted(backup) and backup.name not in going]
    staying.sort(key=lambda one: (one.manifest.created_at, one.name), reverse=True)
    names: set[str] = set()
    for purpose in {purpose for backup in old for purpose in _purposes(backup)}:
        serving = [backup for backup in staying if purpose in _purposes(backup)]
        names |= {backup.name for place, backup in enumerate(serving) if place == 0 or backup.verified is None}
    return [backup for backup in staying if backup.name in names]


def is_counted(backup: Backup) -> bool:
    """Tell whether a backup bears the name that it was made with, and is not known to be damaged."""
    return backup.damage is None and series_of(backup.name) is not None and backup.manifest.name == backup.name


def kept(backups: Iterable[Kept], rule: RetentionPolicy, time_zone: ZoneInfo) -> set[str]:
    """Return the names of those that are kept: for each purpose the last of each day and of each ISO week.

    Only days and weeks that have a backup count, so that nothing goes because the clock does, or is wrong.
    """
    newest_first = sorted(backups, key=lambda one: (one.created_at, one.name), reverse=True)
    names: set[str] = set()
    for purpose in {purpose for one in newest_first for purpose in one.purposes}:
        serving = [one for one in newest_first if purpose in one.purposes]
        names |= {serving[0].name}
        names |= _last_of_each(serving, rule.daily, lambda one: one.created_at.astimezone(time_zone).date())
        names |= _last_of_each(serving, rule.weekly, lambda one: _week(one.created_at.astimezone(time_zone)))
    return names


def _last_of_each(newest_first: Sequence[Kept], count: int, span: Callable[[Kept], Hashable]) -> set[str]:
    """Return the name of the last one in each of the newest spans of time."""
    last: dict[Hashable, str] = {}
    for one in newest_first:
        last.setdefault(span(one), one.name)
    return set(list(last.values())[:count])


def _week(time: datetime) -> tuple[int, int]:
    year, week, _ = time.isocalendar()
    return year, week


def _purposes(backup: Backup) -> frozenset[Hashable]:
    """Return a backup's series with each database that can be restored from it, or only analysed."""
    series = series_of(backup.name)
    return frozenset((series, database.name, _is_restorable(database)) for database in backup.manifest.databases)


def _is_restorable(database: DatabaseEntry) -> bool:
    """Tell whether there is what a restore needs: a dump, or a file of each table."""
    of_tables = [table.files.keys() for table in database.tables]
    return database.dump is not None or any(
        of_tables and all(source in files for files in of_tables) for source in (Format.BINARY, Format.CSV)
    )


logger = logging.getLogger(__name__)

PATIENCE = timedelta(hours=6)
"""How long it may take to read what stays."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """The backups that were removed, and why each of the damaged ones, which are left alone, is damaged."""

    removed: list[Backup]
    damaged: dict[str, str]


async def prune(
    backup_dir: Path, rule: RetentionPolicy, time_zone: ZoneInfo, *, now: datetime, report: Progress, dry_run: bool
) -> Pruned:
    """Remove the backups that the rule does not keep; with `dry_run` only tell which, and change nothing.

    Before anything is removed, the newest backup that stays is read again for each purpose, and so is whatever stays
    without having been verified. What is damaged is noted and does not count: an older one is kept in its place. The
    report hears bytes. Raises OperatorError, with nothing removed, when that takes too long or another process writes
    to the folder.
    """
    with nullcontext() if dry_run else writing_lock(backup_dir):
        reader = _Reader(now, report, notes=not dry_run)
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                old, damaged = await _decide(list_backups(backup_dir).backups, rule, time_zone, reader)
        except TimeoutError as error:
            raise OperatorError(
                f"To read the backups that stay in {backup_dir} took longer than {PATIENCE}, and nothing was removed: "
                "verify them one by one, or remove old ones by hand."
            ) from error
        for backup in [] if dry_run else old:
            await asyncio.to_thread(remove_folder, backup.folder)
            logger.info("%s is removed", backup.folder)
    return Pruned(old, damaged)


async def _decide(
    backups: Sequence[Backup], rule: RetentionPolicy, time_zone: ZoneInfo, reader: "_Reader"
) -> tuple[list[Backup], dict[str, str]]:
    """Return what can go, and what is damaged; nothing is read where nothing can go."""
    known = {backup.name: backup for backup in backups}
    unread = set(known)
    while True:
        old = expired(list(known.values()), rule, time_zone)
        doubtful = [backup for backup in relied_on(list(known.values()), old) if backup.name in unread]
        if not doubtful:
            return old, {name: backup.damage for name, backup in known.items() if backup.damage is not None}
        for backup, damage in zip(doubtful, await reader.read(doubtful), strict=True):
            known[backup.name] = replace(backup, damage=damage)
            unread.remove(backup.name)


@dataclass(slots=True)
class _Reader:
    """Reads backups again and notes what it finds, unless nothing shall be changed."""

    now: datetime
    report: Progress
    notes: bool
    done: int = field(default=0, init=False)

    async def read(self, backups: Sequence[Backup]) -> list[str | None]:
        """Return what is wrong with each."""
        total = self.done + sum(map(_bytes_of, backups))
        found = []
        for backup in backups:
            found.append(await self._read(backup, partial(self._hear, self.done, total)))
            self.done += _bytes_of(backup)
            self.report(self.done, total)
        return found

    def _hear(self, before: int, total: int, done: int, _: int) -> None:
        self.report(before + done, total)

    async def _read(self, backup: Backup, heard: Progress) -> str | None:
        try:
            if backup.verified is None:
                await read_again(backup.folder, backup.manifest, heard)
            else:
                await in_thread(partial(check_files, backup.folder, backup.manifest), heard)
        except InputFileError as error:
            logger.warning("%s is damaged, and does not count: %s", backup.name, error)
            if self.notes:
                note_damage(backup.folder, str(error), now=self.now)
            return str(error)
        if self.notes and backup.verified is None:
            note_verified(backup.folder, now=self.now, restored=False)
        return None


def _bytes_of(backup: Backup) -> int:
    return bytes_to_read(backup.manifest) if backup.verified is None else backup.manifest.size
