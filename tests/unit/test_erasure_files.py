"""Lines of forgotten people leave a CSV whole, in one step, and positions in it stay true."""

import os
import stat
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from errors import InputFileError, SessionError, SettingsError
from memory.capture.erased import is_erased, merged
from memory.capture.journal import Journal, NotAdded, encoded
from memory.capture.message_csv import OLDEST_COLUMNS, to_row
from memory.message import COLUMNS, Message
from ops.erasure.files import Answers, Redactions, collect, csv_files, cut, erase_from_csv, find_cuts
from ops.erasure.fingerprint import FingerprintBuilder
from ops.erasure.ledger import LEDGER, read_ledger, write_ledger
from ops.erasure.subject import Subject
from tests.builders import deletion, edit, minute, whole
from tests.forgotten import BOB, CARLA, NADIA, QUOTE, answers, asks, by, journalled
from tests.sentences import is_one_sentence

ERASURES = {NADIA: minute(50)}
SUBJECT = Subject(people=ERASURES)
NEWER = "," * (len(COLUMNS) - len(OLDEST_COLUMNS))
"""The empty cells of the columns that joined later, at the end of a line."""

HERS = by(NADIA, 1, f'{QUOTE}\nand "more",\nof it')


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal may be."""
    return tmp_path / "demo.csv"


def numbers(path: Path) -> list[int]:
    """Return the ids that are left in a journal; none of its lines may be damaged."""
    batch = whole(Journal(path))
    assert not batch.bad
    return [one.message_id for one in batch.messages]


def test_every_state_of_a_message_goes(path: Path) -> None:
    edited = edit(2, "again", at=9, author_id=NADIA, author_name="renamed")
    journalled(path, [HERS, by(NADIA, 2, "first"), by(BOB, 3, "mine"), edited, deletion(1, at=10, author_name="")])

    cuts = erase_from_csv(path, SUBJECT)

    assert numbers(path) == [3]
    assert (cuts.own, cuts.answers, cuts.lines) == (4, 0, 4)


def test_what_was_said_after_the_moment_stays(path: Path) -> None:
    journalled(path, [by(NADIA, 50, "at the moment"), by(NADIA, 51, "after it"), by(CARLA, 1, "another person")])

    erase_from_csv(path, SUBJECT)

    assert numbers(path) == [51, 1]


def test_each_of_many_has_a_moment_of_their_own(path: Path) -> None:
    journalled(path, [by(NADIA, 10, "a"), by(BOB, 10, "b"), by(NADIA, 30, "c"), by(BOB, 30, "d")])

    erase_from_csv(path, Subject(people={NADIA: minute(20), BOB: minute(40), CARLA: minute(99)}))

    assert [(one.author_id, one.message_id) for one in whole(Journal(path)).messages] == [(NADIA, 30)]


@pytest.mark.parametrize(
    ("unchecked", "left"),
    [pytest.param(True, [3, 4], id="all answers"), pytest.param(False, [3, 4, 5], id="no answers")],
)
def test_answers(path: Path, unchecked: bool, left: list[int]) -> None:
    journalled(path, [HERS, by(BOB, 3, "mine"), asks(BOB, 4, "/chat what?"), answers(5, "That.", to=4)])

    erase_from_csv(path, SUBJECT, unchecked=unchecked)

    assert numbers(path) == left


@pytest.mark.parametrize(
    ("line", "stays"),
    [
        pytest.param(f"1,no time,,,1,,{NADIA},,x,y,message,words,[],,{NEWER}\n", False, id="with her id"),
        pytest.param(f'"1,2,she said that {QUOTE.replace(chr(34), "")}"\n', False, id="with her words"),
        pytest.param("one,field,too,few\n", True, id="with neither"),
        pytest.param(f"1,no time,,,1,,1{NADIA},,x,y,message,words,[],,{NEWER}\n", True, id="with a longer number"),
        pytest.param(
            f"1,2026-11-03T09:00:00,,,1,,{NADIA},,x,y,message,words,[],,{NEWER}\n", False, id="without an offset"
        ),
        pytest.param(
            f"x,2026-11-03T09:00:00+00:00,,,1,,{NADIA},,x,y,message,w,[],,{NEWER}\n", False, id="without a number"
        ),
        pytest.param(
            f"1,2026-11-03T09:00:00+00:00,,,1,,{BOB},,x,y,message,{NADIA},[],,{NEWER}\n", True, id="whole, of another"
        ),
        pytest.param(f"1,2,,,1,,{NADIA},cut short by a cra", False, id="without an end, with her id"),
        pytest.param("1,2,,,1,,9,cut short by a cra", True, id="without an end"),
    ],
)
def test_damaged_lines(path: Path, line: str, stays: bool) -> None:
    journalled(path, [HERS, by(BOB, 3, "mine")])
    with path.open("a", encoding="utf-8") as file:
        file.write(line)

    erase_from_csv(path, SUBJECT, unchecked=False)

    assert path.read_text(encoding="utf-8").endswith(line) is stays
    assert "mine" in path.read_text(encoding="utf-8")


def test_no_damaged_line_of_an_unchecked_file_stays(path: Path) -> None:
    journalled(path, [by(BOB, 3, "mine")])
    with path.open("a", encoding="utf-8") as file:
        file.write("words of nobody knows whom\n")

    assert erase_from_csv(path, SUBJECT).lines == 1

    assert numbers(path) == [3]


def test_what_was_not_added_goes_too(path: Path) -> None:
    not_added = NotAdded(path)
    not_added.open()
    not_added.refuse(HERS, "no")
    not_added.refuse(by(BOB, 3, "mine"), "no")
    not_added.close()

    assert erase_from_csv(path, SUBJECT).lines == 1

    assert path.read_bytes() == encoded([(*COLUMNS, "reason"), [*to_row(by(BOB, 3, "mine")), "no"]])


def test_a_csv_of_others_loses_the_lines_with_her_id(path: Path) -> None:
    path.write_text(f"who,what\n{NADIA},something\n{BOB},something else\n", encoding="utf-8")

    erase_from_csv(path, SUBJECT, unchecked=False)

    assert path.read_text(encoding="utf-8") == f"who,what\n{BOB},something else\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"message_id,sent", id="half a header"),
        pytest.param(b"\n", id="a line"),
    ],
)
def test_a_file_without_records_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    assert erase_from_csv(path, SUBJECT, unchecked=False).lines == 0

    assert path.read_bytes() == content


def test_a_file_without_her_is_not_touched(path: Path) -> None:
    journalled(path, [by(BOB, 3, "mine")])
    before = path.stat()

    assert erase_from_csv(path, SUBJECT).lines == 0
    assert erase_from_csv(path, Subject()).lines == 0

    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_mode_is_kept(path: Path) -> None:
    journalled(path, [HERS])
    path.chmod(0o640)

    erase_from_csv(path, SUBJECT)

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def records_with_ends(path: Path) -> Iterator[tuple[Message, int]]:
    """Yield each message with the position behind it."""
    journal, position = Journal(path), 0
    while (batch := journal.read(position, 1)).messages:
        position = batch.position
        yield batch.messages[0], position


@pytest.mark.parametrize(
    "hers",
    [
        pytest.param("", id="none"),
        pytest.param("0", id="the first"),
        pytest.param("7", id="the last"),
        pytest.param("345", id="some in a row"),
        pytest.param("0246", id="every other"),
        pytest.param("01234567", id="all"),
    ],
)
def test_every_position_between_two_records_is_where_it_belongs(path: Path, hers: str) -> None:
    said = [by(NADIA if str(number) in hers else BOB, number, f"ö{number}" * number) for number in range(8)]
    journalled(path, said)
    header = len(encoded([COLUMNS]))
    ends = [(None, header), *records_with_ends(path)]

    moved = erase_from_csv(path, SUBJECT).new_offset

    kept = [one for one in said if one.author_id == BOB]
    for read, (_, end) in enumerate(ends):
        still_unread = [one for one in said[read:] if one.author_id == BOB]
        position = moved(end)
        assert list(Journal(path).read(position, 99).messages) == still_unread
        assert position == header + sum(len(encoded([to_row(one)])) for one in kept if one not in still_unread)


def test_positions_at_the_start_inside_and_beyond() -> None:
    cuts = Redactions()
    cuts.add(100, 150)
    cuts.add(150, 200)
    cuts.add(300, 310)

    assert [cuts.new_offset(at) for at in (0, 99, 100, 120, 199, 200, 299, 300, 305, 310, 1000)] == (
        [0, 99, 100, 100, 100, 100, 199, 200, 200, 200, 890]
    )
    assert len(cuts.starts) == 2


@pytest.mark.parametrize("dies", ["write", "replace"])
def test_a_crash_leaves_the_old_file_or_the_new_one(path: Path, monkeypatch: pytest.MonkeyPatch, dies: str) -> None:
    journalled(path, [HERS, by(BOB, 3, "mine")])
    before = path.read_bytes()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr({"write": "ops.erasure.files._copy_between", "replace": "pathlib.Path.replace"}[dies], die)
    with pytest.raises(KeyboardInterrupt):
        erase_from_csv(path, SUBJECT)

    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_full_disk_is_reported_in_one_sentence_and_the_file_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journalled(path, [HERS])
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SessionError, match="no space left on device") as caught:
        erase_from_csv(path, SUBJECT)

    assert is_one_sentence(str(caught.value).replace(path.name, "the file"))
    assert path.read_bytes() == before


def test_all_csv_files_of_sessions_and_promotions_are_listed_and_leftovers_removed(tmp_path: Path) -> None:
    for name in (
        *("demo/demo.csv", "demo/demo_not_added.csv", "promotions/1_refused.csv", "demo/.demo.csv.partial"),
        *("logs/x.csv", "postgres/x.csv", "demo/file_numbers.pkl", "top.csv"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    found = [str(one.relative_to(tmp_path)) for one in csv_files(tmp_path)]

    assert found == ["demo/demo.csv", "demo/demo_not_added.csv", "promotions/1_refused.csv"]
    assert not (tmp_path / "demo/.demo.csv.partial").exists()
    assert csv_files(tmp_path / "nowhere") == []


def test_answers_alone_can_be_taken_out(path: Path) -> None:
    journalled(path, [HERS, answers(5, "That.", to=4), answers(6, "This.", to=7), answers(8, "Those.", to=9)])
    said = FingerprintBuilder(frozenset(ERASURES))
    collect(path, SUBJECT, said)

    cut(
        path,
        find_cuts(path, SUBJECT, said.build(), answers=Answers(message_ids={5}, replies_to={7}), own=False),
    )

    assert numbers(path) == [1, 8]


Ledger = Callable[[str], Path]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Writes a ledger."""

    def write(content: str) -> Path:
        (tmp_path / LEDGER).write_text(content, encoding="utf-8")
        return tmp_path / LEDGER

    return write


