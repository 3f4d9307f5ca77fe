"""Answers as of a moment, and from before edits: nothing that was said later, and messages as they were."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agent.agent import Agent
from agent.citations import footer
from agent.remarks import AS_OF, BEFORE_EDITS, NOT_COUNTED
from agent.types import Answer
from memory.message import Message, Revision
from tests.agents import agent as agent_of
from tests.agents import chat, question, tool_outputs
from tests.fakes import FakeConversations, FakeMemory, calls, said, says
from tests.unit.test_follow_ups import ask as ask_in_turn
from tests.unit.test_follow_ups import quoted


def on(day: int, hour: int = 12, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


BARN = said("we choose the boathouse as venue", sent_at=on(1), edited_at=on(20), author_name="Ana")
FORMER = Revision(BARN.message_id, on(20), "we choose the barn as venue")
LATER = said("the venue is cancelled", sent_at=on(15))
EARLIER = said("the venue must have a kitchen", sent_at=datetime(2026, 9, 20, 12, tzinfo=UTC))
PHONE = said("ring the venue later", sent_at=on(2), edited_at=on(21))
NUMBER = Revision(PHONE.message_id, on(21), "ring the venue at 0612 345 678")


def venues(*more: Message) -> FakeMemory:
    memory = chat(EARLIER, BARN, LATER, PHONE, *more)
    memory.revisions.extend([FORMER, NUMBER])
    return memory


async def ask(text: str, memory: FakeMemory | None = None, **fields: Any) -> Answer:
    return await Agent((), memory=memory or venues()).ask(question(text, **fields))


@pytest.mark.parametrize(
    "text",
    [
        "which venue did we choose as of 10 October?",
        "what did we know about the venue on 10 October?",
        "Stand 10. Oktober: venue?",
    ],
)
async def test_what_was_said_later_is_left_out_and_edits_are_undone(text: str) -> None:
    answer = await ask(text)

    assert "we choose the barn as venue" in quoted(answer)
    assert not {LATER.content, BARN.content, PHONE.content, NUMBER.content} & set(quoted(answer))
    assert AS_OF.format(moment="Sat 10 Oct 24:00 Europe/Paris") in answer.notes
    assert footer(answer.searched) == "searched as of Sat 10 Oct 24:00 Europe/Paris"


async def test_after_the_edit_a_message_is_as_it_is_now() -> None:
    assert BARN.content in quoted(await ask("which venue did we choose as of 21 October?"))


async def test_a_question_without_a_moment_reads_memory_as_it_is() -> None:
    answer = await ask("which venue did we choose?")

    assert BARN.content in quoted(answer)
    assert not any(note.startswith("This is as of") for note in answer.notes)


async def test_as_of_now_leaves_nothing_out() -> None:
    assert LATER.content in quoted(await ask("is the venue cancelled, as of now?"))


async def test_all_that_was_known_is_what_was_said_last_by_then() -> None:
    answer = await ask("what did we know as of 10 October?")

    assert quoted(answer) == [EARLIER.content, "we choose the barn as venue"]


async def test_a_time_beside_the_moment_bounds_what_was_said() -> None:
    answer = await ask("what was said about the venue since September 2026, as of 10 October?")

    assert footer(answer.searched).endswith("as of Sat 10 Oct 24:00 Europe/Paris")
    assert LATER.content not in quoted(answer)


async def test_asked_of_all_time_a_moment_counts_for_nothing() -> None:
    answer = await ask("which venue did we choose as of 10 October?", all_time=True)

    assert BARN.content in quoted(answer)


async def test_a_follow_up_asks_of_the_same_moment() -> None:
    memory = venues()
    agent = Agent((), memory=memory, conversations=FakeConversations())

    answer = await ask_in_turn(agent, "which venue did we choose as of 10 October?", "and what about the kitchen?")

    assert EARLIER.content in quoted(answer)
    assert answer.searched is not None
    assert answer.searched.as_of == datetime(2026, 10, 10, 22, tzinfo=UTC)


async def test_a_model_finds_nothing_later_whatever_it_asks_for() -> None:
    asked, model = agent_of(
        calls("search_messages", query="venue cancelled", when="all time"),
        calls("list_messages", start="2026-10-12"),
        calls("read_around", number_or_message=1),
        says("The barn [1]."),
        memory=venues(),
    )

    await asked.ask(question("which venue did we choose as of 10 October?"))

    outputs = " ".join(tool_outputs(model))
    assert "kitchen" in outputs
    assert "cancelled" not in outputs
    assert "boathouse" not in outputs


async def test_before_the_edit_a_message_is_as_it_was_sent() -> None:
    answer = await ask("which venue did Ana choose before the edit?")

    assert quoted(answer)[0] == "we choose the barn as venue"
    assert not {PHONE.content, NUMBER.content} & set(quoted(answer))
    assert BEFORE_EDITS in answer.notes


async def test_a_count_as_of_a_moment_counts_nothing_later() -> None:
    answer = await ask("how many messages mention venue as of 10 October?")

    assert "**2 messages**" in answer.text
    assert NOT_COUNTED in answer.notes
