"""Read a text that states a time and nothing else: an ISO date or moment, or a phrase such as "last May"."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from time_expressions.find import times_in
from time_expressions.window import Window

LONGEST = 100
"""Characters of such a text."""

_ISO_DAY = len("2026-05-01")


def stated_window(text: str, *, now: datetime, time_zone: ZoneInfo) -> Window:
    """Return the window that a text states, as somebody in a time zone means it at an aware `now`.

    A moment is a window without a length. Raises ValueError for what is no time, and for more than one of them.
    """
    stated = text.strip()
    if len(stated) > LONGEST:
        raise ValueError("it is too long for a time")
    try:
        moment = datetime.fromisoformat(stated)
    except ValueError:
        found = times_in(stated, now=now, time_zone=time_zone).windows
        if len(found) != 1:
            raise ValueError("it is no time, or several") from None
        return found[0].window
    moment = moment if moment.tzinfo else moment.replace(tzinfo=time_zone)
    return Window(moment, moment + timedelta(days=1) if len(stated) <= _ISO_DAY else moment)
