"""What nobody has spoken of is refused before a model is asked, and the word that nobody has said is named."""

from typing import Any

import pytest

from agent.agent import Agent
from agent.quotation import NOTHING_FOUND
from agent.refusal.features import Features, best_features
from agent.refusal.telling import telling_words
from agent.types import Answer, Outcome
from memory.message import Message
from memory.search.results import RankedMessage
from memory.search.terms import Weighed, keywords_of
from tests.agents import agent, question
from tests.fakes import FakeMemory, said, says

CHAT = [
    said("the deploy of Lanternfish is on friday", message_id=1),
    said("Marius has the key of the cellar", message_id=2, author_name="Léa"),
    said("the deploy of Zephyr waits", message_id=3, channel_id=9, channel_name="staff", author_name="Dora"),
]


async def quoted(text: str, *messages: Message, **fields: Any) -> Answer:
    """Return the answer to a question in #general that quotes, from a memory of these messages."""
    return await Agent((), memory=FakeMemory([*CHAT, *messages])).ask(question(text, **fields))


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


async def test_a_question_with_a_word_that_nobody_ever_said_is_not_answered_by_its_other_word() -> None:
    answer = await quoted("what is a ticket to Tokyo?", said("tickets are free", message_id=6))

    assert (answer.outcome, answer.sources) == (Outcome.NOTHING_FOUND, ())


async def test_a_named_channel_is_named_where_nobody_has_said_the_word() -> None:
    message = said("the kiln is cold", message_id=5, channel_id=2, channel_name="deploys")

    answer = await quoted("what was said about Lanternfish in #deploys?", message, places=frozenset({1, 2}))

    assert answer.text == 'Nobody has mentioned "Lanternfish" in #deploys.'


async def test_a_model_is_not_asked_about_what_nobody_has_mentioned() -> None:
    asked, model = agent(says("On Friday [1]."), memory=FakeMemory(list(CHAT)))

    answer = await asked.ask(question("when is the deploy of Quetzal?"))

    assert answer.outcome is Outcome.NOTHING_FOUND
    assert model.heard == []


# ---- the score


@pytest.mark.parametrize(
    ("more", "less"),
    [
        pytest.param(Features(0.6, 0.5, 2), Features(0.4, 0.5, 2), id="more alike"),
        pytest.param(Features(0.4, 0.8, 2), Features(0.4, 0.5, 2), id="a larger share of the telling words"),
        pytest.param(Features(0.4, 0.5, 3), Features(0.4, 0.5, 2), id="more telling words"),
        pytest.param(Features(None, 1.0, 2), Features(None, 0.2, 2), id="where likeness is not known"),
    ],
)
def test_a_message_is_likelier_to_answer_with(more: Features, less: Features) -> None:
    assert more.score > less.score


@pytest.mark.parametrize("likeness", [0.9, None])
def test_what_has_all_telling_words_can_answer_and_what_has_nothing_cannot(likeness: float | None) -> None:
    assert Features(likeness, 1.0, 3).can_answer
    assert not Features(None if likeness is None else 0.1, 0.0, 0).can_answer


def test_a_question_is_judged_by_the_best_of_its_hits_and_not_by_their_neighbours() -> None:
    words = [Weighed(word) for word in keywords_of("when is the deploy?")]
    poor = RankedMessage(said("lunch is at noon"), hit=True, similarity=0.1)
    good = RankedMessage(said("the deploy is on friday"), hit=True, similarity=0.5)
    neighbour = RankedMessage(said("the deploy, the deploy"), similarity=0.9)

    assert best_features(words, [poor, good, neighbour]) == Features(0.5, 1.0, 1)
    assert best_features(words, [neighbour]) is None


async def test_a_model_is_not_asked_where_nothing_that_was_found_can_answer() -> None:
    asked, model = agent(says("On Friday [1]."), memory=FakeMemory(list(CHAT)))

    answer = await asked.ask(question("which mountain did we climb?"))

    assert answer.text == NOTHING_FOUND
    assert model.heard == []


async def test_an_overview_is_not_judged() -> None:
    asked, model = agent(says("The deploy [1]."), memory=FakeMemory(list(CHAT)))

    await asked.ask(question("what was said today?"))

    assert model.heard
