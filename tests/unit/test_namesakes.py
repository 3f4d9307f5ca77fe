"""Who is meant when several are called so is said in one sentence, with the names that may be known."""

from datetime import UTC, datetime, timedelta

import pytest

from memory.names.known import Index, KnownNames, Named
from memory.question.namesakes import namesakes, no_such_channels
from memory.question.speakers import speakers_in
from time_expressions.folding import FoldedText

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def told(*people: tuple[int | None, str], text: str = "what did Mira say?", place: int = 1) -> tuple[str, ...]:
    """Return the sentences on people who spoke one after the other, all of them in a place; the asker may read 1."""
    index = Index()
    for number, (author_id, name) in enumerate(people):
        index.add(Named(place, place, "general", name, NOW + timedelta(minutes=number), author_id))
    names = KnownNames(frozenset({1}), (index,))
    return namesakes(speakers_in(FoldedText(text), names), names)


@pytest.mark.parametrize(
    ("people", "sentences"),
    [
        pytest.param([(1, "Mira"), (1, "Mira (away)")], (), id="one person of two names"),
        pytest.param([(1, "Mira"), (None, "mira")], (), id="one person, once without an id"),
        pytest.param([(None, "Mira"), (None, "MIRA")], (), id="one person without an id"),
        pytest.param(
            [(1, "Mira"), (2, "Mira Lopez")], ("Two people are called Mira here: Mira and Mira Lopez.",), id="two"
        ),
        pytest.param(
            [(1, "Mira"), (2, "Mira"), (1, "Zed")], ("Two people are called Mira here: Mira and Zed.",), id="renamed"
        ),
        pytest.param(
            [(number, f"Mira {number}") for number in range(1, 8)],
            ("Seven people are called Mira here: Mira 1, Mira 2, Mira 3, Mira 4, Mira 5 and 2 more.",),
            id="seven",
        ),
        pytest.param(
            [(number, f"Mira {number}") for number in range(1, 90)], ("Many people are called Mira here.",), id="many"
        ),
    ],
)
def test_people_of_one_name_are_told_apart(people: list[tuple[int | None, str]], sentences: tuple[str, ...]) -> None:
    assert told(*people) == sentences


def test_a_name_that_is_called_twice_is_explained_once() -> None:
    assert len(told((1, "Mira"), (2, "Mira Lopez"), text="Mira said what mira said")) == 1


def test_nobody_is_told_of_people_of_another_place() -> None:
    assert told((1, "Mira"), (2, "Mira Lopez"), place=2) == ()


def test_unknown_channels_are_listed_in_one_sentence() -> None:
    assert no_such_channels(["#a"]) == "I know no channel #a that I may show you here."
    assert (
        no_such_channels(list("abcdefg"))
        == "I know no channel a or b or c or d or e or 2 more that I may show you here."
    )
