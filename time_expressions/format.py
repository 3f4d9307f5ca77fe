"""Render windows as text: "Tue 17 Nov 00:00 - 24:00 Europe/Paris"."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from time_expressions.window import Window

MOST_NAMED = 4
"""Windows that are named one by one; of more, only the number is given."""


def spoken_windows(windows: Sequence[Window], *, time_zone: ZoneInfo, now: datetime | None = None) -> str:
    """Return windows as a person in `time_zone` writes them: "Tue 17 Nov 00:00 - 24:00 Europe/Paris".

    A whole day ends at 24:00, whatever its length. The year is left out where it is that of `now`. No windows give no
    words.
    """
    if not windows:
        return ""
    year = now.astimezone(time_zone).year if now else None
    spoken = [_spoken(window, time_zone, year) for window in windows[:MOST_NAMED]]
    if len(windows) > MOST_NAMED:
        spoken.append(f"{len(windows) - MOST_NAMED} more")
    listed = " and ".join(filter(None, (", ".join(spoken[:-1]), spoken[-1])))
    return f"{listed} {time_zone.key}"


def spoken_end(moment: datetime, *, time_zone: ZoneInfo, now: datetime) -> str:
    """Return the end of a time as a person in `time_zone` writes it: "Sun 3 May 24:00 Europe/Paris" for midnight."""
    local = moment.astimezone(time_zone)
    year = now.astimezone(time_zone).year
    if _begins_a_day(local):
        return f"{_day(local.date() - timedelta(days=1), year)} 24:00 {time_zone.key}"
    return f"{_moment(local, year)} {time_zone.key}"


MOST_BRIEF = 2
"""Windows that are named where there is little room."""


def brief_windows(windows: Sequence[Window], *, time_zone: ZoneInfo, now: datetime) -> str:
    """Return windows in the fewest words: "Thu 5 Nov", "Mon 2 Nov - Sun 8 Nov"; whole days without hours, no zone."""
    year = now.astimezone(time_zone).year
    brief = [_brief(window, time_zone, year) for window in windows[:MOST_BRIEF]]
    if len(windows) > MOST_BRIEF:
        brief.append(f"{len(windows) - MOST_BRIEF} more")
    return " and ".join(filter(None, (", ".join(brief[:-1]), *brief[-1:])))


def _brief(window: Window, time_zone: ZoneInfo, year: int) -> str:
    if window.start is None or window.end is None:
        return _spoken(window, time_zone, year)
    start, end = window.start.astimezone(time_zone), window.end.astimezone(time_zone)
    if not (_begins_a_day(start) and _begins_a_day(end)):
        return _spoken(window, time_zone, year)
    first, last = start.date(), end.date() - timedelta(days=1)
    shown_year = year if {first.year, last.year} == {year} else None
    days = [_day(day, shown_year) for day in dict.fromkeys((first, last))]
    return " - ".join(days)


def _spoken(window: Window, time_zone: ZoneInfo, year: int | None) -> str:
    if window.start is None:
        return "all time" if window.end is None else f"before {_moment(window.end.astimezone(time_zone), year)}"
    start = window.start.astimezone(time_zone)
    if window.end is None:
        return f"since {_moment(start, year)}"
    end = window.end.astimezone(time_zone)
    from_ = "00:00" if _begins_a_day(start) else f"{start:%H:%M}"
    until = "24:00" if _begins_a_day(end) else f"{end:%H:%M}"
    first, last = start.date(), end.date() - timedelta(days=_begins_a_day(end))
    if {first.year, last.year} != {year}:
        year = None
    if first == last:
        return f"{_day(first, year)} {from_} - {until}"
    return f"{_day(first, year)} {from_} - {_day(last, year)} {until}"


def _moment(local: datetime, year: int | None) -> str:
    day = _day(local.date(), year)
    return day if _begins_a_day(local) else f"{day} {local:%H:%M}"


def _day(day: date, year: int | None) -> str:
    """Return a date, with its year unless it is this one."""
    return f"{day:%a} {day.day} {day:%b}" + (f" {day.year}" if day.year != year else "")


def _begins_a_day(local: datetime) -> bool:
    """Return whether a day begins at this moment; where clocks change at midnight that may be at 01:00."""
    midnight = datetime.combine(local.date(), time(), local.tzinfo)
    return midnight.timestamp() == local.timestamp()
