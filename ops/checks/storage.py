"""Look at the storage folder, the disks below, and how far the session's CSV has been stored."""

import os
import shutil
from pathlib import Path

from rich.filesize import decimal
from sqlalchemy import select

from db.databases import Database
from db.schema import JournalPositionRow
from ops.checks.database import looking
from ops.checks.result import Finding, left_out, ok, warning, wrong
from storage.sessions import remembered_session

SCARCE, TOO_LITTLE = 2 * 10**9, 10**8
"""Free bytes below which there is a warning, and below which a day's messages may not find room."""


def folder(storage_dir: Path) -> Finding:
    """Tell whether this account may write to the storage folder, without writing to it."""
    nearest = next(place for place in (storage_dir, *storage_dir.resolve().parents) if place.exists())
    if not nearest.is_dir():
        return wrong(f"{nearest} is no folder: move it away, or set STORAGE_DIR to another place.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        return wrong(f"{nearest} cannot be written: mend its permissions, or set STORAGE_DIR to another folder.")
    if nearest != storage_dir:
        return ok(f"{storage_dir} is not made yet: the first start makes it")
    return ok(f"{storage_dir} can be written")


def disk(place: Path, *, held: int = 0) -> Finding:
    """Tell whether there is room below a folder, beside a database of so many bytes.

    To rebuild an index, or to put a backup back, takes up to as much room again as the database has.
    """
    nearest = next(folder for folder in (place, *place.resolve().parents) if folder.exists())
    return room(place, free=shutil.disk_usage(nearest).free, held=held)


def room(place: Path, *, free: int, held: int) -> Finding:
    """Judge how many bytes are free in a folder, beside a database of so many."""
    words = f"{decimal(free)} are free in {place}"
    if held:
        words += f", the databases there take {decimal(held)}"
    if free < TOO_LITTLE:
        return wrong(f"{words}: free some now.")
    if free < max(SCARCE, held):
        return warning(f"{words}: free some, an index that is rebuilt needs as much again.")
    return ok(words)


async def journal(storage_dir: Path, database: Database) -> Finding:
    """Tell how far the CSV of the session that goes on has been stored in short-term memory."""
    current = remembered_session(storage_dir)
    if current is None or not current.journal_path.exists():
        return left_out("no session yet: the first start asks for one")
    size = current.journal_path.stat().st_size
    position = select(JournalPositionRow.position).where(JournalPositionRow.session == current.stem)
    async with looking(database) as session:
        stored = await session.scalar(position) or 0
    words = f"session {current.stem}: {stored:,} of the CSV's {size:,} bytes are stored"
    if stored > size:
        return warning(f"{words}: the CSV was cut or replaced, put it back from a backup if messages are missing.")
    return ok(words if stored == size else f"{words}; a running bot stores the rest, or else the next start does")
