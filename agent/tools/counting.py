"""The tools with which a model counts what memory holds; their docstrings are part of its prompt."""

from typing import Literal, NamedTuple

from langchain.tools import ToolRuntime, tool
from langchain_core.tools import ToolException

from agent.activity import activity_shown
from agent.context import Context
from agent.counts_shown import authors_shown, count_shown, list_shown
from agent.knowers import knowers_shown
from agent.lookup import Recalled
from agent.tools.arguments import Names, Text, short_text, whose_meant, windows_meant
from agent.whose import Whose
from memory.counting.results import Matter, Unit
from memory.counting.words import Sought
from memory.message import sanitize
from time_expressions.window import Windows

Counted = Literal["messages", "links", "pictures", "videos", "recordings", "PDFs", "files", "polls"]
UnitName = Literal["hour", "weekday", "day", "week", "month"]


@tool(response_format="content_and_artifact")
async def count_messages(
    runtime: ToolRuntime[Context],
    words: str = "",
    what: Counted = "messages",
    when: Text = None,
    authors: Names = None,
) -> tuple[str, Recalled]:
    """Count exactly how many messages, links or files there are, and by whom.

    Args:
        words: Only messages with all of these words; "in quotation marks" as they stand. Left out: all.
        what: What to count in them.
        when: Only in this time: "last week", "2026-11-03". Left out: the time that the question names.
        authors: Only by these people.
    """
    context = runtime.context
    meant = await _meant(context, words, what, when, authors)
    return await count_shown(context, meant.matter, windows=meant.windows, whose=meant.whose)


@tool(response_format="content_and_artifact")
async def first_and_last(
    runtime: ToolRuntime[Context],
    words: str = "",
    when: Text = None,
    authors: Names = None,
) -> tuple[str, Recalled]:
    """Find the first and the last message of those that count_messages would count."""
    context = runtime.context
    meant = await _meant(context, words, "messages", when, authors)
    return await count_shown(context, meant.matter, windows=meant.windows, whose=meant.whose, each_end=1)


@tool(response_format="content_and_artifact")
async def top_authors(
    runtime: ToolRuntime[Context], words: str = "", what: Counted = "messages", when: Text = None
) -> tuple[str, Recalled]:
    """Find who has written most messages, or posted most links or files, as count_messages would count them."""
    context = runtime.context
    meant = await _meant(context, words, what, when, None)
    return await authors_shown(context, meant.matter, windows=meant.windows, whose=meant.whose)


@tool(response_format="content_and_artifact")
async def activity(
    runtime: ToolRuntime[Context],
    by: UnitName = "day",
    words: str = "",
    when: Text = None,
    authors: Names = None,
) -> tuple[str, Recalled]:
    """Find when most was said: messages by hour of the day, weekday, day, week or month."""
    context = runtime.context
    meant = await _meant(context, words, "messages", when, authors)
    unit = Unit[by.upper()]
    return await activity_shown(context, meant.matter, unit=unit, windows=meant.windows, whose=meant.whose)


@tool(response_format="content_and_artifact")
async def who_knows(topic: str, runtime: ToolRuntime[Context]) -> tuple[str, Recalled]:
    """Find the people who wrote most and best about a topic."""
    try:
        return await knowers_shown(runtime.context, _words("topic", topic))
    except ValueError as error:
        raise ToolException(str(error)) from error


@tool(response_format="content_and_artifact")
async def links_and_files(
    runtime: ToolRuntime[Context],
    what: Counted = "links",
    words: str = "",
    when: Text = None,
    authors: Names = None,
) -> tuple[str, Recalled]:
    """List the newest links, pictures or files, and who posted them; `words` stand beside them or in their names."""
    context = runtime.context
    meant = await _meant(context, words, what, when, authors)
    return await list_shown(context, meant.matter, windows=meant.windows, whose=meant.whose)


class _Meant(NamedTuple):
    """What a call counts, when and by whom."""

    matter: Matter
    windows: Windows
    whose: Whose


async def _meant(context: Context, words: str, what: Counted, when: str | None, authors: list[str] | None) -> _Meant:
    """Return what a call means; raise ToolException with a sentence for what cannot be meant."""
    matter = Matter(sought=Sought(what), terms=_words("words", words))
    windows = context.searches.narrow(await windows_meant(when, None, None, context))
    return _Meant(matter, windows, await whose_meant(authors, context))


def _words(name: str, text: str) -> str:
    return short_text(name, sanitize(text.replace("\x00", " ")).strip())
