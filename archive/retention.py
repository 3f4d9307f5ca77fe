"""Decide which backups are kept."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from archive.formats import Format
from archive.listing import Backup
from archive.manifest import DatabaseEntry
from archive.names import series_of


@dataclass(frozen=True, slots=True)
class Rule:
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


def superfluous(backups: Sequence[Backup], rule: Rule, time_zone: ZoneInfo) -> list[Backup]:
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


def kept(backups: Iterable[Kept], rule: Rule, time_zone: ZoneInfo) -> set[str]:
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
