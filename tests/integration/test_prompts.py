"""Questions and passages are embedded after the prompts of their model, and another one before passages is noticed."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import select

from bench.models import shared_model
from bench.processes import ROOT
from db.databases import Database
from db.engines import transaction
from db.metadata import get_metadata
from db.schema import MessageRow
from errors import EmbeddingModelError
from memory.embedding.embedder import Embedder, open_embedder
from memory.embedding.model import Vectors
from memory.index.index_text import text_to_embed
from memory.index.reembed import MODEL_FACT, prepare, reembed
from memory.search.memory import Memory
from memory.search_session import searchable_database
from tests.builders import message, remember
from tests.small_models import (
    PASSAGE_PROMPT,
    QUERY_PROMPT,
    model_that_leaves_prompts_out,
    prompted_model,
    small_model,
)
from util_async import no_progress

pytestmark = [
    pytest.mark.server,
    pytest.mark.timeout(600),  # the first run on a machine makes and exports the models
]

LADDER = message(1, "the ladder is behind the shed")

TEXTS = ["who moved the ladder", "it stands behind the shed", "", "word " * 700]
"""The last one is longer than the models read."""

ON_TORCH = """
import asyncio, json, sys
from dataclasses import replace
from memory.embedding.embedder import open_embedder
from memory.embedding.torch_model import load_sentence_transformer
from tests.small_models import model_that_leaves_prompts_out, prompted_model

async def ours(choice, texts):
    async with open_embedder(choice) as embedder:
        return [(await embedder.embed_questions(texts)).tolist(), (await embedder.embed(texts)).tolist()]

def theirs(choice, texts):
    model = load_sentence_transformer(choice.name)
    return [each(texts, normalize_embeddings=True).tolist() for each in (model.encode_query, model.encode_document)]

