"""The earlier turns of a conversation, tidied so that any provider takes them."""

from collections.abc import Iterable, Iterator, Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately

from agent.citations import without_marks


def turn(question: str, answer: str) -> list[BaseMessage]:
    """Return one finished turn; marks are left out, for the next run numbers its messages anew."""
    return [HumanMessage(question), AIMessage(without_marks(answer))]


def tidied(messages: Sequence[BaseMessage], *, max_tokens: int) -> list[BaseMessage]:
    """Return the newest complete turns that fit into about `max_tokens`, oldest first.

    A turn is a question with its final answer. Tool calls, their results, and questions that were never answered are
    left out: providers reject a call without its result.
    """
    kept: list[list[BaseMessage]] = []
    left = max_tokens
    for pair in reversed(list(_turns(messages))):
        left -= count_tokens_approximately(pair)
        if left < 0:
            break
        kept.append(pair)
    return [message for pair in reversed(kept) for message in pair]


def _turns(messages: Iterable[BaseMessage]) -> Iterator[list[BaseMessage]]:
    question: HumanMessage | None = None
    answer: AIMessage | None = None
    for message in [*messages, HumanMessage("")]:
        if isinstance(message, AIMessage):
            answer = message if _is_final(message) else None
        elif isinstance(message, HumanMessage):
            if question is not None and answer is not None:
                yield [HumanMessage(question.text), AIMessage(answer.text)]
            question, answer = message, None
        else:
            answer = None


def _is_final(message: AIMessage) -> bool:
    return bool(message.text.strip()) and not message.tool_calls and not message.invalid_tool_calls
