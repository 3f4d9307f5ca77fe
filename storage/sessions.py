"""Choose a program session, open its folder, remember it, and lock the storage folder."""

import glob
import logging
import os
import reprlib
import tempfile
import unicodedata
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict

from errors import SessionError, SessionInUseError
from storage.files import translate_os_errors, write_atomically
from storage.session_names import (
    CURRENT_SESSION_FILE,
    NOT_ADDED,
    NUMBERS_FILE,
    random_session_name,
    read_file_num_pkl,
    record_number,
    split_stem,
    valid_file_name,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProgramSession:
    """One program session; `stem` starts its files' names and identifies it wherever messages are stored."""

    name: str
    stem: str
    folder: Path

    @property
    def journal_path(self) -> Path:
        """The CSV of all messages."""
        return self.folder / f"{self.stem}.csv"

    @property
    def not_added_path(self) -> Path:
        """The CSV of the messages that the short-term database would not take."""
        return self.folder / f"{self.stem}{NOT_ADDED}.csv"

    @property
    def numbers_path(self) -> Path:
        """The pickle of file numbers, which all sessions of the folder share."""
        return self.folder / NUMBERS_FILE


def choose_session(
    storage_dir: Path, *, name: str | None, add_date: bool, add_number: bool, today: date, suffix: str = ""
) -> ProgramSession:
    """Return the session for these answers; an empty name becomes a random one that is not in use.

    Its name ends in `suffix`, by which processes that share their databases keep their sessions apart.

    Raises SessionError for a name or a storage folder that cannot be used.
    """
    with translate_os_errors(storage_dir):
        given = (name or "").strip().removesuffix(suffix)
        chosen = valid_file_name(given + suffix) if given else _unused_random_name(storage_dir, suffix)
        base = f"{chosen}_{today:%Y-%m-%d}" if add_date else chosen
        return _next_session(storage_dir, chosen, base) if add_number else _same_session(storage_dir, chosen, base)


def open_session_folder(session: ProgramSession) -> None:
    """Make the session's folder, private to this account, and record the session's number as taken.

    Raises SessionError when the folder cannot be made or written.
    """
    with translate_os_errors(session.folder):
        _make_storage(session.folder.parent)
        session.folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=session.folder) as probe:
            probe.write(b"can be written")
    record_number(session.folder, session.stem)


def remember_session(storage_dir: Path, session: ProgramSession) -> None:
    """Write down which session is the current one; raise SessionError when that cannot be written."""
    current = _CurrentSession(name=session.name, stem=session.stem)
    write_atomically(storage_dir / CURRENT_SESSION_FILE, current.model_dump_json().encode())


def remembered_session(storage_dir: Path) -> ProgramSession | None:
    """Return the session that was remembered last; None when there is none or the file is damaged."""
    path = storage_dir / CURRENT_SESSION_FILE
    try:
        current = _CurrentSession.model_validate_json(path.read_bytes())
        return _checked_session(storage_dir, current)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, SessionError) as error:
        logger.warning("%s is ignored, it does not name a session: %s", path, " ".join(str(error).split()))
        return None


def session_folders(storage_dir: Path) -> list[Path]:
    """Return the folders of all sessions that have a CSV, the one that was written last first.

    Raises SessionError when the storage folder cannot be read.
    """
    with translate_os_errors(storage_dir):
        folders = [path for path in storage_dir.iterdir() if path.is_dir()] if storage_dir.is_dir() else []
        written = {folder: _last_written(folder) for folder in folders if _is_session_name(folder.name)}
    return sorted((folder for folder in written if written[folder]), key=lambda folder: -written[folder])


@contextmanager
def session_lock(storage_dir: Path) -> Generator[None]:
    """Keep other processes out of the storage folder; the system lifts the lock even after a kill -9.

    Raises SessionInUseError at once when another one holds it, SessionError when the folder cannot be written.
    """
    pid_path = _pid_path(storage_dir)
    with _acquire_lock(storage_dir):
        try:
            write_atomically(pid_path, str(os.getpid()).encode())
            yield
        finally:
            with suppress(OSError):  # a pid left behind is overwritten by the next holder
                pid_path.unlink()


