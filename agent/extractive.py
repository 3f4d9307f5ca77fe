"""A chat model without a model: it quotes the best of what the opening call has found."""

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatResult

from agent.quotes import NumberedLine, best_lines, quotation, spread_lines
from agent.search_first import SearchFirst, last_question
from agent.tools import Recalled

NOTHING_FOUND = "I found nothing about that in the channels that you may read."
NOTHING_FOUND_THEN = (
    "I found nothing {matter}at the time that you named ({time}), in the channels that you may read. "
    "All time can be searched instead."
)
SELECTED = "These are {shown} of {amount} messages. To read more, ask about one of these matters or a shorter time."


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
    called = [message for message in messages[at:] if isinstance(message, ToolMessage)]
    searched_for = _queries(messages[at:])
    answers = [
        _best(call.artifact, topic=searched_for[call.tool_call_id], question=question)
        if call.tool_call_id in searched_for
        else _overview(call.artifact, question)
        for call in called
        if isinstance(call.artifact, Recalled)
    ]
    return "\n".join(answers) or NOTHING_FOUND


def _queries(messages: list[BaseMessage]) -> dict[str | None, str]:
    """Return what was searched for, by the id of the call."""
    calls = [call for message in messages if isinstance(message, AIMessage) for call in message.tool_calls]
    return {call["id"]: call["args"]["query"] for call in calls if call["name"] == "search_messages"}


def _best(recalled: Recalled, *, topic: str, question: str) -> str:
    """Return the quotations that answer a question, or that there are none in the time that was searched."""
    quotes = _quoted(best_lines(recalled.lines, topic=topic, question=question), recalled, question)
    if quotes or not recalled.spoken:
        return quotes or NOTHING_FOUND
    return NOTHING_FOUND_THEN.format(matter="about that ", time=recalled.spoken)


def _overview(recalled: Recalled, question: str) -> str:
    """Return quotations from all over a stretch of time, with how much was said in it."""
    chosen = spread_lines(recalled.lines, question=question)
    if not chosen:
        return NOTHING_FOUND_THEN.format(matter="", time=recalled.spoken)
    quotes = _quoted(chosen, recalled, question)
    if not recalled.selected_from and len(recalled.lines) <= len(chosen):
        return quotes
    amount = recalled.selected_from or len(recalled.lines)
    return f"{quotes}\n\n{SELECTED.format(shown=len(chosen), amount=amount)}"


def _quoted(lines: list[NumberedLine], recalled: Recalled, question: str) -> str:
    return "\n".join(quotation(number, line, question=question, time_zone=recalled.time_zone) for number, line in lines)
