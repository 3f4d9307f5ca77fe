"""Whatever the database answers, capture goes on, a row that it refuses keeps no other out, and the rest waits."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from db.databases import Database
from db.engines import transaction
from db.roles import Role, role_name
from memory.embedder import Embedder
from memory.embedding.running_model import Vectors
from memory.recorder import Recorder, open_recorder
from tests.builders import deletion, edit, hears, message
from tests.integration.test_ingest import column, ids, journalled, not_added, record, texts_before

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
