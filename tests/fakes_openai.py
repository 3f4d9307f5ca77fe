"""An OpenAI-compatible server of a few lines on loopback, so that real clients speak real HTTP."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

NEVER = "no reply"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a server says that refuses a request, and when to come again."""

    status: int
    message: str = "broken"
    retry_after: str | None = None


Reply = dict[str, Any] | int | str | Refusal


def answers(content: str) -> dict[str, Any]:
    """Return the assistant's message with its final words."""
    return {"role": "assistant", "content": content}


def wants(name: str, **arguments: object) -> dict[str, Any]:
    """Return the assistant's message that calls a tool."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call-1", "type": "function", "function": function}],
    }


@dataclass
class FakeOpenAI:
    """Gives its replies in order, the last one for ever: a message, the status of an error, or NEVER.

    Without `models` it has no list of them; with some it refuses others, unless it `takes_any` name. Who asks for
    pieces gets some letters at a time, `pause` seconds apart, unless it `streams` none: then the whole comes. `is_read`
    is set while somebody reads pieces. When it `breaks` the connection ends between two of them.
    """

    replies: list[Reply]
    models: tuple[str, ...] | None = None
    takes_any: bool = False
    streams: bool = True
    pause: float = 0.0
    piece: int = 4
    """How many letters come at a time."""
    breaks: bool = False
    is_read: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def list_models(self, _: web.Request) -> web.Response:
        if self.models is None:
            return web.Response(status=404)
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "fake"} for name in self.models]
        return web.json_response({"object": "list", "data": data})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        model = self.requests[-1]["model"]
        if self.models is not None and model not in self.models and not self.takes_any:
            return web.json_response({"error": {"message": f"The model `{model}` does not exist."}}, status=404)
        reply = self.choose(self.requests[-1])
        if reply == NEVER:
            await self.stopping.wait()
        if self.requests[-1].get("stream") and self.streams and isinstance(reply, dict):
            return await self._stream(request, reply)
        response = _response(reply)
        response.force_close()  # the clients keep idle connections for ever, which a test must not
        return response

    def choose(self, _: dict[str, Any]) -> Reply:
        """Return the reply to a request."""
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    async def _stream(self, request: web.Request, reply: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        response.force_close()
        await response.prepare(request)
        self.is_read.set()
        try:
            for delta in _deltas(reply, self.piece):
                choice = {"index": 0, "delta": delta, "finish_reason": None}
                body = {
                    "id": "1",
                    "object": "chat.completion.chunk",
                    "created": 0,
                    "model": "fake",
                    "choices": [choice],
                }
                await response.write(f"data: {json.dumps(body)}\n\n".encode())
                await asyncio.sleep(self.pause)
                if self.breaks and request.transport:
                    request.transport.abort()
            await response.write(b"data: [DONE]\n\n")
        finally:
            self.is_read.clear()
        return response


Fake = TypeVar("Fake", bound=FakeOpenAI)


def _deltas(reply: dict[str, Any], piece: int) -> Iterator[dict[str, Any]]:
    """Yield a message in pieces, as servers send them."""
    yield {"role": "assistant", "content": ""}
    content = reply["content"] or ""
    for start in range(0, len(content), piece):
        yield {"content": content[start : start + piece]}
    for index, call in enumerate(reply.get("tool_calls", ())):
        yield {"tool_calls": [{"index": index, **call}]}


def _response(reply: Reply) -> web.Response:
    if isinstance(reply, Refusal):
        headers = {} if reply.retry_after is None else {"Retry-After": reply.retry_after}
        return web.json_response({"error": {"message": reply.message}}, status=reply.status, headers=headers)
    if not isinstance(reply, dict):
        status = reply if isinstance(reply, int) else 503
        return web.json_response({"error": {"message": "broken", "type": "server_error"}}, status=status)
    choice = {"index": 0, "message": reply, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    body = {"id": "1", "object": "chat.completion", "created": 0, "model": "fake", "usage": usage}
    return web.json_response({**body, "choices": [choice]})


@asynccontextmanager
async def open_fake_openai(
    replies: Iterable[Reply],
    *,
    models: tuple[str, ...] | None = None,
    takes_any: bool = False,
    streams: bool = True,
    pause: float = 0.0,
) -> AsyncGenerator[FakeOpenAI]:
    """Yield a running server, whose `url` ends in /v1."""
    async with served(FakeOpenAI(list(replies), models, takes_any, streams, pause)) as fake:
        yield fake


@asynccontextmanager
async def served(fake: Fake) -> AsyncGenerator[Fake]:
    """Run a server on a free port for the length of the block."""
    app = web.Application()
    app.router.add_get("/v1/models", fake.list_models)
    app.router.add_post("/v1/chat/completions", fake.complete)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield fake
    finally:
        fake.stopping.set()
        await runner.cleanup()
