"""Find the backups in their folder."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from archive.manifest import MANIFEST, VERIFIED, Manifest, Verified, read_manifest
from archive.whole import naming_the_folder
from errors import InputFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that has its name, and what it says of itself."""

    folder: Path
    manifest: Manifest
    verified: Verified | None
    """Whether it was read again, and found to be whole, since its manifest was written."""

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name


@dataclass(frozen=True, slots=True)
class Listed:
    """What a folder of backups holds."""

    backups: list[Backup]
    """The oldest first."""
    unreadable: dict[str, str]
    """What keeps each of the other folders from being a backup."""


def list_backups(backup_dir: Path) -> Listed:
    """Return all backups; raise OperatorError when their folder cannot be read."""
    backups, unreadable = [], {}
    for folder in _folders(backup_dir):
        try:
            backups.append(_read(folder))
        except InputFileError as error:
            unreadable[folder.name] = str(error)
    return Listed(sorted(backups, key=lambda one: (one.manifest.created_at, one.name)), unreadable)


def find_backup(backup_dir: Path, name: str) -> Backup:
    """Return the backup of a name; raise InputFileError when there is none, or when it cannot be read."""
    if name not in {folder.name for folder in _folders(backup_dir)}:
        raise InputFileError(
            f"There is no backup {name!r} in {backup_dir}: python backups.py list shows those there are."
        )
    return _read(backup_dir / name)


def names_in(backup_dir: Path) -> list[str]:
    """Return the names of whatever lies beside the backups."""
    with naming_the_folder(backup_dir):
        return [path.name for path in backup_dir.iterdir()]


def verified_of(folder: Path) -> Verified | None:
    """Return what was found when a backup was read again; None when its manifest is not the one of then."""
    try:
        verified = Verified.model_validate_json((folder / VERIFIED).read_bytes())
        manifest = (folder / MANIFEST).read_bytes()
    except (OSError, ValidationError):
        return None
    return verified if verified.manifest_sha256 == hashlib.sha256(manifest).hexdigest() else None


def _folders(backup_dir: Path) -> list[Path]:
    """Return the folders that may be backups; those of runs that were killed are hidden."""
    with naming_the_folder(backup_dir):
        if not backup_dir.exists():
            return []
        return [path for path in sorted(backup_dir.iterdir()) if not path.name.startswith(".") and path.is_dir()]


def _read(folder: Path) -> Backup:
    return Backup(folder=folder, manifest=read_manifest(folder), verified=verified_of(folder))
