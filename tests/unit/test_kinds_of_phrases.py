"""Whole kinds of phrases of time, asked on Saturday, 21 November 2026, at ten in the morning, in Paris."""

# ruff: noqa: RUF001 - dashes of all kinds are meant

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from time_expressions.find import times_in

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 21, 10, tzinfo=PARIS)


def written(text: str, *, now: datetime = NOW) -> str:
    """Return the windows of a text as they are written below: "2026-11-20 15:00 > 2026-11-20 16:00"."""
    windows = [time.window for time in times_in(text, now=now, time_zone=PARIS).windows]
    return "; ".join(f"{_minute(window.start)} > {_minute(window.end)}" for window in windows) or "nothing"


def _minute(moment: datetime | None) -> str:
    if moment is None:
        return "open"
    return f"{moment:%Y-%m-%d}" if moment.hour == moment.minute == 0 else f"{moment:%Y-%m-%d %H:%M}"


def cases(table: str) -> list[object]:
    """Return the lines of a table of "phrase | windows" as cases; a phrase stands for its line."""
    rows = ([cell.strip() for cell in line.split("|")] for line in table.strip().splitlines())
    return [pytest.param(phrase, windows, id=phrase) for phrase, windows in rows]


NIGHTS = """
    last night at 1am                     | 2026-11-21 01:00 > 2026-11-21 02:00
    last night at 2                       | 2026-11-21 02:00 > 2026-11-21 03:00
    last night around 3                   | 2026-11-21 03:00 > 2026-11-21 04:00
    last night, at 3:30                   | 2026-11-21 03:30 > 2026-11-21 03:31
    last night at 11                      | 2026-11-20 23:00 > 2026-11-21
    last night at 9                       | 2026-11-20 21:00 > 2026-11-20 22:00
    last night at 12                      | 2026-11-21 > 2026-11-21 01:00
    last night at midnight                | 2026-11-21 > 2026-11-21 01:00
    last night at half past twelve        | 2026-11-21 00:30 > 2026-11-21 00:31
    last night at 23:00                   | 2026-11-20 23:00 > 2026-11-21
    last night at 00:15                   | 2026-11-21 00:15 > 2026-11-21 00:16
    at 2am last night                     | 2026-11-21 02:00 > 2026-11-21 03:00
    Friday night at 1                     | 2026-11-21 01:00 > 2026-11-21 02:00
    Saturday night at half past one       | 2026-11-15 01:30 > 2026-11-15 01:31
    Saturday night at a quarter to two    | 2026-11-15 01:45 > 2026-11-15 01:46
    the night of 7 November at 1am        | 2026-11-08 01:00 > 2026-11-08 02:00
    the night before last at 2            | 2026-11-20 02:00 > 2026-11-20 03:00
    Friday evening at 9                   | 2026-11-20 21:00 > 2026-11-20 22:00
    this morning at 1                     | 2026-11-21 01:00 > 2026-11-21 02:00
    yesterday at 3 in the morning         | 2026-11-20 03:00 > 2026-11-20 04:00
    last night between 1 and 3            | 2026-11-21 01:00 > 2026-11-21 03:00
    last night between 11 and 2           | 2026-11-20 23:00 > 2026-11-21 02:00
    between 11 and 2 last night           | 2026-11-20 23:00 > 2026-11-21 02:00
    last night from 11 to 12              | 2026-11-20 23:00 > 2026-11-21
    Friday night from 11pm to 3           | 2026-11-20 23:00 > 2026-11-21 03:00
    last night between 10pm and 1:30am    | 2026-11-20 22:00 > 2026-11-21 01:30
    from 11 last night until 2            | 2026-11-20 23:00 > 2026-11-21 02:00
    from last night until 2am             | 2026-11-20 20:00 > 2026-11-21 02:00
    last night until 2am                  | 2026-11-20 20:00 > 2026-11-21 02:00
    last night until 3                    | 2026-11-20 20:00 > 2026-11-21 03:00
    last night after midnight             | 2026-11-21 > 2026-11-21 04:00
    after midnight last night             | 2026-11-21 > 2026-11-21 04:00
    last night before midnight            | 2026-11-20 20:00 > 2026-11-21
    since 11 last night                   | 2026-11-20 23:00 > open
    on Friday night after 2               | 2026-11-21 02:00 > 2026-11-21 04:00
    late last night around 3              | 2026-11-21 03:00 > 2026-11-21 04:00
    early Sunday morning at 2             | 2026-11-15 02:00 > 2026-11-15 03:00
    overnight between 1 and 4             | 2026-11-21 01:00 > 2026-11-21 04:00
    overnight at 2                        | 2026-11-21 02:00 > 2026-11-21 03:00
    Friday night 1-3am                    | 2026-11-21 01:00 > 2026-11-21 03:00
    last night, 1am to 3am                | 2026-11-21 01:00 > 2026-11-21 03:00
    last night 1–3                        | 2026-11-21 01:00 > 2026-11-21 03:00
    last night till 4 in the morning      | 2026-11-20 20:00 > 2026-11-21 04:00
    yesterday night at 1                  | 2026-11-21 01:00 > 2026-11-21 02:00
    the night of the 7th at 2am           | 2026-11-08 02:00 > 2026-11-08 03:00
    tonight until 2                       | 2026-11-21 17:00 > 2026-11-22 02:00
    last night from midnight to 2         | 2026-11-21 > 2026-11-21 02:00
    last night between midnight and 3     | 2026-11-21 > 2026-11-21 03:00
    last night around midnight            | 2026-11-21 > 2026-11-21 01:00
    last night at one                     | 2026-11-21 01:00 > 2026-11-21 02:00
    last night at one thirty              | 2026-11-21 01:30 > 2026-11-21 01:31
    last night at 1 o'clock               | 2026-11-21 01:00 > 2026-11-21 02:00
    last night at a quarter past two      | 2026-11-21 02:15 > 2026-11-21 02:16
    last night by 3am                     | 2026-11-20 20:00 > 2026-11-21 03:00
    last night at 1:30am                  | 2026-11-21 01:30 > 2026-11-21 01:31
    last night at 01:30                   | 2026-11-21 01:30 > 2026-11-21 01:31
    last night at 4am                     | 2026-11-21 04:00 > 2026-11-21 05:00
    last night at 5am                     | 2026-11-21 05:00 > 2026-11-21 06:00
    last night at 8                       | 2026-11-20 20:00 > 2026-11-20 21:00
    last night at 8pm                     | 2026-11-20 20:00 > 2026-11-20 21:00
    last night at 10:30                   | 2026-11-20 22:30 > 2026-11-20 22:31
    last night since midnight             | 2026-11-21 > open
    last night past midnight              | 2026-11-21 > 2026-11-21 04:00
    on Halloween night at 1am             | 2026-11-01 01:00 > 2026-11-01 02:00
    on the night of 31 October at half past one | 2026-11-01 01:30 > 2026-11-01 01:31
    Saturday night between 11pm and 2am   | 2026-11-14 23:00 > 2026-11-15 02:00
    Saturday night from 10 to 4           | 2026-11-14 22:00 > 2026-11-15 04:00
    between 1 and 2 am last night         | 2026-11-21 01:00 > 2026-11-21 02:00
    at half past two last night           | 2026-11-21 02:30 > 2026-11-21 02:31
    at 3 in the night of Friday           | 2026-11-21 03:00 > 2026-11-21 04:00
    Friday night at twelve                | 2026-11-21 > 2026-11-21 01:00
    Friday night at 12:15                 | 2026-11-21 00:15 > 2026-11-21 00:16
    Friday night at quarter to one        | 2026-11-21 00:45 > 2026-11-21 00:46
    Friday night at 23:30                 | 2026-11-20 23:30 > 2026-11-20 23:31
    the night before last between 1 and 3 | 2026-11-20 01:00 > 2026-11-20 03:00
    the night before last at 11           | 2026-11-19 23:00 > 2026-11-20
    two nights ago at 1am                 | 2026-11-20 01:00 > 2026-11-20 02:00
    two nights ago                        | 2026-11-19 20:00 > 2026-11-20 04:00
    last Saturday night at 2              | 2026-11-15 02:00 > 2026-11-15 03:00
    last Friday night until 3am           | 2026-11-20 20:00 > 2026-11-21 03:00
    on Tuesday night at 2am last week     | 2026-11-11 02:00 > 2026-11-11 03:00
    Friday evening at 12                  | 2026-11-21 > 2026-11-21 01:00
    Friday evening from 8 to 1            | 2026-11-20 20:00 > 2026-11-21 01:00
    Friday late evening                   | 2026-11-20 19:00 > 2026-11-20 22:00
    last night before 1                   | 2026-11-20 20:00 > 2026-11-21 01:00
    last night after 1am                  | 2026-11-21 01:00 > 2026-11-21 04:00
    last night until midnight             | 2026-11-20 20:00 > 2026-11-21
    last night until half past one        | 2026-11-20 20:00 > 2026-11-21 01:30
    Saturday night at three               | 2026-11-15 03:00 > 2026-11-15 04:00
"""

