"""Take what forgotten people said out of CSV files of messages, so that a crash leaves the old file or the new one."""

import shutil
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from errors import SessionError
from memory.capture.erased import digits_of, has_number
from memory.capture.message_csv import (
    OLDEST_COLUMNS,
    fields_in,
    fields_of,
    from_row_leniently,
    pieces_in,
    read_header,
    record_test,
)
from memory.message import Kind, Message
from ops.erasure.fingerprint import Fingerprint, FingerprintBuilder
from ops.erasure.subject import Subject
from storage.files import PARTIAL, atomic_file, raise_os_errors_as

_BLOCK = 2**20  # bytes
_NO_SESSIONS = {"logs", "postgres"}  # folders in the storage folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Answers of the bot that repeat somebody: their own ids, and those of the commands that they answer."""

    message_ids: Collection[int] = frozenset()
    replies_to: Collection[int] = frozenset()
    every_one: bool = False
    """All of them, where nobody can tell any more which ones repeat anybody."""

    def holds(self, message_id: int, reply_to: int | None) -> bool:
        """Return whether an answer is one of them."""
        return self.every_one or message_id in self.message_ids or reply_to in self.replies_to


@dataclass(slots=True)
class Redactions:
    """The stretches of a file that are taken out of it, in order, in bytes."""

    starts: "array[int]" = field(default_factory=lambda: array("q"))
    ends: "array[int]" = field(default_factory=lambda: array("q"))
    _gone: "array[int]" = field(default_factory=lambda: array("q"))
    """How many bytes are taken out up to each end."""
    own: int = 0
    """Lines of the forgotten, copies of them, and damaged ones that hold their words."""
    answers: int = 0
    """Lines of the bot that repeat them."""
    looked_at: int = 0
    """How many bytes of the file were looked at."""

    def add(self, start: int, end: int) -> None:
        """Take out a stretch that lies behind all others."""
        gone = (self._gone[-1] if self._gone else 0) + end - start
        if self.ends and self.ends[-1] == start:
            self.ends[-1], self._gone[-1] = end, gone
        else:
            self.starts.append(start)
            self.ends.append(end)
            self._gone.append(gone)

    @property
    def lines(self) -> int:
        """Records that are taken out."""
        return self.own + self.answers

    def new_offset(self, position: int) -> int:
        """Return where a position of the old file is in the new one; one inside of a stretch is where that began."""
        at = bisect_left(self.ends, position + 1)  # the first stretch that ends behind it
        before = self._gone[at - 1] if at else 0
        inside = position - self.starts[at] if at < len(self.starts) else 0
        return position - before - max(0, inside)


def csv_files(storage_dir: Path) -> list[Path]:
    """Return all CSV files of sessions and promotions; what a crash left behind of writing one is removed."""
    with _translate_os_errors(storage_dir):
        for partial in _in_folders(storage_dir, f".*{PARTIAL}"):
            partial.unlink()
        return _in_folders(storage_dir, "*.csv")


def _in_folders(storage_dir: Path, pattern: str) -> list[Path]:
    return sorted(path for path in storage_dir.glob(f"*/{pattern}") if path.parent.name not in _NO_SESSIONS)


def erase_from_csv(path: Path, subject: Subject, *, unchecked: bool | None = None) -> Redactions:
    """Rewrite a session's CSV, a not-added CSV or one of refused rows without what the forgotten had said.

    Whatever state of a message it is that a line tells of, it goes; so do damaged lines with their words or id. An
    `unchecked` file is one from before an erasure: nobody knows any more what the person said elsewhere, so that all
    answers of the bot go, and all damaged lines. It is taken for one, unless that is said, where people or channels are
    erased, or a message that it holds. `Redactions.new_offset` tells where the stored position of a journal
    is now. A file without such lines is left alone. Raises SessionError when the file cannot be read or written.
    """
    if not subject:
        return Redactions()
    said = FingerprintBuilder(frozenset(subject.people))
    collect(path, subject, said)
    if unchecked is None:
        unchecked = bool(subject.people or subject.channels or said.message_ids)
    cuts = find_cuts(path, subject, said.build(), answers=Answers(every_one=unchecked), damaged=unchecked)
    cut(path, cuts)
    return cuts


def collect(path: Path, subject: Subject, said: FingerprintBuilder) -> None:
    """Take in what the forgotten have said in a file, and its forwards; raise SessionError when it cannot be read."""
    for _, _, record in _read(path):
        if not isinstance(record, Message):
            continue
        if subject.covers(record):
            texts = [record.content, *(file.name for file in record.attachments)]
            said.add_message(record.message_id, record.author_name, texts)
        if record.forwarded_from is not None:
            said.add_forward(record.message_id, record.forwarded_from, record.author_name)


