"""The session's CSV: an append-only log of messages that the database catches up from.

`memory.capture.message_csv` tells what its records are. Only what follows the last line end can be a record that a
crash cut short. It is copied into the not-added CSV and then cut off; a file that ends with a whole line is only ever
added to.
"""

import asyncio
import csv
import hashlib
import io
import logging
import os
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import BinaryIO, ParamSpec, Protocol, TypeVar

from errors import JournalUnavailableError, SessionError
from memory.capture.message_csv import (
    LARGEST,
    SEPARATOR,
    Tail,
    fields_in,
    fields_of,
    is_session_header,
    message_in,
    pieces_in,
    read_header,
    record_test,
    tail_of,
    to_row,
)
from memory.message import COLUMNS, Message
from storage.files import atomic_file, sync_folder
from storage.session_names import NOT_ADDED

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

CUT_SHORT = "cut short by a crash"

_BLOCK = 2**20  # bytes
_REMEMBERED_ROWS = 100_000  # refused rows that are known again; a kill has only the last few of them refused twice


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


def _copy_widened(source: Path, target: Path, header: bytes, columns: Sequence[str]) -> None:
    """Write a CSV anew with more columns, which joined behind those of a message; damaged lines stay as they are."""
    earlier = fields_of(header)
    kept = sum(name in COLUMNS for name in earlier)
    added = [""] * (len(columns) - len(earlier))
    with source.open("rb") as reading, source.open("rb") as copying, target.open("wb") as writing:
        copying.seek(len(read_header(reading)))
        writing.write(encoded([columns]))
        is_record = record_test(header)
        for piece in pieces_in(reading, is_record):
            if not piece.is_cut and is_record(piece.text):
                copying.seek(piece.size, os.SEEK_CUR)
                fields = fields_in(piece.text.decode("utf-8", "replace"))
                writing.write(encoded([[*fields[:kept], *added, *fields[kept:]]]))
            else:
                _copy(copying, writing, piece.size)


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    while size and (block := source.read(min(_BLOCK, size))):
        target.write(block)
        size -= len(block)


