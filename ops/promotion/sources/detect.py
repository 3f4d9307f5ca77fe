"""Find out what a path is that messages shall be promoted from, and open it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from pandas import DataFrame

from errors import InputFileError
from ops.promotion.clean import UNKNOWN_AUTHOR
from ops.promotion.records import SESSION_KIND, FileOfSource, MessageSource, RawBatch
from ops.promotion.sources import (
    chat_exporter,
    chat_exporter_html,
    chat_exporter_text,
    data_package,
    foreign_csv,
    json_messages,
    own_csv,
)
from ops.promotion.sources.encodings import encoding_of, named_encoding
from ops.promotion.sources.files import (
    OF_NO_KIND,
    Listing,
    Location,
    Member,
    Skipped,
    digest_of,
    is_archive,
    list_files,
    opened,
    sample_of,
    size_of,
)
from storage.session_names import NOT_ADDED

_MANIFEST = "manifest.json"  # of a backup
_OWN = {SESSION_KIND, "backup"}
_EXPORT = "export"
_READ = frozenset({".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".log", ".html", ".htm", ".zst", ""})
"""Endings of the names of files that may hold messages; in a folder no others are looked into."""
_BLANKS = "\ufeff \t\r\n\0"


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a source: what kind it is of, and how it is read."""

    location: Location
    kind: str
    read: Callable[[], Iterator[RawBatch]]
    encoding: str = ""
    remarks: tuple[str, ...] = ()
    has_ids: bool = True
    name: str = ""
    """Its path within the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    mapping: Mapping[str, str]
    time_zone: ZoneInfo
    me: int | None
    day_first: bool | None = None
    encoding: str | None = None
    author: Mapping[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """What a digest takes in of the options."""
        given = (self.day_first, self.encoding, sorted(self.author.items()))
        more = (f"{given}",) if any(given) or self.day_first is not None else ()
        return f"{sorted(self.mapping.items())}", self.time_zone.key, f"{self.me}", *more


def open_source(
    path: Path,
    *,
    mapping: Mapping[str, str],
    time_zone: ZoneInfo,
    me: int | None,
    day_first: bool | None = None,
    encoding: str | None = None,
    author: Mapping[str, str] | None = None,
) -> MessageSource:
    """Return the source that a file or folder is, after its contents went into the digest and a look at its beginning.

    A folder, or a zip archive, may be a session's or a Discord data package, or hold exports in whatever folders and
    archives; each file is read by itself, and what cannot be read is among the skipped. `mapping` names the columns of
    a CSV of others, theirs by ours; `time_zone` is that of times without an offset, and changes the digest, not the
    chunks. `me` is the bot whose messages are answers. `day_first` tells how dates in numbers begin, `encoding` how the
    letters of text files are written, where neither is to be found out; `author` (`author_id`, `author_name`) who wrote
    a data package that does not tell. Raises InputFileError for what holds nothing of all this.
    """
    options = _Options(
        mapping=mapping, time_zone=time_zone, me=me, day_first=day_first, encoding=encoding, author=author or {}
    )
    if path.is_dir():
        return _folder(path, options)
    if is_archive(path):
        return _of_listing(path, list_files(path), options)
    file = _file(path, options)
    return _source(path, f"{file.kind} {path.name}", [replace(file, name=path.name)], options)


def _folder(folder: Path, options: _Options) -> MessageSource:
    """Return the sessions' CSVs of a folder, or else whatever is in it; raises InputFileError where that is nothing."""
    if (folder / _MANIFEST).is_file():
        raise InputFileError(f"{folder} is a backup: restore it, or name the messages.csv or messages.csv.zst in it.")
    listing = list_files(folder)
    tables = [one for name, one in listing.files.items() if "/" not in name and name.endswith(".csv")]
    sessions = [one for one in tables if own_csv.is_session(own_csv.header_of(one))]
    if not sessions:
        return _of_listing(folder, listing, options)
    remarks = [
        f"{one} is left out: it holds what short-term memory did not take."
        for one in tables
        if isinstance(one, Path) and one.stem.endswith(NOT_ADDED) and one not in sessions and _has_records(one)
    ]
    files = [_File(one, SESSION_KIND, partial(own_csv.read, one), name=one.name) for one in sessions]
    return _source(folder, f"session {folder.name}", files, options, remarks=remarks)


