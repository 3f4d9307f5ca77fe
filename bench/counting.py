"""Ask for numbers, order, activity, links and people in a memory of many messages, and print how long answers take."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import text as sql

from agent.agent import Agent
from agent.types import Answer, Outcome, Question
from bench.models import shared_model
from bench.overviews import CHANNELS, GUILD, fill
from bench.processes import open_workplace
from bench.servers import open_new_database, open_server
from bench.tables import table
from cli.console import shown_while
from db.config import SHORT_TERM_LAYOUT
from db.databases import SHORT_TERM
from db.name_rows import FILL
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from memory.search_session import searchable_database
from overviews.who import WhoKnows

QUESTIONS = (
    "how many messages are there?",
    "how often was reduction mentioned?",
    "wie oft wurde reduction erwähnt?",
    "how many messages were posted last week?",
    "who talks most?",
    "when was reduction first and last mentioned?",
    "which day was busiest?",
    "at what hour do people write most?",
    "how active was #channel-7 in March?",
    "how many messages per week mention reduction?",
    "list all links in #channel-21 from last week",
    "who posted that link to the page/400?",
    "who knows about copper glaze?",
)
"""One for each kind of counting; the messages are those of `bench.overviews`."""

_RUNS = 5
_NOW = datetime(2027, 1, 1, tzinfo=UTC)


def question(text: str) -> Question:
    """Return a question of somebody who may read every channel."""
    return Question(
        text=text,
        channel_id=1,
        asker_id=1,
        asker_name="person 1",
        places=frozenset(range(1, CHANNELS + 1)),
        now=_NOW,
        time_zone=ZoneInfo("Europe/Paris"),
        guild=GUILD,
        kept=False,
    )


async def timed(agent: Agent, text: str) -> tuple[list[float], Answer]:
    """Return how many milliseconds each answer to a question took after a first one, and the last of them."""
    answer = await agent.ask(question(text))
    taken = []
    for _ in range(_RUNS):
        begun = perf_counter()
        answer = await agent.ask(question(text))
        taken.append((perf_counter() - begun) * 1000)
    return taken, answer


async def measure(rows: int, questions: Sequence[str] = QUESTIONS) -> str:
    """Return the figures as text."""
    async with AsyncExitStack() as stack:
        place = stack.enter_context(open_workplace())
        address_of = await stack.enter_async_context(open_server(place, on_timescale=False))
        long_term = await stack.enter_async_context(open_new_database(address_of))
        short_term = await stack.enter_async_context(
            open_new_database(address_of, name=SHORT_TERM, layout=SHORT_TERM_LAYOUT)
        )
        for database, count in ((long_term, rows), (short_term, rows // 10)):  # a session that was promoted and goes on
            await fill(database, count)
            async with database.engine.begin() as connection:
                await connection.execute(sql(FILL))
        embedder = Embedder(shared_model())
        stack.callback(embedder.close)
        await embedder.ready()
        databases = searchable_database(short_term), searchable_database(long_term)
        memory = Memory(*databases, embedder)
        await memory.load_names()
        agent = Agent((), memory=memory, knowers=WhoKnows(memory, databases))
        stack.callback(agent.close)
        lines = []
        for text in questions:
            taken, answer = await timed(agent, text)
            is_counted = "yes" if answer.outcome is Outcome.COUNTED else "no"
            lines.append((text, is_counted, round(median(taken)), round(max(taken)), len(answer.sources)))
    return table(("asked", "counted", "median ms", "slowest ms", "cited"), lines)


def main(
    rows: Annotated[int, typer.Option(min=1000, help="How many messages there are in long-term memory.")] = 100_000,
) -> None:
    """Print how long answers that are counted take; the memory is made first, on a server of its own."""
    typer.echo(asyncio.run(shown_while(measure(rows), "Making messages and asking")))


if __name__ == "__main__":
    typer.run(main)
