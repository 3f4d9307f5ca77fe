"""A language model is loaded once, in the background, and questions that come before it wait for it or do without."""

import asyncio
import threading
from datetime import timedelta

import pytest
from langchain_core.language_models import BaseChatModel

from agent.agent import Agent
from agent.config import AgentConfig
from agent.model_answers import MODEL_FAILED
from agent.models.chain import NamedModel
from errors import ChatModelError
from tests.agents import SEARCH, chat, question
from tests.fakes import ScriptedModel, says

PATIENCE = timedelta(seconds=30)


class SlowCreation:
    """Creates a model once it is let, and counts how often it was asked to."""

    def __init__(self, model: BaseChatModel) -> None:
        self._model = model
        self._let = threading.Event()
        self.calls = 0

    def __call__(self) -> BaseChatModel:
        self.calls += 1
        assert self._let.wait(PATIENCE.total_seconds())
        return self._model

    def let(self) -> None:
        self._let.set()


async def test_a_question_waits_for_the_model_that_is_being_loaded() -> None:
    create = SlowCreation(ScriptedModel([SEARCH, says("On Friday [1].")]))
    agent = Agent([NamedModel(name="scripted", create=create)], memory=chat())
    async with asyncio.TaskGroup() as group:
        loading = group.create_task(agent.ready())
        asking = group.create_task(agent.ask(question()))
        await asyncio.sleep(0.05)
        assert not loading.done()
        assert not asking.done()
        create.let()

    assert asking.result().text == "On Friday [1]."
    assert create.calls == 1


async def test_a_question_that_cannot_wait_gets_quotes_and_the_loading_goes_on() -> None:
    create = SlowCreation(ScriptedModel([SEARCH, says("On Friday [1].")]))
    agent = Agent(
        [NamedModel(name="scripted", create=create)],
        memory=chat(),
        config=AgentConfig(timeout=timedelta(milliseconds=50)),
    )

    first = await agent.ask(question())
    create.let()
    await agent.ready()

    assert first.notes == (MODEL_FAILED,)
    assert create.calls == 1


async def test_a_model_that_cannot_be_loaded_is_told_to_whoever_waits_and_questions_get_quotes() -> None:
    def fail() -> BaseChatModel:
        raise ChatModelError("The model 'x' cannot be loaded.")

    agent = Agent([NamedModel(name="scripted", create=fail)], memory=chat())

    with pytest.raises(ChatModelError, match="cannot be loaded"):
        await agent.ready()
    assert (await agent.ask(question())).notes == (MODEL_FAILED,)


async def test_without_a_model_there_is_nothing_to_wait_for() -> None:
    await Agent((), memory=chat()).ready()
