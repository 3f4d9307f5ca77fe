"""db_save.py promotes, undoes and forgets, or says in one sentence why not and changes nothing."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from bench.processes import ROOT, Finished, Workplace, until
from memory.authors import webhook_author_id
from memory.capture.journal import Journal
from memory.message import Kind, Message
from ops.promotion.records import ROWS
from storage.sessions import session_lock
from tests.builders import deletion, edit, message
from tests.end_to_end.conftest import NewPlace
from tests.end_to_end.processes import Fresh, open_program, open_terminal, run_program
from tests.sentences import is_one_sentence
from tests.unit.test_promotion_sources import BOT, export, plainly, said, user

SCRIPT = ROOT / "db_save.py"
SAID = [
    message(1, "the kiln reaches 1280 degrees", author_id=7),
    message(2, "the glaze is blue", author_id=8),
    edit(2, "the glaze is green", at=5, author_id=8),
    message(3, "this was a mistake", author_id=8),
    deletion(3, at=6),
]
MANY = ROWS + 2_000  # more than are written at once


def write_session(place: Workplace, name: str, messages: Iterable[Message]) -> Path:
    """Append messages to the CSV of a session; return its path."""
    path = place.journal_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(Journal(path)) as journal:
        journal.open()
        journal.record(messages)
    return path


async def save(place: Workplace, *arguments: str, **settings: str) -> Finished:
    return await run_program(place, *arguments, script=SCRIPT, **settings)


async def saved(place: Workplace, *arguments: str) -> str:
    finished = await save(place, *arguments)
    assert finished.status == 0, finished.err
    return finished.out


async def refused(place: Workplace, *arguments: str) -> str:
    finished = await save(place, *arguments)
    assert (finished.status, finished.out) == (2, "")
    assert is_one_sentence(finished.err.strip())
    return finished.err


def rows(place: Workplace, query: LiteralString) -> list[Any]:
    """Return the rows of a query of long-term memory."""
    with psycopg.connect(place.settings["LONG_TERM_DSN"]) as connection:
        return connection.execute(query).fetchall()


def has_tables(place: Workplace) -> bool:
    return rows(place, "SELECT to_regclass('messages') IS NOT NULL") == [(True,)]


@pytest.fixture(scope="module")
def pottery(new_place: NewPlace) -> Workplace:
    """A workplace with a short session that nobody has promoted."""
    place = new_place(has_tables=False)
    write_session(place, "pottery", SAID)
    return place


async def test_a_session_is_shown_promoted_once_listed_undone_and_promoted_again(new_place: NewPlace) -> None:
    place = new_place(has_tables=False)
    write_session(place, "pottery", SAID)

    told = await saved(place, "pottery", "--dry-run")
    assert "3  new" in told
    assert not has_tables(place)

    assert "batch 1" in await saved(place, "pottery")
    content = "SELECT message_id, content, deleted_at IS NULL, embedding IS NULL FROM messages ORDER BY 1"
    once = rows(place, content)
    assert once == [
        (1, "the kiln reaches 1280 degrees", True, False),
        (2, "the glaze is green", True, False),
        (3, "this was a mistake", False, False),
    ]

    assert "Nothing new" in await saved(place, "pottery")
    assert rows(place, content) == once

    (line,) = (await saved(place, "list")).splitlines()[1:]
    assert line.split()[:3] == ["1", "session", "pottery"]
    assert line.split()[-3:] == ["3", "0", "whole"]

    assert "3 messages removed" in await saved(place, "undo", "1")
    assert rows(place, content) == []
    assert "undone at" in await saved(place, "list")

    assert "batch 2" in await saved(place, "pottery")
    assert rows(place, content) == once
    logs = list((place.storage_dir / "logs" / "db_save").glob("db_save_*.log"))
    assert logs


async def test_somebody_at_the_terminal_is_asked_which_session_and_whether_to_go_on(place: Workplace) -> None:
    write_session(place, "old", [message(9, "long ago")])
    write_session(place, "pottery", SAID)

    async with open_terminal(place, script=Fresh(SCRIPT)) as terminal:
        await terminal.shows("1  pottery")
        await terminal.shows("Which session?")
        terminal.press("2\n")
        await terminal.shows("1  new")
        await terminal.shows("Promote it?")
        terminal.press("y\n")
        status, _ = await terminal.ends()

    assert status == 0
    assert rows(place, "SELECT content FROM messages") == [("long ago",)]


@contextmanager
def held_up(place: Workplace, revision: Message) -> Iterator[None]:
    """Let whoever writes what a message said before wait until the end of the context: somebody is about to do so."""
    with psycopg.connect(place.settings["LONG_TERM_DSN"]) as connection:
        connection.execute(
            "INSERT INTO message_revisions (message_id, revised_at, content) VALUES (%s, %s, '')",
            [revision.message_id, revision.edited_at],
        )
        yield
        connection.rollback()


async def test_a_killed_promotion_goes_on_where_it_was(place: Workplace) -> None:
    write_session(place, "short", [message(MANY + 1, "the first makes the tables", kind=Kind.ANSWER)])
    await saved(place, "short")
    last = edit(MANY, "changed in the end", at=MANY + 5, kind=Kind.ANSWER)
    numbers = range(1, MANY + 1)
    write_session(place, "long", [*(message(number, f"answer {number}", kind=Kind.ANSWER) for number in numbers), last])
    of_the_second = "SELECT count(*), count(DISTINCT content) FROM messages WHERE promotion_id = 2"

    with held_up(place, last):
        async with open_program(place, "long", script=SCRIPT) as program:
            await until(lambda: rows(place, of_the_second) > [(0, 0)], program)
            await program.kill()
        half = rows(place, of_the_second)

    told = await saved(place, "long")

    assert half == [(ROWS, ROWS)]
    assert "batch 2, which had been stopped half-way" in told
    assert rows(place, of_the_second) == [(MANY, MANY)]


async def test_two_at_once_are_refused(place: Workplace) -> None:
    write_session(place, "pottery", SAID)

    with psycopg.connect(place.settings["LONG_TERM_DSN"]) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtextextended('backscroll.promotion', 0))")
        assert "Another promotion" in await refused(place, "pottery")


async def test_a_csv_of_others_is_taken_by_its_columns_and_what_is_no_message_is_put_aside(place: Workplace) -> None:
    path = place.folder / "history.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = [("user", "when", "text"), ("ana", "2026-03-04 10:00", "hello"), ("ben", "some day", "hm")]
        csv.writer(file).writerows(lines)

    told = await saved(
        place, str(path), "--map", "author_name=user,sent_at=when,content=text", "--time-zone", "Europe/Paris"
    )

    assert rows(place, "SELECT author_name, content, sent_at AT TIME ZONE 'UTC' FROM messages")[0][:2] == (
        "ana",
        "hello",
    )
    assert rows(place, "SELECT extract(hour FROM sent_at AT TIME ZONE 'UTC') FROM messages") == [(9,)]
    put_aside = place.storage_dir / "promotions" / "1_refused.csv"
    assert str(put_aside) in told
    assert "some day" in put_aside.read_text()


async def test_a_folder_is_told_file_by_file_here_and_in_the_log(place: Workplace) -> None:
    folder = place.folder / "exports"
    cut = export(folder / "talk" / "general.json", said(1, "one"), said(2, "two"))
    cut.write_bytes(cut.read_bytes().partition(b'"two"')[0])
    (folder / "old.csv").write_text("user,time,text\nana,03/04/2026 10:00,glaçure\n", encoding="cp1252")
    (folder / "settings.json").write_text('{"theme": "dark"}', encoding="utf-8")

    told = await saved(place, str(folder), "--day-first")

    assert rows(place, "SELECT content, extract(month FROM sent_at) FROM messages ORDER BY sent_at")[0] == (
        "glaçure",
        4,
    )
    for line in ("general.json  export, utf-8: 1 new", "old.csv", "CSV, cp1252: 1 new", "cut off", "settings.json: "):
        assert line in told
    (log,) = (place.storage_dir / "logs" / "db_save").glob("db_save_*.log")
    assert "CSV, cp1252: 1 new" in log.read_text(encoding="utf-8")


async def test_a_person_is_forgotten_and_stays_out(place: Workplace) -> None:
    copy = place.folder / "copy.csv"
    copy.write_bytes(write_session(place, "pottery", SAID).read_bytes())
    await saved(place, "pottery")
    assert "--yes" in await refused(place, "forget", "7")
    with session_lock(place.storage_dir):
        assert "runs on the storage folder" in await refused(place, "forget", "7", "--yes")

    receipt = await saved(place, "forget", "7", "--yes")

    assert "user 7" in receipt
    assert rows(place, "SELECT message_id FROM messages ORDER BY 1") == [(2,), (3,)]
    assert "1280" not in place.journal_path("pottery").read_text()
    assert "left out, of people who are forgotten" in await saved(place, str(copy))
    assert rows(place, "SELECT message_id FROM messages ORDER BY 1") == [(2,), (3,)]


async def test_one_name_of_a_webhook_is_forgotten_by_its_negative_id(place: Workplace) -> None:
    luna, sol = (webhook_author_id(900, name) for name in ("Luna", "Sol"))
    write_session(place, "pottery", [plainly(1, "mine", author_id=luna), plainly(2, "hers", author_id=sol)])
    await saved(place, "pottery")

    receipt = await saved(place, "forget", str(luna), "--yes")

    assert f"user {luna}" in receipt
    assert rows(place, "SELECT author_id FROM messages") == [(sol,)]


async def test_the_bots_own_answers_in_an_export_are_no_evidence(place: Workplace) -> None:
    answer = plainly(2, "**ana** said: under the pot", author_id=BOT, kind=Kind.ANSWER)
    write_session(place, "pottery", [plainly(1, "where is the spare key?"), answer])
    by_bot = {"type": "ChatInputCommand", "author": {**user(BOT, "Backscroll"), "isBot": True}}
    path = export(place.folder / "export.json", said(1, "where is the spare key?"), said(2, answer.content, **by_bot))

    await saved(place, str(path))

    assert rows(place, "SELECT kind FROM messages ORDER BY message_id") == [("message",), ("answer",)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param((), "Nobody is here to be asked", id="nobody to ask"),
        pytest.param(("no-such-session",), "no-such-session", id="a source that is not there"),
        pytest.param(("pottery", "--map", "author_name"), "--map", id="columns without a name"),
        pytest.param(("pottery", "--map", "content=a,content=b"), "--map", id="a column named twice"),
        pytest.param(("pottery", "--time-zone", "Mars"), "--time-zone", id="an unknown time zone"),
        pytest.param(("pottery", "--encoding", "klingon"), "--encoding", id="an unknown encoding"),
        pytest.param(("both_ways.csv",), "--day-first", id="dates that read both ways"),
        pytest.param(("undo", "7"), "no batch 7", id="an unknown batch"),
        pytest.param(("wrong.csv",), "wrong.csv", id="a CSV with the wrong columns"),
    ],
)
async def test_bad_input_is_refused(pottery: Workplace, arguments: tuple[str, ...], told: str) -> None:
    (pottery.folder / "wrong.csv").write_text("name,price\nkiln,1280\n", encoding="utf-8")
    (pottery.folder / "both_ways.csv").write_text("text,time\nhello,03/04/2026 10:00\n", encoding="utf-8")

    assert told in await refused(pottery, *arguments)

    assert not has_tables(pottery) or rows(pottery, "SELECT count(*) FROM messages") == [(0,)]


async def test_a_server_that_does_not_answer_is_named(pottery: Workplace) -> None:
    finished = await save(pottery, "pottery", LONG_TERM_DSN="postgresql://postgres@127.0.0.1:1/long")

    assert finished.status == 2
    assert "does not answer" in finished.err
    assert is_one_sentence(finished.err.strip())


async def test_without_an_embedded_server_a_dry_run_makes_none(pottery: Workplace) -> None:
    finished = await save(pottery, "pottery", "--dry-run", LONG_TERM_DSN="")

    assert finished.status == 2
    assert "no embedded server" in finished.err
    assert not pottery.embedded_dir.exists()
