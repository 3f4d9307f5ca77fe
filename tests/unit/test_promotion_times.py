"""Times as other programs write them: each is read as its writer meant it, or refused."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ops.promotion.sources.survey import DayOrder, days_come_first
from ops.promotion.times import REPEATED, SKIPPED, read_time, snowflake_time

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2026-11-03T09:00:00+00:00", NINE, id="ISO in UTC"),
        pytest.param("2026-11-03T09:00:00Z", NINE, id="ISO with a Z"),
        pytest.param("2026-11-03 09:00:00+00", NINE, id="as PostgreSQL writes it"),
        pytest.param("2026-11-03T14:30:00.000+05:30", NINE, id="ISO with an offset of half an hour"),
        pytest.param("2026-11-03T09:00:00.1234567+00:00", NINE + timedelta(microseconds=123456), id="seven digits"),
        pytest.param("2026-11-03 10:00:00", NINE, id="without an offset"),
        pytest.param(" 2026-11-03 10:00 ", NINE, id="without seconds, between blanks"),
        pytest.param("1793696400", NINE, id="seconds since 1970"),
        pytest.param("1793696400.25", NINE + timedelta(milliseconds=250), id="seconds with a fraction"),
        pytest.param("1793696400250", NINE + timedelta(milliseconds=250), id="milliseconds since 1970"),
        pytest.param("1793696400250000", NINE + timedelta(milliseconds=250), id="microseconds since 1970"),
        pytest.param("11/3/2026 10:00 AM", NINE, id="month first, clock of twelve hours"),
        pytest.param("11/03/26, 10:00:00\N{NARROW NO-BREAK SPACE}am", NINE, id="two digits of the year, narrow blank"),
        pytest.param("3 November 2026 10:00", NINE, id="month as a word"),
        pytest.param("03-Nov-26 10:00 AM", NINE, id="month as a short word"),
        pytest.param("Tue, 03 Nov 2026 09:00:00 +0000", NINE, id="as mails have it"),
        pytest.param("2026/11/03 10:00", NINE, id="year first with slashes"),
        pytest.param("12/31/2026 12:05 AM", datetime(2026, 12, 30, 23, 5, tzinfo=UTC), id="just after midnight"),
        pytest.param("12/31/2026 12:05 PM", datetime(2026, 12, 31, 11, 5, tzinfo=UTC), id="just after noon"),
        pytest.param("1793696400000.0", NINE, id="milliseconds with a point"),
        pytest.param("1.7936964e12", NINE, id="milliseconds in powers of ten"),
        pytest.param("1.7936964E+09", NINE, id="seconds in powers of ten"),
        pytest.param("1793696400250000000", NINE + timedelta(milliseconds=250), id="nanoseconds since 1970"),
        pytest.param("46329.4166666667", NINE, id="a spreadsheet's number of days"),
        pytest.param("46329,416667", NINE, id="one with a comma"),
        pytest.param("46329.41667", NINE, id="one with few digits"),
        pytest.param("46329.41666956", NINE + timedelta(milliseconds=250), id="one with many digits"),
        pytest.param("2026/11/03(\u706b) 10:00", NINE, id="a weekday in brackets"),
        pytest.param("20261103100000", NINE, id="digits in a row"),
        pytest.param("2026-11-03 10:00:00 CET", NINE, id="letters of a zone"),
        pytest.param("2026-11-03 04:00:00 EST", NINE, id="letters of a zone far away"),
        pytest.param("Tue Nov  3 10:00:00 2026", NINE, id="as C writes it"),
        pytest.param("Tue Nov  3 04:00:00 EST 2026", NINE, id="as the command date writes it"),
        pytest.param("Tue Nov 03 2026 10:00:00 GMT+0100 (Central European Standard Time)", NINE, id="as JavaScript"),
        pytest.param("2026-11-03T10:00:00+01:00[Europe/Berlin]", NINE, id="as Java"),
        pytest.param("2026-11-03 09:00:00.000000 +0000 UTC", NINE, id="as Go"),
        pytest.param("2026-11-03 18:00 Asia/Tokyo", NINE, id="with the name of a zone"),
        pytest.param("10:00, 3 Nov 2026", NINE, id="the clock first"),
        pytest.param("10:00 AM \u00b7 Nov 3, 2026", NINE, id="the clock first, and a point"),
        pytest.param("mar. 3 nov. 2026 \u00e0 10h00", NINE, id="French"),
        pytest.param("3 novembre 2026 10h", NINE, id="French without minutes"),
        pytest.param("Dienstag, 3. November 2026 um 10:00 Uhr", NINE, id="German"),
        pytest.param("martes, 3 de noviembre de 2026, 10:00 a. m.", NINE, id="Spanish"),
        pytest.param("03-\u043d\u043e\u044f-2026 10:00", NINE, id="Russian"),
        pytest.param("\u0432\u0442, 3 \u043d\u043e\u044f\u0431. 2026 \u0433., 10:00", NINE, id="Russian in full"),
        pytest.param("3. listopadu 2026 10:00", NINE, id="Czech"),
        pytest.param("3 Kas 2026 10:00", NINE, id="Turkish"),
        pytest.param("wt., 3 lis 2026, 10:00", NINE, id="Polish"),
        pytest.param("3 listopada 2026 10:00", NINE, id="Polish in full"),
        pytest.param("3. studenoga 2026. 10:00", NINE, id="Croatian"),
        pytest.param("3. listopada 2026. 11:00", datetime(2026, 10, 3, 9, tzinfo=UTC), id="Croatian, another month"),
        pytest.param(
            "3 \u039d\u03bf\u03b5\u03bc\u03b2\u03c1\u03af\u03bf\u03c5 2026 10:00 \u03c0.\u03bc.", NINE, id="Greek"
        ),
        pytest.param("2026\u5e7411\u67083\u65e5 \u4e0a\u534810:00", NINE, id="Chinese"),
        pytest.param("2026\ub144 11\uc6d4 3\uc77c \uc624\uc804 10:00", NINE, id="Korean"),
        pytest.param(
            "\uff12\uff10\uff12\uff16/\uff11\uff11/\uff10\uff13 \uff11\uff10:\uff10\uff10",
            NINE,
            id="digits of full width",
        ),
    ],
)
def test_a_time_is_read(text: str, moment: datetime) -> None:
    assert read_time(text, zone=BERLIN, day_first=False).moment == moment


def test_the_day_comes_first_where_the_file_has_it_so() -> None:
    assert read_time("03.11.2026 10:00", zone=BERLIN, day_first=True).moment == NINE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("yesterday", id="a word"),
        pytest.param("10:00", id="no date"),
        pytest.param("November 3 10:00", id="no year"),
        pytest.param("25/03/2026 10:00", id="a month of which there is none"),
        pytest.param("11/3/2026 13:00 PM", id="thirteen of twelve hours"),
        pytest.param("2026-02-30 10:00", id="a day of which there is none"),
        pytest.param("3 Nov 2026 10:00 XYZT", id="an unknown time zone"),
        pytest.param("0001-01-01T00:00:00+14:00", id="before the year 1"),
        pytest.param("1.79388E+12", id="a number that a spreadsheet has rounded"),
        pytest.param("2026-11-03 10:00 IST", id="a zone that may be Indian, Irish or Israeli"),
        pytest.param("3. listopad 2026", id="a month that is another one in the next country"),
        pytest.param("12345.6", id="a number of days of 1933"),
        pytest.param("#REF!", id="a formula's error"),
        pytest.param("#########", id="a column that was too narrow"),
        pytest.param("9" * 30 + "m 1e5am 0x1--infinity", id="numbers without end"),
        pytest.param("nan nan nan", id="no numbers"),
        pytest.param("1." * 2_000, id="a long run of numbers"),
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a time|longer than any time"):
        read_time(text, zone=BERLIN, day_first=False)


def test_only_a_time_without_an_offset_uses_the_zone() -> None:
    assert read_time("2026-11-03 10:00", zone=BERLIN, day_first=False).zone_used
    assert not read_time("2026-11-03 10:00+01:00", zone=BERLIN, day_first=False).zone_used


@pytest.mark.parametrize(
    ("text", "clock", "moment"),
    [
        pytest.param("2026-10-25 02:30", REPEATED, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), id="repeated"),
        pytest.param("2026-03-29 02:30", SKIPPED, datetime(2026, 3, 29, 1, 30, tzinfo=UTC), id="skipped"),
        pytest.param("2026-03-29 03:30", None, datetime(2026, 3, 29, 1, 30, tzinfo=UTC), id="the hour after"),
    ],
)
def test_an_hour_of_a_change_of_the_clock_is_resolved(text: str, clock: str | None, moment: datetime) -> None:
    found = read_time(text, zone=BERLIN, day_first=False)

    assert (found.clock, found.moment) == (clock, moment)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param(["03/04/2026 10:00", "25/04/2026 10:00"], True, id="a day over twelve first"),
        pytest.param(["03/04/2026 10:00", "04/25/2026 10:00"], False, id="a day over twelve second"),
        pytest.param(["3.4.2026 10:00"], True, id="points"),
        pytest.param(["04/04/2026 10:00"], False, id="both alike"),
        pytest.param(["2026-04-03 10:00", ""], False, id="no such dates"),
        pytest.param([], False, id="nothing"),
    ],
)
def test_the_order_of_day_and_month_is_told_from_the_dates(texts: list[str], expected: bool) -> None:
    assert days_come_first(texts) is expected


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(["03/04/2026 10:00", "05/06/2026 10:00"], id="nothing over twelve"),
        pytest.param(["13/04/2026 10:00", "04/13/2026 10:00"], id="both orders"),
    ],
)
def test_an_order_that_stays_open_is_not_guessed(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="day"):
        days_come_first(texts)


@pytest.mark.parametrize("day_first", [True, False])
def test_the_ids_of_discord_tell_the_order_of_day_and_month(day_first: bool) -> None:
    sent = [datetime(2026, 11, day, 9, tzinfo=UTC) for day in (3, 4)]
    texts = [f"{one:{'%d/%m/%Y' if day_first else '%m/%d/%Y'}} 10:00" for one in sent]

    assert days_come_first(texts, [str(id_of(one)) for one in sent]) is day_first


@pytest.mark.parametrize(
    ("texts", "day_first"),
    [
        pytest.param(["10/11/2026 23:00", "11/11/2026 1:00", "1/12/2026 9:00"], True, id="forward"),
        pytest.param(["12/1/2026 9:00", "11/11/2026 1:00", "11/10/2026 23:00"], False, id="backward"),
    ],
)
def test_messages_in_order_tell_the_order_of_day_and_month(texts: list[str], day_first: bool) -> None:
    assert days_come_first(texts) is day_first


def test_what_the_operator_says_of_days_and_months_is_right() -> None:
    order = DayOrder()
    order.add(["13/04/2026 10:00", "04/13/2026 10:00"])

    assert order.decided(True)
    assert not order.decided(False)


@pytest.mark.parametrize(
    ("zone", "text", "moment"),
    [
        pytest.param("Asia/Shanghai", "2026-11-03 17:00 CST", NINE, id="of China"),
        pytest.param("Europe/Berlin", "2026-11-03 03:00 CST", NINE, id="of North America"),
        pytest.param("Asia/Kolkata", "2026-11-03 14:30 IST", NINE, id="of India"),
    ],
)
def test_letters_that_the_zone_of_the_file_goes_by_are_of_that_zone(zone: str, text: str, moment: datetime) -> None:
    assert read_time(text, zone=ZoneInfo(zone), day_first=False).moment == moment


def test_only_the_date_is_repeated_of_a_time_that_stays_open() -> None:
    with pytest.raises(ValueError, match=r"A time such as 03/04/2026 may begin"):
        days_come_first(["03/04/2026 \x1b[2J\n10:00"])


def id_of(sent: datetime) -> int:
    """Return a Discord id of a moment."""
    return (int(sent.timestamp() * 1000) - 1_420_070_400_000) << 22 | 5


def test_a_discord_id_tells_its_time_and_another_id_none() -> None:
    sent = datetime(2026, 11, 3, 9, 0, 0, 123000, tzinfo=UTC)
    message_id = id_of(sent)

    assert snowflake_time(message_id) == sent
    assert snowflake_time(12345) is None
