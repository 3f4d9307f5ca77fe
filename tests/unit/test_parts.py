"""Questions that ask for several things, each of which is searched for by itself."""

import pytest

from agent.agent import Agent
from agent.citations import footer
from agent.types import Answer
from memory.message import Message
from tests.agents import agent as agent_of
from tests.agents import chat, question
from tests.fakes import FakeMemory, said, says
from tests.unit.test_follow_ups import CAT, DEPLOY, FRIDAY, IN_OPS, OLDER, PRICE, TUESDAY, VENUE, quoted, searched

KEEPER = said("Cleo keeps the printer alive", sent_at=FRIDAY, author_name="Cleo", author_id=13)
NOISE = [said(f"the venue number {number} was venue of the week", sent_at=TUESDAY) for number in range(9)]


async def ask(memory: FakeMemory, text: str, **fields: object) -> Answer:
    return await Agent((), memory=memory).ask(question(text, places=frozenset({1, 2}), **fields))


async def test_each_part_gets_its_evidence() -> None:
    memory = chat(VENUE, KEEPER, *NOISE)

    answer = await ask(memory, "which boathouse venue did we take, and who keeps the printer alive?")

    assert {VENUE.content, KEEPER.content} <= set(quoted(answer))
    assert len(quoted(answer)) <= 6
    assert searched(memory) == ["which boathouse venue did we take", "who keeps the printer alive"]


async def test_what_was_searched_for_is_shown_part_by_part() -> None:
    answer = await ask(chat(VENUE, KEEPER), "which venue did we take, and who keeps the printer alive?")

    assert footer(answer.searched) == 'searched "which venue did we take" and "who keeps the printer alive"'


async def test_a_part_takes_over_what_the_one_before_it_names() -> None:
    memory = chat(VENUE, PRICE, CAT)

    await ask(memory, "how big is the boathouse, and how much does it cost?")

    assert "boathouse" in searched(memory)[1]
    assert searched(memory)[2] == "how much does it cost"


async def test_a_time_counts_for_all_parts_that_name_none() -> None:
    memory = chat(DEPLOY, OLDER, KEEPER)

    answer = await ask(memory, "when was the deploy on Friday, and who keeps the printer alive?")

    assert [len(asked["windows"]) for asked in memory.asked if "text" in asked] == [1, 1]
    assert set(quoted(answer)) == {OLDER.content, KEEPER.content}


async def test_each_part_may_be_asked_of_another_person_and_channel() -> None:
    memory = chat(DEPLOY, OLDER, IN_OPS)

    answer = await ask(memory, "compare what Ben said about the deploy and Cleo about the deploy")

    assert set(quoted(answer)) == {OLDER.content, IN_OPS.content}


async def test_a_part_that_nothing_answers_is_named() -> None:
    answer = await ask(chat(VENUE, KEEPER), "which boathouse venue did we take, and who feeds the giraffe?")

    assert quoted(answer) == [VENUE.content]
    assert 'I found nothing for "who feeds the giraffe".' in answer.notes


async def test_nothing_is_found_where_no_part_finds_anything() -> None:
    answer = await ask(chat(DEPLOY), "which parrot sings, and who feeds the giraffe?")

    assert quoted(answer) == []


@pytest.mark.parametrize("secret", [said("the giraffe is fed by Dora", channel_id=9, channel_name="staff")])
async def test_no_part_reads_another_place(secret: Message) -> None:
    memory = chat(DEPLOY, secret)

    answer = await ask(memory, "when was the deploy, and who feeds the giraffe in #staff?")

    assert secret.content not in quoted(answer)


async def test_a_model_gets_what_was_found_for_each_part() -> None:
    asked, model = agent_of(says("Cleo does [2]."), memory=chat(VENUE, KEEPER))

    await asked.ask(question("which venue did we take, and who keeps the printer alive?", places=frozenset({1, 2})))

    shown = str(model.heard[-1][-1].text)
    assert VENUE.content in shown
    assert KEEPER.content in shown
    assert shown.index("which venue did we take") < shown.index("who keeps the printer alive")
