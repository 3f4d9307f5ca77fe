"""Questions that go on from kept turns, over a real memory and real conversations."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.agent import Agent
from agent.citations import footer
from agent.conversations import Conversations
from agent.types import Answer
from db.databases import Database
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from memory.search_session import searchable_database
from tests.agents import question
from tests.builders import message, minute, remember

NOW = datetime(2026, 11, 4, 8, 30, tzinfo=UTC)
OPS = {"channel_id": 2, "channel_name": "ops", "author_name": "cleo", "author_id": 13}
MESSAGES = [
    message(1, "we take the boathouse as the venue of the party", author_id=11),
    message(2, "the boathouse costs 300 euro for one evening", author_name="ben", author_id=12),
    message(3, "the cat was at the vet, which costs 80 euro", author_name="ben", author_id=12),
    message(4, "a new kettle costs 20 euro and boils faster", author_name="ben", author_id=12),
    message(5, "the venue needs a key from the harbour master", **OPS),
    message(6, "parrots sing in the morning", author_name="cleo", author_id=13),
]


@pytest.fixture
async def agent(short_term: Database, long_term: Database, embedder: Embedder) -> Agent:
    """An agent without a model, and the messages in both memories."""
    await remember(long_term, embedder, MESSAGES[:3])
    await remember(short_term, embedder, MESSAGES[3:])
    memory = Memory(searchable_database(short_term), searchable_database(long_term), embedder)
    await memory.load_names()
    return Agent((), memory=memory, conversations=Conversations(long_term.sessions))


async def ask(agent: Agent, *texts: str, places: frozenset[int] = frozenset({1, 2}), **fields: Any) -> Answer:
    """Return the answer to the last of some questions, which are asked one after the other."""
    for number, text in enumerate(texts):
        asked_at = NOW + timedelta(minutes=number)
        answer = await agent.ask(question(text, **{"places": places, "now": asked_at, **fields}))
    return answer


def quoted(answer: Answer) -> list[str]:
    return [source.message.content for source in answer.sources]


async def test_what_it_stands_for_is_found_in_both_memories(agent: Agent) -> None:
    answer = await ask(agent, "which venue do we take for the party?", "how much does it cost?")

    assert quoted(answer)[0] == "the boathouse costs 300 euro for one evening"
    assert footer(answer.searched).startswith('searched "how much does it cost? ')


async def test_somebody_s_own_words_beside_what_was_given_answer_for_them(
    agent: Agent, short_term: Database, embedder: Embedder
) -> None:
    said = [
        message(31, "I drink green tea while I sew", author_id=11),
        message(32, "filter coffee, one litre", author_name="ben", author_id=12),
    ]
    await remember(short_term, embedder, said)

    answer = await ask(agent, "who drinks tea while sewing?", "and ben?")

    assert quoted(answer) == ["filter coffee, one litre"]


async def test_a_channel_takes_the_place_of_all_channels(agent: Agent) -> None:
    answer = await ask(agent, "what was said about the venue?", "and in #ops?")

    assert quoted(answer) == ["the venue needs a key from the harbour master"]


async def test_a_turn_that_tells_of_a_closed_channel_is_not_built_on(agent: Agent) -> None:
    await ask(agent, "what was said about the key of the venue in #ops?")

    answer = await ask(agent, "why?", places=frozenset({1}))

    assert answer.searched is None or answer.searched.texts == ()


async def test_two_things_are_found_by_themselves(agent: Agent) -> None:
    answer = await ask(agent, "when do parrots sing, and how much does the boathouse cost?")

    assert {"parrots sing in the morning", "the boathouse costs 300 euro for one evening"} <= set(quoted(answer))


async def test_a_question_as_of_a_moment_goes_on_as_of_it(agent: Agent) -> None:
    early = f"which venue do we take, as of {minute(2):%d %B %Y %H:%M}?"

    first = await ask(agent, early, time_zone=ZoneInfo("UTC"))
    then = await ask(agent, early, "how much does it cost?", time_zone=ZoneInfo("UTC"))

    assert quoted(first) == ["we take the boathouse as the venue of the party"]
    assert "the boathouse costs 300 euro for one evening" not in quoted(then)
