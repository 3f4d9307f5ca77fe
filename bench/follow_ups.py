"""Ask dialogues, questions for two things, and questions as of a moment, about a small server.

`follow_ups.tsv` has the turns of each dialogue, the messages that answer the last one, and for questions as of a moment
what these must say. A "/" stands between the messages for one thing and for another. No language model is asked.

Of follow-ups and of questions for two things the same run measures both ways: the question by its own words, and
completed from the turns before it, or searched for part by part.
"""

import asyncio
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer

from agent.agent import Agent
from agent.context import new_context
from agent.conversations import Earlier
from agent.follow_ups import read_with_turns
from agent.opening import Opening, open_search
from agent.parts import read_parts
from agent.types import Question
from bench.inputs import told_in_a_sentence
from bench.loading import memory_of, open_memories
from bench.processes import ROOT, open_workplace
from bench.questions import SAMPLES, store_sample, visitors_question
from bench.tables import table
from cli.console import progress_bar
from errors import InputFileError
from memory.question.parse import ParsedQuestion
from memory.search.memory import Memory

DIALOGUES = ROOT / "bench" / "follow_ups.tsv"

TOP = 5
"""Messages in which evidence counts as found."""

_BETWEEN_TURNS = " || "
_MINUTE = timedelta(minutes=1)


class Kind(StrEnum):
    """What a dialogue tries."""

    FOLLOW_UP = "follow-up"
    TWO = "two"
    AS_OF = "as-of"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Some turns; each thing that the last one asks for is answered by any of some messages, which say a text."""

    kind: Kind
    wanted: tuple[frozenset[int], ...]
    says: str
    turns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What was found for the last turn of a dialogue, by its own words and as it is meant, each as a share of 1."""

    dialogue: Dialogue
    raw: float
    meant: float
    raw_quoted: float
    quoted: float
    shown: str


def read_dialogues(path: Path) -> list[Dialogue]:
    """Return the dialogues of a list; raise InputFileError for one that is none."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, restval="", strict=True))
        return [_dialogue(row) for row in rows]
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise InputFileError(f"{path} is no list of dialogues ({error!r}): correct --dialogues.") from error


def _dialogue(row: dict[str, str]) -> Dialogue:
    wanted = tuple(frozenset(map(int, ids.split())) for ids in row["wanted"].split(" / "))
    turns = tuple(row["turns"].split(_BETWEEN_TURNS))
    if not all(wanted) or not all(turns):
        raise ValueError(row["turns"])
    return Dialogue(Kind(row["kind"]), wanted, row["says"], turns)


async def ask_all(dialogues: Sequence[Dialogue]) -> list[Result]:
    """Ask each dialogue of a memory that holds the sample and nothing else."""
    with open_workplace() as place:
        async with open_memories(place) as (databases, embedder):
            await store_sample(SAMPLES["sample"], place, databases[0], embedder)
            memory = memory_of(databases, embedder)
            await memory.load_names()
            asking = _Asking(memory, Agent((), memory=memory), await memory.all_places())
            results: list[Result] = []
            with progress_bar("Asking") as report:
                for number, dialogue in enumerate(dialogues, 1):
                    results.append(await asking.ask(dialogue))
                    report(number, len(dialogues))
            return results


@dataclass(frozen=True, slots=True)
class _Asking:
    """A memory, and who reads questions to it."""

    memory: Memory
    agent: Agent
    places: frozenset[int]

    async def ask(self, dialogue: Dialogue) -> Result:
        """Return what is found for the last turn, by its own words and as it is meant."""
        history: list[Earlier] = []
        now = SAMPLES["sample"].now - _MINUTE * len(dialogue.turns)
        for text in dialogue.turns[:-1]:
            now += _MINUTE
            question = visitors_question(text, now, self.places)
            opening = await self._search(question, await self._meant(question, history))
            history.append(Earlier(text, tuple(quote.line.message for quote in opening.chosen), now))
        question = visitors_question(dialogue.turns[-1], now + _MINUTE, self.places)
        by_itself = await self.agent.parse(question)
        meant = await self._meant(question, history)
        raw, found = await self._search(question, by_itself), await self._search(question, meant)
        return Result(
            dialogue,
            raw=_found(dialogue, raw),
            meant=_found(dialogue, found),
            raw_quoted=_quoted(dialogue, raw),
            quoted=_quoted(dialogue, found),
            shown=" / ".join(part.topic for part in meant.parts or (meant,)),
        )

    async def _meant(self, question: Question, history: Sequence[Earlier]) -> ParsedQuestion:
        parsed = await self.agent.parse(question)
        parsed = await read_with_turns(question, parsed, history, parse=self.agent.parse, memory=self.memory)
        return await read_parts(question, parsed, parse=self.agent.parse, memory=self.memory)

    async def _search(self, question: Question, parsed: ParsedQuestion) -> Opening:
        return await open_search(new_context(question, parsed, self.memory))


def _found(dialogue: Dialogue, opening: Opening) -> float:
    """Return the share of the things asked for of which evidence is among the best TOP, of each part of a question."""
    hits = [line for _, line in opening.found.lines if line.hit]
    best = sorted(hits, key=lambda line: -line.score)[: TOP * len(dialogue.wanted)]
    return _share(dialogue, [line.message.message_id for line in best])


def _quoted(dialogue: Dialogue, opening: Opening) -> float:
    """Return the share of the things asked for that are quoted, in messages that say what is wanted."""
    messages = [quote.line.message for quote in opening.chosen]
    return _share(dialogue, [message.message_id for message in messages if dialogue.says in message.content])


def _share(dialogue: Dialogue, found: Sequence[int]) -> float:
    return fmean(not wanted.isdisjoint(found) for wanted in dialogue.wanted)


def shown(results: Sequence[Result]) -> str:
    """Return the means of each kind, and how many times as much is found by what a question means."""
    rows: list[tuple[str | float, ...]] = []
    for kind in Kind:
        some = [result for result in results if result.dialogue.kind is kind]
        if not some:
            continue
        raw, meant = fmean(result.raw for result in some), fmean(result.meant for result in some)
        raw_quoted, quoted = fmean(result.raw_quoted for result in some), fmean(result.quoted for result in some)
        ratio = f"{meant / raw:.2f}" if raw else "-"
        percent = (f"{100 * share:.1f}" for share in (raw, meant, raw_quoted, quoted))
        rows.append((kind.value, str(len(some)), *percent, ratio))
    columns = (
        "kind",
        "dialogues",
        "R@5 own words",
        "R@5 as meant",
        "quoted own words",
        "quoted as meant",
        "ratio of R@5",
    )
    return table(columns, rows)


def main(
    dialogues: Annotated[Path, typer.Option(help="A list of dialogues, with tabs between its columns.")] = DIALOGUES,
    show_wrong: Annotated[bool, typer.Option("--wrong", help="Print what is not quoted as it should be, too.")] = False,
) -> None:
    """Print how much of the evidence for questions is found by their own words, and as they are meant."""
    with told_in_a_sentence():
        results = asyncio.run(ask_all(read_dialogues(dialogues)))
    if show_wrong:
        for result in (one for one in results if one.quoted < 1):
            typer.echo(f"{result.dialogue.kind}: {_BETWEEN_TURNS.join(result.dialogue.turns)}")
            typer.echo(f"  R@5 {result.raw:.1f} {result.meant:.1f}, quoted {result.quoted:.1f}: {result.shown}")
    typer.echo(shown(results))


if __name__ == "__main__":
    typer.run(main)
