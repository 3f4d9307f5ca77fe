"""List and open the files of a source, in folders and archives, whole or compressed, and take their digest."""

import hashlib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
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
    """Return whether a file begins with certain bytes."""
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


_MOST_FILES = 100_000


_DEEPEST = 50  # folders within each other


_BOMB_FROM, _BOMB_RATIO = 64 * 2**20, 200  # texts are packed to a fifth of their size, hardly ever to a hundredth


_ZIP = b"PK\x03\x04"


_NOT_LOOKED_INTO = frozenset({"__MACOSX", "__pycache__"})
"""Folders that systems make for themselves, beside those whose name begins with a point."""


OF_NO_KIND = "It is of no kind that messages are read from."
"""Why a file is passed over that nobody would take for one with messages, such as a picture."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that nothing is read of, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Files by their paths within a folder or archive, with slashes, and those that cannot be looked into."""

    files: Mapping[str, Location]
    skipped: list[Skipped] = field(default_factory=list)


def is_archive(path: Path) -> bool:
    """Return whether a file is a zip archive; raises InputFileError when it cannot be read."""
    return begins_with(path, _ZIP)


def list_files(path: Path) -> Listing:
    """Return the files of a folder or an archive; raises InputFileError for an archive that is damaged or does harm.

    An archive within a folder is looked into; where that cannot be done it is among the skipped.
    """
    if path.is_file():
        return _of_archive(path)
    found: dict[str, Location] = {}
    skipped: list[Skipped] = []
    with readable(path):
        for name, file in islice(_walk(path), _MOST_FILES):
            if file.suffix.lower() != ".zip":
                found[name] = file
                continue
            try:
                inner = _of_archive(file)
            except InputFileError as error:
                skipped.append(Skipped(name, str(error)))
            else:
                found |= {f"{name}/{inside}": member for inside, member in inner.files.items()}
                skipped += (Skipped(f"{name}/{one.name}", one.reason) for one in inner.skipped)
    return Listing(found, skipped)


def _walk(folder: Path, above: str = "") -> Iterator[tuple[str, Path]]:
    """Yield the files of a folder and of those in it, in order; links to folders are not followed."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in _NOT_LOOKED_INTO:
            continue
        if path.is_dir():
            if not path.is_symlink() and above.count("/") < _DEEPEST:
                yield from _walk(path, f"{above}{path.name}/")
        elif path.is_file():
            yield f"{above}{path.name}", path


def _of_archive(path: Path) -> Listing:
    try:
        with readable(path), zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (*DAMAGED, ValueError, RuntimeError) as error:
        raise damaged(path, error) from error
    found: dict[str, Location] = {}
    skipped: list[Skipped] = []
    for info in infos[:_MOST_FILES]:
        name = _checked_name(path, info)
        parts = PurePosixPath(name).parts
        if info.is_dir() or any(part.startswith(".") or part in _NOT_LOOKED_INTO for part in parts):
            continue
        if info.file_size > max(_BOMB_FROM, info.compress_size * _BOMB_RATIO):
            skipped.append(Skipped(name, f"{name} in {path} would become too large when unpacked: leave it out."))
        elif name.lower().endswith(".zip"):
            skipped.append(Skipped(name, f"{name} in {path} is an archive within an archive: unpack it."))
        else:
            found[name] = Member(path, info.filename, info.file_size)
    return Listing(found, skipped)


def _checked_name(path: Path, info: zipfile.ZipInfo) -> str:
    """Return the path of a file in an archive; raise InputFileError for an archive that is made to do harm."""
    name = PurePosixPath(info.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts:
        raise InputFileError(f"{path} has a file that would land outside of it ({str(name)!r}): it is no data package.")
    if info.flag_bits & 1:
        raise InputFileError(f"{path} is encrypted: unpack it and name the folder.")
    return str(name)
