"""Time what an answer costs beside the model, part by part, in memories of 100,000 messages.

Both memories lie on one embedded PostgreSQL, nine tenths of the messages in long-term memory. The questions name
topics, authors, channels and times in turn, and are asked one after the other: of an agent without a model, and of one
whose model answers at once, after one search of its own and with a citation that is proven. What the model takes is
taken off. The parts are the spans of the answer's trace; some lie within others, and some run side by side. Each is
shown as time on the clock, and the whole also as time of this process's own processor, which a busy machine changes
less, and as the number of round trips to PostgreSQL, which it does not change.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter, process_time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import numpy as np
import typer
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import PrivateAttr

from agent.agent import Agent
from agent.conversations import Conversations
from agent.models.chain import NamedModel
from agent.types import Question
from bench.answers.scripted import Scripted
from bench.loading import memory_of, tidy
from bench.made_rows import Rows, make_rows
from bench.models import shared_model
from bench.processes import open_workplace
from bench.round_trips import counted_round_trips
from bench.servers import open_new_database, open_server
from bench.tables import table
from bench.windowed_rows import SHARES, START
from cli.console import progress_bar, shown_while
from db.config import SHORT_TERM_LAYOUT
from db.databases import SHORT_TERM, Database
from db.vector_index import build
from memory.coverage.ledger import Ledger
from memory.embedding.embedder import open_embedder
from memory.index import bulk
from memory.index.reembed import prepare
from memory.search.memory import Memory
from tracing import Span, Trace

WANTED = 60.0  # milliseconds, of the slowest in twenty
SHORT_TERM_SHARE = 10  # one in so many messages

_ASKERS = 20
_WARM_UP = 20  # questions that are not timed: connections, plans and the pages of the database
_WORDS = 7  # of a message, in a question about it
_PATTERNS = (
    "What did anybody say about {words}?",
    "What did {author} say about {words}?",
    "Was there anything in #{channel} about {words}?",
    "Who mentioned {words} in October 2026?",
    "When was {words}?",
)


class Searching(Scripted):
    """A model that searches once for the question, then answers by its rule; it notes how long it took."""

    _seconds: float = PrivateAttr(default=0.0)
    _has_searched: bool = PrivateAttr(default=False)

    @property
    def seconds(self) -> float:
        """How long all of its replies took."""
        return self._seconds

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        began = perf_counter()
        self._has_searched = not self._has_searched
        if self._has_searched:
            asked = {"query": messages[-1].text[-200:] or "it"}
            call = {"name": "search_messages", "args": asked, "id": "search", "type": "tool_call"}
            made = ChatResult(generations=[ChatGeneration(message=AIMessage("", tool_calls=[call]))])
        else:
            made = super()._generate(messages, stop, run_manager, **kwargs)
        self._seconds += perf_counter() - began
        return made


@dataclass
class Times:
    """Milliseconds of each question: on the clock, of this process's processor, and on the clock of each part."""

    whole: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    round_trips: list[float] = field(default_factory=list)
    parts: list[dict[str, float]] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)

    @property
    def p95(self) -> float:
        """The time of the slowest in twenty."""
        return float(np.percentile(self.whole, 95))

    def rows(self) -> Iterator[tuple[str, float, float, float]]:
        """Yield a line for the whole and each part: p50, p95, and in how many answers in a hundred it is."""
        for name, times in (("all but the model", self.whole), ("of it this process's processor", self.processor)):
            yield name, *np.percentile(times, (50, 95)), 100.0
        yield "round trips to PostgreSQL, not ms", *np.percentile(self.round_trips, (50, 95)), 100.0
        names = dict.fromkeys(name for parts in self.parts for name in parts)
        for name in names:
            times = [parts[name] for parts in self.parts if name in parts]
            yield f"  {name}", *np.percentile(times, (50, 95)), 100 * len(times) / len(self.parts)


@asynccontextmanager
async def open_memory(rows: Rows) -> AsyncGenerator[tuple[Memory, Database]]:
    """Yield both memories with so many messages, indexed as a bot that has run for a while has them."""
    with open_workplace() as place:
        async with (
            open_server(place, on_timescale=False) as address_of,
            open_new_database(address_of, name=SHORT_TERM, layout=SHORT_TERM_LAYOUT) as short_term,
            open_new_database(address_of) as long_term,
            open_embedder(shared_model()) as embedder,
        ):
            await embedder.ready()
            until = len(rows.texts) - len(rows.texts) // SHORT_TERM_SHARE
            for database, some in ((long_term, rows.part(0, until)), (short_term, rows.part(until, len(rows.texts)))):
                await prepare(database, embedder)
                with progress_bar(f"Filling the {database.name} memory") as report:
                    for batch in some.batches():
                        await bulk.write(database, batch, expected=len(some.texts))
                        report(batch.position, len(some.texts))
                await shown_while(database.migrate(dimensions=await embedder.dimensions()), "Building the word index")
                with progress_bar("Building the vector index") as report:
                    await build(database.engine, database.layout, report=report)
                await tidy(database)
            memory = memory_of((short_term, long_term), embedder)
            await memory.load_names()
            yield memory, long_term


