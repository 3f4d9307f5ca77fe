"""Measure how well questions are refused that nobody has spoken of, and fit the weights that decide it.

Chats in LoCoMo's format give questions that their own chat answers. Asked of another chat they are unanswerable: as
they are, and with the names of its speakers in place of their own. Asked of a day on which no message proves their
answer they mostly are; that is reported and trains nothing, for the day may speak of the same. LoCoMo's adversarial
questions are left out, as their evidence exists.

Chats are parted by their place among all: of every five, one fits the weights, two calibrate the thresholds, and two
are held out. Questions are asked of chats of their own part alone, so that nothing is known of the held-out ones.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import typer
from numpy.typing import NDArray

from agent.context import Context, new_context
from agent.opening import Opening, open_search
from agent.refusal.features import Features, QuestionWords
from agent.refusal.judgement import NOTHING
from agent.refusal.weights import BY_ALL, BY_WORDS, FALSE_REFUSALS, PROOF, Proof, Weights
from agent.selection import MOST_QUOTES
from agent.types import Question
from bench.inputs import told_in_a_sentence
from bench.loading import SESSION, memory_of, open_memories, write_conversations
from bench.locomo import Chat, read_chats
from bench.locomo import Question as ChatQuestion
from bench.processes import open_workplace
from bench.tables import table
from cli.console import progress_bar
from memory.filters import EVERY_GUILD
from memory.question.parse import parse_question
from memory.search.interface import MemoryReader
from time_expressions.find import times_in

ADVERSARIAL = 5
"""The category of questions about somebody who did not do it, whose evidence exists."""

OUTSHONE = tuple(number / 20 for number in range(6, 20))
"""What is tried for `Proof.outshone`."""

SHARES = (0.0, 0.005, 0.01, FALSE_REFUSALS, 0.02, 0.03, 0.05, 0.1, 0.2)
"""False refusals of the calibration data at which the curve is printed."""

_UTC = ZoneInfo("UTC")
_ASKER = 1
_LATER = timedelta(days=1)  # after the last message a question is asked
_RIDGE = 1.0  # how far weights are drawn to 0
_MOST_STEPS = 100  # of Newton's method, which takes ten
_MOST_ROUNDS = 30  # of choosing the best messages anew, which takes a few
_ENOUGH = 1e-6  # what still changes when a computation is at its end

Numbers = NDArray[np.float64]


class Part(StrEnum):
    """What a chat is used for."""

    FIT = "fit"
    CALIBRATION = "calibration"
    HELD_OUT = "held out"


_PARTS = (Part.FIT, Part.CALIBRATION, Part.CALIBRATION, Part.HELD_OUT, Part.HELD_OUT)


class Kind(StrEnum):
    """Of which messages a question is asked."""

    OWN = "own chat"
    OTHER = "another chat"
    RENAMED = "names swapped"
    ITS_DAY = "the day of its proof"
    ANOTHER_DAY = "another day"

    @property
    def has_answer(self) -> bool:
        """Whether these messages answer the question."""
        return self in (Kind.OWN, Kind.ITS_DAY)

    @property
    def names_a_day(self) -> bool:
        """Whether the question names a day."""
        return self in (Kind.ITS_DAY, Kind.ANOTHER_DAY)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is asked of a chat, with the messages that prove its answer there."""

    part: Part
    kind: Kind
    text: str
    chat: Chat
    evidence: frozenset[int] = frozenset()


