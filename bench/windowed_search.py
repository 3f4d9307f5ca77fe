"""Search windows and channels of a large memory, beside an exact scan, diskann alone and HNSW alone on the same rows.

Rows and questions are mixtures of real sentences (`bench.windowed_rows`). Every question is asked in every way, one
after the other, so that a busy moment of the machine hits all alike. Each way fetches the keys of the ten nearest rows
that pass the filter: the planner's choice, a comparison of every row, and the two indexes with their default settings
and the filter behind them. HNSW has a table of its own, a copy, so that no plan can choose between the two. What a
whole search by vectors and words costs stands in the last rows, from the estimate to both scores of each candidate.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from psycopg.sql import SQL, Composable, Identifier
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.explaining import explained
from bench.loading import tidy
from bench.models import shared_model
from bench.processes import open_workplace
from bench.servers import ADDRESS, WIDTH, open_new_database, open_server
from bench.tables import table
from bench.vectors import already, open_remembering_embedder
from bench.windowed_rows import SHARES, START, Sentences, copy_rows, embedded_sentences
from cli.console import progress_bar, shown_while
from db.databases import Database
from db.engines import transaction
from db.migrate import LONG_STATEMENT_TIMEOUT
from db.statements import fetch
from db.vector_index import build
from memory.filters import MESSAGES, Filters, first, shape_of, values_of
from memory.search import rows, vectors
from memory.search.candidates import find_candidates
from memory.search.planner import Trace, estimate
from memory.search.vectors import as_text
from time_expressions.window import Window

WANTED = 10
RIGHT = 0.99
"""The recall below which a way is no measure for others: to be fast and wrong is easy."""

EVERYWHERE = frozenset(range(1, len(SHARES) + 1))
OURS, EXACT, DISKANN, HNSW, WHOLE = "planned", "exact", "diskann", "hnsw", "whole search"

Keys = set[tuple[int, Any]]
Ask = Callable[[AsyncSession, "Question"], Awaitable[Keys]]
"""A way to ask a question over a session."""

_WORDS = ("messages_bm25", "messages_full_text")  # an index is built faster than it is kept up to date
_MAKE_COPY = (
    "CREATE TABLE messages_hnsw (LIKE messages INCLUDING STORAGE)",
    "INSERT INTO messages_hnsw SELECT * FROM messages ORDER BY sent_at",
    "SET LOCAL maintenance_work_mem = '1GB'",  # a graph that does not fit it is built many times slower
    "CREATE INDEX ON messages_hnsw USING hnsw (embedding vector_cosine_ops)",
    "GRANT SELECT ON messages_hnsw TO PUBLIC",  # searches act as a reader, who has rights to what migrations made
)


@dataclass(frozen=True, slots=True)
class Question:
    """A vector, its text, and a filter."""

    text: str
    vector: NDArray[np.float32]
    filters: Filters


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is searched: so many messages of so many days, and the number of questions of each case."""

    rows: int
    days: int
    count: int
    on_timescale: bool
    with_hnsw: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """How one way did on the questions of one case; `shortest` is the least share of min(10, matching) rows."""

    case: str
    way: str
    matching: int
    recall: float
    shortest: float
    p50: float
    p95: float


async def measure(scene: Scene) -> tuple[list[Figures], list[str]]:
    """Fill a memory, ask every case in every way; return how each did, and the plans of a one-day search."""
    async with _filled(scene) as (database, sentences):
        figures: list[Figures] = []
        cases = _cases(sentences, scene.days, scene.count)
        with progress_bar("Asking") as report:
            for done, (case, questions) in enumerate(cases.items()):
                report(done, len(cases))
                figures += await _ask_all(database, case, questions, _ways(database, with_hnsw=scene.with_hnsw))
        return figures, await _plans(database, cases["1 day"][0])


