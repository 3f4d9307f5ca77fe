"""Questions that point at messages, answered with quotations from real memory."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from agent.agent import Agent
from agent.quotation import AROUND_IT
from agent.types import Answer, Question
from db.databases import Database
from memory.embedding.embedder import Embedder
from memory.message import Kind
from memory.search.memory import Memory
from tests.builders import message, remember

TALK = [
    message(1, "the relay of the kiln clicked all night", author_name="cy"),
    message(2, "that thing dies whenever the relay gets warm", author_name="bo"),
    message(3, "<@Backscroll:5> why does the relay get warm?", author_name="ana", kind=Kind.COMMAND),
    message(4, "then we dry the bowls on the roof", author_name="ana"),
    message(500, "dana swapped the relay of the kiln for a new one in spring", author_name="dana"),
    message(600, "the kiln relay was stolen by the boss", author_name="eve", channel_id=9, channel_name="staff"),
]


async def answer(memory: Memory, text: str, *about: int) -> Answer:
    question = Question(
        text=text,
        channel_id=1,
        asker_id=7,
        asker_name="bo",
        places=frozenset({1}),
        now=datetime(2026, 11, 4, 8, 30, tzinfo=UTC),
        time_zone=ZoneInfo("Europe/Paris"),
        about=about,
    )
    return await Agent((), memory=memory).ask(question)


def cited(found: Answer) -> list[int]:
    return [source.message.message_id for source in found.sources]


async def test_what_somebody_meant_is_answered_with_what_was_said_around_it_and_no_question(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, TALK)

    found = await answer(memory, "what did he mean by that?", 2)

    assert cited(found)[:3] == [1, 2, 4]
    assert AROUND_IT in found.notes
    assert {3, 600}.isdisjoint(cited(found))


async def test_a_question_of_its_own_is_searched_for_with_the_words_of_the_message(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, TALK)

    found = await answer(memory, "who swapped it?", 2)

    assert cited(found)[0] == 500
    assert 2 not in cited(found)


async def test_a_follow_up_goes_on_from_a_question_that_is_no_evidence(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, TALK)

    found = await answer(memory, "and who noticed it?", 3, 2)

    assert 3 not in cited(found)
    assert 600 not in cited(found)
    assert cited(found)
