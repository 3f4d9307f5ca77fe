"""The line under an answer that tells where it was looked for."""

from collections.abc import Callable
from datetime import timedelta

from agent.answers import Searched
from agent.escaping import inline
from memory.spoken_windows import spoken_windows
from memory.windows import TimePhrase

MOST_CHANNELS = 4
MOST_DATES = 2

_MOMENT = timedelta(microseconds=1)


def footer(searched: Searched | None, *, written: Callable[[str], str] = inline) -> str:
    """Return the line, such as "searched Tue 17 Nov 00:00 - 24:00 Europe/Paris in #deploys".

    It also tells how a date was read that others read in another way ("10/11/2026"). The words of others in it are
    `written` as Markdown, unless the line is shown where there is none.
    Nothing is told of an answer that everything was searched for, unless its question named a time.
    """
    if searched is None:
        return ""
    when = spoken_windows(searched.windows, time_zone=searched.time_zone, now=searched.now)
    if searched.went_beyond:
        when = "all time"
    names = [f"#{written(name)}" for name in searched.channels[:MOST_CHANNELS]]
    where = f"in {', '.join(names)}" if names else ""
    words = " ".join(filter(None, (when, where)))
    parts = [f"searched {words}"] if words else []
    return "; ".join(parts + [_read(time, searched, written) for time in searched.ordered[:MOST_DATES]])


def _read(time: TimePhrase, searched: Searched, written: Callable[[str], str]) -> str:
    """Return how a date in digits was read, such as "10/11/2026 read as 10 November (day first)"."""
    order = searched.date_order.replace("-", " ")
    phrase, start, end = written(time.phrase), time.window.start, time.window.end
    if start and end:
        first, last = (moment.astimezone(searched.time_zone) for moment in (start, end - _MOMENT))
        if first.date() == last.date():
            return f"{phrase} read as {first.day} {first:%B} ({order})"
    return f"{phrase} read {order}"
