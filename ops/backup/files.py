"""Write and read the files of a backup, so that what has a name is whole."""

import hashlib
import io
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from filelock import FileLock, Timeout

from errors import OperatorError
from ops.backup.manifest import FileEntry
from storage.files import COMPRESSED, PARTIAL, atomic_directory, sync_folder
from storage.files import translate_os_errors as translate_any_os_errors

_LEVEL = 1  # a higher one takes several times as long, for a file that is a tenth smaller
_THREADS = 2
_PIECE = 1024 * 1024  # bytes
_REMOVED = ".removed"


class Sink(Protocol):
    """Takes the bytes of a file."""

    def write(self, data: bytes, /) -> int:
        """Take some more bytes, and return their number."""


class HashingFile(io.RawIOBase):
    """A new file that knows the number and the sha256 of the bytes that went into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._file = io.FileIO(path, "x", opener=_open_private)

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: object, /) -> int:
        """Write all of it; raise OSError when the disk is full."""
        rest = memoryview(cast("bytes", data)).cast("B")
        total = len(rest)
        self._sha256.update(rest)
        while rest:  # the system may take a part only
            rest = rest[self._file.write(rest) :]
        self.size += total
        return total

    def entry(self, folder: Path) -> FileEntry:
        """Return what a manifest in `folder` says of this file."""
        return FileEntry(path=self.path.relative_to(folder).as_posix(), size=self.size, sha256=self._sha256.hexdigest())

    def sync(self) -> None:
        """Wait until the disk has everything."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


class Writer:
    """Writes a file of a backup; its name says whether it is compressed."""

    def __init__(self, file: HashingFile, sink: Sink) -> None:
        self._file = file
        self._sink = sink

    @property
    def size(self) -> int:
        """The number of bytes that the file has by now."""
        return self._file.size

    def write(self, data: bytes) -> None:
        """Write a small piece, which threads of the compressor's own compress; raise OSError when the disk is full."""
        self._sink.write(data)

    def entry(self, folder: Path) -> FileEntry:
        """Return what a manifest in `folder` says of the file, once it is closed."""
        return self._file.entry(folder)


@contextmanager
def open_writer(path: Path) -> Generator[Writer]:
    """Yield what writes a new file, compressed when its name ends so; its bytes are on the disk on exit."""
    with closing(HashingFile(path)) as file:
        if path.suffix == COMPRESSED:
            import zstandard  # only where something is compressed: a list of backups needs none of it

            compressor = zstandard.ZstdCompressor(level=_LEVEL, threads=_THREADS)
            with compressor.stream_writer(cast("BinaryIO", file), closefd=False) as compressing:
                yield Writer(file, cast("Sink", compressing))
        else:
            yield Writer(file, file)
        file.sync()


def pieces_of(path: Path) -> Iterator[bytes]:
    """Yield the pieces of a file as they are on the disk."""
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            yield piece


translate_os_errors = partial(translate_any_os_errors, setting="BACKUP_DIR")
"""Raises what the system says about the folder of backups as a sentence."""


@contextmanager
def writing_lock(backup_dir: Path) -> Generator[None]:
    """Let one process at a time change the folder of all backups; make it when it is not there.

    What killed processes have left half made, or half removed, is removed. Raises OperatorError at once when another
    process is at it, or when the folder cannot be written.
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
            _remove_leftovers(backup_dir)
        yield
    finally:
        lock.release()


def _remove_leftovers(backup_dir: Path) -> None:
    for path in backup_dir.glob(".*"):
        if path.suffix in {PARTIAL, _REMOVED} and path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)


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
