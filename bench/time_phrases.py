"""Measure how many phrases of time are read as the windows that they mean, and how many texts without any are left."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic import AfterValidator, TypeAdapter

from bench.inputs import read_json, told_in_a_sentence
from bench.phrases import find_phrases
from bench.tables import table
from time_expressions.conventions import OURS, Conventions
from time_expressions.find import times_in
from time_expressions.window import Window

TEXTS_WITHOUT_TIME = Path(__file__).with_name("texts_without_time.txt")

THEIRS = Conventions(
    range_end_included=False,
    last_weekday_is_nearest=False,
    rolling_includes_today=False,
    bounds_stay_in_day=False,
    bare_hours_are_afternoon=False,
    zones_count=False,
    parts=MappingProxyType(
        {**OURS.parts, "morning": (8, 12), "afternoon": (12, 16), "evening": (16, 20), "night": (20, 24)}
    ),
)
"""The conventions of Microsoft's Recognizers-Text, from whose public specification such lists are made."""

REASONS = {
    "range_end_included": "who asks for May 8th to June 9th wants to see June 9th",
    "last_weekday_is_nearest": "in a chat last Wednesday is the one that was last, not the one of last week",
    "rolling_includes_today": "the last three days of a chat go on until now",
    "bounds_stay_in_day": "Thursday before 5pm begins on that Thursday, not with the first message ever",
    "bare_hours_are_afternoon": "who asks for what was said between 2 and 4 was awake then",
    "zones_count": "a zone that is named is meant",
    "parts": "evenings in a chat are later than office hours, and nights go on after midnight",
}
"""Why we mean something else, by the name of the convention."""

_UTC = ZoneInfo("UTC")
_OPEN = timedelta(days=36_525)  # an open end counts as a hundred years from now
_HALF = 0.5


def _in_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, the phrase of time in it, when it is said, and the window that it means."""

    text: str
    phrase: str
    now: Moment
    start: Moment | None
    end: Moment | None
    kind: str

    @property
    def window(self) -> Window:
        """The window that the phrase means."""
        return Window(self.start, self.end)


_CASES = TypeAdapter(list[Case])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was read of a case: the window nearest to the right one, if any, and their overlap from 0 to 1."""

    case: Case
    read: Window | None
    overlap: float

    @property
    def exact(self) -> bool:
        """Whether both ends are right to the second."""
        return self.read is not None and _to_the_second(self.read) == _to_the_second(self.case.window)

    @property
    def half(self) -> bool:
        """Whether the windows share at least half of the time that they span together."""
        return self.overlap >= _HALF


@dataclass(frozen=True, slots=True)
class Score:
    """Shares from 0 to 1 of the phrases that are read exactly, and by half or more."""

    phrases: int
    exact: float
    half: float


def judge(case: Case, conventions: Conventions) -> Verdict:
    """Read a sentence, and compare the windows of the phrases that touch the right one with the right window."""
    read = times_in(case.text, now=case.now, time_zone=_UTC, conventions=conventions).windows
    text, phrase = case.text.lower(), case.phrase.lower()
    wanted = find_phrases(text, [phrase] * max(1, text.count(phrase)))  # "it may be in may" has the phrase twice
    touching = [
        time.window for time in read if any(start < time.span[1] and time.span[0] < end for start, end in wanted)
    ]
    best = max(touching, key=lambda window: overlap(window, case.window, now=case.now), default=None)
    return Verdict(case, best, overlap(best, case.window, now=case.now) if best else 0.0)


def overlap(one: Window, other: Window, *, now: datetime) -> float:
    """Return the time that two windows share as a part of the time that they span together, from 0 to 1."""
    (start, end), (other_start, other_end) = _ends(one, now), _ends(other, now)
    shared = min(end, other_end) - max(start, other_start)
    spanned = max(end, other_end) - min(start, other_start)
    return max(0.0, shared / spanned) if spanned > timedelta() else 0.0


def _ends(window: Window, now: datetime) -> tuple[datetime, datetime]:
    return window.start or now - _OPEN, window.end or now + _OPEN


def _to_the_second(window: Window) -> tuple[datetime | None, ...]:
    return tuple(end and end.replace(microsecond=0) for end in (window.start, window.end))


def score(verdicts: Sequence[Verdict]) -> Score:
    """Return the shares of verdicts that are right."""
    count = len(verdicts) or 1
    return Score(
        len(verdicts),
        sum(verdict.exact for verdict in verdicts) / count,
        sum(verdict.half for verdict in verdicts) / count,
    )


