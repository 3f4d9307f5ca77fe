"""Numbers in words."""

import pytest

from time_expressions.numerals import cardinal, ordinal, year
from time_expressions.tokens import tokens_of


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("zero", 0),
        ("twelve", 12),
        ("twenty-one", 21),
        ("twenty one", 21),
        ("two hundred", 200),
        ("two hundred and five", 205),
        ("two thousand and fifteen", 2015),
        ("three thousand four hundred fifty six", 3456),
    ],
)
def test_a_cardinal_number_is_read_to_its_end(words: str, value: int) -> None:
    tokens = tokens_of(words)

    assert (value, len(tokens)) in cardinal(tokens, 0)


@pytest.mark.parametrize("words", ["and", "hundred", "twenty twenty", "twenty eleven", "one two", "five and"])
def test_words_that_make_no_number_together_are_not_read_as_one(words: str) -> None:
    tokens = tokens_of(words)

    assert len(tokens) not in {end for _, end in cardinal(tokens, 0)}


@pytest.mark.parametrize(
    ("words", "value"),
    [("first", 1), ("twelfth", 12), ("twentieth", 20), ("twenty-third", 23), ("thirty first", 31), ("ninth", 9)],
)
def test_an_ordinal_number_is_read_to_its_end(words: str, value: int) -> None:
    tokens = tokens_of(words)

    assert (value, len(tokens)) in ordinal(tokens, 0)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("nineteen eighty six", 1986),
        ("seventeen hundred thirty three", 1733),
        ("two thousand and five", 2005),
        ("twenty twenty", 2020),
        ("twenty nineteen", 2019),
    ],
)
def test_a_year_is_read_in_its_two_halves(words: str, value: int) -> None:
    tokens = tokens_of(words)

    assert (value, len(tokens)) in year(tokens, 0)
