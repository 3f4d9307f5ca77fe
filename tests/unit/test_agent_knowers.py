"""Who knows about a topic is answered by the people who wrote most and best about it, each with a message."""

from collections.abc import Collection
from dataclasses import dataclass, field

import pytest

from agent.agent import Agent
from agent.types import Outcome
from memory.message import Message
from overviews.overview import Viewer
from overviews.who import Knower, Knowers, MayBeListed, Written
from tests.agents import agent, question, tool_outputs
from tests.fakes import FakeMemory, calls, said, says

EVE = said("A copper glaze turns red only in reduction", author_name="Eve")
OMAR = said("copper glazes are poisonous", author_name="Omar [1]")


def knows(message: Message, messages: int) -> Knower:
    return Knower(message.author_name.lower(), (Written(message, 1.0),), messages, message.sent_at)


@dataclass
class FakeFinder:
    """Knows who knows, and remembers what it was asked."""

    found: Knowers = field(default_factory=lambda: Knowers((knows(EVE, 5), knows(OMAR, 1))))
    asked: list[tuple[str, frozenset[int]]] = field(default_factory=list)

    async def find(self, viewer: Viewer, topic: str, *, may_be_listed: MayBeListed | None = None) -> Knowers:
        self.asked.append((topic, viewer.places))
        if may_be_listed is None:
            return self.found
        listed = await may_be_listed([number for number, _ in enumerate(self.found.knowers)])
        return Knowers([knower for number, knower in enumerate(self.found.knowers) if number in listed])


def memory() -> FakeMemory:
    return FakeMemory([EVE, OMAR])


async def test_who_knows_is_told_with_a_message_of_each() -> None:
    finder = FakeFinder()

    answer = await Agent((), memory=memory(), knowers=finder).ask(question("who knows about copper glaze?"))

    assert answer.text.splitlines() == [
        'Who wrote most and best about "copper glaze" (all time, in the channels that I may read here):',
        "- **Eve**: 5 messages, last on 3 Nov 2026 [1]",
        "- **Omar \\[1\\]**: 1 message, last on 3 Nov 2026 [2]",
    ]
    assert [source.message.author_name for source in answer.sources] == ["Eve", "Omar [1]"]
    assert answer.outcome is Outcome.COUNTED
    assert finder.asked == [("copper glaze", frozenset({1}))]


async def test_only_who_may_be_listed_is_named() -> None:
    async def second(_: Collection[int]) -> frozenset[int]:
        return frozenset({1})

    asked = question("who knows about copper glaze?", may_be_listed=second)
    answer = await Agent((), memory=memory(), knowers=FakeFinder()).ask(asked)

    assert [source.message.author_name for source in answer.sources] == ["Omar [1]"]


async def test_nobody_found_is_searched_for() -> None:
    finder = FakeFinder(Knowers())

    answer = await Agent((), memory=memory(), knowers=finder).ask(question("who knows about copper glaze?"))

    assert answer.outcome is Outcome.QUOTED


async def test_who_knew_at_some_time_is_searched_for() -> None:
    finder = FakeFinder()

    answer = await Agent((), memory=memory(), knowers=finder).ask(
        question("who knows about copper glaze since 1 November?")
    )

    assert finder.asked == []
    assert answer.outcome is not Outcome.COUNTED


@pytest.mark.parametrize("when", ["as of 3 November 2026", "before the edit"])
async def test_who_knew_as_of_a_moment_is_searched_for(when: str) -> None:
    finder = FakeFinder()
    asked = question(f"who knows about copper glaze, {when}?")

    answer = await Agent((), memory=memory(), knowers=finder).ask(asked)
    with_model, model = agent(calls("who_knows", topic="copper"), says("Eve [1]."), memory=memory(), knowers=finder)
    await with_model.ask(asked)

    assert finder.asked == []
    assert answer.outcome is not Outcome.COUNTED
    assert "search for the topic instead" in tool_outputs(model)[0]


async def test_where_nobody_finds_them_the_question_is_searched_for() -> None:
    answer = await Agent((), memory=memory()).ask(question("who knows about copper glaze?"))

    assert answer.outcome is Outcome.QUOTED


async def test_a_model_may_ask_who_knows() -> None:
    finder = FakeFinder()
    asked, model = agent(calls("who_knows", topic="copper glaze"), says("Eve [1]."), memory=memory(), knowers=finder)

    await asked.ask(question("whom would you trust with copper glaze?"))

    assert "Eve: 5 messages; Omar (1): 1 message" in tool_outputs(model)[0]


async def test_a_model_is_told_where_nobody_finds_them() -> None:
    asked, model = agent(calls("who_knows", topic="copper"), says("Eve [1]."), memory=memory())

    await asked.ask(question("whom would you trust with red copper glaze?"))

    assert "search for the topic instead" in tool_outputs(model)[0]
