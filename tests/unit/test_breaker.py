"""A model that fails again and again is left alone for a while, and then tried with one question."""

from datetime import timedelta

import pytest

from agent.agent import Agent
from agent.model_answers import MODEL_FAILED
from agent.models.breaker import FAILURES, LONGEST_REST, REST, Breaker
from tests.agents import chat, of, question
from tests.fakes import HANGS, ScriptedModel, Utterance, says


class Clock:
    """Stands still until it is moved on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by.total_seconds()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def broken(clock: Clock) -> Breaker:
    breaker = Breaker(clock=clock)
    for _ in range(FAILURES):
        breaker.failed()
    return breaker


def test_a_model_is_asked_until_it_has_failed_several_times_in_a_row(clock: Clock) -> None:
    breaker = Breaker(clock=clock)
    for _ in range(FAILURES - 1):
        breaker.failed()
    assert breaker.lets_through()

    breaker.succeeded()
    breaker.failed()
    assert breaker.lets_through(), "an answer begins the count anew"

    assert not broken(clock).lets_through()


def test_after_its_rest_one_question_is_let_through_at_a_time(clock: Clock) -> None:
    breaker = broken(clock)
    clock.move(REST)

    assert breaker.lets_through()
    assert not breaker.lets_through()

    breaker.left()
    assert breaker.lets_through(), "the one that was withdrawn says nothing of the model"

    breaker.succeeded()
    assert breaker.lets_through()
    assert breaker.is_open


def test_each_trial_that_fails_makes_the_rest_longer_up_to_a_limit(clock: Clock) -> None:
    breaker = broken(clock)
    rests = []
    for _ in range(6):
        clock.move(timedelta(seconds=breaker.seconds_left))
        assert breaker.lets_through()
        breaker.failed()
        rests.append(timedelta(seconds=breaker.seconds_left))

    assert rests == [2 * REST, 4 * REST, 8 * REST, LONGEST_REST, LONGEST_REST, LONGEST_REST]


def test_a_server_that_says_when_to_come_again_is_left_alone_until_then(clock: Clock) -> None:
    breaker = Breaker(clock=clock)

    breaker.failed(retry_after=timedelta(seconds=30))

    assert breaker.seconds_left == 30
    breaker.failed(retry_after=timedelta(days=2))
    assert breaker.seconds_left == LONGEST_REST.total_seconds()


async def test_a_model_that_is_known_to_be_down_is_not_asked_and_then_tried_again(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.models.language_model.Breaker", lambda: Breaker(clock=clock))
    away: list[Utterance] = [ValueError("no")] * FAILURES
    model = ScriptedModel([*away, says("On Friday [1].")])
    asked = Agent(of(model), memory=chat())
    for _ in range(FAILURES):
        assert (await asked.ask(question())).notes == (MODEL_FAILED,)

    answer = await asked.ask(question())
    assert (answer.notes, len(model.heard)) == ((MODEL_FAILED,), FAILURES)
    assert [state.rests_for for state in asked.model_states] == [REST.total_seconds()]

    clock.move(REST)
    answer = await asked.ask(question())
    assert (answer.text, answer.notes) == ("On Friday [1].", ())
    assert not asked.model_states[0].is_on_trial


async def test_a_trial_that_is_withdrawn_leaves_the_next_question_to_be_one(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    monkeypatch.setattr("agent.models.language_model.Breaker", lambda: Breaker(clock=clock))
    away: list[Utterance] = [ValueError("no")] * FAILURES
    model = ScriptedModel([*away, HANGS, says("On Friday [1].")])
    asked = Agent(of(model), memory=chat())
    for _ in range(FAILURES):
        await asked.ask(question())
    clock.move(REST)
    trial = asyncio.create_task(asked.ask(question()))
    await model.hung.wait()

    trial.cancel()
    await asyncio.gather(trial, return_exceptions=True)

    assert (await asked.ask(question())).text == "On Friday [1]."
