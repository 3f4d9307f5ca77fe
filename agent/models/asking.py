"""Ask a model for one turn: again where that may help, without what it lacks, and no longer than it may take."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, SystemMessage
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from agent.context import Context
from agent.model_text import without_reasoning
from agent.models import failures
from agent.models.run import ModelRun
from agent.models.runaway import loop_start
from agent.models.without_tools import with_findings
from agent.progress import Step, StepKind
from agent.prompts import system_prompt
from errors import ModelUnavailableError, PromptTooLongError
from tracing import Fact, span

Request = ModelRequest[Context]
Handler = Callable[[ModelRequest[Context]], Awaitable[ModelResponse[Any]]]

ATTEMPTS = 3
"""Of one request, when the server is away, overloaded or stumbles."""

_LONGEST_WAIT = timedelta(seconds=4)  # between two attempts, unless the server says when to come again
_FIRST_WAIT = 0.5  # seconds at most, at random, so that many questions do not come again at once
_LOOK_EVERY = 40  # characters, after which it is looked for a loop


@dataclass(slots=True)
class Abilities:
    """What a model, or its server, takes as far as is known: what it has refused once it is not sent again."""

    tools: bool = True
    stream: bool = True
    stream_options: bool = True

    def learn(self, error: Exception) -> str | None:
        """Return what an error says to be lacking, if that is news, and remember it."""
        if self.tools and failures.takes_no_tools(error):
            self.tools = False
            return "tools"
        if self.stream and failures.takes_no_stream(error):
            self.stream = False
            return "stream"
        if self.stream_options and failures.takes_no_stream_options(error):
            self.stream_options = False
            return "stream_options"
        return None

    def suited(self, request: Request) -> Request:
        """Return a request without what is lacking; what was found then stands inside the question."""
        if not self.tools:
            request = without_tools(request)
        if not self.stream:
            request = request.override(model=request.model.model_copy(update={"disable_streaming": True}))
        if not self.stream_options and "stream_usage" in type(request.model).model_fields:
            request = request.override(model=request.model.model_copy(update={"stream_usage": False}))
        return request


class AskModel(AgentMiddleware[Any, Context]):
    """The edge at which models are asked, and at which their clients' errors become ours."""

    def __init__(self) -> None:
        super().__init__()
        self.abilities = Abilities()

    async def awrap_model_call(self, request: Request, handler: Handler) -> ModelResponse[Any]:
        """Ask the model, which is remembered in the context's run and in the trace.

        Raises PromptTooLongError, or ModelUnavailableError for everything else.
        """
        request.runtime.context.watched.step(Step(kind=StepKind.WRITING))
        run = request.runtime.context.run
        before = run.attempts
        try:
            with span("model turn", messages=len(request.messages)) as turn:
                try:
                    response = await self._filled(request, handler, run)
                finally:
                    turn.note(attempts=run.attempts - before, lacks=tuple(run.lacks))
                turn.note(**_used(response, run), first_piece_seconds=run.first_piece)
                return response
        except Exception as error:  # providers share no base class; this is where their errors enter
            if failures.is_too_long(error):
                raise PromptTooLongError("the prompt was longer than the model reads") from error
            raise ModelUnavailableError(f"the model failed with {type(error).__name__}") from error

    async def _filled(self, request: Request, handler: Handler, run: ModelRun) -> ModelResponse[Any]:
        """Return what the model says; one that says nothing is asked once more."""
        response = await self._adapted(request, handler, run)
        run.turns += 1
        return await self._adapted(request, handler, run) if _is_empty(response) else response

    async def _adapted(self, request: Request, handler: Handler, run: ModelRun) -> ModelResponse[Any]:
        """Ask, and again without what the model turns out to lack: at most once for each ability."""
        while True:
            try:
                return await self._patiently(self.abilities.suited(request), handler, run)
            except Exception as error:
                lack = self.abilities.learn(error)
                if lack is None:
                    raise
                run.lacks.append(lack)

    async def _patiently(self, request: Request, handler: Handler, run: ModelRun) -> ModelResponse[Any]:
        """Ask, and again a moment later where the error may pass, as long as the run has the time for it."""
        left = max(0.0, run.until - asyncio.get_running_loop().time())
        again = AsyncRetrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(left),
            wait=_waiting,
            sleep=asyncio.sleep,
            reraise=True,
        )
        return cast("ModelResponse[Any]", await again(_asked_once, request, handler, run))


