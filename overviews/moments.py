"""Read and write the times of an overview on the clock of whoever sees it."""

from datetime import datetime

from overviews.overview import Viewer
from time_expressions.conventions import OURS, date_order
from time_expressions.find import times_in

LONGEST_PHRASE = 200
"""Characters of a text that may say a time."""


def past_moment(text: str, viewer: Viewer) -> datetime:
    """Return the beginning of the time that a text says, as in "Monday", "yesterday" or "3 hours ago".

    Raises ValueError, with one sentence, for a text that says no time, or one that is yet to come.
    """
    order = viewer.date_order or date_order(locale=None, time_zone=viewer.time_zone, setting=None)
    found = times_in(
        text[:LONGEST_PHRASE], now=viewer.now, time_zone=viewer.time_zone, conventions=OURS.in_order(order)
    ).windows
    starts = [time.window.start for time in found if time.window.start is not None]
    if not starts:
        raise ValueError('I do not know which time that is: say it like "Monday", "yesterday" or "3 hours ago".')
    if starts[0] >= viewer.now:
        raise ValueError("That time is yet to come: say one that has passed.")
    return starts[0]


def day_and_time(moment: datetime, viewer: Viewer) -> str:
    """Return a moment as in "Thu 5 Nov 14:20", with the year where it is another one."""
    local, now = moment.astimezone(viewer.time_zone), viewer.now.astimezone(viewer.time_zone)
    year = "" if local.year == now.year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M}"