def questions(rows: Rows, count: int) -> Iterator[Question]:
    """Yield questions about words of messages from all over memory, asked by some people in turn."""
    random = np.random.default_rng(3)
    channels = len(SHARES)
    for number, place in enumerate(random.integers(0, len(rows.texts), count)):
        words = " ".join(rows.texts[place].split()[:_WORDS]).strip(".,;:!?\"'")
        pattern = _PATTERNS[number % len(_PATTERNS)]
        text = pattern.format(words=words, author=f"author {place % 40}", channel=f"channel-{rows.channels[place]}")
        yield Question(
            text=text[:300],
            channel_id=number % channels + 1,
            asker_id=number % _ASKERS + 1,
            asker_name=f"asker {number % _ASKERS + 1}",
            places=frozenset(range(1, channels + 1)),
            now=START + timedelta(days=401),
            time_zone=ZoneInfo("UTC"),
        )


async def ask_all(memory: Memory, long_term: Database, asked: Sequence[Question], model: Searching | None) -> Times:
    """Return the times of each question but the first ones, asked one after the other."""
    traces: list[Trace] = []
    agent = Agent(
        [] if model is None else [NamedModel(name="scripted", create=lambda: model)],
        memory=memory,
        conversations=Conversations(long_term.sessions),
        coverage=Ledger(long_term.sessions, session="bench"),
        keep_trace=traces.append,
    )
    await agent.ready()
    times = Times()
    with progress_bar("Asking") as report:
        for number, question in enumerate(asked):
            before = 0.0 if model is None else model.seconds
            began, used = perf_counter(), process_time()
            with counted_round_trips() as trips:
                answer = await agent.ask(question)
            took, used = perf_counter() - began, process_time() - used
            thought = 0.0 if model is None else model.seconds - before
            report(number + 1, len(asked))
            if number < _WARM_UP:
                continue
            times.whole.append(1000 * (took - thought))
            times.processor.append(1000 * (used - thought))
            times.round_trips.append(trips.count)
            times.parts.append(parts_of(traces[-1].root))
            times.outcomes[answer.outcome.value] = times.outcomes.get(answer.outcome.value, 0) + 1
    agent.close()
    return times


def parts_of(root: Span) -> dict[str, float]:
    """Return the milliseconds of each span's name, those of one name added up, in the order in which they began."""
    parts: dict[str, float] = {}

    def add(span: Span, depth: int) -> None:
        for part in span.parts:
            name = f"{'  ' * depth}{part.name}"
            parts[name] = parts.get(name, 0.0) + 1000 * (part.seconds or 0.0)
            add(part, depth + 1)

    add(root, 0)
    return parts


async def measure(count: int, asked: int) -> dict[str, Times]:
    """Return the times of all questions without a model, and with one that answers at once."""
    rows = await shown_while(make_rows(count), "Making messages")
    some = list(questions(rows, asked + _WARM_UP))
    async with open_memory(rows) as (memory, long_term):
        return {
            "without a model": await ask_all(memory, long_term, some, None),
            "with a model that answers at once": await ask_all(
                memory, long_term, some, Searching(name_of_rule="citer")
            ),
        }


def main(
    messages: Annotated[int, typer.Option(min=1000, help="How many messages memory holds.")] = 100_000,
    asked: Annotated[int, typer.Option("--questions", min=1, help="How many questions are timed.")] = 200,
) -> None:
    """Time answers beside the model; exit status 1 when one in twenty takes longer than it should."""
    measured = asyncio.run(measure(messages, asked))
    for name, times in measured.items():
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in times.outcomes.items())
        typer.echo(f"\n{name}: {outcomes}\n")
        typer.echo(table(("", "p50 ms", "p95 ms", "% of answers"), list(times.rows())))
    raise typer.Exit(0 if all(times.p95 < WANTED for times in measured.values()) else 1)


if __name__ == "__main__":
    typer.run(main)
