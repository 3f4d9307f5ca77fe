"""The CSV of messages: split it into records, so that a damaged one costs no other, and convert rows and messages.

A line within quotes belongs to the record that began before it: quotes are counted, and a record ends with the first
line before whose end stands an even number of them. Where what is joined so is no record, or grows beyond the largest
one, a quote is lost or one too many: then its first line stands alone as damaged, and the next line begins a record.
So within a record that is whole nothing but its own end can end it, whatever it quotes.
"""

import codecs
import csv
import json
import logging
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import IO, Any, AnyStr, BinaryIO, Generic, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from memory.message import COLUMNS, FIELDS, Attachment, Field, Item, Kind, Message, as_json, within

logger = logging.getLogger(__name__)

T = TypeVar("T")

_LONGEST_TEXT = 2 * 2**20  # characters; with four bytes for each a record is still short enough to be read again
_LONGEST_NAME = 2000  # characters of whatever else is a text
_NOTE = 100  # characters, at most, that say how much is left out
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_MOST_LINES = 50_000  # of a text; a record may have twice as many
_MOST_ITEMS: dict[type, int] = {Attachment: 50}
_MOST_OTHERS = 200
_NO_ITEMS = "[]"

_SURROGATE = re.compile("[\ud800-\udfff]")


def to_row(message: Message) -> list[str]:
    """Return the fields of a message in the order of COLUMNS: times are ISO 8601 in UTC, an empty text is a None."""
    return [write(value) for write, value in zip(_WRITERS, _values(message), strict=True)]


def from_row(fields: Sequence[str]) -> Message:
    """Return the message of a row, of today or of an older CSV; raise ValueError, with the reason, if it is none."""
    if not len(OLDEST_COLUMNS) <= len(fields) <= len(COLUMNS):
        raise ValueError(f"has {len(fields)} fields instead of {len(COLUMNS)}")
    values = [read(text) for read, text in zip(_READERS, fields, strict=False)]
    message = Message(**dict(zip(COLUMNS, values, strict=False)))
    parts = within(message.parts, len(message.content))
    return message if parts is message.parts else replace(message, parts=parts)


def from_row_leniently(row: Mapping[str, str]) -> Message:
    """Return what can be read of a row, by the names of its columns; raise ValueError without its ids and its time.

    Whoever looks for what somebody wrote needs no more: what else is unreadable becomes a default.
    """
    readers = zip(COLUMNS, _LENIENT_READERS, strict=True)
    return Message(**{name: read(row[name]) for name, read in readers if name in row})


def items_text(items: Sequence[Item]) -> str:
    """Return files, parts or reactions as JSON."""
    if not items:
        return _NO_ITEMS
    most = _MOST_ITEMS.get(type(items[0]), _MOST_OTHERS)
    return json.dumps([_short_item(item) for item in items[:most]], ensure_ascii=False)


def _short_item(item: Item) -> dict[str, Any]:
    fields = as_json(item)
    return {name: _writable_name(value) if isinstance(value, str) else value for name, value in fields.items()}


def _writable_name(text: str) -> str:
    if text.isascii() and len(text) <= _LONGEST_NAME:  # as nearly always
        return text
    return _writable(text, _LONGEST_NAME)


def _writable(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return a text that a record can hold: with escapes for lone surrogates, and without what is too long, said so."""
    if not text.isascii() and _SURROGATE.search(text):
        text = text.encode("utf-8", "backslashreplace").decode()
    if len(text) <= min(longest, _MOST_LINES):
        return text
    kept = text if len(text) <= longest else text[: longest - _NOTE]
    if kept.count("\n") >= _MOST_LINES:
        kept = "\n".join(kept.split("\n", _MOST_LINES)[:_MOST_LINES])
    left_out = len(text) - len(kept)
    if not left_out:
        return text
    logger.warning("a text of %d characters is too long for the session's CSV: its end is left out", len(text))
    return f"{kept} [... {left_out} characters are left out here]"


def flag_text(flag: bool) -> str:
    """Return a flag as a cell of the CSV."""
    return "true" if flag else "false"


def flag_of(text: str) -> bool:
    """Return whether a text says true; an empty one, as of older files, says false. Raise ValueError for others."""
    flag = {"true": True, "false": False, "": False}.get(text.strip().casefold())
    if flag is None:
        raise ValueError(f"{text[:_NOTE]!r} is neither true nor false")
    return flag


def _id_text(number: int | None) -> str:
    if number is None:
        return ""
    # Python refuses to write out numbers of thousands of digits in any base that is no power of two.
    return str(number) if abs(number) < 2**1000 else hex(number)


def _time_text(time: datetime | None) -> str:
    if time is None:
        return ""
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC).isoformat()
    try:
        return time.astimezone(UTC).isoformat()
    except OverflowError:
        return (_EARLIEST if time.year == 1 else _LATEST).isoformat()


def id_of(text: str) -> int:
    """Return an id; raise ValueError for what is none, or does not fit into the tables."""
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"the id {text} is larger than PostgreSQL's bigint")
    return number


def time_of(text: str) -> datetime:
    """Return a time of ours, in UTC; raise ValueError for what is none."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"the time {text!r} has no offset from UTC")
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"the time {text!r} is outside of the years 1 to 9999 in UTC") from error


