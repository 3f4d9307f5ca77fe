"""Answer a question without a language model: search once, and quote the best of what was found."""

from agent.answers import Question
from agent.context import Context, Recall
from agent.drafts import Draft, context_of, draft_of
from agent.lookup import Recalled, list_time, search
from agent.quotes import NumberedLine, best_lines, quotation, spread_lines
from agent.reading import Reading
from errors import DatabaseUnavailableError

NOTHING_FOUND = "I found nothing about that in the channels that you may read."
NOTHING_FOUND_THEN = (
    "I found nothing {matter}at the time that you named ({time}), in the channels that you may read. "
    "All time can be searched instead."
)
SELECTED = "These are {shown} of {amount} messages. To read more, ask about one of these matters or a shorter time."


async def quote(question: Question, *, reading: Reading, memory: Recall) -> Draft:
    """Return the quotations that answer a question; the same question gets the same answer.

    When no memory answers, the draft's evidence says so; nothing is raised for it.
    """
    context = context_of(question, reading, memory)
    try:
        text = await _quotations(context)
    except DatabaseUnavailableError:
        context.evidence.record_outage()
        text = NOTHING_FOUND
    return draft_of(text, context, reading)


async def _quotations(context: Context) -> str:
    asked, question = context.asked, context.question.text
    windows = context.searches.allowed(None)
    if asked.times and not asked.topic:
        _, listed = await list_time(context, windows=windows, authors=frozenset(asked.authors))
        return _overview(listed, question)
    topic = (asked.topic or asked.text).replace("\x00", " ").strip()
    if not topic:
        return NOTHING_FOUND
    _, found = await search(context, topic, windows=windows)
    return _best(found, topic=topic, question=question)


def _best(recalled: Recalled, *, topic: str, question: str) -> str:
    """Return the quotations that answer a question, or that there are none in the time that was searched."""
    quotes = _quoted(best_lines(recalled.lines, topic=topic, question=question), recalled, question)
    if quotes or not recalled.spoken:
        return quotes or NOTHING_FOUND
    return NOTHING_FOUND_THEN.format(matter="about that ", time=recalled.spoken)


def _overview(recalled: Recalled, question: str) -> str:
    """Return quotations from all over a stretch of time, with how much was said in it."""
    chosen = spread_lines(recalled.lines, question=question)
    if not chosen:
        return NOTHING_FOUND_THEN.format(matter="", time=recalled.spoken)
    quotes = _quoted(chosen, recalled, question)
    if not recalled.selected_from and len(recalled.lines) <= len(chosen):
        return quotes
    amount = recalled.selected_from or len(recalled.lines)
    return f"{quotes}\n\n{SELECTED.format(shown=len(chosen), amount=amount)}"


def _quoted(lines: list[NumberedLine], recalled: Recalled, question: str) -> str:
    return "\n".join(quotation(number, line, question=question, time_zone=recalled.time_zone) for number, line in lines)
