"""A language model that says what it is told to, as slowly as it is told to: a server on the loopback."""

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes_openai import FakeOpenAI, Reply, answers, wants

PROSE = (
    "It was talked about more than once [1]. What was said there is quoted above, with all that belongs to it [1]. "
    "Nobody took it back later, as far as the messages tell [1]. That is all there is about it in the channels that I "
    "was allowed to look into [1]."
)


@dataclass
class ScriptedModel(FakeOpenAI):
    """Searches once for what it is asked, then writes PROSE; each time it thinks for so many seconds before."""

    think: float = 0.0

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, after a while."""
        await asyncio.sleep(self.think)
        return await super().complete(request)

    def choose(self, request: dict[str, Any]) -> Reply:
        """Return a call of the search, or the answer once its results are there."""
        if any(message["role"] == "tool" for message in request["messages"]):
            return answers(PROSE)
        return wants("search_messages", query=str(request["messages"][-1]["content"])[:200])


def settings_of(model: ScriptedModel) -> dict[str, str]:
    """Return the settings with which a program uses a model that is served."""
    return {"LLM_MODEL": "openai:scripted", "LLM_BASE_URL": model.url}
