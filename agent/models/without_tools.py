"""A chat model for writers that take no tools: the messages that were found stand inside the question."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import PrivateAttr

from agent.prompts import text_with_findings


class SearchFirstChatModel(BaseChatModel):
    """A chat model that takes part in the loop for a `writer` that emits no tool calls.

    The writer gets what was found inside the question, and the model hands on what it says. A local writer blocks, and
    takes one text at a time: it runs in the thread that `run_in` names.
    """

    writer: BaseChatModel
    _thread: Executor | None = PrivateAttr(default=None)

    @property
    def _llm_type(self) -> str:
        return "search-first"

    def run_in(self, thread: Executor) -> None:
        """Let the writer run in a thread; without one it runs in asyncio's own pool."""
        self._thread = thread

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Return this model as it is: it calls none of them."""
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        answer = AIMessage(self.writer.invoke(with_findings(messages), stop=stop).text)
        return ChatResult(generations=[ChatGeneration(message=answer)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        """Wait for the thread; a question that is given up meanwhile is taken out of the line."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._generate, messages, stop)


def with_findings(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Return the conversation up to the question, with what the tools said since then written into it, if anything."""
    at = max(index for index, message in enumerate(messages) if isinstance(message, HumanMessage))
    found = [message.text for message in messages[at:] if isinstance(message, ToolMessage)]
    if not found:
        return list(messages)
    return [*messages[:at], HumanMessage(text_with_findings(messages[at].text, "\n\n".join(found)))]