DASHES = """
    9–15 Nov                     | 2026-11-09 > 2026-11-16
    9-15 November                | 2026-11-09 > 2026-11-16
    9 — 15 November 2025         | 2025-11-09 > 2025-11-16
    9−15 Nov                     | 2026-11-09 > 2026-11-16
    Nov 9–15                     | 2026-11-09 > 2026-11-16
    Nov 9–15, 2025               | 2025-11-09 > 2025-11-16
    Nov 9 — Nov 15               | 2026-11-09 > 2026-11-16
    Nov 9 to 15                  | 2026-11-09 > 2026-11-16
    9 Nov–2 Dec                  | 2026-11-09 > 2026-12-03
    Nov 10 → Nov 12              | 2026-11-10 > 2026-11-13
    10 Nov – today               | 2026-11-10 > 2026-11-22
    9th-15th                     | 2026-11-09 > 2026-11-16
    9th–15th of November         | 2026-11-09 > 2026-11-16
    9/10 November                | 2026-11-09 > 2026-11-11
    2026-11-09..15               | 2026-11-09 > 2026-11-16
    2026-11-09..2026-11-15       | 2026-11-09 > 2026-11-16
    2026-11-09/2026-11-15        | 2026-11-09 > 2026-11-16
    2026-11-09/15                | 2026-11-09 > 2026-11-16
    2026-11-09 – 2026-11-15      | 2026-11-09 > 2026-11-16
    2026-09/2026-10              | 2026-09-01 > 2026-11-01
    9.11.-15.11.                 | 2026-11-09 > 2026-11-16
    9.11. – 15.11.2026           | 2026-11-09 > 2026-11-16
    9.-15. November              | 2026-11-09 > 2026-11-16
    9.–15.11.2026                | 2026-11-09 > 2026-11-16
    09.11.2026–15.11.2026        | 2026-11-09 > 2026-11-16
    9/11–15/11                   | 2026-11-09 > 2026-11-16
    09/11/2026 - 15/11/2026      | 2026-11-09 > 2026-11-16
    Monday–Wednesday             | 2026-11-16 > 2026-11-19
    10:00–12:00 yesterday        | 2026-11-20 10:00 > 2026-11-20 12:00
    10–12 yesterday              | 2026-11-20 10:00 > 2026-11-20 12:00
    10h-12h yesterday            | 2026-11-20 10:00 > 2026-11-20 12:00
    10:00/12:00 yesterday        | 2026-11-20 10:00 > 2026-11-20 12:00
    yesterday 3–5pm              | 2026-11-20 15:00 > 2026-11-20 17:00
    9am—5pm on Monday            | 2026-11-16 09:00 > 2026-11-16 17:00
    9am..5pm yesterday           | 2026-11-20 09:00 > 2026-11-20 17:00
    10.00-12.00 yesterday        | 2026-11-20 10:00 > 2026-11-20 12:00
    Oct–Nov                      | 2026-10-01 > 2026-12-01
    Jan–Mar 2025                 | 2025-01-01 > 2025-04-01
    Q1–Q3                        | 2026-01-01 > 2026-10-01
    2024–2025                    | 2024-01-01 > 2026-01-01
    1.5-2.5 GB                   | nothing
"""

TWO_MOMENTS = """
    from Monday 3pm to Tuesday 9am             | 2026-11-16 15:00 > 2026-11-17 09:00
    from Monday until 5pm Wednesday            | 2026-11-16 > 2026-11-18 17:00
    from Friday 3pm to Monday 9am              | 2026-11-20 15:00 > 2026-11-23 09:00
    Monday 3pm – Tuesday 9am                   | 2026-11-16 15:00 > 2026-11-17 09:00
    from 10am yesterday to 2pm                 | 2026-11-20 10:00 > 2026-11-20 14:00
    from 10pm Thursday to 2am                  | 2026-11-19 22:00 > 2026-11-20 02:00
    between noon Monday and noon Tuesday       | 2026-11-16 12:00 > 2026-11-17 12:00
    from 3 November 14:30 to 4 November 09:15  | 2026-11-03 14:30 > 2026-11-04 09:15
    from yesterday 5pm until now               | 2026-11-20 17:00 > 2026-11-21 10:00
    from two hours ago until an hour ago       | 2026-11-21 08:00 > 2026-11-21 09:00
    from 5pm Friday until today                | 2026-11-20 17:00 > 2026-11-22
    since Monday 3pm                           | 2026-11-16 15:00 > open
    until Monday 3pm                           | open > 2026-11-16 15:00
    from noon to midnight yesterday            | 2026-11-20 12:00 > 2026-11-21
    from 9am to midnight yesterday             | 2026-11-20 09:00 > 2026-11-21
    from midnight to 3am on Tuesday            | 2026-11-17 > 2026-11-17 03:00
"""

ZONES = """
    yesterday at 5pm EST                     | 2026-11-20 23:00 > 2026-11-21
    yesterday 5pm est                        | 2026-11-20 23:00 > 2026-11-21
    at 5pm EST yesterday                     | 2026-11-20 23:00 > 2026-11-21
    yesterday at 5 pm Eastern                | 2026-11-20 23:00 > 2026-11-21
    yesterday at 5pm Eastern Standard Time   | 2026-11-20 23:00 > 2026-11-21
    yesterday at 9 ET                        | 2026-11-20 15:00 > 2026-11-20 16:00
    at 2026-11-20T15:00Z                     | 2026-11-20 16:00 > 2026-11-20 17:00
    at 2026-11-20T15:00:00.000Z              | 2026-11-20 16:00 > 2026-11-20 17:00
    at 2026-11-20 15:30Z                     | 2026-11-20 16:30 > 2026-11-20 16:31
    at 2026-11-20T15:00:00+02:00             | 2026-11-20 14:00 > 2026-11-20 15:00
    at 2026-11-20T15:00-05:00                | 2026-11-20 21:00 > 2026-11-20 22:00
    at 9am PT on Tuesday                     | 2026-11-17 18:00 > 2026-11-17 19:00
    at 5pm PT on 3 July                      | 2026-07-04 02:00 > 2026-07-04 03:00
    at 5pm PST on 3 July                     | 2026-07-04 03:00 > 2026-07-04 04:00
    at 14:00 London time on Tuesday          | 2026-11-17 15:00 > 2026-11-17 16:00
    Tuesday at 14:00 (London time)           | 2026-11-17 15:00 > 2026-11-17 16:00
    on 3 July at 14:00 London time           | 2026-07-03 15:00 > 2026-07-03 16:00
    Tuesday at 14:00 Tokyo time              | 2026-11-17 06:00 > 2026-11-17 07:00
    yesterday at 5pm New York time           | 2026-11-20 23:00 > 2026-11-21
    yesterday at 5pm my time                 | 2026-11-20 17:00 > 2026-11-20 18:00
    yesterday at 5pm UTC+2                   | 2026-11-20 16:00 > 2026-11-20 17:00
    yesterday at 5pm GMT-5                   | 2026-11-20 23:00 > 2026-11-21
    yesterday at 5pm UTC+05:30               | 2026-11-20 12:30 > 2026-11-20 13:30
    yesterday at 15:00 UTC                   | 2026-11-20 16:00 > 2026-11-20 17:00
    yesterday at 15:00 CET                   | 2026-11-20 15:00 > 2026-11-20 16:00
    yesterday at 15:00 BST                   | 2026-11-20 15:00 > 2026-11-20 16:00
    yesterday at 5pm IST                     | 2026-11-20 12:30 > 2026-11-20 13:30
    yesterday at 5pm CST                     | 2026-11-21 > 2026-11-21 01:00
    yesterday between 2 and 4pm ET           | 2026-11-20 20:00 > 2026-11-20 22:00
    9am-5pm EST yesterday                    | 2026-11-20 15:00 > 2026-11-20 23:00
    from 3pm EST Monday to 9am EST Tuesday   | 2026-11-16 21:00 > 2026-11-17 15:00
    since 5pm EST yesterday                  | 2026-11-20 23:00 > open
    yesterday before 5pm EST                 | 2026-11-20 > 2026-11-20 23:00
    Tuesday morning PT                       | 2026-11-17 13:00 > 2026-11-17 21:00
    yesterday UTC                            | 2026-11-20 01:00 > 2026-11-21 01:00
    Tuesday 10:00-12:00                      | 2026-11-17 10:00 > 2026-11-17 12:00
"""

BARE_HOURS = """
    between 2 and 4 on Tuesday     | 2026-11-17 14:00 > 2026-11-17 16:00
    Tuesday from 2 to 4            | 2026-11-17 14:00 > 2026-11-17 16:00
    Tuesday at 3                   | 2026-11-17 15:00 > 2026-11-17 16:00
    Tuesday at 2:30                | 2026-11-17 14:30 > 2026-11-17 14:31
    Tuesday at 02:30               | 2026-11-17 02:30 > 2026-11-17 02:31
    Tuesday at 3am                 | 2026-11-17 03:00 > 2026-11-17 04:00
    Tuesday from 2 to 4am          | 2026-11-17 02:00 > 2026-11-17 04:00
    Tuesday from 9 to 5            | 2026-11-17 09:00 > 2026-11-17 17:00
    Tuesday between 9 and 11       | 2026-11-17 09:00 > 2026-11-17 11:00
    Tuesday between 11 and 2       | 2026-11-17 11:00 > 2026-11-17 14:00
    Tuesday at 10                  | 2026-11-17 10:00 > 2026-11-17 11:00
"""


