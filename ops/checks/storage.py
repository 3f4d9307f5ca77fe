"""Check the storage folder, the disks below, and how far the session's CSV has been stored."""

import os
import shutil
from pathlib import Path

from rich.filesize import decimal
from sqlalchemy import select

from db.databases import Database
from db.schema import JournalPositionRow
from ops.checks.database import read_only_session
from ops.checks.result import CheckResult, left_out, ok, warning, wrong
from storage.sessions import remembered_session

SCARCE, TOO_LITTLE = 2 * 10**9, 10**8
"""Free bytes below which there is a warning, and below which a day's messages may not find room."""


def folder(storage_dir: Path) -> CheckResult:
    """Check that this account may write to the storage folder, without writing to it."""
    nearest = next(path for path in (storage_dir, *storage_dir.resolve().parents) if path.exists())
    if not nearest.is_dir():
        return wrong(f"{nearest} is no folder: move it away, or set STORAGE_DIR to another place.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        return wrong(f"{nearest} cannot be written: mend its permissions, or set STORAGE_DIR to another folder.")
    if nearest != storage_dir:
        return ok(f"{storage_dir} is not made yet: the first start makes it")
    return ok(f"{storage_dir} can be written")


def disk(place: Path, *, databases_size: int = 0) -> CheckResult:
    """Check that there is room below a folder, beside databases of so many bytes.

    To rebuild an index, or to put a backup back, takes up to as much room again as the database has.
    """
    nearest = next(folder for folder in (place, *place.resolve().parents) if folder.exists())
    return judge_room(place, free=shutil.disk_usage(nearest).free, databases_size=databases_size)


def judge_room(place: Path, *, free: int, databases_size: int) -> CheckResult:
    """Judge how many bytes are free in a folder, beside databases of so many."""
    summary = f"{decimal(free)} are free in {place}"
    if databases_size:
        summary += f", the databases there take {decimal(databases_size)}"
    if free < TOO_LITTLE:
        return wrong(f"{summary}: free some now.")
    if free < max(SCARCE, databases_size):
        return warning(f"{summary}: free some, an index that is rebuilt needs as much again.")
    return ok(summary)


async def journal(storage_dir: Path, database: Database) -> CheckResult:
    """Check how far the CSV of the session that goes on has been stored in short-term memory."""
    current = remembered_session(storage_dir)
    if current is None or not current.journal_path.exists():
        return left_out("no session yet: the first start asks for one")
    size = current.journal_path.stat().st_size
    position = select(JournalPositionRow.position).where(JournalPositionRow.session == current.stem)
    async with read_only_session(database) as session:
        stored = await session.scalar(position) or 0
    summary = f"session {current.stem}: {stored:,} of the CSV's {size:,} bytes are stored"
    if stored > size:
        return warning(f"{summary}: the CSV was cut or replaced, put it back from a backup if messages are missing.")
    return ok(summary if stored == size else f"{summary}; a running bot stores the rest, or else the next start does")
