"""The terminal channel as people meet it: a process with a pipe, or with a terminal."""

import asyncio
import csv
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from bench.processes import open_workplace
from db.embedded import is_running
from tests.end_to_end.conftest import NewPlace
from tests.end_to_end.processes import (
    MAIN,
    ROOT,
    Finished,
    Fresh,
    Workplace,
    journal_rows,
    open_terminal,
    run_program,
    stored_rows,
    terminal_arguments,
)

SAMPLE = ROOT / "db" / "sample.csv"
LINES = (
    b"the spare key of the boathouse is under the blue pot",
    b"the caf\xe9 opens at nine",
    b"a title \x1b]0;owned\x07 and a bell",
    b"nothing \x00 at all",
    b"10 %\r20 %",
    b"   ",
    b"/chat where is the spare key of the boathouse?",
    b"/chat \x1b[2J when does the cafe open?",
    b"/chat and who opens the cafe at nine?",
    b"/about",
    b"/help",
    b"/timezone tokyo",
    b"/dance \x1b[5m",
    b"/quit",
)
BEHIND = b"\n".join(b"this comes after the end" for _ in range(3000))  # more than is read ahead


@pytest.fixture(scope="module")
def hut(new_place: NewPlace) -> Workplace:
    """The storage folder in which one session goes on from test to test."""
    return new_place(has_tables=False, understands=True)  # the first start makes the tables


@pytest.fixture(scope="module")
def first(hut: Workplace) -> Finished:
    """A piped conversation."""
    return asyncio.run(
        run_program(hut, *terminal_arguments("hut"), given=b"\n".join((*LINES, BEHIND)), script=Fresh(MAIN))
    )


@pytest.fixture(scope="module")
def second(hut: Workplace, first: Finished) -> Finished:
    """A later run of the same session, by somebody else elsewhere, which also takes the sample in."""
    lines = "/chat where is the spare key of the boathouse?\n/timezone\n"
    arguments = terminal_arguments("hut", "--import", str(SAMPLE), "--time-zone", "new york", speaker="ben")
    return asyncio.run(run_program(hut, *arguments, given=lines))


@pytest.fixture(scope="module")
def third(hut: Workplace, second: Finished) -> Finished:
    """The same import once more, by the first speaker."""
    return asyncio.run(run_program(hut, *terminal_arguments("hut", "--import", str(SAMPLE)), given="/timezone\n"))


def replies(finished: Finished) -> dict[str, str]:
    """Return what was shown below each command."""
    parts = re.split(r"^> (.*)\n", finished.out, flags=re.MULTILINE)[1:]
    return {command.strip(): reply.strip() for command, reply in zip(parts[::2], parts[1::2], strict=True)}


# ---- a pipe


def test_a_piped_conversation_ends_well_and_keeps_its_logs_off_the_screen(first: Finished, hut: Workplace) -> None:
    log = (hut.storage_dir / "logs" / "backscroll.log").read_text(encoding="utf-8")

    assert (first.status, first.err) == (0, "")
    assert "short-term memory now holds session hut" in log
    assert "memory.capture.session" not in first.out


def test_a_question_is_answered_from_piped_lines_with_marks_and_sources(first: Finished) -> None:
    answer, sources = replies(first)["/chat where is the spare key of the boathouse?"].split("\n\nSources:\n")

    assert re.fullmatch(r'- \*\*ana\*\* in #terminal, .*: "the spare key .* the blue pot" \[1\]', answer)
    assert re.fullmatch(r"\[1\] ana in #terminal, \w{3} \d+ \w{3} \d{4} \d\d:\d\d", sources)


def test_a_question_goes_on_from_the_one_before_it_and_shows_what_was_searched_for(first: Finished) -> None:
    answer = replies(first)["/chat and who opens the cafe at nine?"]

    assert "opens at nine" in answer
    assert 'searched "who opens the cafe at nine? ' in answer


def test_the_commands_tell_about_themselves(first: Finished) -> None:
    told = replies(first)

    assert "- session: hut\n- short-term memory: " in told["/about"]
    assert all(command in told["/help"] for command in ("/chat TEXT", "/timezone", "/about", "/help", "/quit"))
    assert told["/dance [5m"] == "There is no command /dance; /help lists them."


def test_lines_are_stored_under_the_name_that_was_given(first: Finished, hut: Workplace) -> None:
    rows = {row["content"]: row for row in stored_rows(hut)}

    key = rows["the spare key of the boathouse is under the blue pot"]
    assert (key["author_name"], key["kind"], key["session"], key["channel_name"]) == (
        "ana",
        "message",
        "hut",
        "terminal",
    )
    assert rows["/about"]["kind"] == "command"
    assert {row["author_name"] for row in rows.values() if row["kind"] == "answer"} == {"Backscroll"}


def test_broken_text_is_kept_readable_and_cannot_command_the_screen(first: Finished, hut: Workplace) -> None:
    stored = {row["content"] for row in stored_rows(hut)}

    assert r"the caf\xe9 opens at nine" in stored
    assert "a title \x1b]0;owned\x07 and a bell" in stored
    assert r"nothing \x00 at all" in stored
    assert "10 %\r20 %" in stored
    assert not re.search(r"[\x00-\x08\x0b-\x1f]", first.out)


def test_what_follows_quit_is_not_read(first: Finished, hut: Workplace) -> None:
    assert not [row for row in journal_rows(hut.journal_path("hut")) if row["content"] == "this comes after the end"]


