"""All tools of a model, in the order in which they are described to it."""

from langchain_core.tools import BaseTool

from agent.tools.counting import (
    activity,
    count_messages,
    first_and_last,
    links_and_files,
    top_authors,
    who_knows,
)
from agent.tools.search import current_time, list_messages, read_around, search_messages

TOOLS: tuple[BaseTool, ...] = (
    search_messages,
    list_messages,
    count_messages,
    first_and_last,
    top_authors,
    activity,
    who_knows,
    links_and_files,
    read_around,
    current_time,
)
