"""The session's CSV holds whole records and nothing else, whatever the disk and the power do."""

import csv
import io
import os
import resource
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from errors import JournalUnavailableError, SessionError
from memory.capture.journal import BadRecord, Journal, NotAdded, encoded
from memory.capture.message_csv import OLDEST_COLUMNS, to_row
from memory.message import COLUMNS, Message
from tests.builders import message, whole

AWKWARD = [
    message(1, 'two\nlines, "quoted"'),
    message(2, "a\0b"),
    message(3, "smile 😀 and a familie 👨‍👩‍👧"),
    message(4, '""\n"\n,'),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "demo.csv"


@contextmanager
def opened(path: Path) -> Iterator[Journal]:
    journal = Journal(path)
    journal.open()
    try:
        yield journal
    finally:
        journal.close()


def not_added(path: Path) -> Path:
    """Return where the not-added CSV of a journal is."""
    return path.with_name(f"{path.stem}_not_added.csv")


def contents(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return [row["content"] for row in csv.DictReader(file)]


def written(path: Path, messages: Sequence[Message]) -> bytes:
    """Return the bytes of a journal with those messages, which stands at `path` then."""
    with opened(path) as journal:
        journal.record(messages)
    return path.read_bytes()


@contextmanager
def full_disk(room: int, path: Path) -> Iterator[None]:
    """Let no file grow by more than `room` bytes beyond the size that `path` has now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("plain", id="plain"),
        pytest.param("", id="empty"),
        pytest.param("one\ntwo\r\nthree\n", id="several lines"),
        pytest.param("left\rright", id="a lone carriage return"),
        pytest.param('"', id="one quote"),
        pytest.param('say ""hi"", \'now\'', id="quotes and commas"),
        pytest.param("a\0b", id="NUL"),
        pytest.param("a\x85b\u2028c\x0b\x1c", id="rare line ends"),
        pytest.param("\ufeffΩ 😀 e\u0301 ‮", id="far beyond ASCII"),
        pytest.param("=1+1", id="a spreadsheet's formula"),
        pytest.param("x" * 200_000, id="longer than csv allows by itself"),
    ],
)
def test_a_content_reads_back_as_it_was(path: Path, content: str) -> None:
    with opened(path) as journal:
        journal.record([message(1, content), message(2, "after")])

        batch = whole(journal)

    assert [one.content for one in batch.messages] == [content, "after"]
    assert batch.bad == ()


def test_a_lone_surrogate_becomes_its_escape(path: Path) -> None:
    with opened(path) as journal:
        journal.record([message(1, "a\ud83db")])

        assert whole(journal).messages[0].content == r"a\ud83db"


def test_reading_in_batches_equals_reading_all(path: Path) -> None:
    messages = [message(number, f"line\n{number}") for number in range(1, 24)]
    with opened(path) as journal:
        journal.record(messages)

        journal.sync()
        batches = list(journal.read_all(chunk=5))

        assert [len(batch.messages) for batch in batches] == [5, 5, 5, 5, 3]
        assert [one for batch in batches for one in batch.messages] == messages
        assert batches[-1].position == journal.end


def test_reading_goes_on_from_a_position(path: Path) -> None:
    with opened(path) as journal:
        journal.record(AWKWARD)
        journal.sync()
        first = journal.read(0, 3)

        assert journal.read(first.position, 100).messages == tuple(AWKWARD[3:])


def test_a_line_that_is_no_message_costs_only_itself(path: Path) -> None:
    written(path, AWKWARD[:1])
    with path.open("a") as file:
        file.write("something else\n")
    with opened(path) as journal:
        journal.record(AWKWARD[1:])

        batch = whole(journal)

    assert list(batch.messages) == AWKWARD
    assert batch.bad == (BadRecord("something else\n", f"not a message: has 1 fields instead of {len(COLUMNS)}"),)


def test_a_record_torn_at_any_byte_is_kept_elsewhere_and_nothing_before_it_is_lost(path: Path) -> None:
    last = message(9, 'torn "here",\nor 😀 there')
    kept = len(written(path, AWKWARD))
    complete = written(path, [last])

    for size in range(kept, len(complete)):
        path.write_bytes(complete[:size])
        with opened(path) as journal:
            torn = journal.torn
            journal.record([last])
            batch = whole(journal)
        assert [one for one in batch.messages if one != last] == AWKWARD
        assert batch.messages[-1] == last
        assert path.read_bytes().startswith(complete[: size - len(torn)])
        if torn:
            assert contents(not_added(path))[-1] == torn.decode("utf-8", "replace")


def test_a_record_that_lacks_nothing_but_its_line_end_is_completed(path: Path) -> None:
    complete = written(path, AWKWARD)
    path.write_bytes(complete.removesuffix(b"\n"))

    with opened(path) as journal:
        assert journal.torn == b""

    assert path.read_bytes() == complete


def test_a_torn_record_is_on_the_disk_elsewhere_before_it_is_cut_off(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(written(path, AWKWARD) + b"9,2026-11-03T09:0")
    done: list[str] = []

    def noted(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        holds_it = not_added(path).exists() and b"9,2026-11-03T09:0" in not_added(path).read_bytes()
        done.append(f"sync {name}, {path.stat().st_size} bytes in {path.name}, {holds_it}")
        fsync(descriptor)

    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", noted)
    size = path.stat().st_size
    with opened(path):
        pass

    assert f"sync demo_not_added.csv, {size} bytes in demo.csv, True" in done
    assert f"sync {path.parent.name}, {size} bytes in demo.csv, False" in done, "the folder knows of the new file"
    assert contents(not_added(path)) == ["9,2026-11-03T09:0"]


def test_a_torn_record_that_cannot_be_kept_elsewhere_is_not_cut_off(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(NotAdded(not_added(path))) as aside:
        aside.open()
    torn = written(path, AWKWARD) + b"9,2026-11-03T09:0"
    path.write_bytes(torn)

    def refuse(descriptor: int) -> None:
        if b"9,2026-11-03T09:0" in not_added(path).read_bytes():
            raise OSError(5, "Input/output error")
        fsync(descriptor)

    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(SessionError, match="Input/output error"):
        Journal(path).open()

    assert path.read_bytes() == torn


def test_a_header_torn_at_any_byte_is_written_anew(path: Path) -> None:
    header = written(path, [])

    for size in range(len(header)):
        path.write_bytes(header[:size])
        with opened(path) as journal:
            journal.record(AWKWARD)
            assert journal.torn == b""
            assert list(whole(journal).messages) == AWKWARD


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param("name,price\nbread,3\n", id="another program's"),
        pytest.param(",".join([*COLUMNS, "reason"]) + "\n", id="a not-added CSV"),
        pytest.param("message_id\n7\n", id="with only the first column"),
    ],
)
def test_another_csv_is_refused_and_left_alone(path: Path, foreign: str) -> None:
    path.write_text(foreign)

    with pytest.raises(SessionError, match="is not a session's CSV"):
        Journal(path).open()

    assert path.read_text() == foreign


def test_a_journal_with_windows_line_ends_is_gone_on_with(path: Path) -> None:
    path.write_bytes(written(path, [message(1)]).replace(b"\n", b"\r\n"))

    with opened(path) as journal:
        journal.record([message(2)])

        assert list(whole(journal).messages) == [message(1), message(2)]


def test_a_full_disk_takes_no_half_record_and_a_freed_one_goes_on(path: Path) -> None:
    with opened(path) as journal:
        journal.record([message(1, "x" * 1_000_000)])  # the limit holds for every file that this process writes
        before = path.read_bytes()

        with full_disk(40, path), pytest.raises(JournalUnavailableError, match="too large"):
            journal.record([message(2), message(3)])
        assert path.read_bytes() == before

        journal.record([message(2), message(3)])
        assert [one.message_id for one in whole(journal).messages] == [1, 2, 3]


class FailingFile(io.FileIO):
    """A file on a disk that breaks in the middle of a write and then refuses everything until it is mended."""

    broken = True

    def write(self, data: Any, /) -> int:
        if self.broken:
            super().write(bytes(data)[:20])
            raise OSError(5, "Input/output error")
        return super().write(data)

    def truncate(self, size: int | None = None, /) -> int:
        if self.broken:
            raise OSError(30, "Read-only file system")
        return super().truncate(size)


def test_a_disk_that_refuses_even_the_cleaning_up_is_cleaned_up_once_it_is_mended(path: Path) -> None:
    with opened(path) as journal:
        journal.record([message(1)])
        failing = FailingFile(path, "ab")
        assert journal._file is not None
        journal._file.close()
        journal._file = failing
        with pytest.raises(JournalUnavailableError, match="Input/output error"):
            journal.record([message(2)])

        failing.broken = False
        journal.record([message(2)])

        assert list(whole(journal).messages) == [message(1), message(2)]


def test_what_the_disk_does_not_have_yet_is_not_read(path: Path) -> None:
    with opened(path) as journal:
        journal.record([message(1)])
        assert journal.read(0, 10).messages == ()
        journal.sync()
        journal.record([message(2)])

        batch = journal.read(0, 10)

        assert batch.messages == (message(1),)
        assert batch.position == journal.synced < journal.end


def test_what_a_disk_refused_is_handed_to_it_again_and_read_only_then(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    with opened(path) as journal:
        with monkeypatch.context() as broken:
            broken.setattr(os, "fsync", refuse)
            journal.record([message(1)])
            with pytest.raises(OSError, match="Input/output"):
                journal.sync()
            assert journal.read(0, 10).messages == ()
        before = path.stat().st_mtime_ns

        journal.sync()

        assert journal.read(0, 10).messages == (message(1),)
        assert path.stat().st_mtime_ns > before, "after a failure the system takes for written what it could not write"
        assert list(whole(journal).messages) == [message(1)]


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("missing/demo.csv", id="a folder that is not there"),
        pytest.param("file/demo.csv", id="a folder that is a file"),
        pytest.param(".", id="a file that is a folder"),
    ],
)
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(
        SessionError, match=r"cannot be written \(.*\): free some disk space or correct its permissions"
    ):
        Journal(tmp_path / where).open()


def test_a_disk_without_room_for_the_header_is_said_at_the_start(path: Path) -> None:
    path.touch()

    with closing(Journal(path)) as journal, full_disk(40, path), pytest.raises(SessionError, match="free some disk"):
        journal.open()

    assert path.read_bytes() == b""


def test_a_closed_journal_takes_nothing(path: Path) -> None:
    with opened(path) as journal:
        pass

    with pytest.raises(JournalUnavailableError, match="is not open"):
        journal.record([message()])


def test_the_journal_is_private_to_its_account(path: Path) -> None:
    written(path, AWKWARD)

    assert path.stat().st_mode & 0o077 == 0


def test_a_refused_message_stands_once_with_its_reason(path: Path) -> None:
    not_added = NotAdded(path)
    not_added.open()
    for _ in range(2):
        not_added.refuse(AWKWARD[1], "NUL, which PostgreSQL does not take")
        not_added.refuse_record(BadRecord('half a "line', "cut short"))
    not_added.close()

    header, refused, record = path.read_text(encoding="utf-8").splitlines()
    assert header.endswith(f",{COLUMNS[-1]},reason")
    assert refused.endswith(',"NUL, which PostgreSQL does not take"')
    behind_content = "," * (len(COLUMNS) - COLUMNS.index("content"))
    assert record == f',,,,,,,,,,,"half a ""line"{behind_content}cut short'


def test_refusing_again_after_a_restart_adds_nothing_and_reads_the_file_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0

    def counted(self: Path, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        nonlocal reads
        reads += mode == "rb"
        return opening(self, mode, *arguments, **named)

    opening = Path.open
    with monkeypatch.context() as watched:
        watched.setattr(Path, "open", counted)
        for _ in range(2):
            with closing(NotAdded(path)) as again:
                again.open()
                for number in range(300):
                    again.refuse(message(number), "refused")

    assert reads <= 6, "thrice for each time it was opened, however many rows were refused"
    assert len(contents(path)) == 300


def test_a_torn_row_of_the_not_added_csv_stays_and_costs_no_other(path: Path) -> None:
    with closing(NotAdded(path)) as refused:
        refused.open()
        refused.refuse(message(1, "one"), "refused")
    before = path.read_bytes() + b'9,,,,,,,,,,,"half a\nli'
    path.write_bytes(before)

    with closing(NotAdded(path)) as refused:
        refused.open()
        refused.refuse(message(2, "two"), "refused")
        refused.refuse(message(1, "one"), "refused")

    assert path.read_bytes().startswith(before)
    assert path.read_bytes().count(b"refused") == 2


# ---- files of earlier versions


def earlier(*rows: Sequence[str], last: Sequence[str] = ()) -> bytes:
    """Return a file as the version wrote it that had the oldest columns alone."""
    return encoded([[*OLDEST_COLUMNS, *last], *([*row[: len(OLDEST_COLUMNS)], *row[len(COLUMNS) :]] for row in rows)])


def widened(row: Sequence[str]) -> list[str]:
    """Return a row of the oldest columns with the columns of today, which say nothing."""
    return [*row[: len(OLDEST_COLUMNS)], *[""] * (len(COLUMNS) - len(OLDEST_COLUMNS)), *row[len(COLUMNS) :]]


def test_a_journal_of_an_earlier_version_gets_the_columns_of_today_and_is_added_to(path: Path) -> None:
    old, new = [message(number, f'"{number}"\nover two lines') for number in (1, 2)], message(3, "of today")
    path.write_bytes(earlier(*map(to_row, old)) + b"a damaged line\n")
    path.chmod(0o640)

    with closing(Journal(path)) as journal:
        journal.open()
        journal.record([new])
    (batch,) = Journal(path).read_all()

    assert batch.messages == (*old, new)
    assert [bad.text for bad in batch.bad] == ["a damaged line\n"]
    assert path.read_bytes() == b"".join(
        [encoded([COLUMNS, *(widened(to_row(one)) for one in old)]), b"a damaged line\n", encoded([to_row(new)])]
    )
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_a_crash_left_in_a_journal_of_an_earlier_version_is_put_aside(path: Path) -> None:
    kept, torn = message(1, "whole"), message(2, "cut")
    path.write_bytes(earlier(to_row(kept)) + earlier(to_row(torn)).splitlines(keepends=True)[1][:30])

    with closing(Journal(path)) as journal:
        journal.open()

    assert path.read_bytes() == encoded([COLUMNS, widened(to_row(kept))])
    assert torn.sent_at.isoformat()[:10] in path.with_name("demo_not_added.csv").read_text(encoding="utf-8")


def test_a_not_added_csv_of_an_earlier_version_keeps_its_reasons_behind_the_columns_of_today(path: Path) -> None:
    path.write_bytes(earlier([*to_row(message(1, "refused")), "too long"], last=["reason"]))

    with closing(NotAdded(path)) as not_added:
        not_added.open()
        not_added.refuse(message(2, "refused as well"), "no")

    rows = [widened([*to_row(message(1, "refused")), "too long"]), [*to_row(message(2, "refused as well")), "no"]]
    assert path.read_bytes() == encoded([[*COLUMNS, "reason"], *rows])
