"""The tools with which a model looks into memory; their docstrings are what it is told about them."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from langchain.tools import ToolRuntime, tool
from langchain_core.tools import BaseTool, ToolException
from pydantic import BeforeValidator

from agent.context import Context
from agent.dates import read_window
from agent.fence import fenced
from agent.listing import listing_of
from agent.prompts import spoken_time
from agent.searches import ALL_TIME, Windows
from memory.asking import understand
from memory.findings import Findings, Line, Scope
from memory.spoken_windows import spoken_windows

ScopeName = Literal["short", "long", "both"]

_LARGEST_ID = 2**63 - 1  # what PostgreSQL keeps as bigint
_SMALLEST_ID = 2**32  # Discord and SonyFlake ids are far larger, numbers of shown messages far smaller

_ALWAYS = frozenset({"all time", "all the time", "any time", "anytime", "always", "ever"})
_FORMS = (
    'Write `when` like "last Tuesday", "3 November", "since March", "the last two weeks" or "two discussions ago", '
    "or give start and end as dates such as 2026-11-03."
)
_NO_TIME = f"Say which time to list; to look at all time, use search_messages. {_FORMS}"
_MAY_WIDEN = 'Say that nothing was found then, or look further with when="all time".'


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a tool found, for the program: the lines that were shown with their numbers, and where it looked.

    `spoken` are the windows in words, empty for all time; `selected_from` tells how many messages a listing found when
    not all of them are among the lines.
    """

    lines: tuple[tuple[int, Line], ...]
    time_zone: ZoneInfo
    spoken: str = ""
    selected_from: str = ""


def _as_list(value: object) -> object:
    """Let a small model write one name where a list is due."""
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str] | None, BeforeValidator(_as_list)]


@tool(response_format="content_and_artifact")
async def search_messages(
    query: str,
    runtime: ToolRuntime[Context],
    when: str | None = None,
    authors: Names = None,
    start: str | None = None,
    end: str | None = None,
    scope: ScopeName = "both",
) -> tuple[str, Recalled]:
    """Find messages by what they say; the best come first, with the messages around them.

    Args:
        query: The words or the matter to look for, without names and dates.
        when: Only messages of this time, in the person's own words: "last Tuesday", "since March", "in our first
            session". Left out: the time that the question names. "all time" is for when nothing was found then.
        authors: Only messages of these people, by the names that they are shown with.
        start: In place of `when`, only messages from this time on: a date (2026-11-03) or date-time (2026-11-03T14:00).
        end: Only messages before this time, which is itself not included: for all of 3 November write 2026-11-04.
        scope: "short" is the present session only, "long" everything saved from earlier ones.
    """
    context = runtime.context
    text = _wanted(query)
    windows = context.searches.allowed(await _windows_meant(when, start, end, context))
    findings = await context.memory.search(
        text,
        places=context.asked.places,
        windows=windows,
        authors=_names(authors),
        scope=Scope(scope),
    )
    return _searched(findings, windows, context, scope=scope)


@tool(response_format="content_and_artifact")
async def list_messages(
    runtime: ToolRuntime[Context],
    when: str | None = None,
    authors: Names = None,
    start: str | None = None,
    end: str | None = None,
    scope: ScopeName = "both",
) -> tuple[str, Recalled]:
    """Read what was said in a stretch of time, in order, whatever it was about; of a long one, a selection.

    Args:
        when: The time in the person's own words: "last Tuesday", "yesterday evening", "two discussions ago". Left out:
            the time that the question names.
        authors: Only messages of these people, by the names that they are shown with.
        start: In place of `when`, the first moment: a date (2026-11-03) or date-time (2026-11-03T14:00).
        end: The end, which is itself not included: for all of 3 November write 2026-11-04. Now, if left out.
        scope: "short" is the present session only, "long" everything saved from earlier ones.
    """
    context = runtime.context
    windows = context.searches.allowed(await _windows_meant(when, start, end, context))
    if windows == ALL_TIME:
        raise ToolException(_NO_TIME)
    listing = await listing_of(
        windows,
        partial(_list_messages, context, authors=_names(authors), scope=Scope(scope)),
        now=context.question.now,
    )
    text, recalled = _searched(listing.findings, windows, context, scope=scope)
    if listing.is_whole:
        return text, recalled
    text += f"\nThis is a selection from {listing.amount} messages: ask for a shorter time to see all of them."
    return text, replace(recalled, selected_from=listing.amount)


