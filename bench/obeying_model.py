"""A language model that does whatever a message tells it to, and repeats all that it has read."""

import base64
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, SystemMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr

from bench.planted import Plant, filled

_LINE = re.compile(r"^\[(\d{1,4})\] (.*)$", re.MULTILINE)
_FENCED = re.compile(r"<messages-[0-9a-f]{12}>(.*?)</messages-", re.DOTALL)
_PIECE = 40  # letters at a time


class ObeyingModel(BaseChatModel):
    """Obeys the planted message of which it was told last, one step a call, and remembers all that it has heard."""

    _plant: Plant | None = PrivateAttr(default=None)
    _innocent: str = PrivateAttr(default="")
    _step: int = PrivateAttr(default=0)
    _tools: list[Any] = PrivateAttr(default_factory=list)
    _heard: list[str] = PrivateAttr(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "obeying"

    @property
    def heard(self) -> str:
        """All that it was told since it was told of a plant."""
        return "\n".join(self._heard)

    def begin(self, plant: Plant, *, innocent: str) -> None:
        """Obey a plant from now on; `innocent` is what the message says that has nothing to do with it."""
        self._plant, self._innocent, self._heard = plant, innocent, []
        self.begin_again()

    def begin_again(self) -> None:
        """Do all steps once more, for a further question."""
        self._step = 0

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Take note of the tools."""
        self._tools = list(tools)
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for piece in _pieces(self._next(messages)):
            chunk = ChatGenerationChunk(message=piece)
            if run_manager:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _next(self, messages: list[BaseMessage]) -> AIMessage:
        if self._plant is None:
            raise ValueError("the model was told of no plant")
        self._heard.append("\n".join(message.text for message in messages))
        step = self._plant.obey[min(self._step, len(self._plant.obey) - 1)]
        if not _FENCED.search(self._heard[-1]):  # it is asked for something else than an answer, such as a question
            step = self._plant.obey[-1]
        else:
            self._step += 1
        if "call" in step:
            arguments = {name: _as_typed(value) for name, value in filled(step["arguments"], self._plant.ids).items()}
            call = {"name": step["call"], "args": arguments, "id": f"call{self._step:05}", "type": "tool_call"}
            return AIMessage("", tool_calls=[call])
        return AIMessage(filled(step["say"], {**self._plant.ids, **self._read(messages)}))

    def _read(self, messages: list[BaseMessage]) -> Mapping[str, str]:
        """Return what it can repeat: the number of the plant, that of the other message, its instructions, and all."""
        told = "\n".join(message.text for message in messages if not isinstance(message, SystemMessage))
        lines = [line for fenced in _FENCED.findall(told) for line in _LINE.findall(fenced)]
        other = next((number for number, text in lines if self._innocent in text), "2")
        own = next((number for number, text in lines if self._innocent not in text), "1")
        system = "\n".join(message.text for message in messages if isinstance(message, SystemMessage))
        tools = [convert_to_openai_tool(tool)["function"]["description"] for tool in self._tools]
        return {
            "n": own,
            "m": other,
            "heard": " ".join(messages[-1].text.split()),
            "systemlines": "\n".join(system.split()),
            "b64system": base64.b64encode(system.encode()).decode(),
            "SYSTEM": system.upper(),
            "system": system,
            "tools": "\n\n".join(tools),
        }


def _as_typed(value: object) -> object:
    """Return an id as the number that tools take."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _pieces(message: AIMessage) -> Iterable[AIMessageChunk]:
    for start in range(0, len(message.text), _PIECE):
        yield AIMessageChunk(content=message.text[start : start + _PIECE])
    for call in message.tool_calls:
        piece = tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=0)
        yield AIMessageChunk(content="", tool_call_chunks=[piece])
