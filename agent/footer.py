"""The line under an answer that tells where it was looked for."""

from collections.abc import Callable

from agent.answers import Searched
from agent.escaping import inline
from memory.spoken_windows import spoken_windows

MOST_CHANNELS = 4


def footer(searched: Searched | None, *, written: Callable[[str], str] = inline) -> str:
    """Return the line, such as "searched Tue 17 Nov 00:00 - 24:00 Europe/Paris in #deploys".

    A name of a channel is `written` as Markdown, unless the line is shown where there is none.
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
    return f"searched {words}" if words else ""
