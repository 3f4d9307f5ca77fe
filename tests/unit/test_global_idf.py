"""A word weighs in every chunk what it weighs in all of them together."""

import math
from collections.abc import Mapping

import pytest

from db.chunks import Chunk
from memory.search import keywords
from memory.search.keywords import WEIGHT


def chunk(name: str, rows: int) -> Chunk:
    return Chunk(
        table=name,
        schema="s",
        name=name,
        start=None,
        end=None,
        rows=rows,
        indexed=False,
        word_index=name,
        is_newest=False,
    )


def idf(having: int, rows: int) -> float:
    return math.log1p((rows - having + 0.5) / (having + 0.5))


def score(having: int, rows: int) -> float:
    """Return what an index makes of a text that is nothing but a word."""
    return idf(having, rows) * keywords._ONE_WORD if having else 0.0


def times(word: str, asked: str) -> int:
    return asked.split().count(word)


def asked(words: Mapping[str, int], having: Mapping[tuple[str, str], int], chunks: list[Chunk]) -> list[str]:
    """Return how every chunk is asked for words, when so many of its messages have each."""
    rows = {part.name: part.rows for part in chunks}
    scores = {(name, word): score(count, rows[name]) for (name, word), count in having.items()}
    everywhere = {word: keywords._idf_of_all(word, chunks, scores) for word in words}
    return [keywords._question_for(words, everywhere, part, scores) for part in chunks]


@pytest.mark.parametrize(("having", "rows"), [(1, 10), (3, 40), (40, 40), (1, 100_000), (99_999, 100_000)])
def test_how_many_have_a_word_is_read_off_its_weight(having: int, rows: int) -> None:
    assert keywords._having(idf(having, rows), rows) == pytest.approx(having, abs=1e-6)


def test_a_word_that_a_chunk_does_not_know_is_in_none_of_its_messages() -> None:
    assert keywords._having(0.0, 1000) == 0.0


def test_a_word_that_is_as_rare_everywhere_stands_there_as_often_as_the_unit() -> None:
    chunks = [chunk("old", 1000), chunk("new", 1000)]

    questions = asked({"kiln": 1}, {("old", "kiln"): 10, ("new", "kiln"): 10}, chunks)

    assert [times("kiln", question) for question in questions] == [WEIGHT, WEIGHT]


def test_a_word_that_is_common_in_a_small_new_chunk_and_rare_elsewhere_counts_more_there() -> None:
    chunks = [chunk("old", 100_000), chunk("new", 20)]

    old, new = asked({"kiln": 1}, {("old", "kiln"): 5, ("new", "kiln"): 4}, chunks)

    weight_in_old = times("kiln", old) * idf(5, 100_000)
    weight_in_new = times("kiln", new) * idf(4, 20)
    assert times("kiln", new) > 3 * times("kiln", old)
    assert weight_in_new == pytest.approx(weight_in_old, rel=0.15)


def test_a_word_that_was_said_twice_counts_twice() -> None:
    chunks = [chunk("old", 1000), chunk("new", 1000)]

    old, _ = asked({"kiln": 2}, {("old", "kiln"): 10, ("new", "kiln"): 10}, chunks)

    assert times("kiln", old) == 2 * WEIGHT


def test_a_word_that_a_chunk_does_not_know_is_not_asked_there_and_one_of_nothing_but_such_is_asked_all_the_same() -> (
    None
):
    chunks = [chunk("old", 1000), chunk("new", 1000)]

    old, new = asked({"kiln": 1}, {("old", "kiln"): 10}, chunks)

    assert times("kiln", old) >= 1
    assert new == keywords._UNSAID


def test_a_word_is_not_repeated_without_end() -> None:
    chunks = [chunk("old", 10_000_000), chunk("new", 300)]

    _, new = asked({"kiln": 1}, {("old", "kiln"): 1, ("new", "kiln"): 300}, chunks)

    assert times("kiln", new) == keywords._MOST
