"""Who knows about a topic: who wrote best about it comes first, and not who wrote most."""

from datetime import datetime

import pytest

from memory.message import Message, Reaction
from memory.search.results import RankedMessage
from memory.search.terms import Weighed, keywords_of
from overviews.who import Knower, ranked, worth_of
from tests.builders import message, minute

TOPIC = tuple(map(Weighed, keywords_of("copper glaze")))

SOLID = (
    "A copper glaze turns red only in reduction: starve the kiln of air between 900 and 1100 degrees.",
    "Our copper glaze ran because the colemanite was too fresh; sieve twice and rest the bucket overnight.",
    "Never put food in a bowl with a raw copper glaze, vinegar leaches metal out of the surface.",
    "For a green copper glaze fire in oxidation, cool slowly and keep tin below two percent.",
    "If the copper glaze crawls, bisque hotter and wipe dust from the foot with a damp sponge.",
)
"""What somebody writes who knows."""


def by(author_id: int, contents: list[str], *, first: int) -> list[Message]:
    return [
        message(first + number, content, author_id=author_id, author_name=f"person {author_id}")
        for number, content in enumerate(contents)
    ]


def found(*messages: Message) -> list[RankedMessage]:
    return [RankedMessage(one, hit=True) for one in messages]


def people(knowers: list[Knower]) -> list[str]:
    return [knower.person for knower in knowers]


def worth(content: str, **changes: object) -> float:
    return worth_of(RankedMessage(message(1, content, **changes), hit=True), TOPIC)


def test_an_expert_with_five_solid_messages_comes_before_fifty_that_agree() -> None:
    expert = by(1, list(SOLID), first=1)
    chorus = by(2, ["me too, that copper glaze!"] * 50, first=100)

    knowers = ranked(found(*chorus, *expert), {}, TOPIC)

    assert people(knowers)[0] == "1"
    assert knowers[0].worth > 3 * max((knower.worth for knower in knowers[1:]), default=0.0)


def test_more_good_messages_are_worth_more_than_one() -> None:
    once, often = by(1, list(SOLID[:1]), first=1), by(2, list(SOLID[1:]), first=10)

    assert people(ranked(found(*once, *often), {}, TOPIC)) == ["2", "1"]


def test_who_only_asks_comes_behind_who_tells() -> None:
    asking = by(
        1, ["Why does a copper glaze turn red in the kiln when the damper stays half closed overnight?"], first=1
    )
    telling = by(2, [SOLID[0]], first=10)

    knowers = ranked(found(*asking, *telling), {}, TOPIC)

    assert people(knowers) == ["2", "1"]
    assert knowers[1].worth < knowers[0].worth / 2


def test_what_others_thanked_for_is_worth_up_to_half_more() -> None:
    thanks = [worth(SOLID[0], reactions=(Reaction(emoji="👍", count=count),)) for count in (5, 10, 1000)]

    assert thanks == pytest.approx([worth(SOLID[0]) * factor for factor in (1.25, 1.5, 1.5)])


def test_a_message_that_has_half_of_the_topic_is_worth_half() -> None:
    rest = "turns red in reduction: starve the kiln of air between 900 and 1100 degrees, then soak it overnight"

    assert worth(f"this glaze {rest}") == pytest.approx(worth(f"this copper glaze {rest}") / 2)


def test_nobody_is_listed_for_repeating_the_topic() -> None:
    assert ranked(found(*by(1, ["copper glaze"] * 8, first=1)), {}, TOPIC) == []


def test_counts_and_the_newest_are_those_of_all_messages_and_not_only_of_those_that_were_read() -> None:
    counted: dict[str, tuple[int, datetime]] = {"1": (12, minute(500))}

    [knower] = ranked(found(*by(1, list(SOLID), first=1)), counted, TOPIC)

    assert (knower.messages, knower.newest_at) == (12, minute(500))
    assert len(knower.written) == 5
