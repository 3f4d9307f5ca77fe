"""Which questions go on from those before them."""

from datetime import UTC, datetime

import pytest

from memory.names.known import Index, KnownNames, Named
from memory.question.follow_up import FollowUp, follow_up_in

HERE = 1


def names(*people: str) -> KnownNames:
    index = Index()
    for number, name in enumerate(people, 1):
        index.add(Named(HERE, HERE, "general", name, datetime(2026, 11, 3, tzinfo=UTC), author_id=number))
    return KnownNames(frozenset({HERE}), (index,))


def read(rest: str, *, confined: bool = False) -> FollowUp | None:
    return follow_up_in(rest, names("Ana", "Ben Stone", "Cleo"), confined=confined)


@pytest.mark.parametrize(
    ("rest", "confined"),
    [
        ("and?", True),  # "and on Friday?"
        ("", True),  # "on Friday?", "in #ops?"
        ("and what about the venue?", False),
        ("what about Ben?", False),
        ("how about the price?", False),
        ("Ben?", False),
        ("by Ben Stone?", False),
        ("and Ben?", False),
        ("who else?", False),
        ("anyone else?", False),
        ("who?", False),
        ("why?", False),
        ("when?", False),
        ("why not?", False),
        ("which one?", False),
        ("when exactly?", False),
        ("how much does it cost?", False),
        ("what did he say about the price?", False),
        ("did they agree?", False),
        ("what did Ben say about it?", False),
        ("who was there?", False),
        ("who decided that?", False),
        ("was that in the budget?", False),
        ("and how many by Ben?", False),
        ("how many are affected?", False),
        ("how long did copying it take?", False),
        ("who wrote that for her?", False),
        ("und wer noch?", False),
        ("warum?", False),
        ("wer bezahlt dafür?", False),
        ("et pourquoi ?", False),
        ("y quién más?", False),
    ],
)
def test_a_question_goes_on_from_an_earlier_one(rest: str, confined: bool) -> None:
    assert read(rest, confined=confined) is not None


@pytest.mark.parametrize(
    ("rest", "confined"),
    [
        ("when is the deploy?", False),
        ("what did we talk about?", True),
        ("what happened?", True),
        ("what did Ana say?", False),
        ("what did Ana say about her dog?", False),
        ("did anyone say that they would come?", False),
        ("did Ana say that the build broke?", False),
        ("does the printer work, and who fixed it?", False),
        ("who is Ben?", False),
        ("how many kittens are there?", False),
        ("how much did the new disk cost?", False),
        ("how much is the rent?", False),
        ("is there a printer?", False),
        ("who are you?", False),
        ("what can you do?", False),
        ("thanks!", False),
        ("ok", False),
        ("the last 5 messages", False),
        ("andes trip", False),
        ("where is Zed and what is his plan?", False),
        ("who has a car and needs one?", False),
        ("wie hoch ist die Miete?", False),
    ],
)
def test_a_question_is_understood_by_itself(rest: str, confined: bool) -> None:
    assert read(rest, confined=confined) is None


def test_what_a_follow_up_says_itself_comes_without_its_lead() -> None:
    found = read("and what about Ben Stone's price?")

    assert found is not None
    assert found.own == "Ben Stone's price?"
    assert [(span, people) for span, people in found.people] == [((0, 9), frozenset({2}))]
    assert not found.is_bare


@pytest.mark.parametrize(
    ("rest", "sign"),
    [
        ("who else?", "for_others"),
        ("what did she say?", "points_at_person"),
        ("how much does it cost?", "points_at_thing"),
        ("why?", "is_bare"),
    ],
)
def test_a_sign_tells_what_a_follow_up_points_at(rest: str, sign: str) -> None:
    found = read(rest)

    assert found is not None
    assert getattr(found, sign)