def test_the_end_of_the_input_waits_until_all_is_searchable(third: Finished, hut: Workplace) -> None:
    journalled = {int(row["message_id"]) for row in journal_rows(hut.journal_path("hut"))}

    stored = stored_rows(hut)
    assert {row["message_id"] for row in stored} == journalled
    said = [row["embedding"] for row in stored if row["kind"] == "message" and row["content"]]
    assert said
    assert None not in said


def test_a_second_run_of_a_session_remembers_the_first(second: Finished) -> None:
    answer = replies(second)["/chat where is the spare key of the boathouse?"]

    assert second.status == 0
    assert "**ana** in #terminal" in answer
    assert "under the blue pot" in answer


def test_a_time_zone_is_of_one_run_or_stays_with_whoever_chose_it(
    first: Finished, second: Finished, third: Finished
) -> None:
    chosen, of_the_run, remembered = (
        replies(run)[command]
        for run, command in ((first, "/timezone tokyo"), (second, "/timezone"), (third, "/timezone"))
    )

    assert re.fullmatch(r"Your time zone is Asia/Tokyo \(\w{3} \d\d:\d\d\), which you chose yourself\.", chosen)
    assert re.fullmatch(r"Your time zone is America/New_York \(.*\), which --time-zone says for this run\.", of_the_run)
    assert re.fullmatch(r"Your time zone is Asia/Tokyo \(.*\), which you chose yourself\.", remembered)


def test_a_csv_that_is_imported_twice_is_stored_once(second: Finished, third: Finished, hut: Workplace) -> None:
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        lines = [row["message_id"] for row in csv.DictReader(file)]

    assert second.err == f"sample.csv: {len(lines)} lines taken in, 0 were there, 0 refused.\n"
    assert third.err == f"sample.csv: 0 lines taken in, {len(lines)} were there, 0 refused.\n"
    journalled = [row["message_id"] for row in journal_rows(hut.journal_path("hut"))]
    assert sorted(one for one in journalled if one in set(lines)) == sorted(lines)
    stored = [str(row["message_id"]) for row in stored_rows(hut)]
    assert sorted(one for one in stored if one in set(lines)) == sorted(set(lines))


# ---- a terminal


@pytest.fixture
def own_server() -> Iterator[Workplace]:
    """A storage folder without addresses: the program has to make, start and stop a server by itself."""
    with open_workplace() as place:
        yield place


@pytest.mark.own_server
async def test_a_person_is_asked_for_the_session_and_leaves_with_ctrl_c_or_a_signal(own_server: Workplace) -> None:
    async with (
        open_thinker() as (url, asked),
        open_terminal(
            own_server, "--as", "ana", script=Fresh(MAIN), LLM_MODEL="openai:slow", LLM_BASE_URL=url
        ) as terminal,
    ):
        await terminal.shows("Name of the session")
        terminal.press("\n")
        await terminal.shows("Add today's date")
        terminal.press("y\n")
        await terminal.shows("Add a number")
        terminal.press("y\n")
        await terminal.shows("ana>")
        terminal.press("the ferry leaves at noon\r")
        await terminal.shows("ana>")
        terminal.press("/chat when does the ferry leave?\r")
        async with asyncio.timeout(60):
            await asked.wait()
        terminal.press("\x03")  # while the model thinks
        status, shown = await terminal.ends()

    (journal,) = own_server.storage_dir.glob("*/*_1.csv")
    today = datetime.now().astimezone().date()
    assert (status, "Traceback" in shown) == (0, False)
    assert re.fullmatch(rf"[a-z]+-[a-z]+-\d\d_{today}_1", journal.stem)
    assert journal_rows(journal)[0]["content"] == "the ferry leaves at noon"
    assert not await is_running(own_server.embedded_dir)

    async with open_terminal(own_server, "--as", "ana") as terminal:
        await terminal.shows(f"Keep the session {journal.stem}?")
        terminal.press("y\n")
        await terminal.shows("ana>")
        terminal.press("/chat when does the ferry leave?\r")
        await terminal.shows('"the ferry leaves at noon" [1]')
        await terminal.shows("Sources:")
        await terminal.shows("ana>")
        terminal.process.terminate()
        status, shown = await terminal.ends()

    assert (status, "Traceback" in shown) == (0, False)
    assert not await is_running(own_server.embedded_dir)


@asynccontextmanager
async def open_thinker() -> AsyncGenerator[tuple[str, asyncio.Event]]:
    """Yield the address of a language model that never answers, and an event that is set once it is asked."""
    asked = asyncio.Event()

    async def think(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()  # until whoever asks has gone
        writer.close()

    async with await asyncio.start_server(think, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", asked


TYPED = """
import asyncio
from terminal.input import typed_lines
async def main():
    async for line in typed_lines("ana> "):
        print(f"<{line}>")
asyncio.run(main())
"""


@pytest.mark.parametrize("key", [pytest.param("\x03", id="Ctrl+C"), pytest.param("\x04", id="Ctrl+D")])
async def test_typed_lines_end_with(key: str, own_server: Workplace) -> None:
    script = own_server.folder / "typed.py"
    script.write_text(TYPED, encoding="utf-8")
    async with open_terminal(own_server, script=script, PYTHONPATH=str(ROOT)) as terminal:
        await terminal.shows("ana>")
        terminal.press("hello\r")
        await terminal.shows("<hello>")
        await terminal.shows("ana>")
        terminal.press(key)
        status, shown = await terminal.ends()

    assert (status, "Traceback" in shown) == (0, False)
