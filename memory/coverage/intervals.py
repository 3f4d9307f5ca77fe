"""The algebra of closed intervals of message ids (snowflakes)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

LARGEST_ID = 2**63 - 1
"""The largest id that the database takes; no snowflake reaches it before the year 2084."""

_DISCORD_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)  # Discord's documentation, "Snowflakes"
_BITS_BELOW_TIME = 22
_MILLISECOND = timedelta(milliseconds=1)


class Interval(NamedTuple):
    """All ids from `oldest_id` to `newest_id`, both of them included; empty where the first is the larger one."""

    oldest_id: int
    newest_id: int

    @property
    def is_empty(self) -> bool:
        """Whether no id lies in it."""
        return self.oldest_id > self.newest_id

    def touches(self, other: "Interval") -> bool:
        """Return whether no id lies between the two, so that both together are one interval."""
        return self.oldest_id <= other.newest_id + 1 and other.oldest_id <= self.newest_id + 1

    def overlap(self, other: "Interval") -> "Interval":
        """Return what lies in both."""
        return Interval(max(self.oldest_id, other.oldest_id), min(self.newest_id, other.newest_id))


EVERYTHING = Interval(0, LARGEST_ID)


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the fewest intervals with the same ids, the oldest first; none of them touch."""
    merged: list[Interval] = []
    for interval in sorted(interval for interval in intervals if not interval.is_empty):
        if merged and merged[-1].touches(interval):
            merged[-1] = Interval(merged[-1].oldest_id, max(merged[-1].newest_id, interval.newest_id))
        else:
            merged.append(interval)
    return merged


def gaps(span: Interval, covered: Iterable[Interval]) -> list[Interval]:
    """Return the intervals of a span that no covered interval has an id in, the oldest first."""
    return list(_between(span, merge(span.overlap(interval) for interval in covered)))


def _between(span: Interval, covered: Iterable[Interval]) -> Iterator[Interval]:
    """Yield what is left of a span between merged intervals that lie in it."""
    next_id = span.oldest_id
    for interval in covered:
        if interval.oldest_id > next_id:
            yield Interval(next_id, interval.oldest_id - 1)
        next_id = interval.newest_id + 1
    if next_id <= span.newest_id:
        yield Interval(next_id, span.newest_id)


def subtract(intervals: Iterable[Interval], removed: Iterable[Interval]) -> list[Interval]:
    """Return the intervals without the ids of the removed ones, merged, the oldest first."""
    taken = merge(removed)
    return [left for interval in merge(intervals) for left in gaps(interval, taken)]


def is_covered(span: Interval, covered: Iterable[Interval]) -> bool:
    """Return whether every id of a span lies in a covered interval; an empty span is covered."""
    return not gaps(span, covered)


def first_id_at(moment: datetime) -> int:
    """Return the smallest id that a message sent at a moment, or later, can have; 0 for one before Discord.

    Raises ValueError for a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    milliseconds = -((_DISCORD_EPOCH - moment) // _MILLISECOND)  # rounded up
    return min(max(0, milliseconds << _BITS_BELOW_TIME), LARGEST_ID)


def time_of_id(message_id: int) -> datetime:
    """Return when the message of an id was sent."""
    return _DISCORD_EPOCH + timedelta(milliseconds=message_id >> _BITS_BELOW_TIME)


def interval_of(start: datetime | None, end: datetime | None) -> Interval:
    """Return the ids of messages in the half-open window [start, end); None: from the beginning, without an end."""
    oldest = 0 if start is None else first_id_at(start)
    return Interval(oldest, LARGEST_ID if end is None else first_id_at(end) - 1)
