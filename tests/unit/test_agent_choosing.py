"""Which messages answer a question by themselves."""

from dataclasses import replace
from typing import Any

import pytest

from agent.choosing import MOST_QUOTES, best_lines
from memory.findings import Line
from memory.messages import Kind
from tests.fakes import said


def hit(similarity: float, *, content: str = "on friday", **fields: Any) -> Line:
    return Line(said(content, **fields), hit=True, similarity=similarity, score=similarity)


def chosen(*lines: Line, topic: str = "when is it?") -> list[int]:
    """Return the places, from 1 on, of the lines that answer."""
    return [number for number, _ in best_lines(enumerate(lines, 1), topic=topic, question="when is it?")]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(hit(0.44), id="faintly alike without a shared word"),
        pytest.param(hit(0.9, kind=Kind.COMMAND), id="an earlier question to the bot"),
        pytest.param(hit(0.9, content="when is it?"), id="the question itself"),
        pytest.param(replace(hit(0.9), hit=False), id="a neighbour of a hit"),
    ],
)
def test_what_does_not_answer_is_not_quoted(line: Line) -> None:
    assert chosen(line) == []


def test_what_is_alike_is_quoted() -> None:
    assert chosen(hit(0.46)) == [1]


@pytest.mark.parametrize(
    ("content", "quoted_numbers"),
    [
        pytest.param("we deployed 0.4", [1], id="all of them with other endings"),
        pytest.param("We DEPLOY 0.4", [1], id="in capitals"),
        pytest.param("we deployed 0.5", [], id="half of them"),
        pytest.param("we deployed 0 of 4", [], id="the parts of a number"),
        pytest.param("when is it, and what about 40?", [], id="only words that tell nothing"),
    ],
)
def test_words_of_the_question_make_up_for_likeness(content: str, quoted_numbers: list[int]) -> None:
    assert chosen(hit(0.25, content=content), topic="when is the deploy of 0.4?") == quoted_numbers


def test_a_shared_word_in_another_sense_does_not_answer() -> None:
    assert chosen(hit(0.10, content="the deployment of troops"), topic="when is the deployment?") == []


@pytest.mark.parametrize(
    ("topic", "quoted_numbers"),
    [
        pytest.param("ana's salary", [], id="about something else"),
        pytest.param("ana's lunch", [1], id="about that"),
        pytest.param("ana", [1], id="about nothing but the person"),
    ],
)
def test_to_be_by_somebody_whom_the_question_names_is_not_enough(topic: str, quoted_numbers: list[int]) -> None:
    assert chosen(hit(0.7, content="lunch is at noon", author_name="Ana"), topic=topic) == quoted_numbers


def test_a_message_about_somebody_else_may_answer_a_question_that_names_its_author() -> None:
    lines = [hit(0.7, content="salary is on friday", author_name="bo"), hit(0.7, content="hi", author_name="Ana")]

    assert chosen(*lines, topic="ana's salary") == [1]


def test_quotes_come_best_first_and_few() -> None:
    lines = [hit(0.5 + number / 100, content=f"message {number}") for number in range(1, 9)]

    assert chosen(*lines) == [8, 7, 6, 5][:MOST_QUOTES]


@pytest.mark.parametrize(
    ("scores", "quoted_numbers"),
    [
        pytest.param((8.0, 4.0), [1], id="far below the best"),
        pytest.param((8.0, 5.0), [1, 2], id="not far below it"),
        pytest.param((-0.5, -0.6), [1], id="all below the mean"),
    ],
)
def test_a_quotation_needs_a_score_near_the_best(scores: tuple[float, float], quoted_numbers: list[int]) -> None:
    lines = [
        replace(hit(0.5, content=f"message {number}"), score=score) for number, score in enumerate(scores, start=1)
    ]

    assert chosen(*lines) == quoted_numbers


def test_the_same_words_are_quoted_once() -> None:
    assert chosen(hit(0.9), hit(0.9)) == [1]


@pytest.mark.parametrize(
    ("content", "quoted_numbers"),
    [
        pytest.param("the deploy of 0.4 waits", [1], id="all the telling words"),
        pytest.param("we deploy on friday", [1], id="half of them"),
        pytest.param("lunch is at noon", [], id="none of them"),
    ],
)
def test_where_likeness_is_not_known_the_words_decide(content: str, quoted_numbers: list[int]) -> None:
    line = replace(hit(0.0, content=content), similarity=None)

    assert chosen(line, topic="when is the deploy of 0.4?") == quoted_numbers
