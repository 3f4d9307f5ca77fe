"""Whoever is forgotten comes back neither by an older CSV, nor by an import, nor by a promotion."""

from collections.abc import Sequence

from bench.processes import Workplace
from memory.messages import Kind, Message
from tests.builders import message
from tests.end_to_end.processes import journal_rows, run_program, stored_rows, terminal_arguments
from tests.end_to_end.test_db_save_script import saved
from tests.forgotten import BOB, BOT, NADIA, journalled

OLD: Sequence[Message] = (
    message(1, "the answer comes first: the key is under the blue flowerpot", kind=Kind.ANSWER, author_id=BOT),
    message(2, "the spare key is under the blue flowerpot", author_id=NADIA, author_name="nadia"),
    message(3, "the kiln reaches 1280 degrees", author_id=BOB),
)
"""What a CSV from before she was forgotten holds."""


async def forgotten(place: Workplace) -> None:
    """Let her be forgotten before anything of hers is there."""
    await saved(place, "--forget", str(NADIA), "--yes")


async def test_an_older_csv_that_is_put_back_brings_nothing_of_her_into_memory(place: Workplace) -> None:
    await forgotten(place)
    journal = place.journal_path("hut")
    journalled(journal, OLD)
    with journal.open("a", encoding="utf-8") as file:
        file.write(f"damaged,{NADIA},under the blue flowerpot\n")

    await talk(place, "hut", "and who is here now?")

    assert {row["content"] for row in stored_rows(place)} == {"the kiln reaches 1280 degrees", "and who is here now?"}
    assert "flowerpot" not in journal.with_name("hut_not_added.csv").read_text()


async def test_an_import_leaves_her_out_and_what_may_repeat_her(place: Workplace) -> None:
    await forgotten(place)
    copy = place.folder / "copy.csv"
    journalled(copy, OLD)

    told = await talk(place, "hut", arguments=("--import", str(copy)))

    assert "1 lines taken in" in told
    assert "1 lines of people who are forgotten, 1 answers of the bot that may repeat them" in told
    assert {row["content"] for row in journal_rows(place.journal_path("hut"))} == {
        "hello",
        "the kiln reaches 1280 degrees",
    }


async def test_a_promotion_leaves_out_an_answer_that_stands_before_her(place: Workplace) -> None:
    await forgotten(place)
    copy = place.folder / "copy.csv"
    journalled(copy, OLD)

    told = await saved(place, str(copy))

    assert "1  new" in told
    assert "1  left out, answers of the bot that may repeat them" in told


async def talk(place: Workplace, session: str, *lines: str, arguments: Sequence[str] = ()) -> str:
    """Run a session in the terminal until all that was said is stored; return what it says beside its answers."""
    given = "\n".join(lines or ["hello"]) + "\n"
    finished = await run_program(place, *terminal_arguments(session, *arguments), given=given)
    assert finished.status == 0, finished.err
    return finished.err
