"""Measure the embedder beside `SentenceTransformer.encode`: loading, one question, many messages, memory.

Each runs in a process of its own, and they take turns, so that whatever else the machine does falls on both.
"""

import asyncio
import csv
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle, islice
from typing import IO, Annotated

import typer

from bench.models import shared_model
from bench.processes import ROOT
from bench.tables import table
from memory.embedding.config import Precision

_ROUNDS = 10
_QUESTIONS = 20  # of each round
_MEGABYTE = 2**20
_UNIT = 1 if sys.platform == "darwin" else 1024  # of a process's peak memory
_SAMPLE = ROOT / "db" / "sample.csv"
_SHORT = ROOT / "bench" / "texts_without_time.txt"

Encode = Callable[[list[str]], object]


class Side(StrEnum):
    """What embeds."""

    ORIGINAL = "encode"
    FP32 = "embedder"
    INT8 = "embedder, int8"


@dataclass(slots=True)
class Figures:
    """Seconds until the first vector, milliseconds of each question, seconds of all messages, peak memory in bytes."""

    loading: float
    questions: list[float] = field(default_factory=list)
    messages: float = 0.0
    memory: float = 0.0

    def percentile(self, share: float) -> float:
        """Return the milliseconds that this share of the questions stays below."""
        return sorted(self.questions)[int(share * (len(self.questions) - 1))]


class _Worker:
    """A process that embeds what it is told to, and answers how long that took."""

    def __init__(self, out: IO[str], answers: IO[str]) -> None:
        self._out = out
        self._answers = answers
        self.figures = Figures(loading=self._answer()[0])

    def _answer(self) -> list[float]:
        return [float(number) for number in json.loads(self._answers.readline())]

    def _ask(self, task: str, count: int) -> list[float]:
        self._out.write(f"{json.dumps([task, count])}\n")
        self._out.flush()
        return self._answer()

    def take_turn(self, messages: int) -> None:
        """Embed the questions and messages of one round."""
        self.figures.questions += self._ask("questions", _QUESTIONS)
        self.figures.messages += self._ask("messages", messages)[0]
        self.figures.memory = self._ask("memory", 0)[0]


@contextmanager
def _open_worker(side: Side) -> Iterator[_Worker]:
    command = [sys.executable, "-m", "bench.embedding", "--inside", side.value]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            if process.stdin is not None and process.stdout is not None:
                yield _Worker(process.stdin, process.stdout)
        finally:
            process.kill()


def measure(messages: int) -> dict[Side, Figures]:
    """Let both sides load, one after the other, and then embed in turns."""
    with ExitStack() as stack:
        workers = {side: stack.enter_context(_open_worker(side)) for side in Side}
        for _ in range(_ROUNDS):
            for worker in workers.values():
                worker.take_turn(messages // _ROUNDS)
        return {side: worker.figures for side, worker in workers.items()}


def _work(side: Side) -> None:
    """Load, and do what standard input asks for; this is what the other process runs."""
    begun = time.perf_counter()
    encode = _loaded(side)
    encode(["Is all well?"])
    print(json.dumps([time.perf_counter() - begun]), flush=True)
    questions, messages = cycle(_SHORT.read_text(encoding="utf-8").splitlines()), cycle(_messages())
    for line in sys.stdin:
        task, count = json.loads(line)
        if task == "questions":
            answer = [1000 * _seconds(encode, [question]) for question in islice(questions, count)]
        elif task == "messages":
            answer = [_seconds(encode, list(islice(messages, count)))]
        else:
            answer = [float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT)]
        print(json.dumps(answer), flush=True)


def _seconds(encode: Encode, texts: list[str]) -> float:
    begun = time.perf_counter()
    encode(texts)
    return time.perf_counter() - begun


def _messages() -> list[str]:
    """Return what people say on the sample server, as it is embedded."""
    with _SAMPLE.open(encoding="utf-8", newline="") as file:
        return [f"{row['author_name']}: {row['content']}" for row in csv.DictReader(file) if row["content"]]


def _loaded(side: Side) -> Encode:
    if side is Side.ORIGINAL:
        from memory.embedding.torch_model import load_sentence_transformer

        model = load_sentence_transformer(shared_model().name)
        return lambda texts: model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    from memory.embedding.embedder import Embedder

    precision: Precision = "int8" if side is Side.INT8 else "fp32"
    embedder = Embedder(shared_model(backend="onnx", precision=precision))
    loop = asyncio.new_event_loop()
    return lambda texts: loop.run_until_complete(embedder.embed(texts))


def _make_exports() -> None:
    """Export what was not exported before: that happens once, and is no part of loading."""
    from memory.embedding.embedder import Embedder

    for precision in ("fp32", "int8"):
        embedder = Embedder(shared_model(backend="onnx", precision="int8" if precision == "int8" else "fp32"))
        embedder.begin().result()
        embedder.close()


def shown(figures: dict[Side, Figures], messages: int) -> str:
    """Return the figures as a table, with how many times as good as `encode` each is."""
    original = figures[Side.ORIGINAL]
    rows: list[Sequence[str | float]] = []
    lines: dict[str, Callable[[Figures], float]] = {
        "first vector, s": lambda one: one.loading,
        "a question p50, ms": lambda one: one.percentile(0.5),
        "a question p95, ms": lambda one: one.percentile(0.95),
        f"{messages:,} messages, s": lambda one: one.messages,
        "peak memory, MB": lambda one: one.memory / _MEGABYTE,
    }
    for name, value in lines.items():
        cells: list[str | float] = [name]
        for side, one in figures.items():
            cells.append(value(one))
            if side is not Side.ORIGINAL:
                cells.append(f"{value(original) / value(one):.1f} x")
        rows.append(cells)
    return table(["", "encode", "embedder", "better", "int8", "better"], rows)


def main(
    messages: Annotated[int, typer.Option(min=_ROUNDS, help="How many messages to embed.")] = 2000,
    inside: Annotated[Side | None, typer.Option(hidden=True)] = None,
) -> None:
    """Print how the embedder does beside sentence-transformers, which does the same work on torch."""
    if inside is not None:
        _work(inside)
        return
    _make_exports()
    typer.echo(shown(measure(messages), messages))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        typer.run(main)
