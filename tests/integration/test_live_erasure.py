"""What is to be forgotten is forgotten while the bot runs, and after whatever stops it on the way."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db.databases import Database
from errors import DatabaseUnavailableError, SessionInUseError
from memory.capture.erased import Erased
from memory.capture.journal import Journal
from memory.capture.recorder import Recorder, open_recorder
from memory.embedding.embedder import Embedder
from memory.message import Kind, Message
from ops.erasure import erase as erase_module
from ops.erasure import rows
from ops.erasure.ledger import LEDGER, read_items, read_ledger
from ops.erasure.live import UNFINISHED, LiveErasure, note_unfinished
from ops.erasure.subject import Subject
from ops.promotion.history import promotion_lock
from tests.builders import message, minute, whole
from util_async import background_task

pytestmark = pytest.mark.server

PATIENCE = timedelta(seconds=60)
NADIA, BOB, BOT = (700_000_000_000_000_000 + number for number in (1, 2, 4))
NOW = minute(100)
SECRET = "the spare key lies under the blue flowerpot by the door"
OTHERS_TOPIC = 77


def by(author_id: int, number: int, content: str, **changes: Any) -> Message:
    names = {NADIA: "nadia", BOB: "bob", BOT: "Backscroll"}
    return message(number, content, author_id=author_id, guild_id=5, **{"author_name": names[author_id], **changes})


SAID = (
    by(NADIA, 1, SECRET),
    by(BOB, 2, "thank you very much for that"),
    by(NADIA, 3, "and the cat is fed twice a day"),
    by(BOB, 4, "what a cat"),
    by(BOB, 5, "we paint the hull in green", channel_id=OTHERS_TOPIC, channel_name="topic"),
    by(BOB, 6, f"somebody has said: {SECRET}", forwarded_from=1),
    by(BOB, 7, "/chat where is the key?", kind=Kind.COMMAND),
    by(BOT, 8, f'**nadia**: "{SECRET}" [1]', kind=Kind.ANSWER, reply_to=7),
    by(BOB, 9, "/chat what of the hull?", kind=Kind.COMMAND),
    by(BOT, 10, '**bob**: "we paint the hull in green" [1]', kind=Kind.ANSWER, reply_to=9),
)
ALL = [one.message_id for one in SAID]


class Running:
    """A bot's recorder and its erasures, over databases that outlive it."""

    def __init__(self, recorder: Recorder, erasure: LiveErasure, short_term: Database, long_term: Database) -> None:
        self.recorder = recorder
        self.erasure = erasure
        self.short_term = short_term
        self.long_term = long_term

    async def say(self, *messages: Message) -> None:
        for one in messages:
            await self.recorder.record(one)
        assert await self.recorder.settle(timeout=PATIENCE)

    @property
    def journal(self) -> list[int]:
        path = next(iter(self.recorder.open_files))
        return [one.message_id for one in whole(Journal(path)).messages]

    async def stored(self, database: Database | None = None) -> list[int]:
        async with (database or self.short_term).engine.connect() as connection:
            return list(await connection.scalars(text("SELECT message_id FROM messages ORDER BY message_id")))

    async def search_texts(self) -> str:
        async with self.short_term.engine.connect() as connection:
            return "\n".join(await connection.scalars(text("SELECT search_text FROM messages")))

    @property
    def has_settled(self) -> bool:
        stored, end = self.recorder.progress
        return stored == end == next(iter(self.recorder.open_files)).stat().st_size


Start = Callable[[], Any]


