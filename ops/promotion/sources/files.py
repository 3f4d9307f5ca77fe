"""Open the files of a source, whole, compressed or packed in an archive, and take their digest."""

import hashlib
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import zstandard

from errors import InputFileError, first_line
from ops.promotion.sources.encodings import SAMPLE

_PIECE = 1024  # compressed bytes; few, as each may become tens of thousands of plain ones
_WINDOW = 2**27  # bytes that a compressed file may have us keep in memory


DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError)
"""What reading a damaged archive raises, beside ValueError for sizes that are negative and names that are no text."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a zip archive, which is read without being unpacked."""

    archive: Path
    path_inside: str
    size: int
    """Bytes, unpacked."""

    def __str__(self) -> str:
        return f"{self.archive}/{self.path_inside}"

    @property
    def name(self) -> str:
        """The name of the file without its folders."""
        return PurePosixPath(self.path_inside).name

    @property
    def suffix(self) -> str:
        """The ending of the name, with its point."""
        return PurePosixPath(self.path_inside).suffix

    def open(self, _mode: str = "rb") -> IO[bytes]:
        """Open the file for reading; raise InputFileError when the archive is damaged."""
        try:
            with zipfile.ZipFile(self.archive) as archive:
                return archive.open(self.path_inside)  # keeps the archive's file open until it is closed itself
        except (*DAMAGED, ValueError, RuntimeError, KeyError) as error:
            raise damaged(self, error) from error


Location = Path | Member
"""Where a file is read."""


def damaged(path: object, error: Exception) -> InputFileError:
    """Return the refusal of a damaged archive, or of a file in one."""
    return InputFileError(f"{path} is damaged ({first_line(error)}): download it again.")


def size_of(location: Location) -> int:
    """Return the size of a file in bytes, unpacked where it is in an archive."""
    return location.size if isinstance(location, Member) else location.stat().st_size


@contextmanager
def readable(path: Location) -> Generator[None]:
    """Raise what the system says about a file as an InputFileError that tells the operator what to do."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error) or type(error).__name__).lower()
        raise InputFileError(f"{path} cannot be read ({reason}): correct the path or its permissions.") from error
    except zstandard.ZstdError as error:
        raise InputFileError(f"{path} is damaged or not compressed by zstd: take another copy of it.") from error


@contextmanager
def opened(path: Location) -> Generator[tuple[IO[bytes], IO[bytes]]]:
    """Yield the contents of a file, decompressed if its name ends in .zst, and the file itself, which tells how far.

    Raises InputFileError when it cannot be read, now or while it is being read in the context.
    """
    with readable(path), ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        plain = io.BufferedReader(_Pieces(_decompressed(raw, path))) if path.suffix == ".zst" else raw
        try:
            yield plain, raw
        except DAMAGED as error:
            raise damaged(path, error) from error
        except UnicodeError as error:
            raise InputFileError(
                f"{path} cannot be read in this encoding ({first_line(error)}): name another one with --encoding."
            ) from error


def sample_of(path: Location) -> bytes:
    """Return the beginning of a file, decompressed."""
    with opened(path) as (plain, _):
        return plain.read(SAMPLE)


def begins_with(path: Path, mark: bytes) -> bool:
    """Tell whether a file begins with certain bytes."""
    with readable(path), path.open("rb") as file:
        return file.read(len(mark)) == mark


def digest_of(paths: Sequence[Path], options: Iterable[str]) -> str:
    """Return the SHA-256 of the contents of files, in their order, and of what changes their meaning."""
    whole = hashlib.sha256()
    for path in paths:
        with readable(path), path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    for option in options:
        whole.update(hashlib.sha256(option.encode("utf-8", "surrogatepass")).digest())
    return whole.hexdigest()


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        taken = min(len(target), len(self._rest))
        target[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken


def _decompressed(raw: IO[bytes], path: Location) -> Iterator[bytes]:
    """Yield the contents of a compressed file; the library's own reader would end silently where a file is cut off."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    frame = decompressor.decompressobj()
    begun = False
    while piece := raw.read(_PIECE):
        while piece:
            begun = True
            yield frame.decompress(piece)
            piece = frame.unused_data if frame.eof else b""
            if frame.eof:
                frame, begun = decompressor.decompressobj(), False
    if begun:
        raise InputFileError(f"{path} is cut off before its end: take another copy of it.")