def test_the_ledger_remembers_the_latest_moment_of_each(tmp_path: Path) -> None:
    path = tmp_path / "backups" / LEDGER

    for user_id, now in ((1, minute(5)), (2, minute(6)), (1, minute(9)), (1, minute(7))):
        write_ledger(path, user_id, now)

    assert read_ledger(path) == {1: minute(9), 2: minute(6)}
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


WHOLE = '{"user_id": 1, "erased_at": "2026-11-03T09:05:00+00:00"}'


@pytest.mark.parametrize(
    ("content", "known"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param(f"{WHOLE}\n\n", {1: minute(5)}, id="a blank line"),
        pytest.param(WHOLE, {1: minute(5)}, id="no end of the last line"),
        pytest.param(f'{WHOLE}\n{{"user_id": 2, "era', {1: minute(5)}, id="a line that was cut short"),
    ],
)
def test_the_ledger_goes_on_after_a_crash(ledger: Ledger, content: str, known: dict[int, datetime]) -> None:
    path = ledger(content)
    assert read_ledger(path) == known

    write_ledger(path, 3, minute(7))

    assert read_ledger(path) == {**known, 3: minute(7)}


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("nonsense", id="nonsense"),
        pytest.param('{"user_id": 1}', id="no moment"),
        pytest.param('{"user_id": 1, "erased_at": "2026-11-03T09:05:00"}', id="a moment without an offset"),
        pytest.param('{"user_id": 1, "erased_at": "2026-11-03T09:05:00Z", "more": 1}', id="something more"),
    ],
)
def test_a_damaged_ledger_is_refused_and_not_written_to(ledger: Ledger, line: str) -> None:
    path = ledger(f"{WHOLE}\n{line}\n{WHOLE}\n")
    before = path.read_bytes()

    with pytest.raises(InputFileError, match="Line 2") as caught:
        write_ledger(path, 3, minute(7))

    assert is_one_sentence(str(caught.value).replace(LEDGER, "ledger"))
    assert path.read_bytes() == before


def test_a_ledger_that_cannot_be_read_is_reported_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / LEDGER).mkdir()

    with pytest.raises(InputFileError) as caught:
        read_ledger(tmp_path / LEDGER)

    assert is_one_sentence(str(caught.value).replace(LEDGER, "ledger"))


def test_a_ledger_that_cannot_be_written_is_reported_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match="no space left") as caught:
        write_ledger(tmp_path / LEDGER, 3, minute(7))

    assert is_one_sentence(str(caught.value).replace(LEDGER, "ledger"))


def test_ledgers_are_merged() -> None:
    assert merged({1: minute(1), 2: minute(5)}, {}, {1: minute(3), 2: minute(4)}) == {1: minute(3), 2: minute(5)}


@pytest.mark.parametrize(
    ("author_id", "sent", "erased"),
    [
        pytest.param(NADIA, 50, True, id="at the moment"),
        pytest.param(NADIA, 51, False, id="after it"),
        pytest.param(BOB, 1, False, id="by another"),
        pytest.param(None, 1, False, id="by nobody known"),
    ],
)
def test_what_is_erased(author_id: int | None, sent: int, erased: bool) -> None:
    assert is_erased(ERASURES, author_id, minute(sent)) is erased
