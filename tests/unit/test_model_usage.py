"""What models are used for is added up, costs what the table of prices says, and is told in a line."""

from datetime import timedelta

import pytest
from langchain_core.messages import AIMessage

from agent.agent import Agent
from agent.models.chain import ModelState, NamedModel
from agent.models.report import state_line
from agent.models.run import ModelRun
from agent.models.usage import Price, Usage, UsageLog, read_prices
from tests.agents import chat, of, question
from tests.fakes import ScriptedModel
from tracing import Span, Trace

RUN = ModelRun(tokens_read=1000, tokens_written=100)


class Clock:
    """Stands still until it is moved on."""

    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by.total_seconds()


@pytest.mark.parametrize(
    ("setting", "prices"),
    [
        ("", {}),
        ("openai:gpt-x=0.15/0.60", {"openai:gpt-x": Price(0.15, 0.6)}),
        ("openai:a=1/2, ollama:b:1b=0/0,", {"openai:a": Price(1, 2), "ollama:b:1b": Price(0, 0)}),
    ],
)
def test_prices_are_read_by_model(setting: str, prices: dict[str, Price]) -> None:
    assert read_prices(setting) == prices


@pytest.mark.parametrize(
    "setting", ["openai:a", "openai:a=1", "=1/2", "openai:a=1/x", "a=-1/2", "a=nan/1", "a=inf/1", "a" * 3000]
)
def test_prices_that_cannot_be_read_are_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=r"is no price: write openai:NAME=0\.15/0\.60|2,000 characters at most"):
        read_prices(setting)


def test_a_day_is_the_last_24_hours_and_the_total_is_since_the_start() -> None:
    clock = Clock()
    log = UsageLog(Price(2.0, 10.0), clock)
    log.note(RUN, seconds=2.0, answered=True)
    clock.move(timedelta(hours=23))
    log.note(RUN, seconds=4.0, answered=True)
    log.note(ModelRun(), seconds=60.0, answered=False)

    assert log.of_a_day() == log.total
    assert (log.total.answers, log.total.failures, log.total.seconds_per_answer) == (2, 1, 3.0)
    assert log.total.cost == pytest.approx(2 * (1000 * 2 + 100 * 10) / 1_000_000)

    clock.move(timedelta(hours=2))
    assert (log.of_a_day().answers, log.of_a_day().tokens_read, log.total.tokens_read) == (1, 1000, 2000)
    clock.move(timedelta(days=9))
    assert (log.of_a_day(), log.total.answers) == (Usage(), 2)


def test_however_long_it_runs_a_day_of_sums_is_kept() -> None:
    clock = Clock()
    log = UsageLog(clock=clock)
    for _ in range(500):
        log.note(RUN, seconds=1.0, answered=True)
        clock.move(timedelta(hours=1))

    assert len(log._hours) == 24
    assert log.total.answers == 500


def state(**fields: object) -> ModelState:
    usual = {"name": "openai:a", "is_loaded": True, "rests_for": 0.0, "is_on_trial": False, "has_price": False}
    return ModelState(**{**usual, "day": Usage(), "total": Usage(), **fields})  # type: ignore[arg-type]


DAY = Usage(answers=3, failures=1, seconds=10.2, tokens_read=12_000, tokens_written=800, cost=0.0123)


@pytest.mark.parametrize(
    ("state", "line"),
    [
        pytest.param(state(), "openai:a: not asked yet", id="unused"),
        pytest.param(state(is_loaded=False), "openai:a: is being loaded", id="loading"),
        pytest.param(
            state(day=DAY, total=DAY),
            "openai:a: 3 answered, 1 not in 24 hours, 3.4 s each, 12,000 tokens read and 800 written",
            id="used",
        ),
        pytest.param(
            state(total=DAY, has_price=True),
            "openai:a: 3 answered, 1 not since the start, 3.4 s each, 12,000 tokens read and 800 written, cost 0.0123",
            id="used before",
        ),
        pytest.param(
            state(rests_for=42.1, is_on_trial=True), "openai:a: fails, and is asked again in 43 s", id="left alone"
        ),
        pytest.param(state(is_on_trial=True), "openai:a: fails, and is tried with the next question", id="on trial"),
    ],
)
def test_a_line_says_how_a_model_is(state: ModelState, line: str) -> None:
    assert state_line(state) == line


def told(text: str) -> AIMessage:
    usage = {"input_tokens": 900, "output_tokens": 12, "total_tokens": 912}
    return AIMessage(text, usage_metadata=usage)


async def test_an_answer_leaves_its_tokens_cost_and_time_in_its_trace_and_in_the_sums() -> None:
    traces: list[Trace] = []
    (model,) = of(ScriptedModel([ValueError("no"), told("On Friday [1].")]))
    priced = NamedModel(name=model.name, create=model.create, price=Price(1.0, 10.0))
    asked = Agent([priced], memory=chat(), keep_trace=traces.append)
    await asked.ask(question())

    await asked.ask(question())

    (now,) = asked.model_states
    assert (now.total.answers, now.total.failures) == (1, 1)
    assert (now.total.tokens_read, now.total.tokens_written) == (900, 12)
    assert now.total.seconds > 0
    failed, answered = (_span(trace.root, "model") for trace in traces)
    assert (failed.facts["failed"], failed.facts["attempts"]) == ("ModelUnavailableError", 1)
    assert answered.facts["cost"] == pytest.approx(0.00102)
    assert {name: answered.facts[name] for name in ("model", "attempts", "turns", "tokens_read", "tokens_written")} == {
        "model": "first",
        "attempts": 1,
        "turns": 1,
        "tokens_read": 900,
        "tokens_written": 12,
    }


def _span(within: Span, name: str) -> Span:
    return next(found for found in _all(within) if found.name == name)


def _all(span: Span) -> list[Span]:
    return [span, *(inner for part in span.parts for inner in _all(part))]
