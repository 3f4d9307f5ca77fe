"""A chat model without a model: it searches once and quotes the best of what was found."""

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.outputs import ChatResult

from agent.quotes import best_lines, quotation
from agent.search_first import SearchFirst, last_question
from agent.tools import Recalled

NOTHING_FOUND = "I found nothing about that in the channels that you may read."


class ExtractiveChatModel(SearchFirst):
    """The default model, and what answers when another one fails; the same question gets the same answer."""

    @property
    def _llm_type(self) -> str:
        return "extractive"

    def _answer(self, messages: list[BaseMessage], stop: list[str] | None) -> str:
        return _quotations(messages)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._generate(messages, stop)  # a matter of microseconds: no thread is needed


def _quotations(messages: list[BaseMessage]) -> str:
    at = last_question(messages)
    question = messages[at].text
    found = [message.artifact for message in messages[at:] if isinstance(message, ToolMessage)]
    quotes = [
        quotation(number, line, question=question, time_zone=recalled.time_zone)
        for recalled in found
        if isinstance(recalled, Recalled)
        for number, line in best_lines(recalled.lines, question=question)
    ]
    return "\n".join(quotes) or NOTHING_FOUND
