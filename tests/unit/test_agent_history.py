"""The earlier turns that a model sees."""

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from agent.history import tidied, turn
from tests.fakes import calls

PAIR = [HumanMessage("when?"), AIMessage("On Friday.")]


@pytest.mark.parametrize(
    "leftovers",
    [
        pytest.param([HumanMessage("and where?")], id="a question without an answer"),
        pytest.param([HumanMessage("and where?"), calls("current_time")], id="a call without its result"),
        pytest.param(
            [HumanMessage("and where?"), calls("current_time"), ToolMessage("noon", tool_call_id="call-current_time")],
            id="a run that stopped after its tools",
        ),
        pytest.param([HumanMessage("and where?"), AIMessage(" ")], id="an empty answer"),
        pytest.param(
            [HumanMessage("and where?"), AIMessage("Let me look.", tool_calls=calls("current_time").tool_calls)],
            id="a call with words and without its result",
        ),
    ],
)
def test_a_run_that_never_ended_leaves_nothing_behind(leftovers: list[BaseMessage]) -> None:
    for messages in ([*PAIR, *leftovers], [*leftovers, *PAIR]):
        assert tidied(messages, max_tokens=1000) == PAIR


def test_tool_calls_of_a_finished_run_are_left_out() -> None:
    chatter = [calls("current_time"), ToolMessage("noon", tool_call_id="call-current_time")]

    assert tidied([PAIR[0], *chatter, PAIR[1]], max_tokens=1000) == PAIR


def test_the_newest_turns_are_kept() -> None:
    turns = [message for number in range(100) for message in turn(f"question {number}", "x" * 400)]

    kept = tidied(turns, max_tokens=500)

    assert [message.text for message in kept[::2]] == ["question 96", "question 97", "question 98", "question 99"]


def test_no_tokens_mean_no_history() -> None:
    assert tidied(PAIR, max_tokens=0) == []


def test_a_finished_turn_is_kept_without_its_marks() -> None:
    assert turn("when?", "On Friday [1].") == PAIR
