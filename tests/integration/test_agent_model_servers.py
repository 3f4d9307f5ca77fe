"""The servers of language models are asked at the start whether they have the model, by their real clients."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from agent.agent import Agent
from agent.config import AgentConfig, ModelConfig
from agent.models.create import create_chat_model
from agent.models.known import refuse_unknown_model
from cli.commands.startup import chat_model
from errors import ChatModelError
from ops.checks.models import ModelToCheck, language
from ops.checks.result import Status, result_of
from ops.checks.run import LOAD_LIMIT
from settings import read_settings
from tests.agents import DEPLOY, chat, of, question
from tests.builders import closed_port
from tests.fakes_ollama import open_fake_ollama
from tests.fakes_openai import NEVER, answers, open_fake_openai


async def ask(name: str, url: str, *, patience: timedelta = timedelta(seconds=20)) -> None:
    await asyncio.to_thread(refuse_unknown_model, ModelConfig(name=name, base_url=url), patience=patience)


@pytest.mark.parametrize("name", ["llama3", "llama3:latest", "Llama3", "hf.co/some/Model-GGUF:Q4"])
async def test_a_model_that_ollama_has_is_taken(name: str) -> None:
    async with open_fake_ollama("llama3:latest", "hf.co/some/Model-GGUF:Q4") as url:
        await ask(f"ollama:{name}", url)


@pytest.mark.parametrize("name", ["llama4", "llama3:70b"])
async def test_a_model_that_ollama_lacks_is_refused_with_what_to_do(name: str) -> None:
    async with open_fake_ollama("llama3:latest") as url:
        with pytest.raises(ChatModelError, match=f"is unknown.*does not have this model: run ollama pull {name}, or"):
            await ask(f"ollama:{name}", url)


async def test_a_model_that_an_openai_server_has_is_taken() -> None:
    async with open_fake_openai([500], models=("local", "other")) as server:
        await ask("openai:local", server.url)

    assert server.requests == []


async def test_a_model_that_an_openai_server_lacks_is_refused() -> None:
    async with open_fake_openai([answers("Hello.")], models=("local",)) as server:
        with pytest.raises(ChatModelError, match=r"'openai:remote' is unknown: .*/v1 does not have this model"):
            await ask("openai:remote", server.url)


async def test_a_name_that_is_not_listed_and_answers_all_the_same_is_taken() -> None:
    async with open_fake_openai([answers("Hello.")], models=("/models/x.gguf",), takes_any=True) as server:
        await ask("openai:anything", server.url)

    assert server.requests[0]["max_tokens"] == 1


@pytest.mark.parametrize("reply", [500, 401, NEVER])
async def test_a_name_that_is_not_listed_and_gets_no_plain_answer_is_not_refused(reply: int | str) -> None:
    async with open_fake_openai([reply], models=("local",), takes_any=True) as server:
        await ask("openai:remote", server.url, patience=timedelta(seconds=2))


async def test_a_server_without_a_list_is_not_asked_further() -> None:
    async with open_fake_openai([500]) as server:
        await ask("openai:remote", server.url)

    assert server.requests == []


@asynccontextmanager
async def silent_server() -> AsyncGenerator[int]:
    """Yield the port of a server that takes connections and says nothing."""
    stopping = asyncio.Event()

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stopping.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        stopping.set()
        server.close()


@pytest.mark.parametrize("name", ["ollama:llama3", "openai:local"])
async def test_a_server_that_is_away_or_silent_is_a_warning_without_its_password(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with silent_server() as silent:
        for port in (closed_port(), silent):
            with caplog.at_level(logging.WARNING):
                await ask(name, f"http://me:hidden@127.0.0.1:{port}/v1", patience=timedelta(seconds=1))

    warnings = [record.getMessage() for record in caplog.records if record.name == "agent.models.known"]
    assert len(warnings) == 2
    assert all("did not tell whether it has" in warning and "hidden" not in warning for warning in warnings)


async def test_a_check_of_everything_asks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_fake_openai([500], models=("local",)) as server:
        monkeypatch.setenv("LLM_MODEL", "openai:remote")
        monkeypatch.setenv("LLM_BASE_URL", server.url)
        settings = read_settings()
        model = ModelToCheck(
            name=settings.llm_model,
            base_url=settings.llm_base_url,
            openai_api_key=None,
            hf_token=None,
            create=partial(chat_model, settings.language_models[0]),
        )

        finding = await result_of("language model", language(model), limit=LOAD_LIMIT)

    assert finding is not None
    assert finding.status is Status.WRONG
    assert f"LLM_MODEL='openai:remote' is unknown: {server.url} does not have this model" in finding.message


@pytest.mark.parametrize("takes_tools", [True, False])
async def test_an_ollama_model_answers_from_the_search_that_was_made_for_it(takes_tools: bool) -> None:
    async with open_fake_ollama("llama3:latest", answer="On Friday [1].", takes_tools=takes_tools) as url:
        model = create_chat_model(ModelConfig(name="ollama:llama3", base_url=url))
        agent = Agent(of(model), memory=chat(), config=AgentConfig(timeout=timedelta(minutes=1)))
        answer = await agent.ask(question())

    assert (answer.text, [source.message for source in answer.sources]) == ("On Friday [1].", [DEPLOY])


@pytest.mark.parametrize(("prompt", "context"), [(1200, 4096), (6000, 13024)])
async def test_an_ollama_server_keeps_the_whole_of_what_it_is_told(prompt: int, context: int) -> None:
    requests: list[dict[str, Any]] = []
    async with open_fake_ollama("llama3:latest", answer="On Friday [1].", requests=requests) as url:
        model = create_chat_model(ModelConfig(name="ollama:llama3", base_url=url, prompt_tokens=prompt))
        await Agent(of(model), memory=chat(), config=AgentConfig(timeout=timedelta(minutes=1))).ask(question())

    assert {request["options"]["num_ctx"] for request in requests} == {context}
