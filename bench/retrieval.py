"""Measure how often search finds the messages that prove an answer, on chats in LoCoMo's format."""

import asyncio
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from statistics import fmean
from typing import Annotated

import numpy as np
import typer

from bench.baselines import Bm25, Scores, cosine, lexemes
from bench.loading import SESSION, Databases, memory_of, open_memories, record, write_without_context
from bench.locomo import CATEGORIES, Chat, read_chats
from bench.models import MODEL, shared_model
from bench.processes import open_workplace
from bench.servers import ADDRESS
from bench.tables import table
from bench.vectors import RememberingEmbedder, open_remembering_embedder
from cli.console import progress_bar
from db.config import SHORT_TERM_LAYOUT, Layout
from errors import OperatorError
from memory.embedding.config import EmbeddingConfig
from memory.index.index_text import said
from memory.search.memory import Memory
from memory.search.ranking import RANKING
from memory.search.results import Scope, SearchResult

DEPTHS = (5, 10, 25, 50)
SESSION_DEPTHS = (5, 10)

WITHOUT = {
    "vectors": replace(RANKING, meaning=0.0),
    "words": replace(RANKING, words=0.0),
    "messages that follow": replace(RANKING, following=0.0),
    "length": replace(RANKING, length=0.0),
    "questions put back": replace(RANKING, question=0.0),
    "author names": replace(RANKING, author=0.0),
}
"""Rankings that lack one part each."""


class Backend(StrEnum):
    """What runs the embedding model: ONNX Runtime in two precisions, torch, or int8 for questions to fp32 messages."""

    ONNX = "onnx"
    INT8 = "onnx-int8"
    MIXED = "onnx-int8-questions"
    TORCH = "torch"


_WARM_UP = 20  # searches that are not timed: the first ones read the disk

Ranked = list[int]
"""Ids of messages, the best first."""


@dataclass(frozen=True, slots=True)
class SessionRecall:
    """How many questions, in per cent, have any or all of their sessions found, and the mean share of those found."""

    any: float
    all: float
    share: float


@dataclass(frozen=True, slots=True)
class Recalls:
    """The mean share, in per cent, of the right messages among the first 5, 10, 25 and 50, over some questions.

    `sessions` tells of the first 5 and 10 sessions, each where its first message is found: a chat has 19 to 32 of them,
    so these figures are higher, and say something else.
    """

    questions: int
    at: dict[int, float]
    sessions: dict[int, SessionRecall]


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: recall by method and category, the same without each part, and milliseconds a search."""

    chats: int
    messages: int
    recalls: dict[str, dict[str, Recalls]]
    without: dict[str, Recalls]
    p50: float
    p95: float


async def measure(
    chats: Sequence[Chat],
    *,
    leave_out: bool,
    baselines: bool = True,
    chunk: timedelta | None = None,
    model: EmbeddingConfig | None = None,
    asked_with: EmbeddingConfig | None = None,
) -> Figures:
    """Load chats into memories of their own and ask all their questions; with a `chunk`, of a TimescaleDB.

    Questions are embedded with another model than messages if one is named for them.
    """
    messages = [message for chat in chats for message in chat.messages]
    with open_workplace() as place:
        layout = SHORT_TERM_LAYOUT if chunk is None else Layout(chunk_interval=chunk)
        async with (
            open_memories(place, on_timescale=chunk is not None, short_term=layout, model=model) as memories,
            open_remembering_embedder(asked_with or model or shared_model()) as asking,
        ):
            databases, embedder = memories
            await record(place, databases[0], embedder, messages)
            memory = memory_of(databases, asking)
            milliseconds: list[float] = []
            found = await search_all(memory, chats, milliseconds)
            others = await _baselines(databases[0].dsn, embedder, chats) if baselines else {}
            ranked = {"search": found, **others}
            without = await _without_each(memory, databases, embedder, chats) if leave_out else {}
    return Figures(
        len(chats),
        len(messages),
        {method: by_category(chats, found) for method, found in ranked.items()},
        {"nothing": recalls(chats, found), **without} if leave_out else {},
        *(float(value) for value in np.percentile(milliseconds, [50, 95])),
    )


async def search_all(
    memory: Memory, chats: Sequence[Chat], milliseconds: list[float], *, scope: Scope = Scope.BOTH, what: str = "Asking"
) -> list[Ranked]:
    """Return what is found for each question, and add how long each search took."""
    asked = [(chat, question) for chat in chats for question in chat.questions]
    for chat, question in asked[:_WARM_UP]:  # with a space, for these questions are embedded again below
        await memory.search(f"{question.text} ", places=frozenset({chat.place_id}), scope=scope)
    ranked: list[Ranked] = []
    with progress_bar(what) as report:
        for chat, question in asked:
            begun = time.perf_counter()
            findings = await memory.search(
                question.text, places=frozenset({chat.place_id}), scope=scope, limit=max(DEPTHS)
            )
            milliseconds.append(1000 * (time.perf_counter() - begun))
            ranked.append(best_first(findings))
            report(len(ranked), len(asked))
    return ranked


def best_first(findings: SearchResult) -> Ranked:
    """Return the ids of the hits by their own scores: an excerpt shows them in time order."""
    hits = [line for excerpt in findings.excerpts for line in excerpt.lines if line.hit]
    return [line.message.message_id for line in sorted(hits, key=lambda line: -line.score)]


async def _baselines(dsn: str, embedder: RememberingEmbedder, chats: Sequence[Chat]) -> dict[str, list[Ranked]]:
    """Return what cosine and BM25 rank first, each over the messages' own text alone."""
    by_cosine: list[Ranked] = []
    by_words: list[Ranked] = []
    with progress_bar("Baselines") as report:
        for number, chat in enumerate(chats):
            texts, questions = [said(message) for message in chat.messages], [one.text for one in chat.questions]
            vectors, asked = await embedder.embed(texts), await embedder.embed_questions(questions)
            by_cosine += [_ranked(chat, cosine(vectors, vector)) for vector in asked]
            index = Bm25(await lexemes(dsn, texts))
            by_words += [_ranked(chat, index.scores(words)) for words in await lexemes(dsn, questions)]
            report(number + 1, len(chats))
    return {"plain cosine": by_cosine, "plain BM25": by_words}


