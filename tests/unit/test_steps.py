"""Whoever waits for an answer is told each step on the way to it, and of no channel that its readers may not know."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest

from agent.agent import Agent
from agent.config import AgentConfig
from agent.models.chain import NamedModel
from agent.progress import Step, StepKind
from agent.types import Question
from tests.agents import DEPLOY, SEARCH, Watching, agent, chat, of, places_of, question
from tests.fakes import HANGS, FakeConversations, FakeMemory, ScriptedModel, Utterance, calls, said, says
from time_expressions.window import Window

TUESDAY = (Window(datetime(2026, 11, 2, 23, tzinfo=UTC), datetime(2026, 11, 3, 23, tzinfo=UTC)),)
WRITING = Step(kind=StepKind.WRITING)


async def steps(asking: Question, *lines: Utterance, memory: FakeMemory | None = None) -> list[Step]:
    """Return the steps to the answer, without the places in queues: a model's when it has lines, else without one."""
    watching = Watching()
    asked = agent(*lines, memory=memory)[0] if lines else Agent((), memory=memory or chat())
    await asked.ready()
    await asked.ask(asking, watcher=watching)
    return [step for step in watching.steps if step.kind is not StepKind.WAITING]


async def test_every_search_of_the_model_is_told_with_its_time_and_when_it_writes() -> None:
    told = await steps(
        question(),
        calls("search_messages", query="deploy", when="yesterday"),
        calls("list_messages", start="2026-11-03", end="2026-11-04"),
        calls("count_messages", words="deploy"),
        calls("read_around", number_or_message=1),
        calls("read_around", number_or_message=1),
        says("On Friday [1]."),
    )

    assert told == [
        Step(kind=StepKind.SEARCHING),
        WRITING,
        Step(kind=StepKind.SEARCHING, windows=TUESDAY),
        WRITING,
        Step(kind=StepKind.LISTING, windows=TUESDAY),
        WRITING,
        Step(kind=StepKind.COUNTING),
        WRITING,
        Step(kind=StepKind.READING_AROUND, count=1),
        WRITING,
        Step(kind=StepKind.READING_AROUND, count=2),
        WRITING,
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("when is the deploy?", Step(kind=StepKind.SEARCHING), id="a search"),
        pytest.param("what was said yesterday?", Step(kind=StepKind.LISTING, windows=TUESDAY), id="a stretch of time"),
        pytest.param("the last 5 messages", Step(kind=StepKind.LISTING), id="the newest messages"),
        pytest.param("how often was deploy mentioned?", Step(kind=StepKind.COUNTING), id="a count"),
        pytest.param(
            "deploy in #general yesterday?",
            Step(kind=StepKind.SEARCHING, channels=("general",), windows=TUESDAY),
            id="a search in a channel and a time",
        ),
    ],
)
async def test_without_a_model_what_is_done_is_told_too(text: str, expected: Step) -> None:
    assert (await steps(question(text, places=frozenset({1, 9}))))[0] == expected


@pytest.mark.parametrize("lines", [(), (SEARCH, says("On Sunday [1]."))])
@pytest.mark.parametrize(
    "text",
    [
        "when is the secret deploy in #staff?",
        "deploy in #general and #staff?",
        "how often did gus say deploy in #staff?",
        "what was said in #staff yesterday?",
        "when is the deploy?",
        "catch me up on #staff",
    ],
)
async def test_no_step_names_a_channel_that_the_question_may_not_use(text: str, lines: tuple[Utterance, ...]) -> None:
    hidden = said("the secret deploy of staff is on sunday", channel_id=9, channel_name="staff", author_name="gus")
    other = said("the deploy of ops is on monday", channel_id=11, channel_name="ops")
    memory = chat(DEPLOY, hidden, other)

    told = await steps(question(text, places=frozenset({1, 11})), *lines, memory=memory)

    assert {name for step in told for name in step.channels} <= {"general"}
    allowed = await steps(question(text, places=frozenset({1, 9, 11})), *lines, memory=memory)
    assert "#staff" not in text or any("staff" in step.channels for step in allowed), "it is named to its readers"


