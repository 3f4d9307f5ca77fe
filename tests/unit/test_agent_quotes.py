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


def hit(similarity: float, lexical: float = 0.0, *, content: str = "on friday", **fields: Any) -> Line:
    return Line(said(content, **fields), hit=True, similarity=similarity, lexical=lexical, score=similarity)


def quoted(content: str, question: str = "when?", **fields: Any) -> str:
    return quotation(1, hit(0.9, content=content, **fields), question=question, time_zone=PARIS)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(hit(0.37), id="faintly alike without a shared word"),
        pytest.param(hit(0.10, lexical=5.0), id="a shared word in another sense"),
        pytest.param(hit(0.9, kind=Kind.COMMAND), id="an earlier question to the bot"),
        pytest.param(hit(0.9, content="when is it?"), id="the question itself"),
        pytest.param(Line(said("on friday")), id="a neighbour of a hit"),
    ],
)
def test_what_does_not_answer_is_not_quoted(line: Line) -> None:
    assert best_lines([(1, line)], question="when is it?") == []


@pytest.mark.parametrize(
    "line", [pytest.param(hit(0.39), id="alike"), pytest.param(hit(0.16, lexical=2.0), id="with a shared word")]
)
def test_what_answers_is_quoted(line: Line) -> None:
    assert best_lines([(1, line)], question="when is it?") == [(1, line)]


def test_quotes_come_best_first_and_few() -> None:
    lines = [(number, hit(0.5 + number / 100, content=f"message {number}")) for number in range(1, 9)]

    assert [number for number, _ in best_lines(lines, question="?")] == [8, 7, 6, 5][:MOST_QUOTES]


def test_what_lags_far_behind_the_best_is_not_quoted() -> None:
    lines = [(1, hit(0.9, content="the answer")), (2, hit(0.5, content="something else"))]

    assert [number for number, _ in best_lines(lines, question="?")] == [1]


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
        (number, replace(hit(0.5, content=f"message {number}"), score=score)) for number, score in enumerate(scores, 1)
    ]

    assert [number for number, _ in best_lines(lines, question="?")] == quoted_numbers


def test_the_same_words_are_quoted_once() -> None:
    assert [number for number, _ in best_lines([(1, hit(0.9)), (2, hit(0.9))], question="?")] == [1]


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
    assert not any(is_code and "[1]" in part for is_code, part in split_code(both))


def test_a_mark_in_quoted_words_stays_the_persons_own() -> None:
    assert cited_numbers(quoted("see [7]")) == [1]
