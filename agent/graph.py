"""The ReAct loop: a model that calls tools until it answers, within its limits."""

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, cast

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelCallLimitMiddleware,
    ModelRequest,
    ModelResponse,
    ToolCallLimitMiddleware,
    ToolCallRequest,
    dynamic_prompt,
    wrap_model_call,
    wrap_tool_call,
)
from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import ToolException
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from agent.answers import Question
from agent.context import Context, Recall
from agent.conversations import Turn
from agent.drafts import Draft, context_of, draft_of
from agent.prompts import system_prompt
from agent.reading import Reading
from agent.search_first import SearchFirst, opening_call
from agent.tools import TOOLS
from errors import DatabaseUnavailableError, ModelUnavailableError

Loop = CompiledStateGraph[Any, Context, Any, Any]

TOOL_CALLS_PER_STEP = 4
"""A model may look for several things at once, yet one question must not flood the databases."""

_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
"""What reasoning models write before they answer, where the server does not take it out."""


def build_loop(model: BaseChatModel, *, max_steps: int) -> Loop:
    """Return the graph in which the model may speak `max_steps` times in answer to one question."""
    middleware: list[AgentMiddleware[Any, Any, Any]] = [
        _prompt,
        ModelCallLimitMiddleware(run_limit=max_steps, exit_behavior="error"),
        ToolCallLimitMiddleware(run_limit=TOOL_CALLS_PER_STEP * max_steps, exit_behavior="continue"),
        _search_first,
        _translate_model_errors,
        _explain_tool_errors,
    ]
    return create_agent(model, tools=list(TOOLS), context_schema=Context, middleware=middleware)


async def draft(
    loop: Loop, question: Question, *, reading: Reading, memory: Recall, history: Sequence[Turn] = ()
) -> Draft:
    """Run the loop on a question that has been read.

    Raises ModelUnavailableError when the model fails, says nothing, or is still searching after its last step.
    """
    context = context_of(question, reading, memory)
    try:
        state = await loop.ainvoke({"messages": [*_messages(history), HumanMessage(question.text)]}, context=context)
    except ModelCallLimitExceededError as error:
        raise ModelUnavailableError("the model had not answered after its last step") from error
    text = _THOUGHTS.sub("", state["messages"][-1].text).strip()
    if not text:
        raise ModelUnavailableError("the model gave an empty answer")
    return draft_of(text, context, reading)


def _messages(history: Sequence[Turn]) -> Iterator[BaseMessage]:
    for turn in history:
        yield HumanMessage(turn.question)
        yield AIMessage(turn.answer)


@dynamic_prompt
def _prompt(request: ModelRequest[Context]) -> str:
    context = request.runtime.context
    return system_prompt(context.question, context.asked)


@wrap_model_call
async def _search_first(
    request: ModelRequest[Context],
    handler: Callable[[ModelRequest[Context]], Awaitable[ModelResponse[Any]]],
) -> ModelResponse[Any] | AIMessage:
    """Make the first call in place of a model that cannot: it has not been told what the question was read as."""
    if isinstance(request.model, SearchFirst) and isinstance(request.messages[-1], HumanMessage):
        return opening_call(request.runtime.context.asked)
    return await handler(request)


@wrap_model_call
async def _translate_model_errors(
    request: ModelRequest[Context],
    handler: Callable[[ModelRequest[Context]], Awaitable[ModelResponse[Any]]],
) -> ModelResponse[Any] | AIMessage:
    try:
        return await handler(request)
    except Exception as error:  # providers share no base class; this is where their errors enter
        raise ModelUnavailableError(f"the model failed with {type(error).__name__}") from error


@wrap_tool_call
async def _explain_tool_errors(
    request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]
) -> ToolMessage | Command[Any]:
    """Tell the model what went wrong, in a sentence that it can act on."""
    try:
        return await handler(request)
    except ToolException as error:
        sentence = str(error)
    except DatabaseUnavailableError:
        cast("Context", request.runtime.context).evidence.record_outage()
        sentence = "The memory cannot be reached just now. Say so; do not answer from what you believe."
    call = request.tool_call
    return ToolMessage(sentence, tool_call_id=call["id"], name=call["name"], status="error")
