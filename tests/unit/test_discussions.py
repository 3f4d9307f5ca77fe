"""Phrases that count discussions become windows, and runs of messages become discussions."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from memory.discussions import DISCUSSION_GAP, joined
from memory.question.discussions import resolved
from tests.builders import minute
from tests.phrases import in_text
from time_expressions.find import DiscussionPhrase, TimePhrase, Times
from time_expressions.window import Window

HELD = [Window(minute(start), minute(start + 10)) for start in (0, 100, 200, 300)]
NOW = minute(1000)
NOTHING = Window(NOW, NOW)


def resolve(text: str, times: Times, discussions: Sequence[Window], *, now: datetime) -> tuple[TimePhrase, ...]:
    """Return the phrases of a text with their windows; they stand in the text where it has their words."""
    return resolved(text, in_text(text, times), discussions, now=now)


def stretch(first: int, last: int) -> Window:
    """Return the window from the start of one of HELD to the end of another, counted from 0."""
    return Window(HELD[first].start, HELD[last].end)


@pytest.mark.parametrize(
    ("first", "last", "window"),
    [
        pytest.param(1, 1, HELD[0], id="the first"),
        pytest.param(4, 4, HELD[3], id="the fourth of four"),
        pytest.param(1, 3, stretch(0, 2), id="1 through 3"),
        pytest.param(-1, -1, HELD[3], id="the latest"),
        pytest.param(-2, -2, HELD[2], id="two ago"),
        pytest.param(-4, -4, HELD[0], id="four ago"),
        pytest.param(-3, -1, stretch(1, 3), id="the last three"),
        pytest.param(-1, -3, stretch(1, 3), id="the last three, the other way round"),
        pytest.param(2, -1, stretch(1, 3), id="since the second"),
        pytest.param(3, 9, stretch(2, 3), id="more than there are"),
        pytest.param(-9, -1, stretch(0, 3), id="more than there were"),
        pytest.param(5, 5, NOTHING, id="a fifth of four"),
        pytest.param(5, 9, NOTHING, id="some after the last"),
        pytest.param(-5, -5, NOTHING, id="five ago, of four"),
        pytest.param(-9, -5, NOTHING, id="some before the first"),
    ],
)
def test_a_count_of_discussions_is_a_window(first: int, last: int, window: Window) -> None:
    counted = Times(discussions=(DiscussionPhrase("so many discussions", first, last),))

    (phrase,) = resolve("in so many discussions", counted, HELD, now=NOW)

    assert phrase == TimePhrase("so many discussions", window)


def test_where_nothing_was_ever_said_a_count_finds_nothing() -> None:
    counted = Times(discussions=(DiscussionPhrase("last time", -1, -1),))

    (phrase,) = resolve("last time", counted, [], now=NOW)

    assert phrase.window == NOTHING
    assert NOW not in phrase.window


def test_a_window_of_discussions_that_overlap_reaches_to_the_last_end() -> None:
    long_and_short = [Window(minute(0), minute(90)), Window(minute(10), minute(20))]
    counted = Times(discussions=(DiscussionPhrase("last two sessions", -2, -1),))

    (phrase,) = resolve("the last two sessions", counted, long_and_short, now=NOW)

    assert phrase.window == Window(minute(0), minute(90))


DAY = Window(minute(150), minute(1440))
YESTERDAY, FIRST, LAST = (
    TimePhrase("yesterday", DAY),
    DiscussionPhrase("first talk", 1, 1),
    DiscussionPhrase("last talk", -1, -1),
)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        pytest.param("in our first talk yesterday", "first talk yesterday", id="the count before the time"),
        pytest.param("in the first talk of yesterday", "first talk of yesterday", id="with a word between"),
        pytest.param("in the first talk that we had, yesterday", "first talk that we had, yesterday", id="with more"),
        pytest.param("in yesterday's first talk", "yesterday's first talk", id="the time before the count"),
    ],
)
def test_discussions_within_a_time_are_those_that_began_in_it(text: str, phrase: str) -> None:
    (only,) = resolve(text, Times((YESTERDAY,), (FIRST,)), HELD, now=NOW)

    assert only == TimePhrase(phrase, HELD[2])


def test_no_discussion_within_a_time_finds_nothing() -> None:
    long_ago = TimePhrase("last year", Window(minute(-2000), minute(-1000)))

    (only,) = resolve("the first talk of last year", Times((long_ago,), (FIRST,)), HELD, now=NOW)

    assert only.window == NOTHING


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        pytest.param("in our first talk and yesterday", ["first talk", "yesterday"], id="and"),
        pytest.param("yesterday, or was it in our first talk?", ["yesterday", "first talk"], id="apart"),
    ],
)
def test_a_count_and_a_time_apart_are_both_looked_into_in_the_order_of_the_text(text: str, phrases: list[str]) -> None:
    both = resolve(text, Times((YESTERDAY,), (FIRST,)), HELD, now=NOW)

    assert [phrase.phrase for phrase in both] == phrases
    assert {phrase.window for phrase in both} == {DAY, HELD[0]}


def test_two_counts_beside_each_other_stay_two() -> None:
    both = resolve("the first talk, the last talk", Times(discussions=(FIRST, LAST)), HELD, now=NOW)

    assert [phrase.window for phrase in both] == [HELD[0], HELD[3]]


# Earlier today

TODAY = Window(minute(150), None)


@pytest.mark.parametrize(
    ("now", "window"),
    [
        pytest.param(minute(310), Window(minute(150), minute(300)), id="a discussion goes on"),
        pytest.param(minute(340), Window(minute(150), minute(300)), id="it paused for half an hour"),
        pytest.param(minute(341), TODAY, id="it is over"),
    ],
)
def test_earlier_leaves_out_the_discussion_that_goes_on(now: datetime, window: Window) -> None:
    earlier = Times((TimePhrase("earlier today", TODAY, earlier=True),))

    (phrase,) = resolve("earlier today", earlier, HELD, now=now)

    assert phrase.window == window


MORNING = Window(minute(-300), minute(-240))


@pytest.mark.parametrize(
    ("said", "now", "window"),
    [
        pytest.param([(-250, -245)], 310, MORNING, id="something was said in the morning"),
        pytest.param([(100, 110)], 310, Window(minute(-9 * 60), minute(310)), id="something was said at noon"),
        pytest.param(
            [(100, 110), (300, 310)], 310, Window(minute(-9 * 60), minute(300)), id="and a discussion goes on"
        ),
    ],
)
def test_earlier_this_morning_is_the_day_so_far_when_nothing_was_said_in_the_morning(
    said: list[tuple[float, float]], now: float, window: Window
) -> None:
    earlier = Times((TimePhrase("earlier this morning", MORNING, earlier=True),))
    held = [Window(minute(first), minute(last)) for first, last in said]

    (phrase,) = resolve("earlier this morning", earlier, held, now=minute(now))

    assert phrase.window == window


def test_a_discussion_that_began_before_the_window_does_not_cut_it() -> None:
    since_midnight = Window(minute(305), minute(310))
    earlier = Times((TimePhrase("earlier today", since_midnight, earlier=True),))

    (phrase,) = resolve("earlier today", earlier, HELD, now=minute(310))

    assert phrase.window == since_midnight


def test_a_time_that_is_not_earlier_keeps_the_discussion_that_goes_on() -> None:
    (phrase,) = resolve("today", Times((TimePhrase("today", TODAY),)), HELD, now=minute(310))

    assert phrase.window == TODAY


# Islands of two memories


JUST = timedelta(microseconds=1)


def test_islands_of_both_memories_are_one_discussion_when_no_long_silence_parts_them() -> None:
    short, long = (1, minute(40), minute(50)), (1, minute(0), minute(10))

    assert joined([short, long]) == [Window(minute(0), minute(50) + JUST)]


def test_a_silence_longer_than_the_gap_parts_them() -> None:
    later = minute(10) + DISCUSSION_GAP + JUST

    assert joined([(1, later, later), (1, minute(0), minute(10))]) == [
        Window(minute(0), minute(10) + JUST),
        Window(later, later + JUST),
    ]


def test_an_island_inside_another_changes_nothing() -> None:
    assert joined([(1, minute(0), minute(100)), (1, minute(20), minute(30)), (1, minute(110), minute(120))]) == [
        Window(minute(0), minute(120) + JUST)
    ]


def test_discussions_of_two_places_at_the_same_time_are_two_in_time_order() -> None:
    held = joined([(2, minute(0), minute(10)), (1, minute(5), minute(15)), (2, minute(500), minute(510))])

    assert [window.start for window in held] == [minute(0), minute(5), minute(500)]


def test_discussions_of_a_day_in_digits_tell_that_the_order_of_day_and_month_mattered() -> None:
    text = "the first session on 11/8"
    day = TimePhrase("11/8", YESTERDAY.window, order_mattered=True)

    (only,) = resolve(text, Times((day,), (DiscussionPhrase("the first session", 1, 1),)), HELD, now=NOW)

    assert only.order_mattered
