"""Tell what a path is that messages shall be promoted from, and open it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from errors import InputFileError
from promotion.chunks import RawChunk, Source
from promotion.opening import begins_with, digest_of, readable, sample_of
from promotion.sources import data_package, exporter_csv, exporter_json, foreign_csv, own_csv
from util_async import NOT_ADDED

_MOST_FILES = 100_000  # of a folder
_MANIFEST = "manifest.json"  # of a backup
_OWN = {"session", "backup"}


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a source: what kind it is of, and how it is read."""

    path: Path
    kind: str
    read: Callable[[], Iterator[RawChunk]]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Options:
    mapping: Mapping[str, str]
    time_zone: ZoneInfo
    me: int | None

    @property
    def texts(self) -> tuple[str, ...]:
        """What a digest takes in of the options."""
        return f"{sorted(self.mapping.items())}", self.time_zone.key, f"{self.me}"


def open_source(path: Path, *, mapping: Mapping[str, str], time_zone: ZoneInfo, me: int | None) -> Source:
    """Return the source that a file or folder is, after its contents went into the digest and a look at its beginning.

    A folder may be a session's, a Discord data package, or hold exports of DiscordChatExporter. `mapping` names the
    columns of a CSV of others, theirs by ours; `time_zone` is that of times without an offset, and changes the digest,
    not the chunks. `me` is the bot whose messages are answers. Raises InputFileError for what is none of these.
    """
    options = _Options(mapping, time_zone, me)
    is_folder = path.is_dir()
    is_zip = not is_folder and begins_with(path, b"PK\x03\x04")
    if is_folder or is_zip:
        package = data_package.open_package(path, me=me)
        if package is not None:
            return _package_source(path, package, options)
        if is_zip:
            raise InputFileError(f"{path} is no Discord data package: unpack it, or save a spreadsheet as CSV.")
    files, remarks = _files_of(path, options) if is_folder else ([_file(path, options)], [])
    return _source(path, files, remarks, options)


def _source(path: Path, files: Sequence[_File], remarks: Sequence[str], options: _Options) -> Source:
    paths = tuple(file.path for file in files)
    kind = files[0].kind
    return Source(
        title=f"{kind} {path.name}",
        session=_session_of(path),
        paths=paths,
        digest=digest_of(paths, () if kind in _OWN else options.texts),
        size=sum(one.stat().st_size for one in paths),
        chunks=lambda: _one_after_the_other(files),
        remarks=(*remarks, *(remark for file in files for remark in file.remarks)),
    )


def _package_source(path: Path, package: data_package.DataPackage, options: _Options) -> Source:
    paths = (path,) if path.is_file() else tuple(path / member for member in package.members)
    return Source(
        title=f"data package {path.name}",
        session=_session_of(path),
        paths=paths,
        digest=digest_of(paths, options.texts),
        size=package.size,
        chunks=package.read,
    )


def _one_after_the_other(files: Sequence[_File]) -> Iterator[RawChunk]:
    """Yield the chunks of several files; what is read is counted over all of them."""
    done = 0
    for file in files:
        for chunk in file.read():
            yield replace(chunk, end_bytes=done + chunk.end_bytes)
        done += file.path.stat().st_size


def _files_of(folder: Path, options: _Options) -> tuple[list[_File], list[str]]:
    """Return the sessions' CSVs of a folder, or else the exports in it, and what is to be said of the rest.

    Raises InputFileError when it has neither.
    """
    with readable(folder):
        paths = [path for path in sorted(islice(folder.iterdir(), _MOST_FILES)) if path.is_file()]
    if folder / _MANIFEST in paths:
        raise InputFileError(f"{folder} is a backup: restore it, or name the messages.csv or messages.csv.zst in it.")
    tables = [path for path in paths if path.suffix == ".csv"]
    sessions = [path for path in tables if own_csv.is_session(own_csv.header_of(path))]
    if sessions:
        remarks = [
            f"{path} is left out: it holds what short-term memory did not take."
            for path in tables
            if path.stem.endswith(NOT_ADDED) and path not in sessions and _has_records(path)
        ]
        return [_File(path, "session", partial(own_csv.read, path)) for path in sessions], remarks
    return _exports_of(folder, [path for path in paths if path.suffix == ".json"], tables, options)


def _has_records(table: Path) -> bool:
    """Tell whether a CSV has more than its header."""
    with table.open("rb") as file:
        return len(list(islice(file, 2))) > 1


def _exports_of(
    folder: Path, trees: Sequence[Path], tables: Sequence[Path], options: _Options
) -> tuple[list[_File], list[str]]:
    """Return the exports of a folder, only the JSON where there is some: it has the ids that the CSV has not."""
    tables = [path for path in tables if exporter_csv.is_export(foreign_csv.open_csv(path).header)]
    if not trees and not tables:
        raise InputFileError(
            f"{folder} holds no session's CSV, no export of DiscordChatExporter and no Discord data package: "
            "name another folder, or a file."
        )
    remarks = [f"{path} is left out: the JSON beside it tells more." for path in tables if trees]
    return [_file(path, options) for path in trees or tables], remarks


def _file(path: Path, options: _Options) -> _File:
    """Return a file with the way in which it is read; raises InputFileError when there is none."""
    sample = sample_of(path)
    if not sample.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise InputFileError(f"{path} is empty: name another file.")
    if sample.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[{")):
        return _File(path, "export", exporter_json.open_export(path, me=options.me).read)
    if sample.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        raise InputFileError(f"{path} is a page of HTML: export the channel again, as JSON.")
    header = own_csv.header_of(path)
    if own_csv.is_session(header) or own_csv.is_backup(header):
        return _File(path, "session" if own_csv.is_session(header) else "backup", partial(own_csv.read, path))
    return _table_of_others(path, options)


def _table_of_others(path: Path, options: _Options) -> _File:
    csv = foreign_csv.open_csv(path)
    is_export = exporter_csv.is_export(csv.header)
    known = exporter_csv.as_export(csv, options.mapping) if is_export else foreign_csv.mapped(csv, options.mapping)
    csv = foreign_csv.surveyed(replace(known, me=options.me))
    return _File(path, "export" if is_export else "CSV", csv.read, csv.remarks)


def _session_of(path: Path) -> str:
    """Return the session of what names none: the name of the file or folder without its endings."""
    name = path.resolve().name
    return name if path.is_dir() else name.removesuffix(".zst").rpartition(".")[0] or name
