"""Say in a few words what is being done for an answer."""

from agent.markdown import inline, shortened
from agent.progress import Step, StepKind
from agent.types import Question
from bot.rendering import neutralised
from time_expressions.format import brief_windows

MOST_CHANNELS = 3
LONGEST_NAME = 40  # characters

_WORDS = {
    StepKind.WAITING: "waiting for a turn",
    StepKind.SEARCHING: "searching",
    StepKind.LISTING: "listing",
    StepKind.READING_AROUND: "reading around what was found",
    StepKind.COUNTING: "counting",
    StepKind.WRITING: "writing",
}
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def step_words(step: Step, question: Question, *, named: bool) -> str:
    """Return a step as Discord's Markdown, such as "searching #ops, Thu 5 Nov"; channels only where `named`."""
    if step.kind is StepKind.WAITING and step.place_in_queue:
        return f"{ordinal(step.place_in_queue)} in the queue"
    if step.kind is StepKind.READING_AROUND and step.count:
        return f"reading around {step.count} message{'s' if step.count > 1 else ''}"
    where = _channels(step.channels) if named else ""
    when = brief_windows(step.windows, time_zone=question.time_zone, now=question.now)
    return ", ".join(filter(None, (" ".join(filter(None, (_WORDS[step.kind], where))), when)))


def ordinal(number: int) -> str:
    """Return a number as a place in a row: "3rd", "11th"."""
    return f"{number}{'th' if number % 100 in {11, 12, 13} else _ENDINGS.get(number % 10, 'th')}"


def _channels(names: tuple[str, ...]) -> str:
    shown = [neutralised(f"#{inline(shortened(name, LONGEST_NAME))}") for name in names[:MOST_CHANNELS]]
    more = [f"{len(names) - MOST_CHANNELS} more"] if len(names) > MOST_CHANNELS else []
    *first, last = [*shown, *more] or [""]
    return f"{', '.join(first)} and {last}" if first else last
