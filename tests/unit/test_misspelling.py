"""A misspelt word is taken for the nearest one that was said."""

import pytest

from memory.message import Message
from memory.search.terms import corrected, corrections, weighed
from tests.builders import message

SAID = [message(1, "The exhibition opens on 12 December"), message(2, "I received the Certificate; the kiln is hot")]


def meant(question: str, said: list[Message] | None = None) -> dict[str, str]:
    messages = SAID if said is None else said
    return corrections(weighed(question, messages), messages)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        pytest.param("when does the exibition open?", {"exibition": "exhibition"}, id="a letter too few"),
        pytest.param("the certifficate", {"certifficate": "certificate"}, id="a letter too many"),
        pytest.param("who recieved it?", {"recieved": "received"}, id="two letters the other way round"),
        pytest.param(
            "the EXIBITION and the certifcate", {"exibition": "exhibition", "certifcate": "certificate"}, id="two"
        ),
    ],
)
def test_the_nearest_word_that_was_said_is_meant(question: str, words: dict[str, str]) -> None:
    assert meant(question) == words


@pytest.mark.parametrize(
    "question",
    [
        pytest.param("when do the exhibitions open?", id="another form of a word that was said"),
        pytest.param("is the kiin hot?", id="a short word"),
        pytest.param("when is the exposition?", id="another word"),
        pytest.param("", id="nothing"),
    ],
)
def test_no_other_word_is_meant(question: str) -> None:
    assert meant(question) == {}


def test_where_nothing_was_said_nothing_else_is_meant() -> None:
    assert meant("the exibition", []) == {}


def test_a_question_is_asked_again_in_the_words_that_are_meant() -> None:
    text = corrected("When does the Exibition open, the EXIBITION?", {"exibition": "exhibition"})

    assert text == "When does the exhibition open, the exhibition?"
