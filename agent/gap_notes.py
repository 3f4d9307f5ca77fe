"""Say in an answer which of the time and places that it was looked for in memory has not seen."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from agent.markdown import inline
from agent.types import Answer, Outcome, Question
from memory.coverage.intervals import Interval, first_id_at, gaps, interval_of, merge, time_of_id
from memory.coverage.ledger import Stretch
from memory.question.parse import ParsedQuestion
from memory.search.interface import MemoryReader
from time_expressions.window import ALL_TIME, Windows

SHORTEST_GAP = timedelta(minutes=10)
"""A shorter time away is not worth a sentence: a restart, or a moment that is still being read again."""

MOST_NAMED = 3
"""Channels that a sentence names one by one."""

MOST_TIMES = 2
"""Times away that a sentence names one by one, the longest ones."""

_MOMENT = timedelta(milliseconds=1)


class Coverage(Protocol):
    """Knows which stretches of each channel and thread were heard or read."""

    async def of_places(self, places: Collection[int]) -> Mapping[int, Sequence[Stretch]]:
        """Return the stretches of each place that has any; raise DatabaseUnavailableError."""
        ...


_Stretch = tuple[str, timedelta]
"""A time away as it is written, and how long it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPlace:
    """What memory has seen of a channel: the ids that were heard or read, under a name that may be shown."""

    place_id: int
    name: str
    seen: tuple[Interval, ...]


async def gap_notes_of(
    answer: Answer, question: Question, parsed: ParsedQuestion, *, coverage: Coverage, memory: MemoryReader
) -> tuple[str, ...]:
    """Return what to say under an answer of the time and places that it was looked for in; see `gap_notes`.

    Of an answer that was looked for in all time and all channels, and found, there is nothing to say: some gap there is
    always. Names are those that whoever reads the answer may know. Raises DatabaseUnavailableError.
    """
    searched = answer.searched
    if searched is None:
        return ()
    windows = ALL_TIME if searched.went_beyond else searched.windows
    if not windows and not searched.channels and answer.outcome is not Outcome.NOTHING_FOUND:
        return ()
    ids = parsed.places if parsed.conversations is None else parsed.conversations
    known = await coverage.of_places(ids) if ids else {}
    if not known:
        return ()
    names = await memory.known_names(places=question.places)
    places = [
        SeenPlace(place_id=place_id, name=name, seen=tuple(stretch.covered for stretch in stretches))
        for place_id, stretches in known.items()
        if (name := names.channel_name(place_id))
    ]
    return gap_notes(places, windows, now=question.now, time_zone=question.time_zone)


def gap_notes(places: Sequence[SeenPlace], windows: Windows, *, now: datetime, time_zone: ZoneInfo) -> tuple[str, ...]:
    """Return at most two sentences: when the bot was away, and since when it sees a channel.

    Only what lies in the windows counts, no windows are all time. A channel of which nothing is known to have been
    seen gets no word.
    """
    asked = merge(interval_of(window.start, window.end) for window in windows) or [interval_of(None, None)]
    known = [place for place in places if place.seen]
    return tuple(filter(None, [_away(known, asked, now, time_zone), _since(known, asked, now, time_zone)]))


def times_away(place: SeenPlace, *, now: datetime) -> list[Interval]:
    """Return what lies between the first that was seen of a place and now, and was not seen, without short gaps."""
    first_id = merge(place.seen)[0].oldest_id
    missed = gaps(Interval(max(first_id, place.place_id), first_id_at(now)), place.seen)
    return [gap for gap in missed if _length(gap) >= SHORTEST_GAP]


def seen_since(place: SeenPlace) -> datetime | None:
    """Return since when a place is seen; None when that is from its beginning, which its id tells."""
    first_id = merge(place.seen)[0].oldest_id
    began_later = time_of_id(first_id) - time_of_id(place.place_id) >= SHORTEST_GAP
    return time_of_id(first_id) if began_later else None


