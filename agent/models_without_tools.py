"""Read the tool calls that a model writes as text, where its server does not."""

import asyncio
import json
import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Executor
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import PrivateAttr

MOST_CALLS = 4
"""Calls that are read from one text: as many as a step may make."""

_MOST_STARTS = 12  # of JSON that are tried in one text
_FUNCTION = re.compile(r"<function=(?P<name>\w{1,64})>(?P<body>.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=(?P<name>\w{1,64})>(?P<value>.*?)(?:</parameter>|\Z)", re.DOTALL)
_JSON = json.JSONDecoder()
_NAME_OF_CALL = re.compile(r"""["'](?=(?P<quoted>\w{1,40})["'])|^\W{0,8}(?P<called>\w{1,40})\s?\(""", re.MULTILINE)


def calls_in(text: str, *, names: Collection[str]) -> list[ToolCall]:
    """Return the calls of the tools of these names that a text has, in order, at most MOST_CALLS.

    They stand in it as JSON objects with a name and arguments, in a code block or between tags or bare, or as
    `<function=NAME>`. Other JSON is none.
    """
    found = [*_tagged(text), *_objects(text)]
    known = [(name, arguments) for name, arguments in found if name in names][:MOST_CALLS]
    return [
        ToolCall(name=name, args=arguments, id=secrets.token_hex(5)[:9], type="tool_call")  # as Mistral wants it
        for name, arguments in known
    ]


def mentions_call(text: str, *, names: Collection[str]) -> bool:
    """Tell whether a text looks like a call of one of these tools, readable or not."""
    return any((found["quoted"] or found["called"]) in names for found in _NAME_OF_CALL.finditer(text))


def _tagged(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for function in _FUNCTION.finditer(text):
        body = function["body"].strip()
        arguments = _object(body, 0)
        if arguments is None:
            arguments = {found["name"]: found["value"].strip() for found in _PARAMETER.finditer(body)}
        yield function["name"], arguments


def _objects(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and arguments of each JSON object that has both."""
    position = 0
    for _ in range(_MOST_STARTS):
        start = text.find("{", position)
        if start < 0:
            return
        try:
            value, position = _JSON.raw_decode(text, start)
        except (ValueError, RecursionError):
            position = start + 1
            continue
        function = value.get("function")
        call = function if isinstance(function, dict) else value
        arguments = call.get("arguments", call.get("parameters", call.get("args")))
        if isinstance(arguments, str):
            arguments = _object(arguments, 0)
        if isinstance(arguments, dict):
            yield str(call.get("name", call.get("function", ""))), arguments


def _object(text: str, start: int) -> dict[str, Any] | None:
    try:
        value, _ = _JSON.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


_PROMPT = """\
{found}

Answer this question from the messages above only, in a few sentences, and put the number of the message that proves
it after each claim, such as [1]. Say so when they do not answer it.

{question}"""


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
    """Return the conversation up to the question, with what the tools said since then written into it."""
    at = max(index for index, message in enumerate(messages) if isinstance(message, HumanMessage))
    found = "\n\n".join(message.text for message in messages[at:] if isinstance(message, ToolMessage))
    return [*messages[:at], HumanMessage(_PROMPT.format(found=found, question=messages[at].text))]
