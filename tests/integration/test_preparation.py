"""Short-term memory passes to another session only when the one before is safe; vectors of two models never mix."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bench.models import shared_model
from db.databases import Database
from db.engines import transaction
from db.metadata import get_metadata, set_metadata
from db.schema import MessageRow, RevisionRow
from errors import EmbeddingModelError, SessionError
from memory.capture.journal import Journal
from memory.capture.recorder import open_recorder
from memory.capture.session import begin_session
from memory.embedding.config import EmbeddingConfig
from memory.embedding.embedder import Embedder, open_embedder
from memory.index import store
from memory.index.reembed import HALF_EMBEDDED, MODEL_FACT, prepare
from memory.index.store import Indexed
from memory.message import Message
from tests.builders import FULL, deletion, edit, message, remember, whole


def journal_of(path: Path, *messages: Message) -> Path:
    journal = Journal(path)
    journal.open()
    journal.record(messages)
    journal.close()
    return path


async def count(database: Database) -> int:
    async with transaction(database.sessions) as session:
        return await store.count(session)


async def holds(database: Database, session_name: str, journal_path: Path) -> None:
    """Let a memory hold a session with messages 1 and 2."""
    await begin_session(database, session_name=session_name, journal_path=journal_path)
    batch = [Indexed(message(number), "", None, None) for number in (1, 2)]
    async with transaction(database.sessions) as session:
        await store.write(session, batch=batch, revisions=(), journal=session_name, position=50)


async def test_the_same_session_goes_on_with_what_is_there(short_term: Database, tmp_path: Path) -> None:
    await holds(short_term, "monday", tmp_path / "monday.csv")  # even though the CSV is gone

    await begin_session(short_term, session_name="monday", journal_path=tmp_path / "monday.csv")

    assert await count(short_term) == 2


async def test_another_session_begins_anew_when_the_csv_holds_every_row(short_term: Database, tmp_path: Path) -> None:
    await holds(short_term, "monday", journal_of(tmp_path / "monday.csv", message(1), message(2), message(3)))

    await begin_session(short_term, session_name="tuesday", journal_path=tmp_path / "tuesday.csv")

    assert await count(short_term) == 0
    async with transaction(short_term.sessions) as session:
        assert await store.position(session, journal="monday") == 0
        assert await get_metadata(session, MODEL_FACT) == "all-MiniLM-L6-v2"


@pytest.mark.parametrize(
    "recorded",
    [
        pytest.param([message(1)], id="one is missing"),
        pytest.param([message(1), message(2, sent_at=message(3).sent_at)], id="one has another time"),
        pytest.param([], id="it is empty"),
        pytest.param(None, id="there is no file"),
    ],
)
async def test_rows_that_the_csv_lacks_are_written_back_into_it_before_they_go(
    short_term: Database, tmp_path: Path, recorded: list[Message] | None
) -> None:
    path = tmp_path / "monday.csv"
    if recorded is not None:
        journal_of(path, *recorded)
    await holds(short_term, "monday", path)

    await begin_session(short_term, session_name="tuesday", journal_path=tmp_path / "tuesday.csv")

    assert await count(short_term) == 0
    written = whole(Journal(path)).messages
    assert [one for one in written if one not in (recorded or [])] == [
        one for one in (message(1), message(2)) if one not in (recorded or [])
    ]
    assert [one.name for one in tmp_path.glob("*")] == ["monday.csv"]  # noqa: ASYNC240


async def test_rows_of_an_unknown_session_get_a_csv_of_their_own_before_they_go(
    short_term: Database, tmp_path: Path, embedder: Embedder
) -> None:
    await remember(short_term, embedder, [message(1)])

    await begin_session(short_term, session_name="tuesday", journal_path=tmp_path / "tuesday.csv")

    assert await count(short_term) == 0
    assert whole(Journal(tmp_path / "recovered.csv")).messages == (message(1),)


@pytest.mark.parametrize("obstacle", ["no folder", "a file in place of the folder", "another file"])
async def test_rows_that_cannot_be_written_back_stay_where_they_are(
    short_term: Database, tmp_path: Path, obstacle: str
) -> None:
    path = tmp_path / "gone" / "monday.csv"
    if obstacle == "a file in place of the folder":
        path.parent.write_text("")
    if obstacle == "another file":
        path.parent.mkdir()
        path.write_text("name,age\nana,7\n")
    await holds(short_term, "monday", path)

    for _ in range(2):  # a refusal changes nothing, so the next start is refused, too
        with pytest.raises(
            SessionError, match=r"session 'monday' that its CSV \(.*monday\.csv\) lacks.*: make its folder"
        ):
            await begin_session(short_term, session_name="tuesday", journal_path=tmp_path / "tuesday.csv")

    assert await count(short_term) == 2
    assert obstacle != "another file" or path.read_text() == "name,age\nana,7\n"


STATES = [
    FULL,
    message(10, "never touched"),
    message(11, "", attachments=FULL.attachments),
    *[message(12, "first"), edit(12, "second", at=20), edit(12, "third", at=30)],
    *[message(13, "one"), edit(13, "two", at=20), edit(13, "two", at=30, attachments=FULL.attachments)],
    *[message(14, "gone soon"), deletion(14, at=40)],
    *[message(15, "before"), edit(15, "after", at=20), deletion(15, at=40)],
    deletion(16, at=40),
    edit(17, "heard of when it was edited", at=20),
    message(18, 'quotes " and, commas\r\nand lines\n\n'),
    message(19, ""),
]
"""Everything that may happen to a message."""


async def contents(database: Database) -> tuple[list[Message], list[tuple[object, ...]]]:
    """Return all messages, and all texts that edits have replaced."""
    async with transaction(database.sessions) as session:
        rows = await session.execute(select(*store.MESSAGE_COLUMNS).order_by(MessageRow.message_id))
        messages = [store.to_message(row) for row in rows.mappings()]
        former = select(RevisionRow.message_id, RevisionRow.revised_at, RevisionRow.content)
        texts = [tuple(row) for row in await session.execute(former.order_by(*former.selected_columns))]
    return messages, texts


async def stored_from(database: Database, path: Path, embedder: Embedder, *, batch: int) -> None:
    """Bring a CSV into short-term memory, as a start does."""
    aside = path.with_name("aside.csv")
    async with open_recorder(
        session="monday",
        journal_path=path,
        not_added_path=aside,
        sessions=database.sessions,
        embedder=embedder,
        batch=batch,
    ) as recorder:
        assert await recorder.settle(timeout=timedelta(seconds=60))


@pytest.mark.parametrize("kept", range(0, len(STATES) + 1, 4))
@pytest.mark.parametrize("batch", [pytest.param(1, id="one by one"), pytest.param(100, id="in one batch")])
async def test_what_is_written_back_adds_up_to_the_same_rows_whatever_the_csv_had_kept(
    short_term: Database, tmp_path: Path, embedder: Embedder, kept: int, batch: int
) -> None:
    path = tmp_path / "monday.csv"
    await begin_session(short_term, session_name="monday", journal_path=path)
    journal_of(path, *STATES)
    await stored_from(short_term, path, embedder, batch=batch)
    before = await contents(short_term)
    path.unlink()
    if kept:
        journal_of(path, *STATES[:kept])

    await begin_session(short_term, session_name="tuesday", journal_path=tmp_path / "tuesday.csv")
    assert await count(short_term) == 0
    await begin_session(short_term, session_name="monday", journal_path=path)
    await stored_from(short_term, path, embedder, batch=100)

    assert await contents(short_term) == before


async def test_what_was_written_back_is_not_written_twice(short_term: Database, tmp_path: Path) -> None:
    path = tmp_path / "monday.csv"
    await holds(short_term, "monday", path)
    await begin_session(short_term, session_name="tuesday", journal_path=tmp_path / "tuesday.csv")
    once = path.read_bytes()
    await holds(short_term, "monday", path)

    await begin_session(short_term, session_name="tuesday", journal_path=tmp_path / "tuesday.csv")

    assert path.read_bytes() == once


async def test_a_session_that_goes_on_gets_its_lost_lines_back_and_nothing_is_read_twice(
    short_term: Database, tmp_path: Path
) -> None:
    path = journal_of(tmp_path / "monday.csv", *(message(number) for number in range(1, 31)))
    await begin_session(short_term, session_name="monday", journal_path=path)
    size = path.stat().st_size
    async with transaction(short_term.sessions) as session:
        batch = [Indexed(message(number), "", None, None) for number in range(1, 31)]
        await store.write(session, batch=batch, revisions=(), journal="monday", position=size)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:21]) + lines[21][:9])

    await begin_session(short_term, session_name="monday", journal_path=path)

    assert [one.message_id for one in whole(Journal(path)).messages] == list(range(1, 31))
    async with transaction(short_term.sessions) as session:
        assert await store.position(session, journal="monday") == path.stat().st_size


async def test_a_session_whose_folder_was_moved_is_ended_by_the_csv_that_it_has_now(
    short_term: Database, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    await holds(short_term, "monday", tmp_path / "old" / "monday.csv")
    path = journal_of(tmp_path / "new" / "monday.csv", message(1), message(2))

    await begin_session(short_term, session_name="monday", journal_path=path)
    await begin_session(short_term, session_name="tuesday", journal_path=tmp_path / "tuesday.csv")

    assert await count(short_term) == 0


async def test_another_embedding_model_is_refused_with_what_to_do(
    long_term: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Embedder(shared_model())
    monkeypatch.setattr(Embedder, "name", "another-model")

    with pytest.raises(
        EmbeddingModelError,
        match=r"long-term memory was embedded with 'all-MiniLM-L6-v2' .* EMBEDDING_MODEL says 'another-model' "
        r".*python main_async\.py re-embed",
    ):
        await prepare(long_term, other)


async def test_a_memory_that_was_embedded_half_anew_is_refused(long_term: Database, embedder: Embedder) -> None:
    async with transaction(long_term.sessions) as session:
        await set_metadata(session, MODEL_FACT, HALF_EMBEDDED)

    with pytest.raises(EmbeddingModelError, match=r"stopped half-way: finish it with.*re-embed"):
        await prepare(long_term, embedder)


async def test_preparing_again_changes_nothing(long_term: Database, embedder: Embedder) -> None:
    await remember(long_term, embedder, [message(1)])

    await prepare(long_term, embedder)

    assert await count(long_term) == 1


async def test_a_model_that_does_not_exist_is_named(tmp_path: Path) -> None:
    choice = EmbeddingConfig(name=str(tmp_path / "no-such-model"), models_dir=tmp_path / "models")
    async with open_embedder(choice) as embedder:
        with pytest.raises(EmbeddingModelError, match=r"no-such-model' cannot be loaded .* correct EMBEDDING_MODEL"):
            await embedder.ready()
