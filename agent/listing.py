"""List what was said in a stretch of time; of a long one, messages that stand for all of it."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from agent.transcript import MESSAGE_LIMIT, OUTPUT_LIMIT
from memory.search.results import RankedMessage, SearchResult, by_place
from time_expressions.window import Window, Windows, intersection

MOST_LISTED = 500
"""Messages that are read at most to choose from."""

_MOST_SHOWN = 50
_PARTS = 10  # of a time with more messages than that, each of which is read from
_HEADING = 60  # characters in front of a message: its number, time, channel and author

ListMessages = Callable[[Windows, int], Awaitable[SearchResult]]
"""Gives the first messages in some windows, as many as asked for."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Messages of a stretch of time that fit into a tool's output, and how many there are: "24", "500 or more"."""

    findings: SearchResult
    amount: str
    is_whole: bool


async def listing_of(windows: Windows, list_messages: ListMessages, *, now: datetime) -> Listing:
    """Return the messages in the windows, evenly chosen where they are too many to show."""
    found = await list_messages(windows, MOST_LISTED)
    lines = _lines(found)
    amount = f"{len(lines)}"
    is_whole = len(lines) < MOST_LISTED
    if not is_whole:
        amount += " or more"
        parts = _parts(windows, first=lines[0].message.sent_at, now=now)
        lines = [line for part in parts for line in _lines(await list_messages(part, MOST_LISTED // _PARTS))] or lines
    shown = min(len(lines), _fitting(lines))
    if is_whole and shown == len(lines):
        return Listing(found, amount, is_whole=True)
    chosen = [lines[index * len(lines) // shown] for index in range(shown)]
    return Listing(SearchResult(tuple(by_place(chosen)), found.unreachable), amount, is_whole=False)


def newest_that_fit(found: SearchResult) -> SearchResult:
    """Return the last of some messages in time order, as many as fit into a tool's output."""
    lines = _lines(found)
    left, fitting = OUTPUT_LIMIT, 0
    for line in reversed(lines):
        left -= _HEADING + min(len(line.message.content), MESSAGE_LIMIT)
        fitting += left >= 0
    return found if fitting == len(lines) else replace(found, excerpts=tuple(by_place(lines[len(lines) - fitting :])))


def _lines(findings: SearchResult) -> list[RankedMessage]:
    return [line for excerpt in findings.excerpts for line in excerpt.lines]


def _parts(windows: Windows, *, first: datetime, now: datetime) -> Iterator[Windows]:
    """Yield parts of equal length of the time from the first message to the end of the windows, or to now."""
    ends = [window.end for window in windows]
    last = max((end for end in ends if end), default=now) if None not in ends else now
    step = (last - first) / _PARTS
    for number in range(_PARTS):
        if part := intersection(windows, (Window(first + number * step, first + (number + 1) * step),)):
            yield part


def _fitting(lines: list[RankedMessage]) -> int:
    """Return how many of these messages can be shown, if they are as long as all are on average."""
    length = sum(_HEADING + min(len(line.message.content), MESSAGE_LIMIT) for line in lines)
    return min(_MOST_SHOWN, max(1, len(lines) * OUTPUT_LIMIT // max(1, length)))
