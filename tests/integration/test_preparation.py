"""Short-term memory passes to another session only when the one before is safe; vectors of two models never mix."""

from pathlib import Path

import pytest

from bench.models import shared_model
from db.databases import Database
from db.engines import transaction
from errors import EmbeddingModelError, SessionError
from memory import store
from memory.embedder import Embedder, open_embedder
from memory.embedding.choice import ModelChoice
from memory.journal import Journal
from memory.messages import Message
from memory.preparation import HALF_EMBEDDED, MODEL_FACT, begin_session, prepare
from memory.store import Indexed
from tests.builders import message, remember


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
        assert await store.fact(session, MODEL_FACT) == "all-MiniLM-L6-v2"


@pytest.mark.parametrize(
    ("recorded", "lacking"),
    [
        pytest.param([message(1)], 1, id="one is missing"),
        pytest.param([message(1), message(2, sent_at=message(3).sent_at)], 1, id="one has another time"),
        pytest.param(None, 2, id="there is no file"),
    ],
)
async def test_rows_that_the_csv_lacks_are_never_emptied(
    short_term: Database, tmp_path: Path, recorded: list[Message] | None, lacking: int
) -> None:
    path = tmp_path / "monday.csv"
    if recorded is not None:
        journal_of(path, *recorded)
    await holds(short_term, "monday", path)

    for _ in range(2):  # a refusal changes nothing, so the next start is refused, too
        with pytest.raises(SessionError, match=rf"holds {lacking} messages of session 'monday'.*--session monday"):
            await begin_session(short_term, session_name="tuesday", journal_path=tmp_path / "tuesday.csv")

    assert await count(short_term) == 2
    await begin_session(short_term, session_name="monday", journal_path=path)


async def test_rows_of_an_unknown_session_are_never_emptied(
    short_term: Database, tmp_path: Path, embedder: Embedder
) -> None:
    await remember(short_term, embedder, [message(1)])

    with pytest.raises(SessionError, match="holds 1 messages"):
        await begin_session(short_term, session_name="tuesday", journal_path=tmp_path / "tuesday.csv")


async def test_another_embedding_model_is_refused_with_what_to_do(long_term: Database) -> None:
    other = Embedder(shared_model())
    other.name = "another-model"

    with pytest.raises(
        EmbeddingModelError,
        match=r"long-term memory was embedded with 'all-MiniLM-L6-v2' .* EMBEDDING_MODEL says 'another-model' "
        r".*python main_async\.py --re-embed",
    ):
        await prepare(long_term, other)


async def test_a_memory_that_was_embedded_half_anew_is_refused(long_term: Database, embedder: Embedder) -> None:
    async with transaction(long_term.sessions) as session:
        await store.set_fact(session, MODEL_FACT, HALF_EMBEDDED)

    with pytest.raises(EmbeddingModelError, match=r"stopped half-way: finish it with.*--re-embed"):
        await prepare(long_term, embedder)


async def test_preparing_again_changes_nothing(long_term: Database, embedder: Embedder) -> None:
    await remember(long_term, embedder, [message(1)])

    await prepare(long_term, embedder)

    assert await count(long_term) == 1


async def test_a_model_that_does_not_exist_is_named(tmp_path: Path) -> None:
    choice = ModelChoice(name=str(tmp_path / "no-such-model"), models_dir=tmp_path / "models")
    async with open_embedder(choice) as embedder:
        with pytest.raises(EmbeddingModelError, match=r"no-such-model' cannot be loaded .* correct EMBEDDING_MODEL"):
            await embedder.ready()
