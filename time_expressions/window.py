"""Stretches of time, and what can be done with them."""

from dataclasses import dataclass
from datetime import UTC, datetime

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