WITHIN = """
    November last year                         | 2025-11-01 > 2025-12-01
    Nov 5 last year                            | 2025-11-05 > 2025-11-06
    May last year                              | 2025-05-01 > 2025-06-01
    December last year                         | 2025-12-01 > 2026-01-01
    Q3 last year                               | 2025-07-01 > 2025-10-01
    Q2 last year                               | 2025-04-01 > 2025-07-01
    from Q1 to Q3 this year                    | 2026-01-01 > 2026-10-01
    Monday two weeks ago                       | 2026-11-02 > 2026-11-03
    Tuesday morning last week                  | 2026-11-10 04:00 > 2026-11-10 12:00
    Tues & Thurs last week                     | 2026-11-10 > 2026-11-11; 2026-11-12 > 2026-11-13
    in summer last year                        | 2025-06-01 > 2025-09-01
    Sunday night 7th June 2015                 | 2015-06-07 20:00 > 2015-06-08 04:00
    on the Friday after Thanksgiving last year | 2025-11-28 > 2025-11-29
    messages month to date                     | 2026-11-01 > 2026-11-21 10:00
    messages week to date                      | 2026-11-16 > 2026-11-21 10:00
    quarter to date                            | 2026-10-01 > 2026-11-21 10:00
    a quarter of an hour ago                   | 2026-11-21 09:41 > 2026-11-21 09:48
    two or three weeks ago                     | 2026-10-26 > 2026-11-09
    three quarters of an hour ago              | 2026-11-21 09:03 > 2026-11-21 09:26
    half an hour ago                           | 2026-11-21 09:22 > 2026-11-21 09:37
    an hour and a half ago                     | 2026-11-21 08:07 > 2026-11-21 08:52
    two and a half hours ago                   | 2026-11-21 07:00 > 2026-11-21 08:00
    1.5 hours ago                              | 2026-11-21 08:07 > 2026-11-21 08:52
    a couple of days ago                       | 2026-11-19 > 2026-11-20
    a few weeks ago                            | 2026-10-26 > 2026-11-02
    several months ago                         | 2026-08-01 > 2026-09-01
    two or three days ago                      | 2026-11-18 > 2026-11-20
    a week or two ago                          | 2026-11-02 > 2026-11-16
    a day or two ago                           | 2026-11-19 > 2026-11-21
    the Friday before Easter                   | 2026-04-03 > 2026-04-04
    the day after Thanksgiving last year       | 2025-11-28 > 2025-11-29
    Monday morning the week before last        | 2026-11-02 04:00 > 2026-11-02 12:00
    Monday the week before last                | 2026-11-02 > 2026-11-03
    weekend before last                        | 2026-11-07 > 2026-11-09
    the weekend two weeks ago                  | 2026-11-07 > 2026-11-09
    beginning of last month                    | 2026-10-01 > 2026-10-11
    middle of last month                       | 2026-10-10 > 2026-10-21
    end of last month                          | 2026-10-21 > 2026-11-01
    early March 2024                           | 2024-03-01 > 2024-03-11
    late last year                             | 2025-09-01 > 2026-01-01
    first half of October                      | 2026-10-01 > 2026-10-16
    year to date                               | 2026-01-01 > 2026-11-21 10:00
    Christmas two years ago                    | 2024-12-25 > 2024-12-26
    the 3rd last month                         | 2026-10-03 > 2026-10-04
    3rd of last month                          | 2026-10-03 > 2026-10-04
    on the 3rd of last month                   | 2026-10-03 > 2026-10-04
    last year in November                      | 2025-11-01 > 2025-12-01
    last week on Tuesday                       | 2026-11-10 > 2026-11-11
    last week Tuesday                          | 2026-11-10 > 2026-11-11
    last week, on Monday                       | 2026-11-09 > 2026-11-10
    last week on Tuesday and Thursday          | 2026-11-10 > 2026-11-11; 2026-11-12 > 2026-11-13
    Monday, Wednesday and Friday last week | 2026-11-09 > 2026-11-10; 2026-11-11 > 2026-11-12; 2026-11-13 > 2026-11-14
    Monday and Friday last week                | 2026-11-09 > 2026-11-10; 2026-11-13 > 2026-11-14
    last month on the 3rd                      | 2026-10-03 > 2026-10-04
    last year's Christmas                      | 2025-12-25 > 2025-12-26
    last week's Monday                         | 2026-11-09 > 2026-11-10
    two weeks ago on Monday                    | 2026-11-02 > 2026-11-03
    two years ago in March                     | 2024-03-01 > 2024-04-01
    March two years ago                        | 2024-03-01 > 2024-04-01
    March 5th two years ago                    | 2024-03-05 > 2024-03-06
    in March and May last year                 | 2025-03-01 > 2025-04-01; 2025-05-01 > 2025-06-01
    the end of March last year                 | 2025-03-21 > 2025-04-01
    since November last year                   | 2025-11-01 > open
    before Christmas two years ago             | open > 2024-12-25
    from March last year to May this year      | 2025-03-01 > 2026-06-01
    from March to May last year                | 2025-03-01 > 2025-06-01
    between Monday and Wednesday last week     | 2026-11-09 > 2026-11-12
    Mon-Wed last week                          | 2026-11-09 > 2026-11-12
    Monday 3pm last week                       | 2026-11-09 15:00 > 2026-11-09 16:00
    Tuesday at 5pm last week                   | 2026-11-10 17:00 > 2026-11-10 18:00
    last week on Tuesday at 5pm                | 2026-11-10 17:00 > 2026-11-10 18:00
    last Tuesday at 5pm                        | 2026-11-17 17:00 > 2026-11-17 18:00
    December this year                         | 2026-12-01 > 2027-01-01
    Monday this week                           | 2026-11-16 > 2026-11-17
    the first Monday last month                | 2026-10-05 > 2026-10-06
    the first Monday of last month             | 2026-10-05 > 2026-10-06
    the first Monday in March last year        | 2025-03-03 > 2025-03-04
    the second week of March last year         | 2025-03-10 > 2025-03-17
    first half of last year                    | 2025-01-01 > 2025-07-01
    H1 last year                               | 2025-01-01 > 2025-07-01
    second half of March last year             | 2025-03-16 > 2025-04-01
    Halloween last year                        | 2025-10-31 > 2025-11-01
    Christmas morning last year                | 2025-12-25 04:00 > 2025-12-25 12:00
    winter last year                           | 2025-12-01 > 2026-03-01
    spring this year                           | 2026-03-01 > 2026-06-01
    summer two years ago                       | 2024-06-01 > 2024-09-01
    Q4 two years ago                           | 2024-10-01 > 2025-01-01
    January this year                          | 2026-01-01 > 2026-02-01
    the 15th two months ago                    | 2026-09-15 > 2026-09-16
    weekend of the 7th last month              | 2026-10-10 > 2026-10-12
    Friday night last week                     | 2026-11-13 20:00 > 2026-11-14 04:00
    Sunday evening two weeks ago               | 2026-11-08 17:00 > 2026-11-08 22:00
    last month's first Monday                  | 2026-10-05 > 2026-10-06
    the last Friday of last month              | 2026-10-30 > 2026-10-31
    the day before Christmas last year         | 2025-12-24 > 2025-12-25
    Easter Monday last year                    | 2025-04-21 > 2025-04-22
    3 November last year at 5pm                | 2025-11-03 17:00 > 2025-11-03 18:00
    the morning of 5 November last year        | 2025-11-05 04:00 > 2025-11-05 12:00
    on 5/11 last year                          | 2025-11-05 > 2025-11-06
    the 31st of last month                     | 2026-10-31 > 2026-11-01
    the 2nd Friday last month                  | 2026-10-09 > 2026-10-10
    last Friday of March 2024                  | 2024-03-29 > 2024-03-30
    in the last two Fridays                    | 2026-11-13 > 2026-11-14; 2026-11-20 > 2026-11-21
    the last 2 Fridays                         | 2026-11-13 > 2026-11-14; 2026-11-20 > 2026-11-21
    past couple of Mondays                     | 2026-11-09 > 2026-11-10; 2026-11-16 > 2026-11-17
    5 years ago in March                       | 2021-03-01 > 2021-04-01
    this time last year                        | 2025-11-01 > 2025-12-01
    in the week of 5 November last year        | 2025-11-03 > 2025-11-10
    late November last year                    | 2025-11-21 > 2025-12-01
    mid November last year                     | 2025-11-10 > 2025-11-21
    Thanksgiving two years ago                 | 2024-11-28 > 2024-11-29
    New Year's Eve last year                   | 2025-12-31 > 2026-01-01
    the Monday after Easter                    | 2026-04-06 > 2026-04-07
    the Sunday before last Christmas           | 2025-12-21 > 2025-12-22
    the weekend before Christmas last year     | 2025-12-20 > 2025-12-22
    the week after Easter last year            | 2025-04-21 > 2025-04-28
    Monday or Tuesday last week                | 2026-11-09 > 2026-11-10; 2026-11-10 > 2026-11-11
"""


NO_SUCH_TIME = """
    the 5th Sunday of last month               | nothing
    Monday last month                          | nothing
    morning last week                          | nothing
    Monday in 2024                             | nothing
    on 31 November                             | nothing
    29 Feb 2025                                | nothing
    2026-13-01                                 | nothing
    2026-11-31                                 | nothing
    yesterday at 25:00                         | nothing
    between 31 November and 3 December         | nothing
    week 54                                    | nothing
    Q5 2026                                    | nothing
    Monday 31 November                         | nothing
    29 Feb last year                           | nothing
    the 31st of September                      | nothing
"""

