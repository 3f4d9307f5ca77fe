"""Tell, before anything is changed, whether a backup can be restored into a database."""

from pathlib import Path

from archive.dump_loading import dump_of
from archive.formats import Format
from archive.loading import file_of
from archive.manifest import DatabaseEntry, Manifest
from db.migrate import is_known
from errors import EmbeddingModelError, InputFileError
from memory.preparation import HALF_EMBEDDED


def entry_of(folder: Path, manifest: Manifest, name: str) -> DatabaseEntry:
    """Return what a backup says of one of the databases; raise InputFileError when it does not hold it."""
    for entry in manifest.databases:
        if entry.name == name:
            return entry
    raise InputFileError(f"The backup {folder} does not hold the {name} database: take one that does.")


def only_needed(manifest: Manifest, entry: DatabaseEntry, source: Format) -> Manifest:
    """Return a manifest of nothing but the files from which a database is restored.

    Raises InputFileError when it cannot be restored from that format.
    """
    if source is Format.PARQUET:
        raise InputFileError("Nothing is restored from parquet files: restore from another format of the backup.")
    if source is Format.DUMP:
        dump_of(entry)
        return _with_entry(manifest, entry.model_copy(update={"tables": _without_files(entry)}))
    tables = [table.model_copy(update={"files": {source: file_of(table, source)}}) for table in entry.tables]
    return _with_entry(manifest, entry.model_copy(update={"tables": tables, "dump": None}))


def refuse_newer(entry: DatabaseEntry) -> None:
    """Raise InputFileError for a backup of a newer version of the program."""
    if not is_known(entry.schema_revision):
        raise InputFileError(f"The backup of the {entry.name} database was made by a newer version: update this one.")


def refuse_other_embeddings(entry: DatabaseEntry, *, dimensions: int, model: str) -> None:
    """Raise EmbeddingModelError when the vectors of a backup are not of the model, or not of so many dimensions."""
    made_with = entry.embedding_model
    if made_with not in {None, HALF_EMBEDDED, model} or entry.dimensions != dimensions:
        raise EmbeddingModelError(
            f"The backup of the {entry.name} database was embedded with {made_with!r} ({entry.dimensions} dimensions) "
            f"and EMBEDDING_MODEL says {model!r} ({dimensions}): set it to the backup's, then restore again."
        )


def _with_entry(manifest: Manifest, entry: DatabaseEntry) -> Manifest:
    return manifest.model_copy(update={"databases": [entry], "session": None})


def _without_files(entry: DatabaseEntry) -> list[object]:
    return [table.model_copy(update={"files": {}}) for table in entry.tables]
