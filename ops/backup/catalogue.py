"""Find the backups in their folder."""

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from errors import InputFileError, OperatorError, SessionError
from ops.backup.files import translate_os_errors
from ops.backup.manifest import MANIFEST, VERIFIED, Manifest, Verified, read_manifest, read_small
from storage.files import expand_path
from storage.session_names import valid_file_name

_FOLDER = re.compile(r"(.+)_(\d{4}-\d\d-\d\d)_(\d+)", re.ASCII)


def valid_name(name: str) -> str:
    """Return the name of a series of backups in the form that it has on disk.

    Raises OperatorError when some system could not store a folder of that name.
    """
    try:
        return valid_file_name(name)
    except SessionError as error:
        raise OperatorError(str(error).replace("session name", "backup name", 1)) from error


def next_folder(name: str, today: date, taken: Iterable[str]) -> str:
    """Return `{name}_{date}_{number}` with the number after the largest that is taken.

    Names that differ only in the case of their letters count as one, as some systems see them so.
    """
    stem = f"{name}_{today:%Y-%m-%d}"
    numbers = [
        int(found[3]) for folder in taken if (found := _split(folder)) and _is_same(f"{found[1]}_{found[2]}", stem)
    ]
    return f"{stem}_{max(numbers, default=0) + 1}"


def series_of(folder: str) -> str | None:
    """Return the name that a backup was given, without date and number; None for a folder that is named otherwise."""
    found = _split(folder)
    return found[1] if found else None


def _split(folder: str) -> re.Match[str] | None:
    return _FOLDER.fullmatch(folder)


def _is_same(name: str, other: str) -> bool:
    """Return whether a file system could take two names for one."""
    return unicodedata.normalize("NFC", name).casefold() == unicodedata.normalize("NFC", other).casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup with its manifest and what was found when it was last checked."""

    folder: Path
    manifest: Manifest
    verified: Verified | None
    """The note that it was read again, and found to be whole, since its manifest was written."""
    damage: str | None = None
    """Why it cannot be trusted, as a sentence, when it was found to be damaged."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name


@dataclass(frozen=True, slots=True)
class ListedBackup:
    """The backups in a folder, and the folders that are none."""

    backups: list[Backup]
    """The oldest first."""
    unreadable: dict[str, str]
    """Why each of the other folders is not a backup."""


def list_backups(backup_dir: Path) -> ListedBackup:
    """Return all backups; raise OperatorError when their folder cannot be read."""
    backups, unreadable = [], {}
    for folder in _folders(backup_dir):
        try:
            backups.append(_read(folder))
        except InputFileError as error:
            unreadable[folder.name] = str(error)
    return ListedBackup(sorted(backups, key=lambda backup: (backup.manifest.created_at, backup.name)), unreadable)


def find_backup(backup_dir: Path, name: str) -> Backup:
    """Return the backup of a name, or of a path to it as a shell completes it.

    Raises InputFileError when there is none, or when it cannot be read.
    """
    name = _name_of(backup_dir, name)
    if name not in {folder.name for folder in _folders(backup_dir)}:
        raise InputFileError(
            f"There is no backup {name!r} in {backup_dir}: python backups.py list shows those there are."
        )
    return _read(backup_dir / name)


def _name_of(backup_dir: Path, text: str) -> str:
    """Return the name in a path that leads to a backup; any other text as it is."""
    name = text.rstrip("/" + os.sep) or text
    try:
        path = expand_path(name)
        is_backup_path = path.parent.resolve() == backup_dir.resolve()
    except (OSError, RuntimeError, ValueError):  # of a loop of links, or a name with NUL in it
        return name
    return path.name if is_backup_path else name


def names_in(backup_dir: Path) -> list[str]:
    """Return all names in the folder of backups; raise SessionError when it cannot be read."""
    with translate_os_errors(backup_dir):
        return [path.name for path in backup_dir.iterdir()]


def verified_of(folder: Path) -> Verified | None:
    """Return the note that a backup is whole; None when it was not, or when its manifest is another one since."""
    note = note_in(folder)
    return None if note is None or note.damage is not None or note.manifest_sha256 != _sha256_of(folder) else note


def damage_of(folder: Path) -> str | None:
    """Return why a backup cannot be trusted, as far as that is known without reading its files again."""
    note = note_in(folder)
    return None if note is None else note.damage or change_of(folder, note)


def change_of(folder: Path, note: Verified) -> str | None:
    """Return a sentence when a manifest is not the one with which the backup was found to be whole."""
    if note.manifest_sha256 in {None, _sha256_of(folder)}:
        return None
    return (
        f"{folder / MANIFEST} was changed since the backup was verified: take another one, or remove its {VERIFIED} if "
        "it was you who changed it."
    )


def note_in(folder: Path) -> Verified | None:
    """Return the note in the folder of a backup, whatever has changed since; None when there is none to be read."""
    try:
        return Verified.model_validate_json(read_small(folder / VERIFIED))
    except (OSError, ValueError):
        return None


def _sha256_of(folder: Path) -> str | None:
    try:
        return hashlib.sha256(read_small(folder / MANIFEST)).hexdigest()
    except (OSError, ValueError):
        return None


def _folders(backup_dir: Path) -> list[Path]:
    """Return the folders that may be backups; those of runs that were killed are hidden."""
    with translate_os_errors(backup_dir):
        if not backup_dir.exists():
            return []
        return [path for path in sorted(backup_dir.iterdir()) if not path.name.startswith(".") and path.is_dir()]


def _read(folder: Path) -> Backup:
    return Backup(folder=folder, manifest=read_manifest(folder), verified=verified_of(folder), damage=damage_of(folder))
