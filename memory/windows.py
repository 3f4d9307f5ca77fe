"""Find the time that a text speaks of: its phrases, and the windows that they mean.

A grammar reads them, not a model: the same words mean the same time, every time. Where English is ambiguous the past
is meant, for questions about what was said look back. As a command it reads one text a line:

    python -m memory.windows --now 2026-11-21T10:00:00 --tz Europe/Paris --stdin
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from memory.conventions import OURS, Conventions, date_order
from memory.findings import Window
from memory.times.meanings import Span
from memory.times.reader import phrases_of


@dataclass(frozen=True, slots=True)
class TimePhrase:
    """A phrase, as it stands in the text, and the window [start, end) that it means.

    With `earlier` ("earlier today") the discussion that is going on now is not meant, whatever the window says.
    `order_mattered` when a date in digits is elsewhere by the other order of day and month ("10/11").
    """

    phrase: str
    window: Window
    earlier: bool = False
    order_mattered: bool = False


@dataclass(frozen=True, slots=True)
class DiscussionPhrase:
    """A phrase that counts discussions: "in our first session", "two discussions ago".

    1 is the first discussion of a channel, -1 its latest and -2 the one before that; `first` to `last` are meant.
    """

    phrase: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Times:
    """All that a text says of time, each in the order of the text."""

    windows: tuple[TimePhrase, ...] = ()
    discussions: tuple[DiscussionPhrase, ...] = ()


def times_in(text: str, *, now: datetime, time_zone: ZoneInfo, conventions: Conventions | None = None) -> Times:
    """Return what a text says of time, as somebody in `time_zone` means it who writes it at `now`.

    Days begin at midnight on the wall clock of the zone, so that one of them has 23 or 25 hours where the clocks
    change. `now` is an aware time. Without `conventions` they are ours, with days and months in the order that is
    usual in the zone.
    """
    if conventions is None:
        conventions = OURS.in_order(date_order(locale=None, time_zone=time_zone, setting=None))
    found = phrases_of(text, now=now.astimezone(time_zone), conventions=conventions)
    return Times(
        windows=tuple(
            TimePhrase(one.phrase, Window(one.meaning.start, one.meaning.end), one.meaning.earlier, one.order_mattered)
            for one in found
            if isinstance(one.meaning, Span)
        ),
        discussions=tuple(
            DiscussionPhrase(one.phrase, *one.meaning) for one in found if not isinstance(one.meaning, Span)
        ),
    )


if __name__ == "__main__":
    from memory.times.command import run  # it needs this module

    run()
