"""Ask a memory in which most messages are in tens of thousands of threads, beside one of equal size with a few.

Both memories hold as many messages, of the same texts, vectors, times and channels; they differ only in how many
threads each channel's messages are spread over. Who asks may read two channels of three with all their public threads,
archived ones among them, and some private threads. Each question is asked of both memories in turn, so that a busy
moment of the machine hits both alike.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from time import perf_counter
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import numpy as np
import typer
from pgvector import Vector
from pgvector.psycopg import register_vector_async
from sqlalchemy import text

from bench.explaining import explained
from bench.loading import memory_of, tidy
from bench.models import shared_model
from bench.processes import open_workplace
from bench.servers import WIDTH, AddressOf, open_new_database, open_server
from bench.tables import table
from bench.vectors import RememberingEmbedder, already, open_remembering_embedder
from bench.windowed_rows import START, Sentences, embedded_sentences
from cli.console import progress_bar, shown_while
from db.addresses import keywords_of, parse_address
from db.config import SHORT_TERM_LAYOUT
from db.connections import connect
from db.databases import SHORT_TERM, Database
from db.engines import transaction
from db.migrate import LONG_STATEMENT_TIMEOUT
from db.name_rows import FILL
from db.vector_index import build
from memory.filters import Bounds, Filters
from memory.index.reembed import prepare
from memory.names.places import thread_name
from memory.places import store
from memory.places.state import PlaceKind, PlaceState
from memory.question.parse import parse_question
from memory.search.candidates import find_candidates
from memory.search.memory import Memory
from time_expressions.window import Window
from util_async import Progress

FEW = 10
"""Threads of the memory that the other is compared with."""

GUILD, CHANNELS, AUTHORS, DAYS = 1, 300, 200, 400
_FIRST_THREAD = 1_000_000  # ids of threads begin here
_IN_THREADS = 0.7  # of the messages
_PRIVATE = 20  # one thread of so many is private
_MY_PRIVATE = 50  # private threads that the asker has joined
_BLOCK = 5000
_LONGEST = 60  # characters of a question: some ten words, as people ask
_WANTED = 8
_CONNECT_TIMEOUT = timedelta(seconds=10)
_BEFORE_LOADING = (
    *("DROP INDEX IF EXISTS messages_bm25", "DROP INDEX IF EXISTS messages_full_text"),
    *("DROP INDEX messages_place_sent_at", "DROP INDEX messages_access_sent_at", "DROP INDEX messages_sent_at"),
)
_INDEXES = text("SELECT indexdef FROM pg_indexes WHERE tablename = 'messages' AND indexname LIKE 'messages_%sent_at'")
_TYPES = {
    "message_id": "int8",
    "sent_at": "timestamptz",
    "session": "text",
    "guild_id": "int8",
    "channel_id": "int8",
    "thread_id": "int8",
    "in_public_thread": "bool",
    "author_id": "int8",
    "author_name": "text",
    "channel_name": "text",
    "kind": "text",
    "content": "text",
    "search_text": "text",
    "embedding": "vector",
    "embedding_model": "text",
}
_COPY = f"COPY messages ({', '.join(_TYPES)}) FROM STDIN (FORMAT BINARY)"

Ask = Callable[[Memory, str, "Reader"], Awaitable[int]]
"""Asks a memory a question, and returns how many messages are shown."""


@dataclass(frozen=True, slots=True)
class Threads:
    """So many threads, spread over the channels; one of some is private."""

    count: int

    def thread_of(self, channel: int, draw: float) -> int | None:
        """Return the thread of a channel that a number from 0 to 1 means; None where the channel has none."""
        own = len(range(channel, self.count, CHANNELS))
        # Threads are of very different sizes: the square makes the first ones large.
        return _FIRST_THREAD + channel + CHANNELS * int(own * draw * draw) if own else None

    def is_private(self, thread: int) -> bool:
        """Return whether a thread is open to those who have joined it alone."""
        return (thread - _FIRST_THREAD) // CHANNELS % _PRIVATE == _PRIVATE - 1

    def states(self) -> Iterator[PlaceState]:
        """Yield the channels, and the threads, most of which are archived."""
        for channel in range(CHANNELS):
            yield PlaceState(
                place_id=channel + 1, guild_id=GUILD, kind=PlaceKind.FORUM, seen_at=START, name=f"channel-{channel}"
            )
        for number in range(self.count):
            thread = _FIRST_THREAD + number
            yield PlaceState(
                place_id=thread,
                guild_id=GUILD,
                kind=PlaceKind.PRIVATE_THREAD if self.is_private(thread) else PlaceKind.PUBLIC_THREAD,
                seen_at=START,
                parent_id=number % CHANNELS + 1,
                name=f"Question number {number}",
                archived=number % 10 != 0,
            )


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks: what may be read, and a thread and a time to ask about."""

    places: frozenset[int]
    conversation: int
    window: Window