def _ranked(chat: Chat, scores: Scores) -> Ranked:
    return [chat.messages[place].message_id for place in np.argsort(-scores, kind="stable")[: max(DEPTHS)]]


async def _without_each(
    memory: Memory, databases: Databases, embedder: RememberingEmbedder, chats: Sequence[Chat]
) -> dict[str, Recalls]:
    """Return the recall without each part of search in turn."""
    figures = {}
    for part, ranking in WITHOUT.items():
        found = await search_all(replace(memory, ranking=ranking), chats, [], what=f"Without {part}")
        figures[part] = recalls(chats, found)
    messages = [message for chat in chats for message in chat.messages]
    await write_without_context(databases[1], embedder, messages)
    found = await search_all(memory, chats, [], scope=Scope.LONG, what="Without context")
    return {**figures, "context in the index": recalls(chats, found)}


def by_category(chats: Sequence[Chat], ranked: Sequence[Ranked]) -> dict[str, Recalls]:
    """Return the recalls of each category that was asked for, and of all questions."""
    asked = sorted({question.category for chat in chats for question in chat.questions})
    each = {CATEGORIES.get(one, str(one)): recalls(chats, ranked, category=one) for one in asked}
    return {**each, "all": recalls(chats, ranked)}


def recalls(chats: Sequence[Chat], ranked: Sequence[Ranked], *, category: int | None = None) -> Recalls:
    """Return the mean recall over all questions, or those of a category; `ranked` has an entry for every question."""
    questions = [question for chat in chats for question in chat.questions]
    scored = [
        (question, found)
        for question, found in zip(questions, ranked, strict=True)
        if category in {None, question.category}
    ]
    at = {depth: _mean(_share(question.evidence, found[:depth]) for question, found in scored) for depth in DEPTHS}
    session_of = {
        message.message_id: session
        for chat in chats
        for message, session in zip(chat.messages, chat.sessions, strict=True)
    }
    of_sessions = [
        (frozenset(session_of[one] for one in question.evidence), list(dict.fromkeys(session_of[one] for one in found)))
        for question, found in scored
    ]
    return Recalls(len(scored), at, {depth: _session_recall(of_sessions, depth) for depth in SESSION_DEPTHS})


def _share(evidence: frozenset[int], found: Ranked) -> float:
    return len(evidence.intersection(found)) / len(evidence)


def _session_recall(of_sessions: Sequence[tuple[frozenset[int], Ranked]], depth: int) -> SessionRecall:
    shares = [_share(evidence, found[:depth]) for evidence, found in of_sessions]
    return SessionRecall(_mean(share > 0 for share in shares), _mean(share == 1 for share in shares), _mean(shares))


def _mean(shares: Iterable[float]) -> float:
    """Return a mean in per cent."""
    return 100 * fmean(shares)


