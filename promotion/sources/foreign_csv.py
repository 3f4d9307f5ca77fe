"""Read a CSV that any other program has written: its first line names the columns, and so does the operator."""

import re
import reprlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path

from errors import InputFileError
from memory.csv_rows import COLUMNS
from memory.messages import Kind
from promotion.chunks import RawChunk
from promotion.csv_records import Table, chunks_of, read_header
from promotion.encodings import encoding_of, open_as_text
from promotion.opening import opened, sample_of
from promotion.times import days_come_first

_DELIMITERS = ",;\t|"
_SYNONYMS = {
    "content": ("content", "contents", "text", "message", "body", "msg", "messagetext", "messagecontent"),
    "sent_at": ("sentat", "timestamp", "datetime", "createdat", "time", "date", "when", "ts"),
    "message_id": ("messageid", "msgid", "id"),
    "author_name": ("authorname", "author", "username", "user", "sender", "displayname", "name", "nick", "from"),
    "author_id": ("authorid", "userid", "senderid"),
    "channel_name": ("channelname", "channel", "room", "conversation"),
    "channel_id": ("channelid", "roomid"),
    "guild_id": ("guildid", "serverid"),
    "thread_id": ("threadid",),
    "reply_to": ("replyto", "replytoid", "inreplyto"),
    "attachments": ("attachments", "attachment", "files"),
    "edited_at": ("editedat", "timestampedited"),
    "deleted_at": ("deletedat",),
    "session": ("session",),
    "kind": ("kind",),
}
"""Under which names, in small letters and without marks, others have our columns; the first that is there counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignCsv:
    """A CSV of others, and how it is read."""

    path: Path
    encoding: str
    delimiter: str
    header: Sequence[str]
    columns: Mapping[str, str]
    added: Mapping[str, str] = field(default_factory=dict)
    me: int | None = None
    day_first: bool = False

    def read(self) -> Generator[RawChunk]:
        """Yield what the file holds; raises InputFileError."""
        with opened(self.path) as (plain, raw), open_as_text(plain, self.encoding) as text:
            table = Table(
                source=self.path.name,
                header=read_header(text, self.delimiter),
                columns=self.columns,
                delimiter=self.delimiter,
                added=self.added,
            )
            for chunk in chunks_of(text, table, position=raw.tell):
                yield with_answers(replace(chunk, day_first=self.day_first), self.me)


def open_csv(path: Path) -> ForeignCsv:
    """Return a CSV with its encoding, delimiter and header; none of its columns is known yet. Raises InputFileError."""
    sample = sample_of(path)
    encoding = encoding_of(sample)
    with opened(path) as (plain, _), open_as_text(plain, encoding) as text:
        header, delimiter = _header_and_delimiter(text.readline(64 * 1024))
    if b"\0" in sample and not encoding.startswith(("utf-16", "utf-32")):
        raise InputFileError(f"{path} is not text: save it as CSV with a first line that names the columns.")
    if not any(header):
        raise InputFileError(f"{path} does not begin with a line that names its columns: add one.")
    return ForeignCsv(path=path, encoding=encoding, delimiter=delimiter, header=header, columns={})


def mapped(csv: ForeignCsv, mapping: Mapping[str, str]) -> ForeignCsv:
    """Return a CSV whose columns are known: those of `mapping`, our name to theirs, and those of common names.

    Two columns of theirs, such as `date+time`, make one of ours. Raises InputFileError when the words or the time are
    in no column, and when the mapping names what is not there.
    """
    chosen = {_our_name(ours): _their_columns(csv, theirs) for ours, theirs in mapping.items()}
    taken = {column for columns in chosen.values() for column in columns}
    for ours in _SYNONYMS:
        if ours not in chosen and (found := _known_columns(csv, ours, taken)):
            chosen[ours] = found
            taken |= set(found)
    for needed, what in (("content", "the words"), ("sent_at", "the time")):
        if needed not in chosen and not (needed == "sent_at" and "message_id" in chosen):
            raise InputFileError(
                f"{csv.path} has no column that is known to hold {what}, only {_listed(csv.header)}: name yours, as in "
                "--map content=text,sent_at=when,author_name=user."
            )
    columns = {theirs: ours for ours, listed in chosen.items() for theirs in listed}
    if twice := [name for name in columns if csv.header.count(name) > 1]:
        raise InputFileError(f"{csv.path} has several columns that are called {twice[0]!r}: rename all but one.")
    return replace(csv, columns=columns)


def with_days_in_order(csv: ForeignCsv) -> ForeignCsv:
    """Return a CSV of which is known whether its dates begin with the day; raises InputFileError when they may not."""
    with closing(csv.read()) as chunks:
        first = next(chunks, None)
    texts = [] if first is None or "sent_at" not in first.frame else first.frame["sent_at"].tolist()
    try:
        return replace(csv, day_first=days_come_first(texts))
    except ValueError as error:
        raise InputFileError(f"{error} in {csv.path}: write the times as 2026-04-03 18:00 and try again.") from error


def with_answers(chunk: RawChunk, me: int | None) -> RawChunk:
    """Return a chunk in which what the bot of id `me` said is marked as an answer, which is never evidence."""
    frame = chunk.frame
    if me is None or "author_id" not in frame or "kind" in frame:
        return chunk
    kinds = frame["author_id"].eq(str(me)).map({True: Kind.ANSWER.value, False: ""})
    return replace(chunk, frame=frame.assign(kind=kinds.astype(str)))


def _header_and_delimiter(line: str) -> tuple[list[str], str]:
    """Return the names of the columns and what stands between them: that which makes most names of the line."""
    headers = {delimiter: read_header(StringIO(line), delimiter) for delimiter in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda one: len(headers[one]))
    return headers[delimiter], delimiter


def _our_name(name: str) -> str:
    if name in COLUMNS:
        return name
    plain = _plain(name)
    for ours, synonyms in _SYNONYMS.items():
        if plain in synonyms:
            return ours
    raise InputFileError(f"--map names {name!r}, which is no column of ours: those are {_listed(COLUMNS)}.")


def _their_columns(csv: ForeignCsv, name: str) -> list[str]:
    """Return the columns that a name of the mapping means: one, or several with a plus sign between them."""
    columns = [name] if name in csv.header else [part.strip() for part in name.split("+")]
    for column in columns:
        if column not in csv.header:
            raise InputFileError(
                f"--map names the column {column!r}, which {csv.path} does not have: it has {_listed(csv.header)}."
            )
    return columns


def _known_columns(csv: ForeignCsv, ours: str, taken: set[str]) -> list[str]:
    free = {_plain(column): column for column in reversed(csv.header) if column not in taken}
    found = [free[synonym] for synonym in _SYNONYMS[ours] if synonym in free]
    if ours == "sent_at" and found and {"date", "time"} <= free.keys() and _plain(found[0]) in {"date", "time"}:
        return [free["date"], free["time"]]
    return found[:1]


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(reprlib.repr(name)[1:-1] or "one without a name" for name in names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"
