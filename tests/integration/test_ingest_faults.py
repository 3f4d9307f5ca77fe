"""Whatever the database answers, capture goes on, a row that it refuses keeps no other out, and the rest waits."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.databases import Database
from db.engines import transaction
from db.roles import Role, role_name
from memory.capture import writer
from memory.capture.journal import Journal, JournalBatch
from memory.capture.recorder import Recorder, open_recorder
from memory.capture.session import begin_session
from memory.capture.writer import retry_waits
from memory.embedding.embedder import Embedder
from memory.embedding.model import Vectors
from memory.index import index_text, indexing, neighbours, reembed, store
from memory.message import Message
from memory.search.memory import Memory
from tests.builders import deletion, edit, hears, message, whole
from tests.integration.test_ingest import column, ids, journalled, not_added, record, texts_before

pytestmark = pytest.mark.server

LONG = timedelta(seconds=60)
Open = Callable[..., AbstractAsyncContextManager[Recorder]]

EVERY_SORT = (
    "XX000",
    "XX002",
    "0A000",
    "42501",
    "P0001",
    "25006",
    "57014",
    "54000",
    "40P01",
    "22P05",
    "42P01",
    "53200",
)
"""SQLSTATEs of every class that an error in the midst of a statement may have."""


@pytest.fixture
def open_demo(tmp_path: Path, short_term: Database, embedder: Embedder) -> Open:
    """Opens the recorder of session `demo` in `tmp_path`."""

    def opening(*, batch: int = 16) -> AbstractAsyncContextManager[Recorder]:
        return open_recorder(
            session="demo",
            journal_path=tmp_path / "demo.csv",
            not_added_path=tmp_path / "demo_not_added.csv",
            sessions=short_term.sessions,
            embedder=embedder,
            batch=batch,
        )

    return opening


async def _no_meaning(_: Embedder, texts: Sequence[str]) -> Vectors:
    return np.random.default_rng(1).normal(size=(len(texts), 384)).astype(np.float32)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the embedding, where a test is not about what is found."""
    monkeypatch.setattr(Embedder, "embed", _no_meaning)


async def owner(database: Database, *statements: str) -> None:
    """Do something as the owner of a database."""
    async with database.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def fails_on(database: Database, sqlstate: str, *, content: str = "poison", when: str = "INSERT") -> None:
    """Let a trigger raise an error for the rows of one content."""
    await owner(
        database,
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.content LIKE '{content}%' THEN RAISE EXCEPTION 'a trigger is broken' USING ERRCODE = '{sqlstate}';"
        " END IF; RETURN NEW; END $$",
        f"CREATE TRIGGER fail BEFORE {when} ON messages FOR EACH ROW EXECUTE FUNCTION fail()",
    )