def _away(places: Sequence[SeenPlace], asked: Sequence[Interval], now: datetime, time_zone: ZoneInfo) -> str:
    names: dict[tuple[_Stretch, ...], list[str]] = defaultdict(list)
    for place in places:
        missed = [gap for gap in times_away(place, now=now) if _concerns(gap, asked)]
        if missed:
            names[_longest(missed, now, time_zone)].append(place.name)
    if not names:
        return ""
    times, named = max(names.items(), key=lambda item: (len(item[1]), [length for _, length in item[0]]))
    others = sum(map(len, names.values())) - len(named)
    more = f", and at other times in {_channels(others)} more" if others else ""
    where = _where(named, len(places))
    return f"I was away {_listed([time for time, _ in times])}{where}{more}, so I may not know what was said then."


def _longest(missed: Sequence[Interval], now: datetime, time_zone: ZoneInfo) -> tuple[_Stretch, ...]:
    """Return the longest times away in order of time, and how many more there are."""
    longest = sorted(sorted(missed, key=_length, reverse=True)[:MOST_TIMES])
    shown = [(_days(gap, now, time_zone), _length(gap)) for gap in longest]
    rest = len(missed) - len(longest)
    if rest:
        shown.append((f"{rest} more {'times' if rest > 1 else 'time'}", timedelta()))
    return tuple(shown)


def _since(places: Sequence[SeenPlace], asked: Sequence[Interval], now: datetime, time_zone: ZoneInfo) -> str:
    since: dict[date, list[str]] = defaultdict(list)
    for place in places:
        start = seen_since(place)
        if start is not None and _concerns(Interval(place.place_id, first_id_at(start) - 1), asked):
            since[start.astimezone(time_zone).date()].append(place.name)
    if not since:
        return ""
    day, named = max(since.items(), key=lambda item: (len(item[1]), item[0]))
    others = sum(map(len, since.values())) - len(named)
    more = f", and {_channels(others)} more not from the beginning" if others else ""
    return f"I see {_names(named)} since {_day(day, now.astimezone(time_zone).year)} only{more}."


def _concerns(gap: Interval, asked: Iterable[Interval]) -> bool:
    """Return whether enough of a gap was asked about."""
    shared = (gap.overlap(interval) for interval in asked)
    return any(not interval.is_empty and _length(interval) >= SHORTEST_GAP for interval in shared)


def _length(interval: Interval) -> timedelta:
    return time_of_id(interval.newest_id + 1) - time_of_id(interval.oldest_id)


def _where(names: Sequence[str], amount: int) -> str:
    """Return in which channels; of many, of which none is different, that it was in all."""
    if len(names) == amount and amount > MOST_NAMED:
        return ""
    return f" in {_names(names)}"


def _names(names: Collection[str]) -> str:
    shown = [f"#{inline(name)}" for name in sorted(names)[:MOST_NAMED]]
    rest = len(names) - len(shown)
    return _listed([*shown, *([_channels(rest)] if rest else [])])


def _channels(amount: int) -> str:
    return f"{amount} channel{'s' if amount > 1 else ''}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _days(gap: Interval, now: datetime, time_zone: ZoneInfo) -> str:
    """Return a stretch of time as days, "14 - 16 Nov", or within a day with its clock times."""
    start, next_moment = (time_of_id(key).astimezone(time_zone) for key in (gap.oldest_id, gap.newest_id + 1))
    end = next_moment - _MOMENT
    year = now.astimezone(time_zone).year
    if start.date() == end.date():
        until = f"{next_moment:%H:%M}" if next_moment.date() == end.date() else "24:00"
        return f"{_day(start.date(), year)} {start:%H:%M} - {until}"
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day} - {_day(end.date(), year)}"
    return f"{_day(start.date(), year)} - {_day(end.date(), year)}"


def _day(day: date, year: int) -> str:
    return f"{day.day} {day:%b}" + (f" {day.year}" if day.year != year else "")
