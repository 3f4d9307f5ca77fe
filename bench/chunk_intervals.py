"""Measure what chunks of different lengths cost: to take messages in, to index them, and to search them.

The same messages, spread over a year, go into one hypertable after another. Small batches go in as the bot writes them,
all of them into the newest chunk; the rest comes by COPY. Every question is a search by vectors and words, without the
embedding, over a day, over thirty days and over all time; what it finds is compared with an exact scan of all vectors.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from time import perf_counter
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from bench.loading import tidy
from bench.models import MODEL, shared_model
from bench.processes import open_workplace
from bench.servers import AddressOf, open_new_database, open_server
from bench.tables import table
from bench.vectors import already, open_remembering_embedder
from bench.windowed_rows import SHARES, START, Sentences, copy_rows, embedded_sentences
from cli.console import progress_bar
from db.chunks import find_chunks
from db.config import Layout
from db.databases import Database
from db.engines import transaction
from db.vector_index import build
from memory.filters import Filters
from memory.index import store
from memory.index.store import Indexed
from memory.message import Message, MessageKey
from memory.search import vectors
from memory.search.candidates import find_candidates
from time_expressions.window import Window

DAYS = 360
WANTED = 10
BATCHES, BATCH = 40, 64
"""How many messages the bot writes at once when it has to catch up, and how often that is measured."""

EVERYWHERE = frozenset(range(1, len(SHARES) + 1))
SPANS = {"1 day": timedelta(days=1), "30 days": timedelta(days=30), "all time": None}


@dataclass(frozen=True, slots=True)
class Figures:
    """What one length of chunks costs; times are medians in milliseconds, rates are rows a second."""

    interval: str
    chunks: int
    copied: float
    written: float
    indexed: float
    p50: dict[str, float]
    recall: dict[str, float]


async def measure(rows: int, intervals: Sequence[int], count: int) -> list[Figures]:
    """Fill a hypertable for every interval, in days, and return what each costs."""
    with open_workplace() as place:
        async with (
            open_remembering_embedder(shared_model()) as embedder,
            open_server(place, on_timescale=True) as address_of,
        ):
            sentences = await embedded_sentences(embedder)
            return [await _measure_one(address_of, sentences, rows, days, count) for days in intervals]


async def _measure_one(address_of: AddressOf, sentences: Sentences, rows: int, days: int, count: int) -> Figures:
    layout = Layout(chunk_interval=timedelta(days=days))
    async with open_new_database(address_of, layout=layout) as database:
        start = perf_counter()
        with progress_bar(f"Copying into chunks of {days} days") as report:
            await copy_rows(database.dsn, sentences, rows=rows, days=DAYS, report=report)
        copied = rows / (perf_counter() - start)
        await tidy(database)
        start = perf_counter()
        with progress_bar("Indexing") as report:
            await build(database.engine, layout, report=report)
        indexed = rows / (perf_counter() - start)
        written = await _write(database, sentences, rows)
        await tidy(database)
        async with database.engine.connect() as connection:
            chunks = len(await find_chunks(connection, hypertable=True))
        p50, recall = await _search(database, sentences, count)
        return Figures(f"{days} days", chunks, copied, written, indexed, p50, recall)


async def _write(database: Database, sentences: Sentences, rows: int) -> float:
    """Write batches as the bot does; return how many rows a second went in, by the median batch."""
    took = []
    for batch in range(BATCHES):
        texts, vectors = sentences.mixed(BATCH, np.random.default_rng(batch))
        indexed = [
            _indexed(rows + batch * BATCH + place + 1, text, vector)
            for place, (text, vector) in enumerate(zip(texts, vectors, strict=True))
        ]
        start = perf_counter()
        async with transaction(database.sessions) as session:
            await store.write(session, batch=indexed, revisions=(), journal="bench", position=batch)
        took.append(perf_counter() - start)
    return BATCH / float(np.median(took))


def _indexed(number: int, text: str, vector: NDArray[np.float32]) -> Indexed:
    message = Message(
        message_id=number,
        sent_at=START + timedelta(days=DAYS) - timedelta(microseconds=number),
        session="bench",
        channel_id=1,
        channel_name="channel-1",
        author_name="author",
        content=text,
    )
    return Indexed(message, text, vector, MODEL)


async def _search(database: Database, sentences: Sentences, count: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return for each span the median time of a search and the share of the nearest ten that it finds."""
    random = np.random.default_rng(3)
    texts, vectors = sentences.mixed(count, random)
    took: dict[str, list[float]] = {span: [] for span in SPANS}
    found: dict[str, list[float]] = {span: [] for span in SPANS}
    with progress_bar("Asking") as report:
        for turn, (text, vector) in enumerate(zip(texts, vectors, strict=True)):
            report(turn, count)
            for span, length in SPANS.items():
                filters = Filters(places=EVERYWHERE, windows=_window(length, random))
                milliseconds, share = await _ask(database, text, vector, filters)
                took[span].append(milliseconds)
                found[span].append(share)
    return (
        {span: float(np.median(some)) for span, some in took.items()},
        {span: float(np.mean(some)) for span, some in found.items()},
    )


def _window(length: timedelta | None, random: np.random.Generator) -> tuple[Window, ...]:
    if length is None:
        return ()
    start = START + float(random.uniform(0, 1)) * (timedelta(days=DAYS) - length)
    return (Window(start, start + length),)


async def _ask(database: Database, text: str, vector: NDArray[np.float32], filters: Filters) -> tuple[float, float]:
    """Return how long a search takes and which share of the nearest ten it finds."""
    start = perf_counter()
    async with transaction(database.reading) as session:
        candidates, _ = await find_candidates(
            session, text=text, vector=already(vector), filters=filters, wanted=WANTED, bm25=True, hypertable=True
        )
    milliseconds = (perf_counter() - start) * 1000
    nearest = sorted(candidates, key=lambda one: one.similarity or 0.0, reverse=True)[:WANTED]
    async with transaction(database.reading) as session:
        right: set[MessageKey] = await vectors.nearest_of_all(session, vector=vector, filters=filters, wanted=WANTED)
    return milliseconds, len({one.message.key for one in nearest} & right) / max(len(right), 1)


def _table(figures: Sequence[Figures]) -> str:
    heads = ["chunks of", "chunks", "COPY rows/s", "batches of 64 rows/s", "indexed rows/s"]
    heads += [f"{span} ms" for span in SPANS] + [f"{span} recall@10 %" for span in SPANS]
    return table(heads, [_line(one) for one in figures])


def _line(one: Figures) -> list[str | float]:
    shares = [share * 100 for share in one.recall.values()]
    rates = [int(rate) for rate in (one.copied, one.written, one.indexed)]
    return [one.interval, one.chunks, *rates, *one.p50.values(), *shares]


def main(
    rows: Annotated[int, typer.Option(min=1000, help="How many messages of a year to search.")] = 200_000,
    intervals: Annotated[str, typer.Option(help="The lengths of chunks, in days.")] = "7,30,90",
    count: Annotated[int, typer.Option("--queries", min=1, help="How many questions.")] = 50,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for a program.")] = False,
) -> None:
    """Compare chunks of different lengths on the TimescaleDB that the environment names."""
    try:
        lengths = [int(days) for days in intervals.split(",")]
    except ValueError as error:
        raise typer.BadParameter(
            "write days with commas between them, as in 7,30,90", param_hint="--intervals"
        ) from error
    figures = asyncio.run(measure(rows, lengths, count))
    typer.echo(json.dumps([asdict(one) for one in figures], indent=2) if as_json else _table(figures))


if __name__ == "__main__":
    typer.run(main)