texts = json.loads(sys.argv[1])
choices = [replace(prompted_model(), backend="torch"), model_that_leaves_prompts_out()]
print(json.dumps([[asyncio.run(ours(choice, texts)), theirs(choice, texts)] for choice in choices]))
"""


@pytest.fixture
async def plain() -> AsyncIterator[Embedder]:
    """An embedder of a model without prompts."""
    async with open_embedder(small_model()) as embedder:
        yield embedder


@pytest.fixture
async def prompted() -> AsyncIterator[Embedder]:
    """An embedder of the same weights with prompts."""
    async with open_embedder(prompted_model()) as embedder:
        yield embedder


def assert_equal(some: Vectors, others: Vectors) -> None:
    assert float(np.abs(some - others).max()) < 1e-5


async def test_questions_and_passages_are_read_after_their_prompts(plain: Embedder, prompted: Embedder) -> None:
    questions, passages = await prompted.embed_questions(TEXTS), await prompted.embed(TEXTS)

    assert prompted.runs_on == "ONNX Runtime, fp32"
    assert_equal(questions, await plain.embed([f"{QUERY_PROMPT}{text}" for text in TEXTS]))
    assert_equal(passages, await plain.embed([f"{PASSAGE_PROMPT}{text}" for text in TEXTS]))
    assert float(np.abs(questions - passages).max()) > 0.01


async def test_a_passage_that_comes_again_is_not_embedded_again(
    prompted: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await prompted.embed_again(TEXTS[:2])
    embedded: list[str] = []
    embed = prompted.embed

    async def noted(texts: Sequence[str]) -> Vectors:
        embedded.extend(texts)
        return await embed(texts)

    monkeypatch.setattr(prompted, "embed", noted)
    again = await prompted.embed_again([*reversed(TEXTS), TEXTS[0]])

    assert embedded == [text for text in reversed(TEXTS) if text not in TEXTS[:2]]
    assert_equal(first, await embed(TEXTS[:2]))
    assert_equal(again, await embed([*reversed(TEXTS), TEXTS[0]]))


async def test_settings_say_what_stands_before_texts(plain: Embedder) -> None:
    async with open_embedder(replace(prompted_model(), query_prompt="", passage_prompt="x: ")) as embedder:
        assert_equal(await embedder.embed_questions(TEXTS), await plain.embed(TEXTS))
        assert_equal(await embedder.embed(TEXTS), await plain.embed([f"x: {text}" for text in TEXTS]))


async def test_torch_and_sentence_transformers_read_texts_after_the_same_prompts(prompted: Embedder) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", ON_TORCH, json.dumps(TEXTS)]
    process = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, check=True)
    of_prompted, of_leaving_out = json.loads(process.stdout)

    for ours, theirs in (of_prompted, of_leaving_out):
        assert_equal(np.array(ours), np.array(theirs))
    assert_equal(
        np.array(of_prompted[0]), np.array([await prompted.embed_questions(TEXTS), await prompted.embed(TEXTS)])
    )
    assert float(np.abs(np.array(of_leaving_out[0]) - np.array(of_prompted[0])).max()) > 0.01


async def test_a_model_that_leaves_prompts_out_says_why_it_runs_on_torch() -> None:
    choice = replace(model_that_leaves_prompts_out(), backend="onnx")

    async with open_embedder(choice) as embedder:
        with pytest.raises(EmbeddingModelError, match="its vectors leave the prompt out"):
            await embedder.ready()


@pytest.fixture
async def noted(long_term: Database, embedder: Embedder) -> Database:
    """A memory whose passages stand after no prompt."""
    await remember(long_term, embedder, [LADDER])
    return long_term


async def test_another_prompt_before_passages_is_refused_until_all_are_embedded_anew(noted: Database) -> None:
    async with open_embedder(replace(shared_model(), passage_prompt="note: ")) as other:
        with pytest.raises(
            EmbeddingModelError,
            match=r"embedded with 'all-MiniLM-L6-v2' .* says 'all-MiniLM-L6-v2 with passages after \"note: \"' .*"
            r"EMBEDDING_PASSAGE_PROMPT.* re-embed",
        ):
            await prepare(noted, other)

        assert await reembed(noted, other, batch=10, report=no_progress) == 1

        await prepare(noted, other)
        (expected,) = await other.embed([text_to_embed(LADDER)])
        async with transaction(noted.sessions) as session:
            row = (await session.execute(select(MessageRow.embedding, MessageRow.embedding_model))).one()
            assert await get_metadata(session, MODEL_FACT) == row.embedding_model == other.name
        assert_equal(row.embedding, expected)


async def test_another_prompt_before_questions_needs_no_new_vectors(noted: Database) -> None:
    async with open_embedder(replace(shared_model(), query_prompt="question: ")) as other:
        await prepare(noted, other)


class NotingEmbedder(Embedder):
    """An embedder that remembers what it was asked to embed."""

    def __init__(self) -> None:
        super().__init__(replace(shared_model(), query_prompt="question: ", passage_prompt=""))
        self.asked: list[str] = []

    async def embed_after(self, prompt: str, texts: Sequence[str]) -> Vectors:
        self.asked += [f"{prompt}{text}" for text in texts]
        return await super().embed_after(prompt, texts)


async def test_what_is_asked_is_a_question_and_what_was_said_a_passage(noted: Database) -> None:
    embedder = NotingEmbedder()
    database = searchable_database(noted)
    memory = Memory(replace(database, name="short-term"), database, embedder)
    await embedder.ready()

    found = await memory.search("Where did Ana put the ladder?", places=frozenset({1}))
    lines = [line for excerpt in found.excerpts for line in excerpt.lines]
    compared = await memory.compare_own_words("Where did Ana put the ladder?", lines)

    assert compared[0].likeness
    assert embedder.asked == [
        "question: Where did Ana put the ladder?",
        "question: Where did put the ladder?",
        "the ladder is behind the shed",
    ]
    embedder.close()


async def test_a_question_is_embedded_once_and_many_at_once_get_each_their_own() -> None:
    embedder = NotingEmbedder()
    questions = [f"where is tool {number}" for number in range(40)]

    alone = [(await embedder.embed_questions([question]))[0] for question in questions]
    together = await asyncio.gather(*(embedder.embed_questions([question, questions[0]]) for question in questions))

    assert embedder.asked[:40] == [f"question: {question}" for question in questions]
    for vector, (of_question, of_first) in zip(alone, together, strict=True):
        assert_equal(vector, of_question)
        assert_equal(alone[0], of_first)
    await embedder.embed_questions(questions[-1:])  # which of those at once came last is not certain
    before = len(embedder.asked)
    assert_equal((await embedder.embed_questions(questions[-1:]))[0], alone[-1])
    assert len(embedder.asked) == before
    assert (await embedder.embed_questions([])).shape == (0, await embedder.dimensions())
    embedder.close()
