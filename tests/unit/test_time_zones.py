"""Time zones by name: what people write is understood, and what cannot be is answered with what is near."""

from zoneinfo import ZoneInfo, available_timezones

import pytest

from time_expressions.zones import find_zone, matching, zone_names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("Europe/Paris", "Europe/Paris", id="its name"),
        pytest.param(" europe/PARIS ", "Europe/Paris", id="its name in any case"),
        pytest.param("America/New York", "America/New_York", id="a blank"),
        pytest.param("new  york", "America/New_York", id="a city"),
        pytest.param("São Paulo", "America/Sao_Paulo", id="a city with an accent"),
        pytest.param("ZU\u0308RICH", "Europe/Zurich", id="an accent of its own character"),
        pytest.param("utc", "UTC", id="a name that is also the end of another"),
        pytest.param("Etc/GMT+5", "Etc/GMT+5", id="an offset"),
    ],
)
def test_a_time_zone_is_found_by(text: str, name: str) -> None:
    assert find_zone(text) == ZoneInfo(name)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("Berln", "There is no time zone 'Berln': write Europe/Berlin.", id="a misspelt city"),
        pytest.param("Asia/Paris", "There is no time zone 'Asia/Paris': write Europe/Paris.", id="another continent"),
        pytest.param("york", "There is no time zone 'york': write America/New_York.", id="half a city"),
        pytest.param(
            "Istanbul", "There is no time zone 'Istanbul': write Europe/Istanbul or Asia/Istanbul.", id="two of them"
        ),
        pytest.param("xyzzy", "There is no time zone 'xyzzy': write a name such as Europe/Paris.", id="nothing near"),
        pytest.param("  ", "There is no time zone '  ': write a name such as Europe/Paris.", id="blanks"),
        pytest.param("localtime", "There is no time zone 'localtime'", id="what only this system knows"),
        pytest.param("../../etc/passwd", "There is no time zone '../../etc/passwd'", id="a path"),
    ],
)
def test_a_name_that_is_none_is_answered_with_the_nearest(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="There is no time zone") as caught:
        find_zone(text)

    assert str(caught.value).startswith(sentence)


def test_a_very_long_name_is_not_repeated() -> None:
    with pytest.raises(ValueError, match=r"There is no time zone '.{,60}': write a name such as Europe/Paris\.$"):
        find_zone("Europe/Pari" + "s" * 100_000)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("los", ["America/Los_Angeles"], id="the beginning of a city"),
        pytest.param("ANGEL", ["America/Los_Angeles"], id="the middle of a city"),
        pytest.param("salvador", ["America/El_Salvador"], id="the last word of a city"),
        pytest.param("us/pac", ["US/Pacific"], id="continent and city"),
        pytest.param("xyzzy", [], id="nothing"),
    ],
)
def test_what_is_typed_matches(text: str, names: list[str]) -> None:
    assert matching(text, limit=25) == names


def test_cities_that_begin_with_what_is_typed_come_first_and_then_those_that_hold_it() -> None:
    cities = [name.rpartition("/")[2].casefold() for name in matching("ind", limit=25)]

    places = [city.find("ind") for city in cities]
    assert places == sorted(places, key=lambda place: (place < 0, place))
    assert {0, 1, -1} <= set(places), "Indianapolis, Windhoek, and islands in the Indian Ocean"


def test_much_asked_for_cities_come_before_others_that_match_as_well() -> None:
    assert matching("europe", limit=1) == ["Europe/Berlin"]


def test_no_more_are_matched_than_are_wanted() -> None:
    assert len(matching("a", limit=25)) == 25


def test_before_anything_is_typed_cities_all_over_the_world_are_offered() -> None:
    names = matching(" ", limit=25)

    assert len(names) == 25
    assert {name.partition("/")[0] for name in names} >= {"Africa", "America", "Asia", "Australia", "Europe", "UTC"}


def test_every_name_is_one_that_the_system_knows() -> None:
    assert zone_names() < available_timezones() | {""}
    assert {"UTC", "Europe/Paris", "Asia/Tokyo"} <= zone_names()