def answers_in(path: Path) -> Iterator[Message]:
    """Yield the bot's answers in a file; raise SessionError when it cannot be read."""
    for _, _, record in _read(path):
        if isinstance(record, Message) and record.kind is Kind.ANSWER:
            yield record


def find_cuts(
    path: Path,
    subject: Subject,
    said: Fingerprint,
    *,
    answers: Answers,
    own: bool = True,
    damaged: bool = False,
    end: int | None = None,
) -> Redactions:
    """Return what has to be taken out of a file: answers, copies, and unless `own` is false what the forgotten said.

    With `damaged` all lines go that are no messages. Of a file that is being written only what stands before `end` is
    looked at. Raises SessionError when the file cannot be read.
    """
    cuts = Redactions()
    add_cuts(cuts, path, subject, said, answers=answers, own=own, damaged=damaged, end=end)
    return cuts


def add_cuts(
    cuts: Redactions,
    path: Path,
    subject: Subject,
    said: Fingerprint,
    *,
    answers: Answers,
    own: bool = True,
    damaged: bool = False,
    end: int | None = None,
) -> None:
    """Add to what has to be taken out of a file what follows the stretch that was looked at; as `find_cuts` does."""
    ids = digits_of(subject.people)
    for start, behind, record in _read(path, start=cuts.looked_at, end=end):
        cuts.looked_at = behind
        if isinstance(record, str):
            if damaged or (own and (has_number(record, ids) or said.repeated_in(record))):
                cuts.own += 1
                cuts.add(start, behind)
        elif record.kind is Kind.ANSWER and answers.holds(record.message_id, record.reply_to):
            cuts.answers += 1
            cuts.add(start, behind)
        elif record.message_id in said.copies or (own and _is_own(record, subject, said)):
            cuts.own += 1
            cuts.add(start, behind)


def find_old(path: Path, cutoffs: Mapping[int, datetime], *, end: int | None = None) -> Redactions:
    """Return the lines of messages from before the moments of their guilds; lines that are no messages stay.

    Of a file that is being written only what stands before `end` is looked at. Raises SessionError when the file cannot
    be read.
    """
    cuts = Redactions()
    for start, behind, record in _read(path, end=end):
        before = cutoffs.get(record.guild_id) if isinstance(record, Message) and record.guild_id else None
        if isinstance(record, Message) and before is not None and record.sent_at < before:
            cuts.own += 1
            cuts.add(start, behind)
    return cuts


def _is_own(message: Message, subject: Subject, said: Fingerprint) -> bool:
    # What was heard of a message when it was deleted does not tell whose it was.
    is_known_by_id = message.author_id is None and message.message_id in said.message_ids
    return is_known_by_id or subject.covers(message)


def cut(path: Path, cuts: Redactions) -> None:
    """Put a file without some stretches in the place of the old one, with its mode; raise SessionError on failure."""
    if not cuts.starts:
        return
    with _translate_os_errors(path), atomic_file(path) as partial, path.open("rb") as old, partial.open("wb") as new:
        _copy_between(old, new, cuts)


def _copy_between(old: BinaryIO, new: BinaryIO, cuts: Redactions) -> None:
    position = 0
    for start, end in zip(cuts.starts, cuts.ends, strict=True):
        _copy(old, new, position, start)
        position = end
    old.seek(position)
    shutil.copyfileobj(old, new, _BLOCK)


def _copy(old: BinaryIO, new: BinaryIO, start: int, end: int) -> None:
    old.seek(start)
    left = end - start
    while left and (block := old.read(min(left, _BLOCK))):
        new.write(block)
        left -= len(block)


def _read(path: Path, *, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int, Message | str]]:
    """Yield each record of a file with its place in bytes, the header left out; a damaged one as the text it is.

    It begins where a record does, and stops before `end`.
    """
    with _translate_os_errors(path), path.open("rb") as file:
        header = read_header(file)
        behind = max(start, len(header))
        file.seek(behind)
        names = _names(header)
        for piece in pieces_in(file, record_test(header), end=end):
            start, behind = behind, behind + piece.size
            yield start, behind, _parsed(piece.text.decode("utf-8", "replace"), names)


def _names(header: bytes) -> list[str] | None:
    """Return the columns of a file, if they are those of messages."""
    names = fields_of(header)
    return names if set(OLDEST_COLUMNS) <= set(names) else None


def _parsed(text: str, names: list[str] | None) -> Message | str:
    """Return the message that a line holds; the line itself when it holds none."""
    if names is None:
        return text
    try:
        return from_row_leniently(dict(zip(names, fields_in(text), strict=True)))
    except ValueError:
        return text


def _translate_os_errors(path: Path) -> AbstractContextManager[None]:
    remedy = "correct its permissions or free some disk space, then give the same command again"
    return raise_os_errors_as(SessionError, f"{path} cannot be rewritten", remedy)
