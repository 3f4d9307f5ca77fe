"""A trace becomes a tree of lines, is kept after its answer, and is named where answers are looked into."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from agent.agent import Agent
from agent.config import AgentConfig
from agent.trace.keeper import MOST_WAITING, TraceKeeper, kept_traces
from agent.trace.tree import DEEPEST, LONGEST_FACT, rendered, tree_of
from errors import DatabaseUnavailableError
from memory.answers.traces import StoredTrace
from tests.agents import agent, chat, question
from tests.builders import message, minute
from tests.fakes import FakeConversations, FakeMemory, calls, says
from tracing import Span, Trace, span, traced

NOW = minute(100)


class Clock:
    """Tells a tenth of a second more each time."""

    def __init__(self) -> None:
        self.now = -0.1

    def __call__(self) -> float:
        self.now = round(self.now + 0.1, 3)
        return self.now


class Store:
    """Keeps traces in memory, unless it is away."""

    def __init__(self, *, away: bool = False) -> None:
        self.kept: list[StoredTrace] = []
        self.before: datetime | None = None
        self.away = away

    async def add(self, traces: Sequence[StoredTrace]) -> None:
        if self.away:
            raise DatabaseUnavailableError("db:5432")
        self.kept += traces

    async def drop_old(self, *, before: datetime) -> int:
        self.before = before
        return 0


def keeper_of(store: Store, **options: Any) -> TraceKeeper:
    return TraceKeeper(cast("Any", store), clock=lambda: NOW, kept_for=timedelta(days=7), **options)


def a_trace(guild_id: int | None = None) -> Trace:
    trace = Trace(clock=Clock(), keeps_texts=True, asked_by=7, asked_in=1, guild_id=guild_id)
    with traced(trace) as root:
        root.note(question="who\nhas the key?")
        with span("opening"), span("search memory", windows=("a/b", "c/d"), found=3):
            pass
        with span("quote", error=None):
            pass
    return trace


def stored(trace: Trace) -> StoredTrace:
    return StoredTrace(
        trace_id=trace.trace_id,
        made_at=NOW,
        asker_id=7,
        guild_id=5,
        channel_id=1,
        has_texts=True,
        tree=tree_of(trace.root, left_out=trace.left_out),
    )


def test_a_trace_reads_as_a_tree_with_times_and_facts() -> None:
    trace = a_trace()

    head, *lines = rendered(stored(trace)).splitlines()

    assert head.startswith(f"Trace {trace.trace_id}, ")
    assert head.endswith("asked by 7 in channel 1 of server 5")
    assert lines == [
        "answer  700.0 ms  (question: who has the key?)",
        "|- opening  300.0 ms",
        "|  `- search memory  100.0 ms  (windows: a/b, c/d, found: 3)",
        "`- quote  100.0 ms  (error: None)",
    ]


def test_a_tree_is_bounded_and_what_has_not_ended_says_so() -> None:
    deepest = root = Span("answer", 0.0)
    for _ in range(3 * DEEPEST):
        deepest.parts.append(Span("within", 0.0, facts={"answer": "x" * 1000}))
        deepest = deepest.parts[0]
    trace = Trace()
    trace.root = root
    trace.left_out = 4

    lines = rendered(stored(trace)).splitlines()

    assert len(lines) == 1 + DEEPEST + 1 + 1
    assert "not ended" in lines[1]
    assert lines[-1] == "(4 further steps were not recorded.)"
    assert max(map(len, lines)) < LONGEST_FACT + 150


async def test_traces_are_written_after_they_were_taken_and_at_the_end() -> None:
    store = Store()
    keeper = keeper_of(store)

    async with kept_traces(keeper, None):
        keeper.keep(a_trace())
        assert store.kept == []
        await asyncio.sleep(0.01)
        assert len(store.kept) == 1
        keeper.keep(a_trace(5))
    first, last = store.kept

    assert (first.made_at, first.has_texts, first.guild_id, last.guild_id) == (NOW, True, None, 5)
    assert (first.asker_id, first.channel_id) == (7, 1)
    assert store.before == NOW - timedelta(days=7)


async def test_a_database_that_is_away_costs_the_traces_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    store = Store(away=True)
    keeper = keeper_of(store)

    async with kept_traces(keeper, None):
        for _ in range(3):
            keeper.keep(a_trace())
            await asyncio.sleep(0.01)
        store.away = False
        keeper.keep(a_trace())

    assert len(store.kept) == 1
    assert caplog.text.count("traces are not kept") == 1


async def test_only_so_many_traces_wait() -> None:
    store = Store()
    keeper = keeper_of(store)

    for _ in range(MOST_WAITING + 5):
        keeper.keep(a_trace())
    await keeper.write()

    assert len(store.kept) == MOST_WAITING


@pytest.mark.parametrize(
    ("debug", "kept", "is_named"),
    [
        pytest.param(True, True, True, id="a debug answer"),
        pytest.param(False, True, False, id="any other"),
        pytest.param(True, False, False, id="one that may not be kept"),
    ],
)
async def test_a_debug_answer_names_its_trace(*, debug: bool, kept: bool, is_named: bool) -> None:
    taken: list[str] = []

    def keep(trace: Trace) -> None:
        taken.append(trace.trace_id)

    answering = Agent((), memory=FakeMemory(), config=AgentConfig(debug_answers=debug), keep_trace=keep)
    answer = await answering.ask(replace(question("who has the key?"), kept=kept))

    assert (f"trace {answer.trace_id}" in answer.notes) == is_named
    assert taken == ([answer.trace_id] if kept else [])


async def test_a_turn_of_a_model_tells_its_tokens_and_its_calls() -> None:
    taken: list[Trace] = []
    line = says("It leaves at noon [1].")
    line.usage_metadata = {"input_tokens": 900, "output_tokens": 12, "total_tokens": 912}
    memory = chat(message(1, "the ferry leaves at noon"))
    answering, _ = agent(calls("search_messages", query="ferry"), line, memory=memory, keep_trace=taken.append)

    await answering.ask(question("when does the ferry leave?"))

    steps = [tree_of(part) for part in _all(taken[0].root)]
    turns = [step["facts"] for step in steps if step["name"] == "model turn"]
    assert [(turn["tool_calls"], turn.get("tokens_read"), turn.get("tokens_written")) for turn in turns] == [
        (1, None, None),
        (0, 900, 12),
    ]
    assert "tool search_messages" in [step["name"] for step in steps]


def _all(within: Span) -> Iterator[Span]:
    for part in within.parts:
        yield part
        yield from _all(part)


async def test_each_step_of_an_answer_is_one_span() -> None:
    traces: list[Trace] = []
    memory = chat(message(1, "the kiln deploy is on friday"))
    asked = Agent((), memory=memory, conversations=FakeConversations(), keep_trace=traces.append)

    await asked.ask(question("when is the kiln deploy?"))

    steps = [part.name for part in traces[0].root.parts]
    within = {inner.name for part in traces[0].root.parts for inner in part.parts}
    assert steps.count("parse") == steps.count("keep turn") == steps.count("earlier turns") == 1
    assert within.isdisjoint({"parse", "keep turn", "earlier turns"})