@asynccontextmanager
async def _filled(scene: Scene) -> AsyncGenerator[tuple[Database, Sentences]]:
    with open_workplace() as place:
        async with (
            open_remembering_embedder(shared_model()) as embedder,
            open_server(place, on_timescale=scene.on_timescale) as address_of,
            open_new_database(address_of) as database,
        ):
            sentences = await embedded_sentences(embedder)
            await _run(database, *(f"DROP INDEX IF EXISTS {index}" for index in _WORDS))
            with progress_bar("Copying rows") as report:
                await copy_rows(database.dsn, sentences, rows=scene.rows, days=scene.days, report=report)
            await shown_while(database.migrate(dimensions=WIDTH), "Building the word index")
            await tidy(database)
            with progress_bar("Building the vector indexes") as report:
                await build(database.engine, database.layout, report=report)
            if scene.with_hnsw:
                await shown_while(copy_under_hnsw(database), "Building HNSW on a copy")
            await tidy(database)
            yield database, sentences


async def _plans(database: Database, question: Question) -> list[str]:
    """Return what PostgreSQL did in each statement of the planner's search."""
    async with transaction(database.reading) as session, explained(session, analysed=True) as plans:
        await _planned(session, question, hypertable=database.capabilities.hypertables)
    return plans


async def copy_under_hnsw(database: Database) -> None:
    """Copy the messages into a table with an HNSW index, which whoever reads messages may read as well."""
    await _run(database, *_MAKE_COPY)


async def _run(database: Database, *statements: str) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(LONG_STATEMENT_TIMEOUT)
        for statement in statements:
            await connection.execute(text(statement))


def _cases(sentences: Sentences, days: int, count: int) -> dict[str, list[Question]]:
    """Return the questions of every case, with windows that lie anywhere in the time of the rows."""
    random = np.random.default_rng(2)
    texts, vectors = sentences.mixed(count, random)

    def window(length: int) -> Window:
        start = START + timedelta(days=float(random.uniform(0, max(days - length, 0))))
        return Window(start, start + timedelta(days=length))

    def ask(filters: Callable[[], Filters]) -> list[Question]:
        return [Question(text, vector, filters()) for text, vector in zip(texts, vectors, strict=True)]

    def within(length: int) -> list[Question]:
        return ask(lambda: Filters(places=EVERYWHERE, windows=(window(length),)))

    def in_channel(share: float) -> list[Question]:
        return ask(lambda: Filters(places=frozenset({SHARES.index(share) + 1})))

    return {
        "1 day": within(1),
        "7 days": within(7),
        "30 days": within(30),
        "5 % channel": in_channel(0.05),
        "0.5 % channel": in_channel(0.005),
    }


def _ways(database: Database, *, with_hnsw: bool) -> dict[str, Ask]:
    hypertable = database.capabilities.hypertables
    ways: dict[str, Ask] = {
        OURS: partial(_planned, hypertable=hypertable),
        EXACT: _exact,
        DISKANN: _diskann,
        HNSW: nearest_by_hnsw,
        WHOLE: partial(_whole, hypertable=hypertable),
    }
    return {name: way for name, way in ways.items() if with_hnsw or name != HNSW}


async def _ask_all(
    database: Database, case: str, questions: Sequence[Question], ways: Mapping[str, Ask]
) -> list[Figures]:
    found: dict[str, list[Keys]] = {way: [] for way in ways}
    took: dict[str, list[float]] = {way: [] for way in ways}
    for way in ways:  # what is read for the first time is read from the disk
        await _timed(database, ways[way], questions[0])
    matching = [await _matching(database, question) for question in questions]
    for turn, question in enumerate(questions):
        names = list(ways)
        for way in names[turn % len(names) :] + names[: turn % len(names)]:
            keys, milliseconds = await _timed(database, ways[way], question)
            found[way].append(keys)
            took[way].append(milliseconds)
    return [_figures(case, way, matching, found[way], found[EXACT], took[way]) for way in ways]


def _figures(
    case: str, way: str, matching: Sequence[int], found: Sequence[Keys], exact: Sequence[Keys], took: Sequence[float]
) -> Figures:
    recalls = [len(keys & right) / len(right) for keys, right in zip(found, exact, strict=True) if right]
    shares = [len(keys) / min(WANTED, count) for keys, count in zip(found, matching, strict=True) if count]
    return Figures(
        case=case,
        way=way,
        matching=int(np.mean(matching)),
        recall=float(np.mean(recalls or [1.0])),
        shortest=min([*shares, 1.0]),
        p50=float(np.percentile(took, 50)),
        p95=float(np.percentile(took, 95)),
    )


