"""All that is in the session's CSV comes into short-term memory: once, in spite of outages, and searchable."""

import asyncio
import csv
import shutil
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.config import SHORT_TERM_LAYOUT
from db.databases import SHORT_TERM, Database, open_database
from db.embedded import ensure_database, open_embedded, stop_embedded
from db.engines import parse_dsn, transaction
from db.schema import JournalPositionRow, MessageRow, RevisionRow
from errors import DatabaseUnavailableError, JournalUnavailableError
from memory.capture.ingest import Ingest, running
from memory.capture.journal import Journal, NotAdded
from memory.capture.recorder import Recorder, open_recorder
from memory.embedding.embedder import Embedder
from memory.embedding.model import Vectors
from memory.index import store
from memory.index.reembed import prepare
from memory.message import Kind, Message
from memory.search.memory import Memory
from tests.builders import deletion, edit, hears, message

LONG = timedelta(seconds=60)
Open = Callable[..., AbstractAsyncContextManager[Recorder]]
Write = Callable[..., Awaitable[None]]


@pytest.fixture
def open_demo(tmp_path: Path, short_term: Database, embedder: Embedder) -> Open:
    """Opens the recorder of session `demo` in `tmp_path`."""

    def opening(*, batch: int = 8, database: Database = short_term) -> AbstractAsyncContextManager[Recorder]:
        return open_recorder(
            session="demo",
            journal_path=tmp_path / "demo.csv",
            not_added_path=tmp_path / "demo_not_added.csv",
            sessions=database.sessions,
            embedder=embedder,
            batch=batch,
        )

    return opening