def _of_listing(path: Path, listing: Listing, options: _Options) -> MessageSource:
    """Return what a folder or an archive holds: data packages, and files of any other kind."""
    packages = data_package.find_packages(listing.files)
    files = [file for package in packages for file in _package_files(path, package, options)]
    skipped = list(listing.skipped)
    for name, location in listing.files.items():
        if any(package.has(name) for package in packages):
            continue
        try:
            files.append(replace(_listed_file(name, location, options), name=name))
        except InputFileError as error:
            skipped.append(Skipped(name, str(error)))
    if not files:
        raise _nothing_in(path, skipped)
    kind = "data package" if packages else _common_kind(files)
    files.sort(key=lambda file: not file.has_ids)  # what a message is called is known from those that say it
    return _source(path, f"{kind} {path.name}", files, options, skipped=skipped)


def _nothing_in(path: Path, skipped: Sequence[Skipped]) -> InputFileError:
    reasons = [one.reason for one in skipped if one.reason != OF_NO_KIND]
    if len(reasons) == 1:
        return InputFileError(reasons[0])
    what = f"{path} holds no session's CSV, no export and no Discord data package"
    if not reasons:
        return InputFileError(f"{what}: name another folder or file, or save a spreadsheet as CSV.")
    first = reasons[0].removesuffix(".").replace(": ", ", ")
    return InputFileError(f"{what} that can be read (for one, {first}): name a file of it to see what is wrong.")


def _common_kind(files: Sequence[_File]) -> str:
    kinds = {file.kind for file in files}
    return kinds.pop() if len(kinds) == 1 else "folder"


def _listed_file(name: str, location: Location, options: _Options) -> _File:
    """Return a file of a folder; raises InputFileError for what is to be left out."""
    path = PurePosixPath(name)
    if path.suffix.lower() not in _READ:
        raise InputFileError(OF_NO_KIND)
    if path.stem.endswith(NOT_ADDED):
        raise InputFileError(f"{location} is left out: it holds what short-term memory did not take.")
    return _file(location, options)


def _source(
    path: Path,
    title: str,
    files: Sequence[_File],
    options: _Options,
    *,
    remarks: Sequence[str] = (),
    skipped: Sequence[Skipped] = (),
) -> MessageSource:
    locations = [file.location for file in files]
    paths = tuple(dict.fromkeys(one.archive if isinstance(one, Member) else one for one in locations))
    own = all(file.kind in _OWN for file in files)
    return MessageSource(
        title=title,
        session=_session_of(path),
        paths=paths,
        digest=digest_of(paths, () if own else options.texts),
        size=sum(map(size_of, locations)),
        chunks=partial(_one_after_the_other, files),
        remarks=tuple(dict.fromkeys((*remarks, *(remark for file in files for remark in file.remarks)))),
        files=tuple(FileOfSource(file.name, file.kind, file.encoding) for file in files),
        skipped=tuple(skipped),
        lacks_ids=not all(file.has_ids for file in files),
    )


_OF_NOBODY = (
    "{path} does not tell whose messages these are (it has no account/user.json): they are kept under the name "
    f"{UNKNOWN_AUTHOR!r}; to name the author instead, say it as in --author Ana --author-id 123."
)


def _package_files(path: Path, package: data_package.DataPackage, options: _Options) -> Iterator[_File]:
    """Yield the channels of a data package, which is somebody's: if it does not tell whose, the operator does."""
    author = package.author
    remarks: tuple[str, ...] = ()
    if not any(author.values()):
        author = {**author, **options.author}
        if not options.author:
            remarks = (_OF_NOBODY.format(path=path),)
    package = replace(package, author=author)
    for member in package.members:
        yield _File(package.files[member], "data package", partial(package.read, member), remarks=remarks, name=member)