async def reconnects(database: Database) -> None:
    """End the connections of the bot, as a server that is configured anew does."""
    await owner(
        database,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


async def until(settle: Callable[..., Awaitable[bool]]) -> None:
    """Wait until a recorder has settled, which gives up early whenever the database is away."""
    while not await settle(timeout=LONG):  # noqa: ASYNC110  # there is no event that says so
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("sqlstate", EVERY_SORT)
@pytest.mark.usefixtures("quickly")
async def test_a_row_that_alone_fails_is_put_aside_with_its_sqlstate_and_recording_goes_on(
    open_demo: Open, short_term: Database, tmp_path: Path, sqlstate: str
) -> None:
    await fails_on(short_term, sqlstate)
    journalled(tmp_path, [message(number, "poison" if number == 5 else "fine") for number in range(1, 21)])

    async with open_demo() as recorder:
        assert await recorder.settle(timeout=LONG)
        await recorder.record(message(21))
        assert await recorder.settle(timeout=LONG)
        assert not recorder.database_is_away

    assert await ids(short_term) == [number for number in range(1, 22) if number != 5]
    ((put_aside, why),) = not_added(tmp_path)
    assert put_aside == "poison"
    assert sqlstate in why


@asynccontextmanager
async def read_only(database: Database) -> AsyncGenerator[None]:
    """Have a database refuse every write, as a hosted one does whose disk fills, until the context ends."""
    (name,) = await names(database)
    await owner(database, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await reconnects(database)
    try:
        yield
    finally:
        async with database.engine.begin() as connection:
            await connection.execute(text("SET TRANSACTION READ WRITE"))
            await connection.execute(text(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'))
        await reconnects(database)


async def names(database: Database) -> list[str]:
    async with transaction(database.sessions) as session:
        return list(await session.scalars(text("SELECT current_database()::text")))


@asynccontextmanager
async def without_messages(database: Database) -> AsyncGenerator[None]:
    """Have a database lack its table of messages until the context ends."""
    await owner(database, "ALTER TABLE messages RENAME TO messages_elsewhere")
    try:
        yield
    finally:
        await owner(database, "ALTER TABLE messages_elsewhere RENAME TO messages")


@asynccontextmanager
async def without_positions(database: Database) -> AsyncGenerator[None]:
    await owner(database, "ALTER TABLE journal_positions RENAME TO elsewhere")
    try:
        yield
    finally:
        await owner(database, "ALTER TABLE elsewhere RENAME TO journal_positions")


@asynccontextmanager
async def without_a_column(database: Database) -> AsyncGenerator[None]:
    await owner(database, "ALTER TABLE messages RENAME search_text TO searched")
    try:
        yield
    finally:
        await owner(database, "ALTER TABLE messages RENAME searched TO search_text")


@asynccontextmanager
async def without_rights(database: Database) -> AsyncGenerator[None]:
    """Have the bot lose its right to write messages until the context ends; it still may move its position."""
    (name,) = await names(database)
    writer = role_name(name, Role.WRITER)
    await owner(database, f'REVOKE INSERT, UPDATE ON messages FROM "{writer}"')
    try:
        yield
    finally:
        await owner(database, f'GRANT INSERT, UPDATE ON messages TO "{writer}"')


@asynccontextmanager
async def with_a_trigger_that_takes_no_row(database: Database) -> AsyncGenerator[None]:
    await fails_on(database, "22P05", content="")
    try:
        yield
    finally:
        await owner(database, "DROP TRIGGER fail ON messages")


@asynccontextmanager
async def with_a_trigger_that_takes_no_edit(database: Database) -> AsyncGenerator[None]:
    await fails_on(database, "XX000", content="", when="UPDATE")
    try:
        yield
    finally:
        await owner(database, "DROP TRIGGER fail ON messages")


@pytest.mark.parametrize(
    ("outage", "sentence"),
    [
        pytest.param(read_only, "is read-only", id="read-only"),
        pytest.param(without_messages, "lacks a table", id="no table"),
        pytest.param(without_positions, "lacks a table", id="no positions"),
        pytest.param(without_a_column, "lacks a column", id="no column"),
        pytest.param(without_rights, "does not let this user", id="no rights"),
        pytest.param(with_a_trigger_that_takes_no_row, "22P05", id="no row is taken"),
        pytest.param(with_a_trigger_that_takes_no_edit, "XX000", id="no edit is taken"),
    ],
)
@pytest.mark.usefixtures("quickly")
async def test_what_every_row_fails_of_is_an_outage_with_its_own_sentence_and_is_caught_up_with_once(
    open_demo: Open,
    short_term: Database,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    outage: Callable[[Database], AbstractAsyncContextManager[None]],
    sentence: str,
) -> None:
    async with open_demo() as recorder:
        await record(recorder, [message(number) for number in range(1, 11)])
        assert await recorder.settle(timeout=LONG)
        with hears("messages cannot be stored just now") as noted, hears("messages can be stored again") as recovered:
            async with outage(short_term):
                await record(
                    recorder, [edit(1, "hello again", at=40), *map(message, range(11, 61)), deletion(2, at=70)]
                )
                await noted.wait()
                assert not await recorder.settle(timeout=timedelta(seconds=1))
                assert recorder.database_is_away
            await recovered.wait()
            assert await recorder.settle(timeout=LONG)

    assert await ids(short_term) == list(range(1, 61))
    assert await texts_before(short_term) == [(1, "hello")]
    assert await column(short_term, "deleted_at", 2) is not None
    assert not_added(tmp_path) == []
    told = [one.getMessage() for one in caplog.records if "cannot be stored just now" in one.getMessage()]
    assert sentence in told[-1]
    assert len(told) == len(set(told))  # each reason once


@pytest.mark.parametrize("lost", [1, 7, 200])
async def test_power_cut(
    open_demo: Open,
    short_term: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lost: int,
) -> None:
    embedded: list[str] = []

    async def embed(embedder: Embedder, texts: Sequence[str]) -> Vectors:
        embedded.extend(texts)
        return await _no_meaning(embedder, texts)

    monkeypatch.setattr(Embedder, "embed", embed)
    path = tmp_path / "demo.csv"
    await begin_session(short_term, session_name="demo", journal_path=path)
    async with open_demo() as recorder:
        await record(recorder, [message(number) for number in range(1, 201)])
        assert await recorder.settle(timeout=LONG)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-lost]))
    embedded.clear()

    async with open_demo() as recorder:
        await recorder.record(message(201))
        assert await recorder.settle(timeout=LONG)
        stored, journalled_bytes = recorder.progress
        assert stored == journalled_bytes

    assert len(embedded) <= lost + 1
    assert await ids(short_term) == list(range(1, 202))
    await begin_session(short_term, session_name="next", journal_path=tmp_path / "next.csv")
    assert await ids(short_term) == []
    assert sorted(one.message_id for one in whole(Journal(path)).messages) == list(range(1, 202))


@pytest.mark.usefixtures("quickly")
async def test_a_row_that_costs_the_connection_every_time_is_put_aside_and_the_rest_is_stored(
    open_demo: Open, short_term: Database, tmp_path: Path
) -> None:
    await owner(
        short_term,
        "CREATE FUNCTION crash() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN"
        " IF NEW.content = 'poison' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$",
        "CREATE TRIGGER crash BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION crash()",
    )
    # The first of its batch: pg_textsearch lets nothing interrupt a statement that has added to its index.
    journalled(tmp_path, [message(number, "poison" if number == 1 else "fine") for number in range(1, 9)])

    async with open_demo() as recorder:
        await until(recorder.settle)

    assert await ids(short_term) == [2, 3, 4, 5, 6, 7, 8]
    ((put_aside, why),) = not_added(tmp_path)
    assert put_aside == "poison"
    assert "terminating connection" in why


@pytest.mark.usefixtures("quickly")
async def test_after_a_refused_row_the_server_can_still_end_every_connection_of_the_bot(
    open_demo: Open, short_term: Database, tmp_path: Path
) -> None:
    await fails_on(short_term, "22P05")
    journalled(tmp_path, [message(number, "poison" if number == 2 else "fine") for number in range(1, 5)])

    async with open_demo() as recorder:
        await until(recorder.settle)
        await reconnects(short_term)

        assert await connections_left(short_term) == 0


async def connections_left(database: Database) -> int:
    """Return how many connections of the bot a server holds that was told to end them, some seconds later at most."""
    count = 0
    for _ in range(50):
        async with database.engine.connect() as connection:
            count = await connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
            )
        if not count:
            return 0
        await asyncio.sleep(0.1)
    return count