def items_reader(field: Field) -> Callable[[str], tuple[Item, ...]]:
    """Return a converter that reads a cell of a tuple, and raises ValueError for what is none."""
    element: Any = field.element
    adapter: TypeAdapter[tuple[Item, ...]] = TypeAdapter(tuple[element, ...])

    def read(text: str) -> tuple[Item, ...]:
        if not text or text == _NO_ITEMS:
            return ()
        try:
            return adapter.validate_json(text)
        except ValidationError as error:
            raise ValueError(f"{field.name} cannot be read as a list: {error.errors()[0]['msg']}") from error

    return read


_attachments = items_reader(next(field for field in FIELDS if field.element is Attachment))


def _same(text: str) -> str:
    return text


def optional(convert: Callable[[str], T]) -> Callable[[str], T | None]:
    """Return a converter that gives None for an empty text."""
    return lambda text: convert(text) if text and not text.isspace() else None


def lenient_files(text: str) -> tuple[Attachment, ...]:
    """Return files, of a damaged text the names that stand in it, or else the text itself as the name of a file."""
    try:
        return tuple(item for item in _attachments(text) if isinstance(item, Attachment))
    except ValueError:
        pass
    try:
        names = [str(file["name"]) for file in json.loads(text)]
    except (ValueError, TypeError, KeyError, RecursionError):
        names = [text]
    return tuple(Attachment(name=name, url="") for name in names)


def _lenient(convert: Callable[[str], T], default: T) -> Callable[[str], T]:
    """Return a converter that gives a default for a text that another one refuses."""

    def converted(text: str) -> T:
        try:
            return convert(text)
        except ValueError:
            return default

    return converted


def _writer(field: Field) -> Callable[[Any], str]:
    return _writable if field.name == "content" else _AS_TEXT[field.type]


def _reader(field: Field) -> Callable[[str], Any]:
    if field.type is tuple:
        return items_reader(field)
    return optional(_FROM_TEXT[field.type]) if field.is_optional else _FROM_TEXT[field.type]


def _lenient_reader(field: Field) -> Callable[[str], Any]:
    if field.type is datetime and field.is_optional:
        return optional(_lenient(time_of, None))
    if field.type is tuple:
        return lenient_files if field.element is Attachment else _lenient(items_reader(field), ())
    convert = _FROM_TEXT_LENIENTLY.get(field.type, _FROM_TEXT[field.type])
    return optional(convert) if field.is_optional else convert


_AS_TEXT: dict[type, Callable[[Any], str]] = {
    int: _id_text,
    datetime: _time_text,
    str: _writable_name,
    bool: flag_text,
    Kind: str,
    tuple: items_text,
}
_FROM_TEXT: dict[type, Callable[[str], Any]] = {
    int: id_of,
    datetime: time_of,
    str: _same,
    bool: flag_of,
    Kind: Kind,
}
_FROM_TEXT_LENIENTLY: dict[type, Callable[[str], Any]] = {
    int: int,
    bool: _lenient(flag_of, False),
    Kind: _lenient(Kind, Kind.MESSAGE),
}
_values: Callable[[Message], tuple[Any, ...]] = attrgetter(*COLUMNS)
_WRITERS = [_writer(field) for field in FIELDS]
_READERS = [_reader(field) for field in FIELDS]
_LENIENT_READERS = [_lenient_reader(field) for field in FIELDS]
"""How the cell of each column is written and read."""


OLDEST_COLUMNS = COLUMNS[:15]
"""What every CSV of messages has, however old it is: new fields stand behind these."""

LARGEST = 16 * 2**20
"""Bytes, or characters, of the largest record; no message is longer."""

MOST_LINES = 100_000
"""Lines of the largest record; each costs memory of its own while a record is put together."""