class _CurrentSession(BaseModel):
    """The content of `current_session.json`."""

    model_config = ConfigDict(frozen=True, strict=True)

    name: str
    stem: str


def _checked_session(storage_dir: Path, current: _CurrentSession) -> ProgramSession:
    """Return the session of a file that anyone may have edited; raise SessionError when it leads elsewhere."""
    name = valid_file_name(current.name)
    if split_stem(name, current.stem) is None:
        raise SessionError(f"The file stem {reprlib.repr(current.stem)} is not one of session {name!r}.")
    return ProgramSession(name, current.stem, storage_dir / name)


def _is_session_name(name: str) -> bool:
    try:
        return valid_file_name(name) == unicodedata.normalize("NFC", name)
    except SessionError:
        return False


def _last_written(folder: Path) -> float:
    """Return when a message was last written into a session's folder; 0 when it has no CSV."""
    journals = (path for path in folder.glob("*.csv") if not path.stem.endswith(NOT_ADDED))
    return max((path.stat().st_mtime for path in journals), default=0.0)


def _unused_random_name(storage_dir: Path, suffix: str) -> str:
    """Return a random name without a folder: a name drawn twice would continue an old session."""
    name = random_session_name() + suffix
    while (storage_dir / name).exists():
        name = random_session_name() + suffix
    return name


def _same_session(storage_dir: Path, name: str, stem: str) -> ProgramSession:
    """Return the session of this stem, new or old; raise SessionError when the stem is that of another name."""
    session = ProgramSession(name, stem, storage_dir / name)
    if _stem_is_used_elsewhere(session):
        raise SessionError(f"Another session folder already has a file {stem}.csv: choose another session name.")
    return session


def _next_session(storage_dir: Path, name: str, base: str) -> ProgramSession:
    """Return the session with the number after the largest that is taken."""
    folder = storage_dir / name
    numbers = read_file_num_pkl(folder) if folder.exists() else {}
    first_free = numbers.get((name, base), 0) + 1
    sessions = (ProgramSession(name, f"{base}_{number}", folder) for number in count(first_free))
    return next(session for session in sessions if not _stem_is_used_elsewhere(session))


def _stem_is_used_elsewhere(session: ProgramSession) -> bool:
    """Return whether another folder has the journal of this stem, as `demo_7/` may have that of number 7 of `demo`."""
    same_stem = session.folder.parent.glob(f"*/{glob.escape(session.journal_path.name)}")
    return any(path != session.journal_path for path in same_stem)


def _acquire_lock(storage_dir: Path) -> AbstractContextManager[object]:
    """Acquire the lock of the storage folder; raise SessionInUseError at once when another process has it."""
    with translate_os_errors(storage_dir):
        _make_storage(storage_dir)
        try:
            return FileLock(storage_dir / ".lock", thread_local=False).acquire(blocking=False)
        except Timeout as error:
            raise SessionInUseError(
                f"Another Backscroll{_holder(storage_dir)} runs on the storage folder {storage_dir}: "
                "stop it first, or set STORAGE_DIR to another folder."
            ) from error


def _make_storage(storage_dir: Path) -> None:
    """Make the storage folder; others may pass it, as the embedded server's account has to, but not list it."""
    storage_dir.mkdir(mode=0o711, parents=True, exist_ok=True)


def _pid_path(storage_dir: Path) -> Path:
    return storage_dir / ".lock.pid"


def _holder(storage_dir: Path) -> str:
    """Return " (process 1234)", or nothing when the holder's pid is not known."""
    with suppress(OSError, ValueError):
        return f" (process {int(_pid_path(storage_dir).read_text(encoding='ascii'))})"
    return ""