class RunInThread(Protocol):
    """Runs a call that blocks in a thread, and returns what it returns."""

    async def __call__(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run it."""


class AppendOnlyCsv:
    """A CSV file that grows by whole records or not at all.

    What blocks runs in a thread of its own (`in_thread`), which nothing else can keep busy.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self._columns = list(columns)
        self._header = encoded([columns])
        self._is_record = record_test(self._header)
        self._file: BinaryIO | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._writing = Lock()  # an import and the ingest may refuse rows at the same time, each in its thread
        self._sync_failed = False
        self._calls_admitted = asyncio.Event()
        self._calls_admitted.set()
        self._rewriting = asyncio.Lock()
        self.end = 0
        self.synced = 0
        """Bytes that the disk has: what follows may be gone after a power cut."""
        self.torn = b""
        """What was cut off when the file was opened."""

    def open(self) -> None:
        """Open the file, new or old, and put an end to what a crash left unfinished.

        Raises SessionError when the file cannot be opened or holds something else.
        """
        try:
            with ExitStack() as on_failure:
                self.path.touch(0o600)
                self._widen()
                # Unbuffered: what `write` has returned from has left this process, and a kill cannot take it back.
                self._file = on_failure.enter_context(self.path.open("ab", buffering=0))
                on_failure.callback(self._forget_file)
                self._repair(self._file)
                if not self.end:
                    self._write(self._header)
                self.sync()
                sync_folder(self.path.parent)
                on_failure.pop_all()
        except OSError as error:
            raise SessionError(
                f"{self.path} cannot be written ({error.strerror}): free some disk space or correct its permissions."
            ) from error
        except JournalUnavailableError as error:
            raise SessionError(f"The session's CSV cannot be written ({error}): free some disk space.") from error
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=self.path.name)

    def _forget_file(self) -> None:
        self._file = None

    def accepts(self, header: bytes) -> bool:
        """Return whether a first line is the header of such a file, of today or of an earlier version."""
        columns = fields_of(header)
        return columns == self._columns or self._is_earlier(columns)

    def _is_earlier(self, columns: Sequence[str]) -> bool:
        """Return whether these are the columns that such a file had in an earlier version."""
        return False

    def _widen(self) -> None:
        """Give a file of an earlier version the columns of today, which are empty in its records.

        What a crash left there unfinished is put an end to first, as its own version would.
        """
        with self.path.open("rb") as file:
            header = read_header(file)
        if not header.endswith(b"\n") or not self._is_earlier(fields_of(header)):
            return
        todays, self._header, self._is_record = self._header, header, record_test(header)
        with self.path.open("ab", buffering=0) as self._file:
            self._repair(self._file)
        self._file = None
        self._header, self._is_record, self.end = todays, record_test(todays), 0
        with atomic_file(self.path) as partial:
            _copy_widened(self.path, partial, header, self._columns)
        logger.info("%s has the columns of this version now", self.path)

    @property
    def is_open(self) -> bool:
        """Whether it can be written, which only its own thread does."""
        return self._thread is not None

    async def in_thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call that blocks in the thread of this open file, behind the calls before it."""
        await self._calls_admitted.wait()
        return await self._in_thread(partial(call, *args, **kwargs))

    async def _in_thread(self, call: Callable[[], T]) -> T:
        if self._thread is None:
            raise JournalUnavailableError(f"{self.path} is not open")
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[RunInThread]:
        """Keep other calls waiting while the file is rewritten, and go on with whatever bears its name then.

        All that was appended is on the disk before. What is yielded runs a call in the thread of this file; whoever is
        cancelled meanwhile leaves that call to end before anything is appended. Raises JournalUnavailableError when the
        disk does not take what was appended.
        """

        async def run(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
            return await self._in_thread(partial(call, *args, **kwargs))

        async with self._rewriting:
            self._calls_admitted.clear()
            try:
                await self._in_thread(self._settle)
                try:
                    yield run
                finally:
                    await self._in_thread(self._reopen)
            finally:
                self._calls_admitted.set()

    def _settle(self) -> None:
        """Bring the file to the disk as far as it is whole."""
        try:
            if self._file is not None:
                self._cut_off_half(self._file)
            self.sync()
        except OSError as error:
            raise JournalUnavailableError(f"{self.path}: {error.strerror}") from error

    def _reopen(self) -> None:
        """Append to the file that bears the name now; where that fails the next write tries again."""
        if self._file is not None:
            self._file.close()
            self._file = None
        try:
            self._open_again()
        except JournalUnavailableError as error:
            logger.critical("%s cannot be opened again: %s", self.path, error)

    def _open_again(self) -> BinaryIO:
        try:
            file = self.path.open("ab", buffering=0)
            self.end = self.synced = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise JournalUnavailableError(f"{self.path}: {error.strerror}") from error
        self._file = file
        return file

    def close(self) -> None:
        """Push everything to the disk and close the file."""
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None
        if self._file is not None:
            try:
                self.sync()
            except OSError as error:
                logger.critical("%s did not reach the disk whole: %s", self.path, error.strerror)
            self._file.close()
            self._file = None

    def append(self, rows: Iterable[Sequence[str]]) -> None:
        """Add rows and hand them to the operating system; raise JournalUnavailableError, adding none, on failure."""
        self._write(encoded(rows))

    def sync(self) -> None:
        """Wait until the disk has what was appended; raise OSError when it does not take it."""
        if self._file is None:
            return
        end = self.end
        try:
            if self._sync_failed:
                self._write_again(self.synced, end)
            os.fsync(self._file.fileno())
        except OSError:
            self._sync_failed = True
            raise
        self._sync_failed = False
        self.synced = end

    def _write_again(self, start: int, end: int) -> None:
        """Hand the system a stretch of the file once more: after a failure it takes for written what it could not."""
        with self.path.open("r+b", buffering=0) as file:
            while start < end:
                file.seek(start)
                block = file.read(min(_BLOCK, end - start))
                if not block:
                    break
                file.seek(start)
                start += file.write(block)

    def _repair(self, file: BinaryIO) -> None:
        """Find the end of the last whole record, and see to what stands behind it."""
        with self.path.open("rb") as reading:
            header = read_header(reading)
            if not self.accepts(header) and not self._header.startswith(header):  # half a header is a crash
                raise SessionError(f"{self.path} is not a session's CSV: move it away or choose another name.")
            if not header.endswith(b"\n"):
                file.truncate(0)
                return
            tail = tail_of(reading, len(header), self._is_record)
            self.end, torn = tail.size, self._torn_in(tail)
            if torn < tail.size:
                self._end_torn(reading, file, torn)
            if tail.unclosed is not None and tail.unclosed < torn:
                self._write(SEPARATOR)

    def _torn_in(self, tail: Tail) -> int:
        """Return where a record begins that a crash cut short, or where the file ends."""
        return tail.torn

    def _end_torn(self, reading: BinaryIO, file: BinaryIO, start: int) -> None:
        """Complete a record where only the end of its line is missing; cut off what else is not finished."""
        reading.seek(start)
        torn = reading.read(LARGEST + 1)
        if self._is_record(torn):
            self._write(b"\n")
        elif len(torn) > LARGEST or not self._is_kept_elsewhere(torn):
            self._write(b"\n" + SEPARATOR)  # it stays, as a damaged line
        else:
            file.truncate(start)
            self.end, self.torn = start, torn
            logger.warning("%s: cut off %d bytes of a record that was not finished", self.path, len(torn))

    def _is_kept_elsewhere(self, torn: bytes) -> bool:
        """Copy what is about to be cut off to another file, and the disk; tell whether that was done."""
        return False

    def _write(self, data: bytes) -> None:
        if self._file is None and self._thread is None:
            raise JournalUnavailableError(f"{self.path} is not open")
        file = self._file or self._open_again()
        with self._writing:
            try:
                self._cut_off_half(file)  # a disk that fails may have refused this, too, after its last failure
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]
            except OSError as error:
                with suppress(OSError):
                    self._cut_off_half(file)
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
        self._guard = _guard_of(path)
        self._guarded_to = 0

    def _is_earlier(self, columns: Sequence[str]) -> bool:
        return len(columns) < len(COLUMNS) and is_session_header(columns)

    def record(self, messages: Iterable[Message]) -> None:
        """Append messages; see `append`."""
        rows = [to_row(message) for message in messages]
        guarded = any(map(_quotes_records, rows))
        if guarded:
            self._raise_guard()
        self.append(rows)
        if guarded:
            self._guarded_to = self.end

    def sync(self) -> None:
        """Wait until the disk has what was recorded; raise OSError when it does not take it."""
        super().sync()
        if self._guarded_to and self.synced >= self._guarded_to:
            self._guard.unlink(missing_ok=True)
            sync_folder(self.path.parent)
            self._guarded_to = 0

    def read(self, position: int, limit: int) -> JournalBatch:
        """Return up to `limit` records from `position` (0: the first one) on.

        Of a journal that is open for writing only what the disk has is read: whoever stores what this returns is never
        ahead of the file, whatever a power cut takes.
        """
        messages: list[Message] = []
        bad: list[BadRecord] = []
        with self.path.open("rb") as file:
            header = read_header(file)
            position = position or len(header)
            file.seek(position)
            end = self.synced if self._file is not None else os.fstat(file.fileno()).st_size
            for piece in pieces_in(file, record_test(header), end=end):
                if not piece.is_cut and not piece.text.endswith(b"\n"):
                    break
                position += piece.size
                _sort_record(piece.text, messages, bad)
                if len(messages) + len(bad) == limit:
                    break
        return JournalBatch(tuple(messages), tuple(bad), position)

    def read_unfinished(self, position: int) -> JournalBatch:
        """Return what stands behind the last whole line: a last line without an end, as editors may leave it."""
        messages: list[Message] = []
        bad: list[BadRecord] = []
        with self.path.open("rb") as file:
            file.seek(position)
            rest = file.read(LARGEST)
        if rest:
            _sort_record(rest, messages, bad)
        return JournalBatch(tuple(messages), tuple(bad), position + len(rest))

    def read_all(self, *, chunk: int = 1000) -> Iterator[JournalBatch]:
        """Yield the whole journal in batches, in bounded memory."""
        position = 0
        while (batch := self.read(position, chunk)).position != position:
            yield batch
            position = batch.position

    def _raise_guard(self) -> None:
        """Note on the disk where lines are about to be written that are no records, though they look like some.

        Should a crash cut them short, the next start knows that they belong to the record that begins before them.
        """
        try:
            with self._guard.open("wb") as file:
                file.write(str(self.synced).encode())
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self.path.parent)
        except OSError as error:
            raise JournalUnavailableError(f"{self._guard}: {error.strerror}") from error

    def _torn_in(self, tail: Tail) -> int:
        """Return where a record begins that a crash cut short, or where the file ends."""
        guarded_from = _guarded_from(self._guard)
        if guarded_from is not None:
            self._guarded_to = tail.size  # it goes with the first sync
        return _torn(tail, guarded_from)

    def _is_kept_elsewhere(self, torn: bytes) -> bool:
        with closing(NotAdded(self.path.with_name(f"{self.path.stem}{NOT_ADDED}.csv"))) as not_added:
            not_added.open()
            not_added.refuse_record(BadRecord(torn.decode("utf-8", "replace"), CUT_SHORT))
            not_added.sync()
        return True


class NotAdded(AppendOnlyCsv):
    """The CSV of the messages that the database would not take, each with its reason."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, (*COLUMNS, "reason"))
        self._known: dict[bytes, None] = {}
        """Digests of the newest rows."""
        self._knows_old_rows = False

    def _is_earlier(self, columns: Sequence[str]) -> bool:
        *of_message, last = columns
        return last == self._columns[-1] and len(of_message) < len(COLUMNS) and is_session_header(of_message)

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
        if not self._knows_old_rows:
            for known in self.digests():
                self._remember(known)
            self._knows_old_rows = True
        digest = digest_of(encoded([row]))
        if digest not in self._known:
            self.append([row])
            self._remember(digest)

    def digests(self) -> Iterator[bytes]:
        """Yield the digest of each row, oldest first."""
        with self.path.open("rb") as file:
            read_header(file)
            for piece in pieces_in(file, self._is_record):
                yield digest_of(piece.text)

    def _remember(self, digest: bytes) -> None:
        self._known[digest] = None
        if len(self._known) > _REMEMBERED_ROWS:
            del self._known[next(iter(self._known))]


