"""What is said before the embedding model is loaded is stored and found by its words, and gets its vectors later."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from agent.agent import Agent
from agent.transcript import BY_WORDS_ALONE
from db.databases import Database
from db.engines import transaction
from db.schema import FactRow, MessageRow
from errors import EmbeddingModelError
from memory.capture import ingest
from memory.capture.recorder import Recorder, open_recorder
from memory.embedding.embedder import Embedder
from memory.embedding.model import Vectors
from memory.index import reembed, store
from memory.search import memory as memory_module
from memory.search.memory import Memory
from tests.agents import question
from tests.builders import edit, message
from tests.forgotten import PATIENCE
from util_async import Progress

HERE = frozenset({1})
KETTLE = message(1, "the kettle is in the blue kitchen")
Open = Callable[[Embedder], AbstractAsyncContextManager[Recorder]]


class LateEmbedder(Embedder):
    """The real embedder, which is not ready before it is told to be, and may fail in place of that."""

    def __init__(self, real: Embedder) -> None:
        self.failure: EmbeddingModelError | None = None
        self._real = real
        self._come = asyncio.Event()

    @property
    def name(self) -> str:
        return self._real.name

    def come(self) -> None:
        self._come.set()

    @property
    def loaded(self) -> bool:
        return self._come.is_set() and self.failure is None

    async def ready(self, report: Progress | None = None) -> None:
        await self._come.wait()
        if self.failure is not None:
            raise self.failure

    async def dimensions(self) -> int:
        return await self._real.dimensions()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        await self.ready()
        return await self._real.embed(texts)

    async def embed_questions(self, texts: Sequence[str]) -> Vectors:
        await self.ready()
        return await self._real.embed_questions(texts)


@pytest.fixture(autouse=True)
def _nobody_waits_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "_EMBEDDER_PATIENCE", timedelta(milliseconds=10))
    monkeypatch.setattr(memory_module, "EMBEDDER_PATIENCE", timedelta(milliseconds=10))


@pytest.fixture
def late(embedder: Embedder) -> LateEmbedder:
    return LateEmbedder(embedder)


@pytest.fixture
def open_demo(tmp_path: Path, short_term: Database) -> Open:
    """Opens the recorder of session `demo` with an embedder."""

    def opening(embedder: Embedder) -> AbstractAsyncContextManager[Recorder]:
        return open_recorder(
            session="demo",
            journal_path=tmp_path / "demo.csv",
            not_added_path=tmp_path / "demo_not_added.csv",
            sessions=short_term.sessions,
            embedder=embedder,
            batch=8,
        )

    return opening


async def without_vector(database: Database) -> list[int]:
    """Return the ids of the rows that have no vector."""
    lacking = select(MessageRow.message_id).where(MessageRow.embedding.is_(None)).order_by(MessageRow.message_id)
    async with transaction(database.sessions) as session:
        return list(await session.scalars(lacking))


async def is_noted(database: Database) -> bool:
    async with transaction(database.sessions) as session:
        noted = select(FactRow.value).where(FactRow.name == reembed.missing_fact("demo"))
        return await session.scalar(noted) is not None


async def until_all_have_vectors(database: Database) -> None:
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while await without_vector(database) or await is_noted(database):  # noqa: ASYNC110  # rows set no event
            await asyncio.sleep(0.02)


async def test_messages_are_stored_before_the_model_is_there_and_get_their_vectors_when_it_is(
    open_demo: Open, late: LateEmbedder, short_term: Database
) -> None:
    async with open_demo(late) as recorder:
        await recorder.record(KETTLE)
        await recorder.record(message(2, "the teapot is next to it"))
        assert await recorder.settle(timeout=PATIENCE)
        assert await without_vector(short_term) == [1, 2]

        late.come()
        await until_all_have_vectors(short_term)

        await recorder.record(message(3, "and the sugar is gone"))
        assert await recorder.settle(timeout=PATIENCE)
        assert await without_vector(short_term) == []


async def test_a_program_that_ended_before_the_model_came_is_made_up_for_by_the_next(
    open_demo: Open, late: LateEmbedder, embedder: Embedder, short_term: Database
) -> None:
    async with open_demo(late) as recorder:
        await recorder.record(KETTLE)
        assert await recorder.settle(timeout=PATIENCE)
    assert await without_vector(short_term) == [1]

    async with open_demo(embedder):
        await until_all_have_vectors(short_term)


async def test_an_edit_in_the_meantime_is_not_given_the_vector_of_what_was_said_before(
    open_demo: Open, late: LateEmbedder, embedder: Embedder, short_term: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_demo(late) as recorder:
        await recorder.record(KETTLE)
        assert await recorder.settle(timeout=PATIENCE)
    changed = edit(1, "the kettle is broken", at=5)

    async def edited_while_it_is_embedded(texts: Sequence[str]) -> Vectors:
        async with transaction(short_term.sessions) as session:
            row = store.Indexed(changed, changed.content, None, None)
            await store.write(session, batch=[row], revisions=[], journal="demo", position=1)
        return await embedder.embed(texts)

    late.come()
    monkeypatch.setattr(late, "embed", edited_while_it_is_embedded)
    await reembed.embed_some(short_term.sessions, late, 8)

    assert await without_vector(short_term) == [1]


async def test_a_question_is_answered_by_words_alone_and_says_so(
    open_demo: Open, late: LateEmbedder, embedder: Embedder, memory: Memory
) -> None:
    await embedder.ready()
    early = replace(memory, embedder=late)
    async with open_demo(late) as recorder:
        await recorder.record(KETTLE)
        await recorder.record(message(2, "nothing about that"))
        assert await recorder.settle(timeout=PATIENCE)

        found = await early.search("where is the kettle?", places=HERE)
        answer = await Agent((), memory=early).ask(question("where is the kettle?", places=HERE))

    assert found.by_words_alone
    hits = [line for excerpt in found.excerpts for line in excerpt.lines if line.hit]
    assert max(hits, key=lambda line: line.score).message == KETTLE
    assert [source.message for source in answer.sources] == [KETTLE]
    assert BY_WORDS_ALONE in answer.notes
    assert not (await replace(memory, embedder=embedder).search("kettle", places=HERE)).by_words_alone


async def test_a_model_that_cannot_be_loaded_ends_the_recording_and_loses_nothing(
    open_demo: Open, late: LateEmbedder, short_term: Database
) -> None:
    late.failure = EmbeddingModelError("The embedding model is damaged.")

    async def record_until_it_fails() -> None:
        async with open_demo(late) as recorder:
            await recorder.record(KETTLE)
            assert await recorder.settle(timeout=PATIENCE)
            late.come()
            await asyncio.sleep(PATIENCE.total_seconds())

    with pytest.raises(ExceptionGroup) as failed:
        await record_until_it_fails()
    assert failed.group_contains(EmbeddingModelError)
    assert await without_vector(short_term) == [1]