class Hit(NamedTuple):
    """A message that was found: its features, None when it is not about the question, and what it is in truth."""

    features: Features | None
    score: float
    is_by_named: bool
    is_evidence: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a question, with the hits that it was judged by, the best first.

    `has_unknown` tells that it has a word which nobody has said. `found` is the share of its evidence among the five
    best hits, and `quoted` whether any of it is quoted.
    """

    part: Part
    kind: Kind
    is_refused: bool
    has_unknown: bool
    hits: tuple[Hit, ...]
    found: float
    quoted: bool

    @property
    def has_proof(self) -> bool:
        """Whether the search has found any of the evidence, so that a refusal would lose an answer."""
        return any(hit.is_evidence for hit in self.hits)


def questions_of(chats: Sequence[Chat], *, step: int = 1) -> list[Asked]:
    """Return the questions to ask, every `step`-th of each chat."""
    asked: list[Asked] = []
    for place, chat in enumerate(chats):
        part = _PARTS[place % len(_PARTS)]
        others = [other for at, other in enumerate(chats) if at != place and _PARTS[at % len(_PARTS)] is part]
        listed = [question for question in chat.questions if question.category != ADVERSARIAL][::step]
        for number, question in enumerate(listed):
            asked.append(Asked(part, Kind.OWN, question.text, chat, question.evidence))
            asked += _elsewhere(part, question, chat, others[number % len(others)]) if others else []
            asked += _on_days(part, question, chat)
    return asked


def _elsewhere(part: Part, question: ChatQuestion, chat: Chat, other: Chat) -> Iterator[Asked]:
    yield Asked(part, Kind.OTHER, question.text, other)
    renamed = swap_names(question.text, _speakers(chat), _speakers(other))
    if renamed != question.text:
        yield Asked(part, Kind.RENAMED, renamed, other)


def _on_days(part: Part, question: ChatQuestion, chat: Chat) -> Iterator[Asked]:
    """Yield a question about the day on which its evidence was written, if it is one, and about the next after it.

    One that names a time already would be about both.
    """
    if times_in(question.text, now=chat.messages[-1].sent_at, time_zone=_UTC).windows:
        return
    days = sorted({message.sent_at.date() for message in chat.messages})
    proven = {message.sent_at.date() for message in chat.messages if message.message_id in question.evidence}
    if len(proven) == 1:
        yield Asked(part, Kind.ITS_DAY, _about_day(question.text, *proven), chat, question.evidence)
    later = [day for day in days if day > max(proven)] or [day for day in days if day not in proven]
    if later:
        yield Asked(part, Kind.ANOTHER_DAY, _about_day(question.text, later[0]), chat)


def _about_day(text: str, day: date) -> str:
    return f"{text.rstrip('?. ')} on {day.day} {day:%B %Y}?"


def _speakers(chat: Chat) -> list[str]:
    return list(dict.fromkeys(message.author_name for message in chat.messages))


def swap_names(text: str, names: Sequence[str], others: Sequence[str]) -> str:
    """Return a text with each name replaced by the one that stands at its place among others."""
    new = {name.casefold(): other for name, other in zip(names, others, strict=False)}
    return re.sub(r"\w+", lambda word: new.get(word[0].casefold(), word[0]), text)


async def ask_all(chats: Sequence[Chat], asked: Sequence[Asked]) -> list[Judged]:
    """Ask each question of a memory that holds all chats, in the channel of its chat."""
    judged: list[Judged] = []
    with open_workplace() as place:
        async with open_memories(place) as (databases, embedder):
            await write_conversations(databases[0], embedder, [chat.messages for chat in chats])
            memory = memory_of(databases, embedder)
            await memory.load_names()
            with progress_bar("Asking") as report:
                for number, question in enumerate(asked, start=1):
                    context = await _context(question, memory)
                    judged.append(_judged(question, await open_search(context)))
                    report(number, len(asked))
    return judged


async def _context(asked: Asked, memory: MemoryReader) -> Context:
    """Return the context of a question; the time that it names counts only when it is asked of a day.

    "Last week" is another week in the question than on the day after the chat.
    """
    chat = asked.chat
    places, now = frozenset({chat.place_id}), chat.messages[-1].sent_at + _LATER
    parsed = await parse_question(asked.text, places=places, here=chat.place_id, now=now, time_zone=_UTC, memory=memory)
    if not asked.kind.names_a_day:
        parsed = replace(parsed, times=(), topic=parsed.topic or asked.text, selection=None, parts=())
    question = Question(
        text=asked.text,
        channel_id=chat.place_id,
        guild=EVERY_GUILD,
        asker_id=_ASKER,
        asker_name="visitor",
        places=places,
        now=now,
        time_zone=_UTC,
    )
    return new_context(question, parsed, memory)


def _judged(asked: Asked, opening: Opening) -> Judged:
    lines = sorted((line for _, line in opening.found.lines if line.hit), key=lambda line: -line.score)
    question = QuestionWords(opening.found.words, [line.message for line in lines])
    quoted = {quote.line.message.message_id for quote in opening.chosen}
    best = {line.message.message_id for line in lines[:5]}
    return Judged(
        part=asked.part,
        kind=asked.kind,
        is_refused=not opening.chosen,
        has_unknown=opening.judgement is not None and bool(opening.judgement.unknown),
        hits=tuple(
            Hit(
                question.features_of(line),
                line.score,
                question.names_author_of(line.message),
                line.message.message_id in asked.evidence,
            )
            for line in lines
        ),
        found=len(asked.evidence & best) / len(asked.evidence) if asked.evidence else 0.0,
        quoted=not asked.evidence.isdisjoint(quoted),
    )


def regress(rows: Numbers, labels: Numbers, counts: Numbers | None = None) -> tuple[Numbers, float]:
    """Return the weights and the constant of a logistic regression, by Newton's method.

    `rows` has the features of one case in each row, `labels` 1 or 0 for each, and `counts` how much it counts. The
    weights of standardised features are drawn to 0 by a ridge.
    """
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    cases = np.column_stack([np.ones(len(rows)), (rows - mean) / spread])
    counted = np.ones(len(rows)) if counts is None else counts
    ridge = _RIDGE * np.diag([0.0, *np.ones(rows.shape[1])])
    weights = np.zeros(cases.shape[1])
    for _ in range(_MOST_STEPS):
        chance = 1 / (1 + np.exp(-cases @ weights))
        slope = cases.T @ (counted * (labels - chance)) - ridge @ weights
        curve = (cases * (counted * chance * (1 - chance))[:, None]).T @ cases + ridge
        step = np.linalg.solve(curve, slope)
        weights = weights + step
        if np.abs(step).max() < _ENOUGH:
            break
    own = weights[1:] / spread
    return own, float(weights[0] - own @ mean)


def fit_weights(judged: Sequence[Judged], *, with_likeness: bool) -> Weights:
    """Return the weights by which the questions of chats that were asked are told from those of others.

    A question is as answerable as the best of its messages. Which that is depends on the weights, which begin as those
    in use and are fitted again until it does not change any more (Andrews, Tsochantaridis and Hofmann, "Support vector
    machines for multiple-instance learning", 2003). Both classes count alike.
    """
    bags = [(_rows(one, with_likeness=with_likeness), one.kind is Kind.OWN) for one in judged]
    bags = [(rows, is_own) for rows, is_own in bags if len(rows)]
    labels = np.array([float(is_own) for _, is_own in bags])
    counts = np.where(labels == 1, 1.0, labels.sum() / (1 - labels).sum())
    weights = np.array(BY_ALL[:3])
    for _ in range(_MOST_ROUNDS):
        chosen = np.array([rows[int(np.argmax(rows @ weights))] for rows, _ in bags])
        fitted, constant = regress(chosen, labels, counts)
        if np.abs(fitted - weights).max() < _ENOUGH:
            break
        weights = fitted
    likeness, share, words = map(float, weights)
    return Weights(likeness, share, words, constant, threshold=-np.inf)


def _rows(judged: Judged, *, with_likeness: bool) -> Numbers:
    found = [hit.features for hit in judged.hits if hit.features is not None]
    return np.array(
        [(one.likeness or 0.0 if with_likeness else 0.0, one.share, one.words) for one in found],
        dtype=np.float64,
    ).reshape(-1, 3)


def score_of(judged: Judged, weights: Weights, *, with_likeness: bool = True) -> float:
    """Return the score of the best message, or that of nothing."""
    rows = _rows(judged, with_likeness=with_likeness)
    return float((rows @ np.array(weights[:3])).max() + weights.constant) if len(rows) else NOTHING


def conformal_threshold(scores: Sequence[float], share: float) -> float:
    """Return the score below which a new answerable question falls with at most this chance.

    `scores` are those of answerable questions that nothing was fitted on: of n of them it is the k-th smallest, where
    k = floor(share * (n + 1)) (Papadopoulos, Proedrou, Vovk and Gammerman, "Inductive confidence machines for
    regression", 2002).
    """
    rank = int(share * (len(scores) + 1))
    return sorted(scores)[rank - 1] if rank else -np.inf


def auroc(answerable: Sequence[float], unanswerable: Sequence[float]) -> float:
    """Return how often the answerable question of a pair has the higher score, ties counting half."""
    ordered = np.sort(unanswerable)
    below, not_above = np.searchsorted(ordered, answerable, "left"), np.searchsorted(ordered, answerable, "right")
    return float((below + not_above).mean() / (2 * len(ordered)))


def fit_proof(judged: Sequence[Judged], weights: Weights) -> Proof:
    """Return what tells the evidence among the messages of a question, and how far others may be outshone by it.

    That a message is by somebody whom the question names is taken into account and left out afterwards: here both
    speakers tell of themselves alone.
    """
    hits = [hit for one in judged for hit in one.hits if hit.features is not None]
    rows = np.array([(hit.score, _likeness(hit), _share(hit), hit.is_by_named) for hit in hits], dtype=np.float64)
    fitted, _ = regress(rows, np.array([float(hit.is_evidence) for hit in hits]))
    score, likeness, share, _ = map(float, fitted)
    tried = (Proof(score, likeness, share, outshone) for outshone in OUTSHONE)
    return max(tried, key=lambda proof: _f2(judged, proof, weights))


def _likeness(hit: Hit) -> float:
    return (hit.features and hit.features.likeness) or 0.0


def _share(hit: Hit) -> float:
    return hit.features.share if hit.features else 0.0


def _f2(judged: Sequence[Judged], proof: Proof, weights: Weights) -> float:
    """Return F2 of the evidence among what is quoted: one that is missed weighs more than one too many."""
    precision = recall = 0.0
    for one in judged:
        quoted = _quoted(one, proof, weights)
        right = sum(hit.is_evidence for hit in quoted)
        precision += right / max(1, len(quoted)) / len(judged)
        recall += right / max(1, sum(hit.is_evidence for hit in one.hits)) / len(judged)
    return 5 * precision * recall / max(4 * precision + recall, _ENOUGH)


def _quoted(judged: Judged, proof: Proof, weights: Weights) -> list[Hit]:
    able = [hit for hit in judged.hits if hit.features and hit.features.score_by(weights) >= weights.threshold]
    odds = [proof.score * hit.score + proof.likeness * _likeness(hit) + proof.share * _share(hit) for hit in able]
    needed = min(max(odds, default=0.0), proof.outshone * max(odds, default=0.0))
    ranked = sorted(zip(odds, able, strict=True), key=lambda pair: -pair[0])[:MOST_QUOTES]
    return [hit for worth, hit in ranked if worth >= needed]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The tables of `agent/refusal/weights.py`."""

    by_all: Weights
    by_words: Weights
    proof: Proof


IN_USE = Fitted(BY_ALL, BY_WORDS, PROOF)


def fit(judged: Sequence[Judged]) -> Fitted:
    """Return the tables that the development chats give; those that are held out take no part."""
    trained = [one for one in judged if not one.kind.names_a_day and (one.has_proof or not one.kind.has_answer)]
    by_all, by_words = (_calibrated(trained, with_likeness=known) for known in (True, False))
    own = [one for one in trained if one.kind is Kind.OWN and one.part is not Part.HELD_OUT]
    return Fitted(by_all, by_words, fit_proof(own, by_all))


def _calibrated(judged: Sequence[Judged], *, with_likeness: bool) -> Weights:
    scored = [one for one in judged if not one.has_unknown]
    weights = fit_weights([one for one in scored if one.part is Part.FIT], with_likeness=with_likeness)
    own = [one for one in scored if (one.part, one.kind) == (Part.CALIBRATION, Kind.OWN)]
    scores = [score_of(one, weights, with_likeness=with_likeness) for one in own]
    return weights._replace(threshold=conformal_threshold(scores, FALSE_REFUSALS))


def written(fitted: Fitted) -> str:
    """Return the tables as they stand in `agent/refusal/weights.py`."""
    tables = (("BY_ALL", fitted.by_all), ("BY_WORDS", fitted.by_words), ("PROOF", fitted.proof))
    return "\n".join(f"{name} = {type(one).__name__}({_fields(one)})" for name, one in tables)


def _fields(row: Weights | Proof) -> str:
    return ", ".join(f"{name}={value:.2f}" for name, value in row._asdict().items())


def report(judged: Sequence[Judged], weights: Weights) -> str:
    """Return what is refused of each kind of questions of the held-out chats, and the curve, as tables."""
    held_out = [one for one in judged if one.part is Part.HELD_OUT]
    asked = {kind: [one for one in held_out if one.kind is kind] for kind in Kind}
    proven = {kind: [one for one in asked[kind] if one.has_proof] for kind in (Kind.OWN, Kind.ITS_DAY)}
    unanswerable = [one for one in held_out if not one.kind.has_answer]
    named = [
        *((f"{kind}, proof found", some, kind) for kind, some in proven.items()),
        *((str(kind), some, Kind.ITS_DAY if kind.names_a_day else Kind.OWN) for kind, some in asked.items()),
        ("all unanswerable", unanswerable, Kind.OWN),
    ]
    rows = [_row(name, some, proven[answered], weights) for name, some, answered in named if some]
    heads = ["asked of", "questions", "unknown word %", "refused %", "nothing quoted %", "AUROC %"]
    answers = [
        f"evidence in the first five {100 * _mean([one.found for one in asked[Kind.OWN]]):.1f} %",
        f"evidence quoted {100 * _mean([one.quoted for one in asked[Kind.OWN]]):.1f} %",
    ]
    return "\n\n".join([table(heads, rows), "; ".join(answers), curve(judged, weights)])


def _row(name: str, asked: Sequence[Judged], proven: Sequence[Judged], weights: Weights) -> list[str | float]:
    """Return how many questions of a kind are refused, and how well they are told from those with a proof."""
    by_word, refused = (100 * _mean(test) for test in _refusals(asked, weights))
    area = 100 * auroc(_scores(proven, weights), _scores(asked, weights)) if proven else 50.0
    return [name, len(asked), by_word, refused, 100 * _mean([one.is_refused for one in asked]), area]


def _refusals(judged: Sequence[Judged], weights: Weights) -> tuple[list[bool], list[bool]]:
    """Return which questions have a word that nobody has said, and which are refused."""
    by_word = [one.has_unknown for one in judged]
    return by_word, [one.has_unknown or score_of(one, weights) < weights.threshold for one in judged]


def _scores(judged: Sequence[Judged], weights: Weights) -> list[float]:
    """Return the scores, of questions with a word that nobody has said that of nothing."""
    return [NOTHING if one.has_unknown else score_of(one, weights) for one in judged]


def curve(judged: Sequence[Judged], weights: Weights) -> str:
    """Return what other thresholds would refuse of the held-out questions, each calibrated for a share, as a table."""
    calibration = [
        one
        for one in judged
        if (one.part, one.kind) == (Part.CALIBRATION, Kind.OWN) and one.has_proof and not one.has_unknown
    ]
    scores = [score_of(one, weights) for one in calibration]
    rows: list[list[str | float]] = []
    for share in SHARES:
        cut = weights._replace(threshold=conformal_threshold(scores, share))
        held_out = [one for one in judged if one.part is Part.HELD_OUT]
        groups = [
            [one for one in held_out if one.kind is Kind.OWN and one.has_proof],
            *([one for one in held_out if one.kind is kind] for kind in (Kind.OWN, Kind.OTHER, Kind.RENAMED)),
            [one for one in held_out if one.kind is Kind.ITS_DAY and one.has_proof],
            [one for one in held_out if one.kind is Kind.ANOTHER_DAY],
        ]
        refused = [100 * _mean(_refusals(asked, cut)[1]) for asked in groups]
        rows.append([f"{100 * share:.1f} %", f"{cut.threshold:.2f}", *refused])
    heads = [
        "calibrated for",
        "threshold",
        "proof found, refused %",
        "own refused %",
        "others refused %",
        "swapped refused %",
        "its day, proof found, refused %",
        "another day refused %",
    ]
    return table(heads, rows)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def main(
    data: Annotated[list[Path], typer.Option(help="Files in LoCoMo's format; --data may be given again.")],
    more: Annotated[list[Path] | None, typer.Argument(help="More files.")] = None,
    fits: Annotated[bool, typer.Option("--fit", help="Fit the weights anew, print and report them.")] = False,
    every: Annotated[int, typer.Option(min=1, help="Ask every so many-th question alone.")] = 1,
) -> None:
    """Print what is refused of questions that the held-out chats answer, and of those that they do not."""
    with told_in_a_sentence():
        chats = read_chats([*data, *(more or ())], session=SESSION)
        judged = asyncio.run(ask_all(chats, questions_of(chats, step=every)))
    fitted = fit(judged) if fits else IN_USE
    if fits:
        typer.echo(f"{written(fitted)}\n")
    typer.echo(report(judged, fitted.by_all))


if __name__ == "__main__":
    typer.run(main)
