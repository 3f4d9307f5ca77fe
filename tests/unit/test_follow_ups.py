"""Questions that go on from the ones before them, without a model."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.agent import Agent
from agent.citations import footer
from agent.types import Answer, Outcome
from memory.message import Message
from tests.agents import chat, question
from tests.fakes import FakeConversations, FakeMemory, said

TUESDAY = datetime(2026, 11, 3, 13, tzinfo=UTC)
FRIDAY = datetime(2026, 10, 30, 13, tzinfo=UTC)
OPS = {"channel_id": 2, "channel_name": "ops"}


def asking(*messages: Message, **options: Any) -> tuple[Agent, FakeMemory]:
    memory = chat(*messages)
    return Agent((), memory=memory, conversations=FakeConversations(), **options), memory


async def ask(agent: Agent, *texts: str, **fields: Any) -> Answer:
    """Return the answer to the last of some questions, each asked a minute after the one before."""
    fields.setdefault("places", frozenset({1, 2}))
    asked = question(**fields)
    for number, text in enumerate(texts):
        answer = await agent.ask(question(text, **{"now": asked.now + timedelta(minutes=number), **fields}))
    return answer


def quoted(answer: Answer) -> list[str]:
    return [source.message.content for source in answer.sources]


def searched(memory: FakeMemory) -> list[str]:
    return [asked["text"] for asked in memory.asked if "text" in asked]


DEPLOY = said("the deploy went to friday", sent_at=TUESDAY, author_name="Ana", author_id=11)
OLDER = said("the deploy failed twice", sent_at=FRIDAY, author_name="Ben", author_id=12)
IN_OPS = said("the deploy needs a new key", sent_at=TUESDAY, author_name="Cleo", author_id=13, **OPS)
VENUE = said("we take the boathouse as venue", sent_at=TUESDAY, author_name="Ana", author_id=11)
PRICE = said("the boathouse costs 300 euro", sent_at=FRIDAY, author_name="Ben", author_id=12)
CAT = said("the cat costs 80 euro at the vet", sent_at=FRIDAY, author_name="Ben", author_id=12)


async def test_a_time_takes_the_place_of_the_earlier_one() -> None:
    agent, _ = asking(DEPLOY, OLDER)

    answer = await ask(agent, "what was said about the deploy yesterday?", "and on Friday?")

    assert quoted(answer) == [OLDER.content]


async def test_a_channel_takes_the_place_of_the_earlier_one() -> None:
    agent, _ = asking(DEPLOY, IN_OPS)

    answer = await ask(agent, "what was said about the deploy in #general?", "and in #ops?")

    assert quoted(answer) == [IN_OPS.content]


async def test_a_person_takes_the_place_of_the_earlier_one() -> None:
    agent, _ = asking(DEPLOY, OLDER)

    answer = await ask(agent, "what did Ana say about the deploy?", "what about Ben?")

    assert quoted(answer) == [OLDER.content]


@pytest.mark.parametrize("first", ["what does Ben cook on Sundays?", "who cooks on Sundays?"])
async def test_somebody_is_asked_for_in_place_of_another_who_told_of_themselves(first: str) -> None:
    ben = said("we cook jollof on sundays", author_name="Ben", author_id=12, sent_at=TUESDAY)
    ana = said("lentils, as ever we cook on sundays", author_name="Ana", author_id=11, sent_at=TUESDAY)
    agent, memory = asking(ben, ana)

    answer = await ask(agent, first, "and Ana?")

    assert quoted(answer) == [ana.content]
    assert memory.asked[-2]["authors"].ids == {11}


async def test_what_is_not_named_again_is_taken_over() -> None:
    agent, memory = asking(DEPLOY, OLDER, IN_OPS)

    answer = await ask(agent, "what did Cleo say about the deploy yesterday in #ops?", "and about the key?")

    assert quoted(answer) == [IN_OPS.content]
    last = [asked for asked in memory.asked if "text" in asked][-1]
    assert last["places"] == {2}
    assert last["authors"].ids == {13}
    assert len(last["windows"]) == 1


async def test_time_counts_from_when_the_earlier_question_was_asked() -> None:
    agent, _ = asking(DEPLOY, OLDER)

    await ask(agent, "what was said about the deploy yesterday?", now=datetime(2026, 11, 4, 22, tzinfo=UTC))
    answer = await ask(agent, "why?", now=datetime(2026, 11, 5, 2, tzinfo=UTC))  # a day later in Paris

    assert quoted(answer) == [DEPLOY.content]


async def test_it_stands_for_what_the_earlier_answer_said() -> None:
    agent, memory = asking(VENUE, PRICE, CAT)

    answer = await ask(agent, "which venue do we take?", "how much does it cost?")

    assert quoted(answer)[0] == PRICE.content
    assert "boathouse" in searched(memory)[-2]  # the completed text, and then its own words
    assert searched(memory)[-1] == "how much does it cost?"


async def test_who_else_leaves_out_what_was_given() -> None:
    parrot = said("I have a parrot called Rex", author_name="Ana", author_id=11, sent_at=TUESDAY)
    agent, memory = asking(parrot)
    await ask(agent, "who has a parrot?")
    memory.messages.append(said("my parrot is called Bo", author_name="Ben", author_id=12, sent_at=FRIDAY))

    answer = await ask(agent, "who else?")

    assert quoted(answer) == ["my parrot is called Bo"]


async def test_a_follow_up_of_a_follow_up_is_read() -> None:
    agent, _ = asking(DEPLOY, OLDER, IN_OPS)

    answer = await ask(agent, "what was said about the deploy on Friday?", "and yesterday?", "in #ops?")

    assert quoted(answer) == [IN_OPS.content]


async def test_a_count_is_made_again_for_somebody_else() -> None:
    agent, _ = asking(DEPLOY, OLDER)

    answer = await ask(agent, "how many messages mention deploy?", "and how many by Ben?")

    assert answer.outcome is Outcome.COUNTED
    assert "**1 message** by Ben" in answer.text


async def test_a_count_is_made_again_for_another_time() -> None:
    agent, _ = asking(DEPLOY, OLDER)

    answer = await ask(agent, "how many messages mention deploy?", "and on Friday?")

    assert answer.outcome is Outcome.COUNTED
    assert quoted(answer) == [OLDER.content]


async def test_an_overview_is_given_of_another_time() -> None:
    agent, _ = asking(DEPLOY, OLDER, VENUE)

    answer = await ask(agent, "what did we talk about yesterday?", "and on Friday?")

    assert quoted(answer) == [OLDER.content]


async def test_a_question_for_all_of_a_channel_goes_on_from_nothing() -> None:
    agent, memory = asking(DEPLOY, IN_OPS)

    answer = await ask(agent, "what was said about the deploy yesterday?", "summarise #ops")

    assert quoted(answer) == [IN_OPS.content]
    assert searched(memory) == ["what was said about the deploy?"]


async def test_what_was_searched_for_is_shown() -> None:
    agent, _ = asking(DEPLOY, OLDER)

    answer = await ask(agent, "what was said about the deploy yesterday?", "and on Friday?")

    assert footer(answer.searched) == 'searched "deploy" Fri 30 Oct 00:00 - 24:00 Europe/Paris'


async def test_a_question_of_its_own_shows_no_words() -> None:
    agent, _ = asking(DEPLOY, OLDER)

    answer = await ask(agent, "what was said about the deploy yesterday?", "when did the deploy fail?")

    assert answer.searched is not None
    assert answer.searched.texts == ()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kept": False}, "a question that may not be kept"),
        ({"asker_id": 8}, "a question of somebody else"),
        ({"channel_id": 2}, "a question in another channel"),
        ({"private": True}, "a private question"),
        ({"now": datetime(2026, 11, 6, 9, tzinfo=UTC)}, "a question of another day"),
        ({"places": frozenset({2})}, "a question that may not use what the turn tells of"),
    ],
)
async def test_a_turn_is_not_built_on_by(fields: dict[str, Any], reason: str) -> None:
    agent, memory = asking(DEPLOY, OLDER)
    await ask(agent, "what was said about the deploy?")
    memory.asked.clear()

    await ask(agent, "why?", **fields)

    assert "deploy" not in " ".join(searched(memory)), reason


async def test_a_question_that_may_not_be_kept_is_not_built_on() -> None:
    agent, memory = asking(DEPLOY, OLDER)
    await ask(agent, "what was said about the deploy?", kept=False)
    memory.asked.clear()

    await ask(agent, "why?")

    assert "deploy" not in " ".join(searched(memory))


async def test_a_follow_up_is_answered_by_itself_when_the_turns_cannot_be_parsed() -> None:
    agent, memory = asking(DEPLOY, OLDER)
    await ask(agent, "what was said about the deploy?")
    memory.failures = 1

    answer = await ask(agent, "why did the deploy fail, and what about it?")

    assert answer.outcome in {Outcome.QUOTED, Outcome.MEMORY_UNREACHABLE}