@pytest.fixture
def start(tmp_path: Path, short_term: Database, long_term: Database, embedder: Embedder) -> Start:
    """Starts the recorder as main_async.py does, with what the ledgers keep out."""
    storage, backups = tmp_path / "storage", tmp_path / "backups"
    (storage / "demo").mkdir(parents=True)

    @asynccontextmanager
    async def started(now: datetime = NOW) -> AsyncGenerator[Running]:
        note_unfinished(backups)
        items = read_items(backups)
        erased = Erased(read_ledger(backups / LEDGER), items.messages, items.channels)
        async with open_recorder(
            session="demo",
            journal_path=storage / "demo" / "demo.csv",
            not_added_path=storage / "demo" / "demo_not_added.csv",
            sessions=short_term.sessions,
            embedder=embedder,
            batch=4,
            erased=erased,
        ) as recorder:
            erasure = LiveErasure(
                short_term=short_term,
                long_term=long_term,
                storage_dir=storage,
                backup_dir=backups,
                timeout=PATIENCE,
                running=recorder,
                erased=erased,
                clock=lambda: now,
            )
            async with background_task(erasure.run()):
                yield Running(recorder, erasure, short_term, long_term)

    return started


async def finished(running: Running) -> None:
    """Wait until what was begun is finished."""
    async with asyncio.timeout(120):
        while running.erasure.unfinished:  # noqa: ASYNC110 - nobody else hears of the end
            await asyncio.sleep(0.05)


async def test_a_person_is_gone_from_a_running_session_that_goes_on(start: Start) -> None:
    async with start() as running:
        await running.say(*SAID)

        receipt = await running.erasure.forget(people=[NADIA])

        assert running.journal == await running.stored() == [2, 4, 5, 7, 9, 10]
        assert "flowerpot" not in await running.search_texts()
        assert receipt.short_term.messages == 3  # a forward is one of them
        assert receipt.short_term.answers == 1
        assert running.erasure.unfinished == []
        await running.say(
            by(NADIA, 120, "what I say afterwards is kept"), by(NADIA, 3, "and the cat is fed twice a day")
        )
        assert running.journal == await running.stored() == [2, 4, 5, 7, 9, 10, 120]
        assert running.has_settled


async def test_a_message_is_gone_with_its_copies_and_answers_and_does_not_come_back(start: Start) -> None:
    async with start() as running:
        await running.say(*SAID)

        await running.erasure.forget(messages=[1])

        assert running.journal == await running.stored() == [2, 3, 4, 5, 7, 9, 10]
        assert "flowerpot" not in await running.search_texts()
        await running.say(by(NADIA, 1, SECRET), replace(SAID[5], content="again"), by(BOB, 11, "hello"))
        assert running.journal == [2, 3, 4, 5, 7, 9, 10, 11]
    async with start() as running:
        await running.say(by(NADIA, 1, SECRET))
        assert running.journal == await running.stored() == [2, 3, 4, 5, 7, 9, 10, 11]


async def test_a_channel_is_gone_up_to_a_moment_and_what_is_said_there_later_is_kept(start: Start) -> None:
    later = by(BOB, 130, "the hull is red now", channel_id=OTHERS_TOPIC, channel_name="topic")
    async with start() as running:
        await running.say(*SAID)

        await running.erasure.forget(channels=[OTHERS_TOPIC])

        assert running.journal == await running.stored() == [1, 2, 3, 4, 6, 7, 8, 9]
        await running.say(SAID[4], later)
        assert running.journal == await running.stored() == [1, 2, 3, 4, 6, 7, 8, 9, 130]
    async with start() as running:
        await running.say(SAID[4])
        assert running.journal == await running.stored() == [1, 2, 3, 4, 6, 7, 8, 9, 130]


async def test_messages_that_come_meanwhile_are_neither_lost_nor_repeated(start: Start) -> None:
    async with start() as running:
        await running.say(*SAID)
        stop = asyncio.Event()
        said: list[int] = []

        async def talk() -> None:
            while not stop.is_set():
                said.append(200 + len(said))
                await running.recorder.record(by(BOB, said[-1], f"note {said[-1]}"))
                await asyncio.sleep(0.002)

        talking = asyncio.create_task(talk())
        await running.erasure.forget(people=[NADIA])
        await running.erasure.forget(messages=[4])
        stop.set()
        await talking

        assert await running.recorder.settle(timeout=PATIENCE)
        assert running.journal == await running.stored() == [2, 5, 7, 9, 10, *said]
        assert len(said) > 20


