"""Let a model that cannot call tools answer from memory: the search comes first, then the model writes."""

import asyncio
from abc import abstractmethod
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable

from memory.asking import Asked

_PROMPT = """\
{found}

Answer this question from the messages above only, in a few sentences, and put the number of the message that proves
it after each claim, such as [1]. Say so when they do not answer it.

{question}"""


def opening_call(asked: Asked) -> AIMessage:
    """Return the call that a run begins with: search for what the question is about, or list the time it names.

    The tools know the question's windows by themselves.
    """
    if asked.times and not asked.topic:
        return _call("list_messages", authors=sorted(asked.authors))
    return _call("search_messages", query=asked.topic or asked.text)


def _call(name: str, **arguments: object) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": "opening", "type": "tool_call"}])


def last_question(messages: list[BaseMessage]) -> int:
    """Return the position of the question that is being answered."""
    return max(index for index, message in enumerate(messages) if isinstance(message, HumanMessage))


class SearchFirst(BaseChatModel):
    """A chat model that calls no tools: the loop makes its opening call, and it answers from what came of it."""

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
        answer = AIMessage(self._answer(messages, stop))
        return ChatResult(generations=[ChatGeneration(message=answer)])

    @abstractmethod
    def _answer(self, messages: list[BaseMessage], stop: list[str] | None) -> str:
        """Return the answer to the last question, from what the tools have said since."""


class SearchFirstChatModel(SearchFirst):
    """A chat model that takes part in the loop for a `writer` that emits no tool calls.

    The writer gets what was found inside the question, and the model hands on what it says. It runs in a worker
    thread: a local model blocks.
    """

    writer: BaseChatModel

    @property
    def _llm_type(self) -> str:
        return "search-first"

    def _answer(self, messages: list[BaseMessage], stop: list[str] | None) -> str:
        return self.writer.invoke(_with_findings(messages), stop=stop).text

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await asyncio.to_thread(self._generate, messages, stop)


def _with_findings(messages: list[BaseMessage]) -> list[BaseMessage]:
    """Return the conversation up to the question, with what the tools said since then written into it."""
    at = last_question(messages)
    found = "\n\n".join(message.text for message in messages[at:] if isinstance(message, ToolMessage))
    return [*messages[:at], HumanMessage(_PROMPT.format(found=found, question=messages[at].text))]
