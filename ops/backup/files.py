"""Write the files of a backup and their hashes, one process at a time, in a folder that appears when it is whole."""

import hashlib
import io
import os
import shutil
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from filelock import FileLock, Timeout

from errors import OperatorError
from ops.backup.manifest import FileEntry
from storage import files
from storage.files import COMPRESSED, PARTIAL, atomic_directory, sync_folder

_LEVEL = 1  # a higher one takes several times as long, for a file that is a tenth smaller
_THREADS = 2
_REMOVED = ".removed"


class HashingFile(io.RawIOBase):
    """A new file, private to this account, that hashes and counts the bytes that are written to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._file = io.FileIO(path, "x", opener=_open_private)

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: object, /) -> int:
        """Write all of the data; raise OSError when the disk is full."""
        rest = memoryview(cast("bytes", data)).cast("B")
        total = len(rest)
        self._sha256.update(rest)
        while rest:  # the system may take a part only
            rest = rest[self._file.write(rest) :]
        self.size += total
        return total

    def entry(self, folder: Path) -> FileEntry:
        """Return the entry of this file for a manifest in `folder`."""
        return FileEntry(path=self.path.relative_to(folder).as_posix(), size=self.size, sha256=self._sha256.hexdigest())

    def sync(self) -> None:
        """Wait until the disk has what was written."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


@dataclass(frozen=True, slots=True)
class FileWriter:
    """Write a file of a backup by pieces, which threads of the compressor's own compress; raise OSError."""

    write: Callable[[bytes], object]
    entry: Callable[[Path], FileEntry]
    """Returns the entry for a manifest in a folder, once the writer is closed."""


@contextmanager
def open_writer(path: Path) -> Generator[FileWriter]:
    """Yield a writer of a new file, compressed when its name ends in .zst; its bytes are on the disk on exit."""
    with closing(HashingFile(path)) as file:
        if path.suffix == COMPRESSED:
            import zstandard  # only where something is compressed: a list of backups needs none of it

            compressor = zstandard.ZstdCompressor(level=_LEVEL, threads=_THREADS)
            with compressor.stream_writer(cast("BinaryIO", file), closefd=False) as compressing:
                yield FileWriter(compressing.write, file.entry)
        else:
            yield FileWriter(file.write, file.entry)
        file.sync()


def translate_os_errors(backup_dir: Path) -> AbstractContextManager[None]:
    """Raise an OSError over the folder of backups as a SessionError that tells the operator what to do."""
    return files.translate_os_errors(backup_dir, setting="BACKUP_DIR")


@contextmanager
def writing_lock(backup_dir: Path) -> Generator[None]:
    """Keep other processes from writing to the folder of all backups; make it when it is not there.

    What killed processes have left half made, or half removed, is removed. Raises OperatorError at once when another
    process holds the lock, or when the folder cannot be written.
    """
    with translate_os_errors(backup_dir):
        backup_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(backup_dir / ".lock", thread_local=False)
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise OperatorError(
                f"Another backups.py is writing to {backup_dir}: wait until it has ended, then start this one again."
            ) from error
    try:
        with translate_os_errors(backup_dir):
            for path in backup_dir.glob(".*"):
                if path.suffix in {PARTIAL, _REMOVED} and path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
        yield
    finally:
        lock.release()


@contextmanager
def new_backup_folder(backup_dir: Path, name: str) -> Generator[Path]:
    """Yield a hidden folder to be filled, which gets its name when the context ends well and is removed otherwise.

    Call it under the `writing_lock`. Raises OperatorError when there is something of that name, or no space.
    """
    target = backup_dir / name
    with translate_os_errors(backup_dir):
        try:
            with atomic_directory(target) as partial:
                yield partial
        except FileExistsError as error:
            if error.filename != str(target):
                raise
            raise OperatorError(f"There is a {target} already: take another name for the backup.") from error


def remove_folder(folder: Path) -> None:
    """Remove a backup so that at no moment a part of it looks whole; call it under the `writing_lock`.

    Raises OperatorError when it cannot be removed.
    """
    doomed = folder.with_name(f".{folder.name}{_REMOVED}")
    with translate_os_errors(folder.parent):
        folder.rename(doomed)
        sync_folder(folder.parent)
        shutil.rmtree(doomed)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
