"""Write files and folders that appear once they are whole, and read compressed ones of which nothing is missing."""

import errno
import io
import os
import reprlib
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from errors import InputFileError, OperatorError, SessionError

COMPRESSED = ".zst"
"""How the names of files end that are compressed by zstd."""
PARTIAL = ".partial"
"""How the hidden names end of what is being written: after a crash it may be removed."""

_BUFFER = 2**20  # bytes
_COMPRESSED_PIECE = 1024  # bytes; few, as each may become tens of thousands of plain ones
_LARGEST_WINDOW = 2**27  # bytes that a compressed file may have us keep in memory


# --- Errors


@contextmanager
def translate_os_errors(folder: Path, *, setting: str = "STORAGE_DIR") -> Generator[None]:
    """Raise an OSError over a folder as a SessionError that tells the operator what to do.

    `setting` is the one that leads to another folder.
    """
    remedy = (
        "see that it is a folder which this account may write to and that the disk is not full, "
        f"or set {setting} to another one"
    )
    with raise_os_errors_as(SessionError, f"The folder {folder} cannot be used", remedy):
        yield


@contextmanager
def raise_os_errors_as(error_type: type[OperatorError], failure: str, remedy: str) -> Generator[None]:
    """Raise an OSError as another type, with a sentence: what failed (why, in the system's words): what to do."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error) or type(error).__name__).lower()
        raise error_type(f"{failure} ({reason}): {remedy}.") from error


# --- Writing


def write_atomically(target: Path, content: bytes, *, setting: str = "STORAGE_DIR") -> None:
    """Write a file so that a crash leaves either the old one or the whole new one.

    Raises SessionError when its folder, to which the setting leads, cannot be written.
    """
    with translate_os_errors(target.parent, setting=setting), atomic_file(target) as partial:
        partial.write_bytes(content)


@contextmanager
def atomic_file(target: Path) -> Generator[Path]:
    """Yield an empty hidden file that replaces the target when the context ends well, and is removed otherwise.

    A crash, even a power cut, leaves either the old file or the whole new one. The new one has the mode and, where that
    is allowed, the owner of the old one; where there is no old one it is private to this account. Raises OSError.
    """
    partial = partial_path(target)
    partial.unlink(missing_ok=True)
    try:
        partial.touch(0o600, exist_ok=False)
        yield partial
        sync_file(partial)  # else a power cut may keep the new name and lose the content
        with suppress(FileNotFoundError):
            _copy_access(target, partial)
        replace_by(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def partial_path(target: Path) -> Path:
    """Return where a file or folder is written that shall take the name of the target."""
    return target.with_name(f".{target.name}{PARTIAL}")


def replace_by(partial: Path, target: Path) -> None:
    """Give a file that the disk has the name of the target, for good; raise OSError."""
    partial.replace(target)
    sync_folder(target.parent)


@contextmanager
def atomic_directory(target: Path, *, durable: bool = True) -> Generator[Path]:
    """Yield a hidden folder, private to this account, that is named as the target when the context ends well.

    Otherwise it is removed; what a killed process has left of one is removed first. Files that are put in have to be
    synced by whoever writes them. With `durable` even a power cut leaves the whole folder or none. Raises OSError,
    FileExistsError when the target exists.
    """
    partial = partial_path(target)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    try:
        yield partial
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        if durable:
            for folder, _, _ in os.walk(partial):
                sync_folder(Path(folder))  # else a power cut may keep the new name and lose the files
        partial.rename(target)
        if durable:
            sync_folder(target.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def sync_file(path: Path) -> None:
    """Wait until the disk has what was written to a file; raise OSError when it does not take it."""
    _sync(path, os.O_RDWR)  # Windows refuses to sync what is only read


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the new names in a folder, which Windows cannot do; raise OSError."""
    if os.name == "posix":
        _sync(folder, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy_access(source: Path, target: Path) -> None:
    """Give a file the mode of another one and, where that is allowed, its owner."""
    shutil.copymode(source, target)
    if os.name == "posix":
        known = source.stat()
        with suppress(PermissionError):
            os.chown(target, known.st_uid, known.st_gid)


# --- Reading


def _ignore(_: int) -> None:
    """Ignore how far a file is read."""


@contextmanager
def open_decompressed(path: Path, report: Callable[[int], None] = _ignore) -> Generator[BinaryIO]:
    """Yield the content of a file, decompressed when its name ends in .zst; a part of it at a time is in memory.

    The report is called with the number of bytes that are read of the file as it is on the disk. Raises InputFileError
    when it cannot be opened; so does reading a compressed file that is cut off or damaged.
    """
    with raise_os_errors_as(InputFileError, f"{path} cannot be read", "correct the path or its permissions"):
        opened = io.BufferedReader(_ReportingFile(path, report), _BUFFER)
    with opened as file:
        if path.suffix == COMPRESSED:
            with decompress(file, path) as plain:
                yield plain
        else:
            yield file


def decompress(file: IO[bytes], path: object) -> BinaryIO:
    """Return the content of an open file that is compressed by zstd, in one or more frames; `path` is for errors.

    Reading it raises InputFileError when the file is damaged or ends within a frame.
    """
    # The library's own reader ends silently where a file is cut off.
    return cast("BinaryIO", io.BufferedReader(_Pieces(_decompressed(file, path)), _BUFFER))


def _decompressed(file: IO[bytes], path: object) -> Iterator[bytes]:
    """Yield the pieces of a compressed file's content."""
    import zstandard  # only where something is compressed

    decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    frame = decompressor.decompressobj()
    is_inside_frame = False
    try:
        while piece := file.read(_COMPRESSED_PIECE):
            while piece:
                is_inside_frame = True
                yield frame.decompress(piece)
                piece = frame.unused_data if frame.eof else b""
                if frame.eof:
                    frame, is_inside_frame = decompressor.decompressobj(), False
    except zstandard.ZstdError as error:
        raise InputFileError(f"{path} is damaged or not compressed by zstd: take another copy of it.") from error
    if is_inside_frame:
        raise InputFileError(f"{path} is cut off before its end: take another copy of it.")


class _ReportingFile(io.FileIO):
    """A file that reports how far it is read."""

    def __init__(self, path: Path, report: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._report = report

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer as far as possible and return how far."""
        count = super().readinto(buffer)
        self._report(self.tell())
        return count or 0


class _Pieces(io.RawIOBase):
    """A file that is made of pieces of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer from one piece as far as possible and return how far; 0 behind the last one."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        taken = min(len(buffer), len(self._rest))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken


# --- Paths


def expand_path(text: str) -> Path:
    """Return a path as it is written, but for a home at its beginning: ~, ~user, $HOME or ${HOME}.

    Elsewhere these signs may be part of a name, and so may they behind `./`. Raises ValueError for an unknown user.
    """
    first, _, rest = text.partition("/")
    if first in {"$HOME", "${HOME}"}:
        first = "~"
    try:
        return Path(Path(first).expanduser(), rest.lstrip("/")) if first.startswith("~") else Path(text)
    except RuntimeError as error:
        raise ValueError(
            f"{reprlib.repr(first)} is nobody's home here: write the whole path, or ./~ for a name"
        ) from error