TOPICS = """
    I restored one last year—nothing like it!     | 2025-01-01 > 2026-01-01
    what did Ben do the week before 3 November involving kilns? | 2026-10-27 > 2026-11-03
    what did we do during the winter?             | 2025-12-01 > 2026-03-01
    who hid the Easter eggs?                          | nothing
    who bought the Christmas tree lights?             | nothing
    does anyone use Monday.com?                       | nothing
    who wrote the Friday bot?                         | nothing
    what was said on Friday about the Monday meeting? | 2026-11-20 > 2026-11-21
    what was said yesterday about last week's firing? | 2026-11-20 > 2026-11-21
    any Black Friday deals?                           | nothing
    who made the Sunday roast?                        | nothing
    who watched the Friday the 13th movie?            | nothing
    who won March madness?                            | nothing
    what is in the May release?                       | nothing
    who sells second hand bikes?                      | nothing
    who likes Wednesday Addams?                       | nothing
    who does spring cleaning?                         | nothing
    how does fall damage work?                        | nothing
    who goes to summer school?                        | nothing
    who needs winter tyres?                           | nothing
    what are your New Year's resolutions?             | nothing
    is support 24/7?                                  | nothing
    who has a 9 to 5 job?                             | nothing
    who missed the Monday standup?                    | nothing
    what did we decide in the Monday meeting?         | 2026-11-16 > 2026-11-17
    what did we decide in yesterday's call?           | 2026-11-20 > 2026-11-21
    what was said in last week's meeting?             | 2026-11-09 > 2026-11-16
    what was said yesterday about Monday?             | 2026-11-20 > 2026-11-21
    who played "Last Christmas"?                      | nothing
    did anyone see Saturday Night Live?               | nothing
    who made the Q3 roadmap?                          | nothing
    what did we ship in Q3?                           | 2026-07-01 > 2026-10-01
    what does the October newsletter say?             | nothing
    who has a Halloween costume?                      | nothing
    what was said about the Easter egg hunt?          | nothing
    when is the Christmas party?                      | nothing
    who was at the Christmas party?                   | nothing
    what did we do at Christmas?                      | 2025-12-25 > 2025-12-26
    who went to Easter Island?                        | nothing
    what is in #friday-chat about the fan?            | nothing
    what did @wednesday_bot say?                      | nothing
    did we say on Friday that the fan broke?          | 2026-11-20 > 2026-11-21
    what did Ana say Friday about the fan?            | 2026-11-20 > 2026-11-21
    what did Ana say Monday?                          | 2026-11-16 > 2026-11-17
    what did Ben say on Monday morning?               | 2026-11-16 04:00 > 2026-11-16 12:00
    what did Ana post last Friday regarding kilns?    | 2026-11-20 > 2026-11-21
    what was said on Friday Ben?                      | 2026-11-20 > 2026-11-21
    who joined the weekend trip?                      | nothing
    what is the weekend plan?                         | nothing
    did the morning routine change?                   | nothing
    what did Ana say in the morning?                  | 2026-11-21 04:00 > 2026-11-21 12:00
    who remembers Taco Tuesday?                       | nothing
    what did Ben say yesterday about the Q3 roadmap?  | 2026-11-20 > 2026-11-21
    what did Ana say in April about the Easter party? | 2026-04-01 > 2026-05-01
    who brought the Thanksgiving turkey?              | nothing
    what did Ana say about Sunday roast last week?    | 2026-11-09 > 2026-11-16
    what did we say about last week's firing?         | nothing
    what was said on Christmas?                       | 2025-12-25 > 2025-12-26
    who likes Friday night pizza?                     | nothing
    who is on the Tuesday rota?                       | nothing
    did the Wednesday build pass?                     | nothing
    when is the Monday sprint review?                 | nothing
    who sang Blue Monday?                             | nothing
    what was on the Friday menu last month?           | 2026-10-01 > 2026-11-01
"""

THIS_WEEKEND = """
    what did we do this weekend?          | before
    what was said this weekend?           | before
    who broke the kiln this weekend?      | before
    anything about the kiln this weekend? | before
    what are we doing this weekend?       | after
    who will be there this weekend?       | after
    what did we plan for this weekend?    | after
    is anybody going to come this weekend?| after
"""

SPELLINGS = """
    what was said yesteday                            | 2026-11-20 > 2026-11-21
    what was said yesturday                           | 2026-11-20 > 2026-11-21
    what was said on wensday                          | 2026-11-18 > 2026-11-19
    what was said on thrusday                         | 2026-11-19 > 2026-11-20
    what was said in febuary                          | 2026-02-01 > 2026-03-01
    what was said in setpember                        | 2026-09-01 > 2026-10-01
    what was said lastweek                            | 2026-11-09 > 2026-11-16
    what was said last wek                            | 2026-11-09 > 2026-11-16
    what was said lsat week                           | 2026-11-09 > 2026-11-16
    what was said 2daysago                            | 2026-11-19 > 2026-11-20
    what was said 2 daysago                           | 2026-11-19 > 2026-11-20
    what was said twoweeksago                         | 2026-11-02 > 2026-11-09
    what was said lastfriday                          | 2026-11-20 > 2026-11-21
    what was said mondaymorning                       | 2026-11-16 04:00 > 2026-11-16 12:00
    what was said yesterdaymorning                    | 2026-11-20 04:00 > 2026-11-20 12:00
    what was said thismorning                         | 2026-11-21 04:00 > 2026-11-21 12:00
    what was said lastnight                           | 2026-11-20 20:00 > 2026-11-21 04:00
    messages from April                               | 2026-04-01 > 2026-05-01
    messages from March                               | 2026-03-01 > 2026-04-01
    messages from August                              | 2026-08-01 > 2026-09-01
    messages from May                                 | 2026-05-01 > 2026-06-01
    links from June                                   | 2026-06-01 > 2026-07-01
    what did we get from April?                       | nothing
    what was said 1mo ago                             | 2026-10-01 > 2026-11-01
    what was said 2mos ago                            | 2026-09-01 > 2026-10-01
    what was said 3y ago                              | 2023-01-01 > 2024-01-01
    what was said 2h ago                              | 2026-11-21 07:30 > 2026-11-21 08:30
    what was said 5m ago                              | 2026-11-21 09:53 > 2026-11-21 09:57
    what was said 3 mths ago                          | 2026-08-01 > 2026-09-01
    what was said 2-3 weeks ago                       | 2026-10-26 > 2026-11-09
    what was said 2–3 weeks ago                       | 2026-10-26 > 2026-11-09
    what was said 2 to 3 days ago                     | 2026-11-18 > 2026-11-20
    what was said in 2026-W45                         | 2026-11-02 > 2026-11-09
    what was said in 2026W45                          | 2026-11-02 > 2026-11-09
    what was said in W45                              | 2026-11-02 > 2026-11-09
    what was said in KW 45                            | 2026-11-02 > 2026-11-09
    what was said in week 45                          | 2026-11-02 > 2026-11-09
    what was said in week 45 of 2025                  | 2025-11-03 > 2025-11-10
    what was said in 2026-W45-3                       | 2026-11-04 > 2026-11-05
    what was said in weeks 44-46                      | 2026-10-26 > 2026-11-16
    what was said on 2026-315                         | 2026-11-11 > 2026-11-12
    what was said on Tues & Thurs                     | 2026-11-17 > 2026-11-18; 2026-11-19 > 2026-11-20
    what was said on Mon, Wed and Fri | 2026-11-16 > 2026-11-17; 2026-11-18 > 2026-11-19; 2026-11-20 > 2026-11-21
    what was said on Nov 3, 5 and 7 | 2026-11-03 > 2026-11-04; 2026-11-05 > 2026-11-06; 2026-11-07 > 2026-11-08
    what was said on 3, 5 and 7 November | 2026-11-03 > 2026-11-04; 2026-11-05 > 2026-11-06; 2026-11-07 > 2026-11-08
    what was said on 3 and 5 November 2025            | 2025-11-03 > 2025-11-04; 2025-11-05 > 2025-11-06
    what was said on the 3rd and the 5th              | 2026-11-03 > 2026-11-04; 2026-11-05 > 2026-11-06
    what was said on the 3rd and 5th of last month    | 2026-10-03 > 2026-10-04; 2026-10-05 > 2026-10-06
    what was said the last 2 Fridays                  | 2026-11-13 > 2026-11-14; 2026-11-20 > 2026-11-21
    what was said the last three Mondays | 2026-11-02 > 2026-11-03; 2026-11-09 > 2026-11-10; 2026-11-16 > 2026-11-17
    what was said on satruday                         | 2026-11-14 > 2026-11-15
    what was said on firday                           | 2026-11-20 > 2026-11-21
    what was said in ocotber                          | 2026-10-01 > 2026-11-01
    what was said in decemeber                        | 2025-12-01 > 2026-01-01
    what was said last munday                         | 2026-11-16 > 2026-11-17
    what was said tommorow                            | 2026-11-22 > 2026-11-23
    what was said this weekned                        | 2026-11-21 > 2026-11-23
    what was said yesterady mornign                   | 2026-11-20 04:00 > 2026-11-20 12:00
    who likes the marsh?                              | nothing
    who bought the mat?                               | nothing
    who wrote "yesteday"?                             | nothing
    what is `yesteday`?                               | nothing
    who is in #yesteday?                              | nothing
    who likes The Weeknd?                             | nothing
    did Frida post?                                   | nothing
    who plays in Helloween?                           | nothing
    what did Mondal say?                              | nothing
    who ate the sundae?                               | nothing
    what was said on sinday                           | 2026-11-15 > 2026-11-16
    what was said yest                                | 2026-11-20 > 2026-11-21
    what was said on 31 November                      | nothing
    what was said from noon to midnight yesterday     | 2026-11-20 12:00 > 2026-11-21
    what was said last 2-3 weeks                      | 2026-10-31 > 2026-11-22
    what was said in sept                             | 2026-09-01 > 2026-10-01
    what was said on weds                             | 2026-11-18 > 2026-11-19
"""

