"""A start listens before its models are there and before it has caught up, and a question does not wait for either."""

from datetime import UTC, datetime
from pathlib import Path

import psycopg
from filelock import FileLock

from agent.transcript import BY_WORDS_ALONE
from bench.processes import until
from memory.capture.journal import Journal
from memory.message import Message
from tests.end_to_end.conftest import NewPlace
from tests.end_to_end.processes import (
    Workplace,
    journal_rows,
    open_program,
    run_program,
    stored_rows,
    terminal_arguments,
)

SESSION = "early"
KETTLE = "the kettle is in the blue kitchen"
HOLD_BACK = "SELECT position FROM journal_positions WHERE session = %s FOR UPDATE"


def said(place: Workplace) -> list[str]:
    """Return the texts in the session's CSV."""
    path = place.journal_path(SESSION)
    return [row["content"] for row in journal_rows(path)] if path.exists() else []


def add_behind_its_back(place: Workplace, count: int) -> None:
    """Write messages into the session's CSV that no database has."""
    journal = Journal(place.journal_path(SESSION))
    journal.open()
    messages = [
        Message(
            message_id=number,
            sent_at=datetime(2026, 11, 3, 9, tzinfo=UTC),
            session=SESSION,
            channel_id=1,
            channel_name="terminal",
            author_id=2,
            author_name="ana",
            content=f"note {number}",
        )
        for number in range(1, count + 1)
    ]
    journal.record(messages)
    journal.close()


async def test_while_the_embedding_model_is_being_exported_a_question_is_answered_by_its_words(
    new_place: NewPlace, tmp_path: Path
) -> None:
    place = new_place(understands=True)  # the width of its vectors is known before it was exported
    another = FileLock(tmp_path / "lock")  # as another process would hold it that exports the model
    with another:
        async with open_program(place, *terminal_arguments(SESSION), EMBEDDING_DIR=str(tmp_path)) as program:
            await program.say(KETTLE, "/chat where is the kettle?")
            await program.hear(BY_WORDS_ALONE)
            await program.kill()

    assert f'"{KETTLE}" [1]' in program.heard
    assert said(place)[0] == KETTLE
    assert [row["embedding"] for row in stored_rows(place) if row["content"] == KETTLE] == [None]

    await run_program(place, *terminal_arguments(SESSION), given="good night\n")

    vectors = {row["content"]: row["embedding"] for row in stored_rows(place) if row["kind"] == "message"}
    assert set(vectors) == {KETTLE, "good night"}
    assert None not in vectors.values()


async def test_what_is_said_is_journalled_while_a_long_journal_has_not_been_caught_up_with(place: Workplace) -> None:
    await run_program(place, *terminal_arguments(SESSION), given="good morning\n")
    add_behind_its_back(place, 300)

    with psycopg.connect(place.settings["SHORT_TERM_DSN"]) as connection:
        connection.execute(HOLD_BACK, [SESSION])  # no batch can be stored as long as this transaction lasts
        async with open_program(place, *terminal_arguments(SESSION)) as program:
            await program.say(KETTLE)
            await until(lambda: KETTLE in said(place), program)
            assert len(stored_rows(place)) == 1
            connection.rollback()
            assert (await program.finish()).status == 0

    assert len(stored_rows(place)) == 302
