"""Print how many changes of true answers proof notices, by kind, and how many unchanged ones it leaves out wrongly.

Two halves of our own samples are told apart by the numbers of their messages: rules were written with a look at the
first, and the second was held out. Chats in LoCoMo's format, given by --data, were held out as well.
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

from agent.citations import cited_numbers
from agent.context import Context, new_context
from agent.proof.claims import Kind
from agent.proof.prove import presentable, prove
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
from tests.fakes import FakeMemory

SAMPLES = (ROOT / "db" / "sample.csv", ROOT / "bench" / "workshop.csv")
ANSWERS = 500
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


async def left_out(answer: TrueAnswer, text: str, memory: FakeMemory) -> tuple[Kind, ...]:
    """Return why sentences of a text would be left out, were it an answer about the messages of `answer`."""
    context = _context(answer, memory)
    plain = presentable(text, context)
    proof = await prove(plain, context.evidence.messages(cited_numbers(plain)), context)
    return proof.left_out


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
    for chat in chats:
        if only and chat.name != only:
            continue
        made = answers if chat.name == _THEIRS else answers // 2
        tried = asyncio.run(try_chat(chat, count=made, seed=seed))
        rows += figures(chat.name, tried)
        _print_wrong(tried, show)
    typer.echo(table(("answers of", "changed", "answers", "left out, %"), rows))


def _print_wrong(tried: Sequence[Tried], kind: str) -> None:
    for one in tried:
        is_wrong = bool(one.left_out) is (not one.change)
        if kind and (one.change or "unchanged") == kind and is_wrong:
            reasons = ", ".join(reason.value for reason in one.left_out) or "kept"
            typer.echo(f"{reasons}: {one.text}\n    {[message.content for message in one.answer.cited]}")


if __name__ == "__main__":
    typer.run(main)