SEPARATOR = b'"the record above this line is damaged"\n'
"""Closes an open quotation mark for good: with this line in it nothing is a record, whatever follows."""

_MAX_HEADER = 64 * 1024  # bytes
_BLOCK = 2**20  # bytes that are read at once
_LOOKED_BACK = LARGEST + 2**20  # bytes before the end in which a record that reaches the end begins
_WHOLE_NUMBER = re.compile(r"-?[0-9]+")


class Piece(NamedTuple, Generic[AnyStr]):
    """A record, or a line that belongs to none."""

    text: AnyStr
    """As it stands in the file; of a line beyond the largest record only its beginning."""
    size: int
    """How much of the file it takes."""

    @property
    def is_cut(self) -> bool:
        """Whether the line is longer than its text."""
        return self.size > len(self.text)


@dataclass(frozen=True, slots=True)
class Tail:
    """What stands at the end of a file."""

    size: int
    """Where the file ends, in bytes."""
    line: int
    """Where its last line or record begins when that has no end, else where the file ends."""
    unclosed: int | None
    """Where a line before that begins whose quotation mark nothing closes, if there is one."""
    records_follow: bool
    """Whether a line behind that one is a record by itself."""

    @property
    def torn(self) -> int:
        """Where a record begins that the end of the file cuts short; where the file ends when none is.

        Lines that are records by themselves are not taken for a part of it.
        """
        several_lines = self.unclosed is not None and self.line < self.size and not self.records_follow
        return self.unclosed if several_lines and self.unclosed is not None else self.line


def read_header(file: BinaryIO) -> bytes:
    """Return the first line of a CSV, a mark of its encoding included, and leave the file behind it."""
    return file.readline(_MAX_HEADER)


def fields_of(header: bytes) -> list[str]:
    """Return the columns that a header names."""
    return header.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace").rstrip("\r\n").split(",")


def is_session_header(columns: Sequence[str]) -> bool:
    """Return whether these are the columns of a session's CSV, of today or from before fields joined at the end."""
    return len(columns) >= len(OLDEST_COLUMNS) and tuple(columns) == COLUMNS[: len(columns)]


def record_test(header: bytes) -> Callable[[bytes], bool]:
    """Return the test whether bytes are one record of a CSV with this header.

    In a session's CSV a record has an id and a time, too; whether the rest is right is not asked: a record whose kind
    is unknown, say, is refused as a whole and not line by line.
    """
    columns = fields_of(header)
    of_messages = is_session_header(columns)

    def is_record(text: bytes) -> bool:
        try:
            fields = fields_in(text.decode("utf-8", "replace"))
        except ValueError:
            return False
        return len(fields) == len(columns) and (not of_messages or has_key(fields))

    return is_record


