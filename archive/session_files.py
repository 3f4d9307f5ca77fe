"""Take the files of the current program session into a backup, and put them back where they are gone."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from archive.manifest import FileEntry, Manifest, SessionEntry
from archive.verifying import check_files, path_of, unheard
from archive.whole import COMPRESSED, open_plain, open_writer, sync
from db.databases import Database
from db.engines import transaction
from erasure.files import erase_from_csv
from errors import InputFileError, SessionError
from memory import store
from memory.journal import records
from memory.preparation import JOURNAL_FACT, SESSION_FACT
from sessions import ProgramSession, open_session_folder, remember_session, remembered_session
from util_async import naming_the_folder, split_stem, valid_file_name

_FOLDER = "session"
_BLOCK = 1024 * 1024  # bytes


def copy_session(session: ProgramSession, folder: Path, *, compress: bool) -> SessionEntry | None:
    """Copy the whole records of a session's CSV files into the folder of a backup; None where there are none.

    Call it when the database has been looked at: the CSV is then ahead of what the database has of it, and never
    behind. Raises SessionError when a file cannot be read, OSError when the backup cannot be written.
    """
    paths = [path for path in (session.journal_path, session.not_added_path) if path.is_file()]
    if not paths:
        return None
    (folder / _FOLDER).mkdir(mode=0o700)
    files = [_copy(path, folder, compress=compress) for path in paths]
    return SessionEntry(name=session.name, stem=session.stem, files=files)


def _copy(path: Path, folder: Path, *, compress: bool) -> FileEntry:
    target = folder / _FOLDER / (path.name + COMPRESSED if compress else path.name)
    try:
        file = path.open("rb")
    except OSError as error:
        raise SessionError(f"{path} cannot be read ({error.strerror}): mend its permissions.") from error
    with file, open_writer(target) as writer:
        for record in records(file):  # the bot may be in the middle of one
            writer.write(record)
    return writer.entry(folder)


async def put_session_back(
    folder: Path, manifest: Manifest, database: Database, *, storage_dir: Path, erasures: Mapping[int, datetime]
) -> list[Path]:
    """Put the session files of a backup where there are none, after its short-term memory was restored; return them.

    What those in `erasures` said before they were forgotten is left out. The caller keeps the bot away. Raises
    InputFileError for a damaged file, SessionError when the storage folder cannot be written.
    """
    if manifest.session is None:
        return []
    session = _session_of(folder, manifest.session, storage_dir)
    since = {user_id: erased_at for user_id, erased_at in erasures.items() if erased_at >= manifest.created_at}
    written = await asyncio.to_thread(_put_back, folder, manifest, manifest.session, session, since)
    if remembered_session(storage_dir) is None:
        remember_session(storage_dir, session)
    if written:
        await _note_journal(database, session)
    return written


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
    folder: Path, manifest: Manifest, entry: SessionEntry, session: ProgramSession, erasures: Mapping[int, datetime]
) -> list[Path]:
    targets = {path.name: path for path in (session.journal_path, session.not_added_path) if not path.exists()}
    missing = [file for file in entry.files if _name(file) in targets]
    only = manifest.model_copy(update={"databases": [], "session": entry.model_copy(update={"files": missing})})
    check_files(folder, only, unheard)
    if missing:
        open_session_folder(session)
    for file in missing:
        _write(path_of(folder, file), targets[_name(file)], erasures)
    return [targets[_name(file)] for file in missing]


def _name(file: FileEntry) -> str:
    """Return the name that a file has among those of its session."""
    return Path(file.path).name.removesuffix(COMPRESSED)


def _write(source: Path, target: Path, erasures: Mapping[int, datetime]) -> None:
    """Write a file that appears when it is whole and without what the forgotten have said."""
    partial = target.with_name(f".{target.name}.partial")
    with naming_the_folder(target.parent):
        try:
            with open_plain(source) as plain, partial.open("wb") as file:
                shutil.copyfileobj(plain, file, _BLOCK)
                file.flush()
                os.fsync(file.fileno())
            erase_from_csv(partial, erasures)
            partial.replace(target)
            sync(target.parent)
        finally:
            partial.unlink(missing_ok=True)


async def _note_journal(database: Database, session: ProgramSession) -> None:
    """Let short-term memory know where the CSV of its session is now."""
    async with transaction(database.sessions) as transacting:
        if await store.fact(transacting, SESSION_FACT) == session.stem:
            await store.set_fact(transacting, JOURNAL_FACT, str(session.journal_path))
