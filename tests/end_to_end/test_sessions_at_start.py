"""Which session a start runs, and when it refuses to."""

import asyncio
import json
import resource

from tests.end_to_end.conftest import NewPlace
from tests.end_to_end.processes import (
    Program,
    Workplace,
    journal_rows,
    open_program,
    run_program,
    stored_rows,
    terminal_arguments,
)
from tests.end_to_end.test_bad_input import assert_refused

SAID = [f"line {number} of what was said while the disk was full" for number in range(40)]


async def test_a_name_that_cannot_be_a_folder_is_refused(new_place: NewPlace) -> None:
    reserved, path = await asyncio.gather(
        *(run_program(new_place(), *terminal_arguments(name), given="lost?\n") for name in ("CON", "a/b"))
    )

    assert_refused(reserved, "The session name 'CON' is a name that Windows keeps for itself")
    assert_refused(path, "The session name 'a/b' contains one of", "leave it out")


async def test_a_folder_that_is_a_file_is_refused_and_the_file_left_alone(new_place: NewPlace) -> None:
    places = [new_place(), new_place()]
    places[1].storage_dir.mkdir()
    in_the_way = [places[0].storage_dir, places[1].storage_dir / "demo"]
    for path in in_the_way:
        path.write_text("in the way", encoding="utf-8")

    finished = await asyncio.gather(*(run_program(place, *terminal_arguments("demo")) for place in places))

    for one, path in zip(finished, in_the_way, strict=True):
        assert_refused(one, f"The folder {path} cannot be used", "set STORAGE_DIR to another one")
        assert path.read_text(encoding="utf-8") == "in the way"


async def test_a_second_process_refuses_and_the_first_goes_on_unharmed(place: Workplace) -> None:
    async with open_program(place, *terminal_arguments("demo")) as first:
        await first.say("before", "/help")
        await first.hear("/quit")

        second = await run_program(place, *terminal_arguments("demo"), given="from the second\n")
        ending = await first.finish(b"after\n")

    assert_refused(second, f"(process {first.process.pid}) runs on the storage folder {place.storage_dir}")
    assert (ending.status, ending.err) == (0, "")
    assert [row["content"] for row in stored_rows(place) if row["kind"] == "message"] == ["before", "after"]


async def test_nothing_is_lost_when_the_disk_is_full_for_a_while(place: Workplace) -> None:
    journal = place.journal_path("full")
    async with open_program(place, *terminal_arguments("full")) as program:
        await program.say("/help")
        await program.hear("/quit")

        limit_files(program, journal.stat().st_size + 500)  # bytes: room for two lines and a half
        await program.say(*SAID)
        await program.hear("critical: MESSAGES CANNOT BE JOURNALLED", on_stderr=True)
        limit_files(program, resource.RLIM_INFINITY)
        await program.hear("nothing was lost", on_stderr=True)
        ending = await program.finish()

    assert ending.status == 0
    assert "free some disk space" in program.heard
    assert [row["content"] for row in journal_rows(journal) if row["kind"] == "message"] == SAID
    assert [row["content"] for row in stored_rows(place) if row["kind"] == "message"] == SAID


async def test_a_session_that_is_refused_is_not_the_current_one(place: Workplace) -> None:
    first = await run_program(place, *terminal_arguments("old"), given="a line of the old session\n")
    csv, aside = place.journal_path("old"), place.storage_dir.with_name("away")
    csv.parent.rename(aside)  # what the CSV lacks has no place to be written back to

    refused = await run_program(place, *terminal_arguments("new"), given="lost?\n")
    current = json.loads((place.storage_dir / "current_session.json").read_bytes())
    aside.rename(csv.parent)
    again = await run_program(place, "--terminal", "--yes", "--as", "ana", given="and one more\n")

    assert first.status == 0
    assert refused.status == 2
    assert current == {"name": "old", "stem": "old"}
    assert again.status == 0
    assert [row["content"] for row in journal_rows(csv)] == ["a line of the old session", "and one more"]


async def test_a_stray_quotation_mark_in_the_csv_costs_nothing_at_the_next_start(place: Workplace) -> None:
    said = [f"line {number} of those before the mark and behind it" for number in range(30)]
    await run_program(place, *terminal_arguments("marked"), given="\n".join([*said, ""]))
    csv = place.journal_path("marked")
    lines = csv.read_bytes().splitlines(keepends=True)
    lines[11] = lines[11].replace(b",line 10", b',"line 10')
    csv.write_bytes(b"".join(lines))

    again = await run_program(place, *terminal_arguments("marked"), given="the last one\n")

    assert again.status == 0
    assert csv.read_bytes().startswith(b"".join(lines))
    assert [row["content"] for row in stored_rows(place) if row["session"] == "marked"] == [*said, "the last one"]


async def test_a_question_asked_while_the_disk_is_full_is_refused_and_plain_lines_wait(place: Workplace) -> None:
    journal = place.journal_path("asked")
    async with open_program(place, *terminal_arguments("asked")) as program:
        await program.say("/help")
        await program.hear("/quit")

        limit_files(program, journal.stat().st_size + 20)
        await program.say("/chat what was said?")
        await program.hear("This cannot be written down just now")
        await program.say("a plain line")
        limit_files(program, resource.RLIM_INFINITY)
        ending = await program.finish()

    assert ending.status == 0
    assert [row["content"] for row in journal_rows(journal) if row["kind"] == "message"] == ["a plain line"]
    assert "/chat what was said?" not in [row["content"] for row in journal_rows(journal)]


def limit_files(program: Program, size: int) -> None:
    """Let the process write no file beyond a size, which is what a full disk looks like to it."""
    _, highest = resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, (size, highest))
