"""Speak Ollama's protocol for a model that a server of OpenAI's protocol has: tags, show, and chat in JSON lines.

No package brings an Ollama server; this one lets the real client talk over a real socket to a real model. The fields
are those of Ollama's documentation of its API. Tools are refused, as Ollama refuses them for a model without.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter_ns
from typing import Annotated, Any

import aiohttp
import typer
from aiohttp import web

_PATIENCE = aiohttp.ClientTimeout(total=1800, connect=5)
_LINE = 1_000_000  # bytes of one line that a server sends


@dataclass(slots=True)
class OllamaServer:
    """Forwards to the server at `url`, which ends in /v1; counts the chats that were begun and ended."""

    url: str
    model: str
    begun: int = 0
    finished: int = 0
    broken_off: int = 0

    async def tags(self, _: web.Request) -> web.Response:
        """List the one model."""
        return web.json_response({"models": [{"name": self.model, "model": self.model, "size": 0, "details": {}}]})

    async def show(self, _: web.Request) -> web.Response:
        """Describe the model."""
        return web.json_response({"modelfile": "", "template": "", "details": {}, "capabilities": ["completion"]})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Answer a chat, in JSON lines if they are asked for."""
        body = await request.json()
        name = body["model"]
        if name not in {self.model, self.model.removesuffix(":latest")}:
            return web.json_response({"error": f"model '{name}' not found"}, status=404)
        if body.get("tools"):
            return web.json_response({"error": f"registry.ollama.ai/library/{name} does not support tools"}, status=400)
        self.begun += 1
        try:
            response = await self._lines(request, body) if body.get("stream", True) else await self._whole(body)
        except (asyncio.CancelledError, ConnectionError):
            self.broken_off += 1
            raise
        self.finished += 1
        return response

    async def _whole(self, body: dict[str, Any]) -> web.Response:
        text = ""
        last: dict[str, Any] = {}
        async for piece, last in self._pieces(body):  # noqa: B007  # the last one counts
            text += piece
        return web.json_response({**last, "message": {"role": "assistant", "content": text}})

    async def _lines(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        async for piece, last in self._pieces(body):
            line = {**last, "message": {"role": "assistant", "content": piece}}
            await response.write(json.dumps(line).encode() + b"\n")
        return response

    async def _pieces(self, body: dict[str, Any]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Yield what the model writes, each piece with the other fields of its line; the last has none and the sums."""
        options = body.get("options") or {}
        asked = {
            "model": self.model.removesuffix(":latest"),
            "messages": [{"role": one["role"], "content": one["content"]} for one in body["messages"]],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": options.get("temperature", 0.8),
            "max_tokens": options.get("num_predict", -1),
        }
        began = perf_counter_ns()
        usage: dict[str, int] = {}
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE, read_bufsize=_LINE) as session,
            session.post(f"{self.url}/chat/completions", json=asked) as reply,
        ):
            reply.raise_for_status()
            async for line in reply.content:
                if not line.startswith(b"data: {"):
                    continue
                event = json.loads(line.removeprefix(b"data: "))
                usage = event.get("usage") or usage
                text = "".join(choice["delta"].get("content") or "" for choice in event["choices"])
                if text:
                    yield text, self._fields(body, done=False)
        sums = {
            "done_reason": "stop",
            "total_duration": perf_counter_ns() - began,
            "prompt_eval_count": usage.get("prompt_tokens", 0),
            "eval_count": usage.get("completion_tokens", 0),
        }
        yield "", {**self._fields(body, done=True), **sums}

    def _fields(self, body: dict[str, Any], *, done: bool) -> dict[str, Any]:
        return {"model": body["model"], "created_at": datetime.now(UTC).isoformat(), "done": done}


@asynccontextmanager
async def opened_ollama(url: str, model: str, *, port: int = 0) -> AsyncGenerator[tuple[str, OllamaServer]]:
    """Yield the address of a server on the loopback that forwards to another one, and the server."""
    server = OllamaServer(url, f"{model}:latest")
    app = web.Application()
    app.router.add_get("/api/tags", server.tags)
    app.router.add_post("/api/show", server.show)
    app.router.add_post("/api/chat", server.chat)
    # A handler is cancelled when its client is gone, as Ollama stops writing then.
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", server
    finally:
        await runner.cleanup()


def main(
    openai: Annotated[str, typer.Option(help="The server that has the model, with /v1.")],
    model: Annotated[str, typer.Option(help="The name of the model there.")] = "small",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 for any.")] = 11434,
) -> None:
    """Serve until Ctrl+C."""

    async def serve() -> None:
        async with opened_ollama(openai.rstrip("/"), model, port=port) as (url, _):
            typer.echo(url)
            await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    typer.run(main)