def decided_by(cases: Sequence[Case], theirs: Conventions) -> dict[str, frozenset[int]]:
    """Return, for each convention that is not ours, the numbers of the cases that mean something else by it."""
    ours = [judge(case, OURS).read for case in cases]
    decided: dict[str, frozenset[int]] = {}
    for name in (field.name for field in fields(Conventions)):
        if getattr(OURS, name) != getattr(theirs, name):
            other = replace(OURS, **{name: getattr(theirs, name)})
            decided[name] = frozenset(i for i, case in enumerate(cases) if judge(case, other).read != ours[i])
    return decided


def false_windows(texts: Sequence[str], *, now: datetime) -> list[str]:
    """Return those of some texts without time in which the grammar finds one."""
    read = {text: times_in(text, now=now, time_zone=_UTC) for text in texts}
    return [text for text, times in read.items() if times.windows or times.discussions]


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured: the scores by name, what each rejected convention decides, and what went wrong."""

    scores: dict[str, Score]
    rejected: dict[str, frozenset[int]]
    false_windows: list[str]
    texts_without_time: int
    cases: Sequence[Case]
    misses: list[Verdict]

    def figures(self) -> dict[str, Any]:
        """Return the figures for a program to read."""
        return {
            "scores": {name: asdict(one) for name, one in self.scores.items()},
            "rejected_conventions": {name: len(numbers) for name, numbers in self.rejected.items()},
            "texts_without_time": self.texts_without_time,
            "false_windows": len(self.false_windows),
        }

    def tables(self) -> str:
        """Return the figures for a person to read."""
        scores = [(name, one.phrases, 100 * one.exact, 100 * one.half) for name, one in self.scores.items()]
        conventions = [
            f"{name} decides {len(numbers)}{self._example(numbers)}: {REASONS[name]}"
            for name, numbers in self.rejected.items()
        ]
        found = f"windows found in {len(self.false_windows)} of {self.texts_without_time} texts without time"
        return "\n".join(
            [
                table(("", "phrases", "exact %", "half overlap %"), scores),
                "",
                "rejected conventions:",
                *conventions,
                "",
                found,
                *map("  {}".format, self.false_windows),
            ]
        )

    def _example(self, numbers: frozenset[int]) -> str:
        return f' (as "{self.cases[min(numbers)].phrase}")' if numbers else ""


def measure(cases: Sequence[Case], texts: Sequence[str]) -> Report:
    """Read all phrases by our conventions and by those of the list, and all texts without time."""
    by_ours, by_theirs = ([judge(case, conventions) for case in cases] for conventions in (OURS, THEIRS))
    decided = decided_by(cases, THEIRS)
    disputed = frozenset[int]().union(*decided.values())
    undisputed = [verdict for i, verdict in enumerate(by_ours) if i not in disputed]
    return Report(
        scores={
            "our conventions, all phrases": score(by_ours),
            "our conventions, undisputed phrases": score(undisputed),
            "the list's conventions, all phrases": score(by_theirs),
        },
        rejected=decided,
        false_windows=false_windows(texts, now=cases[0].now if cases else datetime(2026, 11, 21, 10, tzinfo=UTC)),
        texts_without_time=len(texts),
        cases=cases,
        misses=[verdict for verdict in by_theirs if not verdict.exact],
    )


def _missed(verdict: Verdict) -> str:
    case, read = verdict.case, verdict.read
    found = f"{read.start} -> {read.end}" if read else "nothing"
    asked = f"{case.now:%Y-%m-%d %H:%M}  {case.text}  [{case.phrase}]"
    return f"{asked}\n    is    {case.start} -> {case.end}\n    read  {found}"


def main(
    data: Annotated[Path, typer.Option(help="A JSON list of text, phrase, now, start, end (null is open) and kind.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print figures alone, as JSON.")] = False,
    misses: Annotated[bool, typer.Option(help="Print what is not read exactly by the list's own conventions.")] = False,
) -> None:
    """Measure how many phrases of time are read as what they mean."""
    with told_in_a_sentence():
        cases = read_json(data, _CASES, what="a list of phrases of time")
    report = measure(cases, TEXTS_WITHOUT_TIME.read_text(encoding="utf-8").splitlines())
    typer.echo(json.dumps(report.figures(), indent=2) if as_json else report.tables())
    if misses:
        typer.echo("\n" + "\n".join(map(_missed, report.misses)))


if __name__ == "__main__":
    typer.run(main)
