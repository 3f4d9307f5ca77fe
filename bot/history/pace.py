"""Keep what is read in the background below Discord's global limit, so that room is left for answers."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiohttp
from aiolimiter import AsyncLimiter

_BURST = 2
_SECONDS = 0.05  # 40 requests a second of the 50 that Discord allows; the rest is for answers

_in_background: ContextVar[bool] = ContextVar("_in_background", default=False)


def background_limiter() -> AsyncLimiter:
    """Return the limiter that all background reading of a process shares.

    40 requests a second come in twos: a limiter for 40 in one second would let 80 out in the first, and the server
    refuses the 51st.
    """
    return AsyncLimiter(_BURST, _SECONDS)


@contextmanager
def background_requests() -> Generator[None]:
    """Let the requests of this task wait for the background limiter, wherever the client makes them."""
    token = _in_background.set(True)
    try:
        yield
    finally:
        _in_background.reset(token)


def paced_by(limiter: AsyncLimiter) -> aiohttp.TraceConfig:
    """Return what a client needs as its `http_trace` for background requests to be paced.

    They wait here, at the moment of sending: what waited before discord.py did its own waiting, for the limit of one
    channel, would be let out by that in bursts.
    """

    async def wait(*_: Any) -> None:
        if _in_background.get():
            await limiter.acquire()

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(wait)
    return trace
