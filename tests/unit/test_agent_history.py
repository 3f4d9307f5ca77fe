"""The earlier turns that a model sees."""

from datetime import UTC, datetime

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately

from agent.answers import Answer
from agent.conversations import Turn
from agent.history import approximate_tokens, finished_turn, fitting
from tests.agents import question

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def turn(asked: str, answered: str) -> Turn:
    return Turn(asked_at=NOON, question=asked, answer=answered)


@pytest.mark.parametrize(
    "wordless",
    [
        pytest.param(turn("and where?", " "), id="an answer of nothing but marks"),
        pytest.param(turn("", "On Friday."), id="an empty question"),
    ],
)
def test_a_turn_without_words_is_left_out(wordless: Turn) -> None:
    whole = turn("when?", "On Friday.")

    assert fitting([wordless, whole, wordless], max_tokens=1000) == [whole]


def test_the_newest_turns_are_kept() -> None:
    turns = [turn(f"question {number}", "x" * 400) for number in range(100)]

    kept = fitting(turns, max_tokens=500)

    assert [one.question for one in kept] == ["question 96", "question 97", "question 98", "question 99"]


def test_no_tokens_mean_no_history() -> None:
    assert fitting([turn("when?", "On Friday.")], max_tokens=0) == []


@pytest.mark.parametrize("length", range(12))
def test_tokens_are_counted_as_langchain_counts_them(length: int) -> None:
    one = turn("w" * length, "é" * 3 * length)

    assert approximate_tokens(one) == count_tokens_approximately([HumanMessage(one.question), AIMessage(one.answer)])


def test_a_finished_turn_is_kept_without_its_marks() -> None:
    assert finished_turn(question("when?"), Answer(text="On Friday [1]."), ()).answer == "On Friday."
