"""Remove old backups, once those that stay in their place have been read again and are whole."""

import asyncio
import logging
from collections.abc import Callable, Hashable, Sequence
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

logger = logging.getLogger(__name__)

PATIENCE = timedelta(hours=6)
"""How long it may take to read what stays."""


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How many days and weeks that have backups shall keep one; the newest backup is always kept."""

    daily: int
    weekly: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """The backups that were removed, and why each of the damaged ones, which are left alone, is damaged."""

    removed: list[Backup]
    damaged: dict[str, str]


def expired(backups: Sequence[Backup], policy: RetentionPolicy, time_zone: ZoneInfo) -> list[Backup]:
    """Return the backups that the policy does not keep.

    A folder that was given a name by hand, or was found to be damaged, is always kept, and takes no other's place.
    """
    counted = [backup for backup in backups if is_counted(backup)]
    keep = kept_names(counted, policy, time_zone)
    return [backup for backup in counted if backup.name not in keep]


def relied_on(backups: Sequence[Backup], old: Sequence[Backup]) -> list[Backup]:
    """Return which backups must be whole before the `old` ones may go.

    Of those that stay and serve what an old one serves, these are the newest for each purpose, and all that were never
    verified.
    """
    going = {backup.name for backup in old}
    staying = _newest_first([backup for backup in backups if is_counted(backup) and backup.name not in going])
    names: set[str] = set()
    for purpose in {purpose for backup in old for purpose in _purposes(backup)}:
        serving = [backup for backup in staying if purpose in _purposes(backup)]
        names |= {backup.name for place, backup in enumerate(serving) if place == 0 or backup.verified is None}
    return [backup for backup in staying if backup.name in names]


def is_counted(backup: Backup) -> bool:
    """Return whether a backup bears the name that it was made with, and is not known to be damaged."""
    return backup.damage is None and series_of(backup.name) is not None and backup.manifest.name == backup.name


def kept_names(backups: Sequence[Backup], policy: RetentionPolicy, time_zone: ZoneInfo) -> set[str]:
    """Return the names of those that are kept: for each purpose the last of each day and of each ISO week.

    Only days and weeks that have a backup count, so that nothing goes because the clock does, or is wrong.
    """
    newest_first = _newest_first(backups)
    names: set[str] = set()
    for purpose in {purpose for backup in newest_first for purpose in _purposes(backup)}:
        serving = [backup for backup in newest_first if purpose in _purposes(backup)]
        names.add(serving[0].name)
        names |= _last_of_each(serving, policy.daily, lambda time: time.date(), time_zone)
        names |= _last_of_each(serving, policy.weekly, _week, time_zone)
    return names


def _newest_first(backups: Sequence[Backup]) -> list[Backup]:
    return sorted(backups, key=lambda backup: (backup.manifest.created_at, backup.name), reverse=True)


def _last_of_each(
    newest_first: Sequence[Backup], count: int, span_of: Callable[[datetime], Hashable], time_zone: ZoneInfo
) -> set[str]:
    """Return the name of the last backup in each of the newest spans of time, of which there are `count`."""
    last: dict[Hashable, str] = {}
    for backup in newest_first:
        last.setdefault(span_of(backup.manifest.created_at.astimezone(time_zone)), backup.name)
    return set(list(last.values())[:count])


def _week(time: datetime) -> tuple[int, int]:
    year, week, _ = time.isocalendar()
    return year, week


def _purposes(backup: Backup) -> frozenset[Hashable]:
    """Return what a backup is there for: its series with each database that can be restored, or only analysed.

    A backup that serves something else does not take its place.
    """
    series = series_of(backup.name)
    return frozenset((series, database.name, _is_restorable(database)) for database in backup.manifest.databases)


def _is_restorable(database: DatabaseEntry) -> bool:
    """Return whether there is what a restore needs: a dump, or a file of each table."""
    of_tables = [table.files.keys() for table in database.tables]
    return database.dump is not None or any(
        of_tables and all(source in files for files in of_tables) for source in (Format.BINARY, Format.CSV)
    )


async def prune(
    backup_dir: Path, policy: RetentionPolicy, time_zone: ZoneInfo, *, now: datetime, report: Progress, dry_run: bool
) -> Pruned:
    """Remove the backups that the policy does not keep; with `dry_run` only return which, and change nothing.

    Before anything is removed, the newest backup that stays is read again for each purpose, and so is whatever stays
    without having been verified. What is damaged is noted and does not count: an older one is kept in its place. The
    report counts bytes. Raises OperatorError, with nothing removed, when that takes too long or another process writes
    to the folder.
    """
    with nullcontext() if dry_run else writing_lock(backup_dir):
        reader = _Reader(now, report, notes=not dry_run)
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                old, damaged = await _decide(list_backups(backup_dir).backups, policy, time_zone, reader)
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
    backups: Sequence[Backup], policy: RetentionPolicy, time_zone: ZoneInfo, reader: "_Reader"
) -> tuple[list[Backup], dict[str, str]]:
    """Return what can go, and what is damaged; nothing is read where nothing can go."""
    known = {backup.name: backup for backup in backups}
    unread = set(known)
    while True:
        old = expired(list(known.values()), policy, time_zone)
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
            found.append(await self._read(backup, partial(self._report_behind, self.done, total)))
            self.done += _bytes_of(backup)
            self.report(self.done, total)
        return found

    def _report_behind(self, before: int, total: int, done: int, _: int) -> None:
        self.report(before + done, total)

    async def _read(self, backup: Backup, report: Progress) -> str | None:
        try:
            if backup.verified is None:
                await read_again(backup.folder, backup.manifest, report)
            else:
                await in_thread(partial(check_files, backup.folder, backup.manifest), report)
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
