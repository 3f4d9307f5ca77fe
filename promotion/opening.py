"""Open the files of a source, whole or compressed, and take their digest."""

import hashlib
import io
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import zstandard

from errors import InputFileError
from promotion.encodings import SAMPLE

Location = Path

_PIECE = 1024  # compressed bytes; few, as each may become tens of thousands of plain ones
_WINDOW = 2**27  # bytes that a compressed file may have us keep in memory


@contextmanager
def readable(path: Path) -> Generator[None]:
    """Raise what the system says about a file as an InputFileError that tells the operator what to do."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error) or type(error).__name__).lower()
        raise InputFileError(f"{path} cannot be read ({reason}): correct the path or its permissions.") from error
    except zstandard.ZstdError as error:
        raise InputFileError(f"{path} is damaged or not compressed by zstd: take another copy of it.") from error


@contextmanager
def opened(path: Path) -> Generator[tuple[IO[bytes], IO[bytes]]]:
    """Yield the contents of a file, decompressed if its name ends in .zst, and the file itself, which tells how far.

    Raises InputFileError when it cannot be read, now or while it is being read in the context.
    """
    with readable(path), ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        plain = io.BufferedReader(_Pieces(_decompressed(raw, path))) if path.suffix == ".zst" else raw
        yield plain, raw


def sample_of(path: Path) -> bytes:
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


def _decompressed(raw: IO[bytes], path: Path) -> Iterator[bytes]:
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
