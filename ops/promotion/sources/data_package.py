"""Read the package of one's own data that Discord sends: what one person has written, channel by channel."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import IO, Any

from pandas import DataFrame

from errors import InputFileError
from ops.promotion.records import RawBatch
from ops.promotion.sources import json_reader
from ops.promotion.sources.csv_reader import CsvTable, chunks_of, read_header
from ops.promotion.sources.encodings import open_as_text
from ops.promotion.sources.files import Location, opened, size_of
from ops.promotion.sources.json_reader import Items

_USER = re.compile(r"[^/]+/user\.json")
_CHANNEL = re.compile(r"(?:(?P<root>.+)/)?c?(?P<id>\d{15,20})/messages\.(?:json|csv)")
_CHANNEL_FOLDER = re.compile(r"c?\d{15,20}/")
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)$"
_COLUMNS = {"ID": "message_id", "Timestamp": "sent_at", "Contents": "content", "Attachments": "attachments"}
_NEEDED = ("ID", "Timestamp")
"""Columns without which no line of a package is a message."""
_THREADS = {"PUBLIC_THREAD", "PRIVATE_THREAD", "ANNOUNCEMENT_THREAD", "10", "11", "12"}
_LARGEST_NOTE = 64 * 2**20  # bytes of a file that is read at once


@dataclass(frozen=True, slots=True)
class DataPackage:
    """A package: the files of one person's messages, and what stands beside them."""

    files: Mapping[str, Location]
    """All files of the folder or archive that it is in, by their paths."""
    root: str
    """The path of the folder of the messages, which bears another name in each language."""
    members: tuple[str, ...]
    """The files with messages, one a channel."""
    author: Mapping[str, str]
    """Who has written all of it: an id and a name, both empty where the package does not tell."""

    def has(self, name: str) -> bool:
        """Return whether a file is part of the package: of its messages, or of what stands beside them in one."""
        if name.startswith(f"{self.root}/") if self.root else _CHANNEL_FOLDER.match(name) or name == "index.json":
            return True
        above = _within(self.root.rpartition("/")[0])
        beside = name.removeprefix(above)
        is_whole = any(_USER.fullmatch(file, len(above)) for file in self.files if file.startswith(above))
        return is_whole and name.startswith(above) and ("/" in beside or beside.lower().startswith("readme"))

    def read(self, member: str) -> Iterator[RawBatch]:
        """Yield what a file with messages holds; raises InputFileError."""
        index = _json_of(self.files, f"{_within(self.root)}index.json", missing={})
        location = self.files[member]
        added = {**self.author, **_channel(self.files, member, index)}
        if size_of(location) == 0:
            raise InputFileError(f"{location} is empty: download the package again.")
        with opened(location) as (plain, _):
            rows = _csv if member.endswith(".csv") else _json
            yield from rows(plain, member, added, location)


def find_packages(files: Mapping[str, Location]) -> list[DataPackage]:
    """Return the packages among files; raises InputFileError where the account of one is damaged."""
    found = [(name, found["root"] or "") for name in sorted(files) if (found := _CHANNEL.fullmatch(name))]
    roots = sorted({root for _, root in found})
    return [
        DataPackage(files, root, tuple(name for name, above in found if above == root), _author(files, root))
        for root in roots
    ]


def _within(folder: str) -> str:
    """Return how the paths of files in a folder begin."""
    return f"{folder}/" if folder else ""


def _author(files: Mapping[str, Location], root: str) -> dict[str, str]:
    """Return who has written all of it, as the account's own file tells, in whatever folder it is."""
    above = _within(root.rpartition("/")[0])
    names = (name for name in files if name.startswith(above) and _USER.fullmatch(name, len(above)))
    user = _json_of(files, next(names, ""), missing={})
    name = _text(user.get("global_name")) or _text(user.get("username"))
    return {"author_id": _text(user.get("id")), "author_name": name}


def _channel(files: Mapping[str, Location], member: str, index: Mapping[str, Any]) -> dict[str, str]:
    """Return where the messages of a file were said."""
    folder = member.rpartition("/")[0]
    channel_id = PurePosixPath(folder).name.removeprefix("c")
    channel = _json_of(files, f"{folder}/channel.json", missing={})
    guild: Any = channel.get("guild")
    guild_id = _text(guild.get("id")) if isinstance(guild, dict) else ""
    name = _text(channel.get("name")) or _text(index.get(channel_id))
    place = {"channel_id": channel_id, "channel_name": name, "guild_id": guild_id}
    return place | ({"thread_id": channel_id} if _text(channel.get("type")) in _THREADS else {})


def _text(value: object) -> str:
    """Return a text or number of a note as text, empty for anything else: what a note tells is of help, no more."""
    return str(value) if isinstance(value, (str, int)) else ""


def _json_of(files: Mapping[str, Location], name: str, *, missing: dict[str, Any]) -> dict[str, Any]:
    """Return a small JSON object of the package; `missing` when there is none of that name, or it is no object."""
    location = files.get(name)
    if location is None or not 0 < size_of(location) < _LARGEST_NOTE:
        return missing
    with opened(location) as (plain, _):
        content = plain.read(_LARGEST_NOTE)
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputFileError(f"{location} is damaged: download the package again.") from error
    return found if isinstance(found, dict) else missing


def _csv(file: IO[bytes], name: str, added: Mapping[str, str], path: Location) -> Iterator[RawBatch]:
    with open_as_text(file, "utf-8-sig") as text:
        header = read_header(text)
        if missing := [theirs for theirs in _NEEDED if theirs not in header]:
            raise InputFileError(f"{path} has no column {missing[0]}: download the package again.")
        table = CsvTable(source=name, header=header, columns=_COLUMNS, added=added)
        for chunk in chunks_of(text, table, position=file.tell):
            yield replace(chunk, frame=_in_utc(chunk.frame))


def _json(file: IO[bytes], name: str, added: Mapping[str, str], path: Location) -> Iterator[RawBatch]:
    def row(one: Mapping[str, Any]) -> dict[str, str]:
        return {**added, **{ours: json_reader.text_of(one.get(theirs)) for theirs, ours in _COLUMNS.items()}}

    messages = Items(source=name, key="", names=(*_COLUMNS.values(), *added), row=row)
    try:
        for chunk in json_reader.chunks_of(file, messages, position=file.tell):
            yield replace(chunk, frame=_in_utc(chunk.frame))
    except ValueError as error:
        raise InputFileError(f"{path} is damaged or cut off ({error}): download the package again.") from error


def _in_utc(frame: DataFrame) -> DataFrame:
    """Say that the times, which come without an offset, are of UTC."""
    times = frame["sent_at"]
    return frame.assign(sent_at=times.where(times.str.contains(_OFFSET) | times.eq(""), times + "+00:00"))
