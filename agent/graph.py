"""The ReAct loop: a search, then a model that may call tools until it answers, within its limits."""

import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from hashlib import sha256
from typing import Any, cast

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelCallLimitMiddleware,
    ModelRequest,
    ModelResponse,
    ToolCallLimitMiddleware,
    ToolCallRequest,
    wrap_model_call,
    wrap_tool_call,
)
from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import ToolException
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from agent.citations import without_marks
from agent.context import Context
from agent.conversations import Earlier
from agent.drafts import Candour, Drafts, DraftView
from agent.marks import marks_in
from agent.model_text import calls_in, is_for_programs, with_plain_marks, without_reasoning
from agent.models.asking import AskModel, without_tools
from agent.opening import Opening
from agent.own_words import repeats
from agent.prompts import TEMPLATES, question_text, system_prompt
from agent.tools.all import TOOLS
from agent.tools.web import search_web
from errors import DatabaseUnavailableError, ModelUnavailableError, UnusableAnswerError
from memory.question.parse import ParsedQuestion
from tracing import span

Loop = CompiledStateGraph[Any, Context, Any, Any]

TOOL_CALLS_PER_STEP = 4
"""A model may look for several things at once, yet one question must not flood the databases."""

_OPENING_ID = "opening01"  # nine letters and digits, which is what Mistral's servers take

_TOOL_NAMES = frozenset(tool.name for tool in (*TOOLS, search_web))
_INSTRUCTIONS = (*TEMPLATES, *(tool.description for tool in (*TOOLS, search_web)))

_MEMORY_IS_OUT = "The memory cannot be reached just now. Say so; do not answer from what you believe."
_TOOL_BROKE = "This call failed. Pass other arguments, or answer from the messages that you were shown."

logger = logging.getLogger(__name__)


def build_loop(model: BaseChatModel, *, max_steps: int, with_tools: bool = True) -> Loop:
    """Return the graph in which the model may speak `max_steps` times in answer to one question.

    Without tools it answers from what was found for it, which stands in the question.
    """
    middleware: list[AgentMiddleware[Any, Any, Any]] = [
        _offer_what_is_on,
        *([] if with_tools else [_tell_of_no_tools]),
        ModelCallLimitMiddleware(run_limit=max_steps, exit_behavior="error"),
        ToolCallLimitMiddleware(run_limit=TOOL_CALLS_PER_STEP * max_steps, exit_behavior="continue"),
        _read_written_calls,
        AskModel(),
        _explain_tool_errors,
    ]
    return create_agent(
        model,
        tools=[*TOOLS, search_web],
        system_prompt=system_prompt(with_tools=True),
        context_schema=Context,
        middleware=middleware,
    )


def prompt_version() -> str:
    """Return a fingerprint, of twelve characters, of all that a model is told by us: instructions and tools."""
    tools = [(tool.name, tool.tool_call_schema.model_json_schema()) for tool in TOOLS]  # type: ignore[union-attr]
    told = json.dumps([*TEMPLATES, tools], sort_keys=True)
    return sha256(told.encode()).hexdigest()[:12]


async def write_answer(
    loop: Loop,
    context: Context,
    opening: Opening,
    *,
    history: Sequence[Earlier] = (),
    candour: Candour | None = None,
    view: DraftView | None = None,
) -> str:
    """Run the loop on a question and what was found for it at first, and return what the model wrote.

    The context keeps what else is shown and searched.

    With a `view` the model is asked to write piece by piece, and what is whole is shown there when the model's
    `candour` is known; what is learned of that is noted.

    Raises ModelUnavailableError when the model fails or writes nothing, and UnusableAnswerError when it is still
    searching after its last step or writes what may not be shown to a person.
    """
    prompt = HumanMessage(
        question_text(context.question, context.parsed, history, evidence=context.evidence, about=context.about)
    )
    drafts = _drafts(context, view) if view and candour and candour.is_known else None
    start = [prompt, *_as_a_call(opening, context.parsed)]
    try:
        messages = await _run(loop, start, context, drafts)
    except ModelCallLimitExceededError as error:
        raise UnusableAnswerError("the model had not answered after its last step") from error
    if candour:
        candour.note(messages[-1].text)
    return _presentable(messages[-1].text)


def _drafts(context: Context, view: DraftView) -> Drafts:
    return Drafts(context, view, tool_names=_TOOL_NAMES, instructions=_INSTRUCTIONS)


