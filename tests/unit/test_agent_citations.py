"""The marks of an answer: which count, which go, and how they are numbered."""

import pytest

from agent.citations import cited_numbers, with_sources, without_marks
from memory.message import Message
from tests.fakes import said


def shown(*numbers: int) -> dict[int, Message]:
    return {number: said(f"message {number}") for number in numbers}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Friday [1].", "Friday [1].", id="one mark"),
        pytest.param("Friday [3], noon [1].", "Friday [1], noon [2].", id="numbered by first citation"),
        pytest.param("Friday [3][1], again [3].", "Friday [1][2], again [1].", id="side by side"),
        pytest.param("Friday [3, 1].", "Friday [1][2].", id="in one bracket"),
        pytest.param("Friday [1, 1].", "Friday [1].", id="twice in one bracket"),
        pytest.param("Friday [2, 9].", "Friday [1].", id="half of a bracket unknown"),
        pytest.param("Friday [9], noon [2].", "Friday, noon [1].", id="unknown mark dropped with its space"),
        pytest.param("Friday [1](https://example.com).", "Friday [1].", id="a link of the model's own"),
        pytest.param("Item [0] and [x] and [].", "Item [0] and [x] and [].", id="no marks at all"),
        pytest.param("Use `a[1]`, as said [2].", "Use `a[1]`, as said [1].", id="inline code"),
        pytest.param("Use ``a`[1]`` [2].", "Use ``a`[1]`` [1].", id="inline code with two backticks"),
        pytest.param("```py\na[1]\n``` [2]", "```py\na[1]\n``` [1]", id="code fence"),
        pytest.param("[2]\n```py\na[1]", "[1]\n```py\na[1]", id="code fence that is never closed"),
        pytest.param("a stray ` here [3]\nand ` there [1]", "a stray ` here [1]\nand ` there [2]", id="backticks"),
    ],
)
def test_marks_are_checked_and_renumbered(text: str, expected: str) -> None:
    assert with_sources(text, shown(1, 2, 3))[0] == expected


def test_sources_come_in_the_order_of_first_citation() -> None:
    messages = shown(1, 2, 3)

    _, sources = with_sources("Friday [3], noon [1], again [3].", messages)

    assert [(source.number, source.message) for source in sources] == [(1, messages[3]), (2, messages[1])]


def test_a_mark_inside_code_cites_nothing() -> None:
    assert cited_numbers("`a[1]` and [2] and [2, 5]") == [2, 5]


def test_an_answer_without_its_marks_reads_on() -> None:
    assert without_marks("On Friday [1][2], at noon [3].") == "On Friday, at noon."


@pytest.mark.parametrize("text", [r"see \[3\] [1]", r"see \[3] [1]", r"a\`b \`[1]\`", r"\`x `a[3]` [1]"])
def test_what_is_escaped_is_neither_a_mark_nor_code(text: str) -> None:
    assert cited_numbers(text) == [1]