async def test_a_search_that_the_model_widens_is_told_in_its_own_words() -> None:
    told = await steps(
        question("did anybody mention the kettle on 1 November?"),
        calls("search_messages", query="kettle", when="all time"),
        says("At noon [1]."),
    )

    assert [step.windows for step in told if step.kind is StepKind.SEARCHING][:2] == [
        (Window(datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 1, 23, tzinfo=UTC)),),
        (),
    ]


# ---- a question that is given up


def left_alone(asked: Agent) -> bool:
    """Return whether an agent has nothing under way or waiting."""
    queues = [asked._reading, *(model._queue for model in asked._models._models)]
    return not asked._open and all((queue.under_way, queue.length) == (0, 0) for queue in queues)


async def test_a_question_that_is_cancelled_while_it_waits_gives_its_place_to_those_behind() -> None:
    kept = FakeConversations()
    asked, model = agent(HANGS, says("On Friday [1]."), config=AgentConfig(at_once=1), conversations=kept)
    second, third = Watching(), Watching()
    running = asyncio.create_task(asked.ask(question(asker_id=1)))
    await model.hung.wait()
    impatient = asyncio.create_task(asked.ask(question(asker_id=2), watcher=second))
    await second.is_told(1)
    patient = asyncio.create_task(asked.ask(question(asker_id=3), watcher=third))
    await third.is_told(2)

    impatient.cancel()
    await third.is_told(1)
    running.cancel()

    assert (await patient).text == "On Friday [1]."
    assert [key.asker_id for key in kept.turns] == [3]
    assert left_alone(asked)


async def test_a_question_that_is_cancelled_while_the_model_is_loaded_leaves_nothing() -> None:
    may_load = threading.Event()

    def create() -> ScriptedModel:
        assert may_load.wait(30)
        return ScriptedModel([says("On Friday [1].")])

    asked = Agent([NamedModel(name="scripted", create=create)], memory=chat())
    watching = Watching()
    asking = asyncio.create_task(asked.ask(question(), watcher=watching))
    await watching.is_told(1)

    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    may_load.set()

    assert left_alone(asked)
    assert (await asked.ask(question())).text == "On Friday [1]."


@pytest.mark.parametrize(
    ("stage", "lines"),
    [
        *((stage, ()) for stage in ("known_names", "search", "lookup", "append")),
        *((stage, (says("On Friday [1]."),)) for stage in ("known_names", "search", "lookup", "recall", "append")),
    ],
)
async def test_a_question_that_is_cancelled_leaves_nothing_whatever_was_being_done(
    stage: str, lines: tuple[Utterance, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    async def stuck(*_: object, **__: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(FakeMemory if hasattr(FakeMemory, stage) else FakeConversations, stage, stuck)
    kept = FakeConversations()
    asked = Agent(of(ScriptedModel(lines)) if lines else (), memory=chat(), conversations=kept)
    asking = asyncio.create_task(asked.ask(question("what did ana say about the deploy?")))
    await asyncio.wait_for(reached.wait(), 30)

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert left_alone(asked)
    assert kept.turns == {}


async def test_a_question_that_is_cancelled_while_a_server_is_slow_keeps_others_going() -> None:
    asked, model = agent(HANGS, says("On Friday [1]."), config=AgentConfig(timeout=timedelta(seconds=30), at_once=1))
    asking = asyncio.create_task(asked.ask(question()))
    await model.hung.wait()
    watching = Watching()
    next_one = asyncio.create_task(asked.ask(question(), watcher=watching))
    await watching.is_told(1)

    asking.cancel()

    assert (await next_one).text == "On Friday [1]."
    assert set(places_of(watching)) == {1}
    assert left_alone(asked)
