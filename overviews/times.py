"""Read which time somebody means, and say which was understood."""

import asyncio
from functools import partial

from overviews.overview import Viewer
from time_expressions.conventions import OURS, date_order
from time_expressions.find import times_in
from time_expressions.format import spoken_windows
from time_expressions.window import Windows, union

LONGEST = 200
"""Characters of a text that says a time."""


async def windows_in(text: str, viewer: Viewer) -> Windows:
    """Return the windows that a text such as "last week" means for a viewer; no windows, all time, for no text.

    Raises ValueError, in one sentence, for a text without a time, and for one that has not begun yet.
    """
    if not text.strip():
        return ()
    # The grammar may take a tenth of a second, for which the event loop has something else to do.
    windows = await asyncio.to_thread(partial(_windows, text[:LONGEST], viewer))
    if not windows:
        raise ValueError(
            f"I do not read a time in “{text[:LONGEST]}”: write for example last week, or 3 to 5 November."
        )
    past = tuple(window for window in windows if window.start is None or window.start < viewer.now)
    if not past:
        raise ValueError(f"“{text[:LONGEST]}” is still to come: name a time that has begun.")
    return past


def spoken(windows: Windows, viewer: Viewer) -> str:
    """Return windows as they are shown to a viewer: "Mon 2 Nov 00:00 - Sun 8 Nov 24:00 Europe/Paris", or all time."""
    return spoken_windows(windows, time_zone=viewer.time_zone, now=viewer.now) or "all time"


def _windows(text: str, viewer: Viewer) -> Windows:
    order = viewer.date_order or date_order(locale=None, time_zone=viewer.time_zone, setting=None)
    read = partial(times_in, now=viewer.now, time_zone=viewer.time_zone, conventions=OURS.in_order(order))
    for sentence in (text, f"in {text}"):  # "2026" alone may be any number
        if found := read(sentence).windows:
            return union(phrase.window for phrase in found)
    return ()
