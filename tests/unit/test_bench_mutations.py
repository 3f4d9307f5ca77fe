"""The answers that proof is measured with are true, and the changed ones are not."""

from random import Random

import pytest

from bench.mutations.__main__ import figures, figures_without_marks, sample_chats, try_chat, try_without_marks
from bench.mutations.changes import CHANGES
from bench.mutations.true_answers import TrueAnswer, other_numbers, reported, resolved, true_answers
from tests.builders import START, message


def test_a_true_answer_reports_resolves_and_rewrites_what_a_message_says() -> None:
    assert reported("I'm sure that we will bring my cake") == "they are sure that they will bring their cake"
    assert resolved("we meet tomorrow, or on friday", START.date()) == "we meet on 4 November, or on Friday 6 November"
    assert other_numbers("3 people at 15:30, 1200 bowls") == "three people at 3:30 pm, 1,200 bowls"


def test_the_same_seed_makes_the_same_answers() -> None:
    messages = sample_chats()[0].messages

    assert true_answers(messages, count=20, seed=4) == true_answers(messages, count=20, seed=4)
    assert true_answers(messages, count=20, seed=4) != true_answers(messages, count=20, seed=5)


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_changes_one_thing_and_nothing_in_the_copied_words(kind: str) -> None:
    said = message(1, "we fire 12 bowls", author_name="ana")
    text = 'At 15:30 on 3 May Ana said that they are not 12 [1 "12 bowls at 15:30 on 3 May"].'
    answer = TrueAnswer(text, "reported", (said,), (said,))

    changed = CHANGES[kind](answer, Random(1), ["ana", "bo"])  # noqa: S311

    assert changed is not None
    assert changed != text
    assert changed.endswith('[1 "12 bowls at 15:30 on 3 May"].')


async def test_most_changes_are_noticed_and_few_true_answers_are_hit() -> None:
    tried = await try_chat(sample_chats()[0], count=22, seed=2)

    shares = {str(row[1]): float(row[3]) for row in figures("x", tried)}
    assert shares["all but the last"] >= 80
    assert shares["unchanged"] < 10


async def test_answers_without_marks_get_those_of_their_own_messages_or_none() -> None:
    chat = sample_chats()[0]
    tried = await try_without_marks(chat, await try_chat(chat, count=22, seed=2))

    rows = {str(row[1]): row[3:] for row in figures_without_marks("x", tried)}
    without, right, other = map(float, rows["unchanged"])
    assert right >= 40
    assert other == 0
    assert without + right == pytest.approx(100)
    assert float(rows["all but the last"][0]) >= 90
