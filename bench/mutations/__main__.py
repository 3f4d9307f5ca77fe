"""Print how many changes of true answers proof notices, by kind, and how many unchanged ones it leaves out wrongly.

Two halves of our own samples are told apart by the numbers of their messages: rules were written with a look at the
first, and the second was held out. Chats in LoCoMo's format, given by --data, were held out as well.

The same answers, changed and unchanged, are tried without their marks as well, beside the messages of the chat that
have most of their words: what gets a mark is shown, and an unchanged one should get that of its own message.
"""

import asyncio
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from agent.citations import cited_numbers, without_marks
from agent.context import Context, new_context
from agent.proof.claims import Kind
from agent.proof.prove import Proven, marked, presentable, prove
from agent.types import Question
from bench.inputs import told_in_a_sentence
from bench.locomo import read_chats
from bench.mutations.changes import CHANGES, Change, other_word, plain_words
from bench.mutations.true_answers import ZONE, TrueAnswer, true_answers
from bench.processes import ROOT
from bench.tables import table
from memory.capture.message_csv import from_row_leniently
from memory.message import Kind as MessageKind
from memory.message import Message
from memory.question.parse import ParsedQuestion
from memory.search.terms import all_stems, stems_in
from tests.fakes import FakeMemory

SAMPLES = (ROOT / "db" / "sample.csv", ROOT / "bench" / "workshop.csv")
ANSWERS = 500
_SHOWN = 11  # messages beside those that an answer without marks is made of
_THEIRS = "LoCoMo"

