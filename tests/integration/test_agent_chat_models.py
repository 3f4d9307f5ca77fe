"""The real clients of chat models, against a server on loopback."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agent.agent import Agent
from agent.config import AgentConfig, ModelConfig
from agent.model_answers import MODEL_FAILED
from agent.models.create import create_chat_model
from agent.types import Question
from errors import ChatModelError
from tests.agents import of
from tests.fakes import FakeMemory, said
from tests.fakes_openai import NEVER, Reply, answers, open_fake_openai, wants

DEPLOY = said("the deploy is on friday")
SEARCH = wants("search_messages", query="deploy friday", places=[9])
ENOUGH = AgentConfig(timeout=timedelta(seconds=60))
HASTE = AgentConfig(timeout=timedelta(seconds=1))


def question() -> Question:
    return Question(
        text="when is the deploy?",
        channel_id=1,
        asker_id=7,
        asker_name="bo",
        places=frozenset({1}),
        now=datetime(2026, 11, 4, 8, 30, tzinfo=UTC),
        time_zone=ZoneInfo("Europe/Paris"),
    )


@pytest.mark.parametrize("name", ["openai:local", "huggingface:local/model"])
async def test_a_model_behind_http_calls_tools_and_answers(name: str) -> None:
    async with open_fake_openai([SEARCH, answers("On Friday [1].")]) as server:
        model = create_chat_model(ModelConfig(name=name, base_url=server.url, max_tokens=77))

        answer = await Agent(of(model), memory=FakeMemory([DEPLOY]), config=ENOUGH).ask(question())

    assert answer.text == "On Friday [1]."
    assert [source.message for source in answer.sources] == [DEPLOY]
    first, second = server.requests
    assert {tool["function"]["name"] for tool in first["tools"]} >= {"search_messages", "read_around"}
    assert first["max_tokens"] == 77
    assert first["temperature"] == 0.2
    opening = ["system", "user", "assistant", "tool"]
    assert [message["role"] for message in first["messages"]] == opening
    assert [message["role"] for message in second["messages"]] == [*opening, "assistant", "tool"]
    for call, result in (first["messages"][-2:], second["messages"][-2:]):
        assert [one["id"] for one in call["tool_calls"]] == [result["tool_call_id"]]
        assert "ana: the deploy is on friday" in result["content"]


@pytest.mark.parametrize("name", ["openai:local", "huggingface:local/model"])
@pytest.mark.parametrize(
    ("reply", "config"),
    [
        pytest.param(500, ENOUGH, id="server error"),
        pytest.param(401, ENOUGH, id="wrong key"),
        pytest.param(NEVER, HASTE, id="hangs"),
    ],
)
async def test_a_server_that_does_not_answer_is_replaced_by_quotes(
    name: str, reply: Reply, config: AgentConfig
) -> None:
    async with open_fake_openai([reply]) as server:
        model = create_chat_model(ModelConfig(name=name, base_url=server.url))

        answer = await Agent(of(model), memory=FakeMemory([DEPLOY]), config=config).ask(question())

    assert server.requests
    assert '"the deploy is on friday" [1]' in answer.text
    assert answer.notes == (MODEL_FAILED,)


def test_a_local_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChatModelError, match="cannot be loaded"):
        create_chat_model(ModelConfig(name=f"huggingface:{tmp_path / 'missing'}"))
