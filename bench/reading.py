"""Measure what it costs to read a question where many people speak in many channels."""

import asyncio
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Annotated, TypeVar, cast
from zoneinfo import ZoneInfo

import typer

from bench.tables import table
from memory.names.known import Index, KnownNames, Named
from memory.question.channels import channels_in
from memory.question.parse import LONGEST_QUESTION, parse_question
from memory.question.speakers import speakers_in
from memory.search.interface import MemoryReader
from memory.search.results import SearchResult
from time_expressions.find import times_in
from time_expressions.folding import FoldedText
from time_expressions.window import Window

T = TypeVar("T")

_NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
_ZONE = ZoneInfo("Europe/Paris")
_RUNS = 5
_SPEAKERS_OF_A_PLACE = 2


class _Memory:
    """What a question is read with, without a database: the names are there, and nothing was said."""

    def __init__(self, known: KnownNames) -> None:
        self._known = known

    async def discussions(self, *, places: frozenset[int]) -> list[Window]:
        return []

    async def known_names(self, *, places: frozenset[int]) -> KnownNames:
        return KnownNames(places, self._known.indexes)

    async def list_messages(self, *, places: frozenset[int], windows: Sequence[Window], limit: int) -> SearchResult:
        return SearchResult()


def questions(names: int, places: int) -> dict[str, str]:
    """Return the questions that are read: usual ones, and some that are as long as can be and meant to be slow."""
    return {
        "a speaker": f"what did Name{names // 2} Surname{names // 2} say about the deploy last Tuesday?",
        "a first name that many bear": "what did Alex say about the deploy last Tuesday?",
        "a channel": f"what broke in #channel-{places // 2} and #channel-7 yesterday?",
        "neither": "when did we decide to move the database?",
        "names again and again": "did " + "Alex " * 390 + "like the posts?",
        "signs of channels again and again": "in " + "#channel-" * 220,
        "words for saying again and again": "say by " * 285,
        "times again and again": "march 3 " * 250,
        "addresses that do not end": "a@" * 1000,
        "accents": "what did A\u0301\u0302\u0303le\u0308x say? " * 80,
    }


def index_of(names: int, places: int) -> Index:
    """Return an index of that many people and places; every tenth person is an Alex, and two speak in each place."""
    index = Index()
    for place in range(max(places, names // _SPEAKERS_OF_A_PLACE)):
        for turn in range(_SPEAKERS_OF_A_PLACE):
            person = (place * _SPEAKERS_OF_A_PLACE + turn) % names
            first = "Alex" if person % 10 == 0 else f"Name{person}"
            number = place % places
            index.add(Named(number, number, f"channel-{number}", f"{first} Surname{person}", _NOW))
    return index


def milliseconds(call: Callable[[], T]) -> float:
    """Return the median processor time of this thread that a call takes."""
    taken = []
    for _ in range(_RUNS):
        begun = time.thread_time()
        call()
        taken.append(time.thread_time() - begun)
    return 1000 * median(taken)


def on_the_loop(text: str, known: KnownNames) -> float:
    """Return how long finding channels and speakers takes, which happens on the event loop."""
    read = FoldedText(text)

    def find() -> None:
        names = KnownNames(known.places, known.indexes)  # what was found for one question is not kept for another
        channels_in(read, names, here=1)
        speakers_in(read, names)

    return milliseconds(find)


def whole(text: str, known: KnownNames) -> float:
    """Return the processor time, in all threads, that it takes to read a question."""

    memory = cast("MemoryReader", _Memory(known))  # it has what parsing asks for, and nothing else

    async def read() -> float:
        taken = []
        for _ in range(_RUNS):
            begun = time.process_time()
            await parse_question(text, places=known.places, here=1, now=_NOW, time_zone=_ZONE, memory=memory)
            taken.append(time.process_time() - begun)
        return median(taken)

    return 1000 * asyncio.run(read())


def measure(names: int, places: int) -> str:
    """Return the figures as text."""
    tracemalloc.start()
    index_of(names, places)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    begun = time.thread_time()
    index = index_of(names, places)
    built = time.thread_time() - begun
    known = KnownNames(frozenset(range(places)), (index,))
    rows = []
    for kind, text in questions(names, places).items():
        cut = text[:LONGEST_QUESTION]
        in_a_thread = milliseconds(lambda cut=cut: (FoldedText(cut), times_in(cut, now=_NOW, time_zone=_ZONE)))  # type: ignore[misc]
        rows.append((kind, len(cut), in_a_thread, on_the_loop(cut, known), whole(cut, known)))
    heads = ("question", "characters", "in a thread, ms", "on the loop, ms", "in all, ms")
    told = f"{names:,} names, {places:,} places: {built:.1f} s to take in, {memory / 2**20:,.0f} MB"
    return f"{told}\n\n{table(heads, rows)}"


def main(
    names: Annotated[int, typer.Option(min=10, help="How many people have spoken.")] = 50_000,
    places: Annotated[int, typer.Option(min=10, help="In how many channels and threads.")] = 100_000,
) -> None:
    """Print how long the parts of reading a question take; no database is needed."""
    typer.echo(measure(names, places))


if __name__ == "__main__":
    typer.run(main)
