"""A mark whose copied words are the answer shows them."""

import pytest

from agent.proof.copied_answers import LONGEST_SHOWN, with_copied_answers
from agent.types import Outcome
from tests.agents import agent, chat, question
from tests.fakes import said, says

ASKED = "Which database was chosen for Lanternfish 0.4?"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param(
            'The database was chosen for Lanternfish 0.4 [1 "is PostgreSQL 17"].',
            'The database was chosen for Lanternfish 0.4: "is PostgreSQL 17" [1 "is PostgreSQL 17"].',
            id="a sentence that repeats the question",
        ),
        pytest.param('[1 "is PostgreSQL 17"]', '"is PostgreSQL 17" [1 "is PostgreSQL 17"]', id="nothing but a mark"),
        pytest.param(
            'It rained. It is [1 "is PostgreSQL 17"].',
            'It rained. It is: "is PostgreSQL 17" [1 "is PostgreSQL 17"].',
            id="the sentence before it counts by itself",
        ),
        pytest.param(
            '[1 "We chose it. PostgreSQL 17, that is"]',
            '"We chose it." "PostgreSQL 17, that is" [1 "We chose it. PostgreSQL 17, that is"]',
            id="two sentences, of which one may be left out",
        ),
    ],
)
def test_copied_words_that_answer_are_shown(written: str, shown: str) -> None:
    assert with_copied_answers(written, question=ASKED, is_copied=lambda *_: True) == shown


@pytest.mark.parametrize(
    "written",
    [
        pytest.param('PostgreSQL was chosen [1 "is PostgreSQL 17"].', id="a sentence that says it itself"),
        pytest.param('For 0.4 it was 17 [1 "is PostgreSQL 17"].', id="a number that is new"),
        pytest.param('It was chosen [1 "the database of Lanternfish 0.4"].', id="words that say nothing new either"),
        pytest.param("It was chosen [1].", id="no copied words"),
        pytest.param(f'It was chosen [1 "{"postgres " * LONGEST_SHOWN}"].', id="too many of them"),
        pytest.param('`It was chosen [1 "is PostgreSQL 17"]`', id="code"),
    ],
)
def test_nothing_else_is_changed(written: str) -> None:
    assert with_copied_answers(written, question=ASKED, is_copied=lambda *_: True) == written


async def test_an_answer_in_copied_words_is_shown_once_they_are_found_in_the_message() -> None:
    deploy = said("the deploy is on friday at nine")
    asked, _ = agent(says('[1 "on friday at nine"]'), says('[1 "on sunday at ten"]'), memory=chat(deploy))

    right = await asked.ask(question())
    wrong = await asked.ask(question("when is the next deploy?"))

    assert right.outcome is Outcome.ANSWERED
    assert right.text == '"on friday at nine" [1]'
    assert wrong.outcome is Outcome.QUOTED
    assert "sunday" not in wrong.text
