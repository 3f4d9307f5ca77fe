"""Limit the time that the searches of one question may look in, and record which time they have looked in.

The rule, for every call of a tool:

1. A question that is asked of all time is searched over all time, whatever the model passes.
2. A question that names a time is searched in its windows, any of which may hold a message. What the model passes can
   only narrow them: the search looks where both overlap, and in all of the question's windows where nothing does. "All
   time" is obeyed once a search of all the question's windows, in both memories, has found nothing.
3. A question that names no time is searched in what the model passes, and over all time when it passes nothing.
"""

from collections.abc import Iterable

from time_expressions.window import ALL_TIME, Window, Windows, intersection, union


class TimeScope:
    """The time that the searches of one run may look in, and the time that they have looked in."""

    def __init__(self, windows: Iterable[Window], *, all_time: bool) -> None:
        self._windows = ALL_TIME if all_time else union(windows)
        self._all_time = all_time
        self._is_empty = False
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
            return ALL_TIME if self._is_empty else self._windows
        return intersection(wanted, self._windows) or self._windows

    def record(self, windows: Windows, *, is_empty: bool) -> None:
        """Note that these windows were searched; `is_empty` when it is certain that nothing is in them."""
        self._made.append(windows)
        if is_empty and windows == self._windows:
            self._is_empty = True

    def add(self, other: "TimeScope") -> None:
        """Note what was searched for a part of the question."""
        self._made += other.made

    @property
    def made(self) -> list[Windows]:
        """The windows of each search, in order."""
        return self._made

    @property
    def were_made(self) -> bool:
        """Whether anything was searched."""
        return bool(self._made)

    @property
    def may_widen(self) -> bool:
        """Whether the question's own windows hold nothing, so that all time may be searched."""
        return bool(self._windows) and self._is_empty

    @property
    def windows(self) -> Windows:
        """All that was searched, which is all time as soon as one search was."""
        if ALL_TIME in self._made:
            return ALL_TIME
        return union(window for windows in self._made for window in windows)

    @property
    def went_beyond(self) -> bool:
        """Whether all time was searched in place of the time that the question names."""
        return ALL_TIME in self._made and (self._all_time or bool(self._windows))
