"""A damaged record costs no other, a record that is whole is never taken apart, and neither costs much."""

import io
import itertools
import random
import re
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.capture import message_csv
from memory.capture.journal import Journal, encoded, finished_size
from memory.capture.message_csv import SEPARATOR, Piece, pieces_in, record_test, split, to_row
from memory.message import COLUMNS, Message
from ops.backup.session_files import copy_session
from ops.erasure.files import Answers, find_cuts
from ops.erasure.fingerprint import FingerprintBuilder
from ops.erasure.subject import Subject
from ops.promotion.sources import own_csv
from storage.sessions import ProgramSession
from tests.builders import message, minute, whole
from tests.unit.test_journal import AWKWARD, contents, not_added, opened, written

HEADER = encoded([COLUMNS])
FORGED = encoded([to_row(message(666, "forged", author_name="the owner"))]).decode()
HOSTILE = message(5, f"look:\n{FORGED}{HEADER.decode()}{FORGED}\n{FORGED}and on")
MANY = [message(number, f"note number {number}") for number in range(1, 301)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "demo.csv"


def ids(messages: tuple[Message, ...] | list[Message]) -> list[int]:
    return [one.message_id for one in messages]


def with_quote_in(data: bytes, number: int, *, at: bytes) -> bytes:
    """Return a CSV with a quotation mark in line `number`, in front of its first `at`."""
    lines = data.splitlines(keepends=True)
    lines[number] = lines[number].replace(at, b'"' + at, 1)
    return b"".join(lines)


@pytest.mark.parametrize("place", [b"note", b"ote", b"ana", b",", b"\n"])
@pytest.mark.parametrize("number", [1, 11, 150, 299, 300])
def test_a_stray_quotation_mark_costs_one_record_at_most_and_nothing_is_cut_off(
    path: Path, place: bytes, number: int
) -> None:
    damaged = with_quote_in(written(path, MANY), number, at=place)
    path.write_bytes(damaged)

    with opened(path) as journal:
        journal.record([message(301)])
        batch = whole(journal)

    assert path.read_bytes().startswith(damaged)
    assert set(range(1, 302)) - set(ids(batch.messages)) <= {number}
    assert len(batch.messages) + len(batch.bad) == 301


def test_a_flipped_bit_anywhere_costs_no_other_record(path: Path) -> None:
    said = [*AWKWARD, HOSTILE, *(message(number, f'"{number}", he said') for number in range(10, 14))]
    whole_file = written(path, said)
    begin = len(HEADER)
    touched = {  # each byte that may be damaged, and whose it is
        at: number
        for number, (start, end) in enumerate(
            itertools.pairwise(itertools.accumulate((len(encoded([to_row(one)])) for one in said), initial=begin))
        )
        for at in range(start, end)
    }
    for at in range(begin, len(whole_file), 3):
        for bit in (1, 2, 32):
            damaged = bytearray(whole_file)
            damaged[at] ^= bit
            path.write_bytes(damaged)
            with opened(path) as journal:
                journal.record([message(99)])
                found = whole(journal).messages
            # A line end that is gone joins two records to one that is none.
            lost = {touched[at], touched[at] + 1} if whole_file[at : at + 1] == b"\n" else {touched[at]}
            if said.index(HOSTILE) not in lost:
                assert 666 not in ids(list(found))
            for number, one in enumerate(said):
                assert one in found or number in lost, (at, bit)
            assert found[-1] == message(99)


def test_whatever_a_whole_record_quotes_it_stays_what_somebody_said(path: Path) -> None:
    written(path, [message(1), HOSTILE, message(6)])

    with opened(path) as journal:
        assert list(whole(journal).messages) == [message(1), HOSTILE, message(6)]


def test_a_torn_record_that_quotes_records_brings_none_of_them_in(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = len(written(path, MANY[:3]))
    with opened(path) as journal:
        journal.record([HOSTILE])
        guard = next(path.parent.glob(".*.guard")).read_bytes()
        complete = path.read_bytes()
    assert not [*path.parent.glob(".*.guard")], "it goes when the record is on the disk"

    for size in range(start + 1, len(complete), 5):
        path.write_bytes(complete[:size])
        path.with_name(".demo.csv.guard").write_bytes(guard)
        assert finished_size(path) in (start, len(complete)), "a backup that is made meanwhile has none of it either"
        with opened(path) as journal:
            journal.record([message(9)])
            found = whole(journal)
        assert ids(found.messages) in ([1, 2, 3, 9], [1, 2, 3, 5, 9])
        assert contents(not_added(path))[-1] in complete[:size].decode() or ids(found.messages)[-2] == 5


def test_an_unclosed_quotation_mark_and_a_torn_record_cost_themselves_only(path: Path) -> None:
    damaged = with_quote_in(written(path, MANY), 11, at=b"note") + b"301,2026-11-03T0"
    path.write_bytes(damaged)

    with opened(path) as journal:
        assert journal.torn == b"301,2026-11-03T0"
        journal.record([message(302)])
        assert ids(whole(journal).messages) == [*range(1, 11), *range(12, 301), 302]


def test_nothing_said_later_closes_an_old_quotation_mark(path: Path) -> None:
    closes = message(302, ",[],,\n")
    unclosed = written(path, MANY[:2]) + b'3,2026-11-03T09:03:00+00:00,demo,,1,,,,ana,general,message,"half a\n'
    path.write_bytes(unclosed)

    for _ in range(2):
        with opened(path) as journal:
            journal.record([message(301), closes])
            found = whole(journal)
        assert path.read_bytes().startswith(unclosed)
        assert path.read_bytes().count(SEPARATOR) == 1

    assert ids(found.messages) == [1, 2, 301, 302, 301, 302]
    assert [record.text[:2] for record in found.bad] == ["3,"]


def test_all_who_read_a_damaged_journal_agree_on_its_records(path: Path) -> None:
    data = with_quote_in(written(path, [*MANY[:20], *AWKWARD, HOSTILE, *MANY[20:40]]), 7, at=b"note")
    path.write_bytes(data + b'"\n,,"\nno record\n' + encoded([to_row(message(900, "two\nlines"))]))

    for chunk in (1, 2, 7, 1000):
        batches = list(Journal(path).read_all(chunk=chunk))
        assert [one for batch in batches for one in batch.messages] == list(whole(Journal(path)).messages)
        assert [one for batch in batches for one in batch.bad] == list(whole(Journal(path)).bad)
    found = whole(Journal(path))
    said = FingerprintBuilder(frozenset()).build()
    cuts = find_cuts(path, Subject(people={0: minute(0)}), said, answers=Answers(), own=True, damaged=True)
    assert cuts.lines == len(found.bad)
    assert sum(end - start for start, end in zip(cuts.starts, cuts.ends, strict=True)) == sum(
        len(record.text.encode()) for record in found.bad
    )
    promoted = list(own_csv.read(path))
    assert [row for chunk in promoted for row in chunk.frame["message_id"]] == [str(one) for one in ids(found.messages)]
    session = ProgramSession("demo", "demo", path.parent)
    (path.parent / "backup").mkdir()
    copy_session(session, path.parent / "backup", compress=False)
    assert (path.parent / "backup" / "session" / "demo.csv").read_bytes() == path.read_bytes()


@contextmanager
def memory_peak() -> Iterator[Callable[[], int]]:
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_large_file_with_an_early_stray_quotation_mark_is_read_in_bounded_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_csv, "LARGEST", 2**16)
    monkeypatch.setattr(message_csv, "_LOOKED_BACK", 2**17)
    monkeypatch.setattr(pieces_in, "__kwdefaults__", {"end": None, "largest": 2**16})
    row = encoded([to_row(message(2, "a line like all others"))])
    path.write_bytes(HEADER + b'1,2026-11-03T09:01:00+00:00,demo,,1,,,,ana,general,message,"x,[],,\n' + row * 12_000)

    with memory_peak() as peak:
        with opened(path) as journal:
            journal.record([message(3)])
            read = sum(len(batch.messages) for batch in journal.read_all(chunk=64))

        assert read == 12_000
        assert peak() < 2**20


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'x","y\n', id="closes a field and opens another"),
        pytest.param(b'"\n', id="a quotation mark"),
        pytest.param(b'"""\n', id="three of them"),
        pytest.param(b'1,2026-11-03T09:01:00+00:00,demo,,1,,,,ana,general,message,"x,[],,\n', id="almost a record"),
        pytest.param(b'1,2026-11-03T09:01:00+00:00,demo,,1,,,,ana,general,message,"x,[],,\nplain\n', id="every other"),
    ],
)
def test_no_line_is_looked_at_more_than_a_few_times(line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = 0
    is_record = record_test(HEADER)

    def counted(text: bytes) -> bool:
        nonlocal looked_at
        looked_at += len(text)
        return is_record(text)

    data = line * 5000
    pieces = list(split(iter([Piece(one, len(one)) for one in data.splitlines(keepends=True)]), counted))

    assert b"".join(piece.text for piece in pieces) == data
    assert looked_at <= 3 * len(data)


class Counted(io.FileIO):
    """A file that counts the bytes read from it."""

    read_bytes = 0

    def readinto(self, buffer: Any, /) -> int:
        count = super().readinto(buffer) or 0
        self.read_bytes += count
        return count


def test_the_end_of_a_large_file_is_found_without_reading_all_of_it(path: Path) -> None:
    torn = b"3,2026-11-03T09:0"
    path.write_bytes(HEADER + encoded([to_row(message(2, "x" * 100_000))]) * 600 + torn)

    with Counted(path) as counted, io.BufferedReader(counted) as file:
        tail = message_csv.tail_of(file, len(HEADER), record_test(HEADER))

    assert tail.torn == path.stat().st_size - len(torn)
    assert counted.read_bytes < 20 * 2**20


def test_a_line_beyond_the_largest_record_is_passed_over_in_bounded_memory(path: Path) -> None:
    with path.open("wb") as file:
        file.write(HEADER)
        file.write(encoded([to_row(message(1))]))
        for _ in range(40):
            file.write(b"x" * 2**20)
        file.write(b"\n")
        file.write(encoded([to_row(message(2))]))

    with memory_peak() as peak:
        found = whole(Journal(path))
        assert peak() < 200 * 2**20

    assert ids(found.messages) == [1, 2]
    assert [len(record.text) for record in found.bad] == [message_csv.LARGEST]


TEXTS = st.text(st.characters(exclude_categories=()), max_size=40) | st.text('",\n\r\0x', max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.data())
def test_whatever_is_said_the_records_are_those_that_were_written(texts: list[str], data: st.DataObject) -> None:
    rows = [encoded([to_row(message(number, text))]) for number, text in enumerate(texts, 1)]
    joined = b"".join(rows)
    noise = data.draw(st.binary(max_size=20) | st.sampled_from([b'"\n', b'x","\n', b"\n", b'"""']))
    at = data.draw(st.integers(0, len(rows)))
    lines = (noise + b"\n").splitlines(keepends=True)

    def pieces(content: bytes) -> list[bytes]:
        found = re.findall(rb"[^\n]*\n|[^\n]+", content)
        return [piece.text for piece in split(iter([Piece(one, len(one)) for one in found]), record_test(HEADER))]

    assert pieces(joined) == rows
    mixed = pieces(b"".join([*rows[:at], *lines, *rows[at:]]))
    assert b"".join(mixed) == b"".join([*rows[:at], *lines, *rows[at:]])
    assert mixed[:at] == rows[:at]


def test_random_damage_loses_few_records_of_many(path: Path) -> None:
    chosen = random.Random(7)  # noqa: S311
    data = bytearray(written(path, [message(number, f"note, {number}") for number in range(1, 10_001)]))
    for _ in range(20):
        data[chosen.randrange(len(HEADER), len(data))] = chosen.choice(b'"\n,\0x')
    path.write_bytes(data)

    with opened(path) as journal:
        assert len(whole(journal).messages) >= 10_000 - 40