async def _run(loop: Loop, messages: list[BaseMessage], context: Context, drafts: Drafts | None) -> list[BaseMessage]:
    """Return the messages of a run to its end; with `drafts` they get what the model writes as it comes."""
    start = {"messages": messages}
    if drafts is None:
        return cast("list[BaseMessage]", (await loop.ainvoke(start, context=context))["messages"])
    pieces = loop.astream(start, context=context, stream_mode=["messages", "values"])
    async with aclosing(cast("AsyncGenerator[tuple[str, Any]]", pieces)) as events:
        async for mode, event in events:
            if mode == "values":
                messages = event["messages"]
            elif isinstance(event[0], AIMessageChunk):
                await drafts.add(event[0])
    return messages


def _presentable(written: str) -> str:
    """Return what a model wrote for the person; raise as `write_answer` does when it may not see it."""
    text = with_plain_marks(without_reasoning(written))
    if not (any(letter.isalnum() for letter in without_marks(text)) or _copies(text)):  # a mark and no more
        raise ModelUnavailableError("the model gave an empty answer")
    if is_for_programs(text, tool_names=_TOOL_NAMES):
        raise UnusableAnswerError("the model wrote a fence, a tool call or a part of its template")
    if repeats(text, _INSTRUCTIONS):
        raise UnusableAnswerError("the model repeated its instructions")
    return text


def _copies(text: str) -> bool:
    """Return whether a text has a mark with copied words, which may be all of the answer."""
    return any(cited.copied for mark in marks_in(text) for cited in mark.cited)


def _as_a_call(opening: Opening, parsed: ParsedQuestion) -> tuple[AIMessage, ToolMessage]:
    """Return what was found before the model speaks as a call of a tool and its result, as servers expect them.

    The model has evidence before it speaks, whether it calls tools or not.
    """
    call = opening_call(parsed)
    name = call.tool_calls[0]["name"]
    return call, ToolMessage(opening.text, tool_call_id=_OPENING_ID, name=name)


def opening_call(parsed: ParsedQuestion) -> AIMessage:
    """Return the call that stands for the opening search: for what a question is about, or a list of what it asks for.

    The tools know the question's windows, and whether it asks for the newest messages, by themselves.
    """
    if (parsed.times or parsed.selection) and not parsed.topic:
        return _call("list_messages", **_by_whom(parsed))
    return _call("search_messages", query=parsed.topic or parsed.text, **_by_whom(parsed))


def _by_whom(parsed: ParsedQuestion) -> dict[str, object]:
    return {"authors": list(parsed.author_names)} if parsed.author_names else {}


def _call(name: str, **arguments: object) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": _OPENING_ID, "type": "tool_call"}])


@wrap_model_call
async def _tell_of_no_tools(
    request: ModelRequest[Context],
    handler: Callable[[ModelRequest[Context]], Awaitable[ModelResponse[Any]]],
) -> ModelResponse[Any] | AIMessage:
    """Ask a model without tools: it is slow to read what they are for, and cannot use them."""
    return await handler(without_tools(request))


@wrap_model_call
async def _offer_what_is_on(
    request: ModelRequest[Context],
    handler: Callable[[ModelRequest[Context]], Awaitable[ModelResponse[Any]]],
) -> ModelResponse[Any] | AIMessage:
    """Offer no search of the web where it is switched off."""
    if request.runtime.context.web is None:
        request = request.override(tools=[tool for tool in request.tools if tool is not search_web])
    return await handler(request)


@wrap_model_call
async def _read_written_calls(
    request: ModelRequest[Context],
    handler: Callable[[ModelRequest[Context]], Awaitable[ModelResponse[Any]]],
) -> ModelResponse[Any] | AIMessage:
    """Carry out the tool calls that a model wrote as text; they count like any others."""
    response = await handler(request)
    response.result = [_with_written_calls(message) for message in response.result]
    return response


def _with_written_calls(message: BaseMessage) -> BaseMessage:
    if not isinstance(message, AIMessage) or message.tool_calls:
        return message
    written = calls_in(without_reasoning(message.text), names=_TOOL_NAMES)
    return AIMessage("", tool_calls=written) if written else message


@wrap_tool_call
async def _explain_tool_errors(
    request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]
) -> ToolMessage | Command[Any]:
    """Tell the model what went wrong, in a sentence that it can act on; what nobody foresaw is logged."""
    call = request.tool_call
    try:
        with span(f"tool {call['name'] if call['name'] in _TOOL_NAMES else '?'}"):
            return await handler(request)
    except ToolException as error:
        sentence = str(error)
    except DatabaseUnavailableError:
        cast("Context", request.runtime.context).evidence.record_outage()
        sentence = _MEMORY_IS_OUT
    except Exception:
        logger.exception("the tool %s failed", call["name"])
        cast("Context", request.runtime.context).evidence.record_outage()
        sentence = _TOOL_BROKE
    return ToolMessage(sentence, tool_call_id=call["id"], name=call["name"], status="error")
