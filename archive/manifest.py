"""What a backup says of itself: which files it has, what they hold, and where it came from."""

from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from archive.formats import Format
from errors import InputFileError

MANIFEST = "manifest.json"
VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=False, extra="forbid")


class FileEntry(_Part):
    """One file of a backup; its path is relative to the manifest, with slashes."""

    path: str
    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class TableEntry(_Part):
    """A table as it was at the moment of the backup, and its file in each format that has files of single tables."""

    name: str
    columns: dict[str, str]
    """The type of each column, in their order."""
    rows: int = Field(ge=0)
    checksum: str
    """As `db.checksums` tells it, of all columns in their order."""
    files: dict[Format, FileEntry] = {}


class DatabaseEntry(_Part):
    """One of the two databases at the moment of the backup."""

    name: str
    """`db.databases.SHORT_TERM` or `LONG_TERM`."""
    server_version: str
    extensions: dict[str, str]
    schema_revision: str
    embedding_model: str | None
    dimensions: int
    session: str | None
    """Which program session short-term memory held."""
    first_message: AwareDatetime | None
    last_message: AwareDatetime | None
    tables: list[TableEntry]
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
    """Of the backup's folder."""
    created_at: AwareDatetime
    formats: list[Format]
    databases: list[DatabaseEntry]
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
    """What `verified.json` beside the manifest says: that the files were read again and were found to be whole."""

    at: AwareDatetime
    manifest_sha256: str
    restored: bool
    """Whether they were also restored into a database and compared there."""


VERIFIED = "verified.json"


def read_manifest(folder: Path) -> Manifest:
    """Return what a backup says of itself; raise InputFileError when it says nothing that we can use."""
    path = folder / MANIFEST
    try:
        found = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputFileError(
            f"{folder} is not a backup ({MANIFEST}: {error.strerror}): python backups.py list shows those there are."
        ) from error
    except ValidationError as error:
        raise InputFileError(
            f"{path} is damaged or not a manifest: take another backup, this one proves nothing."
        ) from error
    if found.version != VERSION:
        raise InputFileError(f"{path} was written by a newer version of Backscroll: update this one.")
    return found
