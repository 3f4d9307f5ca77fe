"""The tools with which a model searches memory; their docstrings are part of its prompt."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from langchain.tools import ToolRuntime, tool
from langchain_core.tools import BaseTool, ToolException
from pydantic import BeforeValidator

from agent import lookup
from agent.context import Context
from agent.counts import count_shown
from agent.lookup import Recalled
from agent.prompts import spoken_time
from memory.authors import Authors
from memory.counting.results import Matter
from memory.counting.words import Sought
from memory.message import sanitize
from memory.question.parse import LONGEST_QUESTION, parse_question
from memory.question.speakers import authors_called
from memory.question.topic import Selection
from memory.search.results import Scope
from time_expressions.folding import folded
from time_expressions.window import ALL_TIME, FIRST_MOMENT, LAST_MOMENT, Window, Windows, showable

_LONGEST_DATE = 64  # characters


def read_window(start: str | None, end: str | None, time_zone: ZoneInfo) -> Window | None:
    """Return the half-open window between two ISO texts, None when both are missing or as far away as a date can be.

    What carries no offset is read on the clock of `time_zone`; a date alone is the start of that day. The year 9999 as
    end is what models write for no end. Raises ValueError, with a sentence for the model, for what is no date and for
    an end that is not after the start.
    """
    first, last = _moment(start, time_zone), _moment(end, time_zone)
    window = Window(None if first == FIRST_MOMENT else first, None if last == LAST_MOMENT else last)
    if window == Window():
        return None
    if window.start and window.end and window.start >= window.end:
        raise ValueError(
            f"end ({end}) must be after start ({start}); the end is not included, "
            "so for one whole day give the next day as end."
        )
    return window


def _moment(text: str | None, time_zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    if len(text) > _LONGEST_DATE:
        raise ValueError(f"{text[:_LONGEST_DATE]!r}... is not a date: write it like 2026-11-03 or 2026-11-03T14:00.")
    try:
        moment = datetime.fromisoformat(text.strip())
        return showable(moment if moment.tzinfo else moment.replace(tzinfo=time_zone)).astimezone(UTC)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a date: write it like 2026-11-03 or 2026-11-03T14:00.") from error


ScopeName = Literal["short", "long", "both"]
Counted = Literal["messages", "links", "pictures", "videos", "recordings", "PDFs", "files", "polls"]

_LONGEST_TIME = 200  # characters of a time in words or as a date

_LARGEST_ID = 2**63 - 1  # what PostgreSQL keeps as bigint
_SMALLEST_ID = 2**32  # Discord and SonyFlake ids are far larger, numbers of shown messages far smaller

_ALWAYS = frozenset({"all time", "all the time", "any time", "anytime", "always", "ever"})
_FORMS = (
    'Write `when` like "last Tuesday", "3 November", "since March", "the last two weeks" or "two discussions ago", '
    "or give start and end as dates such as 2026-11-03."
)


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
        authors: Only messages of these people, by the names that they are shown with, or "everyone but" such a name.
        start: In place of `when`, only messages from this time on: a date (2026-11-03) or date-time (2026-11-03T14:00).
        end: Only messages before this time, which is itself not included: for all of 3 November write 2026-11-04.
        scope: "short" is the present session only, "long" everything saved from earlier ones.
    """
    context = runtime.context
    text = _wanted(query)
    windows = context.searches.narrow(await _windows_meant(when, start, end, context))
    return await lookup.search(
        context, text, windows=windows, authors=await _authors(authors, context), scope=Scope(scope)
    )


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

    Without any time these are the newest messages.

    Args:
        when: The time in the person's own words: "last Tuesday", "yesterday evening", "two discussions ago". Left out:
            the time that the question names.
        authors: Only messages of these people, by the names that they are shown with, or "everyone but" such a name.
        start: In place of `when`, the first moment: a date (2026-11-03) or date-time (2026-11-03T14:00).
        end: The end, which is itself not included: for all of 3 November write 2026-11-04. Now, if left out.
        scope: "short" is the present session only, "long" everything saved from earlier ones.
    """
    context = runtime.context
    windows = context.searches.narrow(await _windows_meant(when, start, end, context))
    meant_authors = await _authors(authors, context)
    selection = context.parsed.selection
    if selection or windows == ALL_TIME:
        return await lookup.select_in_order(
            context, selection or Selection(), windows=windows, authors=meant_authors, scope=Scope(scope)
        )
    return await lookup.list_time(context, windows=windows, authors=meant_authors, scope=Scope(scope))


@tool(response_format="content_and_artifact")
async def count_messages(
    runtime: ToolRuntime[Context],
    words: str = "",
    what: Counted = "messages",
    when: str | None = None,
    authors: Names = None,
    start: str | None = None,
    end: str | None = None,
) -> tuple[str, Recalled]:
    """Count exactly how many messages, links, pictures or files there are, and by whom: how often, who most, who first.

    Args:
        words: Count only messages with all of these words; "in quotation marks" as they stand. Left out: all.
        what: What to count in these messages.
        when: Only messages of this time, in the person's own words. Left out: the time that the question names.
        authors: Only messages of these people, by the names that they are shown with.
        start: In place of `when`, only messages from this time on: a date (2026-11-03) or date-time (2026-11-03T14:00).
        end: Only messages before this time, which is itself not included: for all of 3 November write 2026-11-04.
    """
    context = runtime.context
    terms = _short("words", sanitize(words.replace("\x00", " ")).strip())
    windows = context.searches.narrow(await _windows_meant(when, start, end, context))
    matter = Matter(sought=Sought(what), terms=terms)
    return await count_shown(context, matter, windows=windows, authors=await _authors(authors, context))


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
    return await lookup.read_around(context, message_id)


@tool
async def current_time(runtime: ToolRuntime[Context]) -> str:
    """Tell the date, the day of the week and the time for the person who asks."""
    question = runtime.context.question
    return spoken_time(question.now, question.time_zone)


TOOLS: tuple[BaseTool, ...] = (search_messages, list_messages, count_messages, read_around, current_time)


def _wanted(query: str) -> str:
    text = sanitize(query.replace("\x00", " ")).strip()
    if not text:
        raise ToolException("Say what to look for, or use list_messages for a stretch of time.")
    return _short("query", text)


def _short(name: str, text: str) -> str:
    if len(text) > LONGEST_QUESTION:
        raise ToolException(f"{name} has {len(text)} characters: write {LONGEST_QUESTION} at most.")
    return text


async def _authors(called: list[str] | None, context: Context) -> Authors | None:
    """Return whom a model's list of names means among those who have spoken where it may look; None without a list."""
    _short("authors", " ".join(called or ()))
    names = [sanitize(name.replace("\x00", " ").strip().removeprefix("@")) for name in called or ()]
    if not names:
        return None
    return authors_called(names, await context.memory.known_names(places=context.parsed.places))


async def _windows_meant(when: str | None, start: str | None, end: str | None, context: Context) -> Windows | None:
    """Return the windows that a call names, None when it names none; words count before dates."""
    question = context.question
    if any(len(text) > _LONGEST_TIME for text in (when, start, end) if text):
        raise ToolException(f"That is too long for a time. {_FORMS}")
    words = (when or "").strip()
    if folded(words) in _ALWAYS:
        return ALL_TIME
    if not words:
        return _window(start, end, question.time_zone)
    for phrase in (words, f"in {words}"):  # "May" by itself may be no month
        understood = await parse_question(
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
