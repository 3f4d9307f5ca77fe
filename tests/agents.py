"""Ask an agent whose model speaks its lines about a chat of three messages."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import ToolMessage

from agent.agent import Agent
from agent.models.chain import NamedModel
from agent.progress import Step
from agent.types import Answer, Question
from memory.message import Message
from tests.fakes import FakeMemory, ScriptedModel, Utterance, calls, said
from tracing import Fact, Trace

DEPLOY = said("the deploy is on friday")
LUNCH = said("lunch is at noon", author_name="bo", sent_at=datetime(2026, 11, 3, 13, 5, tzinfo=UTC))
SECRET = said("the secret deploy is on sunday", channel_id=9, channel_name="staff")
PLACES = ("first", "second", "third")
SEARCH = calls("search_messages", query="deploy friday")


def question(text: str = "when is the deploy?", **fields: Any) -> Question:
    usual = Question(
        text=text,
        channel_id=1,
        asker_id=7,
        asker_name="bo",
        places=frozenset({1}),
        now=datetime(2026, 11, 4, 8, 30, tzinfo=UTC),
        time_zone=ZoneInfo("Europe/Paris"),
    )
    return replace(usual, **fields)


def chat(*messages: Message) -> FakeMemory:
    return FakeMemory(list(messages or (DEPLOY, LUNCH, SECRET)))


def agent(*lines: Utterance, memory: FakeMemory | None = None, **options: Any) -> tuple[Agent, ScriptedModel]:
    model = ScriptedModel(lines)
    return Agent(of(model), memory=memory or chat(), **options), model


def of(*models: BaseChatModel) -> list[NamedModel]:
    """Return a chain of models that are there already, named by their places."""
    return [NamedModel(name=name, create=partial(_itself, model)) for name, model in zip(PLACES, models, strict=False)]


def _itself(model: BaseChatModel) -> BaseChatModel:
    return model


def tool_outputs(model: ScriptedModel) -> list[str]:
    """Return what the model's own calls came to, without the search that was made before it spoke."""
    outputs = [str(message.text) for message in model.heard[-1] if isinstance(message, ToolMessage)]
    return outputs[1:]


class Watching:
    """Whoever waits for an answer, and remembers what they were told."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.drafts: list[Answer] = []
        self._told = asyncio.Event()

    def step(self, step: Step) -> None:
        self.steps.append(step)
        self._told.set()

    def draft(self, answer: Answer) -> None:
        self.drafts.append(answer)
        self._told.set()

    async def is_told(self, place: int) -> None:
        """Wait until they are told this place in the queue."""
        while place not in places_of(self):
            self._told.clear()
            await self._told.wait()

    async def sees(self, text: str) -> None:
        """Wait until a draft ends with a text."""
        while not (self.drafts and self.drafts[-1].text.endswith(text)):
            self._told.clear()
            await self._told.wait()


def facts_of(trace: Trace, name: str) -> dict[str, Fact]:
    """Return the facts of all spans of this name, wherever they are in a trace."""
    spans, facts = [trace.root], dict[str, Fact]()
    for span in spans:
        facts |= span.facts if span.name == name else {}
        spans += span.parts
    return facts


def places_of(watching: Watching) -> list[int]:
    """Return the places in the queue that somebody was told."""
    return [step.place_in_queue for step in watching.steps if step.place_in_queue is not None]
