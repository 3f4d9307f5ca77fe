"""The earlier questions that a model sees."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.conversations import Earlier, Turn, earlier_questions, finished_turn
from agent.types import Answer
from memory.message import Message
from tests.agents import DEPLOY, chat, question
from tests.fakes import said

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def turn(asked: str, answered: str = "On Friday.", *cites: Message) -> Turn:
    return Turn(asked_at=NOON, question=asked, answer=answered, cites=tuple(one.message_id for one in cites))


async def earlier(*turns: Turn, max_tokens: int = 1000, messages: tuple[Message, ...] = (DEPLOY,)) -> list[Earlier]:
    return await earlier_questions(turns, question=question(), memory=chat(*messages), max_tokens=max_tokens)


async def test_a_question_comes_with_what_its_answer_cited() -> None:
    assert await earlier(turn("and\n  when?", "On Friday.", DEPLOY)) == [Earlier("and when?", (DEPLOY,))]


async def test_a_turn_without_a_question_is_left_out() -> None:
    assert await earlier(turn(" "), turn("when?")) == [Earlier("when?")]


async def test_the_newest_questions_are_kept() -> None:
    turns = [turn(f"question {number} {'x' * 400}") for number in range(100)]

    kept = await earlier(*turns, max_tokens=500)

    assert [one.question.split()[1] for one in kept] == ["96", "97", "98", "99"]


async def test_cited_messages_count_too() -> None:
    long = said("word " * 1000)

    assert await earlier(turn("when?", "Then.", long), turn("who?"), messages=(long,)) == [Earlier("who?")]


async def test_no_tokens_mean_no_history() -> None:
    assert await earlier(turn("when?"), max_tokens=0) == []


@pytest.mark.parametrize(
    ("edited", "is_kept"),
    [
        pytest.param(NOON - timedelta(minutes=1), True, id="before the question"),
        pytest.param(NOON + timedelta(minutes=1), False, id="since then"),
    ],
)
async def test_a_turn_whose_source_was_edited_since_is_left_out(edited: datetime, is_kept: bool) -> None:
    message = said("the deploy is on monday", edited_at=edited)

    assert bool(await earlier(turn("when?", "On Monday.", message), messages=(message,))) is is_kept


def test_a_finished_turn_is_kept_without_its_marks() -> None:
    assert finished_turn(question("when?"), Answer(text="On Friday [1].")).answer == "On Friday."