@pytest.mark.usefixtures("quickly")
async def test_many_rows_that_fail_are_put_aside_without_a_wait_for_each(
    open_demo: Open, short_term: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fails_on(short_term, "XX000")
    waits: list[float] = []

    def noted() -> Iterator[float]:
        for seconds in retry_waits():
            waits.append(seconds)
            yield seconds

    monkeypatch.setattr(writer, "retry_waits", noted)
    journalled(tmp_path, [message(number, "poison" if number > 10 else "fine") for number in range(1, 111)])

    async with open_demo(batch=64) as recorder:
        assert await recorder.settle(timeout=2 * LONG)

    assert await ids(short_term) == list(range(1, 11))
    assert len(not_added(tmp_path)) == 100
    assert sum(waits) < 2


@pytest.mark.usefixtures("quickly")
async def test_a_row_that_only_its_vector_keeps_out_is_stored_without_it(
    open_demo: Open, short_term: Database, tmp_path: Path
) -> None:
    await owner(
        short_term,
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.content = 'poison' AND NEW.embedding IS NOT NULL THEN RAISE 'no' USING ERRCODE = 'XX000'; END IF;"
        " RETURN NEW; END $$",
        "CREATE TRIGGER fail BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION fail()",
    )
    async with open_demo() as recorder:
        await record(recorder, [message(1), message(2, "poison"), message(3)])
        assert await recorder.settle(timeout=LONG)
        assert await recorder.settle_vectors(timeout=LONG)

    assert await ids(short_term) == [1, 2, 3]
    assert await column(short_term, "embedding", 2) is None
    assert not_added(tmp_path) == []


@pytest.mark.usefixtures("quickly")
async def test_vectors_of_another_width_than_the_table_has_are_nobodys_fault(
    open_demo: Open, short_term: Database, tmp_path: Path
) -> None:
    drop = "DROP INDEX IF EXISTS messages_diskann"
    with hears("messages cannot be stored just now") as noted:
        async with open_demo() as recorder:
            await owner(short_term, drop, "ALTER TABLE messages ALTER COLUMN embedding TYPE vector(7) USING NULL")
            await record(recorder, [message(1), message(2)])
            await noted.wait()
            await owner(short_term, "ALTER TABLE messages ALTER COLUMN embedding TYPE vector(384) USING NULL")
            await until(recorder.settle)

    assert await ids(short_term) == [1, 2]
    assert not_added(tmp_path) == []


@pytest.mark.usefixtures("quickly")
async def test_what_was_said_before_is_done_without_when_it_cannot_be_read(
    open_demo: Open, short_term: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(session: AsyncSession, **_: object) -> None:
        await session.execute(text("SELECT 1 / 0"))

    monkeypatch.setattr(neighbours, "find_preceding", broken)
    with hears("stored without what was said before them") as told:
        async with open_demo() as recorder:
            await record(recorder, [message(1), message(2)])
            assert await recorder.settle(timeout=LONG)
            assert not recorder.database_is_away

    assert told.is_set()
    assert await ids(short_term) == [1, 2]


@pytest.mark.parametrize("failure", [RuntimeError("index out of range"), ValueError("too long"), OverflowError()])
async def test_a_text_that_the_model_cannot_take_is_stored_without_a_vector(
    open_demo: Open,
    short_term: Database,
    tmp_path: Path,
    memory: Memory,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
) -> None:
    real = Embedder.embed

    async def embed(embedder: Embedder, texts: Sequence[str]) -> Vectors:
        if any("poison" in one for one in texts):
            raise failure
        return await real(embedder, texts)

    monkeypatch.setattr(Embedder, "embed", embed)
    async with open_demo() as recorder:
        await record(
            recorder, [message(number, "poison" if number == 2 else "the kiln is hot") for number in (1, 2, 3)]
        )
        assert await recorder.settle(timeout=LONG)
        assert await recorder.settle_vectors(timeout=LONG)

    assert await ids(short_term) == [1, 2, 3]
    assert [await column(short_term, "embedding", number) is None for number in (1, 2, 3)] == [False, True, False]
    assert not_added(tmp_path) == []
    found = await memory.search("kiln", places=frozenset({1}))
    assert {line.message.message_id for excerpt in found.excerpts for line in excerpt.lines} == {1, 2, 3}


async def test_a_model_that_takes_no_text_for_a_while_keeps_no_message_out_and_no_vector_for_good(
    open_demo: Open, short_term: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = True

    async def embed(embedder: Embedder, texts: Sequence[str]) -> Vectors:
        if broken:
            raise RuntimeError("out of memory")
        return await _no_meaning(embedder, texts)

    monkeypatch.setattr(Embedder, "embed", embed)
    with hears("vectors that lack cannot be added just now") as told:
        async with open_demo() as recorder:
            await record(recorder, [message(1), message(2)])
            assert await recorder.settle(timeout=LONG)
            await told.wait()
            broken = False
            await until(recorder.settle_vectors)

    assert [await column(short_term, "embedding", number) is None for number in (1, 2)] == [False, False]


@pytest.mark.usefixtures("quickly")
async def test_a_vector_that_one_row_is_refused_keeps_no_other_from_its_own(
    open_demo: Open, short_term: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with transaction(short_term.sessions) as session:
        rows = [
            store.Indexed(message(number, "poison" if number == 2 else "fine"), "x", None, None) for number in (1, 2, 3)
        ]
        await store.write(session, batch=rows, revisions=(), journal="demo", position=0)
        await reembed.note_missing(session, 0, of="demo")
    await fails_on(short_term, "XX000", when="UPDATE")

    async with open_demo() as recorder:
        assert await recorder.settle_vectors(timeout=LONG)

    assert [await column(short_term, "embedding", number) is None for number in (1, 2, 3)] == [False, True, False]


@pytest.mark.usefixtures("quickly")
async def test_a_message_that_nothing_can_be_made_of_is_put_aside(
    open_demo: Open, short_term: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = index_text.search_text

    def search_text(one: Message, before: Sequence[Message]) -> str:
        if one.content == "poison":
            raise KeyError("a surprise")
        return real(one, before)

    monkeypatch.setattr(indexing, "search_text", search_text)
    journalled(tmp_path, [message(number, "poison" if number == 5 else "fine") for number in range(1, 21)])
    async with open_demo() as recorder:
        assert await recorder.settle(timeout=LONG)

    assert await ids(short_term) == [number for number in range(1, 21) if number != 5]
    assert not_added(tmp_path) == [("poison", "KeyError: 'a surprise'")]


@pytest.mark.usefixtures("quickly")
async def test_a_csv_that_cannot_be_read_for_a_while_ends_nothing(
    open_demo: Open, short_term: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [OSError(5, "Input/output error"), ValueError("nobody foresaw this")]
    read = Journal.read

    def reading(journal: Journal, position: int, limit: int) -> JournalBatch:
        if failures:
            raise failures.pop(0)
        return read(journal, position, limit)

    monkeypatch.setattr(Journal, "read", reading)
    with hears("messages can be stored again") as recovered:
        async with open_demo() as recorder:
            await recorder.record(message(1))
            await recovered.wait()
            assert await recorder.settle(timeout=LONG)

    assert await ids(short_term) == [1]
