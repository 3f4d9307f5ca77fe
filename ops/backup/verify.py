"""Check a backup against its manifest: read all files again, and note what was found."""

import asyncio
import hashlib
import logging
import stat
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from db.programs import choose_program, run_program
from errors import InputFileError, OperatorError
from ops.backup.catalogue import change_of, note_in
from ops.backup.manifest import MANIFEST, VERIFIED, DatabaseEntry, FileEntry, Manifest, Verified, path_of, read_small
from ops.backup.table_files import count_rows
from storage.files import raise_os_errors_as, write_atomically
from util_async import Progress

logger = logging.getLogger(__name__)

_PIECE = 1024 * 1024  # bytes
_LISTING = timedelta(minutes=10)


class _Stopped(Exception):  # noqa: N818  # nothing went wrong
    """Ends a thread whose result nobody waits for any more."""


async def verify(folder: Path, manifest: Manifest, *, now: datetime, report: Progress) -> Verified:
    """Check the sizes, checksums and rows of a backup, let pg_restore list its dumps, and note what was found.

    The report counts bytes, those of tables twice. Raises InputFileError that names the first file which is not what it
    was, OperatorError when pg_restore is missing or the note cannot be written.
    """
    try:
        _refuse_changed(folder)
        await read_again(folder, manifest, report)
        for database in manifest.databases:
            await _check_dump(folder, database)
    except InputFileError as error:
        note_damage(folder, str(error), now=now)
        raise
    return note_verified(folder, now=now, restored=False)


async def read_again(folder: Path, manifest: Manifest, report: Progress) -> None:
    """Compare sizes, checksums and rows with the manifest; the report counts bytes, of `bytes_to_read`.

    Raises InputFileError that names the first file which is not what it was.
    """
    total = bytes_to_read(manifest)
    await in_thread(lambda each: check_files(folder, manifest, lambda done, _: each(done, total)), report)
    await in_thread(lambda each: check_rows(folder, manifest, lambda done: each(manifest.size + done, total)), report)


def bytes_to_read(manifest: Manifest) -> int:
    """Return how many bytes are read to check a backup: all files once, and those of tables twice."""
    tables = [table for database in manifest.databases for table in database.tables]
    return manifest.size + sum(file.size for table in tables for file in table.files.values())


def note_damage(folder: Path, damage: str, *, now: datetime) -> None:
    """Note beside the manifest why a backup is not whole; what cannot be noted is left to the log."""
    before = note_in(folder)
    note = Verified(
        at=now,
        manifest_sha256=None if before is None else before.manifest_sha256,
        restored=before is not None and before.restored,
        damage=damage,
    )
    try:
        write_atomically(folder / VERIFIED, note.model_dump_json(indent=2).encode(), setting="BACKUP_DIR")
    except OperatorError as error:
        logger.warning("%s; that this backup is damaged is not noted: %s", error, damage)


def note_verified(folder: Path, *, now: datetime, restored: bool) -> Verified:
    """Note beside the manifest that the backup is whole, and whether it was restored, now or before.

    Raises OperatorError when that cannot be written.
    """
    before = note_in(folder)
    verified = Verified(
        at=now,
        manifest_sha256=hashlib.sha256(read_small(folder / MANIFEST)).hexdigest(),
        restored=restored or (before is not None and before.restored),
    )
    write_atomically(folder / VERIFIED, verified.model_dump_json(indent=2).encode(), setting="BACKUP_DIR")
    return verified


def _refuse_changed(folder: Path) -> None:
    """Raise InputFileError when the manifest is not the one with which the backup was found to be whole."""
    note = note_in(folder)
    if note is not None and (change := change_of(folder, note)) is not None:
        raise InputFileError(change)


def check_files(folder: Path, manifest: Manifest, report: Progress) -> None:
    """Read all files and compare their sizes and checksums; the report counts bytes.

    Raises InputFileError that names the first file which is missing, truncated or changed.
    """
    total, done = manifest.size, 0
    for file in manifest.files:
        path = path_of(folder, file)
        digest = hashlib.sha256()
        with raise_os_errors_as(InputFileError, f"{path} cannot be read", "the backup is not whole, take another one"):
            _check_size(path, file)
            with path.open("rb", buffering=0) as content:
                while piece := content.read(_PIECE):
                    digest.update(piece)
                    done += len(piece)
                    report(done, total)
        if digest.hexdigest() != file.sha256:
            raise InputFileError(f"{path} was changed since it was written: take another backup.")


def check_rows(folder: Path, manifest: Manifest, report: Callable[[int], None]) -> None:
    """Count the rows in the files of tables; the report is called with the bytes of them that are read.

    Raises InputFileError that names the first file which holds more or fewer than the manifest says.
    """
    before = 0
    for table in (table for database in manifest.databases for table in database.tables):
        for written_as, file in table.files.items():
            path = path_of(folder, file)

            def report_file(done: int, before: int = before) -> None:
                report(before + done)

            rows = count_rows(path, written_as, report_file)
            before += file.size
            if rows != table.rows:
                raise InputFileError(
                    f"{path} holds {rows:,} rows and the manifest says {table.rows:,}: take another backup."
                )


async def _check_dump(folder: Path, database: DatabaseEntry) -> None:
    """Let pg_restore read the list of contents of a dump, where there is one; raise InputFileError when it cannot."""
    if database.dump is None:
        return
    path = path_of(folder, database.dump)
    program = choose_program("pg_restore", database.dump_made_by or database.server_version)
    try:
        await run_program(program.path, "--list", str(path), timeout=_LISTING)
    except OperatorError as error:
        raise InputFileError(f"{path} is not a dump that pg_restore can read: take another backup.") from error


def _check_size(path: Path, file: FileEntry) -> None:
    state = path.lstat()
    if not stat.S_ISREG(state.st_mode):
        raise InputFileError(f"{path} is no plain file, as the files of a backup are: take another backup.")
    size = state.st_size
    if size != file.size:
        raise InputFileError(f"{path} has {size:,} bytes instead of {file.size:,}: take another backup.")


async def in_thread(work: Callable[[Progress], None], report: Progress) -> None:
    """Run work in a thread, which ends at its next report when we are cancelled."""
    stopped = threading.Event()

    def report_unless_stopped(done: int, total: int) -> None:
        if stopped.is_set():
            raise _Stopped
        report(done, total)

    try:
        await asyncio.to_thread(work, report_unless_stopped)
    finally:
        stopped.set()
