"""A model is asked again where that may help, without what it lacks, and no longer than it may take."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2 as httpx
import ollama
import openai
import pytest
from langchain_core.messages import AIMessage

from agent.agent import Agent
from agent.config import AgentConfig
from agent.model_answers import MODEL_FAILED
from agent.models import asking, failures
from agent.models.failures import is_passing, is_too_long, retry_after
from agent.models.runaway import loop_start
from tests.agents import DEPLOY, chat, of, question
from tests.fakes import ScriptedModel, StreamingModel, said, says
from tracing import Trace

FRIDAY = says("On Friday [1].")
REQUEST = httpx.Request("POST", "http://localhost/v1")


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return for how long was waited between attempts; nobody really waits."""
    seconds: list[float] = []
    real = asyncio.sleep

    async def sleep(delay: float) -> None:
        seconds.append(delay)
        await real(0)

    monkeypatch.setattr("agent.models.asking.asyncio.sleep", sleep)
    return seconds


def refused(status: int, text: str = "broken", **headers: str) -> openai.APIStatusError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx.Response(status, headers=named, request=REQUEST)
    return openai.APIStatusError(text, response=response, body=None)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(refused(429), id="too many requests"),
        pytest.param(refused(500), id="a server that stumbles"),
        pytest.param(refused(503, "Loading model"), id="a model that is being loaded"),
        pytest.param(ollama.ResponseError("overloaded", 503), id="Ollama"),
        pytest.param(ConnectionError("Failed to connect to Ollama"), id="nobody there"),
        pytest.param(openai.APIConnectionError(request=REQUEST), id="nobody there, as OpenAI's client says"),
    ],
)
async def test_what_may_pass_is_asked_again_a_moment_later(error: Exception, waits: list[float]) -> None:
    if isinstance(error, openai.APIConnectionError):
        error.__cause__ = httpx.ConnectError("refused")
    model = ScriptedModel([error, error, FRIDAY])

    answer = await Agent(of(model), memory=chat()).ask(question())

    assert (answer.text, answer.notes) == ("On Friday [1].", ())
    assert len(waits) == 2
    assert waits[0] <= 0.5
    assert waits[1] <= 1.0


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(refused(401), id="a wrong key"),
        pytest.param(refused(429, "You exceeded your quota: insufficient_quota"), id="no money"),
        pytest.param(TimeoutError(), id="a read that took too long"),
        pytest.param(ValueError("no"), id="anything else"),
    ],
)
async def test_what_does_not_pass_is_not_asked_again(error: Exception, waits: list[float]) -> None:
    model = ScriptedModel([error, FRIDAY])

    answer = await Agent(of(model), memory=chat()).ask(question())

    assert (answer.notes, waits) == ((MODEL_FAILED,), [])


async def test_it_is_asked_three_times_and_no_more() -> None:
    model = ScriptedModel([refused(500)] * 4)

    await Agent(of(model), memory=chat()).ask(question())

    assert len(model.heard) == asking.ATTEMPTS


async def test_a_server_says_for_how_long_to_wait(waits: list[float]) -> None:
    model = ScriptedModel([refused(429, retry_after="7"), FRIDAY])

    answer = await Agent(of(model), memory=chat()).ask(question())

    assert (answer.text, waits) == ("On Friday [1].", [7.0])


async def test_a_wait_that_does_not_fit_into_the_time_of_the_question_is_left_to_the_next_model(
    waits: list[float],
) -> None:
    first = ScriptedModel([refused(429, retry_after="90")])
    asked = Agent(of(first, ScriptedModel([FRIDAY, FRIDAY])), memory=chat())

    answer = await asked.ask(question())

    assert (answer.versions.model, waits) == ("second", [])
    assert 80 < asked.model_states[0].rests_for <= 90
    assert (await asked.ask(question())).versions.model == "second", "and the server is left alone for so long"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("12", timedelta(seconds=12)),
        ("Wed, 04 Nov 2026 08:01:00 GMT", timedelta(minutes=1)),
        ("Wed, 04 Nov 2026 07:00:00 GMT", timedelta(0)),
        ("soon", None),
        ("-3", None),
        ("9" * 5000, None),
    ],
)
def test_the_header_is_seconds_or_a_date(header: str, expected: timedelta | None) -> None:
    error = refused(503, retry_after=header)

    assert retry_after(error, now=datetime(2026, 11, 4, 8, tzinfo=UTC)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{'message': 'request (9122 tokens) exceeds the available context size (8192 tokens), try increasing it'}",
        "{'message': \"This model's maximum context length is 8192 tokens. Your messages resulted in 9001 tokens.\"}",
        "The decoder prompt (length 9000) is longer than the maximum model length of 8192.",
        "the input length exceeds the context length (status code: 400)",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ],
    ids=["llama.cpp", "OpenAI", "vLLM", "Ollama", "text-generation-inference", "Anthropic"],
)
def test_that_a_prompt_was_too_long_is_known_by_what_servers_say(text: str) -> None:
    assert is_too_long(refused(400, text))
    assert not is_too_long(refused(400, "The model does not exist."))


LONG = [said(f"the deploy number {n} is on friday, {'as was said at length ' * 9}") for n in range(30)]


async def test_a_prompt_that_was_too_long_is_made_shorter_once() -> None:
    model = ScriptedModel([refused(400, "context_length_exceeded"), FRIDAY])

    answer = await Agent(of(model), memory=chat(*LONG)).ask(question())

    assert (answer.text, answer.notes) == ("On Friday [1].", ())
    first, second = (_length(heard) for heard in model.heard)
    assert second < 0.75 * first


