"""What is typed behind /search is read as words and filters, or refused in one sentence."""

import re

import pytest

from memory.holding import Holding
from overviews.wanted import LONGEST, Order, WantedWords, wanted_words


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("", WantedWords(), id="nothing"),
        pytest.param("deploy  failed", WantedWords(text="deploy failed"), id="words"),
        pytest.param(
            'deploy from:ana in:#ops has:link when:"last week"',
            WantedWords(
                text="deploy",
                people=("ana",),
                channels=("#ops",),
                holding=frozenset({Holding.LINK}),
                when="last week",
            ),
            id="every filter",
        ),
        pytest.param(
            'FROM:"Ana Maria" deploy from:ben', WantedWords(text="deploy", people=("Ana Maria", "ben")), id="two people"
        ),
        pytest.param(
            "has:Files has:picture", WantedWords(holding=frozenset({Holding.FILE, Holding.PICTURE})), id="has of both"
        ),
        pytest.param("order:newest tea", WantedWords(text="tea", order=Order.NEWEST), id="an order"),
        pytest.param("when:3/11", WantedWords(when="3/11"), id="a value that begins with a digit"),
        pytest.param("what's Ana's plan", WantedWords(text="what's Ana's plan"), id="apostrophes"),
        pytest.param(
            r"https://kiln.example/x 12:30 :tada: std::vector C:\logs localhost:8080 re: tea # not a comment",
            WantedWords(
                text=r"https://kiln.example/x 12:30 :tada: std::vector C:\logs localhost:8080 re: tea # not a comment"
            ),
            id="colons that filter nothing",
        ),
        pytest.param('"who said" tea', WantedWords(text="who said tea"), id="quoted words"),
    ],
)
def test_words_and_filters_are_told_apart(typed: str, expected: WantedWords) -> None:
    assert wanted_words(typed) == expected


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        pytest.param("tea form:ana", "There is no filter form: filter by from, in, has, when or order.", id="a typo"),
        pytest.param("has:cake", "There is no has:cake: write has: with link, file, picture or poll.", id="a thing"),
        pytest.param("order:worst", "There is no order:worst: write order: with best or newest.", id="an order"),
        pytest.param(
            'when:"last week', 'A double quote is not closed: write both, as in when:"last week".', id="an open quote"
        ),
        pytest.param("x" * (LONGEST + 1), "Your search has 1001 characters: search with 1000 or fewer.", id="too much"),
    ],
)
def test_what_is_not_understood_is_refused_in_one_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(sentence)}$"):
        wanted_words(typed)
