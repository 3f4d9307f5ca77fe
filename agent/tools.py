"""The tools with which a model looks into memory; their docstrings are what it is told about them."""

from dataclasses import dataclass
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from langchain.tools import ToolRuntime, tool
from langchain_core.tools import BaseTool, ToolException
from pydantic import BeforeValidator

from agent.context import Context
from agent.dates import read_window
from agent.fence import fenced
from agent.prompts import spoken_time
from memory.findings import Findings, Line, Scope, Window

ScopeName = Literal["short", "long", "both"]

_LIST_LIMIT = 50
_LARGEST_ID = 2**63 - 1  # what PostgreSQL keeps as bigint
_SMALLEST_ID = 2**32  # Discord and SonyFlake ids are far larger, numbers of shown messages far smaller


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a tool found, for the program: the lines that were shown with their numbers, and the asker's clock."""

    findings: Findings
    lines: tuple[tuple[int, Line], ...]
    time_zone: ZoneInfo


def _as_list(value: object) -> object:
    """Let a small model write one name where a list is due."""
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str] | None, BeforeValidator(_as_list)]


@tool(response_format="content_and_artifact")
async def search_messages(
    query: str,
    runtime: ToolRuntime[Context],
    authors: Names = None,
    start: str | None = None,
    end: str | None = None,
    scope: ScopeName = "both",
) -> tuple[str, Recalled]:
    """Find messages by what they say; the best come first, with the messages around them.

    Args:
        query: The words or the matter to look for, without names and dates.
        authors: Only messages of these people, by the names that they are shown with.
        start: Only messages from this time on: an ISO date (2026-11-03) or date-time (2026-11-03T14:00).
        end: Only messages before this time, which is itself not included: for all of 3 November write 2026-11-04.
        scope: "short" is the present session only, "long" everything saved from earlier ones.
    """
    context = runtime.context
    text = _wanted(query)
    window = _window(start, end, context.question.time_zone)
    findings = await context.memory.search(
        text,
        places=context.question.places,
        window=window,
        authors=frozenset(name.strip().removeprefix("@") for name in authors or ()),
        scope=Scope(scope),
    )
    return _recalled(findings, context)


@tool(response_format="content_and_artifact")
async def list_messages(
    start: str, runtime: ToolRuntime[Context], end: str | None = None, scope: ScopeName = "both"
) -> tuple[str, Recalled]:
    """Read what was said in a stretch of time, in order, whatever it was about; at most 50 messages.

    Args:
        start: The first moment: an ISO date (2026-11-03) or date-time (2026-11-03T14:00).
        end: The end, which is itself not included: for all of 3 November write 2026-11-04. Now, if left out.
        scope: "short" is the present session only, "long" everything saved from earlier ones.
    """
    context = runtime.context
    window = _window(start, end, context.question.time_zone)
    if window is None:
        raise ToolException("Say from when on: start is a date such as 2026-11-03.")
    findings = await context.memory.list_messages(
        places=context.question.places, window=window, scope=Scope(scope), limit=_LIST_LIMIT
    )
    text, recalled = _recalled(findings, context)
    if sum(len(excerpt.lines) for excerpt in findings.excerpts) >= _LIST_LIMIT:
        text += f"\nThis window may hold more than {_LIST_LIMIT} messages: narrow it to see the others."
    return text, recalled


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


def _window(start: str | None, end: str | None, time_zone: ZoneInfo) -> Window | None:
    try:
        return read_window(start, end, time_zone)
    except ValueError as error:
        raise ToolException(str(error)) from error


def _recalled(findings: Findings, context: Context) -> tuple[str, Recalled]:
    context.evidence.record(findings)
    time_zone = context.question.time_zone
    shown = fenced(findings, evidence=context.evidence, time_zone=time_zone)
    text = shown.text
    if findings.unreachable:
        text += f"\nThe {' and the '.join(findings.unreachable)} memory did not answer; messages may be missing."
    return text, Recalled(findings, shown.lines, time_zone)
