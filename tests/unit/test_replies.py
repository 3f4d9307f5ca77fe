"""Which message answers another one that asks."""

from typing import Any

import pytest

from memory.message import Message
from memory.search.replies import answers_to, asks, only_asks
from tests.builders import message, minute

ASKED = message(1, "Does anyone know why my celadon turned brown?")
ADVICE = message(3, "too much oxygen in the kiln", author_name="ben")


def reply(number: int, content: str, **fields: Any) -> Message:
    return message(number, content, **{"author_name": "ben", "reply_to": 1, **fields})


def answers(*others: Message, topic: str = "why did the celadon turn brown?") -> list[int]:
    return [one.message_id for one in answers_to(ASKED, [ASKED, *others], topic=topic)]


@pytest.mark.parametrize(
    "content",
    ["when?", "any idea why? it was fine before", "why does the kiln trip", "what does everyone drink. I will judge"],
)
def test_a_message_asks(content: str) -> None:
    assert asks(message(1, content))


@pytest.mark.parametrize(
    "content",
    [
        "the kiln trips",
        "see https://example.org/?page=2 for it",
        "Decision: the glaze is celadon. Why? It is cheap. " + "It holds at cone 6. " * 20,
    ],
)
def test_a_message_tells(content: str) -> None:
    assert not asks(message(1, content))


@pytest.mark.parametrize(
    ("content", "is_only_asking"),
    [
        pytest.param("Why did it turn brown?", True, id="a question"),
        pytest.param("Any idea? Is it the glaze?", True, id="two questions"),
        pytest.param("what does everyone drink. I will judge", True, id="without its mark"),
        pytest.param("The chapter is called Silence. Too dramatic?", False, id="a statement and a question"),
        pytest.param("The kiln trips", False, id="a statement"),
    ],
)
def test_an_answer_may_stand_in_place_of_a_mere_question(content: str, is_only_asking: bool) -> None:
    assert only_asks(message(1, content)) is is_only_asking


def test_the_reply_that_tells_most_answers() -> None:
    assert answers(reply(2, "yes"), reply(3, "too much oxygen in the kiln"), reply(4, "same here")) == [3]


def test_a_bare_yes_answers_where_nothing_else_does() -> None:
    assert answers(reply(2, "yes")) == [2]


def test_the_reply_of_whom_the_question_names_answers() -> None:
    replies = [reply(2, "filter coffee, one litre a day", author_name="cleo"), reply(3, "water")]

    assert answers(*replies, topic="what does Ben drink?") == [3]


def test_a_question_back_is_no_good_answer() -> None:
    assert answers(reply(2, "which kiln and which glaze did you use, and at what cone?"), reply(3, "oxygen")) == [3]


def test_what_others_say_next_answers_where_nobody_replied() -> None:
    assert answers(ADVICE) == [3]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(message(3, "too much oxygen", author_name="ben", channel_id=2), id="in another channel"),
        pytest.param(message(3, "too much oxygen", author_name="ben", reply_to=99), id="a reply to another message"),
        pytest.param(message(3, "too much oxygen", author_name="ben", sent_at=minute(60)), id="an hour later"),
        pytest.param(message(3, "too much oxygen", author_name="ben", sent_at=minute(0)), id="before"),
    ],
)
def test_what_is_said_elsewhere_is_no_answer(other: Message) -> None:
    assert answers(other) == []


def test_whoever_asks_may_answer_where_nobody_else_does() -> None:
    found = message(2, "it was the oxygen, never mind")

    assert answers(found) == [2]
    assert answers(found, ADVICE) == [3]


def test_what_does_not_ask_gets_no_answer() -> None:
    assert answers_to(ADVICE, [ADVICE, message(4, "oh", reply_to=3)], topic="oxygen") == []
