"""List the files of a folder or an archive, whatever folders and archives are in them."""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath

from errors import InputFileError
from ops.promotion.sources.files import DAMAGED, Location, Member, begins_with, damaged, readable

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
