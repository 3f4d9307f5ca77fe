"""Intervals of ids add up, overlap and leave gaps as sets of ids do."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.coverage.intervals import (
    LARGEST_ID,
    Interval,
    first_id_at,
    gaps,
    interval_of,
    is_covered,
    merge,
    subtract,
    time_of_id,
)

EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
IDS = st.integers(0, 40)
INTERVALS = st.builds(Interval, IDS, IDS)
LISTS = st.lists(INTERVALS, max_size=8)


def ids(intervals: Sequence[Interval]) -> set[int]:
    """Return the ids that intervals have, one by one: what the algebra has to agree with."""
    return {number for interval in intervals for number in range(interval.oldest_id, interval.newest_id + 1)}


def is_in_order_and_apart(intervals: Sequence[Interval]) -> bool:
    return all(older.newest_id + 1 < newer.oldest_id for older, newer in pairwise(intervals))


@given(LISTS)
def test_merging_keeps_the_ids_and_leaves_no_two_that_touch(intervals: list[Interval]) -> None:
    merged = merge(intervals)

    assert ids(merged) == ids(intervals)
    assert is_in_order_and_apart(merged)


@given(INTERVALS, LISTS)
def test_gaps_are_the_ids_of_the_span_that_are_in_no_interval(span: Interval, covered: list[Interval]) -> None:
    found = gaps(span, covered)

    assert ids(found) == ids([span]) - ids(covered)
    assert is_in_order_and_apart(found)
    assert is_covered(span, covered) is (ids([span]) <= ids(covered))


@given(LISTS, LISTS)
def test_subtracting_leaves_the_ids_of_the_first_alone(intervals: list[Interval], removed: list[Interval]) -> None:
    left = subtract(intervals, removed)

    assert ids(left) == ids(intervals) - ids(removed)
    assert is_in_order_and_apart(left)


@given(INTERVALS, INTERVALS)
def test_two_touch_when_their_ids_add_up_to_one_interval(first: Interval, second: Interval) -> None:
    if first.is_empty or second.is_empty:
        return

    assert first.touches(second) is (len(merge([first, second])) == 1)
    assert ids([first.overlap(second)]) == ids([first]) & ids([second])


def test_intervals_that_touch_become_one() -> None:
    assert merge([Interval(7, 9), Interval(1, 3), Interval(4, 5)]) == [Interval(1, 5), Interval(7, 9)]


@given(st.integers(0, 65 * 365 * 86_400_000_000).map(lambda microseconds: EPOCH + timedelta(microseconds=microseconds)))
def test_the_first_id_at_a_moment_is_the_smallest_that_is_not_before_it(moment: datetime) -> None:
    first = first_id_at(moment)

    assert time_of_id(first) >= moment
    assert first == 0 or time_of_id(first - 1) < moment
    assert discord.utils.snowflake_time(first) == time_of_id(first)


def test_a_window_of_local_time_has_the_ids_of_its_messages() -> None:
    paris = ZoneInfo("Europe/Paris")
    start, end = datetime(2026, 11, 16, tzinfo=paris), datetime(2026, 11, 17, tzinfo=paris)

    window = interval_of(start, end)

    assert time_of_id(window.oldest_id) == start
    assert time_of_id(window.newest_id) == end - timedelta(milliseconds=1)


def test_a_window_without_a_beginning_or_an_end_goes_as_far_as_ids_do() -> None:
    assert interval_of(None, None) == Interval(0, LARGEST_ID)
    assert interval_of(datetime(1999, 1, 1, tzinfo=UTC), None).oldest_id == 0
    assert interval_of(None, datetime(9999, 1, 1, tzinfo=UTC)).newest_id == LARGEST_ID - 1


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        first_id_at(datetime(2026, 11, 16))  # noqa: DTZ001
