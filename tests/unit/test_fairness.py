"""A flood of questions in one guild starves no other one of the language model, nor a person of their own questions."""

import asyncio
import threading
from collections.abc import Iterable
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from pydantic import PrivateAttr

from agent.agent import Agent
from agent.config import AgentConfig
from agent.fairness import FairTurns, Slots
from agent.models_without_tools import SearchFirstChatModel
from agent.types import Outcome
from tests.agents import chat, question
from tests.fakes import ScriptedModel, Utterance, says

FLOODED, CALM = 1, 2


class Held(ScriptedModel):
    """A model that writes nothing before it is let."""

    _may_write: threading.Event = PrivateAttr(default_factory=threading.Event)
    _begun: threading.Semaphore = PrivateAttr(default_factory=lambda: threading.Semaphore(0))

    def __init__(self, lines: Iterable[Utterance]) -> None:
        super().__init__(lines)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self._begun.release()
        assert self._may_write.wait(30)
        return super()._generate(messages, *args, **kwargs)

    async def begins(self) -> None:
        assert await asyncio.to_thread(self._begun.acquire, timeout=30)

    def let(self) -> None:
        self._may_write.set()


async def test_a_model_that_one_guild_keeps_busy_still_answers_another() -> None:
    writer = Held([says("On Friday [1].")] * 3)
    asked = Agent(lambda: SearchFirstChatModel(writer=writer), memory=chat(), config=AgentConfig(at_once=2))
    async with asyncio.TaskGroup() as group:
        flood = [group.create_task(asked.ask(question(asker_id=one, guild=FLOODED))) for one in (1, 2)]
        await writer.begins()
        too_many = await asked.ask(question(asker_id=3, guild=FLOODED))
        calm = group.create_task(asked.ask(question(asker_id=4, guild=CALM)))
        await asyncio.sleep(0.1)
        writer.let()

    assert too_many.outcome is Outcome.QUOTED
    assert {one.result().text for one in [*flood, calm]} == {"On Friday [1]."}


async def test_a_model_that_writes_one_text_at_a_time_serves_guilds_in_turn() -> None:
    writer = Held([says("On Friday [1].")] * 6)
    asked = Agent(lambda: SearchFirstChatModel(writer=writer), memory=chat())
    async with asyncio.TaskGroup() as group:
        for one in range(5):
            group.create_task(asked.ask(question(f"when is deploy {one}?", asker_id=one, guild=FLOODED)))
        await writer.begins()
        await asyncio.sleep(0.1)
        group.create_task(asked.ask(question("when is deploy calm?", asker_id=9, guild=CALM)))
        await asyncio.sleep(0.1)
        writer.let()

    places = ["calm" in "\n".join(message.text for message in heard) for heard in writer.heard]
    assert places.index(True) <= 2, "one that is being written, and one that waited longer, may come before it"


async def test_what_a_person_has_open_counts_for_each_guild_by_itself() -> None:
    writer = Held([says("On Friday [1].")] * 2)
    asked = Agent(lambda: SearchFirstChatModel(writer=writer), memory=chat(), config=AgentConfig(per_person=1))
    async with asyncio.TaskGroup() as group:
        first = group.create_task(asked.ask(question(guild=FLOODED)))
        await writer.begins()
        second = await asked.ask(question(guild=FLOODED, channel_id=2))
        elsewhere = group.create_task(asked.ask(question(guild=CALM, channel_id=3)))
        await asyncio.sleep(0.1)
        writer.let()

    assert second.outcome is Outcome.TURNED_AWAY
    assert {one.result().text for one in (first, elsewhere)} == {"On Friday [1]."}


def test_a_guild_alone_may_have_every_slot() -> None:
    slots = Slots(4)

    assert [slots.take(FLOODED) for _ in range(5)] == [True, True, True, True, False]


def test_two_guilds_end_up_with_half_of_the_slots_each() -> None:
    slots = Slots(4)
    for _ in range(4):
        slots.take(FLOODED)
    assert slots.take(CALM)
    assert not slots.take(CALM)

    for _ in range(4):  # each time that a question of the flood ends, both want its slot
        slots.give_back(FLOODED)
        slots.take(FLOODED)
        slots.take(CALM)

    assert slots._taken == {FLOODED: 2, CALM: 2}


def test_no_number_of_guilds_takes_more_than_twice_the_slots() -> None:
    slots = Slots(4)

    assert sum(slots.take(guild) for guild in range(100)) == 8


async def test_whoever_gives_up_waiting_for_a_turn_holds_up_nobody() -> None:
    turns = FairTurns()
    served: list[str] = []

    async def serve(guild: int, name: str) -> None:
        async with turns.turn(guild):
            served.append(name)
            await asyncio.sleep(0)

    async with asyncio.timeout(10), asyncio.TaskGroup() as group, turns.turn(FLOODED):
        impatient = group.create_task(serve(CALM, "impatient"))
        for number in range(3):
            group.create_task(serve(FLOODED, f"flood {number}"))
        await asyncio.sleep(0)
        group.create_task(serve(CALM, "calm"))
        await asyncio.sleep(0)
        impatient.cancel()

    assert served == ["calm", "flood 0", "flood 1", "flood 2"]
    async with asyncio.timeout(1), turns.turn(CALM):
        pass
