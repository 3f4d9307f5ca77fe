"""The tools with which a model searches and reads memory; their docstrings are part of its prompt."""

from langchain.tools import ToolRuntime, tool
from langchain_core.tools import ToolException

from agent import lookup
from agent.context import Context
from agent.lookup import Recalled
from agent.prompts import spoken_time
from agent.tools.arguments import Names, ScopeName, Text, short_text, whose_meant, windows_meant
from memory.message import sanitize
from memory.question.topic import Selection
from memory.search.results import Scope
from time_expressions.window import ALL_TIME

_LARGEST_ID = 2**63 - 1  # what PostgreSQL keeps as bigint
_SMALLEST_ID = 2**32  # Discord and SonyFlake ids are far larger, numbers of shown messages far smaller


@tool(response_format="content_and_artifact")
async def search_messages(
    query: str,
    runtime: ToolRuntime[Context],
    when: Text = None,
    authors: Names = None,
    start: Text = None,
    end: Text = None,
    scope: ScopeName = "both",
) -> tuple[str, Recalled]:
    """Find messages by what they say; the best come first, with the messages around them.

    Args:
        query: What to look for, without names and dates.
        when: Only in this time, in the person's own words: "last Tuesday", "since March", "in our first session".
            Left out: the time that the question names. "all time" is for when nothing was found then.
        authors: Only by these people, by the names that they are shown with, or "everyone but" such a name.
        start: In place of `when`, from this date (2026-11-03) or date-time (2026-11-03T14:00) on.
        end: Before this date, which is itself not included: for all of 3 November write 2026-11-04.
        scope: "short" is the present session only, "long" everything saved from earlier ones.
    """
    context = runtime.context
    text = _wanted(query)
    windows = context.searches.narrow(await windows_meant(when, start, end, context))
    whose = await whose_meant(authors, context)
    shown, found = await lookup.search(context, text, windows=windows, authors=whose.authors, scope=Scope(scope))
    return whose.noted(shown), found


@tool(response_format="content_and_artifact")
async def list_messages(
    runtime: ToolRuntime[Context],
    when: Text = None,
    authors: Names = None,
    start: Text = None,
    end: Text = None,
    scope: ScopeName = "both",
) -> tuple[str, Recalled]:
    """Read what was said in a stretch of time, in order, whatever it was about; of a long one, a selection.

    Without any time these are the newest messages. The arguments are those of search_messages.
    """
    context = runtime.context
    windows = context.searches.narrow(await windows_meant(when, start, end, context))
    whose = await whose_meant(authors, context)
    selection = context.parsed.selection
    if selection or windows == ALL_TIME:
        shown, found = await lookup.select_in_order(
            context, selection or Selection(), windows=windows, authors=whose.authors, scope=Scope(scope)
        )
    else:
        shown, found = await lookup.list_time(context, windows=windows, authors=whose.authors, scope=Scope(scope))
    return whose.noted(shown), found


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


def _wanted(query: str) -> str:
    text = sanitize(query.replace("\x00", " ")).strip()
    if not text:
        raise ToolException("Say what to look for, or use list_messages for a stretch of time.")
    return short_text("query", text)
