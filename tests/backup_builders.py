"""Backups as a folder of them is read, without the files."""

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from db.databases import LONG_TERM
from ops.backup.catalogue import Backup
from ops.backup.formats import Format
from ops.backup.manifest import DatabaseEntry, FileEntry, Manifest, Verified

VERIFIED = Verified(at=datetime(2026, 11, 2, tzinfo=UTC), manifest_sha256="", restored=False)


def database_entry(name: str, *, dumped: bool = True) -> DatabaseEntry:
    """Return what a manifest says of a database that was dumped, or of which no file can be restored."""
    return DatabaseEntry(
        name=name,
        server_version="18.1",
        extensions={},
        schema_revision="",
        embedding_model=None,
        dimensions=3,
        session=None,
        first_message=None,
        last_message=None,
        tables=[],
        dump=FileEntry(path="x", size=1, sha256="0" * 64) if dumped else None,
    )


def backup_of(
    name: str,
    created_at: datetime,
    databases: Collection[str | DatabaseEntry] = (LONG_TERM,),
    *,
    verified: bool = True,
    damage: str | None = None,
) -> Backup:
    """Return a backup of these databases, those that are only named with a dump."""
    entries = [database_entry(each) if isinstance(each, str) else each for each in databases]
    manifest = Manifest(name=name, created_at=created_at, formats=[Format.DUMP], databases=entries)
    return Backup(folder=Path(name), manifest=manifest, verified=VERIFIED if verified else None, damage=damage)
