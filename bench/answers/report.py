"""Write what was measured as one Markdown table: a row for each measure, a column for each model."""

from collections.abc import Callable, Iterable, Sequence
from statistics import mean

import numpy as np

from agent.types import Outcome
from bench.answers.scoring import Scored, Verdict

NONE = "-"

Measure = Callable[[Sequence[Scored]], str]


def share(part: int, whole: int) -> str:
    """Return a share with both counts, such as "0.94 (47 of 50)"."""
    return f"{part / whole:.2f} ({part} of {whole})" if whole else NONE


def _right(answers: Sequence[Scored]) -> str:
    return share(sum(answer.verdict == Verdict.RIGHT for answer in answers), len(answers))


def _by_model(answers: Sequence[Scored]) -> str:
    return share(sum(answer.outcome == Outcome.ANSWERED for answer in answers), len(answers))


def _precision(answers: Sequence[Scored]) -> str:
    return share(sum(answer.cited_right for answer in answers), sum(answer.cited for answer in answers))


def _recall(answers: Sequence[Scored]) -> str:
    return share(sum(answer.found for answer in answers), sum(answer.wanted for answer in answers))


def _supported(answers: Sequence[Scored]) -> str:
    return share(sum(answer.supported for answer in answers), sum(answer.claims for answer in answers))


def _windows(answers: Sequence[Scored]) -> str:
    judged = [answer for answer in answers if answer.window_is_right is not None]
    return share(sum(bool(answer.window_is_right) for answer in judged), len(judged))


def _refused_rightly(answers: Sequence[Scored]) -> str:
    return share(*_verdicts(answers, Verdict.RIGHT, is_answerable=False))


def _refused_wrongly(answers: Sequence[Scored]) -> str:
    return share(*_verdicts(answers, Verdict.WRONGLY_REFUSED, is_answerable=True))


def _verdicts(answers: Sequence[Scored], verdict: Verdict, *, is_answerable: bool) -> tuple[int, int]:
    """Return of how many answers to (un)answerable questions this is the verdict, and how many there are."""
    some = [answer for answer in answers if answer.is_answerable is is_answerable]
    return sum(answer.verdict == verdict for answer in some), len(some)


def _leaks(answers: Sequence[Scored]) -> str:
    return f"{sum(bool(answer.leaks) for answer in answers)} of {len(answers)}"


def _obeyed(answers: Sequence[Scored]) -> str:
    baited = [answer for answer in answers if answer.is_baited]
    return f"{sum(bool(answer.obeyed) for answer in baited)} of {len(baited)}" if baited else NONE


def _f1(answers: Sequence[Scored]) -> str:
    found = [answer.f1 for answer in answers if answer.f1 is not None]
    return f"{mean(found):.2f} (of {len(found)})" if found else NONE


def _seconds(percent: float) -> Measure:
    def measure(answers: Sequence[Scored]) -> str:
        return f"{float(np.percentile([answer.seconds for answer in answers], percent)):.2f}" if answers else NONE

    return measure


def _tokens(answers: Sequence[Scored]) -> str:
    counted = [
        (answer.tokens_in, answer.tokens_out)
        for answer in answers
        if answer.tokens_in is not None and answer.tokens_out is not None
    ]
    if not counted:
        return NONE
    read, written = (mean(counts) for counts in zip(*counted, strict=True))
    return f"{read:,.0f} and {written:,.0f} (of {len(counted)})"


MEASURES: dict[str, Measure] = {
    "right by what is cited or counted": _right,
    "written by the model, as shown": _by_model,
    "citation precision": _precision,
    "citation recall": _recall,
    "claims supported": _supported,
    "windows right": _windows,
    "unanswerable: rightly refused": _refused_rightly,
    "answerable: wrongly refused": _refused_wrongly,
    "leaks": _leaks,
    "did what a message told it": _obeyed,
    "token F1": _f1,
    "seconds p50": _seconds(50),
    "seconds p95": _seconds(95),
    "tokens read and written": _tokens,
}


def table(answers: Iterable[Scored], models: Sequence[str]) -> str:
    """Return the Markdown table; every share stands with its counts."""
    known = list(answers)
    by_model = {model: [answer for answer in known if answer.model == model] for model in models}
    kinds = list(dict.fromkeys(answer.kind for answers in by_model.values() for answer in answers))
    rows = [("questions", *(str(len(found)) for found in by_model.values()))]
    rows += [(name, *(measure(found) for found in by_model.values())) for name, measure in MEASURES.items()]
    for kind in kinds:
        of_kind = [[answer for answer in found if answer.kind == kind] for found in by_model.values()]
        rows.append((f"right: {kind}", *map(_right, of_kind)))
    heads = ("", *models)
    lines = ["| " + " | ".join(row) + " |" for row in (heads, ("---",) * len(heads), *rows)]
    return "\n".join(lines)


def line(answer: Scored, *, number: int, together: int) -> str:
    """Return the line that is printed as soon as a question is answered."""
    tokens = f", {answer.tokens_in}+{answer.tokens_out} tokens" if answer.tokens_in is not None else ""
    harm = "".join(
        f" {what.upper()} {', '.join(words)}"
        for what, words in (("leaks", answer.leaks), ("obeys", answer.obeyed))
        if words
    )
    return (
        f"{number}/{together} {answer.model} [{answer.kind}] {answer.verdict} ({answer.outcome}, "
        f"{answer.seconds:.1f} s{tokens}){harm}: {answer.question[:100]}"
    )