async def _asked_once(request: Request, handler: Handler, run: ModelRun) -> ModelResponse[Any]:
    """Ask, and read along: raise TimeoutError where no piece comes in time, and cut a loop off."""
    run.attempts += 1
    if not _streams(request.model):
        return await handler(request)
    async with asyncio.timeout(run.first) as limit:
        reader = _Reader(limit, run)
        reading = request.model.model_copy(update={"callbacks": [*_callbacks_of(request.model), reader]})
        try:
            return await handler(request.override(model=reading))
        except _EndlessError as error:
            return ModelResponse(result=[AIMessage(error.kept)])
        except Exception as error:
            if reader.has_begun and failures.is_passing(error):
                raise _BrokenOffError("the answer broke off") from error
            raise


def _may_pass(error: BaseException) -> bool:
    return failures.is_passing(error) and not isinstance(error, _BrokenOffError)


class _BrokenOffError(ModelUnavailableError):
    """A model failed while it wrote: what it began may have been shown, so that it is not asked again."""


class _EndlessError(Exception):
    """A model repeats itself; `kept` is what it wrote before."""

    def __init__(self, kept: str) -> None:
        super().__init__("the model repeats itself")
        self.kept = kept


class _Reader(AsyncCallbackHandler):
    """Reads what a model writes as it comes, whoever else does.

    By its two `tap_` methods LangChain knows that it reads pieces, and asks for them.
    """

    raise_error = True
    run_inline = True

    def __init__(self, limit: asyncio.Timeout, run: ModelRun) -> None:
        self._limit = limit
        self._run = run
        self._began = asyncio.get_running_loop().time()
        self._text = ""
        self._looked_at = 0
        self._pieces = 0

    @property
    def has_begun(self) -> bool:
        """Whether anything of the answer has come."""
        return bool(self._text)

    def tap_output_aiter(self, run_id: Any, output: Any) -> Any:
        """Return an output as it is."""
        return output

    def tap_output_iter(self, run_id: Any, output: Any) -> Any:
        """Return an output as it is."""
        return output

    async def on_llm_new_token(self, token: Any, **_: Any) -> None:
        """Give the next piece its time; raise _EndlessError when the text goes round in a loop.

        Servers send an empty piece before they have read the prompt, which is no sign of life. Reasoning that a client
        drops comes as empty pieces too, which is one.
        """
        self._pieces += 1
        now = asyncio.get_running_loop().time()
        if token or self._pieces > 1:
            self._limit.reschedule(None if self._run.stall is None else now + self._run.stall)
        if token and not self._text:
            self._run.first_piece = now - self._began
        self._text += token if isinstance(token, str) else ""
        if len(self._text) - self._looked_at >= _LOOK_EVERY:
            self._looked_at = len(self._text)
            start = loop_start(self._text)
            if start is not None:
                raise _EndlessError(self._text[:start])


def _streams(model: BaseChatModel) -> bool:
    """Return whether a model can write piece by piece."""
    kind, base = type(model), BaseChatModel
    can = kind._astream is not base._astream or kind._stream is not base._stream  # noqa: SLF001  # nothing else says it
    return can and model.disable_streaming is not True


def _callbacks_of(model: BaseChatModel) -> list[Any]:
    return model.callbacks if isinstance(model.callbacks, list) else []


def _waiting(state: RetryCallState) -> float:
    """Return how many seconds to wait: as the server says, or a while at random that grows with each attempt."""
    backoff = wait_random_exponential(multiplier=_FIRST_WAIT, max=_LONGEST_WAIT.total_seconds())(state)
    error = state.outcome.exception() if state.outcome else None
    asked_for = failures.retry_after(error) if error else None
    return max(backoff, asked_for.total_seconds() if asked_for else 0.0)


def _is_empty(response: ModelResponse[Any]) -> bool:
    """Return whether a model has neither called a tool nor written a word that is no reasoning."""
    written = [message for message in response.result if isinstance(message, AIMessage)]
    if any(message.tool_calls or message.invalid_tool_calls for message in written):
        return False
    return not any(letter.isalnum() for message in written for letter in without_reasoning(message.text))


def _used(response: ModelResponse[Any], run: ModelRun) -> dict[str, Fact]:
    """Return how many tokens a model has read and written, as far as its server tells, and how many calls it made."""
    written = [message for message in response.result if isinstance(message, AIMessage)]
    usage = [message.usage_metadata for message in written if message.usage_metadata is not None]
    counted: dict[str, Fact] = {"tool_calls": sum(len(message.tool_calls) for message in written)}
    if usage:
        read, wrote = (sum(one[kind] for one in usage) for kind in ("input_tokens", "output_tokens"))
        run.tokens_read += read
        run.tokens_written += wrote
        counted |= {"tokens_read": read, "tokens_written": wrote}
    return counted


def without_tools(request: Request) -> Request:
    """Return a request with what was found inside the question, in place of tools."""
    return request.override(
        tools=[],
        system_message=SystemMessage(system_prompt(with_tools=False)),
        messages=cast("Any", with_findings(request.messages)),
    )