OTHER_LANGUAGES = """
    ¿qué se dijo el mar 3 de noviembre?                | 2026-11-03 > 2026-11-04
    ¿qué se dijo el mar. 3 de nov. de 2026?            | 2026-11-03 > 2026-11-04
    ¿qué se dijo el martes 3 de noviembre?             | 2026-11-03 > 2026-11-04
    ¿qué se dijo el 3 de marzo?                        | 2026-03-03 > 2026-03-04
    ¿qué se dijo el mié 4 de noviembre?                | 2026-11-04 > 2026-11-05
    ¿qué se dijo el mar 3?                             | 2026-11-03 > 2026-11-04
    ¿qué se dijo el 5 de mayo de 2025?                 | 2025-05-05 > 2025-05-06
    ¿qué se dijo del 3 al 5 de noviembre?              | 2026-11-03 > 2026-11-06
    qu'a-t-on dit le mar. 3 nov. 2026 ?                | 2026-11-03 > 2026-11-04
    qu'a-t-on dit le mar 3 novembre ?                  | 2026-11-03 > 2026-11-04
    qu'a-t-on dit le mer 4 novembre ?                  | 2026-11-04 > 2026-11-05
    qu'a-t-on dit le 3 mars ?                          | 2026-03-03 > 2026-03-04
    qu'a-t-on dit du 3 au 5 novembre ?                 | 2026-11-03 > 2026-11-06
    was wurde am Di, 3. November gesagt?               | 2026-11-03 > 2026-11-04
    was wurde am Mi., 4. Nov. gesagt?                  | 2026-11-04 > 2026-11-05
    was wurde am Do 5. November 2026 gesagt?           | 2026-11-05 > 2026-11-06
    was wurde am 3. März gesagt?                       | 2026-03-03 > 2026-03-04
    was wurde vom 3. bis 5. November gesagt?           | 2026-11-03 > 2026-11-06
    cosa si è detto mar 3 novembre?                    | 2026-11-03 > 2026-11-04
    cosa si è detto ven 6 novembre 2026?               | 2026-11-06 > 2026-11-07
    o que foi dito na seg 2 de novembro?               | 2026-11-02 > 2026-11-03
    o que foi dito na segunda-feira, 2 de novembro de 2026? | 2026-11-02 > 2026-11-03
    o que foi dito em 3 de out?                        | 2026-10-03 > 2026-10-04
    ¿qué se dijo el 31 de noviembre?                   | nothing
    3 out of 4 tests pass                              | nothing
    do 5 sets of these                                 | nothing
    who ate 3 Mars bars                                | nothing
    what was said on Mar 3                             | 2026-03-03 > 2026-03-04
    what was said on mar 3, 2026                       | 2026-03-03 > 2026-03-04
"""

