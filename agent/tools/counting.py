"""The tools with which a model counts what memory holds; their docstrings are part of its prompt."""

from typing import Literal

from langchain.tools import ToolRuntime, tool

from agent.context import Context
from agent.counts import count_shown
from agent.lookup import Recalled
from agent.tools.arguments import Names, authors_meant, short_text, windows_meant
from memory.counting.results import Matter
from memory.counting.words import Sought
from memory.message import sanitize

Counted = Literal["messages", "links", "pictures", "videos", "recordings", "PDFs", "files", "polls"]


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
    terms = short_text("words", sanitize(words.replace("\x00", " ")).strip())
    windows = context.searches.narrow(await windows_meant(when, start, end, context))
    matter = Matter(sought=Sought(what), terms=terms)
    return await count_shown(context, matter, windows=windows, authors=await authors_meant(authors, context))
