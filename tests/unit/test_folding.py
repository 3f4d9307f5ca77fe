"""Names and words are compared without what people leave out or write differently when they type."""

import pytest

from time_expressions.folding import FoldedText, folded, tokens_of, words_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Irmak", "\u0131rmak", id="the Turkish dotless i"),
        pytest.param("\u0130stanbul", "istanbul", id="the Turkish capital i with its dot"),
        pytest.param("\u0130STANBUL", "\u0131stanbul", id="one with a dot and one without"),
        pytest.param("Straße", "STRASSE", id="German sharp s"),
        pytest.param("STRA\u1e9eE", "strasse", id="its capital"),
        pytest.param("Νίκος", "ΝΙΚΟΣ", id="Greek final sigma and accents"),
        pytest.param("Zoë", "zoe", id="an accent"),
        pytest.param("Zoe\u0308", "Zoë", id="an accent of its own"),
        pytest.param("Z\u0351\u0352o\u0348\u0349e\u0300\u0301", "zoe", id="zalgo"),
        pytest.param("\uff21\uff4e\uff41", "ana", id="full width"),
        pytest.param("\uff76\uff9e", "ガ", id="half width kana"),
        pytest.param("ﬁn", "fin", id="a ligature"),
        pytest.param("Łukasz", "lukasz", id="a stroked letter"),
        pytest.param("an\u200bna\ufe0f", "anna", id="what nobody sees"),
    ],
)
def test_ways_to_write_one_name_are_equal(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("か", "が"), ("हि", "हु"), ("ana", "anna"), ("ben-stone", "ben stone")])
def test_other_letters_are_not_equal(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@pytest.mark.parametrize(
    "text", ["Zoe\u0308 said: hi", "\u0130ki \uff21\uff4e\uff41", "👨\u200d👩 x", "\u0301a", "\U000e0041", ""]
)
def test_tokens_stand_where_they_stood_in_the_text_that_was_written(text: str) -> None:
    tokens = tokens_of(text)

    assert all(folded(text[token.start : token.end]) == token.folded for token in tokens)
    assert [token.start for token in tokens] == sorted(token.start for token in tokens)


def test_an_accent_belongs_to_its_word() -> None:
    assert words_of("Zoe\u0308's café, ÉCLAIR_1!") == ["zoe", "s", "cafe", "eclair_1"]


def test_a_stretch_of_a_text_is_compared_with_its_spaces_as_one() -> None:
    said, name = FoldedText("what did Ben \t Stone say"), FoldedText(" BEN Stone ")

    assert said.key(2, 4) == name.key(0, len(name)) == "ben stone"
    assert FoldedText("ben-stone").key(0, 3) == "ben-stone"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Don't re-run job_7 at 10:30, OK?", id="signs between words"),
        pytest.param("__init__ _ a_b 0.4", id="underscores"),
        pytest.param(" tabs\tand\nlines\x0b\x1c ", id="space of all kinds"),
        pytest.param("x² Straße don\u2019t", id="letters of others"),
    ],
)
def test_the_words_of_a_text_are_its_tokens_without_the_signs(text: str) -> None:
    assert words_of(text) == [token.folded for token in tokens_of(text) if token.is_word]
