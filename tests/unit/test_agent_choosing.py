"""Which messages answer a question by themselves."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from agent.selection import (
    FALLS,
    LEAST,
    MOST_QUOTES,
    MOST_SPREAD,
    MOST_WHOLE,
    RISES,
    Quote,
    best_lines,
    spread_lines,
    undecided,
)
from memory.message import Attachment, Kind
from memory.search.results import RankedMessage
from memory.search.terms import Weighed, keywords_of
from tests.fakes import said


def hit(similarity: float, *, content: str = "on friday", **fields: Any) -> RankedMessage:
    return RankedMessage(said(content, **fields), hit=True, similarity=similarity, score=similarity)


def chosen(*lines: RankedMessage, topic: str = "when is it?", question: str = "when is it?") -> list[int]:
    """Return the places, from 1 on, of the lines that answer."""
    return [quote.number for quote in best_lines(enumerate(lines, 1), topic=topic, question=question)]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(hit(0.2), id="faintly alike without a shared word"),
        pytest.param(hit(0.9, kind=Kind.COMMAND), id="an earlier question to the bot"),
        pytest.param(replace(hit(0.9), hit=False), id="a neighbour of a hit"),
    ],
)
def test_what_does_not_answer_is_not_quoted(line: RankedMessage) -> None:
    assert chosen(line) == []


def test_what_is_alike_is_quoted() -> None:
    assert chosen(hit(0.65)) == [1]


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
    assert chosen(hit(0.0, content=content), topic="when is the deploy of 0.4?") == quoted_numbers


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
    lines = [hit(0.65 + number / 100, content=f"message {number}") for number in range(1, 9)]

    assert chosen(*lines) == [8, 7, 6, 5][:MOST_QUOTES]


@pytest.mark.parametrize(
    ("scores", "quoted_numbers"),
    [
        pytest.param((8.0, 4.0), [1], id="far below the best"),
        pytest.param((8.0, 5.0), [1, 2], id="not far below it"),
        pytest.param((-3.0, -3.1), [1], id="all below the mean"),
    ],
)
def test_a_quotation_needs_a_score_near_the_best(scores: tuple[float, float], quoted_numbers: list[int]) -> None:
    lines = [
        replace(hit(0.65, content=f"message {number}"), score=score) for number, score in enumerate(scores, start=1)
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


PASTED = "The wheel head wobbles, somebody must tighten the belt."


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(PASTED, id="all of it"),
        pytest.param("wheel head wobbles, somebody must", id="a part of it"),
        pytest.param("the WHEEL head wobbles somebody must tighten the belt", id="in other letters and signs"),
    ],
)
def test_a_message_in_the_very_words_of_the_question_comes_first_and_alone(question: str) -> None:
    lines = [
        replace(hit(0.9, content="the belt of the wheel must be tightened"), score=9.0),
        replace(hit(0.2, content=PASTED), score=1.0),
    ]

    assert chosen(*lines, topic=question, question=question) == [2]


def test_what_somebody_has_asked_before_in_the_same_words_is_found_with_what_answers_it() -> None:
    asked = hit(0.9, content="when is the firing?", message_id=7)
    lines = [asked, hit(0.1, content="on friday", author_name="ben", reply_to=7)]

    assert chosen(*lines, topic="when is the firing?", question="when is the firing?") == [1, 2]


def test_words_by_whoever_is_named_need_to_be_like_the_question_themselves() -> None:
    line = replace(hit(0.6, content="lol", author_name="ben"), likeness=0.1)

    assert chosen(line, topic="what should ben bring?") == []


def test_a_word_with_another_ending_is_a_shared_one() -> None:
    assert chosen(hit(0.25, content="We glaze on Thursday"), topic="what did we say about glazing?") == [1]


def test_a_file_is_found_by_the_words_of_its_name() -> None:
    picture = Attachment(name="kiln_shelf_cracked.jpg", url="https://example.org/")

    assert chosen(hit(0.1, content="", attachments=(picture,)), topic="photo of the cracked kiln shelf") == [1]


ASKED = hit(0.8, content="why did my celadon turn brown?", message_id=7)


def test_the_answer_is_quoted_in_place_of_a_question() -> None:
    yes = RankedMessage(said("yes", author_name="cleo", reply_to=7))
    advice = RankedMessage(said("too much oxygen in the kiln", author_name="ben", reply_to=7))

    quotes = best_lines(enumerate([ASKED, yes, advice], 1), topic="why is celadon brown?", question="")

    assert quotes == [Quote(3, advice, ASKED.message)]


def test_a_question_that_nobody_answered_is_quoted() -> None:
    assert chosen(ASKED, topic="why is celadon brown?") == [1]


def test_an_answer_that_was_found_stands_with_what_it_answers() -> None:
    advice = hit(0.8, content="too much oxygen in the kiln", author_name="ben", reply_to=7)
    asked = RankedMessage(ASKED.message)

    assert best_lines(enumerate([advice, asked], 1), topic="oxygen", question="") == [Quote(1, advice, asked.message)]


def test_what_tells_something_besides_asking_is_quoted_with_its_answer() -> None:
    poll = hit(0.8, content="My chapter is called Silence. Too dramatic?", message_id=7)
    reply = RankedMessage(said("just right", author_name="ben", reply_to=7))

    quotes = best_lines(enumerate([poll, reply], 1), topic="what is the chapter called?", question="")

    assert [quote.number for quote in quotes] == [1, 2]


def test_a_rare_word_tells_more_than_a_common_one() -> None:
    rare, common = keywords_of("kiln budget")
    words = [Weighed(rare, weight=4.0), Weighed(common, weight=1.0)]
    lines = [hit(0.2, content="the kiln is cold"), hit(0.2, content="the budget is spent")]

    quotes = best_lines(enumerate(lines, 1), topic="kiln budget", question="", words=words)

    assert [quote.number for quote in quotes] == [1]


def test_what_is_about_whoever_the_question_names_comes_first() -> None:
    lines = [
        replace(hit(0.5, content="I bring the wax", author_name="eve"), score=5.0),
        replace(hit(0.5, content="@ben please bring the key", author_name="ana"), score=4.5),
        replace(hit(0.5, content="lol", author_name="ben"), likeness=0.1, score=4.4),
    ]

    assert chosen(*lines, topic="what should ben bring?") == [2, 1]


def test_what_was_found_in_reply_to_an_answer_follows_it() -> None:
    drill = replace(hit(0.6, content="restore drill, clock running", message_id=7), score=9.0)
    result = replace(hit(0.1, content="43 minutes until the first photo", reply_to=7), score=6.0)

    quotes = best_lines(enumerate([drill, result], 1), topic="how long did the restore drill take?", question="")

    assert quotes == [Quote(1, drill), Quote(2, result, drill.message)]


def test_a_word_that_is_part_of_a_name_tells_where_a_question_has_no_other() -> None:
    lines = [hit(0.6, content="+1", author_name="ben | away"), hit(0.2, content="I am away next week")]

    assert chosen(*lines, topic="who is away?") == [2]


def test_what_is_only_alike_stands_back_behind_what_has_every_telling_word() -> None:
    lines = [
        replace(hit(0.6, content="the key is with ben", author_name="ana"), score=8.0),
        replace(hit(0.2, content="please bring the kit", author_name="may"), score=5.0),
        replace(hit(0.5, content="lol", author_name="ben"), likeness=0.1, score=4.0),
    ]

    assert chosen(*lines, topic="what was ben asked to bring?") == [2]


@pytest.mark.parametrize(("messages", "quoted"), [(MOST_WHOLE, MOST_WHOLE), (MOST_WHOLE + 1, MOST_SPREAD)])
def test_a_choice_is_made_of_many_messages_alone(messages: int, quoted: int) -> None:
    lines = [(number, hit(0.5, content=f"message {number}")) for number in range(1, messages + 1)]

    assert len(spread_lines(lines)) == quoted


BEN = {"author_name": "ben"}


@pytest.mark.parametrize(
    ("lines", "compared"),
    [
        pytest.param([hit(0.4, content="the others bring cake", **BEN)], [], id="one that has a telling word"),
        pytest.param([hit(0.6, content="a tin of paint", author_name="may")], [1], id="one that is alike alone"),
        pytest.param([hit(0.1, content="a tin of paint", author_name="may")], [], id="one that is hardly alike"),
        pytest.param([hit(0.6, content="lol", **BEN)], [], id="one of whom the question asks, without a word of it"),
        pytest.param(
            [hit(0.4, content="bring cake", **BEN), hit(0.6, content="a tin of paint", author_name="may")],
            [],
            id="one that is alike beside one that has every word",
        ),
        pytest.param(
            [replace(hit(0.6, content="a tin of paint", author_name="may"), similarity=None)],
            [1],
            id="one of which nothing is known",
        ),
        pytest.param([replace(hit(0.6, author_name="may"), hit=False)], [], id="a neighbour of a hit"),
    ],
)
def test_own_words_are_compared_where_that_decides(lines: list[RankedMessage], compared: list[int]) -> None:
    numbered = [
        (number, replace(line, message=replace(line.message, message_id=number)))
        for number, line in enumerate(lines, 1)
    ]

    keys = undecided(numbered, topic="what did ben bring?")

    assert [line.message.message_id for _, line in numbered if line.message.key in keys] == compared


def test_the_likeness_of_what_is_not_compared_does_not_decide_whether_there_is_an_answer() -> None:
    random = Random(7)  # noqa: S311
    contents = ["bring cake", "the cake is here", "bring a tin of paint", "a tin of paint", "bring cake soon"]
    compared = 0
    for _ in range(300):
        lines = [
            replace(
                hit(random.uniform(0, 0.7), content=random.choice(contents), message_id=number, **author), score=0.0
            )
            for number, author in enumerate(random.choices([BEN, {"author_name": "may"}], k=3), 1)
        ]
        keys = undecided(enumerate(lines, 1), topic="did ben bring cake?")
        like = [
            replace(line, likeness=max(LEAST, (line.similarity or 0) + random.uniform(-FALLS, RISES))) for line in lines
        ]
        some = [new if new.message.key in keys else old for old, new in zip(lines, like, strict=True)]
        compared += len(keys)

        assert bool(chosen(*some, topic="did ben bring cake?")) == bool(chosen(*like, topic="did ben bring cake?"))
    assert 0 < compared < 300 * 3 / 2
