"""Look into memory for one question: in its places, in the time that it may search, with numbers for what is found."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import ZoneInfo

from agent.context import Context
from agent.listing import listing_of, newest_that_fit
from agent.transcript import format_messages
from memory.authors import Authors
from memory.question.topic import Selection
from memory.search.results import RankedMessage, Scope, SearchResult
from memory.search.terms import Weighed
from time_expressions.format import spoken_windows
from time_expressions.window import ALL_TIME, Windows

SELECTED = 8
"""Messages of a selection when the question does not say how many: about what a screen shows."""

_MAY_WIDEN = 'Say that nothing was found then, or look further with when="all time".'


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was found, for the program: the lines that were shown with their numbers, and where it was looked for.

    `spoken` are the windows in words, empty for all time; `selected_from` tells how many messages a listing found when
    not all of them are among the lines. `words` are the telling ones of what was searched for, and `read_as` those that
    were taken for others. It may be `of_another_time` than the question names.
    """

    lines: tuple[tuple[int, RankedMessage], ...]
    time_zone: ZoneInfo
    spoken: str = ""
    selected_from: str = ""
    words: tuple[Weighed, ...] = ()
    read_as: tuple[tuple[str, str], ...] = ()
    of_another_time: bool = False


async def search(
    context: Context,
    text: str,
    *,
    windows: Windows,
    authors: Authors | None = None,
    scope: Scope = Scope.BOTH,
) -> tuple[str, Recalled]:
    """Return the messages that fit a text, as a model reads them and for the program.

    Raises DatabaseUnavailableError when no memory answers.
    """
    findings = await context.memory.search(
        text, places=context.parsed.places, windows=windows, authors=authors, scope=scope
    )
    return _searched(findings, windows, context, scope=scope)


async def search_all_time(
    context: Context, text: str, *, speaks_of_it: Callable[[RankedMessage], bool]
) -> Recalled | None:
    """Return the messages of any time that fit a text, None unless one of them speaks of what is meant.

    Raises DatabaseUnavailableError when no memory answers.
    """
    parsed = context.parsed
    findings = await context.memory.search(text, places=parsed.places, authors=parsed.authors)
    if not any(line.hit and speaks_of_it(line) for excerpt in findings.excerpts for line in excerpt.lines):
        return None
    return _searched(findings, ALL_TIME, context, scope=Scope.BOTH)[1]


async def list_time(
    context: Context, *, windows: Windows, authors: Authors | None = None, scope: Scope = Scope.BOTH
) -> tuple[str, Recalled]:
    """Return the messages of a stretch of time in order, or a selection from all over a long one.

    Raises DatabaseUnavailableError when no memory answers.
    """
    listing = await listing_of(
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
    found = await context.memory.list_messages(
        places=context.parsed.places,
        windows=windows,
        authors=authors,
        scope=scope,
        limit=selection.count or SELECTED,
        newest=selection.newest,
    )
    return _searched(newest_that_fit(found) if selection.newest else found, windows, context, scope=scope)


async def read_around(context: Context, message_id: int) -> tuple[str, Recalled]:
    """Return a message with those just before and after it; raise DatabaseUnavailableError when no memory answers."""
    findings = await context.memory.read_around(message_id, places=context.question.places)
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