@dataclass(frozen=True, slots=True)
class Scene:
    """A memory with so many threads, and how long it took to fill it."""

    threads: Threads
    memory: Memory
    database: Database
    seconds: float


@dataclass(frozen=True, slots=True)
class Figures:
    """How long the questions of one sort took in one memory, in milliseconds, and how much they found."""

    case: str
    threads: int
    p50: float
    p95: float
    shown: float


@asynccontextmanager
async def _opened(rows: int, threads: Sequence[int]) -> AsyncGenerator[tuple[list[Scene], Sentences]]:
    """Yield memories of so many messages, one for each number of threads, and the sentences that texts are made of."""
    async with AsyncExitStack() as stack:
        place = stack.enter_context(open_workplace())
        embedder = await stack.enter_async_context(open_remembering_embedder(shared_model()))
        address_of = await stack.enter_async_context(open_server(place, on_timescale=False))
        sentences = await embedded_sentences(embedder)
        short_term = await stack.enter_async_context(
            open_new_database(address_of, name=SHORT_TERM, layout=SHORT_TERM_LAYOUT)
        )
        await prepare(short_term, embedder)
        scenes = []
        for count in threads:
            scene = _filled(address_of, short_term, embedder, sentences, rows=rows, threads=Threads(count))
            scenes.append(await stack.enter_async_context(scene))
        yield scenes, sentences


@asynccontextmanager
async def _filled(
    address_of: AddressOf,
    short_term: Database,
    embedder: RememberingEmbedder,
    sentences: Sentences,
    *,
    rows: int,
    threads: Threads,
) -> AsyncGenerator[Scene]:
    """Yield a memory with so many messages, indexed as a bot that has run for a while has them."""
    start = perf_counter()
    async with open_new_database(address_of) as database:
        await prepare(database, embedder)
        async with database.engine.begin() as connection:
            indexes = list(await connection.scalars(_INDEXES))
        await _run(database, *_BEFORE_LOADING)
        with progress_bar(f"Copying messages in {threads.count:,} threads") as report:
            await _copy(database.dsn, sentences, threads, rows=rows, report=report)
        async with transaction(database.sessions) as session:
            await store.upsert(session, list(threads.states()))
        await shown_while(_run(database, *indexes, FILL), "Building the indexes of places, and names")
        await shown_while(_migrated(database), "Building the word index")
        await tidy(database)
        with progress_bar("Building the vector index") as report:
            await build(database.engine, database.layout, report=report)
        await tidy(database)
        yield Scene(threads, memory_of((short_term, database), embedder), database, perf_counter() - start)


async def _migrated(database: Database) -> None:
    await database.migrate(dimensions=WIDTH)


async def _run(database: Database, *statements: str) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(LONG_STATEMENT_TIMEOUT)
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def _copy(dsn: str, sentences: Sentences, threads: Threads, *, rows: int, report: Progress) -> None:
    async with await connect(keywords_of(parse_address(dsn)), timeout=_CONNECT_TIMEOUT) as connection:
        await register_vector_async(connection)
        async with connection.cursor().copy(_COPY.encode()) as copy:
            copy.set_types(list(_TYPES.values()))
            for number, row in enumerate(_rows(sentences, threads, rows), 1):
                await copy.write_row(row)
                if number % _BLOCK == 0:
                    report(number, rows)


