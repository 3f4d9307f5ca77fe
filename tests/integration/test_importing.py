"""Another session's CSV comes into the running one: every line once, or with a reason why not."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from db.databases import Database
from db.engines import transaction
from db.schema import MessageRow
from errors import InputFileError
from memory.capture.import_csv import Imported, import_csv
from memory.capture.journal import Journal
from memory.capture.recorder import Recorder, open_recorder
from memory.embedding.embedder import Embedder
from memory.message import Kind, Message
from tests.builders import deletion, edit, message, minute, whole
from util_async import no_progress

LONG = timedelta(seconds=60)


@pytest.fixture
async def recorder(tmp_path: Path, short_term: Database, embedder: Embedder) -> AsyncIterator[Recorder]:
    """The recorder of session `now`."""
    async with open_recorder(
        session="now",
        journal_path=tmp_path / "now.csv",
        not_added_path=tmp_path / "now_not_added.csv",
        sessions=short_term.sessions,
        embedder=embedder,
        batch=64,
    ) as running:
        yield running


def csv_of(path: Path, *messages: Message) -> Path:
    journal = Journal(path)
    journal.open()
    journal.record(messages)
    journal.close()
    return path


async def test_every_line_joins_the_running_session(recorder: Recorder, short_term: Database, tmp_path: Path) -> None:
    old = csv_of(tmp_path / "old.csv", *(message(number, session="old") for number in range(1, 31)))
    reports: list[tuple[int, int]] = []

    imported = await import_csv(old, recorder, report=lambda done, size: reports.append((done, size)))

    assert imported == Imported(added=30, already_there=0, refused=0)
    assert reports[-1] == (old.stat().st_size, old.stat().st_size)
    assert await recorder.settle(timeout=LONG)
    async with transaction(short_term.sessions) as session:
        sessions = list(await session.scalars(select(MessageRow.session)))
    assert sessions == ["now"] * 30


async def test_importing_again_adds_nothing(recorder: Recorder, tmp_path: Path) -> None:
    old = csv_of(tmp_path / "old.csv", message(1), edit(1, "again", at=5), deletion(2, at=6))

    first = await import_csv(old, recorder, report=no_progress)
    second = await import_csv(old, recorder, report=no_progress)

    assert first == Imported(added=3, already_there=0, refused=0)
    assert second == Imported(added=0, already_there=3, refused=0)


async def test_a_line_that_stands_twice_is_added_once(recorder: Recorder, tmp_path: Path) -> None:
    old = csv_of(tmp_path / "old.csv", message(1), message(1), message(2))

    imported = await import_csv(old, recorder, report=no_progress)

    assert imported == Imported(added=2, already_there=1, refused=0)
    assert len(whole(Journal(tmp_path / "now.csv")).messages) == 2


async def test_a_last_line_without_an_end_counts(recorder: Recorder, tmp_path: Path) -> None:
    old = csv_of(tmp_path / "old.csv", message(1), message(2, "by hand"))
    old.write_bytes(old.read_bytes().removesuffix(b"\n"))

    imported = await import_csv(old, recorder, report=no_progress)

    assert imported == Imported(added=2, already_there=0, refused=0)


async def test_a_line_that_is_no_message_is_put_aside(recorder: Recorder, tmp_path: Path) -> None:
    old = csv_of(tmp_path / "old.csv", message(1))
    with old.open("a") as file:
        file.write("not,a,message\n" + 'torn,"in the')

    imported = await import_csv(old, recorder, report=no_progress)

    assert imported == Imported(added=1, already_there=0, refused=2)
    put_aside = (tmp_path / "now_not_added.csv").read_text()
    assert '"not,a,message\n"' in put_aside
    assert '"torn,""in the"' in put_aside


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param("name,price\nbread,3\n", "is not a session's CSV", id="another program's"),
        pytest.param("", "is not a session's CSV", id="empty"),
        pytest.param(None, r"cannot be read \(No such file or directory\)", id="not there"),
    ],
)
async def test_a_file_that_is_none_of_ours_is_refused(
    recorder: Recorder, tmp_path: Path, content: str | None, sentence: str
) -> None:
    path = tmp_path / "other.csv"
    if content is not None:
        path.write_text(content)

    with pytest.raises(InputFileError, match=sentence):
        await import_csv(path, recorder, report=no_progress)


async def test_a_folder_is_not_imported(recorder: Recorder, tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be read"):
        await import_csv(tmp_path, recorder, report=no_progress)


async def test_what_a_forgotten_person_said_is_left_out(recorder: Recorder, tmp_path: Path) -> None:
    recorder.erased.until = {5: minute(10)}
    old = csv_of(
        tmp_path / "old.csv",
        message(1, author_id=5),
        message(2, author_id=6),
        edit(1, "again", at=9, author_id=5),
        message(11, "I am back", author_id=5),
    )

    imported = await import_csv(old, recorder, report=no_progress)

    assert imported == Imported(added=2, already_there=0, refused=0, erased=2)
    assert [one.message_id for one in whole(Journal(tmp_path / "now.csv")).messages] == [2, 11]


async def test_so_are_answers_and_damaged_lines_that_may_repeat_them(recorder: Recorder, tmp_path: Path) -> None:
    recorder.erased.until = {5: minute(10)}
    old = csv_of(
        tmp_path / "old.csv",
        message(2, "they said: the key is under the pot", kind=Kind.ANSWER, author_id=9, reply_to=1),
        message(12, "an answer since", kind=Kind.ANSWER, author_id=9, reply_to=11),
    )
    with old.open("a") as file:
        file.write("the key is,under the pot\n")

    imported = await import_csv(old, recorder, report=no_progress)

    assert imported == Imported(added=1, already_there=0, refused=0, answers=1, damaged=1)
    assert [one.message_id for one in whole(Journal(tmp_path / "now.csv")).messages] == [12]
    assert "under the pot" not in (tmp_path / "now_not_added.csv").read_text()
