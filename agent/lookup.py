"""Search and list memory for one question: in its places and windows, with a number for each message that is found."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from agent.context import Context
from agent.progress import Step, StepKind
from agent.transcript import MESSAGE_LIMIT, OUTPUT_LIMIT, format_messages
from memory.authors import Authors
from memory.question.topic import Selection
from memory.search.fusing import fused
from memory.search.results import RankedMessage, Scope, SearchResult, by_place
from memory.search.terms import Weighed
from time_expressions.format import spoken_windows
from time_expressions.window import ALL_TIME, Window, Windows, intersection

SELECTED = 8
"""Messages of a selection when the question does not say how many: about what a screen shows."""

HITS = 8
"""Messages that several searches together find; one by itself finds as many."""

MOST_LISTED = 500
"""Messages that are read at most to choose from."""

_MOST_SHOWN = 50
_PARTS = 10  # of a time with more messages than that, each of which is read from
_HEADING = 60  # characters in front of a message: its number, time, channel and author

_MAY_WIDEN = 'Say that nothing was found then, or look further with when="all time".'


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was found, for the program: the lines that were shown with their numbers, and where it was looked for.

    `spoken` are the windows in words, empty for all time; `selected_from` tells how many messages a listing found when
    not all of them are among the lines. `words` are the telling ones of what was searched for, and `read_as` those that
    were taken for others. It may be `of_another_time` than the question names, or have been said `around_it`:
    around the message that the question points at.
    """

    lines: tuple[tuple[int, RankedMessage], ...]
    time_zone: ZoneInfo
    spoken: str = ""
    selected_from: str = ""
    words: tuple[Weighed, ...] = ()
    read_as: tuple[tuple[str, str], ...] = ()
    of_another_time: bool = False
    around_it: bool = False


async def search(
    context: Context,
    text: str,
    *,
    windows: Windows,
    authors: Authors | None = None,
    scope: Scope = Scope.BOTH,
    also: Sequence[str] = (),
) -> tuple[str, Recalled]:
    """Return the messages that fit a text, and those that fit others `also`, as a model reads them and as values.

    Raises DatabaseUnavailableError when no memory answers.
    """
    context.tell(StepKind.SEARCHING, windows=windows)
    search_for = partial(
        context.memory.search, places=context.parsed.places, windows=windows, authors=authors, scope=scope
    )
    findings = await search_for(text)
    if also:
        findings = fused(findings, *[await search_for(other) for other in also], limit=HITS)
    return _searched(findings, windows, context, scope=scope)


async def search_all_time(
    context: Context, text: str, *, speaks_of_it: Callable[[RankedMessage], bool]
) -> tuple[str, Recalled] | None:
    """Return the messages of any time that fit a text, None unless one of them speaks of what is meant.

    Raises DatabaseUnavailableError when no memory answers.
    """
    parsed = context.parsed
    context.tell(StepKind.SEARCHING)
    findings = await context.memory.search(text, places=parsed.places, authors=parsed.authors)
    if not any(line.hit and speaks_of_it(line) for excerpt in findings.excerpts for line in excerpt.lines):
        return None
    return _searched(findings, ALL_TIME, context, scope=Scope.BOTH)


async def list_time(
    context: Context, *, windows: Windows, authors: Authors | None = None, scope: Scope = Scope.BOTH
) -> tuple[str, Recalled]:
    """Return the messages of a stretch of time in order, or a selection from all over a long one.

    Raises DatabaseUnavailableError when no memory answers.
    """
    context.tell(StepKind.LISTING, windows=windows)
    listing = await _listing(
        windows, partial(_list_messages, context, authors=authors, scope=scope), now=context.question.now
    )
    text, recalled = _searched(listing.findings, windows, context, scope=scope)
    if listing.is_whole:
        return text, recalled
    text += f"\nThis is a selection from {listing.amount} messages: ask for a shorter time to see all of them."
    return text, replace(recalled, selected_from=listing.amount)


async def select_in_order(
    context: Context,
    selection: Selection,
    *,
    windows: Windows,
    authors: Authors | None = None,
    scope: Scope = Scope.BOTH,
) -> tuple[str, Recalled]:
    """Return the newest messages, or the oldest, in time order, without regard to what they say.

    Raises DatabaseUnavailableError when no memory answers.
    """
    context.tell(StepKind.LISTING, windows=windows)
    found = await context.memory.list_messages(
        places=context.parsed.places,
        windows=windows,
        authors=authors,
        scope=scope,
        limit=selection.count or SELECTED,
        newest=selection.newest,
    )
    return _searched(_newest_that_fit(found) if selection.newest else found, windows, context, scope=scope)


async def read_around(context: Context, message_id: int, *, before: int = 5, after: int = 5) -> tuple[str, Recalled]:
    """Return a message with those just before and after it; raise DatabaseUnavailableError when no memory answers."""
    context.watched.step(Step(kind=StepKind.READING_AROUND, count=context.evidence.count_reading()))
    places = context.question.places
    findings = await context.memory.read_around(message_id, places=places, before=before, after=after)
    return _recalled(findings, context)


async def _list_messages(
    context: Context, windows: Windows, limit: int, *, authors: Authors | None, scope: Scope
) -> SearchResult:
    return await context.memory.list_messages(
        places=context.parsed.places, windows=windows, authors=authors, scope=scope, limit=limit
    )


def _searched(findings: SearchResult, windows: Windows, context: Context, *, scope: Scope) -> tuple[str, Recalled]:
    """Return what a search found and where it looked, and keep the latter."""
    text, recalled = _recalled(findings, context)
    whole = scope is Scope.BOTH and not findings.unreachable
    context.searches.record(windows, is_empty=whole and not recalled.lines)
    question = context.question
    spoken = spoken_windows(windows, time_zone=question.time_zone, now=question.now)
    if spoken:
        text += f"\nSearched: {spoken}."
    if windows and not recalled.lines and context.searches.may_widen:
        text += f" {_MAY_WIDEN}"
    return text, replace(recalled, spoken=spoken)


def _recalled(findings: SearchResult, context: Context) -> tuple[str, Recalled]:
    context.evidence.record(findings)
    time_zone = context.question.time_zone
    shown = format_messages(findings, evidence=context.evidence, time_zone=time_zone)
    text = shown.text
    if findings.unreachable:
        text += f"\nThe {' and the '.join(findings.unreachable)} memory did not answer; messages may be missing."
    return text, Recalled(shown.lines, time_zone, words=findings.words, read_as=findings.read_as)


# ---- a listing that fits into a tool's output

_ListMessages = Callable[[Windows, int], Awaitable[SearchResult]]
"""Gives the first messages in some windows, as many as asked for."""


@dataclass(frozen=True, slots=True)
class _Listing:
    """Messages of a stretch of time that fit into a tool's output, and how many there are: "24", "500 or more"."""

    findings: SearchResult
    amount: str
    is_whole: bool


async def _listing(windows: Windows, list_messages: _ListMessages, *, now: datetime) -> _Listing:
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
        return _Listing(found, amount, is_whole=True)
    chosen = [lines[index * len(lines) // shown] for index in range(shown)]
    return _Listing(SearchResult(tuple(by_place(chosen)), found.unreachable), amount, is_whole=False)


def _newest_that_fit(found: SearchResult) -> SearchResult:
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
