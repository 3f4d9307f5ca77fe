"""Find the day that somebody means who counts days, or names a weekday, and is a little off."""

import re
from collections.abc import Iterator
from datetime import timedelta

from memory.findings import Window

_COUNTED = re.compile(r"\bdays\s+(?:ago|back)\b", re.IGNORECASE)
_WEEKDAY = re.compile(r"\b(?:last|past|previous)\s+(?:mon|tues|wednes|thurs|fri|satur|sun)day\b", re.IGNORECASE)
_LONGEST_DAY = timedelta(hours=25)
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
_WEEKS = 3


def presumed_days(phrase: str, window: Window) -> Iterator[Window]:
    """Yield the days, the likeliest first, that a phrase for one day means where nothing was said on that day.

    Who asks what was said on a day takes it for granted that something was. "38 days ago" may count full days, and
    38 times 24 hours reach into the 39th day back; "last Saturday" may be the last one that was talked on, within
    some weeks. A phrase that names its day by the calendar means no other.
    """
    if window.start is None or window.end is None or window.end - window.start > _LONGEST_DAY:
        return
    if _COUNTED.search(phrase):
        yield Window(window.start - _DAY, window.end - _DAY)
    elif _WEEKDAY.search(phrase):
        for weeks in range(1, _WEEKS + 1):
            yield Window(window.start - weeks * _WEEK, window.end - weeks * _WEEK)