def rows_of(records: Iterable[str], *, delimiter: str = ",") -> list[list[str]]:
    """Return the fields of records; raise ValueError where one of them is none."""
    csv.field_size_limit(LARGEST)
    try:
        return list(csv.reader(records, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def fields_in(record: str, *, delimiter: str = ",") -> list[str]:
    """Return the fields of a text that is one record; raise ValueError for one that is none, or several."""
    rows = rows_of([record], delimiter=delimiter)
    if len(rows) != 1:
        raise ValueError(f"holds {len(rows)} records")
    return rows[0]


def message_in(record: str) -> Message:
    """Return the message that a record of a session's CSV holds; raise ValueError, with the reason, if none."""
    return from_row(fields_in(record))


def has_key(fields: Sequence[str]) -> bool:
    """Return whether a row of a session's CSV begins with an id and a time."""
    try:
        return datetime.fromisoformat(fields[1]).tzinfo is not None and bool(_WHOLE_NUMBER.fullmatch(fields[0]))
    except ValueError:
        return False


def pieces_in(
    file: IO[AnyStr], is_record: Callable[[AnyStr], bool], *, end: int | None = None, largest: int = LARGEST
) -> Iterator[Piece[AnyStr]]:
    """Yield what a CSV consists of from where the file stands, which has to be the beginning of a record, up to `end`.

    All pieces together are the file. The last one has no line end when it is not finished. At most the largest record
    is held in memory, and no line is looked at more than a few times.
    """
    return split(lines_in(file, end=end, largest=largest), is_record, largest=largest)


def count_records(file: BinaryIO) -> int:
    """Return the number of records of any CSV, its header among them, without a look at what they say.

    Raises ValueError for a file that ends within a record.
    """
    records, is_quoted, last = 0, False, b""
    while block := file.read(_BLOCK):
        parts = block.split(b'"')  # every other one is between quotation marks; one that is doubled changes nothing
        records += sum(part.count(b"\n") for part in parts[is_quoted::2])
        is_quoted ^= len(parts) % 2 == 0
        last = block[-1:]
    if is_quoted or last != b"\n":
        raise ValueError("it ends within a line")
    return records


def tail_of(file: BinaryIO, start: int, is_record: Callable[[bytes], bool]) -> Tail:
    """Look at the end of a CSV whose records begin at `start`; what lies far before the end is not read."""
    size = os.fstat(file.fileno()).st_size
    position = _record_near(file, start, size - _LOOKED_BACK, is_record)
    file.seek(position)
    line, unclosed, records_follow = size, None, False
    for piece in pieces_in(file, is_record, end=size):
        if position + piece.size == size and not piece.text.endswith(b"\n"):
            line = position
            records_follow = records_follow or (unclosed is not None and is_record(piece.text))
        elif _has_odd_quotes(piece.text):
            unclosed, records_follow = position, False
        elif piece.text.count(b"\n") > 1 or piece.text == SEPARATOR:
            unclosed = None
        elif unclosed is not None and not records_follow:
            records_follow = is_record(piece.text)
        position += piece.size
    if unclosed is not None and size - unclosed > LARGEST:  # no record is as long as that, whatever follows
        unclosed = None
    return Tail(size, line, unclosed, records_follow)


def _record_near(file: BinaryIO, start: int, position: int, is_record: Callable[[bytes], bool]) -> int:
    """Return where a record begins, at `position` or soon behind it; `start` when that is not known.

    It may be a line of a message that quotes a record. Then the end of that message is taken for a damaged line, and
    nothing else comes of it.
    """
    if position <= start:
        return start
    file.seek(position)
    position += len(file.readline(LARGEST))
    while line := file.readline(LARGEST):
        if is_record(line):
            return position
        position += len(line)
    return start


def lines_in(file: IO[AnyStr], *, end: int | None = None, largest: int = LARGEST) -> Iterator[Piece[AnyStr]]:
    """Yield the lines of a file up to the position `end`; of one that is too long only the beginning is held."""
    left = largest if end is None else end - file.tell()
    while left > 0 and (line := file.readline(min(largest, left))):
        size = len(line)
        left -= 0 if end is None else size
        while size >= largest and not _ends_a_line(line) and left > 0 and (rest := file.readline(min(largest, left))):
            size += len(rest)
            left -= 0 if end is None else len(rest)
            if _ends_a_line(rest):
                break
        yield Piece(line, size)


def split(
    lines: Iterator[Piece[AnyStr]], is_record: Callable[[AnyStr], bool], *, largest: int = LARGEST
) -> Iterator[Piece[AnyStr]]:
    """Join lines to records; a line that belongs to no record stands alone. No line is looked at more than thrice."""
    waiting: deque[Piece[AnyStr]] = deque()
    while (line := waiting.popleft() if waiting else next(lines, None)) is not None:
        if not _has_odd_quotes(line.text):
            yield line
            continue
        parts = _up_to_odd_quotes(line, waiting, lines, largest)
        joined = _joined(parts, largest)
        if joined is not None and is_record(joined.text):
            yield joined
        else:
            waiting.extendleft(reversed(parts[1:]))
            yield line


def _joined(parts: list[Piece[AnyStr]], largest: int) -> Piece[AnyStr] | None:
    """Return lines as one piece, unless they are too long or end within quotes."""
    size = sum(part.size for part in parts)
    if len(parts) == 1 or size > largest or not _has_odd_quotes(parts[-1].text):
        return None
    return Piece(parts[0].text[:0].join(part.text for part in parts), size)


def _up_to_odd_quotes(
    first: Piece[AnyStr], waiting: deque[Piece[AnyStr]], lines: Iterator[Piece[AnyStr]], largest: int
) -> list[Piece[AnyStr]]:
    """Return the lines of a record whose first one ends within quotes."""
    parts, size = [first], first.size
    while size < largest and len(parts) < MOST_LINES:
        more = waiting.popleft() if waiting else next(lines, None)
        if more is None:
            break
        parts.append(more)
        size += more.size
        if _has_odd_quotes(more.text):
            break
    return parts


def _has_odd_quotes(text: str | bytes) -> bool:
    return (text.count('"') if isinstance(text, str) else text.count(b'"')) % 2 == 1


def _ends_a_line(text: str | bytes) -> bool:
    return text.endswith(("\n", "\r")) if isinstance(text, str) else text.endswith(b"\n")
