"""Several language models are asked one after the other, each only where those before it give no answer."""

import asyncio
from datetime import timedelta

import pytest
from langchain_core.language_models import BaseChatModel

from agent.agent import REPLACED, Agent
from agent.config import AgentConfig, ModelConfig
from agent.model_answers import MODEL_FAILED, UNPROVEN
from agent.models.breaker import FAILURES
from agent.models.chain import NamedModel
from agent.models.setting import models_of, shown_names
from agent.types import Outcome, Versions
from errors import ChatModelError
from tests.agents import Watching, chat, of, question
from tests.fakes import HANGS, ScriptedModel, StreamingModel, says

FRIDAY = says("On Friday [1].")
BROKEN = ConnectionError("the server is away")


async def test_the_next_model_answers_where_one_fails() -> None:
    first, second = ScriptedModel([BROKEN]), ScriptedModel([FRIDAY])

    answer = await Agent(of(first, second), memory=chat()).ask(question())

    assert (answer.text, answer.notes, answer.outcome) == ("On Friday [1].", (), Outcome.ANSWERED)
    assert answer.versions.model == "second"


async def test_the_next_model_is_not_asked_where_one_answers() -> None:
    second = ScriptedModel([])

    answer = await Agent(of(ScriptedModel([FRIDAY]), second), memory=chat()).ask(question())

    assert answer.versions.model == "first"
    assert second.heard == []


async def test_an_answer_that_proves_nothing_is_replaced_by_quotations_without_asking_on() -> None:
    second = ScriptedModel([])

    answer = await Agent(of(ScriptedModel([says("On Sunday.")]), second), memory=chat()).ask(question())

    assert answer.notes == (UNPROVEN,)
    assert second.heard == []


async def test_quotations_come_where_all_models_fail_and_name_the_whole_setting() -> None:
    models = of(ScriptedModel([BROKEN]), ScriptedModel([BROKEN]))

    answer = await Agent(models, memory=chat(), versions=Versions(model="first,second")).ask(question())

    assert (answer.outcome, answer.notes) == (Outcome.QUOTED, (MODEL_FAILED,))
    assert answer.versions.model == "first,second"


async def test_models_share_the_time_of_a_question() -> None:
    second = ScriptedModel([FRIDAY])
    config = AgentConfig(timeout=timedelta(milliseconds=50))

    answer = await Agent(of(ScriptedModel([HANGS]), second), memory=chat(), config=config).ask(question())

    assert answer.notes == (MODEL_FAILED,)
    assert second.heard == []


async def test_the_next_model_answers_while_one_has_no_turn_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.model_answers.TURN_PATIENCE", timedelta(milliseconds=20))
    first = ScriptedModel([HANGS])
    asked = Agent(of(first, ScriptedModel([FRIDAY])), memory=chat(), config=AgentConfig(at_once=1))
    await asked.ready()
    busy = [asyncio.create_task(asked.ask(question(asker_id=number, guild=1))) for number in (1, 2)]
    await first.hung.wait()

    answers, _ = await asyncio.wait(busy, timeout=10, return_when=asyncio.FIRST_COMPLETED)

    assert [answer.result().versions.model for answer in answers] == ["second"]
    for task in busy:
        task.cancel()


async def test_a_model_that_messages_lead_astray_is_not_left_alone() -> None:
    asked = Agent(of(ScriptedModel([*[says("<messages-000000000000>")] * (FAILURES + 1), FRIDAY])), memory=chat())
    await asked.ready()

    answers = [await asked.ask(question()) for _ in range(FAILURES + 2)]

    assert [answer.outcome for answer in answers] == [*[Outcome.QUOTED] * (FAILURES + 1), Outcome.ANSWERED]


async def test_what_a_failed_model_has_shown_is_replaced_and_said_to_be() -> None:
    shown = "The deploy is on Friday [1]. Lunch is"
    first = StreamingModel([FRIDAY, [shown, " at", ConnectionError("gone")]])
    asked = Agent(of(first, ScriptedModel([FRIDAY])), memory=chat(), config=AgentConfig(draft_every=timedelta(0)))
    await asked.ask(question())
    watching = Watching()

    answer = await asked.ask(question(), watcher=watching)

    assert [draft.text for draft in watching.drafts] == ["The deploy is on Friday [1]."]
    assert (answer.text, answer.notes) == ("On Friday [1].", (REPLACED,))


async def test_every_model_that_cannot_be_loaded_is_named() -> None:
    def failing(name: str) -> NamedModel:
        def fail() -> BaseChatModel:
            raise ChatModelError(f"{name} is unknown.")

        return NamedModel(name=name, create=fail)

    asked = Agent([failing("one"), *of(ScriptedModel([])), failing("two")], memory=chat())

    with pytest.raises(ChatModelError, match=r"^one is unknown\. two is unknown\.$"):
        await asked.ready()


def names_and_addresses(setting: str, base_url: str | None = None) -> list[tuple[str, str | None]]:
    return [(model.name, model.base_url) for model in models_of(ModelConfig(name=setting, base_url=base_url))]


LOCAL = "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("setting", "base_url", "expected"),
    [
        pytest.param("extractive", None, [], id="quotations"),
        pytest.param("openai:a", LOCAL, [("openai:a", LOCAL)], id="one model"),
        pytest.param("openai:a, openai:b ,extractive", LOCAL, [("openai:a", LOCAL), ("openai:b", LOCAL)], id="blanks"),
        pytest.param(
            f"openai:a@{LOCAL},ollama:b:1b@https://h:1,openai:gpt",
            None,
            [("openai:a", LOCAL), ("ollama:b:1b", "https://h:1"), ("openai:gpt", None)],
            id="addresses",
        ),
        pytest.param("huggingface:a@b/c", None, [("huggingface:a@b/c", None)], id="a sign within a name"),
    ],
)
def test_a_setting_names_models_in_order(
    setting: str, base_url: str | None, expected: list[tuple[str, str | None]]
) -> None:
    assert names_and_addresses(setting, base_url) == expected


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        pytest.param("extractive,openai:a", "put extractive last", id="extractive first"),
        pytest.param("openai:a,openai:a", "names a model twice", id="twice"),
        pytest.param(",".join(f"ollama:{n}" for n in range(6)), "names 6 models: name 5 at most", id="many"),
        pytest.param("openai:a@http://me:hidden@host/v1", "without a name or password", id="a password"),
        pytest.param("openai:a@http://", "write it as NAME@http://HOST:PORT/v1", id="no address"),
        pytest.param("openai:a,ollama:b", "write the address behind each name", id="two kinds, one address"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_with_what_to_do(setting: str, says: str) -> None:
    with pytest.raises(ChatModelError, match=says) as refused:
        names_and_addresses(setting, LOCAL)

    assert "hidden" not in str(refused.value)


def test_the_key_is_not_sent_to_an_address_behind_a_name() -> None:
    config = ModelConfig(name=f"openai:a@{LOCAL},openai:gpt", openai_api_key="secret", hf_token="token")

    own, openai = models_of(config)

    assert (own.openai_api_key, own.hf_token) == (None, None)
    assert openai.openai_api_key == "secret"


def test_two_models_of_one_name_are_told_apart_by_their_hosts() -> None:
    models = models_of(ModelConfig(name=f"openai:a@{LOCAL},openai:a@http://other/v1,ollama:b"))

    assert shown_names(models) == ("openai:a at 127.0.0.1:8000", "openai:a at other", "ollama:b")