MORE = """
    what was said a couple Fridays ago             | 2026-11-13 > 2026-11-14
    what was said a few Mondays ago                | 2026-11-02 > 2026-11-03
    what was said what did we do at the weekend last month | nothing
    what was said the second to last Friday of October | 2026-10-23 > 2026-10-24
    what was said the last two weeks of last year  | 2025-12-18 > 2026-01-01
    what was said in the first week of last month  | 2026-09-28 > 2026-10-05
    what was said the first day of last month      | 2026-10-01 > 2026-10-02
    what was said the last day of last year        | 2025-12-31 > 2026-01-01
    what was said the third week of last month     | 2026-10-12 > 2026-10-19
    what was said last week of last year           | 2025-12-22 > 2025-12-29
    what was said the second half of last week     | 2026-11-12 > 2026-11-16
    what was said the first half of last month     | 2026-10-01 > 2026-10-16
    what was said second quarter of last year      | 2025-04-01 > 2025-07-01
    what was said the third quarter last year      | 2025-07-01 > 2025-10-01
    what was said spring 2025                      | 2025-03-01 > 2025-06-01
    what was said in the spring of last year       | 2025-03-01 > 2025-06-01
    what was said early last month                 | 2026-10-01 > 2026-10-11
    what was said early last week                  | 2026-11-09 > 2026-11-12
    what was said late on Friday night             | 2026-11-20 23:00 > 2026-11-21 04:00
    what was said mid last week                    | 2026-11-11 > 2026-11-14
    what was said end of last week                 | 2026-11-13 > 2026-11-16
    what was said at the start of this month       | 2026-11-01 > 2026-11-11
    what was said beginning of this year           | 2026-01-01 > 2026-05-01
    what was said at the end of 2024               | 2024-09-01 > 2025-01-01
    what was said late 2024                        | 2024-09-01 > 2025-01-01
    what was said in late October last year        | 2025-10-21 > 2025-11-01
    what was said between March and May last year  | 2025-03-01 > 2025-06-01
    what was said between Q1 and Q2 last year      | 2025-01-01 > 2025-07-01
    what was said from Monday to Friday last week  | 2026-11-09 > 2026-11-14
    what was said from Tuesday last week to Monday this week | 2026-11-10 > 2026-11-17
    what was said from last Monday to last Wednesday | 2026-11-16 > 2026-11-19
    what was said since last week Tuesday          | 2026-11-10 > open
    what was said since the 3rd of last month      | 2026-10-03 > open
    what was said until the end of last week       | open > 2026-11-16
    what was said before Monday last week          | open > 2026-11-09
    what was said after November last year         | 2025-12-01 > open
    what was said Monday to Wednesday two weeks ago | 2026-11-02 > 2026-11-05
    what was said Christmas Eve last year          | 2025-12-24 > 2025-12-25
    what was said last year at Christmas           | 2025-12-25 > 2025-12-26
    what was said on New Year's Day this year      | 2026-01-01 > 2026-01-02
    what was said the day before yesterday at 5pm  | 2026-11-19 17:00 > 2026-11-19 18:00
    what was said the Sunday after next            | 2026-11-29 > 2026-11-30
    what was said Tuesday last week between 2 and 4 | 2026-11-10 14:00 > 2026-11-10 16:00
    what was said Tuesday afternoon last week at 3 | 2026-11-10 15:00 > 2026-11-10 16:00
    what was said Friday evening two weeks ago     | 2026-11-06 17:00 > 2026-11-06 22:00
    what was said two weeks ago Friday             | 2026-11-06 > 2026-11-07
    what was said a week ago Friday                | 2026-11-13 > 2026-11-14
    what was said three weeks ago on Tuesday evening | 2026-10-27 17:00 > 2026-10-27 22:00
    what was said a month ago today                | 2026-10-21 > 2026-10-22
    what was said a year ago today                 | 2025-11-21 > 2025-11-22
    what was said exactly two weeks ago            | 2026-11-02 > 2026-11-09
    what was said two weeks ago today              | 2026-11-07 > 2026-11-08
    what was said an hour or two ago               | 2026-11-21 07:30 > 2026-11-21 09:15
    what was said a couple of hours ago            | 2026-11-21 07:30 > 2026-11-21 08:30
    what was said a few minutes ago                | 2026-11-21 09:55 > 2026-11-21 09:59
    what was said five minutes ago                 | 2026-11-21 09:53 > 2026-11-21 09:57
    what was said about an hour ago                | 2026-11-21 08:45 > 2026-11-21 09:15
    what was said half a year ago                  | 2026-05-01 > 2026-06-01
    what was said a year and a half ago            | 2025-05-01 > 2025-06-01
    what was said half a day ago                   | 2026-11-20 21:30 > 2026-11-20 22:30
    what was said a decade ago                     | 2010-01-01 > 2020-01-01
    what was said fortnight ago                    | 2026-11-02 > 2026-11-16
    what was said a fortnight ago                  | 2026-11-02 > 2026-11-16
    what was said 2.5 hours ago                    | 2026-11-21 07:00 > 2026-11-21 08:00
    what was said several days ago                 | 2026-11-18 > 2026-11-19
    what was said a few days ago                   | 2026-11-18 > 2026-11-19
    what was said three or four months ago         | 2026-07-01 > 2026-09-01
    what was said one or two years ago             | 2024-01-01 > 2026-01-01
    what was said in the last year                 | 2025-11-21 > 2026-11-22
    what was said this time last week              | 2026-11-14 > 2026-11-15
    what was said earlier this week                | 2026-11-16 > 2026-11-21 10:00
    what was said earlier last week                | 2026-11-09 > 2026-11-12
    what was said the 4th Thursday of November last year | 2025-11-27 > 2025-11-28
    what was said the third Friday in 2025         | 2025-01-17 > 2025-01-18
    what was said in Q1 of last year               | 2025-01-01 > 2025-04-01
    what was said Q1 this year                     | 2026-01-01 > 2026-04-01
    what was said in H2 2025                       | 2025-07-01 > 2026-01-01
    what was said year before last                 | 2024-01-01 > 2025-01-01
    what was said the month before last            | 2026-09-01 > 2026-10-01
    what was said the summer before last           | 2025-06-01 > 2025-09-01
    what was said summer of last year              | 2025-06-01 > 2025-09-01
    what was said last winter                      | 2025-12-01 > 2026-03-01
    what was said Black Friday last year           | 2025-11-28 > 2025-11-29
    what was said the week of Christmas last year  | 2025-12-22 > 2025-12-29
    what was said over Easter two years ago        | 2024-03-31 > 2024-04-01
    what was said the weekend after Thanksgiving last year | 2025-11-29 > 2025-12-01
    what was said the Tuesday after Easter last year | 2025-04-22 > 2025-04-23
    what was said the day after Christmas two years ago | 2024-12-26 > 2024-12-27
    what was said three days before Christmas last year | 2025-12-22 > 2025-12-23
    what was said on the last Monday of August last year | 2025-08-25 > 2025-08-26
    what was said last August                      | 2026-08-01 > 2026-09-01
    what was said August last year                 | 2025-08-01 > 2025-09-01
    what was said on 5 November of last year       | 2025-11-05 > 2025-11-06
    what was said 5th of November last year        | 2025-11-05 > 2025-11-06
    what was said November 5 the year before last  | 2024-11-05 > 2024-11-06
    what was said November the year before last    | 2024-11-01 > 2024-12-01
    what was said on Friday, November 6 last year  | 2025-11-06 > 2025-11-07
    what was said the night of November 5 last year | 2025-11-05 20:00 > 2025-11-06 04:00
    what was said Nov 5 last year at 5pm           | 2025-11-05 17:00 > 2025-11-05 18:00
    what was said on the 15th of this month        | 2026-11-15 > 2026-11-16
    what was said the 5th Monday of November       | 2026-11-30 > 2026-12-01
    what was said 30 February                      | nothing
    what was said February 29 2025                 | nothing
    what was said 29 February 2024                 | 2024-02-29 > 2024-03-01
    what was said 29/02/2025                       | nothing
    what was said 31/04/2026                       | nothing
    what was said 2025-02-29                       | nothing
    what was said 13/13/2026                       | nothing
    what was said 10:75 yesterday                  | nothing
    what was said yesterday at 24:30               | nothing
    what was said on the 32nd of October           | nothing
    what was said September 31st                   | nothing
    what was said from 31 September to 3 October   | nothing
    what was said 31 June last year                | nothing
    what was said the 6th Friday of October        | nothing
    what was said week 53 of 2025                  | nothing
    what was said 2025-W53                         | nothing
    what was said Q0                               | nothing
    what was said the week after next              | 2026-11-30 > 2026-12-07
    what was said this time last month             | 2026-10-21 > 2026-10-22
    what was said this time last year              | 2025-11-01 > 2025-12-01
    what was said 9/11/2026-15/11/2026             | 2026-11-09 > 2026-11-16
    what was said on 9/11 - 15/11                  | 2026-11-09 > 2026-11-16
    what was said from 9.11. to 15.11.             | 2026-11-09 > 2026-11-16
    what was said 9. bis 15. November              | 2026-11-09 > 2026-11-16
    what was said between 9 and 15 November        | 2026-11-09 > 2026-11-16
    what was said between the 9th and 15th         | 2026-11-09 > 2026-11-16
    what was said from the 9th until the 15th of last month | 2026-10-09 > 2026-10-16
    what was said the 9th through the 15th         | 2026-11-09 > 2026-11-16
    what was said Nov 9th-15th                     | 2026-11-09 > 2026-11-16
    what was said 9th Nov - 15th Nov               | 2026-11-09 > 2026-11-16
    what was said 09-15 Nov                        | 2026-11-09 > 2026-11-16
    what was said 9-15/11                          | 2026-11-09 > 2026-11-16
    what was said 9-15/11/2026                     | 2026-11-09 > 2026-11-16
    what was said 9/11 to 15/11/2026               | 2026-11-09 > 2026-11-16
    what was said 2026.11.09-2026.11.15            | 2026-11-09 > 2026-11-16
    what was said 2026/11/09-2026/11/15            | 2026-11-09 > 2026-11-16
    what was said 2026-11-09 to 2026-11-15         | 2026-11-09 > 2026-11-16
    what was said 2026-11-09 until 2026-11-15      | 2026-11-09 > 2026-11-16
    what was said 2026-11-09T10:00/2026-11-09T12:00 | 2026-11-09 10:00 > 2026-11-09 12:00
    what was said 2026-11-09 10:00 - 2026-11-09 12:00 | 2026-11-09 10:00 > 2026-11-09 12:00
    what was said 2026-11-09 10:00–12:00           | 2026-11-09 10:00 > 2026-11-09 12:00
    what was said Mon–Fri                          | 2026-11-16 > 2026-11-21
    what was said Fri-Sun                          | 2026-11-20 > 2026-11-23
    what was said Mon - Wed                        | 2026-11-16 > 2026-11-19
    what was said Tue/Wed last week                | 2026-11-10 > 2026-11-11; 2026-11-11 > 2026-11-12
    what was said Sat/Sun                          | 2026-11-14 > 2026-11-15; 2026-11-15 > 2026-11-16
    what was said Sept–Oct                         | 2026-09-01 > 2026-11-01
    what was said May-July                         | 2026-05-01 > 2026-08-01
    what was said May–July 2025                    | 2025-05-01 > 2025-08-01
    what was said May to July last year            | 2025-05-01 > 2025-08-01
    what was said Jan - Mar                        | 2026-01-01 > 2026-04-01
    what was said 2024-2026                        | 2024-01-01 > 2027-01-01
    what was said Q2-Q3 2025                       | 2025-04-01 > 2025-10-01
    what was said Q2 – Q3 last year                | 2025-04-01 > 2025-10-01
    what was said 10-12am yesterday                | 2026-11-20 22:00 > 2026-11-21
    what was said 10am–noon yesterday              | 2026-11-20 10:00 > 2026-11-20 12:00
    what was said noon–3pm yesterday               | 2026-11-20 12:00 > 2026-11-20 15:00
    what was said 11pm–1am last night              | 2026-11-20 23:00 > 2026-11-21 01:00
    what was said 9:30-11 on Tuesday               | 2026-11-17 09:30 > 2026-11-17 11:00
    what was said 9.30–11.00 on Tuesday            | 2026-11-17 09:30 > 2026-11-17 11:00
    what was said 14–16h yesterday                 | 2026-11-20 14:00 > 2026-11-20 16:00
    what was said 14:00h yesterday                 | 2026-11-20 14:00 > 2026-11-20 15:00
    what was said yesterday 14h30                  | 2026-11-20 14:30 > 2026-11-20 14:31
    what was said yesterday from 9 – 11am          | 2026-11-20 09:00 > 2026-11-20 11:00
    what was said Tuesday 9—11                     | 2026-11-17 09:00 > 2026-11-17 11:00
    what was said yesterday morning–afternoon      | 2026-11-20 04:00 > 2026-11-20 18:00
    what was said last Monday–Wednesday            | 2026-11-16 > 2026-11-19
    what was said this Mon-Wed                     | 2026-11-16 > 2026-11-19
    what was said Monday–Wednesday two weeks ago   | 2026-11-02 > 2026-11-05
    what was said from 3pm yesterday to 9am today  | 2026-11-20 15:00 > 2026-11-21 09:00
    what was said from yesterday 3pm to today 9am  | 2026-11-20 15:00 > 2026-11-21 09:00
    what was said from Tuesday morning to Wednesday evening | 2026-11-17 04:00 > 2026-11-18 22:00
    what was said from Monday at 9 to Tuesday at 5 | 2026-11-16 09:00 > 2026-11-17 17:00
    what was said between yesterday 3pm and today 9am | 2026-11-20 15:00 > 2026-11-21 09:00
    what was said between Monday 9am and 11am      | 2026-11-16 09:00 > 2026-11-16 11:00
    what was said from 2026-11-16 15:00 to 2026-11-17 09:00 | 2026-11-16 15:00 > 2026-11-17 09:00
    what was said from 16 Nov 3pm until 17 Nov 9am | 2026-11-16 15:00 > 2026-11-17 09:00
    what was said until yesterday at noon          | open > 2026-11-20 12:00
    what was said since yesterday at noon          | 2026-11-20 12:00 > open
    what was said since 9am yesterday              | 2026-11-20 09:00 > open
    what was said from last Friday 6pm to Sunday 6pm | 2026-11-20 18:00 > 2026-11-22 18:00
    what was said from Monday to Tuesday 9am       | 2026-11-16 > 2026-11-17 09:00
    what was said from 5pm to 9pm yesterday        | 2026-11-20 17:00 > 2026-11-20 21:00
    what was said from 5:30pm Thursday till midnight | 2026-11-19 17:30 > 2026-11-20
    what was said from Thursday 10pm to Friday 2am | 2026-11-19 22:00 > 2026-11-20 02:00
    what was said Monday 9am to Wednesday          | 2026-11-16 09:00 > 2026-11-19
    what was said from half past two to four on Tuesday | 2026-11-17 14:30 > 2026-11-17 16:00
    what was said from yesterday morning until evening | 2026-11-20 04:00 > 2026-11-20 22:00
    what was said Monday to Tuesday 9am            | 2026-11-16 > 2026-11-17 09:00
    what was said at 3pm CET on Tuesday            | 2026-11-17 15:00 > 2026-11-17 16:00
    what was said at 3pm CEST on 3 July            | 2026-07-03 15:00 > 2026-07-03 16:00
    what was said Tuesday 3pm BST                  | 2026-11-17 15:00 > 2026-11-17 16:00
    what was said on 3 July at 3pm BST             | 2026-07-03 16:00 > 2026-07-03 17:00
    what was said yesterday at 17:00 UTC+1         | 2026-11-20 17:00 > 2026-11-20 18:00
    what was said yesterday at 17:00 UTC-8         | 2026-11-21 02:00 > 2026-11-21 03:00
    what was said yesterday at 17:00+02:00         | 2026-11-20 16:00 > 2026-11-20 17:00
    what was said yesterday at 17:00 +0200         | 2026-11-20 16:00 > 2026-11-20 17:00
    what was said at 17:00Z yesterday              | 2026-11-20 18:00 > 2026-11-20 19:00
    what was said on 2026-11-20 17:00 UTC          | 2026-11-20 18:00 > 2026-11-20 19:00
    what was said on 20 Nov at 17:00 GMT           | 2026-11-20 18:00 > 2026-11-20 19:00
    what was said yesterday 5pm JST                | 2026-11-20 09:00 > 2026-11-20 10:00
    what was said yesterday at 5pm Sydney time     | 2026-11-20 07:00 > 2026-11-20 08:00
    what was said yesterday at 5pm Los Angeles time | 2026-11-21 02:00 > 2026-11-21 03:00
    what was said yesterday at noon EST            | 2026-11-20 17:00 > 2026-11-20 20:00
    what was said yesterday at midnight UTC        | 2026-11-21 > 2026-11-21 02:00
    what was said last night at 11pm EST           | 2026-11-21 05:00 > 2026-11-21 06:00
    what was said yesterday evening EST            | 2026-11-20 23:00 > 2026-11-21 04:00
    what was said since 9am PST today              | 2026-11-21 18:00 > open
    what was said until 5pm EST yesterday          | 2026-11-20 > 2026-11-20 23:00
    what was said on Monday between 9am and 11am PT | 2026-11-16 18:00 > 2026-11-16 20:00
    what was said on Monday 9am–11am PT            | 2026-11-16 18:00 > 2026-11-16 20:00
    what was said from 9am ET to 5pm ET on Monday  | 2026-11-16 15:00 > 2026-11-16 23:00
    what was said on 15 July at 9am Eastern time   | 2026-07-15 15:00 > 2026-07-15 16:00
    what was said on 15 March at 9am ET            | 2026-03-15 14:00 > 2026-03-15 15:00
    what was said on 25 October at 2pm London time | 2026-10-25 15:00 > 2026-10-25 16:00
    what was said 2026-07-03T10:00:00-04:00        | 2026-07-03 16:00 > 2026-07-03 17:00
    what was said yesterday at 5pm our time        | 2026-11-20 17:00 > 2026-11-20 18:00
    what was said today at 9am local time          | 2026-11-21 09:00 > 2026-11-21 10:00
    what was said yesterday 5pm PDT                | 2026-11-21 01:00 > 2026-11-21 02:00
    what was said yesterday at 5:30 pm EST         | 2026-11-20 23:30 > 2026-11-20 23:31
    what was said yesterday 17h UTC                | 2026-11-20 18:00 > 2026-11-20 19:00
    what was said on Tuesday at 9 am Central       | 2026-11-17 16:00 > 2026-11-17 17:00
    what was said at 9 EST on Tuesday              | 2026-11-17 15:00 > 2026-11-17 16:00
    what was said 8pm Berlin time on Thursday      | 2026-11-19 20:00 > 2026-11-19 21:00
    what was said at 8pm Sao Paulo time on Thursday | 2026-11-20 > 2026-11-20 01:00
    what was said on Monday at 9am Z               | 2026-11-16 10:00 > 2026-11-16 11:00
    where is the Monday call link?                 | nothing
    what was decided at the Tuesday standup?       | 2026-11-17 > 2026-11-18
    what did we say about the Friday release yesterday? | 2026-11-20 > 2026-11-21
    who liked the Valentine's Day card?            | nothing
    is the Thanksgiving dinner vegan?              | nothing
    who saw Groundhog Day?                         | 2026-02-02 > 2026-02-03
    who saw Groundhog Day the movie?               | nothing
    what about the New Year's party?               | nothing
    does anyone have a Christmas jumper?           | nothing
    who has the Halloween playlist?                | nothing
    who wants Cyber Monday discounts?              | nothing
    is the August invoice paid?                    | nothing
    what is the December budget?                   | nothing
    who fixed the Sunday crash?                    | nothing
    who runs the summer camp?                      | nothing
    who broke the winter coat?                     | nothing
    what was the midnight snack?                   | nothing
    who likes weekend trips?                       | nothing
    who runs the night shift?                      | nothing
    who has the week 45 report?                    | nothing
    where is the 2024 report?                      | nothing
    who knows the spring framework?                | nothing
    did somebody fall asleep?                      | nothing
    what did Ana say about fall colours?           | nothing
    who said Friday is fine?                       | 2026-11-20 > 2026-11-21
    what was said about Monday's meeting on Friday? | 2026-11-20 > 2026-11-21
    what did we say today about yesterday's outage? | 2026-11-21 > 2026-11-22
    what did we say about the outage of last week? | 2026-11-09 > 2026-11-16
    who reviewed yesterday's PR?                   | 2026-11-20 > 2026-11-21
    what did Ana say about Christmas last week?    | 2026-11-09 > 2026-11-16
    what did Ana say last week about Christmas?    | 2026-11-09 > 2026-11-16
    what was said on Friday about next week's release? | 2026-11-20 > 2026-11-21
    who wrote "see you on Friday"?                 | nothing
    where did I say "yesterday"?                   | nothing
    who likes Wednesday (the series)?              | nothing
    who uses tuesday.io?                           | nothing
    who is sunday_cook?                            | nothing
    is #monday-standup active?                     | nothing
    what did Ana write in the Friday thread?       | nothing
    what was said in Tuesday's meeting?            | 2026-11-17 > 2026-11-18
    what was said during the Wednesday call last week? | 2026-11-11 > 2026-11-12
    who maintains friday.py?                       | nothing
    when does the Sunday market open?              | nothing
    who plays Sunday league?                       | nothing
    what is a leap second?                         | nothing
    what was the second hand price?                | nothing
    did anyone finish Advent of Code?              | nothing
    is May in the chat?                            | nothing
    what did June say yesterday?                   | 2026-11-20 > 2026-11-21
    what did April say on Friday?                  | 2026-11-20 > 2026-11-21
    what does August think?                        | nothing
    who will march on Monday?                      | 2026-11-16 > 2026-11-17
    what did we buy for Christmas last month?      | 2026-10-01 > 2026-11-01
    what did we say about the Monday meeting last week? | 2026-11-09 > 2026-11-16
    what was said on monay                         | 2026-11-16 > 2026-11-17
    what was said on tusday                        | 2026-11-17 > 2026-11-18
    what was said on teusday                       | 2026-11-17 > 2026-11-18
    what was said on wendsday                      | 2026-11-18 > 2026-11-19
    what was said on wednsday                      | 2026-11-18 > 2026-11-19
    what was said on wedensday                     | 2026-11-18 > 2026-11-19
    what was said on thurday                       | 2026-11-19 > 2026-11-20
    what was said on thurs                         | 2026-11-19 > 2026-11-20
    what was said on thirsday                      | 2026-11-19 > 2026-11-20
    what was said on fridey                        | 2026-11-20 > 2026-11-21
    what was said on saterday                      | 2026-11-14 > 2026-11-15
    what was said on sunaday                       | 2026-11-15 > 2026-11-16
    what was said on munday                        | 2026-11-16 > 2026-11-17
    what was said in janurary                      | 2026-01-01 > 2026-02-01
    what was said in jaunary                       | 2026-01-01 > 2026-02-01
    what was said in feburary                      | 2026-02-01 > 2026-03-01
    what was said in apirl                         | 2026-04-01 > 2026-05-01
    what was said in agust                         | 2026-08-01 > 2026-09-01
    what was said in augst                         | 2026-08-01 > 2026-09-01
    what was said in septmber                      | 2026-09-01 > 2026-10-01
    what was said in octobr                        | 2026-10-01 > 2026-11-01
    what was said in novembr                       | 2026-11-01 > 2026-12-01
    what was said in novemeber                     | 2026-11-01 > 2026-12-01
    what was said in decmber                       | 2025-12-01 > 2026-01-01
    what was said in march                         | 2026-03-01 > 2026-04-01
    what was said on 3 novmber                     | 2026-11-03 > 2026-11-04
    what was said on novmber 3rd                   | 2026-11-03 > 2026-11-04
    what was said yestreday                        | 2026-11-20 > 2026-11-21
    what was said yesterdya                        | 2026-11-20 > 2026-11-21
    what was said yesteray                         | 2026-11-20 > 2026-11-21
    what was said yesterday evning                 | 2026-11-20 17:00 > 2026-11-20 22:00
    what was said this mroning                     | 2026-11-21 04:00 > 2026-11-21 12:00
    what was said last weeknd                      | 2026-11-14 > 2026-11-16
    what was said last mont                        | 2026-10-01 > 2026-11-01
    what was said last moth                        | 2026-10-01 > 2026-11-01
    what was said last yaer                        | 2025-01-01 > 2026-01-01
    what was said lats week                        | 2026-11-09 > 2026-11-16
    what was said 3 weks ago                       | 2026-10-26 > 2026-11-02
    what was said 2 dyas ago                       | 2026-11-19 > 2026-11-20
    what was said two weeks agao                   | 2026-11-02 > 2026-11-09
    what was said thisweek                         | 2026-11-16 > 2026-11-23
    what was said lastmonth                        | 2026-10-01 > 2026-11-01
    what was said lastyear                         | 2025-01-01 > 2026-01-01
    what was said nextweek                         | 2026-11-23 > 2026-11-30
    what was said 2weeksago                        | 2026-11-02 > 2026-11-09
    what was said 3 daysago                        | 2026-11-18 > 2026-11-19
    what was said 10minutesago                     | 2026-11-21 09:47 > 2026-11-21 09:52
    what was said last-week                        | 2026-11-09 > 2026-11-16
    what was said last_week                        | 2026-11-09 > 2026-11-16
    what was said yesterdaynight                   | 2026-11-20 20:00 > 2026-11-21 04:00
    what was said lastweekend                      | 2026-11-14 > 2026-11-16
    what was said monday-morning                   | 2026-11-16 04:00 > 2026-11-16 12:00
    what was said on chrismas                      | 2025-12-25 > 2025-12-26
    what was said on haloween                      | 2026-10-31 > 2026-11-01
    what was said 1 mo ago                         | 2026-10-01 > 2026-11-01
    what was said 6mo ago                          | 2026-05-01 > 2026-06-01
    what was said 1yr ago                          | 2025-01-01 > 2026-01-01
    what was said 1w ago                           | 2026-11-09 > 2026-11-16
    what was said 90 min ago                       | 2026-11-21 08:07 > 2026-11-21 08:52
    what was said 3hrs ago                         | 2026-11-21 06:30 > 2026-11-21 07:30
    what was said 30s ago                          | 2026-11-21 09:57 > 2026-11-21 10:01
    what was said past 2 Sundays                   | 2026-11-08 > 2026-11-09; 2026-11-15 > 2026-11-16
    what was said the past three weekends          | 2026-10-31 > 2026-11-16
    what was said the last couple of Fridays       | 2026-11-13 > 2026-11-14; 2026-11-20 > 2026-11-21
    what was said the last few Mondays | 2026-11-02 > 2026-11-03; 2026-11-09 > 2026-11-10; 2026-11-16 > 2026-11-17
    what was said the previous 3 Tuesdays | 2026-11-03 > 2026-11-04; 2026-11-10 > 2026-11-11; 2026-11-17 > 2026-11-18
    what was said on the last two Fridays of October | 2026-10-23 > 2026-10-24; 2026-10-30 > 2026-10-31
    what was said in week 45, 2025                 | 2025-11-03 > 2025-11-10
    what was said in wk 45                         | 2026-11-02 > 2026-11-09
    what was said in wk45                          | 2026-11-02 > 2026-11-09
    what was said in calendar week 45              | 2026-11-02 > 2026-11-09
    what was said in 2025-W45                      | 2025-11-03 > 2025-11-10
    what was said in 2026-W45 on Tuesday           | 2026-11-03 > 2026-11-04
    what was said in week 45 on Tuesday            | 2026-11-03 > 2026-11-04
    what was said on Tuesday of week 45            | 2026-11-03 > 2026-11-04
    what was said on day 315                       | nothing
    what was said on 2025-001                      | 2025-01-01 > 2025-01-02
    what was said on 2026-366                      | nothing
    what was said on 2024-366                      | 2024-12-31 > 2025-01-01
    what was said on Monday & Wednesday            | 2026-11-16 > 2026-11-17; 2026-11-18 > 2026-11-19
    what was said Saturday and Sunday              | 2026-11-14 > 2026-11-15; 2026-11-15 > 2026-11-16
    what was said in March, April and May | 2026-03-01 > 2026-04-01; 2026-04-01 > 2026-05-01; 2026-05-01 > 2026-06-01
    what was said in Jan, Feb and Mar 2025 | 2025-01-01 > 2025-02-01; 2025-02-01 > 2025-03-01; 2025-03-01 > 2025-04-01
    what was said in Q1 and Q3                     | 2026-01-01 > 2026-04-01; 2026-07-01 > 2026-10-01
    what was said in Q1 and Q3 last year           | 2025-01-01 > 2025-04-01; 2025-07-01 > 2025-10-01
    what was said in 2024 and 2025                 | 2024-01-01 > 2025-01-01; 2025-01-01 > 2026-01-01
    what was said on 3/11, 5/11 and 7/11 | 2026-11-03 > 2026-11-04; 2026-11-05 > 2026-11-06; 2026-11-07 > 2026-11-08
    what was said on 3 Nov and 5 Nov               | 2026-11-03 > 2026-11-04; 2026-11-05 > 2026-11-06
    posts from August                              | 2026-08-01 > 2026-09-01
    what is new from July                          | 2026-07-01 > 2026-08-01
    everything from last April                     | 2026-04-01 > 2026-05-01
    pictures from May                              | 2026-05-01 > 2026-06-01
    messages in April                              | 2026-04-01 > 2026-05-01
    messages of March                              | 2026-03-01 > 2026-04-01
    messages from April 2025                       | 2025-04-01 > 2025-05-01
    messages from April to June                    | 2026-04-01 > 2026-07-01
    messages from April, please                    | 2026-04-01 > 2026-05-01
    what did Ben send from March?                  | 2026-03-01 > 2026-04-01
    all of April                                   | 2026-04-01 > 2026-05-01
    anything from early April?                     | 2026-04-01 > 2026-04-11
"""