async def test_an_answer_that_is_given_while_it_goes_on_is_erased_as_well(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = by(BOT, 150, f'**nadia**: "{SECRET}" [1]', kind=Kind.ANSWER, reply_to=7)
    erase_own = rows.erase_own
    async with start() as running:
        await running.say(*SAID)

        async def erase_after_an_answer(*arguments: Any, **options: Any) -> Any:
            await running.say(late)
            monkeypatch.setattr(erase_module, "erase_own", erase_own)
            return await erase_own(*arguments, **options)

        monkeypatch.setattr(erase_module, "erase_own", erase_after_an_answer)
        await running.erasure.forget(people=[NADIA])

        assert running.journal == await running.stored() == [2, 4, 5, 7, 9, 10]


STEPS = (
    *("note_erasure", "collect_rows", "find_conversations", "note_posts", "note_copies", "erase_repetitions"),
    *("erase_contexts", "erase_own", "cut"),
)


@pytest.mark.parametrize("step", STEPS)
async def test_whatever_step_it_is_stopped_in_the_next_start_finishes_it(
    start: Start, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def stop(*_: Any, **__: Any) -> Any:
        raise asyncio.CancelledError

    async with start() as running:
        await running.say(*SAID)
        with monkeypatch.context() as patch:
            patch.setattr(erase_module, step, stop)
            with pytest.raises(asyncio.CancelledError):
                await running.erasure.forget(people=[NADIA], messages=[4], channels=[OTHERS_TOPIC])
        await running.say(by(NADIA, 3, "and the cat is fed twice a day"), by(BOB, 11, "hello"))
        assert running.erasure.unfinished

    async with start() as running:
        await running.say(by(NADIA, 1, SECRET), by(BOB, 12, "good morning"))
        await finished(running)

        assert await running.recorder.settle(timeout=PATIENCE)
        assert running.journal == await running.stored() == [2, 7, 9, 11, 12]
        assert "flowerpot" not in await running.search_texts()


async def test_a_crash_before_the_ledgers_are_written_leaves_it_to_the_next_start(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> Any:
        raise KeyboardInterrupt

    async with start() as running:
        await running.say(*SAID)
        with monkeypatch.context() as patch:
            patch.setattr("ops.erasure.live.note_in_ledgers", crash)
            with pytest.raises(KeyboardInterrupt):
                running.erasure._begin(Subject(people={NADIA: NOW}))
    async with start() as running:
        assert running.recorder.erased.until == {NADIA: NOW}
        await finished(running)
        assert running.journal == await running.stored() == [2, 4, 5, 7, 9, 10]


async def test_it_goes_on_by_itself_once_a_promotion_has_ended(start: Start) -> None:
    async with start() as running:
        await running.say(*SAID)
        async with promotion_lock(running.long_term, timeout=PATIENCE):
            with pytest.raises(SessionInUseError):
                await running.erasure.forget(people=[NADIA])
        assert read_ledger(running.erasure.backup_dir / LEDGER) == {NADIA: NOW}

        await finished(running)

        assert running.journal == await running.stored() == [2, 4, 5, 7, 9, 10]
        assert not (running.erasure.backup_dir / UNFINISHED).exists()


async def test_a_database_that_fails_leaves_it_to_be_finished_later(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any, **__: Any) -> Any:
        raise DatabaseUnavailableError("PostgreSQL did not answer")

    async with start() as running:
        await running.say(*SAID)
        with monkeypatch.context() as patch:
            patch.setattr(erase_module, "erase_own", fails)
            with pytest.raises(DatabaseUnavailableError):
                await running.erasure.forget(messages=[1])

        await finished(running)

        assert running.journal == await running.stored() == [2, 3, 4, 5, 7, 9, 10]
