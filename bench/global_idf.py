"""Measure what it is worth that a word weighs in every chunk of a hypertable what it weighs in all of them together.

Each chat, in LoCoMo's format, is loaded twice into memories of its own on a TimescaleDB: into about so many chunks as
are asked for, and into a single one, which needs no such thing. The chunks are searched both ways: as search does it,
and with the words of the question as they are, so that every chunk weighs them by what is rare in it alone. Search
itself has no switch for that, as nobody else would use it; it is made here (`ranked_by_each_chunk`).
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from sqlalchemy.ext.asyncio import AsyncSession

from bench.inputs import told_in_a_sentence
from bench.loading import SESSION, memory_of, record
from bench.locomo import Chat, read_chats
from bench.models import shared_model
from bench.processes import open_workplace
from bench.retrieval import DEPTHS, Ranked, Recalls, recalls, search_all
from bench.servers import AddressOf, open_new_database, open_server
from bench.tables import table
from bench.vectors import RememberingEmbedder, open_remembering_embedder
from db.chunks import Chunk, find_chunks
from db.config import Layout
from db.databases import SHORT_TERM
from memory.index.reembed import prepare
from memory.search import keywords
from memory.search.keywords import global_idf_queries

GLOBAL, LOCAL, SINGLE = "chunks, words weighed over all", "chunks, words weighed in each", "a single chunk"

Way = Callable[[], AbstractContextManager[None]]
"""Makes search work in one way or another for as long as it is entered."""

_ALL_TIME = timedelta(days=36_500)
_SHORTEST = timedelta(hours=1)


@dataclass(slots=True)
class _Results:
    """What was found for each question, how many chunks each chat was in, and milliseconds of each search."""

    ranked: list[Ranked] = field(default_factory=list)
    chunks: list[int] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Figures:
    """How one way to search did: the mean recalls, the fewest chunks that a chat was in, and a search's median time."""

    way: str
    recalls: Recalls
    chunks: int
    p50: float


async def measure(chats: Sequence[Chat], *, chunks: int) -> list[Figures]:
    """Search each chat in its chunks in both ways, and in a single chunk."""
    results = {way: _Results() for way in (GLOBAL, LOCAL, SINGLE)}
    with open_workplace() as place:
        async with (
            open_remembering_embedder(shared_model()) as embedder,
            open_server(place, on_timescale=True) as address_of,
        ):
            for chat in chats:
                ways: dict[str, Way] = {GLOBAL: nullcontext, LOCAL: ranked_by_each_chunk}
                layout = Layout(chunk_interval=chunk_interval(chat, chunks))
                await _search_in_ways(address_of, embedder, chat, layout, ways, results)
                layout = Layout(chunk_interval=_ALL_TIME)
                await _search_in_ways(address_of, embedder, chat, layout, {SINGLE: nullcontext}, results)
    return [
        Figures(way, recalls(chats, found.ranked), min(found.chunks), float(np.percentile(found.milliseconds, 50)))
        for way, found in results.items()
    ]


def chunk_interval(chat: Chat, chunks: int) -> timedelta:
    """Return the length of so many chunks that hold a chat together; those without a message are never made."""
    times = [message.sent_at for message in chat.messages]
    return max((max(times) - min(times)) / chunks, _SHORTEST)


async def _search_in_ways(
    address_of: AddressOf,
    embedder: RememberingEmbedder,
    chat: Chat,
    layout: Layout,
    ways: Mapping[str, Way],
    results: Mapping[str, _Results],
) -> None:
    """Load a chat into a memory of its own, search it in these ways, and add to their results."""
    with open_workplace() as place:
        async with (
            open_new_database(address_of, name=SHORT_TERM, layout=layout) as short_term,
            open_new_database(address_of) as long_term,
        ):
            for database in (short_term, long_term):
                await prepare(database, embedder)
            await record(place, short_term, embedder, chat.messages)
            async with short_term.engine.connect() as connection:
                count = len(await find_chunks(connection, hypertable=True))
            memory = memory_of((short_term, long_term), embedder)
            for way, enter in ways.items():
                with enter():
                    results[way].ranked += await search_all(
                        memory, [chat], results[way].milliseconds, what=f"{chat.name}, {way}"
                    )
                results[way].chunks.append(count)


@contextmanager
def ranked_by_each_chunk() -> Iterator[None]:
    """Have every chunk searched as one that has no others beside it: with the words of the question as they are."""
    keywords.global_idf_queries = _local_idf_queries
    try:
        yield
    finally:
        keywords.global_idf_queries = global_idf_queries


async def _local_idf_queries(
    session: AsyncSession,
    text: str,
    *,
    chunks: Sequence[Chunk],
    largest_chunks: Sequence[Chunk],
) -> list[str]:
    (query,) = await global_idf_queries(session, text, chunks=chunks[:1], largest_chunks=())
    return [query] * len(chunks)


def render(figures: Sequence[Figures]) -> str:
    """Return the figures as a table."""
    heads = ["searched in", "questions", "chunks at least", *(f"R@{depth}" for depth in DEPTHS), "p50 ms"]
    return table(
        heads,
        [[each.way, each.recalls.questions, each.chunks, *each.recalls.at.values(), each.p50] for each in figures],
    )


def main(
    data: Annotated[list[Path], typer.Option(help="Files in LoCoMo's format; --data may be given again.")],
    chunks: Annotated[int, typer.Option(min=2, help="How many chunks the time of a chat is divided into.")] = 14,
    limit_chats: Annotated[int | None, typer.Option(min=1, help="Take no more than the first so many chats.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for a program.")] = False,
) -> None:
    """Print recall in the chunks of a TimescaleDB, with words weighed over all chunks and in each."""
    with told_in_a_sentence():
        figures = asyncio.run(measure(read_chats(data, session=SESSION)[:limit_chats], chunks=chunks))
    typer.echo(json.dumps([asdict(each) for each in figures], indent=2) if as_json else render(figures))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        typer.run(main)
