"""Whoever asks waits their turn and knows their place; a flood of questions starves nobody of their own."""

import asyncio
import random
import threading
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from pydantic import PrivateAttr

from agent.agent import BUSY, Agent
from agent.config import AgentConfig
from agent.fairness import FairQueue, Person, TellPlace
from agent.model_answers import MODEL_BUSY
from agent.models.without_tools import SearchFirstChatModel
from agent.types import Outcome
from errors import BusyError
from tests.agents import Watching, agent, chat, of, places_of, question
from tests.fakes import HANGS, FakeMemory, ScriptedModel, Utterance, says

FLOODED, CALM = 1, 2
LONG = timedelta(seconds=30)


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


class Hall:
    """A queue with people in it, who stay until they are sent out."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.served: list[Person] = []
        self.places: dict[Person, list[int]] = {}
        self._tasks: dict[Person, list[asyncio.Task[None]]] = {}
        self._ends: dict[Person, asyncio.Event] = {}

    async def comes(self, guild: int, person: int, *, patience: timedelta = LONG) -> Person:
        who = Person(guild, person)
        told: TellPlace = self.places.setdefault(who, []).append
        task = asyncio.create_task(self._stay(who, patience, told))
        self._tasks.setdefault(who, []).append(task)
        await settle()
        return who

    async def leaves(self, who: Person) -> None:
        self._ends.pop(who).set()
        await settle()

    async def gives_up(self, who: Person) -> None:
        self._tasks[who].pop().cancel()
        await settle()

    async def _stay(self, who: Person, patience: timedelta, told: Callable[[int], None]) -> None:
        async with self.queue.turn(who, patience=patience, tell=told):
            self.served.append(who)
            self._ends[who] = asyncio.Event()
            await self._ends[who].wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


# ---- the queue


async def test_whoever_waits_is_told_their_place_and_told_again_when_it_changes() -> None:
    hall = Hall(FairQueue(1))
    first, second, third = [await hall.comes(CALM, person) for person in (1, 2, 3)]

    await hall.leaves(first)
    await hall.leaves(second)

    assert hall.served == [first, second, third]
    assert [hall.places[who] for who in (first, second, third)] == [[], [1], [2, 1]]


async def test_people_of_a_guild_take_turns_whoever_asked_more() -> None:
    hall = Hall(FairQueue(1))
    eager = await hall.comes(CALM, 1)
    for _ in range(3):
        await hall.comes(CALM, 1)
    modest = await hall.comes(CALM, 2)

    for _ in range(4):
        await hall.leaves(hall.served[-1])

    assert hall.served == [eager, modest, eager, eager, eager] or hall.served == [eager, eager, modest, eager, eager]
    assert hall.places[modest] == [2, 1] or hall.places[modest] == [1]


async def test_guilds_take_turns_whatever_the_number_of_their_people() -> None:
    hall = Hall(FairQueue(1))
    for person in range(10):
        await hall.comes(FLOODED, person)
    calm = await hall.comes(CALM, 99)

    await hall.leaves(hall.served[-1])
    await hall.leaves(hall.served[-1])

    assert hall.served.index(calm) <= 2
    assert hall.places[calm] == [2, 1]


async def test_a_persons_questions_are_let_through_one_after_the_other() -> None:
    hall = Hall(FairQueue(5))
    who = await hall.comes(CALM, 1)
    await hall.comes(CALM, 1)
    await hall.comes(FLOODED, 1)

    assert hall.served == [who, Person(FLOODED, 1)]
    await hall.leaves(who)
    assert hall.served == [who, Person(FLOODED, 1), who]


async def test_whoever_waits_behind_their_own_question_keeps_nobody_else_waiting() -> None:
    hall = Hall(FairQueue(2))
    first = await hall.comes(CALM, 1)
    other = await hall.comes(CALM, 2)
    await hall.comes(CALM, 1)
    third = await hall.comes(CALM, 3)

    await hall.leaves(other)

    assert hall.served == [first, other, third]


async def test_whoever_gives_up_leaves_their_place_to_those_behind() -> None:
    hall = Hall(FairQueue(1))
    _, impatient, patient = [await hall.comes(CALM, person) for person in (1, 2, 3)]

    await hall.gives_up(impatient)

    assert hall.places[patient] == [2, 1]
    assert hall.queue.length == 1


async def test_whoever_is_cancelled_while_under_way_lets_the_next_one_through() -> None:
    hall = Hall(FairQueue(1))
    first, second = [await hall.comes(CALM, person) for person in (1, 2)]

    await hall.gives_up(first)

    assert hall.served == [first, second]


async def test_whoever_is_cancelled_in_the_moment_of_their_turn_gives_it_back() -> None:
    hall = Hall(FairQueue(1))
    first, second, third = [await hall.comes(CALM, person) for person in (1, 2, 3)]

    hall._ends.pop(first).set()
    while hall.queue.length == 2:  # noqa: ASYNC110  # to the very step in which the second one is let through
        await asyncio.sleep(0)
    hall._tasks[second].pop().cancel()
    await settle()

    assert hall.served == [first, third]


async def test_whoever_gives_up_in_the_moment_in_which_a_place_comes_free_is_passed_over() -> None:
    hall = Hall(FairQueue(1))
    first, second, third = [await hall.comes(CALM, person) for person in (1, 2, 3)]

    hall._ends.pop(first).set()
    hall._tasks[second].pop().cancel()
    await settle()

    assert hall.served == [first, third]


async def test_whoever_waits_too_long_is_sent_away_and_leaves_no_trace() -> None:
    queue = FairQueue(1)
    async with queue.turn(Person(CALM, 1), patience=LONG, tell=lambda _: None):
        with pytest.raises(BusyError):
            async with queue.turn(Person(CALM, 2), patience=timedelta(milliseconds=20), tell=lambda _: None):
                pass

    assert (queue.length, queue.under_way) == (0, 0)


async def test_a_full_queue_takes_nobody_in() -> None:
    hall = Hall(FairQueue(1, longest=2))
    for person in (1, 2, 3):
        await hall.comes(CALM, person)

    with pytest.raises(BusyError):
        async with hall.queue.turn(Person(CALM, 4), patience=LONG, tell=lambda _: None):
            pass

    assert hall.queue.length == 2


async def test_a_guild_that_fills_the_queue_keeps_no_other_one_out() -> None:
    hall = Hall(FairQueue(1, longest=3))
    for person in range(4):
        await hall.comes(FLOODED, person)
    for guild in range(100, 110):
        await hall.comes(guild, 1)

    assert hall.queue.length == 6
    with pytest.raises(BusyError):
        async with hall.queue.turn(Person(FLOODED, 9), patience=LONG, tell=lambda _: None):
            pass


async def test_a_guild_with_none_under_way_is_let_in_beyond_as_long_as_there_are_spare_places() -> None:
    hall = Hall(FairQueue(4, spare=4))
    for person in range(9):
        await hall.comes(FLOODED, person)
    for guild in range(100, 110):
        await hall.comes(guild, 1)

    assert [who.guild for who in hall.served] == [FLOODED] * 4 + [100, 101, 102, 103]


async def test_two_guilds_end_up_with_half_of_the_places_each() -> None:
    hall = Hall(FairQueue(4, spare=4))
    for guild in (FLOODED, CALM):
        for person in range(20):
            await hall.comes(guild, person)

    for _ in range(20):
        await hall.leaves(min(hall._ends, key=hall.served.index))

    under_way = [who.guild for who in hall._ends]
    assert (under_way.count(FLOODED), under_way.count(CALM)) == (2, 2)


async def test_a_closed_queue_lets_nobody_through_until_it_is_opened() -> None:
    hall = Hall(FairQueue(0))
    for person in (1, 2, 3):
        await hall.comes(CALM, person)
    assert (hall.served, [hall.places[Person(CALM, person)] for person in (1, 2, 3)]) == ([], [[1], [2], [3]])

    hall.queue.open(2)
    await settle()

    assert hall.served == [Person(CALM, 1), Person(CALM, 2)]


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_people_do_no_place_is_lost_and_each_is_served_in_the_end(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    queue = FairQueue(3, spare=2)
    most: list[int] = []
    served = 0

    async def ask() -> None:
        nonlocal served
        await asyncio.sleep(chance.random() / 50)
        who = Person(chance.randrange(3), chance.randrange(6))
        async with queue.turn(who, patience=LONG, tell=lambda place: most.append(queue.under_way)):
            assert queue.under_way <= 5
            await asyncio.sleep(chance.random() / 100)
            served += 1

    tasks = [asyncio.create_task(ask()) for _ in range(120)]
    for task in chance.sample(tasks, 30):
        await asyncio.sleep(0.001)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert served == sum(not task.cancelled() for task in tasks)
    assert [task.exception() for task in tasks if not task.cancelled() and task.exception()] == []
    assert (queue.length, queue.under_way) == (0, 0)
    assert most


# ---- the agent's queues


async def test_a_model_that_one_guild_keeps_busy_still_answers_another() -> None:
    asked, model = agent(HANGS, HANGS, says("On Friday [1]."), config=AgentConfig(at_once=2))
    async with AsyncExitStack() as stack:
        group = await stack.enter_async_context(asyncio.TaskGroup())
        flood = [group.create_task(asked.ask(question(asker_id=one, guild=FLOODED))) for one in (1, 2, 3)]
        stack.callback(lambda: [task.cancel() for task in flood])
        await model.hung.wait()
        await asyncio.sleep(0.1)

        calm = await asked.ask(question(asker_id=4, guild=CALM))

    assert calm.text == "On Friday [1]."


async def test_a_model_that_writes_one_text_at_a_time_serves_guilds_in_turn() -> None:
    writer = Held([says("On Friday [1].")] * 6)
    asked = Agent(of(SearchFirstChatModel(writer=writer)), memory=chat())
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
    asked = Agent(of(SearchFirstChatModel(writer=writer)), memory=chat(), config=AgentConfig(per_person=1))
    async with asyncio.TaskGroup() as group:
        first = group.create_task(asked.ask(question(guild=FLOODED)))
        await writer.begins()
        second = await asked.ask(question(guild=FLOODED, channel_id=2))
        elsewhere = group.create_task(asked.ask(question(guild=CALM, channel_id=3)))
        await asyncio.sleep(0.1)
        writer.let()

    assert second.outcome is Outcome.TURNED_AWAY
    assert {one.result().text for one in (first, elsewhere)} == {"On Friday [1]."}


async def test_of_a_hundred_who_ask_at_once_each_is_answered_and_nobody_waits_without_a_place() -> None:
    writer = Held([says("On Friday [1].")] * 100)
    asked = Agent(of(SearchFirstChatModel(writer=writer)), memory=chat(), config=AgentConfig(most_waiting=100))
    watching = [Watching() for _ in range(100)]
    async with asyncio.TaskGroup() as group:
        asking = [
            group.create_task(asked.ask(question(asker_id=one, guild=one % 3), watcher=watching[one]))
            for one in range(100)
        ]
        await writer.begins()
        async with asyncio.timeout(30):
            await watching[-1].is_told(99)
        shown = sorted(places_of(one)[-1] for one in watching)
        writer.let()

    assert shown == [1, *range(1, 100)], "one is being answered, and the others wait"
    assert [one.result().text for one in asking] == ["On Friday [1]."] * 100


async def test_a_persons_next_question_waits_with_a_place_and_builds_on_the_one_before() -> None:
    asked, model = agent(HANGS, says("At noon [1]."))
    watching = Watching()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(asked.ask(question("when is the deploy?")))
        await model.hung.wait()
        second = group.create_task(asked.ask(question("when is lunch?", channel_id=3), watcher=watching))
        await watching.is_told(1)
        first.cancel()

    assert second.result().text == "At noon [1]."


async def test_whoever_waits_too_long_for_the_model_gets_quotations_that_say_so() -> None:
    config = AgentConfig(at_once=1, longest_wait=timedelta(milliseconds=50))
    asked, model = agent(HANGS, config=config)
    await asked.ready()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        first = group.create_task(asked.ask(question()))
        await model.hung.wait()
        second = await asked.ask(question(asker_id=8))
        first.cancel()

    assert (second.outcome, second.notes) == (Outcome.QUOTED, (MODEL_BUSY,))


async def test_so_many_questions_are_looked_up_at_once_and_no_more() -> None:
    memory = Crowded(chat().messages)
    asked = Agent((), memory=memory, config=AgentConfig(reading_at_once=3))
    watching = [Watching() for _ in range(40)]

    answers = await asyncio.gather(
        *(asked.ask(question(asker_id=one), watcher=watching[one]) for one in range(30)),
        *(asked.quote(question(asker_id=one)) for one in range(30, 40)),
    )

    assert {answer.outcome for answer in answers} == {Outcome.QUOTED}
    assert Crowded.most == 3
    assert sum(bool(places_of(one)) for one in watching[:30]) == 27


async def test_more_questions_than_can_wait_for_memory_are_turned_away_with_a_sentence() -> None:
    asked = Agent((), memory=Crowded(chat().messages), config=AgentConfig(reading_at_once=1, most_waiting=2))

    answers = await asyncio.gather(*(asked.ask(question(asker_id=one)) for one in range(5)))

    assert [answer.outcome for answer in answers].count(Outcome.QUOTED) == 3
    assert {answer.text for answer in answers if answer.outcome is Outcome.TURNED_AWAY} == {BUSY}


class Crowded(FakeMemory):
    """A memory that takes its time, and counts how many look something up at once."""

    present = 0
    most = 0

    async def search(self, *args: Any, **kwargs: Any) -> Any:
        Crowded.present += 1
        Crowded.most = max(Crowded.most, Crowded.present)
        try:
            await asyncio.sleep(0.01)
            return await super().search(*args, **kwargs)
        finally:
            Crowded.present -= 1


@pytest.fixture(autouse=True)
def _empty_room() -> None:
    Crowded.present = Crowded.most = 0
