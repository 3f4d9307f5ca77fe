"""Measure how much of what was said at a time is found, on chats with questions about times."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypedDict
from zoneinfo import ZoneInfo

import typer

from bench.baselines import cosine
from bench.inputs import told_in_a_sentence
from bench.loading import SESSION, memory_of, open_memories, record
from bench.processes import open_workplace
from bench.retrieval import best_first
from bench.tables import table
from bench.timed_chats import Chat, Question, read_chats
from bench.vectors import RememberingEmbedder
from cli.console import progress_bar
from memory.index.index_text import said
from memory.question.parse import ParsedQuestion, parse_question
from memory.search.memory import Memory

DEPTHS = (5, 10)
"""How many of the best messages count for a question with a topic."""

_UTC = ZoneInfo("UTC")
_WORST = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """A phrasing of a question, what was found, the best first or in time order, and what plain cosine finds."""

    kind: str
    text: str
    wanted: frozenset[int]
    found: tuple[int, ...]
    by_cosine: tuple[int, ...]
    understood: str

    @property
    def recall(self) -> float:
        """The share, from 0 to 1, of the wanted messages that were found."""
        return share_found(self.wanted, self.found)

    @property
    def precision(self) -> float:
        """The share, from 0 to 1, of the messages found that were wanted."""
        return len(self.wanted.intersection(self.found)) / len(self.found) if self.found else 0.0

    @property
    def cosine_recall(self) -> float:
        """The share of the wanted messages among as many of those nearest to the question; also their precision."""
        return share_found(self.wanted, self.by_cosine[: len(self.wanted)])


def share_found(wanted: frozenset[int], found: Sequence[int]) -> float:
    """Return the share of the wanted that was found, from 0 to 1."""
    return len(wanted.intersection(found)) / len(wanted) if wanted else 0.0


class TimeFigures(TypedDict):
    """Means over the questions of a type that ask for nothing but a time, in per cent."""

    questions: int
    recall: float
    precision: float
    cosine: float


class TopicFigures(TypedDict):
    """Mean recall over the questions that have a topic besides, by depth, in per cent."""

    questions: int
    recall: dict[int, float]
    cosine: dict[int, float]


def of_times(outcomes: Sequence[Outcome]) -> dict[str, TimeFigures]:
    """Return the figures of each type of question."""
    return {
        kind: TimeFigures(
            questions=len(some),
            recall=_mean([one.recall for one in some]),
            precision=_mean([one.precision for one in some]),
            cosine=_mean([one.cosine_recall for one in some]),
        )
        for kind, some in _by_kind(outcomes).items()
    }


def of_topics(outcomes: Sequence[Outcome]) -> dict[str, TopicFigures]:
    """Return the figures of each type of question that has a topic."""
    return {
        kind: TopicFigures(
            questions=len(some),
            recall={depth: _mean([share_found(one.wanted, one.found[:depth]) for one in some]) for depth in DEPTHS},
            cosine={depth: _mean([share_found(one.wanted, one.by_cosine[:depth]) for one in some]) for depth in DEPTHS},
        )
        for kind, some in _by_kind(outcomes).items()
    }


def _by_kind(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    kinds: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        kinds[outcome.kind].append(outcome)
    return dict(sorted(kinds.items()))


def _mean(shares: Sequence[float]) -> float:
    return 100 * sum(shares) / len(shares) if shares else 0.0


async def measure(chats: Sequence[Chat]) -> tuple[list[Outcome], list[Outcome]]:
    """Load chats into memories of their own and ask everything; those without a topic first, then the others."""
    with open_workplace() as place:
        async with open_memories(place) as (databases, embedder):
            await record(place, databases[0], embedder, [message for chat in chats for message in chat.messages])
            memory = memory_of(databases, embedder)
            outcomes: list[Outcome] = []
            with progress_bar("Asking") as report:
                for number, chat in enumerate(chats):
                    outcomes += await _ask_all(chat, memory, embedder)
                    report(number + 1, len(chats))
    topical = {question.kind for chat in chats for question in chat.questions if question.has_topic}
    return [one for one in outcomes if one.kind not in topical], [one for one in outcomes if one.kind in topical]


async def _ask_all(chat: Chat, memory: Memory, embedder: RememberingEmbedder) -> list[Outcome]:
    """Ask every phrasing of every question in the channel of the chat, at the time of its last message."""
    vectors = await embedder.embed([said(message) for message in chat.messages])
    texts = [text for question in chat.questions for text in question.phrasings]
    asked_for = await embedder.embed_questions(texts)
    nearest = dict(zip(texts, (cosine(vectors, vector) for vector in asked_for), strict=True))
    outcomes: list[Outcome] = []
    for question in chat.questions:
        for text in question.phrasings:
            asked = await parse_question(
                text, places=chat.places, here=chat.channel, now=chat.now, time_zone=_UTC, memory=memory
            )
            found = await _find(asked, question, memory, len(chat.messages))
            by_cosine = tuple(chat.messages[place].message_id for place in (-nearest[text]).argsort(kind="stable"))
            outcomes.append(Outcome(question.kind, text, question.wanted, found, by_cosine, _told(asked)))
    return outcomes


async def _find(asked: ParsedQuestion, question: Question, memory: Memory, most: int) -> tuple[int, ...]:
    """Return what answers: all messages of the time, or the best ones for a topic, as many as the chat has."""
    if not asked.topic:
        findings = await memory.list_messages(
            places=asked.places, windows=asked.windows, authors=asked.authors, limit=most
        )
        return tuple(line.message.message_id for excerpt in findings.excerpts for line in excerpt.lines if line.hit)
    limit = max(DEPTHS) if question.has_topic else most
    return tuple(best_first(await memory.search(asked.topic, places=asked.places, windows=asked.windows, limit=limit)))


def _told(asked: ParsedQuestion) -> str:
    times = ", ".join(
        f"{time.phrase}: {_moment(time.window.start)} - {_moment(time.window.end)}" for time in asked.times
    )
    return f"topic {asked.topic!r}, {times or 'all time'}"


def _moment(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else "open"


def shown(times: Sequence[Outcome], topics: Sequence[Outcome]) -> str:
    """Return the figures as tables."""
    pure: list[tuple[str | float, ...]] = [
        (kind, one["questions"], one["recall"], one["precision"], one["cosine"])
        for kind, one in of_times(times).items()
    ]
    topical: list[tuple[str | float, ...]] = [
        (kind, one["questions"], *one["recall"].values(), *one["cosine"].values())
        for kind, one in of_topics(topics).items()
    ]
    heads = [*(f"R@{depth}" for depth in DEPTHS), *(f"cosine R@{depth}" for depth in DEPTHS)]
    return "\n\n".join(
        (
            table(("time alone", "questions", "recall", "precision", "cosine"), pure),
            table(("time and topic", "questions", *heads), topical),
        )
    )


def worst(times: Sequence[Outcome], topics: Sequence[Outcome]) -> str:
    """Return the phrasings with the poorest results, and how they were understood."""
    scored = [((one.recall + one.precision) / 2, one) for one in times]
    scored += [(share_found(one.wanted, one.found[: DEPTHS[0]]), one) for one in topics]
    lines = ["", "the worst:"]
    for mark, one in sorted(scored, key=lambda pair: pair[0])[:_WORST]:
        lines += [f"{100 * mark:5.1f}  {one.kind}: {one.text}", f"       {one.understood}"]
    return "\n".join(lines)


def main(
    data: Annotated[Path, typer.Option(help="A folder with chat_*.json and questions/*.json.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    show_worst: Annotated[bool, typer.Option("--worst", help="Print the ten worst phrasings, too.")] = False,
    limit_chats: Annotated[int | None, typer.Option(min=1, help="Take no more than the first so many chats.")] = None,
) -> None:
    """Print recall and precision by type of question about a time, beside plain cosine."""
    with told_in_a_sentence():
        chats = read_chats(data, session=SESSION)[:limit_chats]
        times, topics = asyncio.run(measure(chats))
    figures = {"time alone": of_times(times), "time and topic": of_topics(topics)}
    typer.echo(json.dumps(figures, indent=2) if as_json else shown(times, topics))
    if show_worst:
        typer.echo(worst(times, topics))


if __name__ == "__main__":
    typer.run(main)
