"""Copy the files of the session that short-term memory holds into a backup, and put them back after a restore."""

import asyncio
import glob
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from db.databases import Database
from db.engines import transaction
from db.metadata import get_metadata, set_metadata
from errors import InputFileError, SessionError
from memory.capture.erased import NO_ITEMS, ErasedItems
from memory.capture.journal import finished_size
from memory.capture.members import JOURNAL_FACT, SESSION_FACT
from ops.backup.files import open_writer
from ops.backup.manifest import FileEntry, Manifest, SessionEntry, path_of
from ops.backup.verify import check_files
from ops.erasure.files import erase_from_csv
from ops.erasure.subject import Subject
from storage.files import COMPRESSED, atomic_file, open_decompressed, raise_os_errors_as, translate_os_errors
from storage.session_names import split_stem, valid_file_name
from storage.sessions import ProgramSession, open_session_folder, remember_session, remembered_session
from util_async import no_progress

_FOLDER = "session"
_BLOCK = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Continued:
    """What the next start goes on with after a restore of short-term memory."""

    written: list[Path]
    """The session's files that were put back."""
    session: ProgramSession | None
    """The session that it goes on with; None when short-term memory names none."""
    before: ProgramSession | None
    """The session that it would have gone on with otherwise."""


def copy_session(session: ProgramSession, folder: Path, *, compress: bool) -> SessionEntry | None:
    """Copy the whole records of a session's CSV files into the folder of a backup; None where there are none.

    Call it after the database has been read: the CSV is then ahead of what the database has of it, and never behind.
    Raises SessionError when a file cannot be read, OSError when the backup cannot be written.
    """
    paths = [path for path in (session.journal_path, session.not_added_path) if path.is_file()]
    if not paths:
        return None
    (folder / _FOLDER).mkdir(mode=0o700)
    files = [_copy(path, folder, compress=compress) for path in paths]
    return SessionEntry(name=session.name, stem=session.stem, files=files)


def _copy(path: Path, folder: Path, *, compress: bool) -> FileEntry:
    target = folder / _FOLDER / (path.name + COMPRESSED if compress else path.name)
    with raise_os_errors_as(SessionError, f"{path} cannot be read", "correct its permissions"):
        left = finished_size(path)  # the bot may be in the middle of a record
        file = path.open("rb")
    with file, open_writer(target) as writer:
        while left and (block := file.read(min(left, _BLOCK))):
            writer.write(block)
            left -= len(block)
    return writer.entry(folder)


async def refuse_damaged_session(folder: Path, manifest: Manifest, *, storage_dir: Path) -> None:
    """Raise InputFileError when a session file that a restore would have to put back is damaged."""
    if manifest.session is not None:
        session = _session_of(folder, manifest.session, storage_dir)
        await asyncio.to_thread(_missing, folder, manifest, manifest.session, session)


async def go_on_with_session(
    folder: Path,
    manifest: Manifest,
    database: Database,
    *,
    storage_dir: Path,
    erasures: Mapping[int, datetime],
    items: ErasedItems = NO_ITEMS,
) -> Continued:
    """Make the session that a restore has brought back into short-term memory the one that the next start goes on with.

    Its files are put back where there are none, without what those in `erasures` said before they were forgotten and
    without the `items`. The
    caller keeps the bot away. Raises InputFileError for a damaged file, SessionError when the storage folder cannot be
    written.
    """
    written: list[Path] = []
    if manifest.session is not None:
        session = _session_of(folder, manifest.session, storage_dir)
        since = Subject(
            people=_since(manifest.created_at, erasures),
            messages=items.messages,
            channels=_since(manifest.created_at, items.channels),
        )
        written = await asyncio.to_thread(_put_back, folder, manifest, manifest.session, session, since)
    async with transaction(database.sessions) as transacting:
        stem = await get_metadata(transacting, SESSION_FACT)
        restored = None if stem is None else _session_with(folder, manifest, storage_dir, stem)
        if restored is not None and restored.journal_path.is_file():
            await set_metadata(transacting, JOURNAL_FACT, str(restored.journal_path))
    before = remembered_session(storage_dir)
    if restored is not None and restored != before:
        open_session_folder(restored)
        remember_session(storage_dir, restored)
    return Continued(written=written, session=restored, before=before)


def session_with_stem(storage_dir: Path, stem: str) -> ProgramSession | None:
    """Return the session whose files' names begin so; None when no folder has its CSV."""
    if {"/", "\\"} & set(stem):
        return None
    for path in storage_dir.glob(f"*/{glob.escape(stem)}.csv"):
        if split_stem(path.parent.name, stem) is not None:
            return ProgramSession(path.parent.name, stem, path.parent)
    return None


def _session_with(folder: Path, manifest: Manifest, storage_dir: Path, stem: str) -> ProgramSession | None:
    """Return the session of this stem, be there files of it or not; None for a stem that no session can have."""
    if manifest.session is not None and manifest.session.stem == stem:
        return _session_of(folder, manifest.session, storage_dir)
    if (found := session_with_stem(storage_dir, stem)) is not None:
        return found
    with suppress(SessionError):
        if valid_file_name(stem) == stem:
            return ProgramSession(stem, stem, storage_dir / stem)
    return None


def _session_of(folder: Path, entry: SessionEntry, storage_dir: Path) -> ProgramSession:
    """Return the session of a manifest, which anyone may have edited; raise InputFileError when it leads elsewhere."""
    try:
        name = valid_file_name(entry.name)
    except SessionError:
        name = None
    if name is None or split_stem(name, entry.stem) is None:
        raise InputFileError(f"The manifest of {folder} names a session that cannot be: take another backup.")
    return ProgramSession(name, entry.stem, storage_dir / name)


def _put_back(
    folder: Path, manifest: Manifest, entry: SessionEntry, session: ProgramSession, subject: Subject
) -> list[Path]:
    missing = _missing(folder, manifest, entry, session)
    if missing:
        open_session_folder(session)
    for target, file in missing.items():
        _write(path_of(folder, file), target, subject)
    return list(missing)


def _missing(folder: Path, manifest: Manifest, entry: SessionEntry, session: ProgramSession) -> dict[Path, FileEntry]:
    """Return which files of a session are missing, each with its copy; raise InputFileError for a damaged copy."""
    targets = {path.name: path for path in (session.journal_path, session.not_added_path) if not path.exists()}
    missing = {targets[_name(file)]: file for file in entry.files if _name(file) in targets}
    needed = entry.model_copy(update={"files": list(missing.values())})
    check_files(folder, manifest.model_copy(update={"databases": [], "session": needed}), no_progress)
    return missing


def _name(file: FileEntry) -> str:
    """Return the name that a file has among those of its session."""
    return Path(file.path).name.removesuffix(COMPRESSED)


def _since(moment: datetime, ledger: Mapping[int, datetime]) -> dict[int, datetime]:
    return {number: erased_at for number, erased_at in ledger.items() if erased_at >= moment}


def _write(source: Path, target: Path, subject: Subject) -> None:
    """Write a file that appears when it is whole, without what is erased."""
    with translate_os_errors(target.parent), atomic_file(target) as partial:
        with open_decompressed(source) as plain, partial.open("wb") as file:
            shutil.copyfileobj(plain, file, _BLOCK)
        erase_from_csv(partial, subject)
