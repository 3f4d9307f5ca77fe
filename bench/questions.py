"""Ask a hundred questions about two small servers, and count which are answered as a reader of the chat would.

Nothing but the extractive answer is measured: no language model is asked. `questions.tsv` says what is right:

- `any`, `all`: at least one of these messages is cited, or all of them;
- `only`: something is cited, and nothing but these messages;
- `number`: the answer begins with this number;
- `nothing`: the answer cites nothing.
"""

import asyncio
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from agent.agent import Agent
from agent.types import Answer, Outcome, Question
from bench.inputs import told_in_a_sentence
from bench.loading import SESSION, memory_of, open_memories, tidy
from bench.processes import PATIENCE, ROOT, Workplace, open_workplace
from bench.tables import table
from cli.console import progress_bar
from db.databases import Database
from errors import InputFileError
from memory.capture.import_csv import import_csv
from memory.capture.recorder import open_recorder
from memory.embedding.embedder import Embedder
from memory.filters import EVERY_GUILD

QUESTIONS = ROOT / "bench" / "questions.tsv"

_UTC = ZoneInfo("UTC")
_ASKER = 1
_BATCH = 100  # messages that are embedded and written at once
_FIRST_NUMBER = re.compile(r"\d{1,9}")


class Verdict(StrEnum):
    """What an answer is worth to the person who asked."""

    RIGHT = "right"
    WRONG = "wrong"  # something is cited, and not what answers the question
    WRONGLY_REFUSED = "wrongly refused"
    WRONGLY_ANSWERED = "wrongly answered"  # nobody ever said anything about it


@dataclass(frozen=True, slots=True)
class Sample:
    """A chat to ask about, and when the questions are asked."""

    path: Path
    now: datetime


SAMPLES = MappingProxyType(
    {
        "sample": Sample(ROOT / "db" / "sample.csv", datetime(2026, 11, 16, 9, tzinfo=_UTC)),
        "workshop": Sample(ROOT / "bench" / "workshop.csv", datetime(2026, 11, 23, 9, tzinfo=_UTC)),
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What answers a question: messages, a number, or nothing."""

    rule: str
    numbers: frozenset[int]

    def judge(self, answer: Answer) -> Verdict:
        """Return what an answer is worth."""
        cited = frozenset(source.message.message_id for source in answer.sources)
        if self.rule == "nothing":
            return Verdict.WRONGLY_ANSWERED if cited else Verdict.RIGHT
        if self.rule == "number":
            number = _FIRST_NUMBER.search(answer.text)
            is_counted = answer.outcome is Outcome.COUNTED
            is_right = is_counted and number is not None and int(number.group()) in self.numbers
            return Verdict.RIGHT if is_right else Verdict.WRONG if cited else Verdict.WRONGLY_REFUSED
        if not cited:
            return Verdict.WRONGLY_REFUSED
        is_right = {
            "any": not cited.isdisjoint(self.numbers),
            "all": cited >= self.numbers,
            "only": cited <= self.numbers,
        }[self.rule]
        return Verdict.RIGHT if is_right else Verdict.WRONG


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the list."""

    sample: str
    wanted: Wanted
    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A question, its answer and what that is worth."""

    asked: Asked
    answer: Answer
    verdict: Verdict


def read_questions(path: Path) -> list[Asked]:
    """Return the questions of a list; raise InputFileError for one that is none."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, restval="", strict=True))
        return [_asked(row["sample"], row["wanted"], row["question"]) for row in rows]
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise InputFileError(f"{path} is no list of questions ({error!r}): correct --questions.") from error


def _asked(sample: str, wanted: str, text: str) -> Asked:
    if sample not in SAMPLES:
        raise ValueError(sample)
    return Asked(sample, _wanted(wanted), text)


def _wanted(text: str) -> Wanted:
    rule, *numbers = text.split()
    if rule not in {"any", "all", "only", "number", "nothing"} or bool(numbers) is (rule == "nothing"):
        raise ValueError(text)
    return Wanted(rule, frozenset(map(int, numbers)))


async def ask_all(asked: Sequence[Asked]) -> list[Judged]:
    """Ask each question of a memory that holds its sample and nothing else."""
    judged: list[Judged] = []
    for name in dict.fromkeys(question.sample for question in asked):
        questions = [question for question in asked if question.sample == name]
        with open_workplace() as place:
            async with open_memories(place) as (databases, embedder):
                await store_sample(SAMPLES[name], place, databases[0], embedder)
                memory = memory_of(databases, embedder)
                await memory.load_names()
                agent = Agent((), memory=memory)
                places = await memory.all_places()
                with progress_bar(f"Asking about {SAMPLES[name].path.name}") as report:
                    for number, question in enumerate(questions):
                        answer = await agent.ask(visitors_question(question.text, SAMPLES[name].now, places))
                        judged.append(Judged(question, answer, question.wanted.judge(answer)))
                        report(number + 1, len(questions))
    return judged


async def store_sample(sample: Sample, place: Workplace, database: Database, embedder: Embedder) -> None:
    """Bring a sample into short-term memory as `--import` does."""
    async with open_recorder(
        session=SESSION,
        journal_path=place.folder / "bench.csv",
        not_added_path=place.folder / "bench_not_added.csv",
        sessions=database.sessions,
        embedder=embedder,
        batch=_BATCH,
    ) as recorder:
        with progress_bar(f"Storing {sample.path.name}") as report:
            await import_csv(sample.path, recorder, report=report)
        if not await recorder.settle(timeout=PATIENCE):
            raise RuntimeError(f"{sample.path} was not stored within {PATIENCE}")
    await tidy(database)


def visitors_question(text: str, now: datetime, places: frozenset[int]) -> Question:
    """Return a question of somebody who may read all channels."""
    return Question(
        text=text,
        channel_id=min(places),
        guild=EVERY_GUILD,
        asker_id=_ASKER,
        asker_name="visitor",
        places=places,
        now=now,
        time_zone=_UTC,
    )


def shown(judged: Sequence[Judged]) -> str:
    """Return how many answers of each sample are right, wrong, wrongly refused and wrongly given."""
    counts = {name: Counter(one.verdict for one in judged if one.asked.sample == name) for name in SAMPLES}
    rows: list[tuple[str | float, ...]] = [
        (name, str(found.total()), *(str(found[verdict]) for verdict in Verdict)) for name, found in counts.items()
    ]
    total = sum(counts.values(), Counter[Verdict]())
    rows.append(("together", str(total.total()), *(str(total[verdict]) for verdict in Verdict)))
    return table(("sample", "questions", *Verdict), rows)


def _explained(judged: Judged) -> str:
    cited = " ".join(str(source.message.message_id) for source in judged.answer.sources)
    wanted = f"{judged.asked.wanted.rule} {' '.join(map(str, sorted(judged.asked.wanted.numbers)))}"
    return f"\n{judged.verdict}: {judged.asked.text}\n  wanted {wanted}\n  cited {cited}\n{judged.answer.text}"


def main(
    questions: Annotated[Path, typer.Option(help="A list of questions, with tabs between its columns.")] = QUESTIONS,
    show_wrong: Annotated[bool, typer.Option("--wrong", help="Print every answer that is not right, too.")] = False,
) -> None:
    """Print how many of the questions are answered as they should be."""
    with told_in_a_sentence():
        judged = asyncio.run(ask_all(read_questions(questions)))
    if show_wrong:
        typer.echo("\n".join(_explained(one) for one in judged if one.verdict is not Verdict.RIGHT))
    typer.echo(shown(judged))


if __name__ == "__main__":
    typer.run(main)
