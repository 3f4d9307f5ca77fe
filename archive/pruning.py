"""Remove old backups, once those that stay in their place have been read again and are whole."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from archive.listing import Backup, list_backups
from archive.retention import Rule, relied_on, superfluous
from archive.verifying import Report, bytes_to_read, check_files, in_thread, note_damage, note_verified, read_again
from archive.whole import remove_folder, writing_lock
from errors import InputFileError, OperatorError

logger = logging.getLogger(__name__)

PATIENCE = timedelta(hours=6)
"""How long it may take to read what stays."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """The backups that were removed, and why each of the damaged ones, which are left alone, is damaged."""

    removed: list[Backup]
    damaged: dict[str, str]


async def prune(
    backup_dir: Path, rule: Rule, time_zone: ZoneInfo, *, now: datetime, report: Report, dry_run: bool
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
    backups: Sequence[Backup], rule: Rule, time_zone: ZoneInfo, reader: "_Reader"
) -> tuple[list[Backup], dict[str, str]]:
    """Return what can go, and what is damaged; nothing is read where nothing can go."""
    known = {backup.name: backup for backup in backups}
    unread = set(known)
    while True:
        old = superfluous(list(known.values()), rule, time_zone)
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
    report: Report
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

    async def _read(self, backup: Backup, heard: Report) -> str | None:
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
