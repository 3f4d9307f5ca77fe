"""All tools of a model, in the order in which they are described to it."""

from langchain_core.tools import BaseTool

from agent.tools.counting import count_messages
from agent.tools.search import current_time, list_messages, read_around, search_messages

TOOLS: tuple[BaseTool, ...] = (search_messages, list_messages, count_messages, read_around, current_time)