@pytest.mark.parametrize(("phrase", "windows"), cases(NIGHTS))
def test_the_hours_after_midnight_belong_to_the_night_before(phrase: str, windows: str) -> None:
    assert written(f"what was said {phrase}?") == windows


@pytest.mark.parametrize(("phrase", "windows"), cases(DASHES))
def test_a_dash_of_any_kind_joins_the_ends_of_a_range(phrase: str, windows: str) -> None:
    assert written(f"what was said {phrase}") == windows


@pytest.mark.parametrize(("phrase", "windows"), cases(TWO_MOMENTS))
def test_a_range_ends_at_the_moment_that_ends_it(phrase: str, windows: str) -> None:
    assert written(f"what was said {phrase}?") == windows


@pytest.mark.parametrize(("phrase", "windows"), cases(ZONES))
def test_a_time_with_a_zone_is_that_of_the_clocks_there(phrase: str, windows: str) -> None:
    assert written(f"what was said {phrase}?") == windows


@pytest.mark.parametrize(("phrase", "windows"), cases(BARE_HOURS))
def test_a_bare_hour_is_one_at_which_people_are_awake(phrase: str, windows: str) -> None:
    assert written(f"what was said {phrase}?") == windows


@pytest.mark.parametrize(("phrase", "windows"), cases(WITHIN))
def test_a_time_within_another_is_one_window(phrase: str, windows: str) -> None:
    assert written(f"what was said {phrase}?") == windows


