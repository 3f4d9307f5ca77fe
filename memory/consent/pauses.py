"""The stretches of time in which nothing that is said in a server, or in one of its channels, is kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from time_expressions.window import Window

MOST_PAUSES = 2_000
"""Pauses that are noted of one server: they stay for ever, as what was said in them must never be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A half-open stretch [start, end) of a channel with its threads, of a thread, or of a whole server (None).

    One without an `end` goes on until it is ended.
    """

    start: datetime
    end: datetime | None = None
    channel_id: int | None = None

    def covers(self, moment: datetime) -> bool:
        """Return whether a moment lies in it."""
        return self.start <= moment and (self.end is None or moment < self.end)

    @property
    def is_empty(self) -> bool:
        """Whether no moment lies in it."""
        return self.end is not None and self.end <= self.start


def begin(pauses: Iterable[Pause], pause: Pause) -> tuple[Pause, ...]:
    """Return pauses with another one, in place of whatever of the same channel, or server, is not over when it begins.

    A pause that goes on is ended where the new one begins, so that whoever pauses again says anew until when.
    """
    return merged([*end(pauses, at=pause.start, channel_id=pause.channel_id), pause])


def end(pauses: Iterable[Pause], *, at: datetime, channel_id: int | None) -> tuple[Pause, ...]:
    """Return pauses of which those of a channel, or of the whole server, are over at a moment."""
    ended = (
        replace(pause, end=at) if pause.channel_id == channel_id and (pause.end is None or pause.end > at) else pause
        for pause in pauses
    )
    return tuple(pause for pause in ended if not pause.is_empty)


def in_force(pauses: Iterable[Pause], *, at: datetime) -> tuple[Pause, ...]:
    """Return the pauses that a moment lies in."""
    return tuple(pause for pause in pauses if pause.covers(at))


def merged(pauses: Iterable[Pause]) -> tuple[Pause, ...]:
    """Return the fewest pauses with the same moments, by channel and time."""
    found: list[Pause] = []
    for pause in sorted(pauses, key=lambda one: (one.channel_id or 0, one.start)):
        last = found[-1] if found else None
        if last is not None and last.channel_id == pause.channel_id and _touch(last, pause):
            found[-1] = replace(last, end=_later(last.end, pause.end))
        elif not pause.is_empty:
            found.append(pause)
    return tuple(found)


def covered(pauses: Sequence[Pause], moment: datetime, places: Iterable[int | None]) -> bool:
    """Return whether a moment lies in a pause of the whole server or of one of these places."""
    of = {None, *places}
    return any(pause.channel_id in of and pause.covers(moment) for pause in pauses)


def overlaps(pauses: Iterable[Pause], windows: Iterable[Window], places: Iterable[int | None]) -> bool:
    """Return whether some moment of a window lies in a pause of the whole server or of one of these places."""
    of = {None, *places}
    mine = [pause for pause in pauses if pause.channel_id in of]
    return any(window.overlaps(pause.start, pause.end) for window in windows for pause in mine)


def _touch(earlier: Pause, later: Pause) -> bool:
    return earlier.end is None or later.start <= earlier.end


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else max(one, other)
