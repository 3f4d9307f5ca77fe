"""Which questions buttons still know, and whose thumbs are kept."""

from datetime import UTC, datetime

import pytest

from bot.answer_buttons import CUSTOM_ID, Action, AnswerButton, AnswerButtons
from bot.asked import AskedQuestion, KeptQuestions, RecentQuestions
from errors import DatabaseUnavailableError
from memory.answers.kept import KeptAnswer, KeptQuestion, Rating
from tests.fakes_answers import FakeAnswerStore

NOW = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)


def question(number: int) -> AskedQuestion:
    return AskedQuestion(question_id=number, text=f"what of {number}?", asker_id=7, channel_id=9)


async def test_the_newest_questions_are_known_and_the_oldest_forgotten() -> None:
    asked = RecentQuestions(most=3)

    for number in range(5):
        asked.note(question(number))

    assert [await asked.get(number) for number in range(5)] == [None, None, question(2), question(3), question(4)]


async def test_a_thumb_takes_the_place_of_an_earlier_one_and_of_an_unknown_question_none_is_kept() -> None:
    asked = RecentQuestions(most=2)
    asked.note(question(1))

    kept = [await asked.rate(1, rater, rating, at=NOW) for rater, rating in ((7, Rating.UP), (7, Rating.DOWN))]
    unknown = await asked.rate(2, 7, Rating.UP, at=NOW)

    assert (kept, unknown) == ([True, True], False)
    assert dict(asked.ratings) == {(1, 7): Rating.DOWN}


async def test_ratings_that_nothing_keeps_are_bounded() -> None:
    asked = RecentQuestions(most=2)
    asked.note(question(1))

    for rater in range(5):
        await asked.rate(1, rater, Rating.UP, at=NOW)

    assert list(asked.ratings) == [(1, 3), (1, 4)]


async def test_a_kept_question_is_known_with_what_its_answer_cites() -> None:
    store = FakeAnswerStore()
    kept = KeptQuestion(
        question_id=5,
        guild_id=1,
        channel_id=9,
        access_id=9,
        asker_id=7,
        text="when?",
        asked_at=NOW,
        private=True,
        all_time=True,
        about=(3,),
    )
    await store.asked(kept)
    await store.ready(5, KeptAnswer(text="at noon [1]", outcome="answered", sources={1: 70, 2: 80}), now=NOW)
    asked = KeptQuestions(store)

    assert await asked.get(5) == AskedQuestion(
        question_id=5,
        text="when?",
        asker_id=7,
        channel_id=9,
        guild_id=1,
        private=True,
        all_time=True,
        about=(3,),
        sources=((1, 70), (2, 80)),
    )
    assert await asked.get(6) is None
    assert await asked.rate(5, 8, Rating.UP, at=NOW)
    assert store.ratings == {(5, 8): Rating.UP}


async def test_a_store_that_is_away_is_not_taken_for_one_that_knows_nothing() -> None:
    asked = KeptQuestions(FakeAnswerStore(away=True))

    with pytest.raises(DatabaseUnavailableError):
        await asked.get(5)


async def press(*_: object) -> None:
    """Do nothing."""


@pytest.mark.parametrize("action", list(Action))
async def test_a_button_names_its_question_so_that_it_is_known_again(action: Action) -> None:
    button = AnswerButtons(press).kind(action, 10**18)

    match = CUSTOM_ID.fullmatch(button.custom_id)
    assert match is not None
    assert isinstance(button, AnswerButton)
    assert (match["action"], match["question"]) == (action, str(10**18))
    assert len(button.custom_id) <= 100