async def _timed(database: Database, way: Ask, question: Question) -> tuple[Keys, float]:
    start = perf_counter()
    async with transaction(database.reading) as session:
        keys = await way(session, question)
    return keys, (perf_counter() - start) * 1000


async def _planned(session: AsyncSession, question: Question, *, hypertable: bool) -> Keys:
    size = await estimate(session, question.filters, hypertable=hypertable)
    return await vectors.nearest(
        session, vector=question.vector, filters=question.filters, wanted=WANTED, size=size, trace=Trace()
    )


async def _exact(session: AsyncSession, question: Question) -> Keys:
    return await vectors.nearest_of_all(session, vector=question.vector, filters=question.filters, wanted=WANTED)


async def _diskann(session: AsyncSession, question: Question) -> Keys:
    return await _by_index_alone(session, question, MESSAGES)


async def nearest_by_hnsw(session: AsyncSession, question: Question) -> Keys:
    """Return the keys of what the HNSW index of the copy finds with the filter behind it."""
    return await _by_index_alone(session, question, Identifier("messages_hnsw"))


async def _by_index_alone(session: AsyncSession, question: Question, table: Composable) -> Keys:
    await session.execute(text("SET LOCAL enable_sort = off"))  # leaves the index as the only way to an order
    nearest = first(shape_of(question.filters), table=table, order=SQL("embedding <=> %(vector)s"))
    values = {"vector": as_text(question.vector), "wanted": WANTED, **values_of(question.filters)}
    return {(row["message_id"], row["sent_at"]) for row in await fetch(session, nearest, values)}


async def _whole(session: AsyncSession, question: Question, *, hypertable: bool) -> Keys:
    found, _ = await find_candidates(
        session,
        text=question.text,
        vector=already(question.vector),
        filters=question.filters,
        wanted=WANTED,
        bm25=True,
        hypertable=hypertable,
    )
    nearest = sorted(found, key=lambda one: one.similarity or 0.0, reverse=True)
    return {one.message.key for one in nearest[:WANTED]}


async def _matching(database: Database, question: Question) -> int:
    async with transaction(database.reading) as session:
        return await rows.count(session, filters=question.filters)


def _table(figures: Sequence[Figures]) -> str:
    heads = ("case", "rows", "way", "recall@10 %", "shortest %", "p50 ms", "p95 ms")
    return table(
        heads,
        [(one.case, one.matching, one.way, one.recall * 100, one.shortest * 100, one.p50, one.p95) for one in figures],
    )


def _compared(figures: Sequence[Figures]) -> str:
    """Return, case by case, the planner's p95 beside that of the faster way that finds what it should."""
    lines = []
    for ours in [one for one in figures if one.way == OURS]:
        right = [one for one in figures if one.case == ours.case and one.way in (EXACT, DISKANN)]
        best = min((one for one in right if one.recall >= RIGHT), key=lambda one: one.p95)
        lines.append(f"{ours.case}: p95 is {ours.p95 / best.p95:.2f} x that of {best.way}")
    return "\n".join(lines)


def main(
    rows: Annotated[int, typer.Option(min=1000, help="How many messages to search.")] = 200_000,
    days: Annotated[int, typer.Option(min=31, help="How many days they were written in.")] = 100,
    count: Annotated[int, typer.Option("--queries", min=1, help="How many questions of each case.")] = 100,
    *,
    on_timescale: Annotated[bool, typer.Option("--timescale", help=f"Search the TimescaleDB at {ADDRESS}.")] = False,
    with_hnsw: Annotated[bool, typer.Option("--hnsw/--no-hnsw", help="Build HNSW too, which takes longest.")] = True,
    explain: Annotated[bool, typer.Option("--explain", help="Show the plans of a one-day search.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for a program.")] = False,
) -> None:
    """Measure recall and time of searches in windows and channels, beside the ways that do not plan."""
    scene = Scene(rows=rows, days=days, count=count, on_timescale=on_timescale, with_hnsw=with_hnsw)
    figures, plans = asyncio.run(measure(scene))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in figures], indent=2))
        return
    typer.echo(f"{_table(figures)}\n\n{_compared(figures)}")
    if explain:
        typer.echo("\n" + "\n\n".join(plans))


if __name__ == "__main__":
    typer.run(main)
