"""Times to come, as people write them who want to be reminded."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from time_expressions.conventions import OURS, DateOrder
from time_expressions.future import FURTHEST, FutureTime, Repeat, future_time, next_time

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 18, 14, 30, tzinfo=PARIS)  # a Wednesday


def stated(text: str, now: datetime = NOW) -> str:
    return f"{future_time(text, now=now, time_zone=PARIS).moment:%a %Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("in 2 hours", "Wed 2026-11-18 16:30"),
        ("in two hours", "Wed 2026-11-18 16:30"),
        ("In an hour", "Wed 2026-11-18 15:30"),
        ("in half an hour", "Wed 2026-11-18 15:00"),
        ("in 1h30", "Wed 2026-11-18 16:00"),
        ("in 1.5 hours", "Wed 2026-11-18 16:00"),
        ("in 1 hour and 30 minutes", "Wed 2026-11-18 16:00"),
        ("in twenty five minutes", "Wed 2026-11-18 14:55"),
        ("2 hours from now", "Wed 2026-11-18 16:30"),
        ("in 3 days", "Sat 2026-11-21 14:30"),
        ("in a couple of weeks", "Wed 2026-12-02 14:30"),
        ("in 3 months", "Thu 2027-02-18 14:30"),
        ("in a year", "Thu 2027-11-18 14:30"),
        ("in 2 days at 9", "Fri 2026-11-20 09:00"),
        ("in a week at 18:30", "Wed 2026-11-25 18:30"),
        ("tomorrow", "Thu 2026-11-19 09:00"),
        ("tomorrow at 9", "Thu 2026-11-19 09:00"),
        ("tomorrow evening", "Thu 2026-11-19 18:00"),
        ("the day after tomorrow at noon", "Fri 2026-11-20 12:00"),
        ("tonight", "Wed 2026-11-18 20:00"),
        ("this evening", "Wed 2026-11-18 18:00"),
        ("in the morning", "Thu 2026-11-19 09:00"),
        ("next Friday 18:00", "Fri 2026-11-20 18:00"),
        ("Friday at 9", "Fri 2026-11-20 09:00"),
        ("on Monday", "Mon 2026-11-23 09:00"),
        ("Wednesday at 18:00", "Wed 2026-11-18 18:00"),
        ("Wednesday at 9", "Wed 2026-11-25 09:00"),
        ("this weekend", "Sat 2026-11-21 09:00"),
        ("next week", "Mon 2026-11-23 09:00"),
        ("end of the month", "Mon 2026-11-30 09:00"),
        ("at 18:00", "Wed 2026-11-18 18:00"),
        ("9:30", "Thu 2026-11-19 09:30"),
        ("6pm", "Wed 2026-11-18 18:00"),
        ("midnight", "Thu 2026-11-19 00:00"),
        ("25 December", "Fri 2026-12-25 09:00"),
        ("Christmas", "Fri 2026-12-25 09:00"),
        ("1 March", "Mon 2027-03-01 09:00"),
        ("the 1st at 10", "Tue 2026-12-01 10:00"),
        ("29 February", "Tue 2028-02-29 09:00"),
        ("31/12", "Thu 2026-12-31 09:00"),
        ("2027-01-05 17:45", "Tue 2027-01-05 17:45"),
        ("Tuesday 9am EST", "Tue 2026-11-24 15:00"),
    ],
)
def test_a_text_states_a_time_to_come(text: str, moment: str) -> None:
    assert stated(text) == moment


def test_the_order_of_day_and_month_is_that_of_whoever_writes() -> None:
    first = [
        future_time("4/5", now=NOW, time_zone=PARIS, conventions=OURS.in_order(order)).moment.month
        for order in DateOrder
    ]

    assert first == [5, 4]


@pytest.mark.parametrize(
    "text", ["yesterday", "an hour ago", "last Friday", "2020-01-01", "today at 9", "this morning"]
)
def test_a_time_that_is_past_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is past, or has begun"):
        stated(text)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2 hours", "tomorrow at 9 call mum", "Monday and Tuesday", "in 5 minutes at 9", "in -2 hours", "every",
     "every blue moon", "x" * 101, "in 1" + "0" * 90 + " days"],
)  # fmt: skip
def test_what_is_not_one_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="I do not understand"):
        stated(text)


@pytest.mark.parametrize("text", ["in 6 years", "in 999999 weeks", "in 999999 years", "in 999999 hours", "2040-01-01"])
def test_a_time_that_is_too_far_ahead_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="5 years ahead"):
        stated(text)


def test_hours_are_counted_by_the_clock_and_days_by_the_calendar_where_clocks_change() -> None:
    evening = datetime(2026, 10, 24, 22, 0, tzinfo=PARIS)  # the clocks go back in this night

    assert stated("in 12 hours", evening) == "Sun 2026-10-25 09:00"
    assert stated("in 1 day", evening) == "Sun 2026-10-25 22:00"
    moment = future_time("in 12 hours", now=evening, time_zone=PARIS).moment
    assert moment.astimezone(UTC) - evening.astimezone(UTC) == timedelta(hours=12)


# ---- again and again


@pytest.mark.parametrize(
    ("text", "moment", "repeat"),
    [
        ("every Monday at 9", "Mon 2026-11-23 09:00", Repeat.WEEKLY),
        ("every mon 10:00", "Mon 2026-11-23 10:00", Repeat.WEEKLY),
        ("each day at 8", "Thu 2026-11-19 08:00", Repeat.DAILY),
        ("daily at 16:00", "Wed 2026-11-18 16:00", Repeat.DAILY),
        ("every weekday at 8:30", "Thu 2026-11-19 08:30", Repeat.WEEKDAYS),
        ("every morning", "Thu 2026-11-19 09:00", Repeat.DAILY),
        ("every month", "Thu 2026-11-19 09:00", Repeat.MONTHLY),
        ("every year on 25 December", "Fri 2026-12-25 09:00", Repeat.YEARLY),
    ],
)
def test_a_time_may_come_again_and_again(text: str, moment: str, repeat: Repeat) -> None:
    assert (stated(text), future_time(text, now=NOW, time_zone=PARIS).repeat) == (moment, repeat)


@pytest.mark.parametrize(
    ("first", "repeat", "after", "next_one"),
    [
        ("2026-11-23T09:00", Repeat.WEEKLY, "2026-11-23T09:00", "2026-11-30T09:00"),
        ("2026-11-23T09:00", Repeat.WEEKLY, "2027-03-01T12:00", "2027-03-08T09:00"),
        ("2026-10-24T09:00", Repeat.DAILY, "2026-10-24T09:05", "2026-10-25T09:00"),
        ("2026-11-20T08:30", Repeat.WEEKDAYS, "2026-11-20T08:30", "2026-11-23T08:30"),
        ("2027-01-31T09:00", Repeat.MONTHLY, "2027-01-31T09:00", "2027-02-28T09:00"),
        ("2027-01-31T09:00", Repeat.MONTHLY, "2027-02-28T09:00", "2027-03-31T09:00"),
        ("2026-12-25T09:00", Repeat.YEARLY, "2030-12-25T09:00", "2031-12-25T09:00"),
    ],
)
def test_the_next_time_is_at_the_same_hour_of_the_clock(first: str, repeat: Repeat, after: str, next_one: str) -> None:
    start, moment = (datetime.fromisoformat(one).replace(tzinfo=PARIS) for one in (first, after))

    found = next_time(FutureTime(start, repeat), after=moment)

    assert found is not None
    assert f"{found:%Y-%m-%dT%H:%M}" == next_one


def test_a_time_that_comes_once_has_no_next() -> None:
    assert next_time(FutureTime(NOW), after=NOW + FURTHEST) is None
