"""An answer about a time or place that memory has not seen says so, in two sentences at most."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agent.gap_notes import SeenPlace, gap_notes
from memory.coverage.intervals import Interval, first_id_at
from time_expressions.window import Window, Windows

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


def at(day: int, hour: int = 12, minute: int = 0, *, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


CREATED = first_id_at(at(1, month=2))


def ids(start: datetime, end: datetime) -> Interval:
    return Interval(first_id_at(start), first_id_at(end) - 1)


def seen(name: str, *stretches: tuple[datetime, datetime], place_id: int = CREATED) -> SeenPlace:
    return SeenPlace(place_id=place_id, name=name, seen=tuple(ids(*stretch) for stretch in stretches))


def whole(name: str) -> SeenPlace:
    return seen(name, (at(1, month=2), NOW))


def away(name: str, start: datetime, end: datetime) -> SeenPlace:
    return seen(name, (at(1, month=2), start), (end, NOW))


NOVEMBER = (Window(at(1), at(30)),)


def notes(*places: SeenPlace, windows: Windows = NOVEMBER) -> tuple[str, ...]:
    return gap_notes(places, windows, now=NOW, time_zone=PARIS)


def test_a_time_away_is_said_with_its_days_and_its_channel() -> None:
    assert notes(away("dev", at(14), at(16)), whole("ops")) == (
        "I was away 14 - 16 Nov in #dev, so I may not know what was said then.",
    )


def test_since_when_a_channel_is_seen_is_said() -> None:
    assert notes(seen("ops", (at(3, month=5), NOW)), windows=()) == ("I see #ops since 3 May only.",)


def test_a_channel_that_is_seen_from_its_beginning_needs_no_word() -> None:
    assert notes(seen("new", (at(20), NOW), place_id=first_id_at(at(20))), windows=()) == ()


@pytest.mark.parametrize(
    "windows",
    [
        pytest.param((Window(at(17), at(20)),), id="after it"),
        pytest.param((Window(at(1), at(14)),), id="before it"),
        pytest.param((Window(at(1), at(14, 12, 5)),), id="of which only some minutes were missed"),
    ],
)
def test_a_gap_outside_of_the_time_that_was_asked_about_is_not_said(windows: Windows) -> None:
    assert notes(away("dev", at(14), at(16)), windows=windows) == ()


def test_a_restart_of_some_minutes_is_not_said() -> None:
    assert notes(away("dev", at(14, 12, 0), at(14, 12, 9))) == ()


def test_a_gap_within_a_day_has_times_on_the_clock_of_the_asker() -> None:
    assert notes(away("dev", at(14, 9), at(14, 11, 30))) == (
        "I was away 14 Nov 10:00 - 12:30 in #dev, so I may not know what was said then.",
    )


@pytest.mark.parametrize(
    ("start", "end", "written"),
    [
        pytest.param(at(29, month=10), at(2), "29 Oct - 2 Nov", id="two months"),
        pytest.param(at(30, month=12, year=2025), at(2), "30 Dec 2025 - 2 Nov", id="two years"),
        pytest.param(at(30, month=12, year=2025), at(31, month=12, year=2025), "30 - 31 Dec 2025", id="last year"),
        pytest.param(at(13, 23, 30), at(15, 22, 59), "14 - 15 Nov", id="other days in the zone"),
    ],
)
def test_a_gap_is_written_with_what_a_reader_needs(start: datetime, end: datetime, written: str) -> None:
    long_ago = first_id_at(at(1, year=2024))
    place = seen("dev", (at(1, year=2024), start), (end, NOW), place_id=long_ago)

    (note,) = notes(place, windows=())

    assert note.startswith(f"I was away {written} in #dev,")


def test_a_gap_that_reaches_until_now_is_said() -> None:
    assert notes(seen("dev", (at(1, month=2), at(28))), windows=(Window(at(27), None),)) == (
        "I was away 28 - 30 Nov in #dev, so I may not know what was said then.",
    )


def test_many_channels_and_times_are_summed_up() -> None:
    same = [away(f"c{number}", at(14), at(16)) for number in range(5)]
    other = away("z", at(2), at(3))

    (note,) = notes(*same, other, whole("y"))

    assert note.startswith(
        "I was away 14 - 16 Nov in #c0, #c1, #c2 and 2 channels, and at other times in 1 channel more"
    )


def test_a_time_away_from_all_of_many_channels_names_none() -> None:
    assert notes(*(away(f"c{number}", at(14), at(16)) for number in range(5))) == (
        "I was away 14 - 16 Nov, so I may not know what was said then.",
    )


def test_of_many_times_the_longest_are_named_in_order() -> None:
    often = seen(
        "dev",
        (at(1, month=2), at(2)),
        (at(2, 13), at(5)),
        (at(8), at(10)),
        (at(10, 13), at(14)),
        (at(16), NOW),
    )

    assert notes(often) == (
        "I was away 5 - 8 Nov, 14 - 16 Nov and 2 more times in #dev, so I may not know what was said then.",
    )


def test_there_are_two_sentences_at_most_whatever_the_channels_are() -> None:
    places = [
        seen(f"c{number}", (at(1 + number, month=5), at(14 + number)), (at(16 + number), NOW)) for number in range(9)
    ]

    written = notes(*places, windows=())

    assert len(written) == 2
    assert written[1] == "I see #c8 since 9 May only, and 8 channels more not from the beginning."


def test_a_channel_of_which_nothing_is_known_gets_no_word() -> None:
    assert notes(seen("imported")) == ()


def test_a_name_cannot_ping_or_format_anything() -> None:
    (note,) = notes(away("**x** @everyone [1]", at(14), at(16)))

    assert "**x**" not in note
    assert "[1]" not in note.replace("\\[", "")


def test_overlapping_stretches_of_several_sessions_leave_no_gap() -> None:
    place = seen("dev", (at(10), NOW), (at(1, month=2), at(12)))

    assert notes(place, windows=()) == ()
