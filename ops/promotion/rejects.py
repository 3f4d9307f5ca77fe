"""The CSV of what a batch could not bring in, each record with its reason; one that is refused again stands once."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from errors import JournalUnavailableError, SessionError
from memory.capture.journal import NotAdded, digest_of, encoded
from memory.capture.message_csv import to_row
from memory.message import COLUMNS, Message
from ops.promotion.records import Reject
from storage.files import translate_os_errors

Row = list[str]


class RejectsCsv:
    """Takes refused rows; the file is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: NotAdded | None = None
        self._known: set[bytes] = set()
        self._writing = threading.Lock()

    def add(self, rows: Sequence[Row]) -> None:
        """Append those rows that do not stand here yet; raise SessionError when the file cannot be written."""
        if rows:
            with self._writing, _translate_journal_errors():
                file = self._opened()
                new = {digest: row for row in rows if (digest := digest_of(encoded([row]))) not in self._known}
                file.append(new.values())
                file.sync()
                self._known |= new.keys()

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()

    def _opened(self) -> NotAdded:
        if self._file is None:
            with translate_os_errors(self.path.parent):
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = NotAdded(self.path)
            file.open()
            self._known = set(file.digests())
            self._file = file
        return self._file


@contextmanager
def open_rejects(path: Path) -> Iterator[RejectsCsv]:
    """Yield the CSV of refused rows at a path; what it has taken is on the disk on exit."""
    with closing(RejectsCsv(path)) as rejects:
        yield rejects


@contextmanager
def _translate_journal_errors() -> Iterator[None]:
    try:
        yield
    except JournalUnavailableError as error:
        raise SessionError(
            f"Refused rows cannot be kept ({error}): free some disk space, then run this again."
        ) from error


def row_of_record(reject: Reject) -> Row:
    """Return the row of a record that is no message; it stands whole in the content column."""
    row = [""] * len(COLUMNS)
    row[COLUMNS.index("content")] = reject.text
    return [*row, reject.reason]


def row_of_message(message: Message, reason: str) -> Row:
    """Return the row of a message that the database would not take."""
    return [*to_row(message), reason]
