"""What memory has seen of channels is drawn as bars that fit into one message."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from agent.gap_notes import SeenPlace
from bot.features.coverage.drawing import LEGEND, LONGEST, WEEKS, Remembered, bar, drawing, line_of
from memory.coverage.intervals import Interval, first_id_at

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
LONG_AGO = first_id_at(NOW - timedelta(weeks=300))


def weeks_ago(number: float) -> datetime:
    return NOW - timedelta(weeks=number)


def place(*stretches: tuple[float, float], name: str = "dev", place_id: int = LONG_AGO) -> SeenPlace:
    """Return a channel that was seen from so many weeks ago to so many weeks ago."""
    seen = tuple(Interval(first_id_at(weeks_ago(start)), first_id_at(weeks_ago(end)) - 1) for start, end in stretches)
    return SeenPlace(place_id=place_id, name=name, seen=seen)


def test_a_bar_shows_weeks_seen_half_seen_and_not_seen() -> None:
    seen = place((20, 4.5), (2, 0))

    assert bar(seen, now=NOW) == "░" * 6 + "█" * 15 + "▒" + "░" * 2 + "█" * 2


def test_a_bar_shows_when_the_channel_was_not_there() -> None:
    seen = place((3, 0), place_id=first_id_at(weeks_ago(3)))

    assert bar(seen, now=NOW) == "·" * 23 + "█" * 3


def test_a_restart_leaves_a_week_whole() -> None:
    assert bar(place((300, 0.5), (0.4999, 0)), now=NOW) == "█" * WEEKS


def test_a_line_says_since_when_how_much_and_when_it_was_checked() -> None:
    known = Remembered(place=place((52, 0)), messages=12345, checked_at=weeks_ago(1))

    assert line_of(known, now=NOW, time_zone=PARIS) == (
        f"`{'█' * WEEKS}` **#dev** since 1 Dec 2025 · about 12,345 messages · checked 23 Nov"
    )


def test_a_channel_that_is_seen_whole_says_so() -> None:
    known = Remembered(place=place((300, 0)))

    assert line_of(known, now=NOW, time_zone=PARIS) == f"`{'█' * WEEKS}` **#dev** from its beginning"


def test_a_channel_that_was_not_read_says_so() -> None:
    known = Remembered(place=place(), messages=7)

    assert line_of(known, now=NOW, time_zone=PARIS) == "**#dev** I have not read it yet. · about 7 messages"


def test_a_drawing_of_few_channels_has_all_of_them() -> None:
    lines = drawing([Remembered(place=place((5, 0))), Remembered(place=place())], now=NOW, time_zone=PARIS).split("\n")

    assert lines[0] == LEGEND
    assert len(lines) == 3


def test_a_drawing_of_many_channels_fits_into_a_message_and_counts_the_rest() -> None:
    many = [Remembered(place=place((9, 1), name=f"{'x' * 90}{number}"), messages=10**9) for number in range(500)]

    text = drawing(many, now=NOW, time_zone=PARIS)

    shown = text.count("█" * 8)
    assert len(text) <= LONGEST
    assert shown > 5
    assert text.endswith(f"-# and {500 - shown:,} more: `/coverage` with a `channel` shows any of them")


def test_a_drawing_of_the_first_channels_of_more_counts_those_too() -> None:
    text = drawing([Remembered(place=place((9, 1)))], now=NOW, time_zone=PARIS, of_all=31)

    assert "and 30 more" in text