async def test_a_prompt_that_is_still_too_long_fails() -> None:
    model = ScriptedModel([refused(400, "context_length_exceeded")] * 3)

    answer = await Agent(of(model), memory=chat(*LONG)).ask(question())

    assert (answer.notes, len(model.heard)) == ((MODEL_FAILED,), 2)


def _length(heard: Sequence[Any]) -> int:
    return sum(len(message.text) for message in heard)


@pytest.mark.parametrize("nothing", ["", "  \n", "<think>Friday, I suppose.</think>", "..."])
async def test_an_answer_without_a_word_is_asked_for_once_more(nothing: str) -> None:
    model = ScriptedModel([AIMessage(nothing), FRIDAY])

    answer = await Agent(of(model), memory=chat()).ask(question())

    assert (answer.text, answer.notes) == ("On Friday [1].", ())


async def test_after_two_empty_answers_the_next_model_is_asked() -> None:
    first = ScriptedModel([AIMessage(""), AIMessage("")])

    answer = await Agent(of(first, ScriptedModel([FRIDAY])), memory=chat()).ask(question())

    assert (answer.versions.model, len(first.heard)) == ("second", 2)


async def test_a_model_that_refuses_tools_is_not_told_of_them_again() -> None:
    model = ScriptedModel([refused(400, "this model does not support tools"), FRIDAY, FRIDAY])
    asked = Agent(of(model), memory=chat())
    await asked.ask(question())

    await asked.ask(question())

    assert len(model.heard) == 3
    assert [message.type for message in model.heard[-1]] == ["system", "human"]


async def test_a_server_that_knows_no_stream_options_is_asked_without_them() -> None:
    model = ScriptedModel([refused(400, "Unrecognized request argument: stream_options"), FRIDAY])

    assert (await Agent(of(model), memory=chat()).ask(question())).text == "On Friday [1]."


async def test_a_model_that_does_not_begin_in_time_is_left_for_the_next_one() -> None:
    never = asyncio.Event()
    first = StreamingModel([["", never]])
    config = AgentConfig(first_timeout=timedelta(milliseconds=20))

    answer = await Agent(of(first, ScriptedModel([FRIDAY])), memory=chat(), config=config).ask(question())

    assert (answer.versions.model, answer.notes) == ("second", ())
    assert first.closed.is_set(), "nothing is read from it any more"


async def test_a_model_that_stands_still_in_the_middle_is_left_for_the_next_one() -> None:
    first = StreamingModel([["On ", "Fri", asyncio.Event()]])
    config = AgentConfig(stall_timeout=timedelta(milliseconds=20))

    answer = await Agent(of(first, ScriptedModel([FRIDAY])), memory=chat(), config=config).ask(question())

    assert (answer.versions.model, first.closed.is_set()) == ("second", True)


async def test_a_trace_says_when_a_model_began_to_write() -> None:
    traces: list[Trace] = []
    asked = Agent(of(StreamingModel([FRIDAY])), memory=chat(), keep_trace=traces.append)

    await asked.ask(question())

    (model,) = [part for part in traces[0].root.parts if part.name == "model"]
    first = model.parts[0].facts["first_piece_seconds"]
    assert isinstance(first, float)
    assert 0 <= first < 5


async def test_a_model_with_another_one_behind_it_has_half_of_the_time_to_begin() -> None:
    first = StreamingModel([[asyncio.Event()]])
    config = AgentConfig(timeout=timedelta(milliseconds=600))

    answer = await Agent(of(first, ScriptedModel([FRIDAY])), memory=chat(), config=config).ask(question())

    assert answer.versions.model == "second"


async def test_an_endless_answer_is_cut_off_while_it_is_written_and_what_came_before_stands() -> None:
    rest = "I can tell you more about the deploy.\n"
    model = StreamingModel([["On Friday [1].\n", *[rest] * 5000]])

    answer = await Agent(of(model), memory=chat()).ask(question())

    assert answer.text.startswith("On Friday [1].")
    assert answer.text.count("tell you more") <= 1
    assert [source.message for source in answer.sources] == [DEPLOY]
    assert model.closed.is_set()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("On Friday. " + "yes " * 60, "On Friday. yes", id="a word"),
        pytest.param("A\n" + "The deploy is on Friday.\n" * 12, "A\nThe deploy is on Friday.", id="a line"),
        pytest.param("A" + "\n" * 200, "A\n", id="empty lines"),
    ],
)
def test_a_loop_is_cut_behind_its_first_passage(text: str, kept: str) -> None:
    start = loop_start(text)

    assert start is not None
    assert text[:start] == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The deploy is on Friday [1], and lunch is at noon [2].",
        "| day | time |\n|---|---|\n" + "".join(f"| day {n} | {n}:00 |\n" for n in range(40)),
        "-" * 100,
        "".join(f"{n}. Ana said it at {n}:15 [1].\n" for n in range(50)),
        "no " * 20,
    ],
)
def test_what_resembles_itself_is_no_loop(text: str) -> None:
    assert loop_start(text) is None


def test_what_the_clients_raise_is_told_apart() -> None:
    error = openai.APITimeoutError(request=REQUEST)
    error.__cause__ = httpx.ReadTimeout("slow")
    assert not is_passing(error)
    assert failures.status_of(ollama.ResponseError("gone", 404)) == 404
    assert not is_passing(ollama.ResponseError("gone", 404))
