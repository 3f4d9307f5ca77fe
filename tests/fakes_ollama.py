"""An Ollama server of a few lines on loopback, which has some models and gives one answer."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


@asynccontextmanager
async def open_fake_ollama(
    *models: str,
    answer: str = "",
    takes_tools: bool = True,
    pause: float = 0.0,
    requests: list[dict[str, Any]] | None = None,
) -> AsyncGenerator[str]:
    """Yield the address of a server that has these models; pieces of an answer come `pause` seconds apart.

    What it is asked in chats is put into `requests`.
    """
    asked = [] if requests is None else requests

    async def tags(_: web.Request) -> web.Response:
        return _reply({"models": [{"model": name, "name": name} for name in models]})

    async def chat(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        asked.append(body)
        wanted = body["model"]
        if wanted not in models and f"{wanted}:latest" not in models:
            return _reply({"error": f"model '{wanted}' not found"}, status=404)
        if body.get("tools") and not takes_tools:
            return _reply({"error": f"registry.ollama.ai/library/{wanted} does not support tools"}, status=400)
        if body.get("stream"):
            return await _stream(request, wanted, answer, pause)
        message = {"role": "assistant", "content": answer}
        return _reply({"model": wanted, "message": message, "done": True, "done_reason": "stop"})

    app = web.Application()
    app.router.add_get("/api/tags", tags)
    app.router.add_post("/api/chat", chat)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _stream(request: web.Request, model: str, answer: str, pause: float) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    response.force_close()
    await response.prepare(request)
    for start in range(0, len(answer), 4):
        message = {"role": "assistant", "content": answer[start : start + 4]}
        await response.write(json.dumps({"model": model, "message": message, "done": False}).encode() + b"\n")
        await asyncio.sleep(pause)
    end = {"role": "assistant", "content": ""}
    last = {"model": model, "message": end, "done": True, "done_reason": "stop"}
    await response.write(json.dumps(last).encode() + b"\n")
    return response


def _reply(body: dict[str, object], *, status: int = 200) -> web.Response:
    response = web.json_response(body, status=status)
    response.force_close()  # the clients keep idle connections for ever, which a test must not
    return response
