"""Let one model answer a question through each provider path, and tell how the answer came, and what cancelling does.

Each path is asked three times: once so that it is known how the model begins, once with drafts, and once to be
cancelled when the model has begun to write. The question and the three messages are made up; the search is faked.
"""

import asyncio
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter
from typing import Annotated

import typer

from agent.agent import Agent
from agent.config import AgentConfig, ModelConfig
from agent.models.chain import NamedModel
from agent.models.create import create_chat_model
from agent.progress import Step, StepKind
from agent.types import Answer, Question
from bench.ollama_server import opened_ollama
from cli.script import errors_end_the_script
from tests.agents import chat, question
from tracing import Fact, Span, Trace

PATIENCE = timedelta(minutes=15)
_CANCEL_AFTER = 3.0  # seconds of writing, for a model that shows no draft
_MOST_TOKENS = 120
_HEAD = (
    "path",
    "loaded s",
    "first piece s",
    "first draft s",
    "drafts",
    "total s",
    "tokens",
    "outcome",
    "cancelled s",
    "text",
)
ASKED = question("when are the deploy and lunch?")


@dataclass(slots=True)
class Watch:
    """Notes when the model begins, and when the first draft comes."""

    began: float = field(default_factory=perf_counter)
    first_draft: float | None = None
    drafts: int = 0
    is_writing: asyncio.Event = field(default_factory=asyncio.Event)

    def step(self, step: Step) -> None:
        """Note that the model is asked."""
        if step.kind is StepKind.WRITING:
            self.is_writing.set()

    def draft(self, answer: Answer) -> None:
        """Note a draft."""
        self.drafts += 1
        self.first_draft = self.first_draft or perf_counter() - self.began


async def ask(name: str, config: ModelConfig) -> str:
    """Return a row of Markdown for one path."""
    traces: list[Trace] = []
    model = NamedModel(name=name, create=lambda: create_chat_model(config))
    settings = AgentConfig(
        timeout=PATIENCE,
        longest_wait=PATIENCE,
        stall_timeout=timedelta(minutes=2),
        with_tools=False,
        prompt_tokens=1200,
        draft_every=timedelta(0),
    )
    agent = Agent([model], memory=chat(), config=settings, keep_trace=traces.append)
    with closing(agent):
        began = perf_counter()
        await agent.ready()
        loaded = perf_counter() - began
        await agent.ask(ASKED)
        watch = Watch()
        answer = await agent.ask(ASKED, watcher=watch)
        total = perf_counter() - watch.began
        cancelled = await _cancelled(agent, ASKED)
    facts, turn = (_facts(traces[1].root, span) for span in ("model", "model turn"))
    first_piece = turn.get("first_piece_seconds")
    cells = (
        name,
        f"{loaded:.1f}",
        f"{first_piece:.2f}" if isinstance(first_piece, float) else "whole",
        "none" if watch.first_draft is None else f"{watch.first_draft:.2f}",
        str(watch.drafts),
        f"{total:.2f}",
        f"{facts.get('tokens_read', 0)} / {facts.get('tokens_written', 0)}",
        answer.outcome.value,
        f"{cancelled:.2f}",
        " ".join(answer.text.split())[:70].replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |"


async def _cancelled(agent: Agent, asked: Question) -> float:
    """Return how many seconds it takes until a question that is withdrawn has ended."""
    watch = Watch()
    asking = asyncio.create_task(agent.ask(asked, watcher=watch))
    async with asyncio.timeout(PATIENCE.total_seconds()):
        await watch.is_writing.wait()
    await asyncio.wait([asking], timeout=_CANCEL_AFTER)
    began = perf_counter()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    return perf_counter() - began


def _facts(within: Span, name: str) -> dict[str, Fact]:
    """Return the facts of the first span of a name; none without such a span."""
    if within.name == name:
        return within.facts
    return next((facts for part in within.parts if (facts := _facts(part, name))), {})


async def measure(openai: str | None, model: str, ollama: str | None, huggingface: str | None) -> None:
    """Print a table with a row for each path that can be tried."""
    typer.echo(f"| {' | '.join(_HEAD)} |\n|{'---|' * len(_HEAD)}")

    def config(name: str, url: str | None = None) -> ModelConfig:
        return ModelConfig(name=name, base_url=url, max_tokens=_MOST_TOKENS, timeout=PATIENCE)

    async with AsyncExitStack() as stack:
        if openai:
            typer.echo(await ask("openai", config(f"openai:{model}", openai)))
            typer.echo(await ask("huggingface endpoint", config(f"huggingface:{model}", openai)))
        if openai and not ollama:
            url, server = await stack.enter_async_context(opened_ollama(openai, model))
            typer.echo(await ask("ollama", config(f"ollama:{model}", url)))
            await asyncio.sleep(1)
            typer.echo(
                f"\nOllama's chats: {server.begun} begun, {server.finished} ended, {server.broken_off} broken off"
            )
        elif ollama:
            typer.echo(await ask("ollama", config(f"ollama:{model}", ollama)))
        if huggingface:
            typer.echo(await ask("huggingface in process", config(f"huggingface:{huggingface}")))


def main(
    openai: Annotated[str | None, typer.Option(help="A server of OpenAI's protocol, with /v1.")] = None,
    model: Annotated[str, typer.Option(help="The name of the model there.")] = "small",
    ollama: Annotated[
        str | None, typer.Option(help="An Ollama server; else one is made that forwards to --openai.")
    ] = None,
    huggingface: Annotated[str | None, typer.Option(help="The folder of a model to load into this process.")] = None,
) -> None:
    """Ask through each provider path, and print a table."""
    with errors_end_the_script():
        asyncio.run(measure(openai, model, ollama, huggingface))


if __name__ == "__main__":
    typer.run(main)
