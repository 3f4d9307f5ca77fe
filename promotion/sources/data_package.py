"""Read the package of one's own data that Discord sends: what one person has written, channel by channel."""

import json
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

from pandas import DataFrame

from errors import InputFileError, first_line
from promotion import json_stream
from promotion.chunks import RawChunk
from promotion.csv_records import Table, chunks_of, read_header
from promotion.encodings import open_as_text
from promotion.json_stream import Items
from promotion.opening import readable

_USER = re.compile(r"[^/]+/user\.json")
_CHANNEL = re.compile(r"(?P<root>(?:.*/)?[^/]+)/c?(?P<id>\d{15,20})/messages\.(?:json|csv)")
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)$"
_COLUMNS = {"ID": "message_id", "Timestamp": "sent_at", "Contents": "content", "Attachments": "attachments"}
_NEEDED = ("ID", "Timestamp")
"""Columns without which no line of a package is a message."""
_THREADS = {"PUBLIC_THREAD", "PRIVATE_THREAD", "ANNOUNCEMENT_THREAD", "10", "11", "12"}
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, ValueError, RuntimeError)
"""What reading a damaged archive raises; its sizes and offsets may be negative, its names no text."""
_LARGEST_NOTE = 64 * 2**20  # bytes of a file that is read at once
_BOMB_FROM, _BOMB_RATIO = 64 * 2**20, 200  # texts are packed to a fifth of their size, hardly ever to a hundredth


@dataclass(frozen=True, slots=True)
class _Files:
    """A folder, packed or not: the sizes of the files in it by their paths, with slashes, and how to open one."""

    path: Path
    sizes: Mapping[str, int]
    open: Callable[[str], IO[bytes]]


@dataclass(frozen=True, slots=True)
class DataPackage:
    """A package, as a folder or as the zip file that it came in."""

    path: Path
    members: tuple[str, ...]
    """The files with messages, one a channel."""
    size: int
    """Bytes of these, unpacked."""
    me: int | None

    def read(self) -> Iterator[RawChunk]:
        """Yield what the package holds; raises InputFileError."""
        with _opened(self.path) as files:
            root = _root(files)
            shared = _author(files, root)
            index = _json_of(files, f"{root}/index.json", missing={})
            done = 0
            for name in self.members:
                added = {**shared, **_channel(files, name, index)}
                for chunk in _member(files, name, added):
                    yield replace(chunk, end_bytes=done + min(chunk.end_bytes, files.sizes[name]))
                done += files.sizes[name]


def open_package(path: Path, *, me: int | None) -> DataPackage | None:
    """Return the package that a folder or zip file is; None for any other.

    Raises InputFileError for a file that is damaged, or could not be unpacked without harm.
    """
    with _opened(path) as files:
        root = _root(files)
        if not root:
            return None
        members = tuple(
            sorted(name for name in files.sizes if (found := _CHANNEL.fullmatch(name)) and found["root"] == root)
        )
        return DataPackage(path, members, sum(files.sizes[name] for name in members), me)


@contextmanager
def _opened(path: Path) -> Generator[_Files]:
    with readable(path):
        if path.is_dir():
            found = {file.relative_to(path).as_posix(): file.stat().st_size for file in _interesting(path)}
            yield _Files(path, found, lambda name: (path / name).open("rb"))
            return
        try:
            with zipfile.ZipFile(path) as archive:
                yield _Files(path, _checked(path, archive.infolist()), archive.open)
        except _DAMAGED as error:
            raise InputFileError(f"{path} is damaged ({first_line(error)}): download it again.") from error