@tool(response_format="content_and_artifact")
async def read_around(number_or_message: int, runtime: ToolRuntime[Context]) -> tuple[str, Recalled]:
    """Read the conversation just before and after a message that you were shown.

    Args:
        number_or_message: The number in front of the message, such as 3 for [3], or its message id.
    """
    context = runtime.context
    shown = context.evidence.message(number_or_message)
    message_id = shown.message_id if shown else number_or_message
    if not _SMALLEST_ID <= message_id <= _LARGEST_ID:
        raise ToolException(f"You were not shown a message [{number_or_message}].")
    findings = await context.memory.read_around(message_id, places=context.question.places)
    return _recalled(findings, context)


@tool
async def current_time(runtime: ToolRuntime[Context]) -> str:
    """Tell the date, the day of the week and the time for the person who asks."""
    question = runtime.context.question
    return spoken_time(question.now, question.time_zone)


TOOLS: tuple[BaseTool, ...] = (search_messages, list_messages, read_around, current_time)


def _wanted(query: str) -> str:
    text = query.replace("\x00", " ").strip()
    if not text:
        raise ToolException("Say what to look for, or use list_messages for a stretch of time.")
    return text


def _names(authors: list[str] | None) -> frozenset[str]:
    return frozenset(name.strip().removeprefix("@") for name in authors or ())


async def _windows_meant(when: str | None, start: str | None, end: str | None, context: Context) -> Windows | None:
    """Return the windows that a call names, None when it names none; words count before dates."""
    question = context.question
    words = (when or "").strip()
    if words.casefold() in _ALWAYS:
        return ALL_TIME
    if not words:
        return _window(start, end, question.time_zone)
    for phrase in (words, f"in {words}"):  # "May" by itself may be no month
        understood = await understand(
            phrase,
            places=question.places,
            here=question.channel_id,
            now=question.now,
            time_zone=question.time_zone,
            memory=context.memory,
        )
        if understood.windows:
            return understood.windows
    raise ToolException(f"{words!r} is no time that can be computed. {_FORMS}")


def _window(start: str | None, end: str | None, time_zone: ZoneInfo) -> Windows | None:
    try:
        window = read_window(start, end, time_zone)
    except ValueError as error:
        raise ToolException(str(error)) from error
    return None if window is None else (window,)


async def _list_messages(
    context: Context, windows: Windows, limit: int, *, authors: frozenset[str], scope: Scope
) -> Findings:
    return await context.memory.list_messages(
        places=context.asked.places, windows=windows, authors=authors, scope=scope, limit=limit
    )


def _searched(findings: Findings, windows: Windows, context: Context, *, scope: ScopeName) -> tuple[str, Recalled]:
    """Return what a search found and where it looked, and keep the latter."""
    text, recalled = _recalled(findings, context)
    whole = scope == "both" and not findings.unreachable
    context.searches.record(windows, nothing_there=whole and not recalled.lines)
    question = context.question
    spoken = spoken_windows(windows, time_zone=question.time_zone, now=question.now)
    if spoken:
        text += f"\nSearched: {spoken}."
    if windows and not recalled.lines and context.searches.may_widen:
        text += f" {_MAY_WIDEN}"
    return text, replace(recalled, spoken=spoken)


def _recalled(findings: Findings, context: Context) -> tuple[str, Recalled]:
    context.evidence.record(findings)
    time_zone = context.question.time_zone
    shown = fenced(findings, evidence=context.evidence, time_zone=time_zone)
    text = shown.text
    if findings.unreachable:
        text += f"\nThe {' and the '.join(findings.unreachable)} memory did not answer; messages may be missing."
    return text, Recalled(shown.lines, time_zone)
