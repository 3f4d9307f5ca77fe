"""Which questions are open: nobody but their author replied, followed, reacted, or wrote in the thread about them."""

from datetime import timedelta
from typing import Any

import pytest

from overviews.open_questions import FOLLOWING, SOON, is_worth_asking, open_questions
from overviews.traces import Trace
from tests.builders import message, minute

ANA, BEN, CLEO = "1", "2", "3"
HELP, GENERAL, POST = 31, 32, 33


def said(number: int, author: str = BEN, place: int = HELP, **changes: Any) -> Trace:
    """Return message `number`, which Ben sent in that minute."""
    fields: dict[str, Any] = {"sent_at": minute(number), "channel_id": HELP, **changes}
    return Trace(message_id=number, place_id=place, author=author, **fields)


def asked(number: int, author: str = ANA, **changes: Any) -> Trace:
    return said(number, author, **{"asks": True, **changes})


def open_ids(*traces: Trace) -> list[int]:
    return [trace.message_id for trace in open_questions(traces)]


LATE = int(SOON / timedelta(minutes=1)) + 10


@pytest.mark.parametrize(
    "later",
    [
        pytest.param([], id="nothing follows"),
        pytest.param([said(2, ANA)], id="only the asker says more"),
        pytest.param([said(2, reply_to=99)], id="what follows replies to something else"),
        pytest.param([said(2, asks=True)], id="what follows asks"),
        pytest.param([said(2, place=GENERAL)], id="what follows is said elsewhere"),
        pytest.param([said(LATE)], id="what follows comes late"),
        pytest.param([said(2, ANA, reply_to=1)], id="the asker replies to themselves"),
        pytest.param([said(n, reply_to=99) for n in range(2, 2 + FOLLOWING)] + [said(20)], id="much comes between"),
        pytest.param([said(2, is_answer=True)], id="the bot says something to somebody else"),
    ],
)
def test_a_question_is_open_when(later: list[Trace]) -> None:
    assert 1 in open_ids(asked(1), *later)


@pytest.mark.parametrize(
    "later",
    [
        pytest.param([said(2)], id="somebody else speaks next"),
        pytest.param([said(LATE, reply_to=1)], id="somebody replies, however late"),
        pytest.param([said(2, place=GENERAL, reply_to=1)], id="somebody replies elsewhere"),
        pytest.param([said(2, is_answer=True, reply_to=1)], id="the bot replies"),
        pytest.param([said(2, place=1)], id="somebody writes in the thread about it"),
        pytest.param([said(2, ANA), said(3, reply_to=2)], id="somebody replies to what the asker adds"),
    ],
)
def test_a_question_is_answered_when(later: list[Trace]) -> None:
    assert open_ids(asked(1), *later) == []


def test_a_question_with_a_reaction_is_answered() -> None:
    assert open_ids(asked(1, reactions=1)) == []


def test_what_asks_nothing_is_no_question() -> None:
    assert open_ids(said(1, ANA)) == []


def test_of_several_questions_in_a_row_the_first_stands_for_all() -> None:
    assert open_ids(asked(1), asked(2), asked(3, CLEO), asked(LATE + 5)) == [1, 3, LATE + 5]


def test_a_forum_post_asks_without_asking_and_is_open_until_somebody_else_writes_in_it() -> None:
    post = said(POST, ANA, place=POST)

    assert post.is_post
    assert open_ids(post, said(40, ANA, place=POST)) == [POST]
    assert open_ids(post, said(LATE + 100, place=POST)) == []


def test_ten_thousand_messages_are_looked_at_in_far_less_than_a_second() -> None:
    crowd = [asked(number, str(number % 7), place=number % 3, sent_at=minute(0)) for number in range(10_000)]

    assert len(open_questions(crowd)) <= 7 * 3


@pytest.mark.parametrize(
    ("text", "is_asked"),
    [
        ("How do I fire the kiln?", True),
        ("does anybody know where the key is ?", True),
        ("where is the key", True),
        ("釉薬はどこにありますか\N{FULLWIDTH QUESTION MARK}", True),
        ("何\N{FULLWIDTH QUESTION MARK}", False),
        ("What?", False),
        ("u ok?", False),
        ("<@Ben:2> ok?", False),
        ("https://example.org/?q=how", False),
        ("see https://example.org/?q=1", False),
        ("the kiln is hot", False),
    ],
)
def test_only_what_somebody_can_answer_is_worth_asking(text: str, is_asked: bool) -> None:
    assert is_worth_asking(message(1, text)) is is_asked


def test_a_post_is_worth_asking_whatever_its_words() -> None:
    assert is_worth_asking(message(POST, "it crashes", thread_id=POST))