_EVERY_CHANGE: Mapping[str, Change] = {**CHANGES, "another word (known hole)": other_word}


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages that answers are made of, and whether rules were written with a look at them."""

    name: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """An answer as it was judged, with the kind of its change, "" for none, and what was left out of it."""

    answer: TrueAnswer
    text: str
    change: str
    left_out: tuple[Kind, ...]
    marks: tuple[int, ...] = ()
    """Which of `answer.shown` it cites, from 1, if it was tried without marks; those of `answer.cited` come first."""

    @property
    def is_right(self) -> bool:
        """Whether it cites what it was made of, and nothing else."""
        return bool(self.marks) and all(number <= len(self.answer.cited) for number in self.marks)


async def try_chat(chat: Chat, *, count: int, seed: int) -> list[Tried]:
    """Return so many true answers of a chat as proof judges them, and each changed in every way that it has."""
    names = sorted({message.author_name for message in chat.messages})
    words = plain_words([message.content for message in chat.messages])
    random = Random(seed)  # noqa: S311
    tried: list[Tried] = []
    memory = FakeMemory(list(chat.messages))
    for answer in true_answers(chat.messages, count=count, seed=seed):
        tried.append(Tried(answer, answer.text, "", await left_out(answer, answer.text, memory)))
        for kind, change in _EVERY_CHANGE.items():
            changed = change(answer, random, words if change is other_word else names)
            if changed is not None and changed != answer.text:
                tried.append(Tried(answer, changed, kind, await left_out(answer, changed, memory)))
    return tried


async def try_without_marks(chat: Chat, tried: Sequence[Tried]) -> list[Tried]:
    """Return answers of a chat as proof judges them without their marks, beside the messages most like them."""
    memory = FakeMemory(list(chat.messages))
    stems = {message: stems_in(message) for message in chat.messages}
    found: list[Tried] = []
    for one in tried:
        words = all_stems(one.text)
        others = [message for message in chat.messages if message not in one.answer.cited]
        near = sorted(others, key=lambda message: (-len(stems[message] & words), message.key))[:_SHOWN]
        answer = replace(one.answer, shown=(*one.answer.cited, *near))
        text = without_marks(presentable(one.text, _context(answer, memory)))
        proof = await _proof(answer, text, memory)
        found.append(replace(one, answer=answer, text=text, marks=tuple(cited_numbers(proof.text))))
    return found


async def left_out(answer: TrueAnswer, text: str, memory: FakeMemory) -> tuple[Kind, ...]:
    """Return why sentences of a text would be left out, were it an answer about the messages of `answer`."""
    return (await _proof(answer, text, memory)).left_out


async def _proof(answer: TrueAnswer, text: str, memory: FakeMemory) -> Proven:
    context = _context(answer, memory)
    plain = await marked(presentable(text, context), context)
    return await prove(plain, context.evidence.messages(cited_numbers(plain)), context)


def _context(answer: TrueAnswer, memory: FakeMemory) -> Context:
    places = frozenset(message.access_id for message in memory.messages)
    last = max(message.sent_at for message in answer.shown)
    question = Question(
        text="What was said?",
        channel_id=answer.shown[0].channel_id,
        asker_id=1,
        asker_name="reader",
        places=places,
        now=last + timedelta(days=1),
        time_zone=ZONE,
    )
    context = new_context(question, ParsedQuestion(question.text, topic="", places=places), memory)
    for message in answer.shown:
        context.evidence.number(message)
    return context


def figures(name: str, tried: Sequence[Tried]) -> list[tuple[str | float, ...]]:
    """Return a row for each kind of change: how many answers were changed so, and the share in which it was noticed."""
    rows: list[tuple[str | float, ...]] = []
    for kind in _EVERY_CHANGE:
        changed = [one for one in tried if one.change == kind]
        rows.append((name, kind, len(changed), _share(changed)))
    every = [one for one in tried if one.change in CHANGES]
    unchanged = [one for one in tried if not one.change]
    return [
        *rows,
        (name, "all but the last", len(every), _share(every)),
        (name, "unchanged", len(unchanged), _share(unchanged)),
    ]


def figures_without_marks(name: str, tried: Sequence[Tried]) -> list[tuple[str | float, ...]]:
    """Return a row for each kind of change: how many answers, and the shares that got no mark, theirs, another."""
    every = [one for one in tried if one.change in CHANGES]
    kinds = [(kind, [one for one in tried if one.change == kind]) for kind in _EVERY_CHANGE]
    kinds += [("all but the last", every), ("unchanged", [one for one in tried if not one.change])]
    return [(name, kind, len(those), *_shares_of_marks(those)) for kind, those in kinds]


def _shares_of_marks(tried: Sequence[Tried]) -> tuple[float, float, float]:
    without = sum(not one.marks for one in tried)
    right = sum(one.is_right for one in tried)
    counts = (without, right, len(tried) - without - right)
    return tuple(100 * count / max(1, len(tried)) for count in counts)  # type: ignore[return-value]


def _share(tried: Sequence[Tried]) -> float:
    return 100 * sum(bool(one.left_out) for one in tried) / len(tried) if tried else 0.0


def sample_chats() -> list[Chat]:
    """Return our own samples in two halves."""
    messages: list[Message] = []
    for path in SAMPLES:
        with path.open(encoding="utf-8", newline="") as file:
            messages += [from_row_leniently(row) for row in csv.DictReader(file)]
    spoken = [one for one in messages if one.kind is MessageKind.MESSAGE and one.content]
    halves = [tuple(one for place, one in enumerate(spoken) if place % 2 == half) for half in (0, 1)]
    return [Chat("first half", halves[0]), Chat("held out", halves[1])]


def main(
    data: Annotated[
        list[Path] | None, typer.Option(help="Files in LoCoMo's format; --data may be given again.")
    ] = None,
    answers: Annotated[int, typer.Option(min=1, max=100_000, help="How many true answers are made of each.")] = ANSWERS,
    seed: Annotated[int, typer.Option(help="Another one makes other answers and changes.")] = 1,
    show: Annotated[str, typer.Option(help="Print what went wrong with this kind: 'unchanged', 'number', ...")] = "",
    only: Annotated[str, typer.Option(help="Only the data of this name: 'first half', say.")] = "",
) -> None:
    """Print how many changes are noticed, in percent, and how many unchanged answers are left out."""
    with told_in_a_sentence():
        chats = sample_chats()
        if data:
            read = read_chats(data, session="bench")
            messages = tuple(replace(one, guild_id=None) for chat in read for one in chat.messages)
            chats.append(Chat(_THEIRS, messages))
    rows: list[tuple[str | float, ...]] = []
    unmarked_rows: list[tuple[str | float, ...]] = []
    for chat in chats:
        if only and chat.name != only:
            continue
        made = answers if chat.name == _THEIRS else answers // 2
        tried = asyncio.run(try_chat(chat, count=made, seed=seed))
        rows += figures(chat.name, tried)
        unmarked = asyncio.run(try_without_marks(chat, tried))
        unmarked_rows += figures_without_marks(chat.name, unmarked)
        _print_wrong(tried, show)
        _print_wrong_marks(unmarked, show)
    typer.echo(table(("answers of", "changed", "answers", "left out, %"), rows))
    heads = ("without marks, of", "changed", "answers", "no mark, %", "right mark, %", "another mark, %")
    typer.echo(f"\n{table(heads, unmarked_rows)}")


def _print_wrong(tried: Sequence[Tried], kind: str) -> None:
    for one in tried:
        is_wrong = bool(one.left_out) is (not one.change)
        if kind and (one.change or "unchanged") == kind and is_wrong:
            reasons = ", ".join(reason.value for reason in one.left_out) or "kept"
            typer.echo(f"{reasons}: {one.text}\n    {[message.content for message in one.answer.cited]}")


def _print_wrong_marks(tried: Sequence[Tried], kind: str) -> None:
    for one in tried:
        is_wrong = bool(one.marks) if one.change else not one.is_right
        if kind and (one.change or "unchanged") == kind and is_wrong:
            typer.echo(f"without its marks it gets {list(one.marks)}: {one.text}")
            for number in one.marks or range(1, len(one.answer.cited) + 1):
                typer.echo(f"    [{number}] {one.answer.shown[number - 1].content!r}")


if __name__ == "__main__":
    typer.run(main)
