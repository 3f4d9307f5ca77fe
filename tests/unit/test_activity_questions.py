"""A question for when most was said, or how much when, is told from one for what was said."""

import pytest

from memory.counting.question import read_request
from memory.counting.request import Wanted
from memory.counting.results import Unit
from memory.counting.words import Sought
from tests.fuzz.limits import in_time

CALLED = frozenset({"ana", "ben"})


@pytest.mark.parametrize(
    ("text", "unit", "terms", "by"),
    [
        ("how active was Ben?", None, "", "Ben"),
        ("how active are we?", None, "", ""),
        ("how busy is it here?", None, "", ""),
        ("how busy was?", None, "", ""),
        ("how lively is this channel?", None, "", ""),
        ("how much activity was there?", None, "", ""),
        ("activity", None, "", ""),
        ("activity of Ana", None, "", "Ana"),
        ("activity by weekday", Unit.WEEKDAY, "", ""),
        ("how many messages per day?", Unit.DAY, "", ""),
        ("messages per month", Unit.MONTH, "", ""),
        ("how many messages a day did Ben write?", Unit.DAY, "", "Ben"),
        ("how many messages did Ben write per week?", Unit.WEEK, "", "Ben"),
        ("how many messages mention glaze per month?", Unit.MONTH, "glaze", ""),
    ],
)
def test_how_much_was_said_when_is_an_activity(text: str, unit: Unit | None, terms: str, by: str) -> None:
    request = read_request(text, called=CALLED)

    assert request is not None
    assert (request.wanted, request.busiest) == (Wanted.ACTIVITY, False)
    assert (request.unit, request.terms, request.by) == (unit, terms, by)


@pytest.mark.parametrize(
    ("text", "unit", "terms", "by"),
    [
        ("which day was busiest?", Unit.DAY, "", ""),
        ("which day busiest?", Unit.DAY, "", ""),
        ("what was the busiest day?", Unit.DAY, "", ""),
        ("what is the most active month?", Unit.MONTH, "", ""),
        ("which weekday is the busiest?", Unit.WEEKDAY, "", ""),
        ("which day of the week is busiest?", Unit.WEEKDAY, "", ""),
        ("what time of day are people most active?", Unit.HOUR, "", ""),
        ("at what hour do people write most?", Unit.HOUR, "", ""),
        ("when is Ben most active?", Unit.HOUR, "", "Ben"),
        ("when was Ben most active?", Unit.DAY, "", "Ben"),
        ("on which day did we talk most about glaze?", Unit.DAY, "glaze", ""),
        ("when was raku mentioned most often?", Unit.DAY, "raku", ""),
        ("which month had the most messages?", Unit.MONTH, "", ""),
    ],
)
def test_when_most_was_said_is_the_busiest_unit(text: str, unit: Unit, terms: str, by: str) -> None:
    request = read_request(text, called=CALLED)

    assert request is not None
    assert (request.wanted, request.busiest) == (Wanted.ACTIVITY, True)
    assert (request.unit, request.terms, request.by) == (unit, terms, by)


def test_links_and_pictures_have_a_busiest_day_too() -> None:
    links, pictures = read_request("when were the most links posted?"), read_request("how many pictures per week?")

    assert links is not None
    assert pictures is not None
    assert (links.sought, links.unit, links.busiest) == (Sought.LINKS, Unit.DAY, True)
    assert (pictures.sought, pictures.unit, pictures.busiest) == (Sought.PICTURES, Unit.WEEK, False)


def test_whoever_is_unknown_may_be_something_else() -> None:
    known, unknown = (read_request(f"how active is {name}?", called=CALLED) for name in ("Ben", "Etna"))

    assert known is not None
    assert unknown is not None
    assert (known.certain, unknown.certain) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "what is the most active volcano?",
        "which day was the kiln busiest?",
        "how active is the volcano?",
        "what activity is planned?",
        "what time is the meeting?",
        "which day works best for most people?",
        "when are most people free?",
        "on what day did most people vote?",
        "how many people per table?",
        "how many grams a day?",
        "when did most of the glaze crack?",
        "how often do we fire per month?",
        "when is the busiest time for the shop?",
        "per day",
        "busiest",
        "most",
    ],
)
def test_a_question_for_something_else_is_none_for_activity(text: str) -> None:
    request = read_request(text, called=CALLED)

    assert request is None or request.wanted is not Wanted.ACTIVITY


@pytest.mark.parametrize("part", ["per day ", "most ", "when most active ", "how active ", "messages a ", "busiest "])
def test_a_long_question_for_activity_is_read_in_bounded_time(part: str) -> None:
    text = (part * 2000)[:2000]

    with in_time(len(text)):
        assert read_request(text, called=CALLED) is None