def _rows(sentences: Sentences, threads: Threads, rows: int) -> Iterator[tuple[Any, ...]]:
    """Yield the messages in time order, the same for any number of threads but for these."""
    random = np.random.default_rng(1)
    seconds = np.sort(random.uniform(0, timedelta(days=DAYS).total_seconds(), rows))
    channels = (CHANNELS * random.uniform(0, 1, rows) ** 2).astype(int)
    is_in_thread = random.uniform(0, 1, rows) < _IN_THREADS
    draws = random.uniform(0, 1, rows)
    for start in range(0, rows, _BLOCK):
        texts, vectors = sentences.mixed(min(_BLOCK, rows - start), random)
        for number, said, vector in zip(range(start, rows), texts, vectors, strict=False):
            channel = int(channels[number])
            thread = threads.thread_of(channel, float(draws[number])) if is_in_thread[number] else None
            yield _row(number, float(seconds[number]), channel, thread, threads, said, vector)


def _row(
    number: int, second: float, channel: int, thread: int | None, threads: Threads, said: str, vector: Any
) -> tuple[Any, ...]:
    sent_at, author = START + timedelta(seconds=second), number % AUTHORS
    title = "" if thread is None else f"Question number {thread - _FIRST_THREAD}"
    return (
        *(number + 1, sent_at, "bench", GUILD, channel + 1, thread),
        thread is not None and not threads.is_private(thread),
        *(author + 1, f"author {author}", thread_name(f"channel-{channel}", title), "message", said),
        f"author {author} ({sent_at:%A} {sent_at.day} {sent_at:%B %Y}): {said}\n{said}",
        *(Vector(vector), "m"),
    )


async def _ask_parsed(memory: Memory, question: str, reader: Reader) -> int:
    """Read the question against all names that are known, then search, as /chat does."""
    parsed = await parse_question(
        question,
        places=reader.places,
        here=1,
        now=START + timedelta(days=DAYS),
        time_zone=ZoneInfo("UTC"),
        memory=memory.in_guild(GUILD),
    )
    return await _search(memory, question, replace(reader, places=parsed.places))


async def _search(memory: Memory, question: str, reader: Reader, windows: Sequence[Window] = ()) -> int:
    found = await memory.in_guild(GUILD).search(question, places=reader.places, windows=windows, limit=_WANTED)
    return sum(len(excerpt.lines) for excerpt in found.excerpts)


async def _search_window(memory: Memory, question: str, reader: Reader) -> int:
    return await _search(memory, question, reader, (reader.window,))


async def _search_thread(memory: Memory, question: str, reader: Reader) -> int:
    return await _search(memory.in_conversations(frozenset({reader.conversation})), question, reader)


async def _newest(memory: Memory, _: str, reader: Reader) -> int:
    found = await memory.in_guild(GUILD).list_messages(places=reader.places, newest=True, limit=20)
    return sum(len(excerpt.lines) for excerpt in found.excerpts)


CASES: dict[str, Ask] = {
    "a question of all time": _ask_parsed,
    "one week": _search_window,
    "one thread": _search_thread,
    "the newest messages": _newest,
}


