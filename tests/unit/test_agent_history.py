"""The earlier questions that a model sees."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.conversations import Earlier, Turn, earlier_questions, finished_turn
from agent.transcript import ShownMessages
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
    assert await earlier(turn("and\n  when?", "On Friday.", DEPLOY)) == [Earlier("and when?", (DEPLOY,), NOON)]


async def test_a_turn_without_a_question_is_left_out() -> None:
    assert await earlier(turn(" "), turn("when?")) == [Earlier("when?", asked_at=NOON)]


async def test_the_newest_questions_are_kept() -> None:
    turns = [turn(f"question {number} {'x' * 400}") for number in range(100)]

    kept = await earlier(*turns, max_tokens=500)

    assert [one.question.split()[1] for one in kept] == ["96", "97", "98", "99"]


async def test_cited_messages_count_too() -> None:
    long = said("word " * 1000)

    assert await earlier(turn("when?", "Then.", long), turn("who?"), messages=(long,)) == [
        Earlier("who?", asked_at=NOON)
    ]


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


IN_PUBLIC_THREAD = said("the deploy thread says friday", thread_id=50, in_public_thread=True)
IN_PRIVATE_THREAD = said("the secret thread says sunday", thread_id=51)


@pytest.mark.parametrize(
    ("source", "places", "is_kept"),
    [
        pytest.param(IN_PUBLIC_THREAD, {1}, True, id="a public thread of a channel that may be read"),
        pytest.param(IN_PUBLIC_THREAD, {50}, False, id="a public thread whose channel may not be read"),
        pytest.param(IN_PRIVATE_THREAD, {1, 51}, True, id="a private thread that may be read"),
        pytest.param(IN_PRIVATE_THREAD, {1}, False, id="a private thread of a channel that may be read"),
        pytest.param(DEPLOY, set(), False, id="a channel that has been closed"),
    ],
)
async def test_a_turn_is_built_on_only_by_questions_that_may_use_all_that_it_tells_of(
    source: Message, places: set[int], is_kept: bool
) -> None:
    made = replace(turn("when?", "Then.", source), audience=frozenset({source.access_id}))
    wider = question(places=frozenset(places))

    kept = await earlier_questions([made], question=wider, memory=chat(source), max_tokens=1000)

    assert bool(kept) is is_kept


async def test_a_turn_that_tells_of_more_than_it_cites_is_left_out_where_that_may_not_be_read() -> None:
    made = replace(turn("when?", "On Friday.", DEPLOY), audience=frozenset({1, 9}))

    assert await earlier(made) == []


async def test_a_turn_comes_back_with_the_rights_to_what_it_tells_of() -> None:
    made = replace(turn("when?", "On Friday.", DEPLOY), audience=frozenset({1}))

    kept = [
        await earlier_questions([made], question=question(places=places), memory=chat(DEPLOY), max_tokens=1000)
        for places in (frozenset({1}), frozenset[int](), frozenset({1}))
    ]

    assert [len(turns) for turns in kept] == [1, 0, 1]


def test_a_turn_tells_of_the_places_that_open_what_was_shown_and_not_of_the_threads_themselves() -> None:
    evidence = ShownMessages(frozenset({1, 51}))
    for message in (IN_PUBLIC_THREAD, IN_PRIVATE_THREAD):
        evidence.number(message)

    made = finished_turn(question(), Answer(text="Then.", shown_places=evidence.shown_places))

    assert made.audience == {1, 51}