def _one_after_the_other(files: Sequence[_File]) -> Iterator[RawBatch]:
    """Yield the chunks of several files, each by itself: what one of them lacks costs no other.

    What is read is counted over all of them. Raises InputFileError when nothing can be read of any.
    """
    done, has_read = 0, False
    first_damage: InputFileError | None = None
    for file in files:
        size = size_of(file.location)
        try:
            for chunk in file.read():
                has_read = True
                yield replace(chunk, source=file.name, end_bytes=done + min(chunk.end_bytes, size))
        except InputFileError as error:
            first_damage = first_damage or error
            yield _damage(file.name, str(error), done + size)
        done += size
    if first_damage is not None and not has_read:
        raise first_damage


def _damage(name: str, sentence: str, end_bytes: int) -> RawBatch:
    return RawBatch(source=name, first_record=1, frame=DataFrame(dtype=str), end_bytes=end_bytes, damage=sentence)


def _has_records(table: Path) -> bool:
    """Return whether a CSV has more than its header."""
    with table.open("rb") as file:
        return len(list(islice(file, 2))) > 1


def _file(location: Location, options: _Options) -> _File:
    """Return a file with the way in which it is read; raises InputFileError when there is none."""
    sample = sample_of(location)
    if not sample.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise InputFileError(f"{location} is empty: name another file.")
    encoding = named_encoding(options.encoding, sample) if options.encoding else encoding_of(sample)
    text = sample[: 64 * 1024].decode(encoding, "replace").lstrip(_BLANKS)
    if text.startswith("{") or (text.startswith("[") and text[1:].lstrip().startswith(("{", "]"))):
        return _json_file(location, encoding, text, options)
    if text[:9].lower().startswith(("<!doctype", "<html")):
        if chat_exporter_html.is_export(sample.decode(encoding, "replace")):
            page = chat_exporter_html.HtmlExport(location, encoding, options.me)
            return _File(location, _EXPORT, page.read, encoding)
        raise InputFileError(f"{location} is a page of HTML: export the channel again, as JSON.")
    if chat_exporter_text.is_export(text):
        export = chat_exporter_text.open_export(location, encoding=encoding, day_first=options.day_first)
        return _File(location, _EXPORT, export.read, encoding, has_ids=False)
    header = own_csv.header_of(location)
    if own_csv.is_session(header) or own_csv.is_backup(header):
        return _File(
            location, SESSION_KIND if own_csv.is_session(header) else "backup", partial(own_csv.read, location)
        )
    return _table_of_others(location, encoding, options)


def _json_file(location: Location, encoding: str, text: str, options: _Options) -> _File:
    """Return messages in JSON, of whatever program; `text` is the beginning of the file."""
    by_line = _is_by_line(text)
    if text.startswith("{") and not by_line:
        with opened(location) as (plain, _):
            export = chat_exporter.export_in(location, plain, me=options.me, encoding=encoding)
        if export is not None:
            return _File(location, _EXPORT, export.read, encoding)
    found = json_messages.open_messages(
        location, encoding=encoding, by_line=by_line, me=options.me, day_first=options.day_first
    )
    return _File(location, "JSON", found.read, encoding, has_ids=found.has_ids)


def _is_by_line(text: str) -> bool:
    """Return whether each line of a text is an object of its own."""
    line, _, rest = text.partition("\n")
    if not line.startswith("{"):
        return False
    try:
        first = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return rest.lstrip().startswith("{") or (not rest.strip() and "messages" not in first and "content" in first)


def _table_of_others(location: Location, encoding: str, options: _Options) -> _File:
    csv = foreign_csv.open_csv(location, encoding=encoding)
    is_export = chat_exporter.is_export(csv.header)
    known = chat_exporter.as_export(csv, options.mapping) if is_export else foreign_csv.mapped(csv, options.mapping)
    csv = foreign_csv.surveyed(replace(known, me=options.me), day_first=options.day_first)
    kind = _EXPORT if is_export else "CSV"
    has_ids = "message_id" in csv.columns.values() and not csv.surveyed.rounding
    return _File(location, kind, csv.read, csv.encoding, csv.remarks, has_ids=has_ids)


def _session_of(path: Path) -> str:
    """Return the session of what names none: the name of the file or folder without its endings."""
    name = path.resolve().name
    return name if path.is_dir() else name.removesuffix(".zst").rpartition(".")[0] or name
