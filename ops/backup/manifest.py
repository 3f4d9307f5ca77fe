"""The manifest of a backup: its files, what they hold, and where they came from; and the note of its last check."""

import io
import os
import stat
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Protocol, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from errors import InputFileError
from ops.backup.formats import Format

MANIFEST = "manifest.json"
VERSION = 1

_LONGEST = 16 * 1024 * 1024  # bytes of a manifest; ours have some thousands
_YEARS = range(1971, 9999)  # which every time zone can show


class _HasName(Protocol):
    @property
    def name(self) -> str: ...


_Named = TypeVar("_Named", bound=_HasName)


def _shown_anywhere(moment: datetime) -> datetime:
    if moment.year not in _YEARS:
        raise ValueError("there is no such year")
    return moment


def _all_different(parts: list[_Named]) -> list[_Named]:
    if len({part.name for part in parts}) < len(parts):
        raise ValueError("a name comes twice")
    return parts


Count = Annotated[int, Field(ge=0, lt=2**63)]
Moment = Annotated[AwareDatetime, AfterValidator(_shown_anywhere)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=False, extra="forbid")


class FileEntry(_Part):
    """One file of a backup; its path is relative to the manifest, with slashes."""

    path: str
    size: Count
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class TableEntry(_Part):
    """A table as it was at the moment of the backup, and its file in each format that has files of single tables."""

    name: str
    columns: dict[str, str]
    """The type of each column, in their order."""
    rows: Count
    checksum: str
    """As `db.checksums` computes it, of all columns in their order."""
    files: dict[Format, FileEntry] = {}


class DatabaseEntry(_Part):
    """One of the two databases at the moment of the backup."""

    name: str = Field(pattern="^(short|long)-term$")
    """As in `db.databases`."""
    server_version: str
    extensions: dict[str, str]
    schema_revision: str
    embedding_model: str | None
    dimensions: int = Field(ge=1, le=16_000)
    session: str | None
    """The stem of the program session that short-term memory held."""
    first_message: AwareDatetime | None
    last_message: AwareDatetime | None
    tables: Annotated[list[TableEntry], AfterValidator(_all_different)]
    dump: FileEntry | None = None
    dump_made_by: str | None = None
    """The version of pg_dump."""

    @property
    def messages(self) -> int:
        """The number of messages."""
        return next((table.rows for table in self.tables if table.name == "messages"), 0)

    @property
    def files(self) -> list[FileEntry]:
        """All files, those of tables first."""
        of_tables = [file for table in self.tables for file in table.files.values()]
        return of_tables if self.dump is None else [*of_tables, self.dump]


class SessionEntry(_Part):
    """The files of the program session that was the current one at the moment of the backup."""

    name: str
    stem: str
    files: list[FileEntry]


class Manifest(_Part):
    """A backup."""

    version: int = VERSION
    name: str
    """The name of the backup's folder."""
    created_at: Moment
    formats: list[Format] = Field(min_length=1)
    databases: Annotated[list[DatabaseEntry], AfterValidator(_all_different), Field(min_length=1)]
    session: SessionEntry | None = None

    @property
    def files(self) -> list[FileEntry]:
        """All files."""
        of_session = [] if self.session is None else self.session.files
        return [file for database in self.databases for file in database.files] + of_session

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class Verified(_Part):
    """The content of `verified.json` beside the manifest: what was found when the files were last read again."""

    at: Moment
    manifest_sha256: str | None
    """The sum of the manifest with which they were found to be whole; None when they never were."""
    restored: bool
    """Whether they were also restored into a database and compared there."""
    damage: str | None = None
    """Why they are not whole, as a sentence."""


VERIFIED = "verified.json"


def read_small(path: Path) -> bytes:
    """Return the content of a small file; raise OSError, or ValueError when it is no file or longer than ours are."""
    with io.BufferedReader(io.FileIO(path, opener=_without_waiting)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is no file")
        content = file.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        raise ValueError("it is too long")
    return content


def _without_waiting(path: str, flags: int) -> int:
    """Open a file without waiting for a writer, should it be a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a backup; raise InputFileError when there is none that we can use."""
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate_json(read_small(path))
    except OSError as error:
        raise InputFileError(
            f"{folder} is not a backup ({MANIFEST}: {error.strerror}): python backups.py list shows those there are."
        ) from error
    except ValueError as error:
        raise InputFileError(
            f"{path} is damaged or not a manifest: take another backup, this one proves nothing."
        ) from error
    if manifest.version != VERSION:
        raise InputFileError(f"{path} was written by a newer version of Backscroll: update this one.")
    return manifest


def path_of(folder: Path, file: FileEntry) -> Path:
    """Return where a file of a backup is; raise InputFileError when the manifest leads out of the backup's folder."""
    path = PurePosixPath(file.path)
    if (
        not file.path.isprintable()
        or path.is_absolute()
        or ".." in path.parts
        or "\\" in file.path
        or any((folder / parent).is_symlink() for parent in path.parents if parent.parts)
    ):
        raise InputFileError(
            f"The manifest of {folder} names a file elsewhere ({file.path!r}): do not use that backup."
        )
    return folder / path
