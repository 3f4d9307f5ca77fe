"""The real clients of chat models meet servers on loopback that fail in all the ways that servers have."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from agent.agent import Agent
from agent.config import AgentConfig, ModelConfig
from agent.model_answers import MODEL_FAILED
from agent.models.chain import NamedModel
from agent.models.create import create_chat_model
from tests.agents import chat, of, question
from tests.builders import closed_port
from tests.fakes import ScriptedModel, said, says
from tests.fakes_ollama import open_fake_ollama
from tests.fakes_openai import NEVER, Refusal, Reply, answers, open_fake_openai

NAMES = ["openai:local", "huggingface:local/model"]
FRIDAY = answers("On Friday [1].")
SECOND = says("The deploy is on Friday [1].")
PATIENT = AgentConfig(timeout=timedelta(seconds=60))
LONG = [said(f"the deploy number {n} is on friday, {'as was said at length ' * 9}") for n in range(30)]


def on(url: str, name: str = "openai:local") -> NamedModel:
    """Return a model that is on a server."""
    return NamedModel(name=name, create=lambda: create_chat_model(ModelConfig(name=name, base_url=url)))


@asynccontextmanager
async def asked_of(
    name: str, *replies: Reply, pause: float = 0.0, config: AgentConfig = PATIENT
) -> AsyncGenerator[Agent]:
    """Yield an agent whose first model is on a server that gives these replies; another one stands behind it."""
    async with open_fake_openai(replies, pause=pause) as server:
        chain = [on(server.url, name), *of(ScriptedModel([SECOND] * 3))]
        asked = Agent(chain, memory=chat(), config=config)
        await asked.ready()
        yield asked


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(Refusal(429, retry_after="1"), id="too many requests"),
        pytest.param(500, id="stumbles"),
        pytest.param(Refusal(503, "Loading model"), id="is loading"),
    ],
)
async def test_a_server_that_fails_once_is_asked_again(name: str, refusal: Reply) -> None:
    async with asked_of(name, refusal, FRIDAY) as asked:
        began = asyncio.get_running_loop().time()
        answer = await asked.ask(question())
        took = asyncio.get_running_loop().time() - began

    assert (answer.text, answer.versions.model) == ("On Friday [1].", name)
    if isinstance(refusal, Refusal) and refusal.retry_after:
        assert took >= 1, "a server says when to come again"


@pytest.mark.parametrize("name", NAMES)
async def test_a_server_that_wants_to_be_left_alone_for_long_is(name: str) -> None:
    async with asked_of(name, Refusal(429, retry_after="300")) as asked:
        first = await asked.ask(question())
        second = await asked.ask(question())

    assert (first.versions.model, second.versions.model) == ("first", "first"), "the first of the others"
    assert asked.model_states[0].total.failures == 1
    assert 250 < asked.model_states[0].rests_for <= 300


@pytest.mark.parametrize("name", ["openai:local", "ollama:local", "huggingface:local/model"])
async def test_where_nobody_listens_the_next_model_answers(name: str) -> None:
    chain = [on(f"http://127.0.0.1:{closed_port()}/v1", name), *of(ScriptedModel([SECOND]))]

    answer = await Agent(chain, memory=chat()).ask(question())

    assert (answer.versions.model, answer.notes) == ("first", ())


@pytest.mark.parametrize("name", NAMES)
async def test_a_server_that_says_nothing_is_given_up_in_time(name: str) -> None:
    config = AgentConfig(timeout=timedelta(seconds=60), first_timeout=timedelta(milliseconds=300))
    async with asked_of(name, NEVER, config=config) as asked:
        answer = await asked.ask(question())

    assert (answer.versions.model, answer.notes) == ("first", ())


@pytest.mark.parametrize("name", NAMES)
async def test_a_stream_that_stays_open_and_brings_nothing_more_is_given_up(name: str) -> None:
    config = AgentConfig(timeout=timedelta(seconds=60), stall_timeout=timedelta(milliseconds=200))
    async with asked_of(name, answers("On Friday [1]. " * 20), pause=0.5, config=config) as asked:
        answer = await asked.ask(question())

    assert (answer.versions.model, answer.notes) == ("first", ())


@pytest.mark.parametrize("name", NAMES)
async def test_a_prompt_that_a_server_finds_too_long_is_made_shorter(name: str) -> None:
    too_long = Refusal(400, "request (9122 tokens) exceeds the available context size (8192 tokens), try increasing it")
    async with open_fake_openai([too_long, FRIDAY]) as server:
        answer = await Agent([on(server.url, name)], memory=chat(*LONG)).ask(question())

    assert (answer.text, answer.notes) == ("On Friday [1].", ())
    first, second = (len(str(request["messages"])) for request in server.requests)
    assert second < 0.75 * first


async def test_a_wrong_key_is_not_tried_again() -> None:
    async with open_fake_openai([401]) as server:
        answer = await Agent([on(server.url)], memory=chat()).ask(question())

    assert (answer.notes, len(server.requests)) == ((MODEL_FAILED,), 1)


async def test_tokens_are_asked_for_while_a_server_writes_unless_it_refuses_that() -> None:
    refusal = Refusal(400, "Unrecognized request argument supplied: stream_options")
    async with open_fake_openai([refusal, FRIDAY]) as server:
        asked = Agent([on(server.url)], memory=chat())
        answers_ = [await asked.ask(question()) for _ in range(2)]

    assert [answer.text for answer in answers_] == ["On Friday [1]."] * 2
    assert ["stream_options" in request for request in server.requests] == [True, False, False]


async def test_reasoning_beside_the_text_is_not_taken_for_the_answer() -> None:
    message = {**FRIDAY, "reasoning_content": "They said [2] Sunday, I think."}
    async with open_fake_openai([message]) as server:
        answer = await Agent([on(server.url)], memory=chat()).ask(question())

    assert answer.text == "On Friday [1]."


async def test_an_ollama_model_that_takes_no_tools_is_told_of_them_once() -> None:
    async with open_fake_ollama("local:latest", answer="On Friday [1].", takes_tools=False) as url:
        traces: list[object] = []
        asked = Agent([on(url, "ollama:local")], memory=chat(), keep_trace=traces.append)
        await asked.ask(question())
        answer = await asked.ask(question())

    assert answer.text == "On Friday [1]."
    assert "lacks': ('tools',)" in str(traces[0].root)  # type: ignore[attr-defined]
    assert "lacks': ()" in str(traces[1].root)  # type: ignore[attr-defined]