def _interesting(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that may matter: a package has others, which are far larger."""
    for pattern in ("*/index.json", "*/*/index.json", "*/user.json", "*/*/user.json"):
        yield from folder.glob(pattern)
    for depth in ("*/*", "*/*/*"):
        for name in ("channel.json", "messages.json", "messages.csv"):
            yield from folder.glob(f"{depth}/{name}")


def _checked(path: Path, members: list[zipfile.ZipInfo]) -> dict[str, int]:
    """Return the sizes of the files of an archive; raise InputFileError for one that is made to do harm."""
    for member in members:
        name = PurePosixPath(member.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts:
            raise InputFileError(
                f"{path} has a file that would land outside of it ({str(name)!r}): it is no data package."
            )
        if member.flag_bits & 1:
            raise InputFileError(f"{path} is encrypted: unpack it and name the folder.")
        if member.file_size > max(_BOMB_FROM, member.compress_size * _BOMB_RATIO) and _CHANNEL.fullmatch(str(name)):
            raise InputFileError(f"{path} would become too large when unpacked ({str(name)!r}): it is no data package.")
    return {member.filename: member.file_size for member in members}


def _root(files: _Files) -> str:
    """Return the folder of the messages, which bears another name in each language; empty when there is none."""
    roots = {found["root"] for name in files.sizes if (found := _CHANNEL.fullmatch(name))}
    return next((root for root in sorted(roots) if f"{root}/index.json" in files.sizes), "")


def _author(files: _Files, root: str) -> dict[str, str]:
    """Return who has written all of it, as the account's own file tells, in whatever folder it is."""
    top = root.rpartition("/")[0]
    above = f"{top}/" if top else ""
    names = (name for name in files.sizes if name.startswith(above) and _USER.fullmatch(name, len(above)))
    user = _json_of(files, next(names, ""), missing={})
    name = _text(user.get("global_name")) or _text(user.get("username"))
    return {"author_id": _text(user.get("id")), "author_name": name}


def _channel(files: _Files, member: str, index: Mapping[str, Any]) -> dict[str, str]:
    """Return where the messages of a file were said."""
    folder = member.rpartition("/")[0]
    channel_id = PurePosixPath(folder).name.removeprefix("c")
    told = _json_of(files, f"{folder}/channel.json", missing={})
    guild: Any = told.get("guild")
    guild_id = _text(guild.get("id")) if isinstance(guild, dict) else ""
    name = _text(told.get("name")) or _text(index.get(channel_id))
    place = {"channel_id": channel_id, "channel_name": name, "guild_id": guild_id}
    return place | ({"thread_id": channel_id} if _text(told.get("type")) in _THREADS else {})


def _text(value: object) -> str:
    """Return a text or number of a note as text, empty for anything else: what a note tells is of help, no more."""
    return str(value) if isinstance(value, (str, int)) else ""


def _json_of(files: _Files, name: str, *, missing: dict[str, Any]) -> dict[str, Any]:
    """Return a small JSON object of the package; `missing` when there is none of that name, or it is no object."""
    if not 0 < files.sizes.get(name, 0) < _LARGEST_NOTE:
        return missing
    with files.open(name) as file:
        try:
            found = json.loads(file.read(_LARGEST_NOTE))
        except (ValueError, RecursionError) as error:
            raise InputFileError(f"{name} in {files.path} is damaged: download the package again.") from error
    return found if isinstance(found, dict) else missing


def _member(files: _Files, name: str, added: Mapping[str, str]) -> Iterator[RawChunk]:
    with files.open(name) as file:
        yield from (
            _csv(file, name, added, files.path) if name.endswith(".csv") else _json(file, name, added, files.path)
        )


def _csv(file: IO[bytes], name: str, added: Mapping[str, str], path: Path) -> Iterator[RawChunk]:
    with open_as_text(file, "utf-8-sig") as text:
        header = read_header(text)
        if missing := [theirs for theirs in _NEEDED if theirs not in header]:
            raise InputFileError(f"{name} in {path} has no column {missing[0]}: download the package again.")
        table = Table(source=name, header=header, columns=_COLUMNS, added=added)
        for chunk in chunks_of(text, table, position=file.tell):
            yield replace(chunk, frame=_in_utc(chunk.frame))


def _json(file: IO[bytes], name: str, added: Mapping[str, str], path: Path) -> Iterator[RawChunk]:
    def row(one: Mapping[str, Any]) -> dict[str, str]:
        return {**added, **{ours: json_stream.text_of(one.get(theirs)) for theirs, ours in _COLUMNS.items()}}

    messages = Items(source=name, key="", names=(*_COLUMNS.values(), *added), row=row)
    try:
        for chunk in json_stream.chunks_of(file, messages, position=file.tell):
            yield replace(chunk, frame=_in_utc(chunk.frame))
    except ValueError as error:
        raise InputFileError(f"{name} in {path} is damaged or cut off: download the package again.") from error


def _in_utc(frame: DataFrame) -> DataFrame:
    """Say that the times, which come without an offset, are of UTC."""
    times = frame["sent_at"]
    return frame.assign(sent_at=times.where(times.str.contains(_OFFSET) | times.eq(""), times + "+00:00"))