def finished_size(path: Path) -> int:
    """Return how many bytes of a CSV of ours are finished records, while somebody may be writing another one."""
    before = _guarded_from(_guard_of(path))
    with path.open("rb") as file:
        header = read_header(file)
        if not header.endswith(b"\n"):
            return 0
        tail = tail_of(file, len(header), record_test(header))
    return _torn(tail, before if before is not None else _guarded_from(_guard_of(path)))


def _guard_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.guard")


def _guarded_from(guard: Path) -> int | None:
    try:
        return int(guard.read_bytes())
    except (OSError, ValueError):
        return None


def _torn(tail: Tail, guarded_from: int | None) -> int:
    """Return where an unfinished record begins; behind a guard its lines are none of their own, whatever they say."""
    is_guarded = guarded_from is not None and tail.unclosed is not None and tail.unclosed >= guarded_from
    return tail.unclosed if is_guarded and tail.unclosed is not None else tail.torn


def encoded(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows as CSV bytes; a lone surrogate, which UTF-8 cannot hold, becomes its escape."""
    text = io.StringIO(newline="")
    plain = csv.writer(text, lineterminator="\n")
    # Before Python 3.13 the writer leaves a lone carriage return bare, and the reader then refuses it.
    quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        (quoted if any("\r" in field for field in row) else plain).writerow(row)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _quotes_records(row: Sequence[str]) -> bool:
    """Return whether a line within a field has as many commas as a record has: it might pass for one."""
    several_lines = [field for field in row if "\n" in field]
    return any(line.count(",") >= len(COLUMNS) - 1 for field in several_lines for line in field.split("\n")[1:])


def _sort_record(text: bytes, messages: list[Message], bad: list[BadRecord]) -> None:
    if text == SEPARATOR:
        return
    line = text.decode("utf-8", "replace")
    try:
        messages.append(message_in(line))
    except ValueError as error:
        bad.append(BadRecord(line, f"not a message: {error}"))


def digest_of(record: bytes) -> bytes:
    """Return 16 bytes that stand for a record."""
    return hashlib.blake2b(record, digest_size=16).digest()