def _readers(threads: Threads, count: int) -> list[Reader]:
    """Return who asks each question: somebody who reads two channels of three, and some private threads."""
    random = np.random.default_rng(3)
    ids = range(_FIRST_THREAD, _FIRST_THREAD + threads.count)
    private = [thread for thread in ids if threads.is_private(thread)]
    public = [thread for thread in ids if not threads.is_private(thread)]
    readers = []
    for _ in range(count):
        channels = 1 + random.choice(CHANNELS, CHANNELS * 2 // 3, replace=False)
        joined = random.permutation(private)[:_MY_PRIVATE]
        start = START + timedelta(days=float(random.uniform(0, DAYS - 7)))
        readers.append(
            Reader(
                frozenset(map(int, [*channels, *joined])),
                public[int(random.integers(len(public)))],
                Window(start, start + timedelta(days=7)),
            )
        )
    return readers


async def measure(rows: int, threads: int, count: int, *, explain: bool) -> tuple[list[Figures], list[str]]:
    """Fill both memories, ask both every question; return the figures, and what PostgreSQL did for one question."""
    async with _opened(rows, (FEW, threads)) as (scenes, sentences):
        for scene in scenes:
            start = perf_counter()
            await scene.memory.load_names()
            typer.echo(
                f"{rows:,} messages in {scene.threads.count:,} threads were loaded in {scene.seconds:,.0f} s, "
                f"their names read in {perf_counter() - start:,.1f} s.",
                err=True,
            )
        texts, _ = sentences.mixed(count, np.random.default_rng(2))
        questions = [one[:_LONGEST] for one in texts]
        # Whichever memory is asked first would wait for the model.
        await scenes[0].memory.embedder.embed_questions(questions)
        readers = [_readers(scene.threads, count) for scene in scenes]
        figures = [
            each for case, ask in CASES.items() for each in await _ask_all(case, ask, scenes, questions, readers)
        ]
        plans = await _plans(scenes[-1], questions[0], readers[-1][0]) if explain else []
        return figures, plans


async def _ask_all(
    case: str, ask: Ask, scenes: Sequence[Scene], questions: Sequence[str], readers: Sequence[Sequence[Reader]]
) -> list[Figures]:
    """Ask each memory every question, in turn, and a first one beside, for which the disk is read."""
    took: list[list[float]] = [[] for _ in scenes]
    shown: list[list[int]] = [[] for _ in scenes]
    for number in (0, *range(len(questions))):
        order = range(len(scenes)) if number % 2 else reversed(range(len(scenes)))
        for index in order:
            start = perf_counter()
            found = await ask(scenes[index].memory, questions[number], readers[index][number])
            took[index].append((perf_counter() - start) * 1000)
            shown[index].append(found)
    return [
        Figures(
            case=case,
            threads=scene.threads.count,
            p50=float(np.percentile(times[1:], 50)),
            p95=float(np.percentile(times[1:], 95)),
            shown=float(np.mean(counts[1:])),
        )
        for scene, times, counts in zip(scenes, took, shown, strict=True)
    ]


async def _plans(scene: Scene, question: str, reader: Reader) -> list[str]:
    """Return what PostgreSQL did in each statement that finds candidates."""
    (vector,) = await scene.memory.embedder.embed_questions([question])
    async with transaction(scene.database.reading) as session, explained(session, analysed=True) as plans:
        await find_candidates(
            session,
            text=question,
            vector=already(vector),
            filters=Filters(places=reader.places, bounds=Bounds(guild=GUILD)),
            wanted=_WANTED,
            bm25=scene.database.capabilities.bm25,
            hypertable=False,
        )
    return plans


def _compared(figures: Sequence[Figures]) -> str:
    """Return, case by case, how many times as long the memory with more threads takes."""
    lines = []
    for few, many in zip(figures[::2], figures[1::2], strict=True):
        p50, p95 = many.p50 / few.p50, many.p95 / few.p95
        lines.append(
            f"{few.case}: {many.threads:,} threads take p50 {p50:.2f} x, p95 {p95:.2f} x as long as {few.threads}"
        )
    return "\n".join(lines)


def main(
    rows: Annotated[int, typer.Option(min=1000, help="How many messages each memory holds.")] = 1_500_000,
    threads: Annotated[int, typer.Option(min=400, help="How many threads the second memory has.")] = 25_000,
    count: Annotated[int, typer.Option("--queries", min=1, help="How many questions of each sort.")] = 100,
    *,
    explain: Annotated[bool, typer.Option("--explain", help="Show the plans of a question.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print figures for a program.")] = False,
) -> None:
    """Measure questions to a memory with very many threads beside one with ten."""
    figures, plans = asyncio.run(measure(rows, threads, count, explain=explain))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in figures], indent=2))
        return
    heads = ("question", "threads", "p50 ms", "p95 ms", "messages shown")
    listed = [(one.case, one.threads, one.p50, one.p95, one.shown) for one in figures]
    typer.echo(f"{table(heads, listed)}\n\n{_compared(figures)}")
    if explain:
        typer.echo("\n" + "\n\n".join(plans))


if __name__ == "__main__":
    typer.run(main)
