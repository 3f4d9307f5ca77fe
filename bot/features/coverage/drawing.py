"""Draw what memory has seen of channels as lines of text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from agent.gap_notes import SeenPlace, seen_since
from agent.markdown import inline
from memory.coverage.intervals import Interval, first_id_at, gaps, time_of_id

WEEKS = 26
"""Blocks of a bar, one for each week; the last ends now."""

ALL, PART, NOTHING, NOT_YET = "█▒░·"
LEGEND = (
    f"What I remember here, a block for each of the last {WEEKS} weeks, the last one is this week: "
    f"{ALL} all, {PART} in part, {NOTHING} nothing, {NOT_YET} before the channel was there."
)
UNKNOWN = "I have not read it yet."
LONGEST = 1_900
"""Characters of a drawing: Discord takes 2,000."""

_LONGEST_NAME = 60
_WEEK = timedelta(weeks=1)
_AS_GOOD_AS_NOTHING = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What memory knows of a channel: how many messages about, None where that is not known, and when it was checked.

    `checked_at` is the last moment for which all of it is known to be as Discord had it.
    """

    place: SeenPlace
    messages: int | None = None
    checked_at: datetime | None = None


def drawing(channels: Sequence[Remembered], *, now: datetime, time_zone: ZoneInfo, of_all: int | None = None) -> str:
    """Return a legend and a line for each of the first channels, as many as a message takes.

    How many there are in all is `of_all`, where these are not all of them; the rest is counted in the last line.
    """
    lines = [LEGEND]
    total = len(channels) if of_all is None else of_all
    for number, channel in enumerate(channels):
        text = line_of(channel, now=now, time_zone=time_zone)
        rest = total - number - 1
        if sum(map(len, lines)) + len(lines) + len(text) + (len(_rest(rest)) + 1 if rest else 0) > LONGEST:
            return "\n".join([*lines, _rest(total - number)])
        lines.append(text)
    rest = total - len(channels)
    return "\n".join([*lines, *([_rest(rest)] if rest else [])])


def line_of(channel: Remembered, *, now: datetime, time_zone: ZoneInfo) -> str:
    """Return the bar of a channel with its name, since when it is seen, how much was said, and when it was checked."""
    name = f"**#{inline(channel.place.name, longest=_LONGEST_NAME)}**"
    said = [] if channel.messages is None else [_amount(channel.messages)]
    if not channel.place.seen:
        return " · ".join([f"{name} {UNKNOWN}", *said])
    since = seen_since(channel.place)
    began = "from its beginning" if since is None else f"since {_day(since, now, time_zone)}"
    checked = [] if channel.checked_at is None else [f"checked {_day(channel.checked_at, now, time_zone)}"]
    return f"`{bar(channel.place, now=now)}` {' · '.join([f'{name} {began}', *said, *checked])}"


def bar(place: SeenPlace, *, now: datetime) -> str:
    """Return a block for each week, the oldest first."""
    ends = [now - number * _WEEK for number in reversed(range(WEEKS))]
    return "".join(_block(place, Interval(first_id_at(end - _WEEK), first_id_at(end) - 1)) for end in ends)


def _block(place: SeenPlace, week: Interval) -> str:
    since_it_is_there = week.overlap(Interval(place.place_id, week.newest_id))
    if since_it_is_there.is_empty:
        return NOT_YET
    missed = sum((_length(gap) for gap in gaps(since_it_is_there, place.seen)), timedelta())
    if missed < _AS_GOOD_AS_NOTHING:
        return ALL
    return PART if missed < _length(since_it_is_there) else NOTHING


def _length(interval: Interval) -> timedelta:
    return time_of_id(interval.newest_id + 1) - time_of_id(interval.oldest_id)


def _amount(messages: int) -> str:
    return f"about {messages:,} message{'' if messages == 1 else 's'}"


def _rest(amount: int) -> str:
    return f"-# and {amount:,} more: `/coverage` with a `channel` shows any of them"


def _day(moment: datetime, now: datetime, time_zone: ZoneInfo) -> str:
    day: date = moment.astimezone(time_zone).date()
    year = f" {day.year}" if day.year != now.astimezone(time_zone).year else ""
    return f"{day.day} {day:%b}{year}"
