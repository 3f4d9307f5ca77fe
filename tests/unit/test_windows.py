"""What English phrases of time mean: on Saturday, 21 November 2026, at ten in the morning, in Paris."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from time_expressions import numerals
from time_expressions import vocabulary as vocabulary_module
from time_expressions.conventions import OURS, Conventions, DateOrder, date_order
from time_expressions.find import GRAMMAR, DiscussionPhrase, TimePhrase, times_in
from time_expressions.lexicon import lexical_items
from time_expressions.rules.foreign_dates import foreign_items
from time_expressions.rules.named_days import holiday_items
from time_expressions.tokens import tokens_of
from time_expressions.zone_items import zone_items

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 21, 10, tzinfo=PARIS)
OPEN = None


def at(*fields: int, zone: ZoneInfo = PARIS) -> datetime:
    """Return a time on the clock of a zone."""
    year, month, day, *rest = fields
    return datetime(year, month, day, *rest, tzinfo=zone)  # type: ignore[misc, arg-type]


def day(month: int, day: int, *, year: int = 2026, days: int = 1) -> tuple[datetime, datetime]:
    """Return whole days as a window."""
    start = at(year, month, day)
    return start, start + timedelta(days=days)


def windows(text: str, *, now: datetime = NOW, zone: ZoneInfo = PARIS) -> list[tuple[datetime | None, datetime | None]]:
    """Return the windows that a text speaks of."""
    return [(one.window.start, one.window.end) for one in times_in(text, now=now, time_zone=zone).windows]


def counted(text: str) -> list[tuple[int, int]]:
    """Return the discussions that a text counts."""
    return [(one.first, one.last) for one in times_in(text, now=NOW, time_zone=PARIS).discussions]


ONE_WINDOW = [
    # days from now on
    ("today", day(11, 21)),
    ("yesterday's call", day(11, 20)),
    ("the day before yesterday", day(11, 19)),
    ("three days ago", day(11, 18)),
    ("a couple of days ago", day(11, 19)),
    ("two days before yesterday", day(11, 18)),
    ("a week ago today", day(11, 14)),
    ("two Fridays ago", day(11, 13)),
    # weekdays
    ("last Tuesday", day(11, 17)),
    ("on Tuesday", day(11, 17)),
    ("on Saturday", day(11, 14)),
    ("this past Wednesday", day(11, 18)),
    ("the Friday before last", day(11, 13)),
    ("Sunday from last week", day(11, 15)),
    ("last week's Monday", day(11, 9)),
    ("Monday 2", day(11, 2)),
    ("Friday the 13th", day(11, 13)),
    # dates in every spelling
    ("on 2026-10-05", day(10, 5)),
    ("on 20261005", day(10, 5)),
    ("on 05/10/2026", day(10, 5)),
    ("on 25/10/2026", day(10, 25)),
    ("on 5.10.2026", day(10, 5)),
    ("on 05-Oct-2026", day(10, 5)),
    ("on 5/10", day(10, 5)),
    ("Oct 5", day(10, 5)),
    ("the 5th of October", day(10, 5)),
    ("October the fifth", day(10, 5)),
    ("Monday, October 5th, 2026", day(10, 5)),
    ("on the 5th", day(11, 5)),
    ("on the 25th", day(10, 25)),
    ("Dec. 31, 1994", day(12, 31, year=1994)),
    ("15 April of '87", day(4, 15, year=1987)),
    ("May twenty nine", day(5, 29)),
    ("on January twenty five nineteen eighty six", day(1, 25, year=1986)),
    ("on June twenty-seventh", day(6, 27)),
    ("on Feb 29", day(2, 29, year=2024)),
    ("on 24 December", day(12, 24, year=2025)),
    ("20th of the previous month", day(10, 20)),
    ("the first Monday of last month", day(10, 5)),
    ("the last Friday in October", day(10, 30)),
    ("the last day of February", day(2, 28)),
    ("the day after Christmas", day(12, 26, year=2025)),
    ("the day before Thanksgiving", day(11, 26, year=2025)),
    ("two days after Easter", day(4, 7)),
    ("the first Monday of the month", day(11, 2)),
    ("the 15th of this month", day(11, 15)),
    ("on this day last year", day(11, 21, year=2025)),
    ("the last working day", day(11, 20)),
    # weeks and weekends
    ("last week", day(11, 9, days=7)),
    ("this week", day(11, 16, days=7)),
    ("the week before last", day(11, 2, days=7)),
    ("two weeks ago", day(11, 2, days=7)),
    ("the week of November 4th", day(11, 2, days=7)),
    ("week 42", day(10, 12, days=7)),
    ("the first week of October", day(9, 28, days=7)),
    ("the last week of October", day(10, 26, days=7)),
    ("last weekend", day(11, 14, days=2)),
    ("over the weekend", day(11, 21, days=2)),
    ("the weekend of the 7th", day(11, 7, days=2)),
    ("this working week", day(11, 16, days=5)),
    ("Monday through Friday of last week", day(11, 9, days=5)),
    ("the weekend before last", day(11, 7, days=2)),
    ("the week before Christmas", day(12, 18, year=2025, days=7)),
    # months and longer
    ("in October", (at(2026, 10, 1), at(2026, 11, 1))),
    ("in December", (at(2025, 12, 1), at(2026, 1, 1))),
    ("last May", (at(2026, 5, 1), at(2026, 6, 1))),
    ("last November", (at(2025, 11, 1), at(2025, 12, 1))),
    ("last month", (at(2026, 10, 1), at(2026, 11, 1))),
    ("the month before last", (at(2026, 9, 1), at(2026, 10, 1))),
    ("five months ago", (at(2026, 6, 1), at(2026, 7, 1))),
    ("April of 87", (at(1987, 4, 1), at(1987, 5, 1))),
    ("2026-10", (at(2026, 10, 1), at(2026, 11, 1))),
    ("in 2024", (at(2024, 1, 1), at(2025, 1, 1))),
    ("last year", (at(2025, 1, 1), at(2026, 1, 1))),
    ("in the 1990s", (at(1990, 1, 1), at(2000, 1, 1))),
    ("Q3", (at(2026, 7, 1), at(2026, 10, 1))),
    ("Q4 2025", (at(2025, 10, 1), at(2026, 1, 1))),
    ("last quarter", (at(2026, 7, 1), at(2026, 10, 1))),
    ("the first half of 2025", (at(2025, 1, 1), at(2025, 7, 1))),
    ("last summer", (at(2026, 6, 1), at(2026, 9, 1))),
    ("in winter", (at(2025, 12, 1), at(2026, 3, 1))),
    ("early October", (at(2026, 10, 1), at(2026, 10, 11))),
    ("mid-October", (at(2026, 10, 10), at(2026, 10, 21))),
    ("the end of last month", (at(2026, 10, 21), at(2026, 11, 1))),
    ("the first ten days of last year", (at(2025, 1, 1), at(2025, 1, 11))),
    ("a year and a half ago", (at(2025, 5, 1), at(2025, 6, 1))),
    ("the summer of '69", (at(1969, 6, 1), at(1969, 9, 1))),
    # the last so many
    ("over the last three days", (at(2026, 11, 18), at(2026, 11, 22))),
    ("over the last week", (at(2026, 11, 14), at(2026, 11, 22))),
    ("in the past few weeks", (at(2026, 10, 31), at(2026, 11, 22))),
    ("in the past 24 hours", (at(2026, 11, 20, 10), NOW)),
    ("the last 2 quarters", (at(2026, 4, 1), at(2026, 10, 1))),
    ("so far this year", (at(2026, 1, 1), NOW)),
    # times and parts of the day
    ("this morning", (at(2026, 11, 21, 4), at(2026, 11, 21, 12))),
    ("yesterday evening", (at(2026, 11, 20, 17), at(2026, 11, 20, 22))),
    ("last night", (at(2026, 11, 20, 20), at(2026, 11, 21, 4))),
    ("late last night", (at(2026, 11, 20, 23), at(2026, 11, 21, 4))),
    ("Tuesday at 5pm", (at(2026, 11, 17, 17), at(2026, 11, 17, 18))),
    ("on 3 October at 14:32", (at(2026, 10, 3, 14, 32), at(2026, 10, 3, 14, 33))),
    ("yesterday between 9 and 11:30", (at(2026, 11, 20, 9), at(2026, 11, 20, 11, 30))),
    ("from 3 to 5pm on Monday", (at(2026, 11, 16, 15), at(2026, 11, 16, 17))),
    ("between 7 and 9 last night", (at(2026, 11, 20, 19), at(2026, 11, 20, 21))),
    ("Thursday before 5pm", (at(2026, 11, 19), at(2026, 11, 19, 17))),
    ("two hours ago", (at(2026, 11, 21, 7, 30), at(2026, 11, 21, 8, 30))),
    ("this afternoon at 3", (at(2026, 11, 21, 15), at(2026, 11, 21, 16))),
    ("the evening of the 3rd", (at(2026, 11, 3, 17), at(2026, 11, 3, 22))),
    ("in the early hours of Sunday", (at(2026, 11, 15), at(2026, 11, 15, 6))),
    ("the night before last", (at(2026, 11, 19, 20), at(2026, 11, 20, 4))),
    ("half an hour ago", (at(2026, 11, 21, 9, 22, 30), at(2026, 11, 21, 9, 37, 30))),
    # ranges
    ("from May 8th to June 9th", (at(2026, 5, 8), at(2026, 6, 10))),
    ("between October 28 and November 3", (at(2026, 10, 28), at(2026, 11, 4))),
    ("3 to 5 November", (at(2026, 11, 3), at(2026, 11, 6))),
    ("Nov 18 to Dec 19, 2015", (at(2015, 11, 18), at(2015, 12, 20))),
    ("from November to February", (at(2025, 11, 1), at(2026, 3, 1))),
    ("from Monday to Wednesday", (at(2026, 11, 16), at(2026, 11, 19))),
    ("between the 3rd and the 7th", (at(2026, 11, 3), at(2026, 11, 8))),
    ("from the middle of March until the end of June", (at(2026, 3, 16), at(2026, 7, 1))),
    ("2014-2018", (at(2014, 1, 1), at(2019, 1, 1))),
    # open ends
    ("since Friday", (at(2026, 11, 20), OPEN)),
    ("since early October", (at(2026, 10, 1), OPEN)),
    ("after October", (at(2026, 11, 1), OPEN)),
    ("before October", (OPEN, at(2026, 10, 1))),
    ("until last Sunday", (OPEN, at(2026, 11, 16))),
    ("more than two weeks ago", (OPEN, at(2026, 11, 7))),
    # days with a name
    ("at Christmas", day(12, 25, year=2025)),
    ("over Easter", day(4, 5)),
    ("on Good Friday", day(4, 3)),
    ("last Thanksgiving", day(11, 27, year=2025)),
    ("Black Friday 2010", day(11, 26, year=2010)),
    ("on Halloween", day(10, 31)),
    ("Labor Day weekend", day(9, 5, days=3)),
    ("Eid al-Fitr 2022", day(5, 2, year=2022)),
]


@pytest.mark.parametrize(("text", "window"), [pytest.param(text, window, id=text) for text, window in ONE_WINDOW])
def test_a_phrase_means_one_window(text: str, window: tuple[datetime | None, datetime | None]) -> None:
    assert windows(f"What did Ana say about the deploy {text}?") == [window]


@pytest.mark.parametrize("text", [text for text, _ in ONE_WINDOW])
def test_a_phrase_is_a_piece_of_its_text(text: str) -> None:
    whole = f"What did Ana say about the deploy {text}?"

    (found,) = times_in(whole, now=NOW, time_zone=PARIS).windows

    assert found.phrase in whole
    assert found.phrase.strip(" ?.") == found.phrase


@pytest.mark.parametrize(
    "text",
    [
        "may I ask something?",
        "that may be so",
        "this may take a while",
        "the second option is better",
        "the 2nd floor",
        "March on!",
        "they march to the drums",
        "now and then",
        "give me a second",
        "one day at a time",
        "June said hi, ask April about it",
        "my son sat down in the sun",
        "mon ami",
        "we are on 24/7",
        "it got 9/10 points",
        "version 2.1 of 1.2.3",
        "at the end of the day it works",
        "every Friday we meet",
        "on Mondays",
        "error 2013 in line 2020 of 4",
        "we have 2000 users",
        "the last straw",
        "the last time I checked it worked",
        "last minute changes",
        "a spring in the mattress, and we fall apart",
        "the market is bullish",
        "see https://example.org/2026/11/03 and `2026-11-03`",
        "thanks <@20261103>",
        "",
        "?!",
    ],
)
def test_a_text_without_time_has_no_window(text: str) -> None:
    assert not windows(text)
    assert not counted(text)


def test_every_part_of_a_pattern_can_be_found() -> None:
    tokens = tokens_of(
        "Monday Mondays May 2020 12 2 3rd third two week weeks spring noon nineties 20200101 315 nineteen ninety"
    )
    zones = [*zone_items(tokens_of("EST +02:00"), PARIS), *foreign_items(tokens_of("mar noviembre"))]
    found = {item.category for item in (*lexical_items(tokens), *holiday_items(tokens_of("Easter")), *zones)}
    openings = [*GRAMMAR.by_word.values(), *GRAMMAR.by_category.values()]
    rules = {one.rule for every in openings for one in every}
    asked_for = {element.category for rule in rules for element in rule.elements if element.category}

    assert asked_for <= found | {rule.makes for rule in rules}


def test_phrases_carry_the_spans_at_which_they_stand_in_the_text() -> None:
    text = "May I ask what was said in May, in our last session, and on Monday and Tuesday of last week?"
    found = times_in(text, now=NOW, time_zone=PARIS)

    phrases: list[TimePhrase | DiscussionPhrase] = [*found.windows, *found.discussions]
    assert [text[slice(*phrase.span)] for phrase in phrases] == [phrase.phrase for phrase in phrases]
    assert [text.index("May,"), text.index("our last session")] == [
        found.windows[0].span[0],
        found.discussions[0].span[0],
    ]


def test_several_phrases_are_several_windows_in_the_order_of_the_text() -> None:
    assert windows("was it on Monday, or in October?") == [day(11, 16), (at(2026, 10, 1), at(2026, 11, 1))]


@pytest.mark.parametrize(
    ("text", "discussions"),
    [
        ("in our first session", (1, 1)),
        ("in the 3rd discussion", (3, 3)),
        ("in session 12", (12, 12)),
        ("over sessions 1 through 3", (1, 3)),
        ("from the first through third sessions", (1, 3)),
        ("in the first three conversations", (1, 3)),
        ("two discussions ago", (-2, -2)),
        ("a session ago", (-1, -1)),
        ("in our last conversation", (-1, -1)),
        ("over the last two chats", (-2, -1)),
        ("the last time we talked", (-1, -1)),
        ("last time", (-1, -1)),
        ("the session before last", (-2, -2)),
        ("not the last discussion, but the one before that", (-2, -2)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_discussions_are_counted(text: str, discussions: tuple[int, int]) -> None:
    assert counted(f"What did we say {text}?") == [discussions]


@pytest.mark.parametrize(
    ("phrase", "hour", "window"),
    [
        ("earlier today", 10, (at(2026, 11, 21), NOW)),
        ("earlier this morning", 10, (at(2026, 11, 21, 4), NOW)),
        ("earlier in the morning", 13, (at(2026, 11, 21, 4), at(2026, 11, 21, 12))),
        ("earlier in the morning", 0, (at(2026, 11, 20, 4), at(2026, 11, 20, 12))),
    ],
)
def test_earlier_today_leaves_out_what_goes_on_now(phrase: str, hour: int, window: tuple[datetime, datetime]) -> None:
    now = at(2026, 11, 21, hour)

    (found,) = times_in(f"what did we discuss {phrase}?", now=now, time_zone=PARIS).windows

    assert found.earlier
    assert (found.window.start, found.window.end) == window


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        pytest.param("on 29 March 2026", 23, id="clocks go forward"),
        pytest.param("on 25 October 2026", 25, id="clocks go back"),
        pytest.param("on 24 October 2026", 24, id="an ordinary day"),
    ],
)
def test_a_day_has_as_many_hours_as_pass_in_it(text: str, hours: int) -> None:
    ((start, end),) = windows(text)

    assert start is not None
    assert end is not None
    assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=hours)


def test_hours_pass_where_clocks_change() -> None:
    after_the_change = at(2026, 10, 25, 9)

    ((start, end),) = windows("in the past 24 hours", now=after_the_change)

    assert start is not None
    assert (start, end) == (at(2026, 10, 24, 10), after_the_change)
    assert after_the_change.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=24)


def test_the_asker_s_day_counts_and_not_that_of_greenwich() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # half past midnight in Paris

    assert windows("yesterday", now=late) == [day(11, 20)]
    assert windows("yesterday", now=late, zone=ZoneInfo("UTC")) == [
        (at(2026, 11, 19, zone=ZoneInfo("UTC")), at(2026, 11, 20, zone=ZoneInfo("UTC")))
    ]


@pytest.mark.parametrize(
    ("text", "conventions", "window"),
    [
        ("from May 8th to June 9th", Conventions(range_end_included=False), (at(2026, 5, 8), at(2026, 6, 9))),
        ("last Tuesday", Conventions(last_weekday_is_nearest=False), day(11, 10)),
        ("over the last three days", Conventions(rolling_includes_today=False), (at(2026, 11, 18), at(2026, 11, 21))),
        ("Thursday before 5pm", Conventions(bounds_stay_in_day=False), (OPEN, at(2026, 11, 19, 17))),
        ("on 5/10", Conventions(month_first=True), day(5, 10)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_conventions_settle_what_english_leaves_open(
    text: str, conventions: Conventions, window: tuple[datetime | None, datetime | None]
) -> None:
    (found,) = times_in(text, now=NOW, time_zone=PARIS, conventions=conventions).windows

    assert (found.window.start, found.window.end) == window


@pytest.mark.parametrize("text", ["5000 years ago", "on 9999-12-31", "99 centuries ago", "0001-01-01"])
def test_times_beyond_the_calendar_are_no_window(text: str) -> None:
    assert windows(text) == []


def test_the_same_words_again_and_again_lead_no_further() -> None:
    assert windows("next decade " * 80) == [(at(2030, 1, 1), at(2040, 1, 1))] * 80


def test_whatever_the_words_no_window_ends_before_it_starts() -> None:
    signs = "the of in last this next to - from between and since before ago on at pm , . / : 1 3 12 30 2020"
    names = (
        vocabulary_module.MONTHS,
        vocabulary_module.WEEKDAYS,
        vocabulary_module.UNITS,
        vocabulary_module.PARTS_OF_DAY,
        numerals.UNITS,
        numerals.ORDINALS,
    )
    vocabulary = [*signs.split(), *(name for kind in names for name in kind)]
    chance = random.Random(7)  # noqa: S311 - the same soup in every run
    spoken_of = 0
    for _ in range(500):
        text = " ".join(chance.choices(vocabulary, k=chance.randint(1, 12)))

        found = times_in(text, now=NOW, time_zone=PARIS).windows

        assert all(a.window.start < a.window.end for a in found if a.window.start and a.window.end), text
        assert all(one.phrase in text for one in found), text
        spoken_of += len(found)
    assert spoken_of > 250


@pytest.mark.parametrize(
    ("locale", "zone", "setting", "order"),
    [
        pytest.param(None, "Europe/Paris", None, DateOrder.DAY_FIRST, id="a zone of Europe"),
        pytest.param(None, "America/Chicago", None, DateOrder.MONTH_FIRST, id="a zone of the United States"),
        pytest.param(None, "US/Eastern", None, DateOrder.MONTH_FIRST, id="an older name of one"),
        pytest.param(None, "America/Toronto", None, DateOrder.DAY_FIRST, id="a zone beside them"),
        pytest.param(None, "UTC", None, DateOrder.DAY_FIRST, id="no place at all"),
        pytest.param("en-US", "Europe/Paris", None, DateOrder.MONTH_FIRST, id="an American abroad"),
        pytest.param("en-GB", "America/Chicago", None, DateOrder.DAY_FIRST, id="a Briton in America"),
        pytest.param("de", "America/Chicago", None, DateOrder.DAY_FIRST, id="a German in America"),
        pytest.param("zh-TW", "Europe/Paris", None, DateOrder.MONTH_FIRST, id="a language that writes the month first"),
        pytest.param("en-US", "America/Chicago", DateOrder.DAY_FIRST, DateOrder.DAY_FIRST, id="a setting"),
        pytest.param("de", "Europe/Berlin", DateOrder.MONTH_FIRST, DateOrder.MONTH_FIRST, id="the other setting"),
    ],
)
def test_the_order_of_day_and_month_is_that_of(
    locale: str | None, zone: str, setting: DateOrder | None, order: DateOrder
) -> None:
    assert date_order(locale=locale, time_zone=ZoneInfo(zone), setting=setting) is order


def test_days_and_months_in_digits_are_in_the_order_of_the_time_zone() -> None:
    new_york = ZoneInfo("America/New_York")

    assert windows("on 10/11/2026") == [day(11, 10)]
    assert windows("on 10/11/2026", zone=new_york) == [
        (at(2026, 10, 11, zone=new_york), at(2026, 10, 12, zone=new_york))
    ]


@pytest.mark.parametrize(
    ("text", "mattered"),
    [
        ("on 10/11/2026", True),
        ("on 3/4", True),
        ("from 3/4 to 5/4", True),
        ("on 3-4-26", True),
        ("on 25/10/2026", False),
        ("on 10/10/2026", False),
        ("on 2026-10-11", False),
        ("on 10.11.2026", False),
        ("on 10 November", False),
        ("from 9 to 5 on Monday", False),
    ],
)
def test_it_is_known_whether_the_order_of_day_and_month_mattered(text: str, mattered: bool) -> None:
    for order in DateOrder:
        (found,) = times_in(text, now=NOW, time_zone=PARIS, conventions=OURS.in_order(order)).windows

        assert found.order_mattered is mattered
