"""What nobody has spoken of is refused before a model is asked, and the word that nobody has said is named."""

from typing import Any

import pytest

from agent.agent import Agent
from agent.refusal.telling import telling_words
from agent.types import Answer, Outcome
from memory.message import Message
from tests.agents import agent, question
from tests.fakes import FakeMemory, said, says

CHAT = [
    said("the deploy of Lanternfish is on friday", message_id=1),
    said("Marius has the key of the cellar", message_id=2, author_name="Léa"),
    said("the deploy of Zephyr waits", message_id=3, channel_id=9, channel_name="staff", author_name="Dora"),
]


async def quoted(text: str, *messages: Message, **fields: Any) -> Answer:
    """Return the answer to a question in #general that quotes, from a memory of these messages."""
    return await Agent(None, memory=FakeMemory([*CHAT, *messages])).ask(question(text, **fields))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("what did Zoe say about XR7?", {"zoe", "xr7"}, id="names and codes"),
        pytest.param("which database was chosen for Lanternfish 0.4?", {"lanternfish", "0.4"}, id="a version"),
        pytest.param('who wrote "the four seasons"?', {"four", "seasons"}, id="words in quotation marks"),
        pytest.param("does max_retries or postgreSQL matter?", {"max_retries", "postgresql"}, id="identifiers"),
        pytest.param("Zoe? Kiln repairs are due", set(), id="capitals that begin a sentence"),
        pytest.param("WHERE IS THE KEY?", set(), id="shouted"),
        pytest.param("Where Is My Key", set(), id="a title"),
        pytest.param("which pressure for 35mm tyres in 2023 on the 2nd?", set(), id="units, years and small numbers"),
        pytest.param("what was said on Tuesday 3 March?", set(), id="dates"),
        pytest.param("wo ist der Schlüssel für die Werkstatt?", set(), id="nouns of a language that writes them so"),
    ],
)
def test_words_that_somebody_must_have_written_are(text: str, expected: set[str]) -> None:
    assert set(telling_words(text)) == expected


async def test_a_name_that_nobody_has_mentioned_is_named() -> None:
    answer = await quoted("when is the deploy of Quetzal?")

    assert answer.outcome is Outcome.NOTHING_FOUND
    assert answer.text == 'Nobody has mentioned "Quetzal" in the channels that you may read.'


async def test_a_name_that_is_mentioned_where_the_asker_may_not_read_is_as_good_as_unknown() -> None:
    hidden, nowhere = await quoted("when is the deploy of Zephyr?"), await quoted("when is the deploy of Qephyr?")

    assert hidden.text == nowhere.text.replace("Qephyr", "Zephyr")


async def test_a_reader_of_the_channel_gets_the_answer() -> None:
    answer = await quoted("when is the deploy of Zephyr?", places=frozenset({1, 9}))

    assert [source.message.message_id for source in answer.sources] == [3]


async def test_a_name_like_an_unknown_one_is_offered() -> None:
    answer = await quoted("when does Maurus deploy?", said("good morning", author_name="Marius [away]", message_id=4))

    assert answer.text.endswith(r'Did you mean "Marius \[away\]"?')


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("when is the deploy of Lanternfsh?", id="a letter is missing"),
        pytest.param("when is the deploy of Lanternfihs?", id="two letters are exchanged"),
        pytest.param("what did Lea say of the deploy of lanternfish?", id="a name without its accent"),
    ],
)
async def test_a_word_that_is_a_letter_away_from_one_that_was_said_is_not_unknown(text: str) -> None:
    assert "Nobody has mentioned" not in (await quoted(text)).text


async def test_a_named_channel_is_named_where_nobody_has_said_the_word() -> None:
    message = said("the kiln is cold", message_id=5, channel_id=2, channel_name="deploys")

    answer = await quoted("what was said about Lanternfish in #deploys?", message, places=frozenset({1, 2}))

    assert answer.text == 'Nobody has mentioned "Lanternfish" in #deploys.'


async def test_a_model_is_not_asked_about_what_nobody_has_mentioned() -> None:
    asked, model = agent(says("On Friday [1]."), memory=FakeMemory(list(CHAT)))

    answer = await asked.ask(question("when is the deploy of Quetzal?"))

    assert answer.outcome is Outcome.NOTHING_FOUND
    assert model.heard == []
