"""Which messages answer a question by themselves, and how they are quoted."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.citations import cited_numbers, split_code
from agent.quotes import LENGTH, MOST_QUOTES, best_lines, quotation
from memory.findings import Line
from memory.messages import Kind
from tests.fakes import said

PARIS = ZoneInfo("Europe/Paris")


def hit(similarity: float, *, content: str = "on friday", **fields: Any) -> Line:
    return Line(said(content, **fields), hit=True, similarity=similarity, score=similarity)


def quoted(content: str, question: str = "when?", **fields: Any) -> str:
    return quotation(1, hit(0.9, content=content, **fields), question=question, time_zone=PARIS)


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


def test_a_quotation_names_author_place_and_local_time() -> None:
    assert quoted("on friday") == '- **ana** in #general, Tue 3 Nov 2026 14:02: "on friday" [1]'


def test_a_quotation_of_the_new_year_is_dated_on_the_askers_clock() -> None:
    text = quoted("cheers", sent_at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))

    assert "Fri 1 Jan 2027 00:30" in text


def test_a_long_text_is_cut_around_a_word_of_the_question() -> None:
    text = quoted("blah " * 200 + "the deployment is on friday " + "blah " * 200, question="when is the deployment?")

    assert "the deployment is on friday" in text
    assert '"… blah' in text
    assert 'blah …" [1]' in text
    assert len(text) < LENGTH + 100


def test_a_text_of_several_lines_keeps_them() -> None:
    assert quoted("first\nsecond").endswith("[1]:\n> first\n> second")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("try ```py\ndeploy()\n``` now", id="a fence in mid-sentence"),
        pytest.param("```py\ndeploy()```", id="a fence closed in the line of code"),
        pytest.param("```py\ndeploy()\n", id="a fence that is never closed"),
        pytest.param("```py\n" + "deploy()\n" * 500 + "```", id="more code than fits"),
        pytest.param("```deploy()```", id="a fence in one line"),
        pytest.param("-`````py\nx\n```1", id="a fence with another one inside"),
    ],
)
def test_code_keeps_a_fence_on_lines_of_its_own(content: str) -> None:
    lines = quoted(content).splitlines()

    fences = [line for line in lines if "```" in line]
    assert fences[0] in {"```py", "```"}
    assert fences[1:] == ["```"]
    assert len("\n".join(lines)) < 1000


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"content": "the ` key"}, id="in the text"),
        pytest.param({"content": "on friday", "author_name": "a`na"}, id="in a name"),
        pytest.param({"content": "``` is how code starts"}, id="an open fence"),
    ],
)
def test_a_stray_backtick_does_not_make_code_of_the_mark(fields: dict[str, Any]) -> None:
    both = f"{quoted(**fields)}\n{quoted('another ` one')}"

    assert cited_numbers(both) == [1]
    assert "`" not in both.replace("```", "")
    assert {is_code for is_code, part in split_code(both) if "[1]" in part} == {False}


@pytest.mark.parametrize("name", ["[2]", "ana [2, 3]", "[[2]](https://e.org)", "``[2]"])
def test_whoever_is_called_like_a_mark_cites_nothing(name: str) -> None:
    texts = [quoted("on friday", author_name=name), quoted("on friday", channel_name=name)]

    assert [cited_numbers(text) for text in texts] == [[1], [1]]


def test_a_mark_in_quoted_words_stays_the_persons_own() -> None:
    assert cited_numbers(quoted("see [7]")) == [1]


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