async def _no_meaning(_: Embedder, texts: Sequence[str]) -> Vectors:
    """Return vectors at once that say nothing about the texts."""
    return np.random.default_rng(1).normal(size=(len(texts), 384)).astype(np.float32)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the embedding, where a test is not about what is found."""
    monkeypatch.setattr(Embedder, "embed", _no_meaning)


async def record(recorder: Recorder, messages: Sequence[Message]) -> None:
    await asyncio.gather(*(recorder.record(one) for one in messages))


def journalled(folder: Path, messages: Sequence[Message]) -> None:
    """Write a journal that the ingest finds when it begins."""
    journal = Journal(folder / "demo.csv")
    journal.open()
    journal.record(messages)
    journal.close()


async def ids(database: Database) -> list[int]:
    async with transaction(database.sessions) as session:
        return list(await session.scalars(select(MessageRow.message_id).order_by(MessageRow.message_id)))


async def column(database: Database, name: str, message_id: int) -> Any:
    async with transaction(database.sessions) as session:
        return await session.scalar(select(getattr(MessageRow, name)).where(MessageRow.message_id == message_id))


async def texts_before(database: Database) -> list[tuple[int, str]]:
    async with transaction(database.sessions) as session:
        return [
            (row.message_id, row.content)
            for row in await session.execute(select(RevisionRow.message_id, RevisionRow.content))
        ]


def not_added(folder: Path) -> list[tuple[str, str]]:
    """Return content and reason of each row that was not added."""
    with (folder / "demo_not_added.csv").open(newline="", encoding="utf-8") as file:
        return [(row["content"], row["reason"]) for row in csv.DictReader(file)]


async def test_what_is_recorded_becomes_searchable(open_demo: Open, memory: Memory, short_term: Database) -> None:
    async with open_demo() as recorder:
        await record(recorder, [message(number, f"note {number}") for number in range(1, 20)])
        await recorder.record(message(20, "the kiln reaches 1280 degrees"))

        assert await recorder.settle(timeout=LONG)
        stored, journalled = recorder.progress
        assert stored == journalled

    findings = await memory.search("how hot does the kiln get?", places=frozenset({1}), limit=1)
    assert findings.excerpts[0].lines[-1].message.message_id == 20
    assert await ids(short_term) == list(range(1, 21))


@pytest.mark.usefixtures("quickly")
async def test_settling_takes_no_longer_than_it_may(open_demo: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(store, "write", never)
    async with open_demo() as recorder:
        await recorder.record(message(1))

        assert not await recorder.settle(timeout=timedelta(milliseconds=10))


@pytest.mark.usefixtures("quickly")
async def test_a_lost_position_makes_no_duplicates(open_demo: Open, short_term: Database) -> None:
    async with open_demo() as recorder:
        await record(recorder, [message(number) for number in range(1, 30)])
        await record(recorder, [edit(1, "hello again", at=50), deletion(2, at=51)])
        await recorder.settle(timeout=LONG)
    before = await ids(short_term), await texts_before(short_term)
    async with transaction(short_term.sessions) as session:
        await session.execute(delete(JournalPositionRow))

    async with open_demo() as recorder:
        assert await recorder.settle(timeout=LONG)

    assert (await ids(short_term), await texts_before(short_term)) == before
    assert before == (list(range(1, 30)), [(1, "hello")])
    assert await column(short_term, "deleted_at", 2) is not None


@pytest.mark.usefixtures("quickly")
async def test_the_position_in_a_csv_that_is_gone_is_not_trusted(
    open_demo: Open, short_term: Database, tmp_path: Path
) -> None:
    async with open_demo() as recorder:
        await record(recorder, [message(number) for number in range(1, 10)])
        await recorder.settle(timeout=LONG)
    (tmp_path / "demo.csv").unlink()

    async with open_demo() as recorder:
        await record(recorder, [message(number) for number in range(10, 30)])
        assert await recorder.settle(timeout=LONG)

    assert await ids(short_term) == list(range(1, 30))


@pytest.mark.parametrize("written", [pytest.param(False, id="before writing"), pytest.param(True, id="before commit")])
@pytest.mark.usefixtures("quickly")
async def test_a_program_that_ends_in_the_middle_goes_on_there(
    open_demo: Open, short_term: Database, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    with monkeypatch.context() as patched:
        stuck = _stick_at_the_third(patched, store.write, written=written)
        async with open_demo() as recorder:
            await record(recorder, [message(number) for number in range(1, 31)])
            await stuck.wait()
    assert await ids(short_term) == list(range(1, 17))
    seen: list[int] = []
    _note_ids(monkeypatch, store.write, seen)

    async with open_demo() as recorder:
        assert await recorder.settle(timeout=LONG)

    assert await ids(short_term) == list(range(1, 31))
    assert seen == list(range(17, 31))


def _stick_at_the_third(monkeypatch: pytest.MonkeyPatch, write: Write, *, written: bool) -> asyncio.Event:
    """Let the third write of a batch never end; return what is set when it is reached."""
    stuck, positions = asyncio.Event(), set[int]()

    async def writing(session: AsyncSession, **batch: Any) -> None:
        positions.add(batch["position"])
        if len(positions) < 3:
            await write(session, **batch)
            return
        if written:
            await write(session, **batch)
        stuck.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(store, "write", writing)
    return stuck


def _note_ids(monkeypatch: pytest.MonkeyPatch, write: Write, seen: list[int]) -> None:
    async def writing(session: AsyncSession, **batch: Any) -> None:
        seen.extend(item.message.message_id for item in batch["batch"])
        await write(session, **batch)

    monkeypatch.setattr(store, "write", writing)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("a\0b", "NUL", id="NUL"),
        pytest.param(" ".join(f"w{n:040}" for n in range(28_000)), "too long for tsvector", id="too long"),
    ],
)
@pytest.mark.usefixtures("quickly")
async def test_a_row_that_is_refused_is_put_aside_and_its_neighbours_are_stored(
    open_demo: Open, short_term: Database, tmp_path: Path, content: str, reason: str
) -> None:
    async with open_demo(batch=16) as recorder:
        await record(recorder, [message(number, content if number == 5 else "fine") for number in range(1, 21)])
        assert await recorder.settle(timeout=LONG)

    assert await ids(short_term) == [number for number in range(1, 21) if number != 5]
    ((put_aside, why),) = not_added(tmp_path)
    assert put_aside == content
    assert reason in why


@pytest.mark.usefixtures("quickly")
async def test_a_program_that_ends_while_a_refused_batch_is_halved_loses_no_half(
    open_demo: Open, short_term: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journalled(tmp_path, [message(number, "a\0b" if number == 6 else "fine") for number in range(1, 9)])
    stuck, write = asyncio.Event(), store.write

    async def writing(session: AsyncSession, **batch: Any) -> None:
        if batch["batch"][0].message.message_id == 5:
            stuck.set()
            await asyncio.Event().wait()
        await write(session, **batch)

    with monkeypatch.context() as patched:
        patched.setattr(store, "write", writing)
        async with open_demo():
            await stuck.wait()
    assert await ids(short_term) == [1, 2, 3, 4]

    async with open_demo() as recorder:
        assert await recorder.settle(timeout=LONG)

    assert await ids(short_term) == [1, 2, 3, 4, 5, 7, 8]


@pytest.mark.usefixtures("quickly")
async def test_a_row_that_is_refused_twice_is_put_aside_once(
    open_demo: Open, short_term: Database, tmp_path: Path
) -> None:
    for _ in range(2):
        async with open_demo() as recorder:
            if not not_added(tmp_path):
                await recorder.record(message(1, "a\0b"))
            assert await recorder.settle(timeout=LONG)
        async with transaction(short_term.sessions) as session:
            await session.execute(delete(JournalPositionRow))

    assert len(not_added(tmp_path)) == 1


@pytest.mark.usefixtures("quickly")
async def test_a_text_before_an_edit_that_is_refused_costs_no_message(
    open_demo: Open, short_term: Database, tmp_path: Path
) -> None:
    async with open_demo(batch=100) as recorder:
        await record(recorder, [message(1, "a\0b"), message(2), edit(1, "ab", at=5), message(3), message(4)])
        assert await recorder.settle(timeout=LONG)

    assert await ids(short_term) == [1, 2, 3, 4]
    assert await column(short_term, "content", 1) == "ab"
    assert not_added(tmp_path) == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("something else\n", "has 1 fields", id="no message"),
        pytest.param(
            f"{2**70},2026-11-03T09:00:00+00:00,demo,,1,,,,ana,general,message,hi,[],,\n",
            "bigint",
            id="an id too large",
        ),
        pytest.param(
            '1,2026-11-03T09:00:00+00:00,demo,,1,,,,ana,general,message,hi,"[{""name"":1,""url"":2}]",,\n',
            "attachments cannot be read as a list",
            id="files of the wrong shape",
        ),
    ],
)
@pytest.mark.usefixtures("quickly")
async def test_a_line_that_is_no_message_is_put_aside_and_the_next_are_stored(
    open_demo: Open, short_term: Database, tmp_path: Path, line: str, reason: str
) -> None:
    async with open_demo() as recorder:
        await recorder.record(message(10))
    with (tmp_path / "demo.csv").open("a") as file:
        file.write(line)

    async with open_demo() as recorder:
        await recorder.record(message(11))
        assert await recorder.settle(timeout=LONG)

    assert await ids(short_term) == [10, 11]
    ((put_aside, why),) = not_added(tmp_path)
    assert put_aside == line
    assert reason in why


@pytest.mark.usefixtures("quickly")
async def test_a_torn_record_is_put_aside_as_it_stands(open_demo: Open, short_term: Database, tmp_path: Path) -> None:
    async with open_demo() as recorder:
        await record(recorder, [message(1), message(2, "half 😀")])
        await recorder.settle(timeout=LONG)
    path = tmp_path / "demo.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index("😀".encode()) + 2])
    async with transaction(short_term.sessions) as session:
        await store.empty(session)

    async with open_demo() as recorder:
        await recorder.record(message(3))
        assert await recorder.settle(timeout=LONG)

    assert await ids(short_term) == [1, 3]
    ((put_aside, why),) = not_added(tmp_path)
    assert put_aside.startswith("2,2026-11-03T09:02:00+00:00,demo,")
    assert put_aside.endswith("half \ufffd")
    assert why == "cut short by a crash"


@pytest.mark.usefixtures("quickly")
async def test_a_disk_too_full_to_put_a_row_aside_is_waited_for(
    open_demo: Open, short_term: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [JournalUnavailableError("demo_not_added.csv: No space left on device")] * 2
    refuse = NotAdded.refuse

    def refusing(self: NotAdded, refused: Message, reason: str) -> None:
        if failures:
            raise failures.pop()
        refuse(self, refused, reason)

    monkeypatch.setattr(NotAdded, "refuse", refusing)
    async with open_demo() as recorder:
        with hears("messages can be stored again") as recovered:
            await record(recorder, [message(1, "a\0b"), message(2)])
            await recovered.wait()
        assert await recorder.settle(timeout=LONG)

    assert await ids(short_term) == [2]
    assert len(not_added(tmp_path)) == 1


@pytest.mark.parametrize("batch", [pytest.param(1, id="one by one"), pytest.param(100, id="in one batch")])
@pytest.mark.usefixtures("quickly")
async def test_edits_and_deletions_apply(open_demo: Open, short_term: Database, batch: int) -> None:
    async with open_demo(batch=batch) as recorder:
        await record(
            recorder,
            [
                message(1, "first"),
                message(2, "doomed"),
                edit(3, "edited, and only then sent", at=5),
                message(3, "sent"),
                edit(1, "second", at=6),
                deletion(2, at=7),
                edit(1, "late news of an earlier edit", at=4),
            ],
        )
        assert await recorder.settle(timeout=LONG)

    assert [await column(short_term, "content", number) for number in (1, 2, 3)] == [
        "second",
        "doomed",
        "edited, and only then sent",
    ]
    assert await column(short_term, "deleted_at", 2) is not None
    assert await texts_before(short_term) == [(1, "first")]


@pytest.mark.usefixtures("quickly")
async def test_words_before_a_message_are_indexed_with_it_in_their_order(open_demo: Open, short_term: Database) -> None:
    async with open_demo() as recorder:
        await record(recorder, [message(1, "oldest"), message(2, "older"), message(3, "elsewhere", channel_id=2)])
        await recorder.settle(timeout=LONG)
    async with open_demo() as recorder:  # after a restart they come from the database
        await record(recorder, [message(4, "answer", kind=Kind.ANSWER), message(5, "after a restart")])
        await record(recorder, [message(6, "and one more")])
        assert await recorder.settle(timeout=LONG)

    resumed = (await column(short_term, "search_text", 5)).splitlines()
    assert resumed[:2] == ["ana: oldest", "ana: older"]
    following = (await column(short_term, "search_text", 6)).splitlines()
    assert following[:2] == ["ana: older", "ana: after a restart"]


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("batch", [1, 8])
async def test_a_message_that_comes_late_is_indexed_with_the_words_before_it_in_time(
    open_demo: Open, short_term: Database, batch: int
) -> None:
    async with open_demo(batch=batch) as recorder:
        for numbers in ((1, 2, 3, 6, 7), (5, 8)):
            await record(recorder, [message(number, f"note {number}") for number in numbers])
            assert await recorder.settle(timeout=LONG)

    late = (await column(short_term, "search_text", 5)).splitlines()
    assert late[:2] == ["ana: note 2", "ana: note 3"]
    following = (await column(short_term, "search_text", 8)).splitlines()
    assert following[:2] == ["ana: note 6", "ana: note 7"]


@pytest.mark.usefixtures("quickly")
async def test_a_message_that_says_nothing_has_no_vector(open_demo: Open, short_term: Database) -> None:
    async with open_demo() as recorder:
        await record(recorder, [message(1, ""), deletion(2, at=3)])
        assert await recorder.settle(timeout=LONG)

    assert await ids(short_term) == [1, 2]
    assert await column(short_term, "embedding", 1) is None


@pytest.mark.usefixtures("quickly")
async def test_a_batch_larger_than_a_statement_may_be_is_written_in_parts(
    open_demo: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    async def count(_: AsyncSession, *, batch: Sequence[object], **__: object) -> None:
        sizes.append(len(batch))

    monkeypatch.setattr(store, "write", count)
    journalled(tmp_path, [message(number) for number in range(1, 4001)])
    async with open_demo(batch=4096) as recorder:
        assert await recorder.settle(timeout=LONG)

    assert sum(sizes) == 4000
    assert max(sizes) * len(MessageRow.__table__.columns) < 65_535


async def test_few_batches_wait_in_memory_however_slow_the_database_is(
    tmp_path: Path, short_term: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "demo.csv")
    journal.open()
    journal.record([message(number) for number in range(1, 41)])
    journal.sync()
    embedded = written = peak = 0
    enough = asyncio.Condition()

    async def embed(_: Embedder, texts: Sequence[str]) -> Vectors:
        nonlocal embedded, peak
        async with enough:
            embedded, peak = embedded + 1, max(peak, embedded + 1 - written)
            enough.notify_all()
        return await _no_meaning(embedder, texts)

    async def write(*_: object, **__: object) -> None:
        nonlocal written
        async with enough:
            await enough.wait_for(lambda: embedded - written >= 4 or embedded == 20)
        for _hop in range(5):  # the reader may go as far ahead as it likes
            await asyncio.to_thread(lambda: None)
        written += 1

    monkeypatch.setattr(Embedder, "embed", embed)
    monkeypatch.setattr(store, "write", write)
    aside = NotAdded(tmp_path / "demo_not_added.csv")
    async with running(
        Ingest(
            journal=journal, not_added=aside, sessions=short_term.sessions, embedder=embedder, session="demo", batch=2
        )
    ) as ingest:
        assert await ingest.settle(timeout=LONG)
    journal.close()

    assert written == 20
    assert peak == 4  # one being written, two that wait, one just embedded


async def test_an_outage_is_not_over_because_the_reader_did_without_the_database(
    open_demo: Open, short_term: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, away, read_on = store.write, True, asyncio.Event()

    async def writing(session: AsyncSession, **batch: Any) -> None:
        if away:
            raise DatabaseUnavailableError("PostgreSQL did not answer")
        await write(session, **batch)

    async def embed(embedder: Embedder, texts: Sequence[str]) -> Vectors:
        if "the second" in texts[0]:
            read_on.set()
        return await _no_meaning(embedder, texts)

    monkeypatch.setattr(store, "write", writing)
    monkeypatch.setattr(Embedder, "embed", embed)
    with hears("messages cannot be stored just now") as noted, hears("messages can be stored again") as recovered:
        async with open_demo(batch=1) as recorder:
            await recorder.record(message(1))
            await noted.wait()
            await recorder.record(message(2, "the second"))
            await read_on.wait()
            while_away = recorder.database_is_away, recovered.is_set()
            away = False
            await recovered.wait()
            assert await recorder.settle(timeout=LONG)

    assert while_away == (True, False)
    assert await ids(short_term) == [1, 2]


@asynccontextmanager
async def _own_server(embedder: Embedder) -> AsyncGenerator[tuple[Path, Database]]:
    """Yield a server that a test may stop, and a prepared database on it."""
    base = Path(tempfile.mkdtemp(prefix="backscroll-outage-"))
    try:
        async with open_embedded(base / "postgres", start_timeout=LONG, durable=False) as server:
            await ensure_database(server, "short_term")
            url = parse_dsn(server.dsn("short_term"), name="DSN")
            async with open_database(
                url, name=SHORT_TERM, pool_size=3, timeout=LONG, layout=SHORT_TERM_LAYOUT
            ) as database:
                await prepare(database, embedder)
                yield base / "postgres", database
    finally:
        shutil.rmtree(server.home, ignore_errors=True)
        shutil.rmtree(base, ignore_errors=True)


@pytest.mark.own_server
@pytest.mark.usefixtures("quickly")
async def test_an_outage_loses_nothing_and_doubles_nothing(
    open_demo: Open, embedder: Embedder, caplog: pytest.LogCaptureFixture
) -> None:
    async with _own_server(embedder) as (base, database), open_demo(database=database, batch=64) as recorder:
        await record(recorder, [message(number) for number in range(1, 11)])
        assert await recorder.settle(timeout=LONG)

        await stop_embedded(base)
        await record(recorder, [message(number) for number in range(11, 511)])
        assert not await recorder.settle(timeout=LONG)  # it does not use the time that it has
        assert recorder.database_is_away
        with hears("messages can be stored again") as recovered:
            async with open_embedded(base, start_timeout=LONG, durable=False):
                await recovered.wait()
                assert await recorder.settle(timeout=LONG)
                assert await ids(database) == list(range(1, 511))
    assert "messages cannot be stored just now (PostgreSQL did not answer)" in caplog.text


# ---- far behind


async def test_what_is_far_behind_is_stored_first_and_embedded_then(
    tmp_path: Path, short_term: Database, open_demo: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding = asyncio.Event()

    async def slowly(embedder: Embedder, texts: Sequence[str]) -> Vectors:
        await embedding.wait()
        return await _no_meaning(embedder, texts)

    monkeypatch.setattr(Embedder, "embed", slowly)
    monkeypatch.setattr("memory.capture.ingest._FAR_BEHIND", 2_000)
    journalled(tmp_path, [message(number, f"tea number {number}") for number in range(1, 201)])

    async with open_demo() as recorder:
        while len(await ids(short_term)) < 150:  # noqa: ASYNC110 - the last ones wait for their vectors
            await asyncio.sleep(0.05)
        embedding.set()
        assert await recorder.settle(timeout=LONG)
        assert await recorder.settle_vectors(timeout=LONG)

    assert await ids(short_term) == list(range(1, 201))
    async with transaction(short_term.sessions) as session:
        assert not (await session.scalars(select(MessageRow.message_id).where(MessageRow.embedding.is_(None)))).all()