def shown(figures: Figures) -> str:
    """Return the figures as tables."""
    heads = [*(f"R@{depth}" for depth in DEPTHS)]
    of_sessions = [f"session {sort}@{depth}" for depth in SESSION_DEPTHS for sort in ("any", "all", "share")]
    parts = [
        table([method, "questions", *heads, *of_sessions], [[name, *_cells(one)] for name, one in each.items()])
        for method, each in figures.recalls.items()
    ]
    if figures.without:
        parts.append(
            table(["search without", *heads], [[name, *one.at.values()] for name, one in figures.without.items()])
        )
    parts.append(
        f"{figures.messages:,} messages in {figures.chats} channels; "
        f"a search takes {figures.p50:.1f} ms (p50), {figures.p95:.1f} ms (p95)"
    )
    return "\n\n".join(parts)


def _cells(recalls: Recalls) -> list[float]:
    of_sessions = (cell for at in recalls.sessions.values() for cell in (at.any, at.all, at.share))
    return [recalls.questions, *recalls.at.values(), *of_sessions]


def compared(figures: Mapping[Backend, Figures]) -> str:
    """Return what differs between backends as a table."""
    heads = ["embedded by", *(f"R@{depth}" for depth in DEPTHS), "p50 ms", "p95 ms"]
    lines: list[list[str | float]] = [
        [name, *one.recalls["search"]["all"].at.values(), one.p50, one.p95] for name, one in figures.items()
    ]
    return table(heads, lines)


def _measure_each(
    backends: Sequence[Backend],
    chats: Sequence[Chat],
    *,
    model: EmbeddingConfig,
    leave_out: bool,
    chunk: timedelta | None,
) -> Iterator[tuple[Backend, Figures]]:
    """Yield the figures of each backend; several are compared with one another, not with baselines."""
    onnx, int8 = replace(model, backend="onnx"), replace(model, backend="onnx", precision="int8")
    models: dict[Backend, tuple[EmbeddingConfig, EmbeddingConfig | None]] = {
        Backend.ONNX: (onnx, None),
        Backend.INT8: (int8, None),
        Backend.MIXED: (onnx, int8),
        Backend.TORCH: (replace(model, backend="torch"), None),
    }
    for backend in backends:
        messages_with, asked_with = models[backend]
        baselines = len(backends) == 1
        measuring = measure(
            chats, leave_out=leave_out, baselines=baselines, chunk=chunk, model=messages_with, asked_with=asked_with
        )
        yield backend, asyncio.run(measuring)


def main(
    data: Annotated[list[Path], typer.Option(help="Files in LoCoMo's format; --data may be given again.")],
    more: Annotated[list[Path] | None, typer.Argument(help="More files.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    leave_out: Annotated[bool, typer.Option("--leave-out", help="Measure without each part, too.")] = False,
    limit_chats: Annotated[int | None, typer.Option(min=1, help="Take no more than the first so many chats.")] = None,
    timescale_chunk: Annotated[
        int | None, typer.Option(min=1, help=f"Search the TimescaleDB at {ADDRESS}, in chunks of so many days.")
    ] = None,
    backend: Annotated[
        list[Backend] | None, typer.Option(help="What runs the embedding model; given again, they are compared.")
    ] = None,
    model: Annotated[str, typer.Option(help="The name or folder of another embedding model.")] = MODEL,
    prompts: Annotated[bool, typer.Option(help="Let the model's prompts stand before the texts.")] = True,
) -> None:
    """Print recall at 5, 10, 25 and 50 by category, beside plain cosine and plain BM25, and the time of a search.

    Beside it stands how many questions have any, all or what share of the sessions that answer them among the first 5
    and 10 sessions.
    """
    try:
        chats = read_chats([*data, *(more or ())], session=SESSION)[:limit_chats]
        chunk = timedelta(days=timescale_chunk) if timescale_chunk else None
        backends = backend or [Backend.ONNX]
        figures = {}
        used = replace(shared_model(), name=model)
        if not prompts:
            used = replace(used, query_prompt="", passage_prompt="")
        for name, one in _measure_each(backends, chats, model=used, leave_out=leave_out, chunk=chunk):
            figures[name] = one
            if len(backends) > 1:
                typer.echo(f"\nembedded by {name}")
            typer.echo(json.dumps(asdict(one), indent=2) if as_json else shown(one))
    except OperatorError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if len(figures) > 1:
        typer.echo(f"\n{compared(figures)}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        typer.run(main)