@pytest.mark.parametrize(("phrase", "windows"), cases(NO_SUCH_TIME))
def test_a_time_that_cannot_be_placed_whole_is_no_window(phrase: str, windows: str) -> None:
    assert written(f"what was said {phrase}?") == windows


@pytest.mark.parametrize(("question", "windows"), cases(TOPICS))
def test_a_word_of_time_in_the_name_of_something_is_no_window(question: str, windows: str) -> None:
    assert written(question) == windows


@pytest.mark.parametrize("day", range(23, 28))
@pytest.mark.parametrize(("question", "side"), cases(THIS_WEEKEND))
def test_this_weekend_on_a_weekday_is_the_one_that_the_question_looks_at(question: str, side: str, day: int) -> None:
    weekends = {"before": "2026-11-21 > 2026-11-23", "after": "2026-11-28 > 2026-11-30"}

    assert written(question, now=NOW.replace(day=day)) == weekends[side]


@pytest.mark.parametrize("day", [21, 22])
def test_this_weekend_on_one_of_its_days_is_that_one(day: int) -> None:
    assert written("what did we do this weekend?", now=NOW.replace(day=day)) == "2026-11-21 > 2026-11-23"


@pytest.mark.parametrize(("text", "windows"), cases(SPELLINGS))
def test_a_time_is_read_however_it_is_spelt(text: str, windows: str) -> None:
    assert written(text) == windows


@pytest.mark.parametrize(("text", "windows"), cases(OTHER_LANGUAGES))
def test_a_whole_date_is_read_in_other_languages(text: str, windows: str) -> None:
    assert written(text) == windows


@pytest.mark.parametrize(("text", "windows"), cases(MORE))
def test_a_text_means_these_windows(text: str, windows: str) -> None:
    assert written(text) == windows


@pytest.mark.parametrize(
    ("text", "zone", "utc_hour"),
    [
        pytest.param("on 3 July at 15:00 IST", "Europe/Dublin", 14, id="Irish summer time"),
        pytest.param("on 3 July at 15:00 IST", "Asia/Kolkata", 9, id="Indian standard time"),
        pytest.param("on 3 July at 15:00 CST", "Asia/Shanghai", 7, id="Chinese standard time"),
        pytest.param("on 3 July at 15:00 CST", "Europe/Paris", 21, id="central standard time of America"),
    ],
)
def test_an_abbreviation_of_several_zones_is_that_of_the_asker_s_if_it_has_it(
    text: str, zone: str, utc_hour: int
) -> None:
    (found,) = times_in(text, now=NOW, time_zone=ZoneInfo(zone)).windows

    assert found.window.start is not None
    assert found.window.start.astimezone(ZoneInfo("UTC")).hour == utc_hour
