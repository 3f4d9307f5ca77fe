"""The real clients of chat models read answers piece by piece from servers on loopback, and drafts come meanwhile."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from agent.agent import REPLACED, Agent
from agent.config import AgentConfig, ModelConfig
from agent.model_answers import MODEL_FAILED
from agent.models.create import create_chat_model
from agent.progress import StepKind
from db.databases import Database
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from tests.agents import DEPLOY, LUNCH, Watching, chat, of, question
from tests.builders import message, remember
from tests.fakes import StreamingModel, calls, says
from tests.fakes_ollama import open_fake_ollama
from tests.fakes_openai import Reply, answers, open_fake_openai, wants

CONFIG = AgentConfig(timeout=timedelta(seconds=60), draft_every=timedelta(milliseconds=10))
BOTH = question("when are the deploy and lunch?")
SEARCH = wants("search_messages", query="deploy friday")
TEXT = "The deploy is on Friday [1]. Lunch is at noon [2]. That is all that was said."
DRAFTS = ["The deploy is on Friday [1].", "The deploy is on Friday [1]. Lunch is at noon [2]."]
KNOWN = answers("On Friday [1].")


@asynccontextmanager
async def asked_of(name: str, replies: list[Reply], *, streams: bool = True) -> AsyncGenerator[Agent]:
    """Yield an agent whose model is on a server of that kind, and has answered a question before."""
    if name.startswith("ollama:"):
        async with open_fake_ollama("local", answer=TEXT, pause=0.01) as url:
            yield await _known(name, url)
    else:
        async with open_fake_openai([KNOWN, *replies], streams=streams, pause=0.01) as server:
            yield await _known(name, server.url)


async def _known(name: str, url: str) -> Agent:
    model = create_chat_model(ModelConfig(name=name, base_url=url))
    asked = Agent(of(model), memory=chat(), config=CONFIG)
    await asked.ask(BOTH)
    return asked


@pytest.mark.parametrize("name", ["openai:local", "huggingface:local/model", "ollama:local"])
async def test_sentences_are_shown_while_a_server_still_sends_the_rest(name: str) -> None:
    watching = Watching()
    async with asked_of(name, [SEARCH, answers(TEXT)]) as asked:
        asking = asyncio.create_task(asked.ask(BOTH, watcher=watching))
        async with asyncio.timeout(60):
            await watching.sees("on Friday [1].")
        assert not asking.done()
        answer = await asking

    assert [draft.text for draft in watching.drafts] == DRAFTS
    assert (answer.text, answer.notes) == (TEXT, ())
    assert [source.message for source in answer.sources] == [DEPLOY, LUNCH]
    assert [step.kind for step in watching.steps if step.kind is not StepKind.WAITING][:2] == [
        StepKind.SEARCHING,
        StepKind.WRITING,
    ]


@pytest.mark.parametrize("name", ["openai:local", "huggingface:local/model"])
async def test_a_server_that_sends_the_whole_although_pieces_were_asked_for_is_read_too(name: str) -> None:
    watching = Watching()
    async with asked_of(name, [answers(TEXT)], streams=False) as asked:
        answer = await asked.ask(BOTH, watcher=watching)

    assert (answer.text, answer.notes, watching.drafts) == (TEXT, (), [])


@pytest.mark.parametrize("reply", [500, 401])
async def test_a_server_that_fails_when_it_is_asked_for_pieces_is_replaced_by_quotes(reply: Reply) -> None:
    async with asked_of("openai:local", [reply]) as asked:
        answer = await asked.ask(BOTH, watcher=Watching())

    assert answer.notes == (MODEL_FAILED,)


@pytest.mark.parametrize("name", ["openai:local", "huggingface:local/model"])
async def test_reading_ends_when_the_question_is_cancelled(name: str) -> None:
    watching = Watching()
    async with open_fake_openai([KNOWN, answers(TEXT * 50)], pause=0.02) as server:
        asked = await _known(name, server.url)
        asking = asyncio.create_task(asked.ask(BOTH, watcher=watching))
        async with asyncio.timeout(60):
            await watching.sees("on Friday [1].")
        assert server.is_read.is_set()

        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        async with asyncio.timeout(10):
            while server.is_read.is_set():  # noqa: ASYNC110  # the server notices a closed connection when it writes
                await asyncio.sleep(0.01)


async def test_a_connection_that_breaks_in_the_middle_is_replaced_by_quotes_which_say_so() -> None:
    watching = Watching()
    async with open_fake_openai([KNOWN, answers(TEXT * 20)], pause=0.02) as server:
        asked = await _known("openai:local", server.url)
        asking = asyncio.create_task(asked.ask(BOTH, watcher=watching))
        async with asyncio.timeout(60):
            await watching.sees("on Friday [1].")
        server.breaks = True
        answer = await asking

    assert answer.notes == (MODEL_FAILED, REPLACED)


STAFF = 9
MESSAGES = (
    message(1, "the deploy is on friday"),
    message(2, "lunch is at noon", channel_id=11, channel_name="kitchen"),
    message(3, "the secret deploy is on sunday", channel_id=STAFF, channel_name="staff", author_name="Gus"),
)


@pytest.mark.server
@pytest.mark.parametrize(
    "text",
    [
        "when is the secret deploy in #staff?",
        "deploy in #general and #staff?",
        "how often was deploy said in #staff?",
        "what did Gus say in #staff?",
        "what was said in <#9> since Monday?",
        "the last 3 messages in #staff",
        "lunch in #kitchen?",
        "secret deploy sunday",
    ],
)
async def test_what_is_told_before_an_answer_from_real_memory_names_nothing_hidden(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder, text: str
) -> None:
    await remember(short_term, embedder, MESSAGES)
    await remember(long_term, embedder, MESSAGES)
    watching = Watching()
    search = calls("search_messages", query="secret deploy staff sunday", when="all time")
    written = says("On Friday [1]. And Sunday [2]. At noon [3]. Bye [4].")
    model = StreamingModel([says("On Friday [1]. "), search, written])
    asked = Agent(of(model), memory=memory, config=CONFIG)
    readable = frozenset({1, 11})
    await asked.ask(question("when is the deploy?", places=readable))

    answer = await asked.ask(question(text, places=readable), watcher=watching)

    assert {name for step in watching.steps for name in step.channels} <= {"general", "kitchen"}
    for shown in [*watching.drafts, answer]:
        assert {source.message.channel_id for source in shown.sources} <= readable
        assert shown.shown_places <= readable
