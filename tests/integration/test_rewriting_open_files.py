"""The CSV of a running session is rewritten, and neither it nor the database loses or repeats a message."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from db.databases import Database
from memory.capture.journal import Journal, RunInThread
from memory.capture.recorder import Recorder, open_recorder
from memory.embedding.embedder import Embedder
from ops.erasure.files import Answers, cut, find_cuts
from ops.erasure.fingerprint import FingerprintBuilder
from ops.erasure.subject import Subject
from tests.builders import message, minute, whole

pytestmark = pytest.mark.server

PATIENCE = timedelta(seconds=60)
NADIA, BOB = 1, 2
SUBJECT = Subject(people={NADIA: minute(10_000)})


@pytest.fixture
async def recorder(tmp_path: Path, short_term: Database, embedder: Embedder) -> AsyncIterator[Recorder]:
    async with open_recorder(
        session="demo",
        journal_path=tmp_path / "demo.csv",
        not_added_path=tmp_path / "demo_not_added.csv",
        sessions=short_term.sessions,
        embedder=embedder,
        batch=4,
    ) as recorder:
        yield recorder


async def say(recorder: Recorder, *numbers: int) -> None:
    """Let the two take turns."""
    for number in numbers:
        await recorder.record(message(number, f"note {number}", author_id=number % 2 + 1))


async def stored(database: Database) -> list[int]:
    async with database.engine.connect() as connection:
        return list(await connection.scalars(text("SELECT message_id FROM messages ORDER BY message_id")))


def journalled(path: Path) -> list[int]:
    return [one.message_id for one in whole(Journal(path)).messages]


async def without_nadia(path: Path, run: RunInThread) -> int:
    said = FingerprintBuilder(frozenset(SUBJECT.people)).build()
    cuts = await run(find_cuts, path, SUBJECT, said, answers=Answers())
    await run(cut, path, cuts)
    return cuts.lines


async def test_what_is_said_before_during_and_after_is_in_the_file_and_in_the_database(
    tmp_path: Path, recorder: Recorder, short_term: Database
) -> None:
    path = tmp_path / "demo.csv"
    await say(recorder, *range(1, 9))

    async with recorder.held(path) as run:
        meanwhile = asyncio.create_task(say(recorder, 9, 10))
        await asyncio.sleep(0.1)
        assert not meanwhile.done()
        assert await without_nadia(path, run) == 4
        await run(lambda: None)
    await meanwhile
    await say(recorder, 11)

    assert await recorder.settle(timeout=PATIENCE)
    assert journalled(path) == [1, 3, 5, 7, 9, 10, 11]
    assert set(await stored(short_term)) >= {1, 3, 5, 7, 9, 10, 11}
    assert recorder.progress[0] == recorder.progress[1] == path.stat().st_size


async def test_whoever_waits_for_the_database_hears_of_it_though_the_file_is_shorter_then(
    tmp_path: Path, recorder: Recorder
) -> None:
    path = tmp_path / "demo.csv"
    await say(recorder, *range(1, 9))
    async with recorder.held(path) as run:
        settling = asyncio.create_task(recorder.settle(timeout=PATIENCE))
        await asyncio.sleep(0.05)
        await without_nadia(path, run)

    assert await asyncio.wait_for(settling, 20)


async def test_a_rewriting_that_is_cancelled_leaves_a_file_that_goes_on(
    tmp_path: Path, recorder: Recorder, short_term: Database
) -> None:
    path = tmp_path / "demo.csv"
    await say(recorder, *range(1, 9))
    cutting = asyncio.Event()

    async def rewrite() -> None:
        async with recorder.held(path) as run:
            cutting.set()
            await without_nadia(path, run)

    task = asyncio.create_task(rewrite())
    await cutting.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await say(recorder, 9, 10)

    assert await recorder.settle(timeout=PATIENCE)
    assert journalled(path) in ([*range(1, 11)], [1, 3, 5, 7, 9, 10])
    assert set(await stored(short_term)) >= {9, 10}


async def test_two_files_can_be_rewritten_while_messages_keep_coming(
    tmp_path: Path, recorder: Recorder, short_term: Database
) -> None:
    paths = list(recorder.open_files)
    stop = asyncio.Event()
    said: list[int] = []

    async def talk() -> None:
        while not stop.is_set():
            said.append(len(said) + 1)
            await recorder.record(message(said[-1], f"note {said[-1]}", author_id=BOB))
            await asyncio.sleep(0.002)

    talking = asyncio.create_task(talk())
    for _ in range(5):
        for path in paths:
            await asyncio.sleep(0.05)
            async with recorder.held(path) as run:
                await without_nadia(path, run)
    stop.set()
    await talking

    assert await recorder.settle(timeout=PATIENCE)
    assert journalled(tmp_path / "demo.csv") == said
    assert await stored(short_term) == said
