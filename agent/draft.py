"""What a run wrote in answer to a question, before its citations are checked."""

from dataclasses import dataclass

from agent.context import Context, Recall
from agent.question import Reading, order_of
from agent.time_scope import TimeScope
from agent.transcript import ShownMessages
from agent.types import Question, Searched


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer with its marks as they were written, what the run had been shown, and where it had looked."""

    text: str
    evidence: ShownMessages
    searched: Searched | None


def context_of(question: Question, reading: Reading, memory: Recall) -> Context:
    """Return what a run begins with: nothing has been shown or searched yet."""
    return Context(
        question=question,
        asked=reading.asked,
        memory=memory,
        evidence=ShownMessages(question.places),
        searches=TimeScope(reading.asked.windows, all_time=question.all_time),
    )


def draft_of(text: str, context: Context, reading: Reading) -> Draft:
    """Return what a run wrote, with what it was shown and where it looked."""
    return Draft(text, context.evidence, _searched(context.question, reading, context.searches))


def _searched(question: Question, reading: Reading, searches: TimeScope) -> Searched | None:
    if not searches.were_made:
        return None
    return Searched(
        windows=searches.windows,
        went_beyond=searches.went_beyond,
        channels=reading.channels,
        now=question.now,
        time_zone=question.time_zone,
        ordered=tuple(time for time in reading.asked.times if time.order_mattered),
        date_order=order_of(question),
    )
