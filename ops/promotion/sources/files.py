"""Open the files of a source, whole, compressed or packed in an archive, and take their digest."""

import hashlib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from errors import InputFileError, first_line
from ops.promotion.sources.encodings import SAMPLE
from storage.files import COMPRESSED, decompress, raise_os_errors_as

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


def readable(path: Location) -> AbstractContextManager[None]:
    """Raise what the system says about a file as an InputFileError that tells the operator what to do."""
    return raise_os_errors_as(InputFileError, f"{path} cannot be read", "correct the path or its permissions")


@contextmanager
def opened(path: Location) -> Generator[tuple[IO[bytes], IO[bytes]]]:
    """Yield the contents of a file, decompressed if its name ends in .zst, and the file itself, which tells how far.

    Raises InputFileError when it cannot be read, now or while it is being read in the context.
    """
    with readable(path), ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        plain = stack.enter_context(decompress(raw, path)) if path.suffix == COMPRESSED else raw
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
