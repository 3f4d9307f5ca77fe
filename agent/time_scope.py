"""Decide in which time the searches of one question may look, and keep where they looked.

The rule, for every call of a tool:

1. A question that is asked of all time is searched over all time, whatever the model passes.
2. A question that names a time is searched in its windows, any of which may hold a message. What the model passes can
   only narrow them: the search looks where both overlap, and in all of the question's windows where nothing does. "All
   time" is obeyed once a search of all the question's windows, in both memories, has found nothing.
3. A question that names no time is searched in what the model passes, and over all time when it passes nothing.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import product

from time_expressions.window import Window

Windows = tuple[Window, ...]

ALL_TIME: Windows = ()

_EVER = datetime.min.replace(tzinfo=UTC)


class TimeScope:
    """The searches of one run: which time is theirs to look in, and which they have looked in."""

    def __init__(self, windows: Iterable[Window], *, all_time: bool) -> None:
        self._windows = ALL_TIME if all_time else united(windows)
        self._all_time = all_time
        self._came_to_nothing = False
        self._made: list[Windows] = []

    def narrow(self, wanted: Windows | None) -> Windows:
        """Return the windows to search when the model wants these; None when it wants no time in particular."""
        if self._all_time:
            return ALL_TIME
        if not self._windows:
            return wanted or ALL_TIME
        if wanted is None:
            return self._windows
        if wanted == ALL_TIME:
            return ALL_TIME if self._came_to_nothing else self._windows
        return common(wanted, self._windows) or self._windows

    def record(self, windows: Windows, *, nothing_there: bool) -> None:
        """Remember that these windows were searched, and whether it is certain that nothing is in them."""
        self._made.append(windows)
        if nothing_there and windows == self._windows:
            self._came_to_nothing = True

    @property
    def were_made(self) -> bool:
        """Something was searched."""
        return bool(self._made)

    @property
    def may_widen(self) -> bool:
        """The question's own windows hold nothing, so that all time may be searched."""
        return bool(self._windows) and self._came_to_nothing

    @property
    def windows(self) -> Windows:
        """All that was searched, which is all time as soon as one search was."""
        if ALL_TIME in self._made:
            return ALL_TIME
        return united(window for windows in self._made for window in windows)

    @property
    def went_beyond(self) -> bool:
        """All time was searched in place of the time that the question names."""
        return ALL_TIME in self._made and (self._all_time or bool(self._windows))


def common(some: Windows, others: Windows) -> Windows:
    """Return the windows in which both overlap, in UTC."""
    pairs = product(map(_in_utc, some), map(_in_utc, others))
    return united(overlap for one, other in pairs if (overlap := _overlap(one, other)) is not None)


def united(windows: Iterable[Window]) -> Windows:
    """Return windows in time order and in UTC, those that touch or overlap made one."""
    merged: list[Window] = []
    for window in sorted(map(_in_utc, windows), key=lambda one: one.start or _EVER):
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


def _overlap(one: Window, other: Window) -> Window | None:
    start = max((moment for moment in (one.start, other.start) if moment), default=None)
    end = min((moment for moment in (one.end, other.end) if moment), default=None)
    return None if start and end and start >= end else Window(start, end)
