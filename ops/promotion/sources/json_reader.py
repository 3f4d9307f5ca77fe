"""Read JSON that may be larger than memory, piece by piece.

The standard library reads each message. The parsers for streams that we tried end the process at a number of 5,000
digits, and take hours for what is nested a million times.
"""

import codecs
import json
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import TextIOWrapper
from typing import IO, Any, NoReturn

from pandas import DataFrame

from errors import first_line
from memory.capture.message_csv import lines_in
from memory.message import sanitize
from ops.promotion.records import ROWS, RawBatch, Reject

_PIECE = 256 * 1024  # bytes that are read at once, and more where one message is longer
_LARGEST = 16 * 2**20  # characters of a message in JSON, as of a record in CSV
_LONGEST_WORD = 100  # characters of what stands in JSON besides strings and numbers
_HEAD = 2**20  # characters before the messages, which are far fewer

NO_LIST = "it has no list"
REPLACED = "marks where letters could not be decoded, or had been lost before"

_BLANKS = re.compile(r"[ \t\r\n]*+")
# A string that has no end takes the rest, or looking for others in it would take the square of its length.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},:]', re.DOTALL)
_DEEPER = {"[": 1, "{": 1, "]": -1, "}": -1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list of messages in JSON, and how one becomes a row."""

    source: str
    key: str
    """Under which the list stands in the object that the file is; empty where the file is the list."""
    names: Sequence[str]
    """The columns that a row may have."""
    encoding: str = "utf-8-sig"
    by_line: bool = False
    """Whether each line is a message, and there is no list."""
    row: Callable[[Any], Mapping[str, str]]
    """Raises AttributeError, ArithmeticError, KeyError, TypeError or ValueError for what is no message."""


@dataclass(frozen=True, slots=True)
class _Record:
    """A member of the list as it stands in the file."""

    text: str
    value: Any = None
    reason: str = ""
    """Why it is JSON that nothing can be made of; empty for what has a value."""


@dataclass(slots=True)
class _Batch:
    first: int
    rows: dict[int, Mapping[str, str]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.rejects)

    def add(self, number: int, record: _Record, row: Callable[[Any], Mapping[str, str]]) -> None:
        reason = record.reason
        try:
            if not reason:
                self.rows[number] = row(record.value)
        except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
            reason = f"{type(error).__name__}: {first_line(error)}"
        if reason:
            said = f"not a message as such files have it ({reason})"
            self.rejects.append(Reject(number, sanitize(record.text), said))

    def chunk(self, items: Items, end_bytes: int, replaced: int) -> RawBatch:
        columns = {name: [sanitize(row.get(name, "")) for row in self.rows.values()] for name in items.names}
        return RawBatch(
            source=items.source,
            first_record=self.first,
            frame=DataFrame(columns, index=list(self.rows), dtype=str),
            end_bytes=end_bytes,
            rejects=self.rejects,
            notes=Counter({REPLACED: replaced}) if replaced else Counter(),
        )


class _Text:
    """The text of a file, of which only what is needed is kept; what stands before `at` is done with."""

    def __init__(self, file: IO[bytes], encoding: str = "utf-8-sig") -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self.replaced = 0
        """How many marks stand for what could not be decoded, or had been lost before."""
        self.buffer = ""
        self.at = 0
        self.ended = False

    def extend(self) -> None:
        """Hold more of the file; raises ValueError when too much is waiting already."""
        waiting = len(self.buffer) - self.at
        if waiting > _LARGEST:
            raise ValueError("a part of it is longer than any message")
        piece = self._file.read(max(_PIECE, waiting))  # twice as much each time, or a long piece would be read for ever
        self.ended = not piece
        plain = self._decoder.decode(piece, final=self.ended)
        self.replaced += plain.count("\ufffd")
        self.buffer = self.buffer[self.at :] + plain
        self.at = 0

    def take_replaced(self) -> int:
        """Return how many marks came since the last call."""
        replaced, self.replaced = self.replaced, 0
        return replaced

    def next_mark(self) -> str:
        """Pass over blanks and return the character that follows; empty at the end of the file."""
        while True:
            self.at = _end_of_blanks(self.buffer, self.at)
            if self.at < len(self.buffer) or self.ended:
                return self.buffer[self.at : self.at + 1]
            self.extend()


def chunks_of(file: IO[bytes], items: Items, *, position: Callable[[], int], rows: int = ROWS) -> Iterator[RawBatch]:
    """Yield the messages of a list in chunks; raises ValueError where the file is damaged or ends, behind all before.

    JSON that is whole, but of which nothing can be made, costs no other message. `position` tells how many bytes are
    read.
    """
    text = _Text(file, items.encoding)
    records = _lines(file, items) if items.by_line else _records(text, items.key)
    batch, damage = _Batch(1), None
    number = 0
    while True:
        try:
            record = next(records, None)
        except ValueError as error:
            record, damage = None, error
        if record is None:
            break
        number += 1
        batch.add(number, record, items.row)
        if len(batch) == rows:
            yield batch.chunk(items, position(), text.take_replaced())
            batch = _Batch(number + 1)
    if len(batch):
        yield batch.chunk(items, position(), text.take_replaced())
    if damage is not None:
        raise damage


def values_before(file: IO[bytes], key: str, encoding: str = "utf-8-sig") -> dict[str, str]:
    """Return the texts and numbers that stand before the list under a key, by their own; empty when it is not there.

    Those of objects are named with a dot, as in `channel.id`; what is deeper is left out. Raises ValueError for what
    is not JSON.
    """
    head = _head(_Text(file, encoding), key)
    values = {name: value for name, value in head.items() if not isinstance(value, dict)}
    for name, inner in head.items():
        if isinstance(inner, dict):
            values |= {f"{name}.{under}": value for under, value in inner.items()}
    return {name: str(value) for name, value in values.items() if isinstance(value, (str, int, float))}


def text_of(value: object) -> str:
    """Return a text, or a whole number as one; empty for null. Raises TypeError for anything else."""
    if value is None or isinstance(value, str):
        return value or ""
    if type(value) is not int:
        raise TypeError(f"where a text should be is a {type(value).__name__}")
    return str(value)


def _records(text: _Text, key: str) -> Iterator[_Record]:
    """Yield the members of a list; raises ValueError when it is damaged, or not all that it should be."""
    if key and not _head(text, key):
        raise ValueError(f"{NO_LIST} of {key}")
    if text.next_mark() != "[":
        raise ValueError("it is no list")
    text.at += 1
    if (mark := text.next_mark()) != "]":
        yield _record(text)
    while mark != "]" and (mark := text.next_mark()) == ",":
        text.at += 1
        text.next_mark()
        yield _record(text)
    if mark != "]":
        raise ValueError("what follows a message is neither another one nor the end of their list")
    text.at += 1
    _check_rest(text, key)


def _lines(file: IO[bytes], items: Items) -> Iterator[_Record]:
    """Yield the messages of a file that has one in each line; a line that is no JSON costs no other."""
    text = TextIOWrapper(file, encoding=items.encoding, errors="replace", newline="\n")
    try:
        for line in lines_in(text, largest=_LARGEST):
            if not line.text.strip():
                continue
            try:
                yield _Record(line.text.strip(), _DECODER.decode(line.text))
            except (ValueError, RecursionError) as error:
                yield _Record(line.text.strip(), reason=_short(error))
    finally:
        text.detach()  # the file is closed by whoever opened it


def _head(text: _Text, key: str) -> dict[str, Any]:
    """Return what stands before the list under a key, and stop at the list; empty when there is none."""
    start = None
    while start is None and not text.ended and len(text.buffer) <= _HEAD:
        text.extend()
        start = _start_of_list(text.buffer, key)
    if start is None:
        if text.ended:
            _loaded(text.buffer)
        return {}
    head = _loaded(f"{text.buffer[:start]}[]}}")
    text.at = start
    return head if isinstance(head, dict) else {}


def _start_of_list(text: str, key: str) -> int | None:
    """Return where the list under a key of the outermost object begins."""
    depth = 0
    before: deque[str] = deque(["", ""], maxlen=2)
    for token in _TOKEN.finditer(text):
        if token[0] == "[" and depth == 1 and [*before] == [f'"{key}"', ":"]:
            return token.start()
        depth += _DEEPER.get(token[0], 0)
        before.append(token[0])
    return None


def _record(text: _Text) -> _Record:
    """Return the next member of the list and pass over it; raises ValueError when it is no JSON."""
    while (found := _member(text)) is None:
        if text.ended:
            raise ValueError("it ends within a message")
        text.extend()
    record, text.at = found
    return record


def _member(text: _Text) -> tuple[_Record, int] | None:
    """Return the next member of the list and where it ends; None when more of the file has to be read for that."""
    start = text.at
    try:
        value, end = _DECODER.raw_decode(text.buffer, start)
    except json.JSONDecodeError as error:
        if text.ended or _is_wrong(error, text.buffer):
            raise ValueError(_short(error)) from error
        return None
    except (ValueError, RecursionError) as error:
        whole = _end_of_member(text.buffer, start)
        return None if whole is None else (_Record(text.buffer[start:whole], reason=_short(error)), whole)
    if end == len(text.buffer) and not text.ended:
        return None  # the digits of a number may go on
    return _Record(text.buffer[start:end], value), end


def _is_wrong(error: json.JSONDecodeError, text: str) -> bool:
    """Return whether a text is no JSON, whatever comes behind it."""
    return not error.msg.startswith("Unterminated string") and error.pos < len(text) - _LONGEST_WORD


def _end_of_member(text: str, start: int) -> int | None:
    """Return where the comma or bracket stands that ends a member of a list; None when it is yet to be read."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if depth == 0 and token[0] in {",", "]"}:
            return token.start()
        depth += _DEEPER.get(token[0], 0)
    return None


def _check_rest(text: _Text, key: str) -> None:
    """Look at what stands behind the list; raises ValueError when it is not what may follow it."""
    while not text.ended:
        text.extend()
    rest = text.buffer[text.at :]
    if not key:
        if rest.strip():
            raise ValueError("something stands behind the list")
        return
    pairs = _loaded(f'{{"{key}":[]{rest}', pairs=list)
    if sum(name == key for name, _ in pairs) > 1:
        raise ValueError(f"it has several lists of {key}")


def _loaded(text: str, *, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Return what JSON says; raises ValueError for whatever is wrong with it."""
    try:
        return json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        raise ValueError(_short(error)) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _end_of_blanks(text: str, start: int) -> int:
    found = _BLANKS.match(text, start)
    return start if found is None else found.end()


def _short(error: BaseException) -> str:
    """Return what is wrong with a piece of JSON; where that is, the error tells of a part of the file."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return (error.msg[:1].lower() + error.msg[1:]).removesuffix(" starting at").removesuffix(" at")
    return "it has a number that cannot be read"
