"""Windows, half-open stretches of time, and their algebra: contains, overlaps, intersection, union."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

FIRST_MOMENT = datetime(1, 2, 1, tzinfo=UTC)
LAST_MOMENT = datetime(9999, 12, 1, tzinfo=UTC)
"""Between these every zone has dates, and can count some weeks back or on; no zone is a day from UTC."""


def showable(moment: datetime) -> datetime:
    """Return a moment, or the nearest to it that every time zone can show, for the calendar has an end."""
    return min(max(moment, FIRST_MOMENT), LAST_MOMENT)


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time, start <= t < end; None leaves that end open.

    Both ends are moments that every time zone can show.
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for name, moment in (("start", self.start), ("end", self.end)):
            if moment is not None and moment is not (shown := showable(moment)):
                object.__setattr__(self, name, shown)

    def __contains__(self, moment: datetime) -> bool:
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)

    @property
    def length(self) -> timedelta | None:
        """The time from its start to its end; None for a window with an open end."""
        return None if self.start is None or self.end is None else self.end - self.start

    def overlaps(self, start: datetime | None, end: datetime | None) -> bool:
        """Return whether it shares time with the stretch from `start` to before `end`, None for an open end."""
        begins_before_end = self.start is None or end is None or self.start < end
        return begins_before_end and (self.end is None or start is None or start < self.end)


Windows = tuple[Window, ...]
"""Any of these windows; none at all mean all time."""

ALL_TIME: Windows = ()

_EVER = datetime.min.replace(tzinfo=UTC)


def intersection(first: Windows, second: Windows) -> Windows:
    """Return the time that lies in a window of both, in UTC; empty where nothing does, which is not all time."""
    pairs = product(map(_in_utc, first), map(_in_utc, second))
    return union(shared for left, right in pairs if (shared := _shared(left, right)) is not None)


def union(windows: Iterable[Window]) -> Windows:
    """Return windows in time order and in UTC, with those that touch or overlap merged."""
    merged: list[Window] = []
    for window in sorted(map(_in_utc, windows), key=lambda window: window.start or _EVER):
        last = merged[-1] if merged else None
        if last is None or (last.end is not None and window.start is not None and last.end < window.start):
            merged.append(window)
        elif last.end is not None:
            end = None if window.end is None else max(last.end, window.end)
            merged[-1] = Window(last.start, end)
    return tuple(merged)


def _in_utc(window: Window) -> Window:
    """Return a window whose ends compare as moments: two times of one zone compare as what its clocks show."""
    return Window(*(moment and moment.astimezone(UTC) for moment in (window.start, window.end)))


def _shared(first: Window, second: Window) -> Window | None:
    start = max((moment for moment in (first.start, second.start) if moment), default=None)
    end = min((moment for moment in (first.end, second.end) if moment), default=None)
    return None if start and end and start >= end else Window(start, end)
