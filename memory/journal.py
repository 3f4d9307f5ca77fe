"""The session's CSV: an append-only log of messages that the database catches up from.

A record is whole when its line end stands outside of quotes, that is, when an even number of quotes comes
before it. So a record that a crash cut short is found from the bytes alone, and cut off before new ones follow.
"""

import csv
import io
import itertools
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from errors import JournalUnavailableError, SessionError
from memory.csv_rows import COLUMNS, from_row, to_row
from memory.messages import Message

logger = logging.getLogger(__name__)

_LARGEST_FIELD = 16 * 2**20  # csv refuses fields over 128 KiB unless told otherwise


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A line of the CSV that is no message, as it stands there, and why."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class JournalBatch:
    """Some records of the journal and the position, in bytes, behind the last of them."""

    messages: tuple[Message, ...]
    bad: tuple[BadRecord, ...]
    position: int


class AppendOnlyCsv:
    """A CSV file that grows by whole records or not at all."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self._header = encoded([columns])
        self._file: BinaryIO | None = None
        self._writing = Lock()  # an import and the ingest may refuse rows at the same time, each in its thread
        self.end = 0
        self.torn = b""

    def open(self) -> None:
        """Open the file, new or old, and cut off a record that a crash left unfinished.

        Raises SessionError when the file cannot be opened or holds something else.
        """
        try:
            self._repair()
            # Unbuffered: what `write` has returned from has left this process, and a kill cannot take it back.
            self._file = self.path.open("ab", buffering=0)
            if not self.end:
                self._write(self._header)
        except OSError as error:
            raise SessionError(
                f"{self.path} cannot be written ({error.strerror}): free the disk or mend its permissions."
            ) from error
        except JournalUnavailableError as error:
            raise SessionError(f"The session's CSV cannot be written ({error}): free some disk space.") from error

    def accepts(self, header: bytes) -> bool:
        """Tell whether a first line is the header of such a file."""
        return header.rstrip(b"\r\n") == self._header.rstrip(b"\n")

    def _repair(self) -> None:
        self.path.touch(0o600)
        with self.path.open("r+b") as file:
            header = file.readline()
            if not self.accepts(header) and not self._header.startswith(header):  # half a header is a crash
                raise SessionError(f"{self.path} is not a session's CSV: move it away or choose another name.")
            self.end = sum(len(record) for record in records(itertools.chain([header], file)))
            file.seek(self.end)
            unfinished = file.read()
            file.truncate(self.end)
        self.torn = unfinished if self.end else b""  # half a header is no message
        if self.torn:
            logger.warning("%s: cut off %d bytes of a record that was not finished", self.path, len(self.torn))

    def close(self) -> None:
        """Push everything to the disk and close the file."""
        if self._file is not None:
            self.sync()
            self._file.close()
            self._file = None

    def append(self, rows: Iterable[Sequence[str]]) -> None:
        """Add rows and hand them to the operating system; raise JournalUnavailableError, adding none, on failure."""
        self._write(encoded(rows))

    def sync(self) -> None:
        """Wait until the disk has what was appended."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def _write(self, data: bytes) -> None:
        if self._file is None:
            raise JournalUnavailableError(f"{self.path} is not open")
        with self._writing:
            try:
                self._cut_off_half(self._file)  # a disk that fails may have refused this, too, after its last failure
                view = memoryview(data)
                while view:
                    view = view[self._file.write(view) :]
            except OSError as error:
                with suppress(OSError):
                    self._cut_off_half(self._file)
                raise JournalUnavailableError(f"{self.path}: {error.strerror}") from error
            self.end += len(data)

    def _cut_off_half(self, file: BinaryIO) -> None:
        """Remove what a full disk took of a record."""
        if os.fstat(file.fileno()).st_size > self.end:
            file.truncate(self.end)


class Journal(AppendOnlyCsv):
    """The CSV of all messages of a session."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, COLUMNS)

    def record(self, messages: Iterable[Message]) -> None:
        """Append messages; see `append`."""
        self.append(map(to_row, messages))

    def read(self, position: int, limit: int) -> JournalBatch:
        """Return up to `limit` whole records from `position` (0: the first one) on."""
        csv.field_size_limit(_LARGEST_FIELD)
        messages: list[Message] = []
        bad: list[BadRecord] = []
        with self.path.open("rb") as file:
            position = position or len(file.readline())
            file.seek(position)
            for record in records(file):
                position += len(record)
                _sort_record(record.decode("utf-8", "replace"), messages, bad)
                if len(messages) + len(bad) == limit:
                    break
        return JournalBatch(tuple(messages), tuple(bad), position)

    def read_unfinished(self, position: int) -> JournalBatch:
        """Return what stands behind the last whole record: a last line without an end, as editors may leave it."""
        messages: list[Message] = []
        bad: list[BadRecord] = []
        with self.path.open("rb") as file:
            file.seek(position)
            rest = file.read()
        if rest:
            _sort_record(rest.decode("utf-8", "replace"), messages, bad)
        return JournalBatch(tuple(messages), tuple(bad), position + len(rest))

    def read_all(self, *, chunk: int = 1000) -> Iterator[JournalBatch]:
        """Yield the whole journal in batches, in bounded memory."""
        position = 0
        while (batch := self.read(position, chunk)).position != position:
            yield batch
            position = batch.position


class NotAdded(AppendOnlyCsv):
    """The CSV of the messages that the database would not take, each with its reason."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, (*COLUMNS, "reason"))

    def refuse(self, message: Message, reason: str) -> None:
        """Append a refused message."""
        self._append_once([*to_row(message), reason])

    def refuse_record(self, record: BadRecord) -> None:
        """Append a line that is no message; it stands whole in the content column."""
        row = [""] * len(COLUMNS)
        row[COLUMNS.index("content")] = record.text
        self._append_once([*row, record.reason])

    def _append_once(self, row: Sequence[str]) -> None:
        """Append a row unless it stands here already, as it does when a kill came before the database knew."""
        with self.path.open("rb") as file:
            if encoded([row]) in records(file):
                return
        self.append([row])


def records(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines to whole CSV records; what is not finished at the end is left out."""
    parts: list[bytes] = []
    quotes = 0
    for line in lines:
        parts.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0 and line.endswith(b"\n"):
            yield b"".join(parts)
            parts, quotes = [], 0


def encoded(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows as CSV bytes; a lone surrogate, which UTF-8 cannot hold, becomes its escape."""
    text = io.StringIO(newline="")
    plain = csv.writer(text, lineterminator="\n")
    # Before Python 3.13 the writer leaves a lone carriage return bare, and the reader then refuses it.
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        (quoted if any("\r" in field for field in row) else plain).writerow(row)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _sort_record(text: str, messages: list[Message], bad: list[BadRecord]) -> None:
    try:
        messages.append(from_row(next(csv.reader([text], strict=True))))
    except (ValueError, TypeError, csv.Error) as error:
        bad.append(BadRecord(text, f"not a message: {error}"))
